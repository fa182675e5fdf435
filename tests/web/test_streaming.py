"""What the server sends while an answer is written."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from gradio.utils import diff  # what Gradio sends of a value that grows

from tests.support.fakes import small_archive
from tests.support.sessions import run_question
from tests.web.page_events import page_of
from ui.web.state import Session


def test_growing_answer_sends_each_part_once(tmp_path: Path) -> None:
    with small_archive(tmp_path / "archive") as archive:
        page = page_of(archive)
        asked = run_question(archive, Session(), "What of the apples and the growers?")[-1]
        whole = run_question(archive, asked, "What of the bridge, repairs and ferries?")[-1]
        *before, last = whole.turns
        growing = []
        for count in range(1, len(last.answer.statements) + 1):
            answer = replace(last.answer, statements=last.answer.statements[:count])
            growing.append(replace(last, answer=answer, progress="growing"))
        shown = [page.show_progress(whole.with_turns([*before, turn])) for turn in growing]
    for part in (page.on.thread, page.on.evidence):
        written = [update[part] for update in shown]
        sent = "".join(str(diff(old, new)) for old, new in pairwise(written))
        assert "a third fewer" in str(written[0])
        assert "a third fewer" not in sent
    written = [update[page.on.thread] for update in shown]
    sent = "".join(str(diff(old, new)) for old, new in pairwise(written))
    assert "closed on Monday" in str(written[0])
    assert "closed on Monday" not in sent
    for said in ("repairs would take", "Ferries run every"):
        assert sent.count(said) == str(written[-1]).count(said) > 0
