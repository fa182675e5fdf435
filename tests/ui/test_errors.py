"""Errors in the reader's language, by their codes."""

from __future__ import annotations

import ast
import html
import pickle
from pathlib import Path
from typing import Any

import httpx2
import pytest

from rag import RemoteArchive, errors
from rag.archive.archive import Archive
from rag.errors import BackfileError, QuestionTooLongError, SavedItemError
from rag.query.length_limit import check_length
from rag.query.parser import LONGEST_QUESTION
from rag.store.saved_names import LONGEST_NAME
from tests.support.fakes import WordEmbeddings, small_archive
from tests.ui.test_i18n import forms, messages, parameters, trees
from tests.web.page_events import page_of
from ui.i18n import error_text, languages, texts_in
from ui.i18n.errors import MESSAGES
from ui.web import run_turn
from ui.web.state import AskRequest, Session

GERMAN = texts_in("de")


def failure(action: Any, *given: Any, **named: Any) -> BackfileError:
    with pytest.raises(BackfileError) as caught:
        action(*given, **named)
    return caught.value


def test_every_code_has_a_message_with_its_parameters() -> None:
    found: dict[str, set[str]] = {}
    for node in (node for tree in trees("rag", "ingest", "ui/accounts") for node in ast.walk(tree)):
        if not isinstance(node, ast.Call) or not ast.unparse(node.func).endswith("Error"):
            continue
        given = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
        if isinstance(code := given.pop("code", None), ast.Constant):
            found[str(code.value)] = set(given)
    for error in vars(errors).values():
        if isinstance(error, type) and issubclass(error, BackfileError) and error.usual_code:
            found[error.usual_code] = set()
    found["index_damaged"] = set()
    assert found.keys() == MESSAGES.keys()
    for code, names in found.items():
        assert parameters(forms(messages("en")["", MESSAGES[code]])[0]) == names, code


@pytest.mark.parametrize("language", [one for one in languages() if one != "en"])
def test_errors_that_a_page_meets_are_translated(tmp_path: Path, language: str) -> None:
    texts = texts_in(language)
    with small_archive(tmp_path / "archive") as archive:
        saved = archive.saved
        saved.searches.add("Brücke", "bridge")
        found = [
            failure(saved.searches.add, "brücke", "harbour"),
            failure(saved.searches.add, "x" * (LONGEST_NAME + 1), "harbour"),
            failure(saved.searches.get, "no such"),
            failure(saved.searches.restore, "0" * 16),
            failure(saved.dossiers.get, "no such"),
            failure(check_length, "x" * (LONGEST_QUESTION + 1)),
            failure(Archive.open, tmp_path / "nowhere", embeddings=WordEmbeddings()),
        ]
        with Archive.open(archive.path, mode="write", embeddings=WordEmbeddings()):
            found.append(
                failure(
                    Archive.open, archive.path, mode="write", embeddings=WordEmbeddings(), wait=0
                )
            )
    for error in found:
        said = error_text(error, texts)
        assert said != str(error)
        assert error_text(error, texts_in("en")) == str(error)
        assert "{" not in said
    assert "brücke" in error_text(found[0], texts)
    assert texts.number(LONGEST_QUESTION) in error_text(found[5], texts)


def refusing(status: int, **given: Any) -> RemoteArchive:
    answer = httpx2.Response(status, **given)
    return RemoteArchive("http://archive.example", transport=httpx2.MockTransport(lambda _: answer))


def test_errors_of_a_remote_archive_are_translated() -> None:
    def unreachable(_: Any) -> Any:
        raise httpx2.ReadTimeout("too slow")

    slow = RemoteArchive("http://archive.example", transport=httpx2.MockTransport(unreachable))
    problem = {"status": 403, "detail": "Your token lacks the scope 'read'."}
    events = {"headers": {"content-type": "text/event-stream"}, "text": ": still at work\n\n"}
    found = [
        failure(RemoteArchive, "archive.example"),
        failure(slow.search, "bridge"),
        failure(refusing(200, text="<html>").search, "bridge"),
        failure(refusing(500, text="<html>").search, "bridge"),
        failure(refusing(403, json=problem).search, "bridge"),
        failure(refusing(404, json={**problem, "status": 404}).search, "bridge"),
        failure(list, refusing(200, **events).stream("bridge")),
    ]
    for error in found:
        assert error.code
        said = error_text(error, GERMAN)
        assert said != str(error)
        assert "{" not in said
    assert "archive.example" in error_text(found[1], GERMAN)
    assert problem["detail"] in error_text(found[4], GERMAN)


def test_failed_answer_is_in_the_readers_language(tmp_path: Path) -> None:
    with small_archive(tmp_path / "archive") as archive:
        page = page_of(archive)
        question = "x" * (LONGEST_QUESTION + 1)
        session = run_turn.begin_turn(Session(language="de"), AskRequest(question))
        *_, session = run_turn.run_turn(archive, page.view.chatbot, session)
        shown = page.show_progress(session)[page.on.thread]
    assert "Die Frage hat" in html.unescape("".join(shown[-1]))


def test_error_without_a_code_is_shown_as_it_is() -> None:
    said = "file.json:3: broken JSON"
    assert error_text(BackfileError(said), GERMAN) == said


def test_error_keeps_its_code_when_it_is_pickled() -> None:
    error = SavedItemError("There is already one.", code="name_taken", name="Bridge")
    back = pickle.loads(pickle.dumps(error))
    assert (str(back), back.code, back.params) == (str(error), "name_taken", {"name": "Bridge"})
    assert QuestionTooLongError("too long").code == ""
