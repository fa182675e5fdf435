"""The mapping function of an ingest: drafts in, prepared articles out.

It runs in worker processes of this machine and of clusters alike, and needs neither the archive nor
its lock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from ingest.readers import Reject
from ingest.readers.error_guard import unexpected_failure
from rag.archive.preparation import Draft, prepare
from rag.errors import ReadError
from rag.models.archive_model import ArchiveModel
from rag.schema import Article
from rag.settings import Settings
from rag.store.articles import PreparedArticle
from rag.store.database import is_archive_error


@dataclass(frozen=True, slots=True)
class NotPrepared:
    """An article that could not be prepared.

    Attributes:
        reject: What to report.
    """

    reject: Reject


Outcome = PreparedArticle | NotPrepared
# What processes run; `prepare_drafts` but in tests.
Mapping = Callable[[Settings, Sequence[Draft]], list[Outcome]]


def settings_of_model(settings: Settings) -> Settings:
    """Return settings that open the same embedding model, without anything else.

    Processes on other machines need no passwords, and no folder of the archive.
    """
    kept = [field.name for field in fields(settings) if field.name.startswith("embedding_")]
    return Settings(models=settings.models, **{name: getattr(settings, name) for name in kept})


def prepare_drafts(settings: Settings, drafts: Sequence[Draft]) -> list[Outcome]:
    """Return the outcome of each draft, in order; the model stays loaded for the next call.

    If preparing them together fails, they are prepared one by one, so that only the faulty one
    isn't prepared.

    Args:
        settings: Settings of the embedding model.
        drafts: The articles.

    Raises:
        ModelError: The model is missing, or failed for any text.
    """
    return _outcomes(drafts, _open_model(settings))


def answer(
    settings: Settings, drafts: Sequence[Draft], mapping: Mapping = prepare_drafts
) -> list[Outcome] | Exception:
    """Return the outcomes of drafts, or the error of the model: the task of a process.

    Errors are values, since each cluster wraps those that are raised in its own way.
    """
    try:
        return mapping(settings, drafts)
    except Exception as error:
        return error


def place_of(article: Article) -> str:
    """Return the place by which a reject names an article."""
    return article.url or article.id


@lru_cache(maxsize=1)
def _open_model(settings: Settings) -> ArchiveModel:
    return ArchiveModel(None, settings)


def _outcomes(drafts: Sequence[Draft], model: ArchiveModel) -> list[Outcome]:
    try:
        return [*_prepare(drafts, model)]
    except Exception as error:
        if is_archive_error(error):
            raise
        if len(drafts) == 1:
            place = place_of(drafts[0].article)
            if isinstance(error, ReadError | ValueError):
                return [NotPrepared(Reject(place, str(error)))]
            return [NotPrepared(unexpected_failure(place, error))]
        return [one for draft in drafts for one in _outcomes([draft], model)]


def _prepare(drafts: Sequence[Draft], model: ArchiveModel) -> list[PreparedArticle]:
    opened: Any = model.open()
    return prepare(drafts, embeddings=opened, embed=model.vectors, model=model.name)
