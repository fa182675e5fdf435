"""Opening of an archive: its folder alone, or a folder that follows a record on PostgreSQL."""

from __future__ import annotations

from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rag.archive.side_home import home_in
from rag.errors import ArchiveDamagedError, BackfileError
from rag.index.consistency import find_lost_writes
from rag.index.search import Indexes
from rag.index.vector_server import open_shared_index
from rag.models.archive_model import ArchiveModel, open_reranker_lazily
from rag.settings import Settings
from rag.store.articles import ArticleStore
from rag.store.connection import map_disk_errors
from rag.store.database import COPY_MARK
from rag.store.file_permissions import make_private
from rag.store.integrity import refuse_copy, refuse_triggers
from rag.store.lock import writer_lock
from rag.store.side_file import SideHome
from rag.store.staged_vectors import MODEL

if TYPE_CHECKING:
    from langchain_core.cross_encoders import BaseCrossEncoder

    from rag.archive.following import RecordFollower

OnDataLoss = Literal["refuse", "accept"]


@dataclass(frozen=True, slots=True)
class Opening:
    """Options of `Archive.open`."""

    settings: Settings
    writes: bool
    embeddings: Any
    reranker: BaseCrossEncoder | None
    on_data_loss: OnDataLoss
    create: bool
    wait: float


@dataclass(frozen=True, slots=True)
class OpenParts:
    """The parts of an open archive.

    Attributes:
        store: The store that is read and written to.
        indexes: The search indexes, over the folder's copy of a shared record.
        model: The embedding model.
        generation: The number of model switches when `model` was chosen.
        reranker: The cross-encoder of every search.
        home: Where users, saved items, feeds and jobs are.
        follower: Keeps the folder up to date with a shared record; None without one.
        resources: Closes all of them.
    """

    store: ArticleStore
    indexes: Indexes
    model: ArchiveModel
    generation: int
    reranker: BaseCrossEncoder | None
    home: SideHome
    follower: RecordFollower | None
    resources: ExitStack


def open_parts(folder: Path, opening: Opening) -> OpenParts:
    """Open an archive's parts; what is left of earlier writers is finished first.

    Args:
        folder: The archive's folder.
        opening: How to open it.

    Raises:
        BackfileError: See `Archive.open`.
    """
    open_them = _open_following if opening.settings.record else _open_folder
    if opening.writes and not opening.create and not opening.settings.record:
        ArticleStore(folder).close()  # raises before the lock's folder is created
    with (
        map_disk_errors(folder) if opening.writes else nullcontext(),
        ExitStack() as resources,  # closes everything if a step fails
    ):
        return open_them(folder, opening, resources)


def _open_folder(folder: Path, opening: Opening, resources: ExitStack) -> OpenParts:
    settings, refuses = opening.settings, opening.on_data_loss == "refuse"
    lock = writer_lock(folder, opening.wait) if opening.writes else None
    if lock is not None:
        resources.callback(lock.release)
        make_private(folder)  # earlier versions left files readable by others
        resources.callback(make_private, folder)  # covers files that libraries write later
    store = ArticleStore(folder, create=opening.create, writable=opening.writes)
    resources.callback(store.close)
    if refuses and (loss := find_lost_writes(folder, store.database)):
        raise ArchiveDamagedError(f"of the archive at {folder}, {loss.description}: {loss.remedy}")
    if opening.writes:
        refuse_copy(folder, store.database)
    if refuses and opening.writes:
        refuse_triggers(folder, store.database)
    generation = store.generation()  # before the model is read: see `_sync_model`
    model = ArchiveModel(opening.embeddings, settings, store.database.meta(MODEL))
    reranker = opening.reranker or open_reranker_lazily(settings)
    indexes = Indexes(folder, store, lock, open_shared_index(settings, store))
    resources.callback(indexes.close)
    home = home_in(folder, is_copy=bool(store.database.meta(COPY_MARK)))
    if opening.writes:
        indexes.catch_up()
        indexes.remove_leftovers()
        from rag.archive.erasure import finish_erasure

        finish_erasure(home, store, indexes)
        make_private(folder)
    return OpenParts(store, indexes, model, generation, reranker, home, None, resources.pop_all())


def _open_following(folder: Path, opening: Opening, resources: ExitStack) -> OpenParts:
    """Open a record on PostgreSQL, and the folder that follows it."""
    from rag.archive.erasure import finish_erasure
    from rag.archive.following import RecordFollower  # psycopg: 0.1 s
    from rag.store.postgres.database import PostgresDatabase
    from rag.store.postgres.side_schema import RecordHome

    settings, record = opening.settings, None
    if opening.writes:
        record = PostgresDatabase(settings.record, folder, create=opening.create)
    follower = RecordFollower(folder, settings.record, record)
    resources.callback(follower.close)
    copy = follower.open_copy()
    resources.callback(copy.close)
    store = ArticleStore.over(record) if record else copy
    if record and opening.on_data_loss == "refuse":
        refuse_triggers(folder, record)
    generation = store.generation()
    model = ArchiveModel(opening.embeddings, settings, store.database.meta(MODEL))
    reranker = opening.reranker or open_reranker_lazily(settings)
    indexes = Indexes(folder, copy, None, open_shared_index(settings, copy))
    resources.callback(indexes.close)
    home = RecordHome(folder, settings.record)
    follower.attach(indexes)
    if opening.writes:
        follower.follow()
        finish_erasure(home, store, indexes, follower.rewrite)
    else:
        with suppress(BackfileError):  # readers go on with what they have
            follower.follow()
        follower.start()
    resources.callback(follower.stop)
    return OpenParts(
        store, indexes, model, generation, reranker, home, follower, resources.pop_all()
    )
