"""Every file of an archive's folder, cut, emptied, zeroed or gone: an index is mended on the
next opening, and the record's loss is told in one line with the way out."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings

from rag.archive.archive import Archive
from rag.archive.doctor import find_problems, repair_archive
from rag.errors import ArchiveDamagedError
from rag.schema import Article, Span
from tests.support.processes import Process
from ui import cli

pytestmark = pytest.mark.slow

ARTICLES = 600  # two passages each: beyond 1,000, Chroma writes its vectors into files
TEXT = "The ferry {n} left the harbour. Its captain saw whale {n} at dawn."


class NumberEmbeddings(Embeddings):
    """Each text is a point in sixteen dimensions, by the numbers in it."""

    name = "numbered"

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        seed = sum(int(word) for word in text.replace(".", "").split() if word.isdecimal())
        vector: list[float] = np.random.default_rng(seed + len(text)).normal(size=16).tolist()
        return vector


def numbered_article(n: int) -> tuple[Article, list[Span]]:
    article = Article(id=f"paper.example/{n}", title=f"Ferry {n}", text=TEXT.format(n=n))
    middle = article.text.index(". ") + 1
    return article, [Span(0, middle), Span(middle + 1, len(article.text))]


PUT_IN_LOG = 40  # articles that are only in the WAL, each added by itself


def _exit_after_adding(folder: Path) -> None:
    with Archive.open(folder, mode="write", embeddings=NumberEmbeddings()) as archive:
        for n in range(PUT_IN_LOG):
            archive.add([numbered_article(n)])
        os._exit(1)  # each was acknowledged, and no checkpoint has run


@pytest.fixture(scope="module")
def killed_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive whose writer was killed: -wal and -shm exist, and the WAL has most of the data."""
    folder = tmp_path_factory.mktemp("killed") / "archive"
    Archive.open(folder, mode="write", embeddings=NumberEmbeddings()).close()
    process = Process(target=_exit_after_adding, args=(folder,))
    process.start()
    process.join(60)
    assert (folder / "archive.sqlite-wal").stat().st_size > 100_000
    assert (folder / "archive.sqlite-shm").exists()
    return folder


@pytest.fixture(scope="module")
def sound_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound") / "archive"
    with Archive.open(folder, mode="write", embeddings=NumberEmbeddings()) as archive:
        archive.add(numbered_article(n) for n in range(ARTICLES - 10))
        archive.add(numbered_article(n) for n in range(ARTICLES - 10, ARTICLES))
        archive.delete(["paper.example/7"])
    return folder


def _delete(file: Path) -> None:
    file.unlink()


def _truncate_to_zero(file: Path) -> None:
    file.write_bytes(b"")


def _halve(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])


