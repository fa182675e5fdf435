"""A page over the articles of `tests.support.fakes`, whose answers wait for the test.

As a program it serves one from a folder on a port until it is killed.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rag.settings import Settings
from tests.support.fakes import PacedChatbot, small_archive
from ui.web.app import start


@contextmanager
def serve_paced(folder: Path, **given: Any) -> Iterator[str]:
    """Serve the page from this process, with the settings given, until the block ends.

    Yields:
        Its address. Slow answers wait for the file `go` in the folder.
    """
    with small_archive(folder / "archive") as archive:
        usual = {"archive": archive.path, "port": 0, "write_access": "none", "proxies": "127.0.0.1"}
        settings = Settings(**{**usual, **given})
        chatbot: Any = PacedChatbot(archive, folder / "go")
        served = start(archive, chatbot, settings)
        try:
            yield served.invitation
        finally:
            (folder / "go").touch()
            served.close()


if __name__ == "__main__":
    with serve_paced(Path(sys.argv[1]), port=int(sys.argv[2])) as address:
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        threading.Event().wait()
