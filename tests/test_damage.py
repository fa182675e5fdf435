"""Every file of an archive's folder, cut, emptied, zeroed or gone: an index is mended on the
next opening, and the record's loss is told in one line with the way out."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings

from rag.archive import Archive
from rag.doctor import examine
from rag.errors import ArchiveDamagedError
from rag.schema import Article, Span

ARTICLES = 600  # two passages each: beyond 1,000, Chroma writes its vectors into files
TEXT = "The ferry {n} left the harbour. Its captain saw whale {n} at dawn."


class Numbered(Embeddings):
    """Each text is a point on a circle of sixteen dimensions, by the numbers that are in it."""

    name = "numbered"

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        seed = sum(int(word) for word in text.replace(".", "").split() if word.isdecimal())
        vector: list[float] = np.random.default_rng(seed + len(text)).normal(size=16).tolist()
        return vector


def numbered(n: int) -> tuple[Article, list[Span]]:
    article = Article(id=f"paper.example/{n}", title=f"Ferry {n}", text=TEXT.format(n=n))
    middle = article.text.index(". ") + 1
    return article, [Span(0, middle), Span(middle + 1, len(article.text))]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound") / "archive"
    with Archive.open(folder, mode="write", embeddings=Numbered()) as archive:
        archive.put(numbered(n) for n in range(ARTICLES - 10))
        archive.put(numbered(n) for n in range(ARTICLES - 10, ARTICLES))
        archive.remove(["paper.example/7"])
    return folder


def _missing(file: Path) -> None:
    file.unlink()


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _cut(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])


def _zeroed(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


DAMAGES = [_missing, _empty, _cut, _zeroed]


def kinds(folder: Path) -> dict[str, Path]:
    """The files of the archive, one of each kind: names that are drawn by chance left out."""
    found: dict[str, Path] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        top = path.relative_to(folder).parts[0]
        found[f"{top}/{path.suffix if len(path.stem) >= 32 else path.name}"] = path
    return found


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_file_of_an_index_is_mended_on_the_next_opening(
    sound: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    broken = []
    of_words = {name: path for name, path in kinds(sound).items() if name.startswith("lexical")}
    others = {
        name: path
        for name, path in kinds(sound).items()
        if not name.startswith(("lexical", "archive.sqlite"))
    }
    for name, other in itertools.zip_longest(of_words, others):  # a file of each index at a time
        folder = tmp_path / "archive"
        shutil.copytree(sound, folder)
        for path in filter(None, (of_words.get(name), others.get(other))):
            damage(folder / path.relative_to(sound))
        try:
            with Archive.open(folder, embeddings=Numbered()) as archive:
                hits = archive.dense("Ferry 500\nThe ferry 500 left the harbour.", 3)
                words = archive.lexical("whale 500", 3)
                problems = examine(archive)
            right = hits[0].passage.article_id == words[0].passage.article_id == "paper.example/500"
            if not right or problems:
                broken.append((name, other, right, problems))
        except Exception as error:
            broken.append((name, other, error))
        shutil.rmtree(folder)
    assert broken == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_loss_of_the_record_is_told_in_one_line(
    sound: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    folder = tmp_path / "archive"
    shutil.copytree(sound, folder)
    damage(folder / "archive.sqlite")
    held = (folder / "archive.sqlite").read_bytes() if damage is not _missing else b""
    for mode in ("read", "write"):
        with pytest.raises(ArchiveDamagedError, match=r"^[^\n]*backfile restore[^\n]*$"):
            Archive.open(folder, mode=mode, embeddings=Numbered())  # type: ignore[arg-type]
    if damage is _missing:
        assert not (folder / "archive.sqlite").exists()
    else:
        assert (folder / "archive.sqlite").read_bytes() == held  # not begun anew
