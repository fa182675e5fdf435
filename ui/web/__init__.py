"""The page where one asks the archive: a chat, and beside it the passages that it rests on."""
