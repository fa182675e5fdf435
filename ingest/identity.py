"""Resolve the ids of articles that have no URL.

A file is identified by its location, and keeps its id when it is moved. Numbers of a dump are only
unique within it: the same number with another text is another article.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from ingest.readers.file_names import path_of
from ingest.storage.address import split_storage_place, storage_of
from ingest.target import IngestTarget
from rag.errors import ReadError
from rag.nlp.near_duplicates import shingle_hashes, word_hashes
from rag.schema import ALL_RIGHTS, Article
from rag.store.articles import content_hash
from rag.store.crawl_state import is_file_location
from rag.urls import is_storage_address

if TYPE_CHECKING:
    from pathlib import Path

    from rag.store.crawl_state import FileLocations

# Share of the shorter version's shingles that the longer one has. A rewritten story keeps more;
# two different stories share only turns of phrase.
SHARED_WORDING = 0.3
_UNIQUE = re.compile(
    r"(?i)\A(?:[a-z][a-z0-9+.-]{1,20}:|[\w.-]+\.[a-z]{2,}(?::\d+)?(?:[/?]|\Z)|"  # urn:, host/path
    r"\{?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\}?\Z|[0-9a-f]{16,}\Z|(?=\S*\d)\S{20,}\Z)"
)


def is_unique(article_id: str) -> bool:
    """Return whether an id is globally unique: a URL, a URN or a UUID."""
    return _UNIQUE.match(article_id) is not None


class ArticleIdResolver:
    """Finds the archive's id of each article that was read."""

    def __init__(
        self, existing: IngestTarget, locations: FileLocations, sources: Iterable[str | Path] = ()
    ) -> None:
        """Create a resolver.

        Args:
            existing: The articles of the archive.
            locations: The file locations of earlier runs.
            sources: What is read; of storages, only theirs are asked whether a file exists, since
                an article may give any address as its ID.
        """
        self._existing = existing
        self._locations = locations
        self._storages = frozenset(filter(None, map(storage_of, sources)))
        self._withdrawn: dict[str, frozenset[str]] | None = None
        self._batch: dict[str, Article] = {}
        self._moved: dict[str, str] = {}

    def resolve(self, batch: Sequence[Article]) -> list[Article]:
        """Return the articles of a batch with their ids in the archive."""
        self._batch, self._moved = {}, {}
        found = []
        for article in batch:
            if is_file_location(article.id):
                article = article.replace(id=self._resolve_by_location(article))
            elif not is_unique(article.id):
                article = article.replace(id=self._resolve_by_number(article))
            self._batch[article.id] = article
            found.append(article)
        return found

    def resolve_kill(self, article_id: str, publisher: str) -> str:
        """Return the archive's id of an article that a publisher names by its own number."""
        number = "" if is_unique(article_id) else article_id
        ids = [f"{slug}:{number}"] if number and (slug := _slug(publisher)) else []
        return next((i for i in ids if self._existing.article(i, access=ALL_RIGHTS)), article_id)

    def commit(self) -> None:
        """Save the file locations of the batch after it was added."""
        if self._moved:
            self._locations.save(self._moved.items())
            self._moved = {}

    def _resolve_by_location(self, article: Article) -> str:
        place = article.id
        here = self._moved.get(place) or self._locations.article_at(place) or place
        if self._is_known(here):
            if self._is_version(here, article) or not self._exists_elsewhere(here, place):
                return here
        elif here == place:
            moved = self._find_moved(article)
            if moved:
                self._moved[place] = moved
                return moved
            return place
        # The file that was here has moved, and another article took its place.
        return self._new_id(place, article)

    def _find_moved(self, article: Article) -> str:
        """Return the id of an identical article from another location; "" if missing."""
        if self._withdrawn is None:
            self._withdrawn = self._locations.withdrawn()
        here = [i for i, one in self._batch.items() if one.text == article.text]
        likely = [*here, *self._locations.with_text(article.text), *self._withdrawn]
        return next((i for i in likely if is_file_location(i) and self._is_version(i, article)), "")

    def _exists_elsewhere(self, article_id: str, place: str) -> bool:
        """Return whether an article's file still exists at another location."""
        places = {*self._locations.other_locations(article_id)}
        places |= {p for p, moved in self._moved.items() if moved == article_id}
        if self._locations.article_at(article_id) in ("", article_id):
            places.add(article_id)
        return any(_file_exists(one, self._storages) for one in places - {place})

    def _new_id(self, place: str, article: Article) -> str:
        apart = place
        if self._is_known(place):
            apart = f"{place}#{_digest(article)}"
        self._moved[place] = apart
        return apart

    def _resolve_by_number(self, article: Article) -> str:
        number = article.id
        if not self._is_known(number) or self._is_same(number, article):
            return number
        slug = _slug(article.publisher)
        likely = [f"{slug}:{number}"] if slug else []
        apart = f"{number}#{_digest(article)}"
        for article_id in [*likely, *self._ids_with_prefix(f"{number}#")]:
            if self._is_known(article_id) and self._is_same(article_id, article):
                return article_id
        return next((i for i in likely if not self._is_known(i)), apart)

    def _ids_with_prefix(self, start: str) -> list[str]:
        here = [article_id for article_id in self._batch if article_id.startswith(start)]
        return [*here, *self._locations.ids_starting_with(start)]

    def _is_same(self, article_id: str, article: Article) -> bool:
        """Return whether an article is, or is a version of, the one with this id."""
        if self._is_version(article_id, article):
            return True
        before = self._batch.get(article_id) or self._existing.article(
            article_id, access=ALL_RIGHTS
        )
        return before is None or is_version_of(article, before)

    def _is_known(self, article_id: str) -> bool:
        return article_id in self._batch or bool(self._existing.content_hashes([article_id]))

    def _is_version(self, article_id: str, article: Article) -> bool:
        """Return whether the article with this id has, or once had, identical content."""
        again = article.replace(id=article_id)
        if article_id in self._batch:
            return self._batch[article_id] == again
        known = self._existing.content_hashes([article_id]).get(article_id, frozenset())
        known |= (self._withdrawn or {}).get(article_id, frozenset())
        try:
            return content_hash(again) in known
        except ReadError:  # no text: rejected when it is added
            return False


