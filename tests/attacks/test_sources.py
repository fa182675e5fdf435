"""Hostile sources: no fetched or saved file changes another publisher's articles."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest import change_policy
from ingest.fetch.client import Client, Limits
from ingest.provenance import with_origin
from ingest.readers import ReaderOptions
from ingest.report import IngestReport
from ingest.runner import run_ingest
from ingest.trusted_sources import (
    TrustedSource,
    TrustedSources,
    read_trusted_sources,
    write_trusted_sources,
)
from rag.archive.archive import Archive
from rag.schema import Article, Span
from rag.store.held_changes import MOST_OF_AN_ORIGIN, ArticleOrigins, HeldChange, HeldChanges
from rag.urls import is_same_site
from tests.fetch.test_crawler import STORY, feed, page
from tests.ingest.test_identity import Model
from tests.readers.test_iptc import NINJS
from tests.support.fake_site import Newsstand, Page, newsstand

pytestmark = pytest.mark.slow

COURIER = Article(
    id="harbour-courier.example/crane",
    title="Crane falls on the eastern pier",
    text=STORY[0],
    publisher="Harbour Courier",
    url="https://harbour-courier.example/crane",
)
WIRE = Article(
    id="urn:newsml:fennmark-wire.example:1",
    title="Ferry aground",
    text="The ferry ran aground at dawn. A tug pulled her free by noon, the wire said.",
    publisher="Fennmark Wire",
)
LIES = "The crane was pushed by the mayor himself. Everybody in the town knows it, a man said."

MORE_LIES = (
    "The harbour office knew of it for weeks and kept silent, two clerks said on Friday, and the "
    "crane was to be sold to the mayor's cousin for a tenth of what it had cost the town. "
    "Nobody at the town hall would answer when they were asked about the sale on Saturday."
)


class Desk:
    """An archive on the disk with articles of two publishers, and its ingest runs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rejects: list[dict[str, str]] = []
        with self.open() as archive:
            archive.add([(a, [Span(0, len(a.text))]) for a in (COURIER, WIRE)])

    def open(self) -> Archive:
        return Archive.open(self.path, mode="write", embeddings=Model())

    def ingest(self, *sources: str | Path, summaries: bool = False) -> IngestReport:
        self.rejects = []
        reading = ReaderOptions(links="keep" if summaries else "follow")
        limits = Limits(seconds=5, delay=0, back_off=0.01)
        with self.open() as archive, Client(limits, allowed=("127.0.0.1",)) as client:
            return run_ingest(
                archive, sources, client=client, reading=reading, on_reject=self.rejects.append
            )

    def articles(self) -> dict[str, Article]:
        with self.open() as archive:
            return {article.id: article.replace(revision=1) for article in archive.articles()}

    def held(self) -> list[HeldChange]:
        with self.open() as archive:
            return HeldChanges(archive.store.database).all()

    def accept(self, change: HeldChange) -> str:
        with self.open() as archive:
            database = archive.store.database
            return change_policy.accept_held_change(
                archive, HeldChanges(database), change, ArticleOrigins(database)
            )

    def trust(
        self, *hosts: str, publisher: str = "Harbour Courier", may_kill: bool = False
    ) -> None:
        trust = read_trusted_sources(self.path)
        write_trusted_sources(
            self.path, trust.with_source(TrustedSource(publisher, hosts, may_kill))
        )

    def stands(self) -> bool:
        """Whether both houses' articles are as they were."""
        articles = self.articles()
        return articles.get(COURIER.id) == COURIER and articles.get(WIRE.id) == WIRE


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "archive")


@pytest.fixture
def evil() -> Iterator[Newsstand]:
    with newsstand() as found:
        yield found


@pytest.fixture
def courier() -> Iterator[Newsstand]:
    """A second publisher, on another port: another site."""
    with newsstand() as found:
        yield found


def host(stand: Newsstand) -> str:
    return stand.address.removeprefix("http://")


def packed(*records: dict[str, Any]) -> Page:
    lines = "".join(f"{json.dumps(record)}\n" for record in records)
    return Page(gzip.compress(lines.encode()), headers={"Content-Type": "application/gzip"})


def lying(**more: Any) -> dict[str, Any]:
    return {"title": "The mayor did it", "text": LIES, "publisher": "Harbour Courier", **more}


