"""Names that answer who and where: shown only in the role that the question asks for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rag.answer.asked_name import asked_name
from rag.answer.chatbot import Chatbot
from rag.answer.name_roles import named_in_role
from rag.query.parser import parse_question
from rag.schema import Answer, Article
from tests.support.fake_archive import FakeArchive, day

ASKED_ON = datetime(2024, 12, 1, tzinfo=UTC)


def name_in(question: str, sentence: str) -> str:
    asked = asked_name(parse_question(question, asked_on=ASKED_ON))
    found = named_in_role(asked, sentence) if asked else None
    assert found is None or sentence[found.start : found.end] == found.text
    return found.text if found else ""


RIGHT = [
    ("Who killed Ana Brandt?", "Ana Brandt was killed by Tom Reuss on Monday.", "Tom Reuss"),
    ("Who killed Ana Brandt?", "Tom Reuss, a neighbour, killed Ana Brandt in May.", "Tom Reuss"),
    ("Who was killed by Tom Reuss?", "Tom Reuss killed Ana Brandt in May.", "Ana Brandt"),
    ("Who was killed by Tom Reuss?", "Ana Brandt was killed by Tom Reuss.", "Ana Brandt"),
    ("Who won the Tarn Cup?", "In the end, Jan Vesely won the Tarn Cup.", "Jan Vesely"),
    ("Who has won the Tarn Cup?", "Jan Vesely, who has won the Tarn Cup, rested.", "Jan Vesely"),
    ("Who owns the Varn mill?", "The Varn mill, which is owned by Kestrel Foods, shut.",
     "Kestrel Foods"),
    ("Who did Tarn United beat?", "Tarn United beat Velsund Rovers 3-1 on Saturday.",
     "Velsund Rovers"),
    ("Who was elected mayor of Tarn?", "Ida Holm was elected mayor of Tarn on Sunday.",
     "Ida Holm"),
    ("Who was elected mayor of Tarn?", "Voters elected Ida Holm as mayor of Tarn.", "Ida Holm"),
    ("Who is the mayor of Tarn?", "The mayor of Tarn, Ida Holm, opened the bridge.", "Ida Holm"),
    ("Who is the mayor of Tarn?", "Ida Holm, the mayor of Tarn, opened the bridge.", "Ida Holm"),
    ("Who is the mayor of Tarn?", "Tarn mayor Ida Holm opened the bridge.", "Ida Holm"),
    ("Who is the suspect in the Varn robbery?",
     "The suspect in the Varn robbery was identified as Jan Vesely.", "Jan Vesely"),
    ("Who said that the dam had leaked?", "The dam had leaked for weeks, engineer Ida Holm said.",
     "Ida Holm"),
    ("Where was the treaty signed?", "The treaty was signed in the old city of Oslo.", "Oslo"),
    ("Where was the treaty signed?", "The treaty was signed in Lyon, France, on Monday.",
     "Lyon, France"),
    ("Where did Ida Holm die?", "Ida Holm died at her home in Oslo.", "Oslo"),
    ("Where did Ida Holm travel to?", "Ida Holm travelled to Norway on Monday.", "Norway"),
    ("Where was the funeral held?", "Thousands came to the funeral in Oslo.", "Oslo"),
    ("Where will the summit take place?", "The summit will take place in Madrid next May.",
     "Madrid"),
]  # fmt: skip

NONE = [
    # another role
    ("Who killed Ana Brandt?", "Ana Brandt killed Tom Reuss in May."),
    ("Who killed Ana Brandt?", "Tom Reuss was killed by Ana Brandt."),
    ("Who was killed by Tom Reuss?", "Tom Reuss was killed by Ana Brandt."),
    ("Who was killed by Tom Reuss?", "Ana Brandt killed Tom Reuss."),
    ("Who was killed by Tom Reuss?", "Ida Holm was killed in Lund, where Tom Reuss lived."),
    ("Who did Tarn United beat?", "Velsund Rovers beat Tarn United 3-1."),
    # no subject, or not alone
    ("Who won the Tarn Cup?", "The wife of Jan Vesely won the Tarn Cup."),
    ("Who won the Tarn Cup?", "Jan Vesely’s brother won the Tarn Cup."),
    ("Who won the Tarn Cup?", "Jan Vesely and Ida Holm won the Tarn Cup."),
    ("Who owns the Varn mill?", "The Varn mill is owned by Ida Holm's cousin."),
    # not so, or not yet
    ("Who won the Tarn Cup?", "Jan Vesely hopes to win the Tarn Cup."),
    ("Who won the Tarn Cup?", "Had Jan Vesely won the Tarn Cup, nobody would be surprised."),
    ("Who won the Tarn Cup?", "False reports said that Jan Vesely won the Tarn Cup."),
    ("Who won the Tarn Cup?", "Jan Vesely nearly won the Tarn Cup."),
    ("Who won the Tarn Cup?", "Jan Vesely never won the Tarn Cup."),
    ("Where will the summit take place?", "The last summit took place in Madrid."),
    # the noun of the verb
    ("Who attacked Orl Dagny?", "The Brandt attack on Orl Dagny shocked many."),
    # another thing or office
    ("Who won the Tarn Cup?", "Jan Vesely won the Varn Trophy."),
    ("Who is the mayor of Tarn?", "Ida Holm, the former mayor of Tarn, opened the bridge."),
    ("Who is the mayor of Tarn?", "Ida Holm, the deputy mayor of Tarn, opened the bridge."),
    ("Who is the mayor of Tarn?", "Ida Holm, the wife of the mayor of Tarn, opened it."),
    ("Who is the mayor of Tarn?", "Ida Holm, the mayor of Velsund, visited Tarn."),
    ("Who is the mayor of Tarn?", "The mayor of Tarn, who met Ida Holm, opened the bridge."),
    ("Who was elected mayor of Tarn?", "Ida Holm was elected mayor of Velsund."),
    ("Who was expelled from the Tarn council?", "The council of Tarn expelled Reps. Ida Holm."),
    # another event's place
    ("Where was the treaty signed?", "The treaty was signed after talks in Oslo."),
    ("Where was the treaty signed?", "The treaty was signed in May, and ministers met in Oslo."),
    ("Where did Ida Holm die?", "Ida Holm's husband died in Oslo."),
    ("Where did Ida Holm die?", "The husband of Ida Holm died in Oslo."),
    # no question for a name
    ("Who is Ida Holm?", "Ida Holm, the mayor of Tarn, met Jan Vesely."),
    ("Who could win the Tarn Cup?", "Jan Vesely won the Tarn Cup."),
    ("Where is Ida Holm from?", "Ida Holm spoke in Oslo."),
]  # fmt: skip


@pytest.mark.parametrize(("question", "sentence", "name"), RIGHT)
def test_name_in_the_asked_role_is_found(question: str, sentence: str, name: str) -> None:
    assert name_in(question, sentence) == name


@pytest.mark.parametrize(("question", "sentence"), NONE)
def test_name_in_another_role_is_not_found(question: str, sentence: str) -> None:
    assert not name_in(question, sentence)


def ask(question: str, *texts: str, title: str = "News of the day") -> Answer:
    articles = (
        Article(
            id=f"paper{n}.example/a",
            title=title,
            text=text,
            publisher=f"Paper {n}",
            published=day(11, 3 + n),
        )
        for n, text in enumerate(texts)
    )
    return Chatbot(FakeArchive(*articles)).ask(question, asked_on=ASKED_ON)


def lead(answer: Answer) -> str:
    text = answer.statements[0].text
    return text[1:].split(":] ")[0] if text.startswith("[") and ":] " in text else ""


WON = "Jan Vesely won the Tarn Cup for chess on Saturday after nine rounds."


def test_name_is_shown_before_its_cited_sentence() -> None:
    answer = ask("Who won the Tarn Cup for chess?", WON)
    assert lead(answer) == "Jan Vesely"
    (citation,) = answer.statements[0].citations
    assert "Jan Vesely" in citation.quote
    assert citation.metadata.publisher == "Paper 0"


def test_sentence_with_the_name_comes_first() -> None:
    around = "The Tarn Cup for chess was won in Tarn, where who won the Tarn Cup for chess matters."
    answer = ask("Who won the Tarn Cup for chess?", around, WON)
    assert lead(answer) == "Jan Vesely"
    assert "Jan Vesely won" in answer.statements[0].text


def test_sources_that_name_two_persons_give_no_name() -> None:
    other = "Ida Holm won the Tarn Cup for chess on Saturday after nine rounds."
    assert not lead(ask("Who won the Tarn Cup for chess?", WON, other))


def test_name_of_another_year_is_not_shown() -> None:
    old = "Jan Vesely won the Tarn Cup for chess in 2019 after nine rounds."
    assert not lead(ask("Who won the Tarn Cup for chess?", old))


def test_holder_of_long_ago_is_not_shown_as_todays() -> None:
    text = "The mayor of Tarn, Ida Holm, opened the harbour bridge."
    articles = [
        Article(id="a.example/old", title="Bridge", text=text, published=day(1, 3, 2022)),
        Article(
            id="a.example/new",
            title="Mayor",
            text="The mayor of Tarn was elected on Sunday, but who is the mayor of Tarn is open.",
            published=day(11, 3),
        ),
    ]
    bot = Chatbot(FakeArchive(*articles))
    assert not lead(bot.ask("Who is the mayor of Tarn?", asked_on=ASKED_ON))
    alone = Chatbot(FakeArchive(articles[0]))
    assert lead(alone.ask("Who is the mayor of Tarn?", asked_on=ASKED_ON)) == "Ida Holm"


def test_place_of_what_is_to_come_is_from_fresh_sources() -> None:
    text = "The chess congress will take place in Oslo in the spring."
    bot = Chatbot(FakeArchive(Article(id="a.example/1", title="", text=text, published=day(11, 3))))
    question = "Where will the chess congress take place?"
    assert lead(bot.ask(question, asked_on=datetime(2024, 11, 5, tzinfo=UTC))) == "Oslo"
    assert not lead(bot.ask(question, asked_on=ASKED_ON))
