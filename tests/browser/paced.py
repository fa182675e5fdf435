"""A page of its own process, whose answers come when a test lets them: `python -m` it."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

from rag.settings import Feeding, Settings
from tests.fakes import PacedChatbot, small_archive
from ui.page.serving import build_page, launch


def main(folder: Path, port: int, feeding: Feeding = "nobody", allow: str = "") -> None:
    """Serve the articles of `tests.fakes`, until interrupted."""
    with small_archive(folder / "archive") as archive:
        settings = Settings(port=port, feeding=feeding, fetch_allow=allow)
        chatbot: Any = PacedChatbot(archive, folder / "go")
        page = build_page(archive, chatbot, settings)
        _, address, _ = launch(page, settings)
        sys.stdout.write(f"Backfile is at {address} (Ctrl-C ends it)\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            page.close(verbose=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])  # type: ignore[arg-type]