@pytest.mark.parametrize(
    "claim",
    [
        {"id": COURIER.id},
        {"id": COURIER.url},
        {"url": COURIER.url},
        {"url": f"https://www.harbour-courier.example/crane?utm_source=x#{'a' * 9}"},
        {"id": WIRE.id, "publisher": "Fennmark Wire"},
        {"id": COURIER.id, "url": "http://127.0.0.1/crane"},
    ],
)
@pytest.mark.parametrize("mark", [{}, {"backfile": 1}])
def test_compressed_lines_behind_a_feed_change_no_other_article(
    desk: Desk, evil: Newsstand, claim: dict[str, str], mark: dict[str, int]
) -> None:
    evil.pages |= {
        "/feed": feed(("More", evil.url("/more.gz"))),
        "/more.gz": packed(lying(**claim, **mark)),
    }
    report = desk.ingest(evil.url("/feed"))
    assert (report.new, report.changed, report.rejected) == (0, 0, 1)
    assert desk.stands()
    assert len(desk.held()) == 1


def test_export_mark_in_fetched_content_is_ignored(desk: Desk, evil: Newsstand) -> None:
    poison = {
        "backfile": 1,
        "id": "poison",
        "title": "x\u202e\x1b[31m",
        "text": f"\u200b{LIES}\x00",
    }
    bad_day = {**poison, "id": "day", "published": "9999-12-31T23:59:59-12:00"}
    evil.pages["/dump.jsonl"] = Page(f"{json.dumps(poison)}\n{json.dumps(bad_day)}".encode())
    desk.ingest(evil.url("/dump.jsonl"))
    assert desk.stands()
    for article in desk.articles().values():
        assert not {"\u202e", "\x1b", "\u200b", "\x00"} & {*article.title, *article.text}
        assert article.published is None or article.published.year < 9999


def test_kill_in_fetched_content_withdraws_nothing(desk: Desk, evil: Newsstand) -> None:
    kill = NINJS | {"uri": WIRE.id, "pubstatus": "canceled", "copyrightholder": "Fennmark Wire"}
    evil.pages |= {
        "/feed": feed(("More", evil.url("/more.gz"))),
        "/more.gz": packed(kill),
    }
    for _ in range(2):
        assert desk.ingest(evil.url("/feed")).removed == 0
        assert desk.stands()
        (change,) = desk.held()
        assert (change.action, change.article_id) == ("withdraw", WIRE.id)
        # Every run reports it again, and lists it once.
        assert f"--accept {change.id}" in desk.rejects[0]["reason"]
    assert desk.accept(change) == "removed"
    assert set(desk.articles()) == {COURIER.id}
    assert desk.held() == []
    evil.pages["/more.gz"] = packed(kill, kill)
    assert desk.ingest(evil.url("/feed")).rejected == 0  # already withdrawn: nothing to hold


def test_trusted_source_may_kill_only_its_own_articles(
    desk: Desk, courier: Newsstand, tmp_path: Path
) -> None:
    kills = [
        NINJS | {"uri": uri, "pubstatus": "canceled", "copyrightholder": "Fennmark Wire"}
        for uri in (WIRE.id, COURIER.url, "urn:other:yet-to-come")
    ]
    kills[2]["copyrightholder"] = "Pellworth Tribune"
    courier.pages["/kills.jsonl"] = Page("\n".join(map(json.dumps, kills)).encode())
    desk.trust(host(courier), publisher="Fennmark Wire")
    assert desk.ingest(courier.url("/kills.jsonl")).removed == 0
    desk.trust(host(courier), publisher="Fennmark Wire", may_kill=True)
    assert desk.ingest(courier.url("/kills.jsonl")).removed == 1
    assert set(desk.articles()) == {COURIER.id}
    assert {change.article_id for change in desk.held()} == {COURIER.id, "urn:other:yet-to-come"}


def test_summary_with_a_foreign_link_is_held(desk: Desk, evil: Newsstand) -> None:
    evil.pages["/feed"] = feed(
        ("Crane: the mayor did it", COURIER.url), ("Own story", evil.url("/own"))
    )
    report = desk.ingest(evil.url("/feed"), summaries=True)
    assert (report.new, report.rejected) == (1, 1)
    assert desk.stands()
    (reject,) = desk.rejects
    for said in (host(evil), "harbour-courier.example", "backfile sources add", "--accept"):
        assert said in reject["reason"]


