"""Twenty people who ask at the same time, each of whom gets their own answer."""

from __future__ import annotations

import html
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path
from threading import Barrier
from urllib.parse import unquote

import pytest

from rag.settings import Settings
from tests.attacks.server import Visit, open_client
from tests.support.commands import run
from ui import opening
from ui.web.app import Served, start

PEOPLE = 20


def ask_at_once(served: Served, number: int, question: str, ready: Barrier) -> str:
    """Open the page from an address of one's own, ask when all are ready; return the thread."""
    with open_client(served, source=f"127.0.5.{number + 1}") as asking:
        visit = Visit(served, asking)
        visit.load().raise_for_status()
        ready.wait(120)
        assert visit.ask(question)["success"]
        shown = visit.run(visit.index("show_finished")).raise_for_status().json()["data"]
        pieces = next(value for value in shown if isinstance(value, list))
        return html.unescape("".join(chain(*pieces)))


def cited(thread: str) -> set[str]:
    return {unquote(one) for one in re.findall(r'data-address="a/([^"?]+)', thread)}


@pytest.mark.slow
@pytest.mark.usefixtures("real_model")
def test_twenty_people_at_once_get_their_own_answers(sample_archive: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(sample_archive, tmp_path / "archive")
    settings = Settings(archive=folder, port=0, write_access="none")
    with opening.open_chatbot(settings) as (archive, chatbot):
        titles = dict.fromkeys(article.title for article in archive.articles() if article.title)
        questions = [f"What is said about {title}?" for title in islice(titles, PEOPLE)]
        assert len(questions) == PEOPLE
        expected = [chatbot.ask(question) for question in questions]
        served = start(archive, chatbot, settings)
        try:
            ready = Barrier(PEOPLE)
            with ThreadPoolExecutor(PEOPLE) as people:
                threads = list(
                    people.map(
                        lambda pair: ask_at_once(served, pair[0], pair[1], ready),
                        enumerate(questions),
                    )
                )
        finally:
            served.close()
    for question, answer, thread in zip(questions, expected, threads, strict=True):
        assert thread.count('class="bf-turn"') == 1
        assert " ".join(question.split()) in thread
        assert 'data-progress="done"' in thread
        assert cited(thread) >= {one.metadata.article_id for one in answer.citations}
        others = [other for other in questions if other != question]
        assert not any(other in thread for other in others)
    assert sum(not answer.refused for answer in expected) >= PEOPLE // 2
    assert len({frozenset(cited(thread)) for thread in threads}) > PEOPLE // 2
    done = run("doctor", "--archive", folder)
    assert done.code == 0, done.stdout
