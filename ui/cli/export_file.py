"""Files that commands export answers and dossiers to, in the format that their names end in."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from rag.errors import BackupError
from ui.cli.command import usage_error

FORMATS = {
    ".docx": "word",
    ".pdf": "pdf",
    ".md": "markdown",
    ".html": "html",
    ".ris": "ris",
    ".json": "csl",
}


def format_of(file: str, allowed: tuple[str, ...]) -> str:
    """Return the format of a file by the end of its name.

    Args:
        file: The file's name.
        allowed: The formats that the command can write.

    Raises:
        click.UsageError: The name ends in none of theirs.
    """
    form = FORMATS.get(Path(file).suffix.lower(), "")
    if form not in allowed:
        *most, last = [suffix for suffix, one in FORMATS.items() if one in allowed]
        raise usage_error(f"FILE must end in {', '.join(most)} or {last}")
    return form


def write_new(file: Path, content: bytes) -> None:
    """Write a new file, which appears once it is complete.

    Raises:
        BackupError: The file exists, or can't be written.
    """
    if file.exists():
        raise BackupError(f"{file} exists already. Choose another name for the export.")
    part = file.with_name(f"{file.name}.part")
    try:
        part.write_bytes(content)
        part.rename(file)
    except OSError as error:
        raise BackupError(f"Cannot write {file}: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            part.unlink()