def test_trusted_source_changes_only_its_own_hosts(desk: Desk, evil: Newsstand) -> None:
    other = "https://pellworth-tribune.example/crane"
    evil.pages["/feed"] = feed(("Crane stands again", COURIER.url), ("No", other))
    desk.trust(host(evil), "harbour-courier.example")
    report = desk.ingest(evil.url("/feed"), summaries=True)
    assert (report.changed, report.rejected) == (1, 1)
    assert desk.articles()[COURIER.id].title == "Crane stands again"
    assert [change.article_id for change in desk.held()] == ["pellworth-tribune.example/crane"]


def test_held_change_is_forgotten_once_source_is_trusted(desk: Desk, evil: Newsstand) -> None:
    evil.pages["/feed"] = feed(("Crane stands again", COURIER.url))
    desk.ingest(evil.url("/feed"), summaries=True)
    assert len(desk.held()) == 1
    desk.trust(host(evil), "harbour-courier.example")
    assert desk.ingest(evil.url("/feed"), summaries=True).changed == 1
    assert desk.held() == []


def test_last_host_of_a_redirect_counts(desk: Desk, evil: Newsstand, courier: Newsstand) -> None:
    desk.trust(host(courier), "harbour-courier.example")
    courier.pages["/feed"] = Page(status=302, headers={"Location": evil.url("/feed")})
    evil.pages["/feed"] = feed(("The mayor did it", COURIER.url))
    assert desk.ingest(courier.url("/feed"), summaries=True).changed == 0
    assert desk.stands()


def test_page_cannot_claim_another_hosts_article(
    desk: Desk, evil: Newsstand, courier: Newsstand
) -> None:
    courier.pages["/crane"] = page("Crane falls")
    desk.ingest(courier.url("/crane"))
    for number, named in enumerate((COURIER.url, courier.url("/crane"))):
        tag = f'<link rel="canonical" href="{named}"><meta property="og:url" content="{named}">'
        evil.pages[f"/{number}"] = page("Crane: the mayor did it", LIES, MORE_LIES, head=tag)
        desk.ingest(evil.url(f"/{number}"))
    assert desk.stands()
    (own,) = (a for a in desk.articles().values() if a.url == courier.url("/crane"))
    assert own.title == "Crane falls"


def test_foreign_feed_does_not_change_a_known_page(
    desk: Desk, evil: Newsstand, courier: Newsstand
) -> None:
    courier.pages |= {
        "/feed": feed(("Crane falls", courier.url("/crane"))),
        "/crane": Page(page("Crane falls").body),  # without validators: it's sent every time
    }
    desk.ingest(courier.url("/feed"))
    before = desk.articles()
    forged = feed(("Crane falls", courier.url("/crane"))).body.replace(
        b"Velsund Post", b"Evil Post"
    )
    forged = forged.replace(b"Ada Lindqvist", b"The Mayor").replace(b"2024 10", b"2019 10")
    evil.pages["/feed"] = Page(forged)
    desk.ingest(evil.url("/feed"))
    assert desk.articles() == before


def test_bare_number_id_belongs_to_its_host(
    desk: Desk, evil: Newsstand, courier: Newsstand
) -> None:
    own = {"id": "crane-1", "title": "Crane falls", "text": STORY[0]}
    courier.pages["/a.jsonl"] = Page(json.dumps(own).encode())
    assert desk.ingest(courier.url("/a.jsonl")).new == 1
    evil.pages["/a.jsonl"] = Page(json.dumps({**own, "text": f"{STORY[0]} {LIES}"}).encode())
    assert desk.ingest(evil.url("/a.jsonl")).changed == 0
    assert desk.articles()["crane-1"].text == STORY[0]
    courier.pages["/a.jsonl"] = Page(json.dumps({**own, "text": f"{STORY[0]} More."}).encode())
    assert desk.ingest(courier.url("/a.jsonl")).changed == 1


def test_newer_version_in_the_same_dump_replaces_the_older(desk: Desk, courier: Newsstand) -> None:
    first = {"id": "urn:crane:1", "title": "Crane falls", "text": STORY[0]}
    newer = {**first, "text": f"{STORY[0]} It stands again."}
    courier.pages["/a.jsonl"] = Page(f"{json.dumps(first)}\n{json.dumps(newer)}".encode())
    assert desk.ingest(courier.url("/a.jsonl")).rejected == 0
    assert desk.articles()["urn:crane:1"].text == newer["text"]


