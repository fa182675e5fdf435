"""The log file: one JSON line for each ingest."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from rag.errors import SettingsError
from rag.settings import Settings


class JsonFormatter(logging.Formatter):
    """Format a log record as a JSON object: time, level, event and figures."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat()
        line = {"at": at, "level": record.levelname.lower(), "event": record.getMessage()}
        line |= getattr(record, "figures", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        # File names and tracebacks may contain lone surrogates, which UTF-8 cannot encode.
        return json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


@contextmanager
def log_to_file(settings: Settings) -> Iterator[None]:
    """Write the log to `settings.log` while the context is open; nowhere if it is empty.

    Raises:
        SettingsError: The file cannot be written.
    """
    if not settings.log:
        yield
        return
    try:
        handler = logging.FileHandler(settings.log, encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"Cannot write the log {settings.log!r}: {error.strerror}. Set BACKFILE_LOG to another "
            "file."
        ) from error
    handler.setFormatter(JsonFormatter())
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
