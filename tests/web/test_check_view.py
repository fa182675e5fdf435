"""The view that checks a draft: limits, stopping, escaping, rights, exports and quotas."""

from __future__ import annotations

import base64
import html
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rag.answer.check_text import LONGEST_TEXT
from rag.archive.archive import Archive
from rag.rights import Rights
from rag.settings import Settings
from tests.support.fakes import HARBOUR, WordEmbeddings, small_archive
from tests.web.page_events import event, page_of, sender, shown
from ui.accounts.audit import AuditLog
from ui.i18n import languages, texts_in
from ui.readers import Reader
from ui.web import draft_check
from ui.web.draft_check import NO_CHECK, DraftCheck, begin_check, run_check
from ui.web.events.check import CheckHandlers
from ui.web.quota import CHECKS_WAITING, PLACES, QUESTIONS, Quota
from ui.web.reader_view import ReaderView
from ui.web.state import Session
from ui.web.updates import PageUpdates
from ui.web.views.check import check_pieces

TRUE = "The harbour bridge was closed on Monday after the storm."
WRONG = "The harbour bridge was closed on Friday after the storm."
UNKNOWN = "Seven zebras were painted green at the Tolmar observatory in 1911."
DRAFT = f"{TRUE} {UNKNOWN}\n\nIs that all?"
HOSTILE = "<img src=x onerror=alert(1)> ${value} {{value}} [1] was \u202ereversed\u200b by Tolmar."
ENGLISH = texts_in("en")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with small_archive(tmp_path_factory.mktemp("check") / "archive") as opened:
        yield opened


@pytest.fixture(scope="module")
def page(archive: Archive) -> PageUpdates:
    return page_of(archive)


@pytest.fixture(scope="module")
def handlers(page: PageUpdates) -> CheckHandlers:
    return CheckHandlers(page)


def checked(page: PageUpdates, draft: str) -> DraftCheck:
    """Return the check of a draft, complete."""
    *_, last = run_check(page.view.chatbot, begin_check(draft, None), ENGLISH)
    assert last.progress == "done"
    return last


def begun(handlers: CheckHandlers, draft: str, day: str = "", check: DraftCheck = NO_CHECK) -> Any:
    updates = handlers.begin_check(Session(), check, draft, day)
    state = updates[handlers.page.on.check.check]
    return (state if isinstance(state, DraftCheck) else None), shown(updates)


