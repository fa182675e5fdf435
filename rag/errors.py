"""What can go wrong, drawn as a tree; each message says the way out.

BackfileError
+-- ArchiveNotFoundError      no archive at that path: ingest something first
+-- ArchiveLockedError        another process is writing: who, since when
+-- ArchiveUnwritableError    the disk is full, or the archive may not be written to
+-- ArchiveDamagedError       the record cannot be read, or is of a newer version
+-- DamagedIndexError         an index cannot be read: it is made again (rag.index.chroma_index)
+-- EmbeddingMismatchError    the archive was built with another embedding model
+-- BackupError               a backup is not whole, or there is something in its place
+-- ModelError                an embedding model or a reranker is missing or not the one expected
+-- ReadError                 a file or a line is not an article (place: why)
+-- FetchError                a page cannot be fetched, and why (ingest.fetch.errors)
+-- QuestionTooLongError      a question is longer than one may be
+-- ChatModelError            the chat model is missing or did not answer
+-- SettingsError             an unknown or impossible setting, by name
+-- InvalidValueError         an argument that cannot be what it should be; also a ValueError
"""


class BackfileError(Exception):
    """The base of every error that Backfile raises on purpose: one line, with the way out."""


class ArchiveNotFoundError(BackfileError):
    """There is no archive at that path."""


class ArchiveLockedError(BackfileError):
    """Another process is writing to the archive."""


class ArchiveUnwritableError(BackfileError):
    """The disk is full, or the archive may not be written to."""


class ArchiveDamagedError(BackfileError):
    """The record cannot be read, or a newer version of Backfile wrote it."""


class EmbeddingMismatchError(BackfileError):
    """The archive was built with another embedding model."""


class BackupError(BackfileError):
    """A backup is not whole, or there is something already where it or its archive would go."""


class ModelError(BackfileError):
    """An embedding model or a reranker is missing, or its weights are not the ones expected."""


class ReadError(BackfileError):
    """A file, or a line of one, cannot be read as an article."""


class QuestionTooLongError(BackfileError):
    """A question is longer than one may be: see `rag.query.length_limit`."""


class ChatModelError(BackfileError):
    """The chat model is missing, has no key, or did not answer."""


class SettingsError(BackfileError):
    """A setting is unknown or impossible."""


class InvalidValueError(BackfileError, ValueError):
    """A value was constructed, or a function called, with an argument of the wrong kind."""
