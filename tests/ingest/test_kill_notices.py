"""Kill notices: the publisher's article is withdrawn, whether it is here or comes later."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.ingest.test_identity import IngestHarness
from tests.readers.test_iptc import NINJS, g2, nitf

pytestmark = pytest.mark.slow

CANCELLED = json.dumps(NINJS | {"pubstatus": "canceled", "ednote": "KILL: the story is wrong"})


@pytest.fixture
def harness(tmp_path: Path) -> IngestHarness:
    return IngestHarness(tmp_path / "archive")


@pytest.mark.parametrize(
    ("usable", "kill"),
    [
        (json.dumps(NINJS), CANCELLED),
        (g2(), g2(status="canceled")),
        (nitf(), nitf('<ed-msg info="KILL: the story is wrong"/>')),
    ],
)
def test_killed_article_is_gone_and_stays_out(
    harness: IngestHarness, tmp_path: Path, usable: str, kill: str
) -> None:
    story, notice = tmp_path / "story", tmp_path / "notice"
    story.write_text(usable)
    notice.write_text(kill)
    assert harness.ingest(story) == (1, 0, 0, 0)
    with harness.open() as archive:
        (article,) = archive.articles()
    assert harness.ingest(notice) == (0, 0, 0, 0)
    assert harness.ids() == []
    assert harness.ingest(notice, story) == (0, 0, 1, 0)  # the notice again; the story stays out
    assert harness.ids() == []
    assert "withdrawn by its publisher" in withdrawal_reason(harness, article.id)


def test_kill_before_its_article_keeps_it_out(harness: IngestHarness, tmp_path: Path) -> None:
    (tmp_path / "story").write_text(json.dumps(NINJS))
    (tmp_path / "notice").write_text(CANCELLED)
    assert harness.ingest(tmp_path / "notice", tmp_path / "story") == (0, 0, 0, 0)
    assert harness.ids() == []


def test_dry_run_of_a_kill_withdraws_nothing(harness: IngestHarness, tmp_path: Path) -> None:
    (tmp_path / "story").write_text(json.dumps(NINJS))
    (tmp_path / "notice").write_text(CANCELLED)
    harness.ingest(tmp_path / "story")
    harness.dry_run(tmp_path / "notice")
    assert len(harness.ids()) == 1


@pytest.mark.parametrize("holder", ["Somebody", ""])
def test_kill_of_another_publishers_article_is_rejected(
    harness: IngestHarness, tmp_path: Path, holder: str
) -> None:
    record = {"id": NINJS["uri"], "title": "Crane falls", "text": "It fell.", "publisher": "Post"}
    (tmp_path / "a.jsonl").write_text(json.dumps(record))
    harness.ingest(tmp_path / "a.jsonl")
    notice = tmp_path / "notice"
    notice.write_text(json.dumps(json.loads(CANCELLED) | {"copyrightholder": holder}))
    assert harness.ingest(notice) == (0, 0, 0, 1)
    assert len(harness.ids()) == 1


def withdrawal_reason(harness: IngestHarness, article_id: str) -> str:
    with harness.open() as archive:
        return archive.withdrawals([article_id])[article_id].reason