def _fill_with_zeros(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


DAMAGES = [_delete, _truncate_to_zero, _halve, _fill_with_zeros]


def files_by_kind(folder: Path) -> dict[str, Path]:
    """Return one file of each kind, without names that are random."""
    found: dict[str, Path] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        top = path.relative_to(folder).parts[0]
        found[f"{top}/{path.suffix if len(path.stem) >= 32 else path.name}"] = path
    return found


@pytest.mark.parametrize(
    "damage", [DAMAGES[0], *(pytest.param(each, marks=pytest.mark.full) for each in DAMAGES[1:])]
)
def test_damaged_index_file_is_repaired_on_open(
    sound_archive: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    broken = []
    of_words = {
        name: path
        for name, path in files_by_kind(sound_archive).items()
        if name.startswith("lexical")
    }
    others = {
        name: path
        for name, path in files_by_kind(sound_archive).items()
        if not name.startswith(("lexical", "archive.sqlite"))
    }
    for name, other in itertools.zip_longest(of_words, others):  # a file of each index at a time
        folder = tmp_path / "archive"
        shutil.copytree(sound_archive, folder)
        for path in filter(None, (of_words.get(name), others.get(other))):
            damage(folder / path.relative_to(sound_archive))
        try:
            with Archive.open(folder, embeddings=NumberEmbeddings()) as archive:
                hits = archive.search(
                    "Ferry 500\nThe ferry 500 left the harbour.", 3, mode="vector"
                )
                words = archive.search("whale 500", 3, mode="bm25")
                problems = find_problems(archive)
            right = hits[0].passage.article_id == words[0].passage.article_id == "paper.example/500"
            if not right or problems:
                broken.append((name, other, right, problems))
        except Exception as error:
            broken.append((name, other, error))
        shutil.rmtree(folder)
    assert broken == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_lost_database_is_a_one_line_error(
    sound_archive: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    folder = tmp_path / "archive"
    shutil.copytree(sound_archive, folder)
    damage(folder / "archive.sqlite")
    held = (folder / "archive.sqlite").read_bytes() if damage is not _delete else b""
    for mode in ("read", "write"):
        with pytest.raises(ArchiveDamagedError, match=r"^[^\n]*backfile restore[^\n]*$"):
            Archive.open(folder, mode=mode, embeddings=NumberEmbeddings())  # type: ignore[arg-type]
    if damage is _delete:
        assert not (folder / "archive.sqlite").exists()
    else:
        assert (folder / "archive.sqlite").read_bytes() == held  # no empty database replaces it


@pytest.mark.parametrize("mode", ["read", "write"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_lost_wal_is_reported_before_any_change(
    killed_archive: Path, tmp_path: Path, damage: Callable[[Path], None], mode: str
) -> None:
    folder = tmp_path / "archive"
    shutil.copytree(killed_archive, folder)
    damage(folder / "archive.sqlite-wal")
    for _ in range(2):  # a second look reports it again
        with pytest.raises(
            ArchiveDamagedError,
            match=r"^[^\n]* changes? \d+ [^\n]* missing from the database"
            r"[^\n]*doctor --repair[^\n]*$",
        ):
            Archive.open(folder, mode=mode, embeddings=NumberEmbeddings())  # type: ignore[arg-type]
    with Archive.open(folder, embeddings=NumberEmbeddings(), on_data_loss="accept") as archive:
        left = {article.id for article in archive.articles()}
        (lost,) = find_problems(archive)
        assert lost.count == PUT_IN_LOG - len(left)
    with Archive.open(
        folder, mode="write", embeddings=NumberEmbeddings(), on_data_loss="accept"
    ) as archive:
        assert repair_archive(archive) == ()
    with Archive.open(folder, mode="write", embeddings=NumberEmbeddings()) as archive:
        report = archive.add(numbered_article(n) for n in range(PUT_IN_LOG))
        assert (report.new, report.unchanged) == (PUT_IN_LOG - len(left), len(left))
        assert find_problems(archive) == ()


@pytest.mark.parametrize("damage", DAMAGES)
def test_lost_shm_file_is_recreated(
    killed_archive: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    folder = tmp_path / "archive"
    shutil.copytree(killed_archive, folder)
    damage(folder / "archive.sqlite-shm")
    with Archive.open(folder, embeddings=NumberEmbeddings()) as archive:
        assert archive.count().articles == PUT_IN_LOG
        assert find_problems(archive) == ()


@pytest.mark.parametrize("damage", DAMAGES)
def test_lost_database_beside_its_wal_is_reported(
    killed_archive: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    folder = tmp_path / "archive"
    shutil.copytree(killed_archive, folder)
    damage(folder / "archive.sqlite")
    if damage is _fill_with_zeros:  # the WAL has only some of the pages
        damage(folder / "archive.sqlite-wal")
    for mode in ("read", "write"):
        with pytest.raises(ArchiveDamagedError, match=r"^[^\n]*backfile restore[^\n]*$"):
            Archive.open(folder, mode=mode, embeddings=NumberEmbeddings())  # type: ignore[arg-type]


def test_search_on_damaged_database_page_reports_it(sound_archive: Path, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    shutil.copytree(sound_archive, folder)
    data = bytearray((folder / "archive.sqlite").read_bytes())
    data[4096 * 8 :] = b"\xee" * (len(data) - 4096 * 8)
    (folder / "archive.sqlite").write_bytes(data)
    for words in (["search", "whale"], ["status"], ["export", "-"]):
        assert cli.main([*words, "--archive", str(folder)]) == 1


def test_commands_report_lost_changes_until_repaired(
    killed_archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "archive"
    shutil.copytree(killed_archive, folder)
    (folder / "archive.sqlite-wal").unlink()
    for words in (["status"], ["search", "whale"]):
        assert cli.main([*words, "--archive", str(folder)]) == 1
        assert (
            "are missing from the database, though the indexes contain them"
            in capsys.readouterr().err
        )
    assert cli.main(["doctor", "--archive", str(folder)]) == 1
    assert "store: changes 1 to 40 are missing" in capsys.readouterr().out
    assert cli.main(["doctor", "--repair", "--archive", str(folder)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out == [
        "accepted: store: changes 1 to 40 are missing from the database, "
        "though the indexes contain them",
        "no problems: 0 articles, 0 passages; the database and all indexes agree",
    ]
    assert cli.main(["status", "--archive", str(folder)]) == 0
