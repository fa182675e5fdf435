"""Browser page: chat with the archive, and the sources of each answer beside it."""
