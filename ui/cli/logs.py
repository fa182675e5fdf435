"""The log: one line of JSON for each ingest, in the file that the settings name."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from rag.errors import SettingsError
from rag.settings import Settings


class JsonLine(logging.Formatter):
    """A record as an object: when, how grave, what, and its figures."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat()
        line = {"at": at, "level": record.levelname.lower(), "event": record.getMessage()}
        line |= getattr(record, "figures", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        # A file's name or a traceback may hold what no file in UTF-8 takes.
        return json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


@contextmanager
def logging_to(settings: Settings) -> Iterator[None]:
    """Write the log to the settings' file meanwhile; raises SettingsError where it cannot be."""
    if not settings.log:
        yield
        return
    try:
        handler = logging.FileHandler(settings.log, encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"BACKFILE_LOG is {settings.log!r}: cannot be written to: {error.strerror}"
        ) from error
    handler.setFormatter(JsonLine())
    log = logging.getLogger("backfile")
    level = log.level
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
        handler.close()
