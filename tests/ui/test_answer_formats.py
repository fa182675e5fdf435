"""Export formats: complete, readable elsewhere, and free of markup from articles."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.notices import Notice
from rag.schema import Answer, Citation, Statement
from tests.ui.pdf_reader import read_pdf
from tests.ui.test_render import ANSWER, CITATION, HEAD, QUOTE, REFUSED
from tests.ui.word_reader import read_word
from ui import answer_formats
from ui.i18n import texts_in

ENGLISH, GERMAN = texts_in("en"), texts_in("de")


def exported(question: str, answer: Answer, **given: Any) -> list[answer_formats.ExportedTurn]:
    return [answer_formats.ExportedTurn(question, answer, **{"sequence": 4321} | given)]


SAID = exported("Who said it?", ANSWER)
HARMLESS = ("href", "rel", "dir", "value", "charset", "lang", "name", "content")
EVIL = "<script>x</script> [a](javascript:x) **b**\nER  - \r\nTY  - JOUR ![i](http://x/y)"


def evil_answer(text: str) -> Answer:
    head = replace(HEAD, title=text, publisher=text, authors=(text,), url="javascript:x")
    citation = Citation(1, text, 0, len(text), replace(CITATION.passage, text=text), head)
    return Answer(text, statements=(Statement(text, (citation,)),))


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert all(name in HARMLESS for name, _ in attrs)


@pytest.mark.parametrize("form", answer_formats.FORMATS)
def test_every_format_has_quote_source_and_sequence_number(form: str) -> None:
    text = answer_formats.export(SAID, form, ENGLISH)
    plainly = text.replace("\\", "")
    assert QUOTE in plainly
    assert HEAD.title in plainly
    assert "https://paper.example/1" in plainly
    assert "4321" in plainly


def test_plain_text_has_numbered_statements_and_sources() -> None:
    text = answer_formats.plain(SAID, ENGLISH)
    assert "Who said it?" in text
    assert f"{ANSWER.statements[0].text} [1]" in text
    assert re.search(r"^\[1\] .*https://paper.example/1$", text, re.MULTILINE)


def test_refusal_is_exported_as_one() -> None:
    text = answer_formats.plain(exported("Who?", REFUSED), ENGLISH)
    assert "No answer found in the archive. The passages found are about something else." in text
    assert answer_formats.ris(exported("Who?", REFUSED), ENGLISH) == ""
    assert json.loads(answer_formats.csl(exported("Who?", REFUSED), ENGLISH)) == []


@given(st.text() | st.just(EVIL))
def test_ris_record_cannot_be_forged_by_an_article(text: str) -> None:
    lines = answer_formats.ris(exported("Who?", evil_answer(text)), ENGLISH).split("\r\n")
    assert [line for line in lines if line.startswith("ER  - ")] == ["ER  - "]
    assert lines[0] == "TY  - NEWS"
    assert all(re.match(r"[A-Z][A-Z0-9]  - ", line) for line in lines if line)


@given(st.text() | st.just(EVIL))
def test_html_export_has_no_markup_of_an_article(text: str) -> None:
    tags = Tags(answer_formats.page(exported(text, evil_answer(text)), ENGLISH)).tags
    assert not {"script", "img", "b", "i"} & set(tags)


def test_markdown_shows_article_markup_as_text() -> None:
    text = answer_formats.markdown(exported("Who?", evil_answer(EVIL)), ENGLISH)
    assert not re.search(r"(?<!\\)<script|(?<!\\)\]\((?!/)|(?<!\\)\*\*b", text)


def test_csl_gives_the_position_of_the_quote() -> None:
    (item,) = json.loads(answer_formats.csl(SAID, ENGLISH))
    assert item["type"] == "article-newspaper"
    custom = item["custom"]
    assert custom["quote"] == QUOTE
    assert (custom["start"], custom["end"]) == (CITATION.start, CITATION.end)
    assert custom["archive_sequence"] == 4321


def test_passage_cited_twice_is_listed_once() -> None:
    assert len(json.loads(answer_formats.csl([*SAID, *SAID], ENGLISH))) == 1


@pytest.mark.parametrize("form", answer_formats.FORMATS)
def test_passages_are_exported_without_an_answer(form: str) -> None:
    passage = replace(CITATION, quote=CITATION.passage.text)
    found = exported("Who said it?", Answer("Who said it?"), passages=(passage,))
    text = answer_formats.export(found, form, ENGLISH)
    assert " ".join(CITATION.passage.text.split())[:40] in " ".join(text.replace("\\", "").split())
    assert HEAD.title in text
    assert passage.quote in " ".join(answer_formats.plain(found, ENGLISH).split())


def test_each_answer_names_its_sequence_number_and_day() -> None:
    day = datetime(2024, 10, 30, tzinfo=UTC)
    both = [
        *exported("Who?", ANSWER, sequence=5, asked_on=day),
        *exported("When?", REFUSED, sequence=9),
    ]
    text = answer_formats.plain(both, ENGLISH)
    assert "sequence number 5, asked on 30 October 2024." in text
    assert "sequence number 9." in text


def test_export_is_in_the_readers_language() -> None:
    answer = replace(
        ANSWER,
        statements=(replace(ANSWER.statements[0], support="partly"),),
        newest_source=datetime(2024, 10, 30, tzinfo=UTC),
    )
    text = answer_formats.plain(exported("Wer sagt es?", answer), GERMAN)
    assert "teilweise belegt" in text
    assert "Stand: 30. Oktober 2024." in text
    assert "Sequenznummer 4321" in text
    german = answer_formats.plain(exported("Wer?", REFUSED), GERMAN)
    assert "Keine Antwort im Archiv gefunden. Die gefundenen Textstellen handeln" in german


# Word, files and permalinks


def test_word_has_answer_sources_and_links_between_them() -> None:
    answer = replace(
        ANSWER, statements=(replace(ANSWER.statements[0], support="partly"), *ANSWER.statements[1:])
    )
    found = read_word(answer_formats.word(exported("Who said it?", answer), ENGLISH))
    assert (found[0].style, found[0].text) == ("Heading1", "Who said it?")
    assert (found[1].style, found[1].text) == ("Status", "Answered")
    assert found[2].text == f"{ANSWER.statements[0].text}[1] (partly supported)"
    assert found[2].links == [("[1]", "source_1_1")]
    source = next(one for one in found if one.bookmarks == ["source_1_1"])
    assert source.text.startswith(f"[1] {HEAD.title}, {HEAD.publisher}")
    assert source.links == [("https://paper.example/1", "https://paper.example/1")]
    assert found[found.index(source) + 1].text == QUOTE
    assert "4321" in found[-1].text


def test_word_of_a_conversation_has_sources_for_each_answer() -> None:
    turns = [*SAID, *exported("When?", REFUSED), *exported("Who, again?", ANSWER)]
    found = read_word(answer_formats.word(turns, GERMAN))
    marks = [name for one in found for name in one.bookmarks]
    assert marks == ["source_1_1", "source_3_1"]
    assert [one.text for one in found if one.style == "Heading1"][1] == "When?"
    assert any("Keine Antwort im Archiv gefunden" in one.text for one in found)


def test_word_has_passages_without_an_answer() -> None:
    passage = replace(CITATION, quote=CITATION.passage.text)
    turns = exported("Who said it?", Answer("Who said it?"), passages=(passage,))
    found = read_word(answer_formats.word(turns, ENGLISH))
    assert [one.style for one in found] == ["Heading1", "Heading2", "Source", "Quote", "Small"]
    assert found[3].text == " ".join(passage.quote.split())


def test_documents_give_the_fact_first_with_its_source() -> None:
    said = replace(ANSWER.statements[0], text=f"[about 1,500:] {QUOTE}")
    answer = replace(ANSWER, statements=(said,), notices=(Notice("sources_disagree"),))
    found = read_word(answer_formats.word(exported("How many?", answer), ENGLISH))
    assert [(one.style, one.text) for one in found[1:4]] == [
        ("Status", "Sources disagree"),
        ("Fact", "about 1,500"),
        ("Status", f"{HEAD.publisher} · {ENGLISH.day(HEAD.published)}"),
    ]
    assert found[4].text == f"{QUOTE}[1]"
    read = read_pdf(answer_formats.pdf(exported("How many?", answer), ENGLISH))
    order = ["How many?", "Sources disagree", "about 1,500", HEAD.publisher, "[1]", "Sources"]
    order += [HEAD.title, "https://paper.example/1", QUOTE, "4321"]
    rest = read.text
    for words in order:
        before, found_words, rest = rest.partition(words)
        assert found_words, (words, before)
    assert read.properties["Title"] == "How many?"
    assert read.links == [1, "https://paper.example/1"]
    german = read_pdf(answer_formats.pdf(exported("Wie viele?", answer), GERMAN)).text
    assert "Quellen widersprechen sich" in german


def test_pdf_of_a_refusal_says_why() -> None:
    read = read_pdf(answer_formats.pdf(exported("When?", REFUSED), ENGLISH))
    assert read.text.startswith("When? Not found No answer found in the archive")
    assert read.links == []


@given(st.text() | st.just(EVIL))
def test_word_export_has_no_markup_of_an_article(text: str) -> None:
    found = read_word(answer_formats.word(exported(text, evil_answer(text)), ENGLISH))
    assert all(target == "source_1_1" for one in found for _, target in one.links)


@pytest.mark.parametrize("form", answer_formats.FILE_FORMATS)
def test_file_is_named_after_the_question(form: str) -> None:
    turns = exported("What did South Korea threaten?", ANSWER)
    file = answer_formats.export_file(turns, form, ENGLISH)
    suffix = {"markdown": "md", "html": "html", "ris": "ris", "csl": "json"}
    suffix |= {"word": "docx", "pdf": "pdf"}
    assert file.name == f"what-did-south-korea-threaten.{suffix[form]}"
    assert file.content
    assert file.media_type == answer_formats.FILE_FORMATS[form].media_type


@pytest.mark.parametrize("url", ["", "javascript:x", "https://a@b.example/"])
@pytest.mark.parametrize("form", answer_formats.FILE_FORMATS)
def test_article_without_an_address_is_cited_by_its_permalink(form: str, url: str) -> None:
    citation = replace(CITATION, metadata=replace(HEAD, url=url))
    answer = replace(ANSWER, statements=(Statement("He said it.", (citation,)),))
    path = f"/a/paper.example%2F1?at={CITATION.start}-{CITATION.end}"

    def contained(**given: str) -> str:
        content = answer_formats.export_file(
            exported("Who?", answer, **given), form, ENGLISH
        ).content
        if form == "word":
            found = read_word(content)
            assert [t for one in found for _, t in one.links if t != "source_1_1"] == (
                [f"https://x.example{path}"] if given else []
            )
            return " ".join(one.text for one in found)
        if form == "pdf":
            read = read_pdf(content)
            links = {one for one in read.links if not isinstance(one, int)}
            assert links == ({f"https://x.example{path}"} if given else set())
            return read.text.replace(" ", "")
        return content.decode().replace("\\", "")

    assert path in contained()
    assert "href" not in contained() or form != "html"
    assert f"https://x.example{path}" in contained(base_url="https://x.example/")
