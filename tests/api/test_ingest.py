"""`POST /v1/ingest` and `/v1/jobs`: what is added, and jobs that outlive the server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.archive.doctor import find_problems
from rag.rights import ALL_RIGHTS, Rights
from rag.settings import Settings
from rag.store.ingest_jobs import SILENCE, IngestJobs, Job, JobState
from tests.api.conftest import Client
from tests.archive.test_archive import WordEmbeddings
from tests.support.fake_site import Page, serve_site
from ui.api.closing import Closing
from ui.api.ingest import _file_name
from ui.api.jobs import JobRunner, Sources
from ui.api.problems import ProblemError
from ui.api.services import Services
from ui.readers import LOCAL_ADMINISTRATOR, LOCAL_VISITOR, Reader

pytestmark = pytest.mark.slow

EDITOR = Reader("ed", frozenset({"read", "ingest"}), ALL_RIGHTS)
TOWER = b"""Tower of Velmora leans

The tower of Velmora has leaned since Monday, engineers of the town say.
It will be closed to visitors until the spring, and then be repaired.
"""
FERRY = {"id": "courier.example/ferry", "title": "Ferry", "text": "The ferry of Velmora sank."}


@pytest.fixture
def services(archive: Archive) -> Iterator[Services]:
    """The archive, open for reading, so that jobs may write."""
    archive.close()
    settings = Settings(archive=archive.path, fetch_allow="127.0.0.1", fetch_delay=0.0)
    with Archive.open(archive.path, embeddings=WordEmbeddings()) as reader:
        yield Services(reader, Chatbot(reader), settings)


@pytest.fixture
def editor(client_of: Client) -> TestClient:
    return client_of(EDITOR)


def _until(client: TestClient, job: dict[str, Any], done: Callable[[str], bool]) -> dict[str, Any]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found: dict[str, Any] = client.get(f"/v1/jobs/{job['id']}").json()
        if done(found["state"]):
            return found
        time.sleep(0.02)
    raise AssertionError(found)


def _end(client: TestClient, response: Any) -> dict[str, Any]:
    assert response.status_code == 202, response.text
    assert response.headers["location"] == f"/v1/jobs/{response.json()['id']}"
    return _until(client, response.json(), lambda state: state not in ("waiting", "running"))


def test_articles_are_added_and_found(editor: TestClient) -> None:
    job = _end(editor, editor.post("/v1/ingest", json={"articles": [FERRY]}))
    assert (job["state"], job["progress"], job["counts"]["new"]) == ("done", 1.0, 1)
    assert (
        editor.get("/v1/articles/courier.example/ferry").json()["article"]["text"] == FERRY["text"]
    )
    hits = editor.post("/v1/search", json={"query": "ferry Velmora", "mode": "bm25"}).json()["hits"]
    assert hits[0]["passage"]["article_id"] == "courier.example/ferry"
    changed = {**FERRY, "text": "The ferry of Velmora sank on Monday."}
    job = _end(editor, editor.post("/v1/ingest", json={"articles": [FERRY, changed]}))
    assert job["counts"]["changed"] == 1


def test_files_are_read_by_their_formats_and_rejects_named(
    editor: TestClient, services: Services
) -> None:
    files = [
        ("files", ("two.jsonl", b'{"id": "x.example/1", "text": "A tram."}\nnot json\n')),
        ("files", ("../../etc/page.txt", TOWER)),
    ]
    job = _end(editor, editor.post("/v1/ingest", files=files))
    assert job["state"] == "done"
    assert job["counts"]["rejected"] == len(job["rejects"]) == 1
    assert job["rejects"][0]["place"].startswith("two.jsonl")
    assert "--map" not in job["rejects"][0]["reason"]
    assert job["counts"]["new"] == 2
    assert "backfile-ingest-" not in str(job)
    assert not list(services.archive.path.glob("given/*/*"))


def test_addresses_are_fetched(editor: TestClient) -> None:
    text = "The mill of Osterholt burned down in the night to Monday. " * 5
    with serve_site() as site:
        page = f"<html><title>Mill burns</title><body><p>{text}</p></body></html>"
        site.pages["/mill"] = Page(page.encode())
        job = _end(editor, editor.post("/v1/ingest", json={"addresses": [site.url("/mill")]}))
    assert (job["state"], job["counts"]["new"]) == ("done", 1), job


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"json": {}}, 422),
        ({"json": {"articles": []}}, 422),
        ({"json": {"articles": [{"title": "no text"}]}}, 422),
        ({"json": {"addresses": ["file:///etc/passwd"]}}, 422),
        ({"json": {"addresses": ["/etc/passwd"]}}, 422),
        ({"json": {"folder": "/etc"}}, 422),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 422),
        ({"content": b"x", "headers": {"Content-Type": "text/plain"}}, 415),
        ({"files": [("other", ("a.txt", b"x"))]}, 422),
        ({"files": [("files", (f"{n}.txt", b"x")) for n in range(101)]}, 400),
        ({"json": {"articles": [FERRY]}, "headers": {"Idempotency-Key": "a b"}}, 422),
    ],
)
def test_invalid_requests_start_no_job(
    editor: TestClient, services: Services, request_: dict[str, Any], status: int
) -> None:
    response = editor.post("/v1/ingest", **request_)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert not IngestJobs(services.archive.path).exists


def test_same_key_starts_one_job(editor: TestClient, client_of: Client) -> None:
    sent = {"json": {"articles": [FERRY]}, "headers": {"Idempotency-Key": "key-1"}}
    first = editor.post("/v1/ingest", **sent).json()
    assert editor.post("/v1/ingest", **sent).json()["id"] == first["id"]
    other = {**sent, "json": {"articles": [{**FERRY, "text": "Something else."}]}}
    assert editor.post("/v1/ingest", **other).status_code == 422
    assert client_of(LOCAL_ADMINISTRATOR).post("/v1/ingest", **sent).json()["id"] != first["id"]


def _sources(folder: Path, text: str) -> Sources:
    folder.mkdir()
    (folder / "a.jsonl").write_text(text)
    return Sources(folder, (folder / "a.jsonl",), (), text)


@pytest.mark.parametrize("state", ["failed", "cancelled", "interrupted"])
def test_key_of_a_stopped_job_starts_another(
    services: Services, tmp_path: Path, state: JobState
) -> None:
    runner = JobRunner(services.archive, services.settings, Closing())
    text = '{"id": "a.example/1", "text": "A tram."}\n'
    job, _ = runner.submit("ed", _sources(tmp_path / "0", text), "key-1")
    runner.close()
    ended = replace(job, state=state, ended=datetime.now(UTC), failed="x" * (state == "failed"))
    IngestJobs(services.archive.path).save(ended)
    again = JobRunner(services.archive, services.settings, Closing())
    with pytest.raises(ProblemError, match="another request"):
        again.submit("ed", _sources(tmp_path / "1", "other"), "key-1")
    second, is_new = again.submit("ed", _sources(tmp_path / "2", text), "key-1")
    assert (is_new, second.id == job.id) == (True, False)
    until = time.monotonic() + 60
    while again.unfinished and time.monotonic() < until:
        time.sleep(0.02)
    third, is_new = again.submit("ed", _sources(tmp_path / "3", text), "key-1")
    assert (is_new, third.id, third.state) == (False, second.id, "done")
    again.close()
    kept = JobRunner(services.archive, services.settings, Closing())
    assert kept.submit("ed", _sources(tmp_path / "4", text), "key-1") == (third, False)
    assert not any(folder.exists() for folder in tmp_path.glob("[0-9]"))


def test_job_is_its_owners_and_the_administrators(editor: TestClient, client_of: Client) -> None:
    job = editor.post("/v1/ingest", json={"articles": [FERRY]}).json()
    path = f"/v1/jobs/{job['id']}"
    stranger = client_of(Reader("eve", EDITOR.scopes, ALL_RIGHTS))
    assert stranger.get(path).status_code == stranger.delete(path).status_code == 404
    assert client_of(LOCAL_ADMINISTRATOR).get(path).status_code == 200
    limited = Reader("jan", LOCAL_ADMINISTRATOR.scopes, Rights())  # rejects name any article
    assert client_of(limited).get(path).status_code == 404
    assert client_of(LOCAL_VISITOR).get(path).status_code == 403
    assert client_of(LOCAL_VISITOR).post("/v1/ingest", json={}).status_code == 403


def test_waiting_and_running_jobs_are_cancelled(editor: TestClient, archive: Archive) -> None:
    with Archive.open(archive.path, mode="write", embeddings=WordEmbeddings()):
        running = editor.post("/v1/ingest", json={"articles": [FERRY]}).json()
        waiting = editor.post("/v1/ingest", json={"articles": [FERRY]}).json()
        _until(editor, running, lambda state: state == "running")
        assert editor.delete(f"/v1/jobs/{waiting['id']}").json()["state"] == "cancelled"
        editor.delete(f"/v1/jobs/{running['id']}")
    ended = _until(editor, running, lambda state: state != "running")
    assert ended["state"] == "cancelled"
    assert editor.delete(f"/v1/jobs/{running['id']}").json() == ended
    assert editor.delete("/v1/jobs/none").status_code == 404


def test_reader_has_a_number_of_waiting_jobs(editor: TestClient, archive: Archive) -> None:
    with Archive.open(archive.path, mode="write", embeddings=WordEmbeddings()):
        sent = [editor.post("/v1/ingest", json={"articles": [FERRY]}) for _ in range(11)]
        assert [one.status_code for one in sent] == [202] * 10 + [429]
        assert sent[-1].headers["retry-after"]
        for one in sent[:10]:
            editor.delete(f"/v1/jobs/{one.json()['id']}")


def test_jobs_are_recorded_and_those_of_a_silent_server_interrupted(
    editor: TestClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = _end(
        editor,
        editor.post("/v1/ingest", json={"articles": [FERRY]}, headers={"Idempotency-Key": "key-1"}),
    )
    again = JobRunner(services.archive, services.settings, Closing())
    assert again.get(job["id"]) == Job.from_dict(job)
    record = IngestJobs(services.archive.path)
    lost = Job("0" * 16, "ed", "running", datetime.now(UTC))
    assert record.add(lost, "killed", most=1) is None
    assert again.get(lost.id) == lost  # it may still run
    monkeypatch.setattr("rag.store.ingest_jobs.SILENCE", -1.0)
    found = again.get(lost.id)
    assert found is not None
    assert found.state == "interrupted"
    assert SILENCE > 0
    assert record.add(replace(lost, id="1" * 16), "other", most=1) is None  # the lost one is over


def test_servers_of_an_archive_share_their_jobs(services: Services, tmp_path: Path) -> None:
    one, two = (JobRunner(services.archive, services.settings, Closing()) for _ in range(2))
    text = '{"id": "a.example/1", "text": "The tower of Velmora leans."}\n'
    with Archive.open(services.archive.path, mode="write", embeddings=WordEmbeddings()):
        first, _ = one.submit("ed", _sources(tmp_path / "0", text), "key-1")
        waiting, _ = one.submit("ed", _sources(tmp_path / "1", text))
        assert two.get(waiting.id) == waiting
        same, is_new = two.submit("ed", _sources(tmp_path / "2", text), "key-1")
        assert (same.id, is_new) == (first.id, False)
        with pytest.raises(ProblemError, match="another request"):
            two.submit("ed", _sources(tmp_path / "3", "{}"), "key-1")
        cancelled = two.cancel(waiting.id)
        assert cancelled is not None
        assert cancelled.state == "cancelled"
        assert one.get(waiting.id) == cancelled
        two.cancel(first.id)  # it runs, and waits for the writer
        until = time.monotonic() + 60
        while first.id not in one._cancelled and time.monotonic() < until:
            time.sleep(0.02)  # the writer stays until the first server has read the record
    until = time.monotonic() + 60
    while one.unfinished and time.monotonic() < until:
        time.sleep(0.02)
    ended = [two.get(job.id) for job in (first, waiting)]
    assert [job.state for job in ended if job] == ["cancelled", "cancelled"]
    assert services.archive.article("a.example/1") is None
    for runner in (one, two):
        runner.close()
    assert find_problems(services.archive) == ()
    assert not any(folder.exists() for folder in tmp_path.glob("[0-9]"))


def test_end_of_the_server_interrupts_jobs(services: Services, tmp_path: Path) -> None:
    closing = Closing()
    runner = JobRunner(services.archive, services.settings, closing)
    folders = [tmp_path / "0", tmp_path / "1"]
    with Archive.open(services.archive.path, mode="write", embeddings=WordEmbeddings()):
        jobs = []
        for folder in folders:
            folder.mkdir()
            (folder / "a.jsonl").write_text('{"id": "a.example/1", "text": "A."}\n')
            sources = Sources(folder, (folder / "a.jsonl",), (), "0")
            jobs.append(runner.submit("ed", sources)[0])
        closing.set()
    runner.close()
    first, second = (job.state for one in jobs if (job := runner.get(one.id)))
    assert first in ("interrupted", "done")  # the writer left in time, or not
    assert second == "interrupted"
    assert not any(folder.exists() for folder in folders)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a.html", "a.html"),
        ("../../etc/passwd", "passwd"),
        ("C:\\news\\a.html", "a.html"),
        ("..", "upload"),
        ("", "upload"),
        ("a\x00b\n.txt", "a_b_.txt"),
        (".hidden", "hidden"),
    ],
)
def test_upload_has_a_safe_name(given: str, expected: str) -> None:
    assert _file_name(given) == expected


def test_long_name_keeps_its_extension() -> None:
    name = _file_name("ü" * 300 + ".jsonl")
    assert name.endswith(".jsonl")
    assert len(name.encode()) <= 200
