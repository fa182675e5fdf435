"""Export and ingest: the archive comes back verbatim."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.export_format import from_record, to_record, write_jsonl, write_parquet
from ingest.pipeline import ingest
from ingest.readers import read
from rag.archive.archive import Archive
from rag.schema import Article
from tests.support.example_counts import example_count
from tests.support.fakes import ARTICLES, HARBOUR, WordEmbeddings, small_archive
from ui import cli

text = st.text(st.characters(exclude_categories=["Cs"]))
moment = st.datetimes(
    min_value=datetime(1600, 1, 1),  # noqa: DTZ001
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda n: timezone(timedelta(minutes=n))),
)
article = st.builds(
    Article,
    id=st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip),
    title=text,
    text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    publisher=text,
    url=text,
    authors=st.lists(text).map(tuple),
    published=st.none() | moment,
    updated=st.none() | moment,
    section=text,
    language=text,
    kind=text,
    slugline=text,
    urgency=st.none() | st.integers(1, 8),
    correction=text,
    access=text,
)


@settings(max_examples=example_count(50))
@given(article)
def test_article_round_trips_through_a_record(article: Article) -> None:
    assert from_record(json.loads(json.dumps(to_record(article)))) == article


HARD = (
    *ARTICLES,
    HARBOUR.replace(id="an-id-of-its-own", title="Same | The Harbour Courier", text="a\r\n\tb <p>"),
    Article(
        "x",
        "",
        "None",
        authors=("By Ada", "ada"),
        published=datetime(1999, 1, 1, 3, tzinfo=timezone(timedelta(hours=5, minutes=45))),
        updated=datetime(1999, 1, 1, tzinfo=UTC),
        urgency=3,
        correction="It was 4.",
        access="wire",
        slugline="US-X",
    ),
)


@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet"])
def test_exported_file_is_read_back_verbatim(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("jsonl"):
        with path.open("w", encoding="utf-8") as file:
            assert write_jsonl(HARD, file) == len(HARD)
    else:
        assert write_parquet(HARD, path) == len(HARD)
    assert tuple(read(path)) == HARD


def test_altered_exported_line_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text(json.dumps({**to_record(HARBOUR), "title": 7}) + "\n")
    (reject,) = read(path)
    assert "exported article" in getattr(reject, "reason", "")


def test_archive_with_revisions_survives_export_and_ingest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = replace(HARBOUR, text=HARBOUR.text + " It rained.")
    small_archive(tmp_path / "a").close()
    with Archive.open(tmp_path / "a", mode="write", embeddings=WordEmbeddings()) as archive:
        file = io.StringIO()
        write_jsonl([changed], file)
        (tmp_path / "changed.jsonl").write_text(file.getvalue(), encoding="utf-8")
        ingest(archive, [tmp_path / "changed.jsonl"])
        expected = [*archive.articles()]
    out = tmp_path / "out.jsonl"
    assert cli.main(["export", str(out), "--revisions", "--archive", str(tmp_path / "a")]) == 0
    assert cli.main(["export", str(out), "--archive", str(tmp_path / "a")]) == 1
    assert capsys.readouterr().out == f"exported: {len(ARTICLES) + 1} articles\n"
    with Archive.open(tmp_path / "b", mode="write", embeddings=WordEmbeddings()) as archive:
        report = ingest(archive, [out])
        assert (report.new, report.changed, report.rejected) == (len(ARTICLES), 1, 0)
        assert sorted(archive.articles(), key=str) == sorted(expected, key=str)
        first = archive.article(HARBOUR.id, revision=1)
        assert first == HARBOUR
        assert ingest(archive, [out]).unchanged == len(ARTICLES) + 1
