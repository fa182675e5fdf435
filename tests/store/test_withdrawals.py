"""Withdrawals: gone at once, rejected when added again, and erased from every byte on the disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from rag.archive.archive import Archive
from rag.archive.doctor import find_problems
from rag.schema import Article, Span
from rag.store.ingest_jobs import IngestJobs, Job, JobReject
from rag.store.withdrawals import Erasure, Withdrawals
from tests.support.fakes import ARTICLES, WordEmbeddings, small_archive
from tests.support.processes import Pipe, Process

pytestmark = pytest.mark.slow

SECRET = Article(
    id="paper.example/666",
    title="Quillfeather named in the Brambledown affair",
    text=(
        "Ottoline Quillfeather was seen at Brambledown with the missing ledgers. "
        "Her neighbours heard the xylophone until midnight."
    ),
    url="https://paper.example/666",
    authors=("Peregrine Outhwaite",),
)
FRAGMENTS = (
    *("Quillfeather", "quillfeath", "Brambledown", "brambledown", "xylophon", "missing ledgers"),
    "Outhwaite",
)


def make_article(number: int) -> Article:
    text = f"Mayor number{number} of town{number} spoke. They voted for bridge {number}."
    return Article(id=f"paper.example/{number}", title=f"Town {number}", text=text)


def in_two_passages(article: Article) -> tuple[Article, list[Span]]:
    middle = article.text.find(". ") + 1
    return article, [Span(0, middle), Span(middle + 1, len(article.text))]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(tmp_path / "archive", mode="write", embeddings=WordEmbeddings()) as opened:
        opened.add(in_two_passages(make_article(n)) for n in range(20))
        opened.add([in_two_passages(SECRET)])
        yield opened


def search_ids(archive: Archive, query: str = "Quillfeather at Brambledown") -> set[str]:
    hits = archive.search(query, 9, mode="vector") + archive.search(query, 9, mode="bm25")
    return {hit.passage.article_id for hit in hits}


def files_with(folder: Path, needle: bytes) -> list[str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return [str(path.relative_to(folder)) for path in files if needle in path.read_bytes()]


def vectors_of(archive: Archive, article_id: str) -> list[bytes]:
    return list(archive._store.known_vectors(article_id).values())


def test_withdrawn_article_is_gone_in_every_revision(
    archive: Archive,
) -> None:
    (hit, *_) = archive.search("Quillfeather", 1, mode="bm25")
    assert archive.withdraw([SECRET.id], reason="a court order") == 1
    assert SECRET.id not in search_ids(archive)
    assert archive.article(SECRET.id) is None
    assert archive.article(SECRET.id, revision=1) is None
    assert archive.surrounding_passages(hit.passage) == [hit.passage]
    assert archive.withdrawals([SECRET.id])[SECRET.id].reason == "a court order"


def test_withdrawn_article_stays_out_when_added_again(archive: Archive) -> None:
    archive.withdraw([SECRET.id])
    report = archive.add([in_two_passages(SECRET), in_two_passages(make_article(77))])
    assert (report.new, report.changed, report.withdrawn) == (1, 0, 1)
    assert SECRET.id not in search_ids(archive)


def test_second_withdrawal_keeps_its_day_and_updates_the_reason(archive: Archive) -> None:
    archive.withdraw([SECRET.id], reason="a letter")
    first = archive.withdrawals([SECRET.id])[SECRET.id]
    assert archive.withdraw([SECRET.id], reason="a court order") == 0
    again = archive.withdrawals([SECRET.id])[SECRET.id]
    assert (again.at, again.reason) == (first.at, "a court order")


def test_reinstated_article_is_found_again(archive: Archive) -> None:
    archive.withdraw([SECRET.id])
    assert archive.reinstate([SECRET.id]) == 1
    assert SECRET.id in search_ids(archive)
    article = archive.article(SECRET.id)
    assert article is not None
    assert (article.text, article.authors, article.revision) == (SECRET.text, SECRET.authors, 2)
    assert archive.add([in_two_passages(SECRET)]).unchanged == 1


def test_article_deleted_before_withdrawal_needs_adding_again(
    archive: Archive,
) -> None:
    archive.delete([SECRET.id])
    archive.withdraw([SECRET.id])
    assert archive.reinstate([SECRET.id]) == 0
    assert SECRET.id not in search_ids(archive)
    archive.add([in_two_passages(SECRET)])
    assert SECRET.id in search_ids(archive)


@pytest.mark.parametrize("withdrawn_before", [False, True])
def test_erased_article_is_in_no_byte_of_any_file(archive: Archive, withdrawn_before: bool) -> None:
    log = archive.path / "log.jsonl"
    kept = json.dumps({"event": "kept"})
    log.write_text(f"{json.dumps({'quoted': SECRET.title})}\n{kept}\n")
    earlier = SECRET.replace(text=f"{SECRET.text} Nobody asked the Xylophone.")
    archive.add([in_two_passages(earlier)])
    of_it = vectors_of(archive, SECRET.id)
    assert len(of_it) >= 3
    assert all(files_with(archive.path, vector) for vector in of_it)
    assert files_with(archive.path, b"Quillfeather")
    if withdrawn_before:
        archive.withdraw([SECRET.id])

    jobs = IngestJobs(archive.path)
    reject = JobReject("pages/1.html", f"not the same as {SECRET.title}")
    job = Job("1", "ed", "done", datetime.now(UTC), rejects=(reject,), failed=SECRET.text)
    assert jobs.add(job, "server", most=1) is None
    assert archive.erase([SECRET.id], reason="a court order")
    assert jobs.get("1") == replace(job, rejects=(), failed="")

    left = {f: files_with(archive.path, f.encode()) for f in FRAGMENTS}
    assert {fragment: files for fragment, files in left.items() if files} == {}
    assert [files for vector in of_it if (files := files_with(archive.path, vector))] == []
    assert log.read_text().splitlines()[1] == kept
    assert archive.withdrawals([SECRET.id])[SECRET.id].erased
    assert archive.count().articles == 20
    assert "paper.example/7" in search_ids(archive, "bridge 7")
    assert find_problems(archive) == ()


def test_log_lines_shared_with_other_articles_survive_erasure(archive: Archive) -> None:
    rights = "All rights are reserved by the Harbour Courier."
    for number, title in ((30, "Town 30"), (31, SECRET.title[:11]), (32, "Letters to the editor")):
        one = make_article(number)
        archive.add([in_two_passages(one.replace(title=title, text=f"{one.text} {rights}"))])
    secret = SECRET.replace(title="Letters to the editor", text=f"{SECRET.text} {rights}")
    archive.add([in_two_passages(secret)])
    said = [rights, "Letters to the editor", "Mayor number30 of town30 spoke."]
    gone = ["Her neighbours heard the xylophone until midnight", SECRET.url, SECRET.title]
    log = archive.path / "feedback.jsonl"
    log.write_text("".join(json.dumps({"quoted": text}) + "\n" for text in (*said, *gone)))
    assert archive.erase([SECRET.id])
    left = [json.loads(line) for line in log.read_text().splitlines()]
    assert left == [*({"quoted": text} for text in said), *[{"erased": True}] * len(gone)]


def test_erased_article_stays_out_until_reinstated(archive: Archive) -> None:
    archive.erase([SECRET.id])
    assert archive.add([in_two_passages(SECRET)]).withdrawn == 1
    assert archive.reinstate([SECRET.id]) == 0
    assert archive.add([in_two_passages(SECRET)]).new == 1
    assert SECRET.id in search_ids(archive)


def test_interrupted_erasure_is_finished_by_the_next_writer(archive: Archive) -> None:
    (vector, *_) = vectors_of(archive, SECRET.id)
    Withdrawals(archive._store).withdraw([SECRET.id], "", Erasure.BEGUN)  # the writer dies here
    archive.close()
    assert files_with(archive.path, vector)
    with Archive.open(archive.path, mode="write", embeddings=WordEmbeddings()) as again:
        assert not files_with(archive.path, vector)
        assert Withdrawals(again._store).unfinished() == []
        rows = again._store.database.connection.execute("SELECT erased FROM withdrawals")
        assert rows.fetchall() == [(Erasure.DONE,)]


def _search_until_told(path: Path, end: Connection) -> None:
    with Archive.open(path, embeddings=WordEmbeddings()) as reader:
        search_ids(reader)
        end.send("open")
        while not end.poll():
            assert "paper.example/7" in search_ids(reader, "bridge 7")
        end.recv()
        end.send((SECRET.id in search_ids(reader), len(reader.search("bridge", 60, mode="vector"))))


def test_reader_continues_through_an_erasure(archive: Archive) -> None:
    ours, theirs = Pipe()
    process = Process(target=_search_until_told, args=(archive.path, theirs))
    process.start()
    assert ours.recv() == "open"
    assert archive.erase([SECRET.id])
    ours.send("enough")
    assert ours.recv() == (False, 40)
    process.join(60)
    assert process.exitcode == 0


def test_article_named_twice_is_withdrawn_once(tmp_path: Path) -> None:
    small_archive(tmp_path / "archive").close()
    with Archive.open(tmp_path / "archive", mode="write", embeddings=WordEmbeddings()) as archive:
        twice = [ARTICLES[0].id] * 2
        assert archive.withdraw(twice) == 1
        assert archive.reinstate(twice) == 1
        assert archive.delete(twice) == 1
        assert archive.erase([ARTICLES[1].id] * 2)


def test_recent_withdrawals_are_newest_first(archive: Archive) -> None:
    withdrawals = Withdrawals(archive.store)
    for number in (3, 1, 2):
        archive.withdraw([f"paper.example/{number}"], reason=f"ruling {number}")
    archive.erase(["paper.example/1"])
    recent = withdrawals.recent(9)
    assert [one.article_id[-1] for one in recent] == ["2", "1", "3"]
    assert [(one.reason, one.erased) for one in recent][1] == ("ruling 1", True)
    assert [one.article_id[-1] for one in withdrawals.recent(1)] == ["2"]


def test_last_titles_are_those_of_the_last_revision(archive: Archive) -> None:
    town = make_article(4)
    archive.add(Article(id=town.id, title="Town 4, corrected", text=town.text))
    archive.withdraw([town.id, SECRET.id])
    archive.erase([SECRET.id])
    titles = Withdrawals(archive.store).last_titles([town.id, SECRET.id, "nobody"])
    assert titles == {town.id: "Town 4, corrected"}
