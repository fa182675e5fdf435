"""Ingest pipeline: adds new articles, skips unchanged ones, reports rejects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from ingest import batching
from ingest.pipeline import ingest
from ingest.report import IngestReport, Progress
from rag.archive.archive import AddResult
from rag.schema import Access, Article, Span
from rag.store.articles import content_hash

SHARED = Path(__file__).parents[3] / "shared" / "data"
TEXT = "A crane fell on the pier of Velsund on Tuesday. Nobody was hurt."


@dataclass
class WordTokens:
    """Words are tokens."""

    max_tokens: int = 60

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(re.findall(r"\w+|[^\w\s]", text)) + 2 for text in texts]


class DictArchive:
    """An archive in a dictionary that records its batches."""

    def __init__(self) -> None:
        self.embeddings = WordTokens()
        self.held: dict[str, tuple[Article, tuple[Span, ...]]] = {}
        self.seen: dict[str, frozenset[str]] = {}
        self.withdrawn: dict[str, str] = {}
        self.batches: list[int] = []

    def content_hashes(self, article_ids: Iterable[str]) -> dict[str, frozenset[str]]:
        return {i: self.seen[i] for i in article_ids if i in self.seen}

    def article(self, article_id: str, *, access: Access) -> Article | None:
        return self.held[article_id][0] if article_id in self.held else None

    def withdraw(self, article_ids: Iterable[str], *, reason: str = "") -> int:
        gone = [i for i in article_ids if i not in self.withdrawn]
        self.withdrawn |= dict.fromkeys(gone, reason)
        self.held = {i: held for i, held in self.held.items() if i not in self.withdrawn}
        self.seen = {i: marks for i, marks in self.seen.items() if i not in self.withdrawn}
        return len(gone)

    def add(self, batch: Iterable[tuple[Article, Sequence[Span]]]) -> AddResult:
        entries = [(article, tuple(spans)) for article, spans in batch]
        self.batches.append(len(entries))
        report = AddResult(0, 0, 0, 0)
        for article, spans in entries:
            if article.id in self.withdrawn:
                report += AddResult(0, 0, 0, 0, withdrawn=1)
                continue
            changed = article.id in self.held
            report += AddResult(not changed, changed, 0, len(spans))
            self.held[article.id] = (article, spans)
            self.seen[article.id] = self.seen.get(article.id, frozenset()) | {content_hash(article)}
        return report

    def passages(self) -> list[str]:
        return [a.text[s.start : s.end] for a, spans in self.held.values() for s in spans]


def json_line(number: int, text: str = TEXT, **more: Any) -> str:
    return json.dumps({"id": f"crane-{number}", "title": "Crane falls", "text": text, **more})


def counts(report: IngestReport) -> tuple[int, int, int, int]:
    return report.new, report.changed, report.unchanged, report.rejected


def test_new_articles_are_added_then_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json_line(n) for n in range(3)), "utf-8")
    target = DictArchive()
    report = ingest(target, [path])
    assert counts(report) == (3, 0, 0, 0)
    assert report.passages == 3
    assert counts(ingest(target, [path])) == (0, 0, 3, 0)
    assert target.batches == [3]


def test_changed_article_is_added_again(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    target = DictArchive()
    path.write_text(json_line(1) + "\n" + json_line(2), "utf-8")
    ingest(target, [path])
    path.write_text(json_line(1, TEXT + " It was old.") + "\n" + json_line(2), "utf-8")
    assert counts(ingest(target, [path])) == (0, 1, 1, 0)


def test_duplicate_in_one_run_is_added_once(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json_line(1) + "\n" + json_line(1), "utf-8")
    assert counts(ingest(DictArchive(), [path])) == (1, 0, 1, 0)


def test_rejects_are_reported_and_the_rest_is_added(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        "\n".join([json_line(1), "{broken", json_line(2, text=""), json_line(3)]), "utf-8"
    )
    told: list[dict[str, str]] = []
    report = ingest(DictArchive(), [path, tmp_path / "missing"], on_reject=told.append)
    assert counts(report) == (2, 0, 0, 3)
    assert [reject["place"] for reject in told] == [
        f"{path}:2",
        f"{path}:3",
        str(tmp_path / "missing"),
    ]
    assert all(json.dumps(reject) and "\n" not in reject["reason"] for reject in told)


def test_unreadable_dates_and_zones_are_reported_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    dates = ["24 Oct 2024 18:30 XQT", "some day soon", "2024-10-24"]
    path.write_text(
        "\n".join(json_line(n, published=date) for n, date in enumerate(dates)), "utf-8"
    )
    target, told = DictArchive(), list[dict[str, str]]()
    report = ingest(target, [path], on_notice=told.append)
    assert (report.new, report.rejected, report.notices) == (3, 0, 2)
    assert [notice["place"] for notice in told] == [f"{path}:1", f"{path}:2"]
    assert "unknown time zone 'XQT'" in told[0]["notice"]
    assert "'some day soon' is not a date" in told[1]["notice"]
    assert {type(article) for article, _ in target.held.values()} == {Article}


def test_batches_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "BATCH_ARTICLES", 4)
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json_line(n) for n in range(10)), "utf-8")
    target = DictArchive()
    ingest(target, [path])
    assert target.batches == [4, 4, 2]


def test_progress_grows_to_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "BATCH_ARTICLES", 2)
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json_line(n) for n in range(6)), "utf-8")
    told: list[Progress] = []
    report = ingest(DictArchive(), [path], on_progress=told.append)
    assert [t.report.new for t in told] == [2, 4, 6, 6]
    assert told[-1].done == told[-1].total == path.stat().st_size
    assert replace(told[-1].report, seconds=0.0) == replace(report, seconds=0.0)


def test_empty_ingest_gives_a_report(tmp_path: Path) -> None:
    assert counts(ingest(DictArchive(), [])) == (0, 0, 0, 0)
    assert counts(ingest(DictArchive(), [tmp_path])) == (0, 0, 0, 1)


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/data")
def test_scraped_page_has_no_boilerplate_in_passages() -> None:
    target = DictArchive()
    assert counts(ingest(target, [SHARED / "seed"])) == (1, 0, 0, 0)
    passages = target.passages()
    assert any("“I don’t think we are in a position" in passage for passage in passages)
    assert any("“South Korea will not sit idle,” Yoon said" in passage for passage in passages)
    litter = "LEAVE A REPLY|Share post|Popular|Related|Subscribe|More like|Date:|enter your"
    assert not any(re.search(litter, passage) for passage in passages)
    assert all(passage[-1] in ".”" for passage in passages)
