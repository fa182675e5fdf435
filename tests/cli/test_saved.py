"""`backfile saved`: one line for each search with news, and an exit code for cron."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from rag.archive.archive import Archive
from rag.schema import Article, Span
from tests.support.commands import Result, run
from tests.support.fakes import HARBOUR, WordEmbeddings, small_archive

pytestmark = pytest.mark.slow

FERRY = Article(
    id="courier.example/ferry",
    title="Ferry aground",
    text="The harbour ferry ran aground.",
    publisher="The Harbour Courier",
    url="https://courier.example/ferry",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small_archive(tmp_path / "archive").close()
    return tmp_path / "archive"


def saved(folder: Path, *words: object, **settings: str) -> Result:
    settings = {"BACKFILE_EMBEDDING_MODEL": "words"} | settings
    return run("saved", *words, BACKFILE_ARCHIVE=str(folder), **settings)


def parsed(folder: Path, *words: object) -> Any:
    done = saved(folder, *words, "--json")
    assert done.stderr == ""
    return json.loads(done.stdout)


def add(folder: Path, *articles: Article) -> None:
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as archive:
        archive.add((one, [Span(0, len(one.text))]) for one in articles)


def test_saved_search_is_listed_with_its_news(folder: Path) -> None:
    assert saved(folder).stdout == "No saved searches.\n"
    done = saved(folder, "add", "Ferries", "harbour", "ferry", "--publisher", "the harbour courier")
    assert done.stdout.startswith("saved: Ferries (harbour ferry --publisher")
    assert saved(folder, "list").stdout == (
        'Ferries: nothing new (harbour ferry --publisher "the harbour courier")\n'
    )
    add(folder, FERRY)
    assert saved(folder).stdout.startswith("Ferries: 1 new (harbour ferry")


def test_new_prints_one_line_a_search_with_news_and_says_so(folder: Path) -> None:
    for name, words in (("Ferries", "ferry aground"), ("Fish", "fish"), ("Bridges", "bridge")):
        assert saved(folder, "add", name, words).code == 0
    assert saved(folder, "--new") == Result(4, "", "")
    add(folder, FERRY, HARBOUR.replace(text=f"{HARBOUR.text} It is shut still."))
    printed = "Ferries: 1 new (ferry aground)\nBridges: 0 new, 1 changed (bridge)\n"
    for _ in range(2):  # it stays news until it is looked at
        assert saved(folder, "--new") == Result(0, printed, "")
    assert saved(folder, "--new", "--seen") == Result(0, printed, "")
    assert saved(folder, "--new") == Result(4, "", "")


def test_show_lists_articles_and_marks_them_on_request(folder: Path) -> None:
    saved(folder, "add", "Ferries", "harbour ferry")
    add(folder, FERRY)
    for options in ((), ("--seen",)):
        assert saved(folder, "show", "ferries", *options).stdout == (
            "Ferries: 1 new (harbour ferry)\n"
            "- Ferry aground, The Harbour Courier\n"
            "https://courier.example/ferry\n"
        )
    assert "nothing new" in saved(folder, "show", "Ferries").stdout


def test_json_has_counts_filters_and_articles(folder: Path) -> None:
    added = parsed(folder, "add", "Ferries", "ferry", "--after", "2020-01-01", "--language", "en")
    assert (added["query"], added["after"]) == ("ferry", "2020-01-01")
    assert (added["languages"], added["publishers"]) == (["en"], [])
    saved(folder, "add", "All", "--publisher", "The Harbour Courier")
    add(folder, FERRY)
    first, second = parsed(folder)
    assert (first["new"], second["new"], second["changed"]) == (0, 1, 0)
    assert second["articles"][0]["article_id"] == FERRY.id
    assert second["articles"][0]["changed"] is False
    assert parsed(folder, "--new") == [second]
    assert saved(folder, "--new", "--json", "--seen").code == 0
    assert saved(folder, "--new", "--json") == Result(4, "[]\n", "")


def test_search_is_renamed_removed_and_restored(folder: Path) -> None:
    search_id = parsed(folder, "add", "Ferries", "ferry")["id"]
    assert saved(folder, "rename", "ferries", "Boats").stdout.startswith("renamed: Boats (ferry)")
    assert saved(folder, "remove", "Boats").stdout == f"removed: Boats (ferry), ID {search_id}\n"
    assert saved(folder).stdout == "No saved searches.\n"
    assert saved(folder, "restore").stdout == f"{search_id}: Boats: ferry\n"
    assert saved(folder, "restore", search_id).code == 0
    assert [one["name"] for one in parsed(folder)] == ["Boats"]
    assert saved(folder, "restore").stdout == "Nothing to restore.\n"


def test_feed_is_printed_and_has_an_address_that_can_be_renewed(folder: Path) -> None:
    add(folder, FERRY.replace(url=""))
    saved(folder, "add", "Ferries", "ferry aground")
    base = "https://x.example/news"
    done = saved(folder, "feed", "Ferries", BACKFILE_BASE_URL=base)
    hrefs = [
        one.get("href") for one in ET.fromstring(done.stdout.encode()).iter() if one.get("href")
    ]
    assert hrefs == ["https://x.example/news/a/courier.example%2Fferry"]
    value = parsed(folder, "feed", "Ferries")
    assert value["feed"].strip() == saved(folder, "feed", "Ferries").stdout.strip()
    first, again = (saved(folder, "feed", "Ferries", "--address").stdout for _ in range(2))
    assert first == again
    assert first.startswith("/feed/")
    renewed = parsed(folder, "feed", "Ferries", "--renew")["address"]
    assert renewed != first.strip()
    with Archive.open(folder, embeddings=WordEmbeddings()) as archive:
        searches = archive.saved.searches
        assert searches.open_feed(*renewed.split("/")[2:]) == searches.get("Ferries")
        assert searches.open_feed(*first.strip().split("/")[2:]) is None


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("show", "Boats"), 1, "No saved search 'Boats'"),
        (("add", "ferries", "boats"), 1, "already one named 'ferries'"),
        (("add", "Nothing"), 1, "needs words or a filter"),
        (("add", "X", "y", "--publisher", "Nobody"), 1, "No publisher 'Nobody'"),
        (("add", "X", "y", "--after", "2024-02-01", "--before", "2024-01-01"), 2, "earlier"),
        (("--seen",), 2, "--seen needs --new"),
        (("--new", "list"), 2, "without a command"),
        (("restore", "0123456789abcdef"), 1, "No deleted search"),
    ],
)
def test_mistakes_are_one_line(folder: Path, words: tuple[str, ...], code: int, said: str) -> None:
    saved(folder, "add", "Ferries", "ferry")
    done = saved(folder, *words)
    assert (done.code, done.stdout, done.stderr.count("\n")) == (code, "", 1)
    assert said in done.stderr


def test_names_with_controls_are_harmless(folder: Path) -> None:
    saved(folder, "add", "\x1b[2JFerries\n\u202e", "ferry\x1b]0;x\x07")
    printed = saved(folder).stdout
    assert printed == "Ferries: nothing new (ferry)\n"


def test_missing_archive_is_one_line(tmp_path: Path) -> None:
    done = saved(tmp_path / "none")
    assert (done.code, done.stderr.count("\n")) == (1, 1)
    assert not (tmp_path / "none").exists()