@pytest.mark.parametrize("squatted", ["tag:{},2024:crane", "urn:newsml:{}:20241024:crane"])
def test_id_belongs_to_the_host_that_first_gave_it(
    desk: Desk, evil: Newsstand, squatted: str
) -> None:
    """Nobody keeps an article out by being the first to use the id that it will have."""
    squatted = squatted.format("pellworth-tribune.example")
    evil.pages["/a.jsonl"] = Page(json.dumps(lying(id=squatted)).encode())
    assert desk.ingest(evil.url("/a.jsonl")).new == 1
    origin = "https://feeds.pellworth-tribune.example/a.jsonl"
    own = Article(id=squatted, title="Crane falls", text=STORY[0], publisher="Pellworth Tribune")
    with desk.open() as archive:
        custody_of = change_policy.ChangePolicy(
            archive, origins=ArticleOrigins(archive.store.database)
        )
        through, held = custody_of.admit([with_origin(own, origin=origin, place=origin)])
        assert (through, held) == ([own], [])
        archive.add([(own, [Span(0, len(own.text))])])
        custody_of.commit()
    evil.pages["/a.jsonl"] = Page(json.dumps(lying(id=squatted, text=MORE_LIES)).encode())
    assert desk.ingest(evil.url("/a.jsonl")).changed == 0
    assert desk.articles()[squatted].text == STORY[0]


def test_id_without_scheme_is_an_address_in_any_script(desk: Desk, evil: Newsstand) -> None:
    for squatted in ("новости.рф/crane", "courier.xn--p1ai/crane", "courier.example/crane"):
        evil.pages["/a.jsonl"] = Page(json.dumps(lying(id=squatted)).encode())
        assert desk.ingest(evil.url("/a.jsonl")).new == 0
        assert squatted in {change.article_id for change in desk.held()}


