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
from tests.ingest.test_identity import WordLengthEmbeddings
from tests.readers.test_iptc import NINJS
from tests.support.fake_site import FakeSite, Page, serve_site

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


class IngestHarness:
    """An archive on the disk with articles of two publishers, and its ingest runs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rejects: list[dict[str, str]] = []
        with self.open() as archive:
            archive.add([(a, [Span(0, len(a.text))]) for a in (COURIER, WIRE)])

    def open(self) -> Archive:
        return Archive.open(self.path, mode="write", embeddings=WordLengthEmbeddings())

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
def harness(tmp_path: Path) -> IngestHarness:
    return IngestHarness(tmp_path / "archive")


@pytest.fixture
def evil_site() -> Iterator[FakeSite]:
    with serve_site() as found:
        yield found


@pytest.fixture
def courier_site() -> Iterator[FakeSite]:
    """A second publisher, on another port: another site."""
    with serve_site() as found:
        yield found


def host(site: FakeSite) -> str:
    return site.address.removeprefix("http://")


def gzip_page(*records: dict[str, Any]) -> Page:
    lines = "".join(f"{json.dumps(record)}\n" for record in records)
    return Page(gzip.compress(lines.encode()), headers={"Content-Type": "application/gzip"})


def forged_record(**more: Any) -> dict[str, Any]:
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
    harness: IngestHarness, evil_site: FakeSite, claim: dict[str, str], mark: dict[str, int]
) -> None:
    evil_site.pages |= {
        "/feed": feed(("More", evil_site.url("/more.gz"))),
        "/more.gz": gzip_page(forged_record(**claim, **mark)),
    }
    report = harness.ingest(evil_site.url("/feed"))
    assert (report.new, report.changed, report.rejected) == (0, 0, 1)
    assert harness.stands()
    assert len(harness.held()) == 1


def test_export_mark_in_fetched_content_is_ignored(
    harness: IngestHarness, evil_site: FakeSite
) -> None:
    poison = {
        "backfile": 1,
        "id": "poison",
        "title": "x\u202e\x1b[31m",
        "text": f"\u200b{LIES}\x00",
    }
    bad_day = {**poison, "id": "day", "published": "9999-12-31T23:59:59-12:00"}
    evil_site.pages["/dump.jsonl"] = Page(f"{json.dumps(poison)}\n{json.dumps(bad_day)}".encode())
    harness.ingest(evil_site.url("/dump.jsonl"))
    assert harness.stands()
    for article in harness.articles().values():
        assert not {"\u202e", "\x1b", "\u200b", "\x00"} & {*article.title, *article.text}
        assert article.published is None or article.published.year < 9999


def test_kill_in_fetched_content_withdraws_nothing(
    harness: IngestHarness, evil_site: FakeSite
) -> None:
    kill = NINJS | {"uri": WIRE.id, "pubstatus": "canceled", "copyrightholder": "Fennmark Wire"}
    evil_site.pages |= {
        "/feed": feed(("More", evil_site.url("/more.gz"))),
        "/more.gz": gzip_page(kill),
    }
    for _ in range(2):
        assert harness.ingest(evil_site.url("/feed")).removed == 0
        assert harness.stands()
        (change,) = harness.held()
        assert (change.action, change.article_id) == ("withdraw", WIRE.id)
        # Every run reports it again, and lists it once.
        assert f"--accept {change.id}" in harness.rejects[0]["reason"]
    assert harness.accept(change) == "removed"
    assert set(harness.articles()) == {COURIER.id}
    assert harness.held() == []
    evil_site.pages["/more.gz"] = gzip_page(kill, kill)
    assert (
        harness.ingest(evil_site.url("/feed")).rejected == 0
    )  # already withdrawn: nothing to hold


def test_trusted_source_may_kill_only_its_own_articles(
    harness: IngestHarness, courier_site: FakeSite, tmp_path: Path
) -> None:
    kills = [
        NINJS | {"uri": uri, "pubstatus": "canceled", "copyrightholder": "Fennmark Wire"}
        for uri in (WIRE.id, COURIER.url, "urn:other:yet-to-come")
    ]
    kills[2]["copyrightholder"] = "Pellworth Tribune"
    courier_site.pages["/kills.jsonl"] = Page("\n".join(map(json.dumps, kills)).encode())
    harness.trust(host(courier_site), publisher="Fennmark Wire")
    assert harness.ingest(courier_site.url("/kills.jsonl")).removed == 0
    harness.trust(host(courier_site), publisher="Fennmark Wire", may_kill=True)
    assert harness.ingest(courier_site.url("/kills.jsonl")).removed == 1
    assert set(harness.articles()) == {COURIER.id}
    assert {change.article_id for change in harness.held()} == {COURIER.id, "urn:other:yet-to-come"}


def test_summary_with_a_foreign_link_is_held(harness: IngestHarness, evil_site: FakeSite) -> None:
    evil_site.pages["/feed"] = feed(
        ("Crane: the mayor did it", COURIER.url), ("Own story", evil_site.url("/own"))
    )
    report = harness.ingest(evil_site.url("/feed"), summaries=True)
    assert (report.new, report.rejected) == (1, 1)
    assert harness.stands()
    (reject,) = harness.rejects
    for said in (host(evil_site), "harbour-courier.example", "backfile sources add", "--accept"):
        assert said in reject["reason"]


def test_trusted_source_changes_only_its_own_hosts(
    harness: IngestHarness, evil_site: FakeSite
) -> None:
    other = "https://pellworth-tribune.example/crane"
    evil_site.pages["/feed"] = feed(("Crane stands again", COURIER.url), ("No", other))
    harness.trust(host(evil_site), "harbour-courier.example")
    report = harness.ingest(evil_site.url("/feed"), summaries=True)
    assert (report.changed, report.rejected) == (1, 1)
    assert harness.articles()[COURIER.id].title == "Crane stands again"
    assert [change.article_id for change in harness.held()] == ["pellworth-tribune.example/crane"]


def test_held_change_is_forgotten_once_source_is_trusted(
    harness: IngestHarness, evil_site: FakeSite
) -> None:
    evil_site.pages["/feed"] = feed(("Crane stands again", COURIER.url))
    harness.ingest(evil_site.url("/feed"), summaries=True)
    assert len(harness.held()) == 1
    harness.trust(host(evil_site), "harbour-courier.example")
    assert harness.ingest(evil_site.url("/feed"), summaries=True).changed == 1
    assert harness.held() == []


def test_last_host_of_a_redirect_counts(
    harness: IngestHarness, evil_site: FakeSite, courier_site: FakeSite
) -> None:
    harness.trust(host(courier_site), "harbour-courier.example")
    courier_site.pages["/feed"] = Page(status=302, headers={"Location": evil_site.url("/feed")})
    evil_site.pages["/feed"] = feed(("The mayor did it", COURIER.url))
    assert harness.ingest(courier_site.url("/feed"), summaries=True).changed == 0
    assert harness.stands()


def test_page_cannot_claim_another_hosts_article(
    harness: IngestHarness, evil_site: FakeSite, courier_site: FakeSite
) -> None:
    courier_site.pages["/crane"] = page("Crane falls")
    harness.ingest(courier_site.url("/crane"))
    for number, named in enumerate((COURIER.url, courier_site.url("/crane"))):
        tag = f'<link rel="canonical" href="{named}"><meta property="og:url" content="{named}">'
        evil_site.pages[f"/{number}"] = page("Crane: the mayor did it", LIES, MORE_LIES, head=tag)
        harness.ingest(evil_site.url(f"/{number}"))
    assert harness.stands()
    (own,) = (a for a in harness.articles().values() if a.url == courier_site.url("/crane"))
    assert own.title == "Crane falls"


def test_foreign_feed_does_not_change_a_known_page(
    harness: IngestHarness, evil_site: FakeSite, courier_site: FakeSite
) -> None:
    courier_site.pages |= {
        "/feed": feed(("Crane falls", courier_site.url("/crane"))),
        "/crane": Page(page("Crane falls").body),  # without validators: it's sent every time
    }
    harness.ingest(courier_site.url("/feed"))
    before = harness.articles()
    forged = feed(("Crane falls", courier_site.url("/crane"))).body.replace(
        b"Velsund Post", b"Evil Post"
    )
    forged = forged.replace(b"Ada Lindqvist", b"The Mayor").replace(b"2024 10", b"2019 10")
    evil_site.pages["/feed"] = Page(forged)
    harness.ingest(evil_site.url("/feed"))
    assert harness.articles() == before


def test_bare_number_id_belongs_to_its_host(
    harness: IngestHarness, evil_site: FakeSite, courier_site: FakeSite
) -> None:
    own = {"id": "crane-1", "title": "Crane falls", "text": STORY[0]}
    courier_site.pages["/a.jsonl"] = Page(json.dumps(own).encode())
    assert harness.ingest(courier_site.url("/a.jsonl")).new == 1
    evil_site.pages["/a.jsonl"] = Page(json.dumps({**own, "text": f"{STORY[0]} {LIES}"}).encode())
    assert harness.ingest(evil_site.url("/a.jsonl")).changed == 0
    assert harness.articles()["crane-1"].text == STORY[0]
    courier_site.pages["/a.jsonl"] = Page(json.dumps({**own, "text": f"{STORY[0]} More."}).encode())
    assert harness.ingest(courier_site.url("/a.jsonl")).changed == 1


def test_newer_version_in_the_same_dump_replaces_the_older(
    harness: IngestHarness, courier_site: FakeSite
) -> None:
    first = {"id": "urn:crane:1", "title": "Crane falls", "text": STORY[0]}
    newer = {**first, "text": f"{STORY[0]} It stands again."}
    courier_site.pages["/a.jsonl"] = Page(f"{json.dumps(first)}\n{json.dumps(newer)}".encode())
    assert harness.ingest(courier_site.url("/a.jsonl")).rejected == 0
    assert harness.articles()["urn:crane:1"].text == newer["text"]


@pytest.mark.parametrize("squatted", ["tag:{},2024:crane", "urn:newsml:{}:20241024:crane"])
def test_id_belongs_to_the_host_that_first_gave_it(
    harness: IngestHarness, evil_site: FakeSite, squatted: str
) -> None:
    """Nobody keeps an article out by being the first to use the id that it will have."""
    squatted = squatted.format("pellworth-tribune.example")
    evil_site.pages["/a.jsonl"] = Page(json.dumps(forged_record(id=squatted)).encode())
    assert harness.ingest(evil_site.url("/a.jsonl")).new == 1
    origin = "https://feeds.pellworth-tribune.example/a.jsonl"
    own = Article(id=squatted, title="Crane falls", text=STORY[0], publisher="Pellworth Tribune")
    with harness.open() as archive:
        custody_of = change_policy.ChangePolicy(
            archive, origins=ArticleOrigins(archive.store.database)
        )
        through, held = custody_of.admit([with_origin(own, origin=origin, place=origin)])
        assert (through, held) == ([own], [])
        archive.add([(own, [Span(0, len(own.text))])])
        custody_of.commit()
    evil_site.pages["/a.jsonl"] = Page(
        json.dumps(forged_record(id=squatted, text=MORE_LIES)).encode()
    )
    assert harness.ingest(evil_site.url("/a.jsonl")).changed == 0
    assert harness.articles()[squatted].text == STORY[0]


def test_id_without_scheme_is_an_address_in_any_script(
    harness: IngestHarness, evil_site: FakeSite
) -> None:
    for squatted in ("новости.рф/crane", "courier.xn--p1ai/crane", "courier.example/crane"):
        evil_site.pages["/a.jsonl"] = Page(json.dumps(forged_record(id=squatted)).encode())
        assert harness.ingest(evil_site.url("/a.jsonl")).new == 0
        assert squatted in {change.article_id for change in harness.held()}


def test_fetched_record_cannot_claim_a_file_id(
    harness: IngestHarness, evil_site: FakeSite, tmp_path: Path
) -> None:
    note = tmp_path / "note.txt"
    note.write_text(f"Crane falls\n\n{STORY[0]}")
    harness.ingest(note)
    claimed = forged_record(id=f"file:{note}")
    evil_site.pages["/a.jsonl"] = Page(json.dumps(claimed).encode())
    assert harness.ingest(evil_site.url("/a.jsonl")).changed == 0
    assert harness.articles()[f"file:{note}"].text == STORY[0]


@pytest.mark.parametrize(
    "named",
    ["", "Evil Post", "harbour-courier.example"],
)
def test_saved_page_does_not_overwrite_another_publisher(
    harness: IngestHarness, tmp_path: Path, named: str
) -> None:
    head = f'<link rel="canonical" href="{COURIER.url}">'
    head += f'<meta property="og:site_name" content="{named}">' if named else ""
    saved = tmp_path / "saved.html"
    saved.write_bytes(page("The mayor did it", LIES, MORE_LIES, head=head).body)
    for _ in range(2):
        assert harness.ingest(saved).rejected == 1
        assert harness.stands()
        (change,) = harness.held()
    assert change.source == str(saved)
    assert harness.accept(change) == "changed"
    assert harness.articles()[COURIER.id].title == "The mayor did it"
    assert harness.ingest(saved).unchanged == 1  # an accepted change isn't held again


@pytest.mark.parametrize("name", ["Evil Post", ""])
def test_page_saved_as_mhtml_overwrites_no_one(
    harness: IngestHarness, tmp_path: Path, name: str
) -> None:
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
    assert harness.ingest(saved).rejected == 1
    assert harness.stands()
    assert [change.article_id for change in harness.held()] == [COURIER.id]


def test_page_saved_again_is_a_revision(harness: IngestHarness, tmp_path: Path) -> None:
    for name in ("Harbour Courier", ""):
        head = f'<link rel="canonical" href="{COURIER.url}">'
        head += f'<meta property="og:site_name" content="{name}">' if name else ""
        saved = tmp_path / "saved.html"
        more = f"It was old, an engineer told {name or 'us'}."
        saved.write_bytes(page(COURIER.title, *STORY, more, head=head).body)
        assert harness.ingest(saved).changed == 1


def test_saved_page_without_address_may_be_replaced(harness: IngestHarness, tmp_path: Path) -> None:
    saved = tmp_path / "saved.html"
    saved.write_bytes(page("Crane falls").body)
    assert harness.ingest(saved).new == 1
    saved.write_bytes(page("The mayor did it", LIES, MORE_LIES).body)
    assert harness.ingest(saved).changed == 1


def test_accepted_change_is_exactly_the_held_one(
    harness: IngestHarness, evil_site: FakeSite
) -> None:
    record = forged_record(
        url=COURIER.url, authors=["Ada Lindqvist"], published="2024-10-24T18:30:00+09:00"
    )
    evil_site.pages["/a.jsonl"] = Page(json.dumps(record).encode())
    harness.ingest(evil_site.url("/a.jsonl"))
    (looked_at,) = harness.held()
    evil_site.pages["/a.jsonl"] = Page(json.dumps({**record, "text": LIES.upper()}).encode())
    harness.ingest(evil_site.url("/a.jsonl"))
    (now,) = harness.held()  # the source's newest change replaces the older one
    assert now.id != looked_at.id
    with harness.open() as archive:
        assert HeldChanges(archive.store.database).get(looked_at.id) is None
    assert harness.accept(now) == "changed"
    article = harness.articles()[COURIER.id]
    assert (article.text, article.authors) == (LIES.upper(), ("Ada Lindqvist",))
    assert article.published is not None
    assert article.published.isoformat() == "2024-10-24T18:30:00+09:00"


def test_held_changes_per_host_are_bounded(harness: IngestHarness, evil_site: FakeSite) -> None:
    records = [forged_record(id=f"https://h{n}.example/{n}") for n in range(MOST_OF_AN_ORIGIN + 5)]
    evil_site.pages["/a.jsonl"] = Page("\n".join(map(json.dumps, records)).encode())
    assert harness.ingest(evil_site.url("/a.jsonl")).rejected == len(records)
    assert len(harness.held()) == MOST_OF_AN_ORIGIN
    assert "too many changes are held" in harness.rejects[-1]["reason"]
    assert harness.stands()


def test_erased_article_is_in_no_held_change(harness: IngestHarness, evil_site: FakeSite) -> None:
    evil_site.pages["/feed"] = feed(("Xylophone of the mayor", COURIER.url))
    harness.ingest(evil_site.url("/feed"), summaries=True)
    with harness.open() as archive:
        assert archive.erase([COURIER.id])
    left = [path for path in harness.path.rglob("*") if path.is_file()]
    assert [path for path in left if b"Xylophone of the mayor" in path.read_bytes()] == []


def test_amp_viewer_address_hides_no_other_site(
    harness: IngestHarness, evil_site: FakeSite
) -> None:
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
