"""The SQLite database of an archive, which is the source of truth."""
