"""Which sentence an extractive answer shows first, what it adds, and what it never shows."""

from __future__ import annotations

from langchain_core.cross_encoders import BaseCrossEncoder

from rag.answer.chatbot import Chatbot
from rag.answer.slots import Slot, contradicts_year, fill_slot
from rag.query.answer_type import classify_question
from rag.schema import Answer, Article
from tests.support.fake_archive import FakeArchive, day

ASKED_ON = day(11, 2)


def article(number: int, text: str, title: str = "", month: int = 10, year: int = 2024) -> Article:
    return Article(
        id=f"post.example/{number}",
        title=title,
        text=text,
        publisher="Coast Post",
        published=day(month, 20 + number, year),
    )


def ask(question: str, *articles: Article) -> Answer:
    return Chatbot(FakeArchive(*articles)).ask(question, asked_on=ASKED_ON)


def first(answer: Answer) -> str:
    return answer.statements[0].text


def slot(question: str) -> Slot:
    words = {"kill": 1.0}
    return Slot(classify_question(question), question, words)


def test_sentence_after_the_match_is_quoted_with_it() -> None:
    story = article(
        1,
        "The painter Ida Moor has died in Port Ellis, her gallery said on Monday. She was 96. "
        "The gallery will open her last show in May.",
    )
    assert "She was 96" in first(ask("How old was the painter Ida Moor when she died?", story))


def test_missing_people_are_not_dead() -> None:
    story = article(
        1,
        "The flood in Tarn left 400 people missing, the town said. "
        "At least 31 people were killed in the flood in Tarn.",
    )
    assert "31 people were killed" in first(ask("How many people were killed in Tarn?", story))


def test_slot_wants_the_figure_that_stands_with_its_predicate() -> None:
    killed = slot("How many people were killed in the flood?")
    assert fill_slot(killed, "The flood left 31 people dead.") > 0.2
    assert not fill_slot(killed, "The flood left 400 people missing.")
    cost = slot("How much did the card cost?")
    assert fill_slot(cost, "It sold for $12 million.") > fill_slot(cost, "It sold in 12 minutes.")
    country = slot("Which country was flooded?")
    assert fill_slot(country, "Arvid Moor killed time in France.")
    assert not fill_slot(country, "Arvid Moor killed time.")


def test_page_furniture_is_never_a_statement() -> None:
    story = article(
        1,
        "Who won the Velsund race:Quill wins the Velsund race for the third time in a row\n\n"
        "JUST WATCHED Quill wins the Velsund race Replay More Videos ...\n\n"
        "Sign up here for more on who won the Velsund race.\n\n"
        "Editor’s Note: This piece on the winner of the Velsund race first ran in May.\n\n"
        "VELSUND, Oct 21 (Wire) - Ada Quill won the Velsund race on Sunday after six hours.\n\n"
        "– Noor Haan",
    )
    answer = ask("Who won the Velsund race?", story)
    won = "Ada Quill won the Velsund race on Sunday after six hours."
    assert first(answer) == f"[Ada Quill:] {won}"
    assert len(answer.statements) == 1


def test_one_statement_unless_a_second_adds_a_fact() -> None:
    one = article(1, "Ada Quill won the Velsund race on Sunday.", "Race in Velsund")
    same = article(2, "The Velsund race was won by Ada Quill, the club said.", "Race in Velsund")
    other = article(3, "The Velsund race had two winners: Noor Haan won as well.", "Velsund")
    assert len(ask("Who won the Velsund race?", one, same).statements) == 1
    assert len(ask("Who won the Velsund race?", one, other).statements) == 2


def test_question_of_another_year_is_refused() -> None:
    old = article(1, "Tarn won the Coast Cup on Sunday, beating Velsund 2-1.", "Coast Cup", 7, 2019)
    assert ask("Who won the 2022 Coast Cup?", old).refused
    assert not ask("Who won the 2019 Coast Cup?", old).refused


def test_year_of_text_or_publication_is_no_contradiction() -> None:
    old = article(1, "Tarn won the 2017 Coast Cup.", year=2019)
    (hit,) = FakeArchive(old).passages
    assert not contradicts_year("Who won the 2017 Coast Cup?", hit)
    assert not contradicts_year("Who won the 2019 Coast Cup?", hit)
    assert not contradicts_year("Who won the Coast Cup?", hit)
    assert contradicts_year("Who won the 2022 Coast Cup?", hit)


class PrefersHaan(BaseCrossEncoder):
    """Scores sentences that name Haan above all others."""

    def score(self, text_pairs: list[tuple[str, str]]) -> list[float]:
        return [float("Haan" in text) for _, text in text_pairs]


def test_reranker_decides_which_sentence_is_first() -> None:
    story = article(
        1, "Ada Quill won the Velsund race on Sunday. Noor Haan came in after the race was over."
    )
    archive = FakeArchive(story)
    archive.reranker = PrefersHaan()  # type: ignore[assignment]
    answer = Chatbot(archive).ask("Who won the Velsund race?", asked_on=ASKED_ON)
    assert first(answer).endswith("Noor Haan came in after the race was over.")
