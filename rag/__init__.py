"""Search a news archive, and answer questions with cited statements.

Open an `Archive`, and search it or ask a `Chatbot` over it; `NewsRetriever` is the search for
LangChain. Names are imported when they are first used, so that `import rag` takes no time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.answer.chatbot import Chatbot as Chatbot
    from rag.archive.archive import AddResult as AddResult
    from rag.archive.archive import Archive as Archive
    from rag.archive.browse import BrowsePage as BrowsePage
    from rag.archive.browse import Facet as Facet
    from rag.archive.browse import FacetValue as FacetValue
    from rag.archive.name_quotations import NameQuotation as NameQuotation
    from rag.archive.names import NameCount as NameCount
    from rag.archive.names import NamePage as NamePage
    from rag.archive.reader import ArchiveReader as ArchiveReader
    from rag.archive.snapshot import ArchiveSnapshot as ArchiveSnapshot
    from rag.errors import ArchiveDamagedError as ArchiveDamagedError
    from rag.errors import ArchiveLockedError as ArchiveLockedError
    from rag.errors import ArchiveNotFoundError as ArchiveNotFoundError
    from rag.errors import ArchiveUnwritableError as ArchiveUnwritableError
    from rag.errors import BackfileError as BackfileError
    from rag.errors import BackupError as BackupError
    from rag.errors import ChatModelError as ChatModelError
    from rag.errors import EmbeddingMismatchError as EmbeddingMismatchError
    from rag.errors import InvalidValueError as InvalidValueError
    from rag.errors import ModelError as ModelError
    from rag.errors import QuestionTooLongError as QuestionTooLongError
    from rag.errors import ReadError as ReadError
    from rag.errors import RecordUnavailableError as RecordUnavailableError
    from rag.errors import RemoteError as RemoteError
    from rag.errors import SavedItemError as SavedItemError
    from rag.errors import SettingsError as SettingsError
    from rag.errors import VectorServerError as VectorServerError
    from rag.remote.archive import RemoteArchive as RemoteArchive
    from rag.retrieval.langchain import NewsRetriever as NewsRetriever
    from rag.rights import ALL as ALL
    from rag.rights import ALL_RIGHTS as ALL_RIGHTS
    from rag.rights import Rights as Rights
    from rag.schema import Answer as Answer
    from rag.schema import Article as Article
    from rag.schema import ArticleMetadata as ArticleMetadata
    from rag.schema import Citation as Citation
    from rag.schema import Filters as Filters
    from rag.schema import Hit as Hit
    from rag.schema import Notice as Notice
    from rag.schema import Passage as Passage
    from rag.schema import Span as Span
    from rag.schema import Statement as Statement
    from rag.schema import TimeRange as TimeRange
    from rag.schema import Usage as Usage
    from rag.settings import Settings as Settings

    __version__: str

# The module of each public name; the imports above repeat it for type checkers.
_MODULES = {
    "rag.answer.chatbot": ("Chatbot",),
    "rag.archive.archive": ("AddResult", "Archive"),
    "rag.archive.browse": ("BrowsePage", "Facet", "FacetValue"),
    "rag.archive.name_quotations": ("NameQuotation",),
    "rag.archive.names": ("NameCount", "NamePage"),
    "rag.archive.reader": ("ArchiveReader",),
    "rag.archive.snapshot": ("ArchiveSnapshot",),
    "rag.errors": (
        "ArchiveDamagedError",
        "ArchiveLockedError",
        "ArchiveNotFoundError",
        "ArchiveUnwritableError",
        "BackfileError",
        "BackupError",
        "ChatModelError",
        "EmbeddingMismatchError",
        "InvalidValueError",
        "ModelError",
        "QuestionTooLongError",
        "ReadError",
        "RecordUnavailableError",
        "RemoteError",
        "SavedItemError",
        "SettingsError",
        "VectorServerError",
    ),
    "rag.remote.archive": ("RemoteArchive",),
    "rag.retrieval.langchain": ("NewsRetriever",),
    "rag.rights": ("ALL", "ALL_RIGHTS", "Rights"),
    "rag.schema": (
        "Answer",
        "Article",
        "ArticleMetadata",
        "Citation",
        "Filters",
        "Hit",
        "Notice",
        "Passage",
        "Span",
        "Statement",
        "TimeRange",
        "Usage",
    ),
    "rag.settings": ("Settings",),
    "rag.version": ("__version__",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}
__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from rag.version import version

        return version()
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value  # found without this function from now on
    return value


def __dir__() -> list[str]:
    return __all__