def is_version_of(new: Article, old: Article) -> bool:
    """Return whether two articles with the same number are versions of one.

    They are if they share their text, their headline, their time of publication, or much of their
    wording. Articles of different publishers must have the same text.
    """
    if new.text == old.text:
        return True
    if new.publisher and old.publisher and new.publisher.casefold() != old.publisher.casefold():
        return False
    apart = bool(new.published and old.published and new.published != old.published)
    if new.title and new.title.casefold() == old.title.casefold() and not apart:
        return True
    hour = new.published and (new.published.hour, new.published.minute, new.published.second)
    if hour and any(hour) and not apart and old.published:
        return True
    short, long = sorted(
        (shingle_hashes(word_hashes(new.text)), shingle_hashes(word_hashes(old.text))), key=len
    )
    if not len(short):
        return False
    return len({*short.tolist()} & {*long.tolist()}) >= SHARED_WORDING * len(short)


def _slug(publisher: str) -> str:
    return re.sub(r"\W+", "-", publisher.casefold()).strip("-")


def _digest(article: Article) -> str:
    return sha256(f"{article.title}\n{article.text}".encode("utf-8", "replace")).hexdigest()[:8]


def _file_exists(place: str, storages: Collection[str]) -> bool:
    """Return whether a file, or the packed file it was a member of, still exists.

    A file on a storage that isn't one of `storages` is taken to exist.
    """
    path = place.partition(":")[2]
    if is_storage_address(path):
        from ingest.storage.files import stored_file_exists

        file = split_storage_place(path)[0]
        return storage_of(file) not in storages or stored_file_exists(file)
    for end in (len(path), *(match.start() for match in re.finditer("[!#]", path))):
        try:
            if path_of(path[:end]).is_file():
                return True
        except (OSError, ValueError):
            continue
    return False
