"""A page of its own process, whose answers come when a test lets them: `python -m` it."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

from rag.settings import Settings, Writers
from tests.fakes import PacedChatbot, small_archive
from ui.web.app import start


def main(folder: Path, port: int, writers: Writers = "none", allow: str = "") -> None:
    """Serve the articles of `tests.fakes`, until interrupted."""
    with small_archive(folder / "archive") as archive:
        settings = Settings(
            archive=folder / "archive",
            port=port,
            write_access=writers,
            fetch_allow=allow,
            proxies="127.0.0.1",
        )
        chatbot: Any = PacedChatbot(archive, folder / "go")
        served = start(archive, chatbot, settings)
        sys.stdout.write(f"Backfile is at {served.invitation} (Ctrl-C ends it)\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            served.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])  # type: ignore[arg-type]
