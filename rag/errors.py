"""Exception hierarchy. Every message states the cause and how to fix it.

BackfileError
+-- ArchiveNotFoundError      no archive at that path
+-- ArchiveLockedError        another process is writing to the archive
+-- ArchiveUnwritableError    the disk is full, or the archive is not writable
+-- ArchiveDamagedError       the database cannot be read, or is of a newer version
+-- RecordUnavailableError    the PostgreSQL server of a shared record cannot be reached
+-- DamagedIndexError         an index is damaged and will be rebuilt (rag.index.chroma_files)
+-- VectorServerError         the vector server can't be reached, or answers nonsense
+-- EmbeddingMismatchError    the archive was built with another embedding model
+-- BackupError               a backup is incomplete, or its target already exists
+-- ModelError                an embedding model or a reranker is missing or unexpected
+-- ReadError                 a file or a line is not an article (location: cause)
+-- FetchError                a page cannot be fetched (ingest.fetch.errors)
+-- QuestionTooLongError      a question exceeds the limit
+-- ChatModelError            the chat model is missing or did not answer
+-- SettingsError             a setting is unknown or invalid
+-- RemoteError               a server cannot be reached, or refused a request
+-- SavedItemError            a saved search or a dossier is missing, or its name is taken
+-- InvalidValueError         a value has an argument of the wrong type; also a ValueError
"""

from typing import ClassVar


class BackfileError(Exception):
    """Base class of all errors that Backfile raises on purpose; messages have one line.

    Attributes:
        code: Code of the message, by which it is translated; "" for a message without one.
        params: Parameters of the translated message.
    """

    usual_code: ClassVar[str] = ""  # of errors of the class without a code of their own

    def __init__(self, message: str = "", *, code: str = "", **params: str | int) -> None:
        super().__init__(message) if message else super().__init__()
        self.code = code or self.usual_code
        self.params = params


class ArchiveNotFoundError(BackfileError):
    """There is no archive at that path."""

    usual_code = "archive_missing"


class ArchiveLockedError(BackfileError):
    """Another process is writing to the archive."""

    usual_code = "archive_locked"


class ArchiveUnwritableError(BackfileError):
    """The disk is full, or the archive is not writable."""

    usual_code = "archive_unwritable"


class ArchiveDamagedError(BackfileError):
    """The database cannot be read, or a newer version of Backfile wrote it."""

    usual_code = "archive_damaged"


class VectorServerError(BackfileError):
    """The Chroma server can't be reached, is too slow, or its answer is unusable."""

    usual_code = "vector_server"


class RecordUnavailableError(BackfileError):
    """The PostgreSQL server of a shared record cannot be reached."""

    usual_code = "record_unavailable"


class EmbeddingMismatchError(BackfileError):
    """The archive was built with another embedding model."""

    usual_code = "other_model"


class BackupError(BackfileError):
    """A backup is incomplete, or its target already exists."""


class ModelError(BackfileError):
    """An embedding model or a reranker is missing, or its weights are not the expected ones."""

    usual_code = "model_missing"


class ReadError(BackfileError):
    """A file, or a line of one, cannot be read as an article."""


class QuestionTooLongError(BackfileError):
    """A question exceeds the limit: see `rag.query.length_limit`."""


class ChatModelError(BackfileError):
    """The chat model is missing, has no key, or did not answer."""

    usual_code = "chat_model_failed"


class SettingsError(BackfileError):
    """A setting is unknown or invalid."""


class SavedItemError(BackfileError):
    """A saved search, a dossier or an entry of one is missing, or its name is taken."""

    usual_code = "saved_missing"


class RemoteError(BackfileError):
    """A server cannot be reached, or refused a request."""


class InvalidValueError(BackfileError, ValueError):
    """A value or function was given an argument of the wrong type."""
