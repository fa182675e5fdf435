"""The archive on disk: the record in SQLite, the one truth, and the indexes that follow it."""
