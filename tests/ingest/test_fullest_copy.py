"""Fullest copy: the longest copy in a run is kept, and a crawl's lists aren't articles."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.fullest_copy import FullestCopyFilter, poorer_copy
from ingest.pipeline import ingest
from ingest.readers import Reject, read
from rag.schema import Article
from tests.ingest.test_pipeline import DictArchive, counts
from tests.readers.test_compression import tar_members, zip_members
from tests.readers.test_warc import PAGE, URL, WHOLE, response

FIRST, SECOND = (
    "A crane fell on the pier of Velsund on Tuesday morning, and two ships were hit by its arm.",
    "Nobody was hurt, harbour master Ida Lund said, but the pier stays shut for three weeks.",
)
DAY = datetime(2024, 10, 24, tzinfo=UTC)
FULL = Article("velsund.example/crane", "Crane falls", f"{FIRST}\n\n{SECOND}", url=URL)
LIST = (
    '{"format": "json-pages-1.0", "id": "pages", "title": "All Pages"}\n'
    + json.dumps({"id": "1", "url": URL, "title": "Crane falls", "text": f"Menu {FIRST}"})
).encode()
INDEX = b'example,velsundpost)/2024/crane 20241024103000 {"url": "%s"}\n' % URL.encode()
CRAWL = {
    "archive/data.warc.gz": gzip.compress(WHOLE),
    "datapackage.json": b'{"profile": "data-package", "title": "Velsund", "text": "A crawl."}',
    "datapackage-digest.json": b'{"path": "datapackage.json", "hash": "sha256:0"}',
    "indexes/index.cdx": INDEX,
    "indexes/index.idx": INDEX,
    "pages/pages.jsonl": LIST,
    "pages/extraPages.jsonl": LIST.split(b"\n")[1],
    "logs/crawl.txt": b"Crawl of Velsund\n\nIt took four hours and found two pages of the Post.",
}
STORY = PAGE.encode()


def read_ids(path: Path) -> tuple[list[str], list[str]]:
    found = list(read(path))
    return (
        sorted(one.id for one in found if isinstance(one, Article)),
        [one.reason for one in found if isinstance(one, Reject)],
    )


def write_files(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


@pytest.mark.parametrize(
    ("text", "poorer"),
    [
        (FIRST, "contained"),
        (SECOND, "contained"),
        (f"{FIRST[:60]} … Read more", "contained"),
        (f"{FIRST}\n\n{SECOND}", ""),
        (f"{FIRST}\n\nOne man was hurt, harbour master Ida Lund said on Wednesday evening.", ""),
        (f"{FIRST}\n\n{SECOND}\n\nMore.", ""),
        ("Only members see this.", "much shorter"),
    ],
)
def test_poorer_copy_compares_texts(text: str, poorer: str) -> None:
    assert poorer_copy(replace(FULL, text=text), FULL) == poorer


def test_poorer_copy_yields_to_a_newer_date() -> None:
    old = FULL.replace(published=DAY)
    short = FULL.replace(text="The story was wrong and has been taken back.", published=DAY)
    assert poorer_copy(short, old) == "much shorter"
    assert poorer_copy(short.replace(updated=DAY.replace(day=25)), old) == ""


def test_fullest_copies_keeps_one_of_each_address() -> None:
    held: dict[str, Article] = {}
    copies = FullestCopyFilter(held.get)
    poor = replace(FULL, text=FIRST)
    assert copies.sift([poor, FULL]).articles == (FULL,)
    assert copies.sift([poor]).articles == (poor,)  # the batch failed, so nothing was stored
    copies.remember([poor, FULL])
    held[FULL.id] = FULL
    assert copies.sift([poor]).contained == (poor,)
    assert FullestCopyFilter(held.get).sift([poor]).articles == (poor,)  # of another run
    numbered = poor.replace(url="")
    assert copies.sift([numbered]).articles == (numbered,)


def test_ingest_keeps_the_fuller_copy(tmp_path: Path) -> None:
    lines = [
        {"url": URL, "title": "Crane falls", "text": text}
        for text in (
            f"{FIRST}\n\n{SECOND}",
            FIRST,
            "Only members see this page.",
        )
    ]
    for order, expected in ((lines, (1, 0, 1, 1)), (lines[1::-1], (1, 0, 1, 0))):
        path = tmp_path / "a.jsonl"
        path.write_text("\n".join(map(json.dumps, order)), "utf-8")
        target, told = DictArchive(), list[dict[str, str]]()
        assert counts(ingest(target, [path], on_reject=told.append)) == expected
        assert [one.text for one, _ in target.held.values()] == [f"{FIRST}\n\n{SECOND}"]
        assert all("much shorter" in reject["reason"] for reject in told)


def test_ingest_keeps_a_whole_page_before_a_truncated_one(tmp_path: Path) -> None:
    cut = PAGE[: PAGE.index("<p>Nobody")]
    path = tmp_path / "crawl.warc"
    path.write_bytes(response(URL, STORY) + response(URL, cut.encode()))
    target = DictArchive()
    ingest(target, [path])
    (kept,) = (one for one, _ in target.held.values())
    assert "Nobody was hurt" in kept.text


@pytest.mark.parametrize("prefix", ["", "crawls/velsund/"])
def test_read_takes_only_the_warcs_of_a_crawl(tmp_path: Path, prefix: str) -> None:
    files = {f"{prefix}{name}": content for name, content in CRAWL.items()}
    pages = ["velsundpost.example/2024/crane", "velsundpost.example/2024/crane2"]
    (tmp_path / "crawl.wacz").write_bytes(zip_members(files))
    assert read_ids(tmp_path / "crawl.wacz") == (pages, [])
    write_files(tmp_path / "crawl", files)
    assert read_ids(tmp_path / "crawl") == (pages, [])
    several = zip_members(
        {"a.wacz": zip_members(CRAWL), "datapackage.json": b'{"title": "x", "text": "y"}'}
    )
    (tmp_path / "several.wacz").write_bytes(several)
    assert read_ids(tmp_path / "several.wacz") == (pages, [])


def test_read_rejects_a_crawls_page_list(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tar_members({k: CRAWL[k] for k in ("pages/pages.jsonl",)}))
    (tmp_path / "pages.jsonl").write_bytes(LIST)
    (tmp_path / "index.txt").write_bytes(INDEX)
    for name in ("a.tar", "pages.jsonl", "index.txt"):
        ids, (reason,) = read_ids(tmp_path / name)
        assert ids == []
        assert "crawl's page list" in reason


def test_read_keeps_files_beside_warcs_that_are_no_crawl(tmp_path: Path) -> None:
    files = {"archive/data.warc": WHOLE, "pages/crane3.html": STORY}
    ids, _ = read_ids(write_files(tmp_path / "a", files))
    assert len(ids) == 3
    (tmp_path / "a.zip").write_bytes(zip_members(files))
    assert len(read_ids(tmp_path / "a.zip")[0]) == 3


def test_read_skips_the_parts_of_a_saved_page(tmp_path: Path) -> None:
    files = {
        "Crane falls.html": STORY,
        "Crane falls_files/saved_resource.html": STORY,
        "Crane falls_files/ads/frame.html": STORY,
        "Kran fällt.htm": STORY,
        "Kran fällt-Dateien/a.html": STORY,
        "case_files/story.html": STORY,  # no page "case.html" lies beside it
        "robots.txt": b"User-agent: *\nDisallow: /search\n\nSitemap: none\n",
        "hts-cache/doit.log": b"httrack of Velsund\n\nIt took four hours and found two pages.",
        "__MACOSX/Crane falls.html": STORY,
        ".DS_Store": STORY,
        "crawl.log": b"2024-10-24T10:30:00Z 200 100 https://velsundpost.example/ - - text/html",
    }
    write_files(tmp_path / "site", files)
    (tmp_path / "site.zip").write_bytes(zip_members(files))
    for name in ("site", "site.zip"):
        found = list(read(tmp_path / name))
        places = sorted(one.id for one in found if isinstance(one, Article))
        assert [place.rpartition("/")[2].rpartition("!")[2] for place in places] == [
            "Crane falls.html",
            "Kran fällt.htm",
            "story.html",
        ]
        assert len(found) == 3


def test_read_opens_a_named_side_file(tmp_path: Path) -> None:
    path = tmp_path / "Crane falls_files" / "saved_resource.html"
    write_files(
        tmp_path, {"Crane falls.html": STORY, "Crane falls_files/saved_resource.html": STORY}
    )
    assert len(read_ids(path)[0]) == 1