def text_of(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", " ", markup))


def markup_of(check: DraftCheck, language: str = "en") -> str:
    return "".join("".join(pieces) for pieces in check_pieces(check, texts_in(language)))


def test_check_shows_each_sentence_in_order_with_its_outcome(page: PageUpdates) -> None:
    markup = markup_of(checked(page, DRAFT))
    items = re.findall(r"<li class=\"bf-sentence ([^\"]*)\".*?</li>", markup, re.DOTALL)
    assert [item.split()[0] for item in items] == ["bf-is-supported", "bf-is-missing", "bf-is-none"]
    assert "bf-paragraph" in items[2]
    words = text_of(markup)
    assert words.index(TRUE) < words.index(UNKNOWN) < words.index("Is that all?")
    for said in ("Supported", "Not in the archive", "No claim to check", "3", "1 passage"):
        assert said in words
    assert f'data-open="a/{HARBOUR.id.replace("/", "%2F")}' in html.unescape(markup)


def test_waiting_check_shows_the_whole_draft(page: PageUpdates) -> None:
    check = begin_check(DRAFT, None)
    assert markup_of(check).count("<li class") == 3
    assert "Waiting for other checks" in text_of(markup_of(check))
    first = next(run_check(page.view.chatbot, check, ENGLISH))
    assert "0 of 3 sentences" in text_of(markup_of(first))


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("draft", ["", " \n\t ", "a" * (LONGEST_TEXT + 1)])
def test_draft_that_is_empty_or_too_long_is_not_checked(
    handlers: CheckHandlers, draft: str, language: str
) -> None:
    view = handlers.page.on.check
    updates = handlers.begin_check(Session(language=language), NO_CHECK, draft, "")
    assert view.checked not in updates
    assert not isinstance(updates[view.check], DraftCheck)
    texts = texts_in(language)
    expected = texts("check_too_long", most=texts.number(LONGEST_TEXT)) if draft.strip() else ""
    assert (expected or texts("check_empty")) in text_of(updates[view.problem])
    assert begun(handlers, "a" * LONGEST_TEXT)[0] is not None


@pytest.mark.parametrize("day", ["fnord", "2024-13-45", "10/11/2024", "9" * 5000, "<b>1</b>"])
def test_bad_day_is_said_and_nothing_is_checked(handlers: CheckHandlers, day: str) -> None:
    state, updates = begun(handlers, DRAFT, day)
    assert state is None
    assert "bf-checked" not in updates
    assert (
        html.unescape(re.search(r'data-wrong="([^"]*)"', updates["bf-check-problem"])[1])
        == (  # type: ignore[index]
            day[: draft_check.LONGEST_DAY]
        )
    )
    assert "<b>" not in updates["bf-check-problem"]


def test_day_of_the_draft_is_read(handlers: CheckHandlers) -> None:
    state, _ = begun(handlers, DRAFT, " 2024-10-24 ")
    assert state is not None
    assert state.written_on == date(2024, 10, 24)


def test_archive_without_articles_says_so(tmp_path: Path) -> None:
    with small_archive(tmp_path / "archive", []) as empty:
        handlers = CheckHandlers(page_of(empty))
        opened = shown(handlers.open_check(Session(), NO_CHECK))
        state, updates = begun(handlers, DRAFT)
    for told in (opened, updates):
        assert "There are no articles" in text_of(told["bf-check-problem"])
    assert state is None


def test_stopped_check_keeps_what_it_found(page: PageUpdates) -> None:
    check = begin_check(f"{TRUE} {UNKNOWN} {TRUE}", None)
    found = run_check(page.view.chatbot, check, ENGLISH)
    growing = next(found)
    growing = replace(growing, checked=checked(page, TRUE).checked)
    stopped = draft_check.stop_check(growing)
    assert list(found) == []
    markup = markup_of(stopped)
    assert [one.outcome for one in stopped.result.sentences] == [
        "supported",
        "not checked",
        "not checked",
    ]
    assert "The check was stopped." in text_of(markup)
    assert UNKNOWN in text_of(markup)


def test_check_that_nobody_waits_for_ends(page: PageUpdates) -> None:
    check = begin_check(DRAFT, None)
    assert check.finished is not None
    run = run_check(page.view.chatbot, check, ENGLISH)
    next(run)
    run.close()  # type: ignore[attr-defined]
    assert check.finished.is_set()
    ended = draft_check.finish_check(replace(check, progress="growing"))
    assert ended.progress == "stopped"
    assert list(run_check(page.view.chatbot, ended, ENGLISH)) == []


def test_check_that_fails_says_why(page: PageUpdates, monkeypatch: pytest.MonkeyPatch) -> None:
    day = date(1000, 1, 1)  # outside the years that an archive accepts
    *_, last = run_check(page.view.chatbot, begin_check(DRAFT, day), ENGLISH)
    assert last.progress == "stopped"
    assert "The check ended early" in text_of(markup_of(last))
    assert UNKNOWN in text_of(markup_of(last))


@pytest.mark.parametrize("wrap", ["{}", "# {}", "- {}", '"{}"'])
def test_draft_is_shown_as_text(page: PageUpdates, wrap: str) -> None:
    for check in (checked(page, wrap.format(HOSTILE)), begin_check(wrap.format(HOSTILE), None)):
        markup = markup_of(check)
        for risky in ("<img", "${value}", "{{value}}", "\u202e", "\u200b", "[1]"):
            assert risky not in markup
            assert risky not in text_of(markup) or risky in ("<img", "${value}", "{{value}}")
        assert "<img src=x" in html.unescape(markup)


def test_withdrawn_article_disappears_from_exports_and_the_view(tmp_path: Path) -> None:
    with small_archive(tmp_path / "archive") as archive:
        handlers = CheckHandlers(page_of(archive))
        check = checked(handlers.page, TRUE)
        assert HARBOUR.title in text_of(markup_of(check))
        with Archive.open(archive.path, mode="write", embeddings=WordEmbeddings()) as writer:
            writer.withdraw([HARBOUR.id], reason="wrong")
        copied = handlers.copy_check(Session(), check)
        opened = shown(handlers.open_check(Session(), check))
        saved = handlers.save_check(Session(), check, event(form="markdown"))
    told = [str(copied), "".join("".join(one) for one in opened["bf-checked"]), str(saved)]
    told[2] = base64.b64decode(saved["base64"]).decode()  # type: ignore[index]
    for text in told:
        assert HARBOUR.title not in text_of(text)
        assert "Not checked" in text_of(text)


def test_reader_sees_only_what_they_may(archive: Archive, page: PageUpdates) -> None:
    from gradio.context import LocalContext

    view = ReaderView(archive, page.view.whole_chatbot, lambda: True)
    restricted = CheckHandlers(replace(page, view=view))
    request = sender()
    request.request.state.reader = Reader(
        "user:ada", frozenset({"read"}), Rights(publishers=("Orchard Gazette",))
    )
    token = LocalContext.request.set(request)
    try:
        shown_to_all = restricted.current(checked(page, TRUE))
    finally:
        LocalContext.request.reset(token)
    assert shown_to_all.checked[0].citations == ()
    assert shown_to_all.checked[0].outcome == "not checked"


def test_check_is_audited_without_the_draft(archive: Archive, tmp_path: Path) -> None:
    settings = Settings(archive=tmp_path, audit="questions")
    page = page_of(archive)
    page = replace(page, view=replace(page.view, audit=AuditLog.of(settings)))
    handlers = CheckHandlers(page)
    list(handlers.stream_check(Session(), begin_check(f"{TRUE} Zanzibarquux.", None)))
    written = "".join(file.read_text() for file in tmp_path.rglob("audit*"))
    assert '"check"' in written
    assert "harbour" not in written.lower()
    assert "zanzibar" not in written.lower()


@pytest.mark.parametrize("form", ["markdown", "word", "pdf"])
def test_export_has_the_sentences_and_their_passages(handlers: CheckHandlers, form: str) -> None:
    check = checked(handlers.page, f"{DRAFT} {HOSTILE}")
    payload = handlers.save_check(Session(), check, event(form=form))
    assert payload is not None
    content = base64.b64decode(payload["base64"])
    assert payload["name"].startswith("checked-draft.")
    if form == "word":
        with zipfile.ZipFile(io.BytesIO(content)) as word:
            text = html.unescape(word.read("word/document.xml").decode())
    elif form == "markdown":
        text = content.decode()
        assert "\\<img" in text
        assert re.search(r"(?<!\\)<img", text) is None
    else:
        assert content.startswith(b"%PDF")
        return
    for part in (
        "Checked draft",
        "closed on Monday",
        "Harbour bridge closed",
        "Not in the archive",
    ):
        assert part in text.replace("\\", "")
    assert "\u202e" not in text


@pytest.mark.parametrize("form", ["exe", "", None, 7])
def test_unknown_form_is_ignored(handlers: CheckHandlers, form: object) -> None:
    check = checked(handlers.page, TRUE)
    assert handlers.save_check(Session(), check, event(form=form)) is None
    assert handlers.save_check(Session(), NO_CHECK, event(form="word")) is None
    assert handlers.copy_check(Session(), begin_check(TRUE, None)) is None


def test_second_check_is_not_begun_while_one_is_in_progress(handlers: CheckHandlers) -> None:
    waiting, _ = begun(handlers, DRAFT)
    state, updates = begun(handlers, TRUE, check=waiting)
    assert state is None
    assert updates == {}


class Waiting:
    """A queue in which as many events of each group wait as the test says."""

    def __init__(self, **waiting: int) -> None:
        self.counts = waiting

    def is_under_way(self, event_id: str) -> bool:
        return True

    def is_unread(self, session: str, event_id: str) -> bool:
        return False

    def waiting(self, group: str) -> int:
        return self.counts.get(group, 0)

    def drop_messages(self, session: str) -> None: ...

    def drop(self, session: str) -> None: ...


def test_check_takes_the_places_of_several_questions() -> None:
    quota = Quota(Waiting())
    assert PLACES["checking"] > PLACES["asking"]
    assert quota.rejection_reason("a", "begin_checking") == ""
    quota.add_event("a", "s", "e1", "checking")
    assert quota.rejection_reason("a", "checking") == "busy"
    assert quota.rejection_reason("a", "begin_checking") == "busy"
    assert quota.rejection_reason("b", "begin_checking") == ""
    for number in range(QUESTIONS - PLACES["checking"]):
        assert quota.rejection_reason("a", "asking") == ""
        quota.add_event("a", "s", f"q{number}", "asking")
    assert quota.rejection_reason("a", "begin") == "busy"


def test_check_that_has_no_id_yet_is_counted() -> None:
    quota = Quota(Waiting())
    with quota.reserve_place("a", "checking"):
        assert quota.rejection_reason("a", "checking") == "busy"
    assert quota.rejection_reason("a", "checking") == ""


def test_waiting_checks_do_not_keep_questions_out() -> None:
    quota = Quota(Waiting(checking=CHECKS_WAITING))
    assert quota.rejection_reason("a", "begin_checking") == "full"
    assert quota.rejection_reason("a", "begin") == ""


def test_opened_view_leaves_a_problem_and_a_begun_check_alone(handlers: CheckHandlers) -> None:
    done = checked(handlers.page, TRUE)
    for check in (NO_CHECK, begin_check(DRAFT, None), done):
        assert shown(handlers.open_check(Session(), check)).keys() == {
            "bf-check-head-words",
            "bf-check-end",
        }
