"""The record on PostgreSQL."""

from rag.errors import SettingsError

try:
    import psycopg  # noqa: F401
except ImportError as error:  # or its client library is missing
    raise SettingsError(
        f"BACKFILE_RECORD needs psycopg ({error}): run `pip install 'backfile[postgres]'`"
    ) from error