def test_fetched_record_cannot_claim_a_file_id(desk: Desk, evil: Newsstand, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text(f"Crane falls\n\n{STORY[0]}")
    desk.ingest(note)
    claimed = lying(id=f"file:{note}")
    evil.pages["/a.jsonl"] = Page(json.dumps(claimed).encode())
    assert desk.ingest(evil.url("/a.jsonl")).changed == 0
    assert desk.articles()[f"file:{note}"].text == STORY[0]


@pytest.mark.parametrize(
    "named",
    ["", "Evil Post", "harbour-courier.example"],
)
def test_saved_page_does_not_overwrite_another_publisher(
    desk: Desk, tmp_path: Path, named: str
) -> None:
    head = f'<link rel="canonical" href="{COURIER.url}">'
    head += f'<meta property="og:site_name" content="{named}">' if named else ""
    saved = tmp_path / "saved.html"
    saved.write_bytes(page("The mayor did it", LIES, MORE_LIES, head=head).body)
    for _ in range(2):
        assert desk.ingest(saved).rejected == 1
        assert desk.stands()
        (change,) = desk.held()
    assert change.source == str(saved)
    assert desk.accept(change) == "changed"
    assert desk.articles()[COURIER.id].title == "The mayor did it"
    assert desk.ingest(saved).unchanged == 1  # an accepted change isn't held again


@pytest.mark.parametrize("name", ["Evil Post", ""])
def test_page_saved_as_mhtml_overwrites_no_one(desk: Desk, tmp_path: Path, name: str) -> None:
    head = f'<meta property="og:site_name" content="{name}">' if name else ""
    body = page("The mayor did it", LIES, MORE_LIES, head=head).body.decode()
    saved = tmp_path / "saved.mhtml"
    saved.write_text(
        "From: <Saved by Blink>\nSnapshot-Content-Location: "
        f"{COURIER.url}\nSubject: The mayor did it\nMIME-Version: 1.0\n"
        'Content-Type: multipart/related; type="text/html"; boundary="x"\n\n'
        f"--x\nContent-Type: text/html; charset=utf-8\nContent-Location: {COURIER.url}\n\n"
        f"{body}\n--x--\n"
    )
    assert desk.ingest(saved).rejected == 1
    assert desk.stands()
    assert [change.article_id for change in desk.held()] == [COURIER.id]


def test_page_saved_again_is_a_revision(desk: Desk, tmp_path: Path) -> None:
    for name in ("Harbour Courier", ""):
        head = f'<link rel="canonical" href="{COURIER.url}">'
        head += f'<meta property="og:site_name" content="{name}">' if name else ""
        saved = tmp_path / "saved.html"
        more = f"It was old, an engineer told {name or 'us'}."
        saved.write_bytes(page(COURIER.title, *STORY, more, head=head).body)
        assert desk.ingest(saved).changed == 1


def test_saved_page_without_address_may_be_replaced(desk: Desk, tmp_path: Path) -> None:
    saved = tmp_path / "saved.html"
    saved.write_bytes(page("Crane falls").body)
    assert desk.ingest(saved).new == 1
    saved.write_bytes(page("The mayor did it", LIES, MORE_LIES).body)
    assert desk.ingest(saved).changed == 1


def test_accepted_change_is_exactly_the_held_one(desk: Desk, evil: Newsstand) -> None:
    record = lying(
        url=COURIER.url, authors=["Ada Lindqvist"], published="2024-10-24T18:30:00+09:00"
    )
    evil.pages["/a.jsonl"] = Page(json.dumps(record).encode())
    desk.ingest(evil.url("/a.jsonl"))
    (looked_at,) = desk.held()
    evil.pages["/a.jsonl"] = Page(json.dumps({**record, "text": LIES.upper()}).encode())
    desk.ingest(evil.url("/a.jsonl"))
    (now,) = desk.held()  # the source's newest change replaces the older one
    assert now.id != looked_at.id
    with desk.open() as archive:
        assert HeldChanges(archive.store.database).get(looked_at.id) is None
    assert desk.accept(now) == "changed"
    article = desk.articles()[COURIER.id]
    assert (article.text, article.authors) == (LIES.upper(), ("Ada Lindqvist",))
    assert article.published is not None
    assert article.published.isoformat() == "2024-10-24T18:30:00+09:00"


def test_held_changes_per_host_are_bounded(desk: Desk, evil: Newsstand) -> None:
    records = [lying(id=f"https://h{n}.example/{n}") for n in range(MOST_OF_AN_ORIGIN + 5)]
    evil.pages["/a.jsonl"] = Page("\n".join(map(json.dumps, records)).encode())
    assert desk.ingest(evil.url("/a.jsonl")).rejected == len(records)
    assert len(desk.held()) == MOST_OF_AN_ORIGIN
    assert "too many changes are held" in desk.rejects[-1]["reason"]
    assert desk.stands()


def test_erased_article_is_in_no_held_change(desk: Desk, evil: Newsstand) -> None:
    evil.pages["/feed"] = feed(("Xylophone of the mayor", COURIER.url))
    desk.ingest(evil.url("/feed"), summaries=True)
    with desk.open() as archive:
        assert archive.erase([COURIER.id])
    left = [path for path in desk.path.rglob("*") if path.is_file()]
    assert [path for path in left if b"Xylophone of the mayor" in path.read_bytes()] == []


def test_amp_viewer_address_hides_no_other_site(desk: Desk, evil: Newsstand) -> None:
    """`google.evil.example/amp/s/HOST/...` has HOST's id, and is not HOST's."""
    from ingest.provenance import may_speak_for, origin_problem

    forged = "https://google.evil.example/amp/s/harbour-courier.example/crane"
    copied = COURIER.replace(url=forged)
    assert origin_problem(copied, forged, TrustedSources(), place=forged)
    for copy in (
        "https://www.google.com/amp/s/harbour-courier.example/crane",
        "https://web.archive.org/web/2024id_/https://harbour-courier.example/crane",
        "https://harbour--courier-example.cdn.ampproject.org/c/s/harbour-courier.example/crane",
    ):
        assert may_speak_for(copy, COURIER.url, TrustedSources())
        assert not may_speak_for(copy.replace("harbour-", "evil-"), COURIER.url, TrustedSources())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://www.courier.co.uk/a", "https://feeds.courier.co.uk/b", True),
        ("https://courier.co.uk/", "https://evil.co.uk/", False),
        ("https://a.courier.example/", "courier.example", True),
        ("https://courier.blogspot.com/", "https://evil.blogspot.com/", False),
        ("https://courier.github.io/", "https://evil.github.io/", False),
        ("http://127.0.0.1:8001/", "http://127.0.0.1:8002/", False),
        ("http://localhost:8001/", "localhost:8001", True),
        ("https://courier.example:8443/", "http://courier.example/", True),
        ("https://courier.example@evil.example/", "https://courier.example/", False),
        ("https://courier.example.evil.example/", "https://courier.example/", False),
        ("", "", False),
    ],
)
def test_is_same_site_compares_registered_domains(one: str, other: str, same: bool) -> None:
    assert is_same_site(one, other) is same
