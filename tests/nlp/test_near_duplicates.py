"""Near-duplicates: which pairs of articles are one story."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rag.nlp.near_duplicates import (
    FEWEST_WORDS,
    band_keys,
    is_same_story,
    minhash,
    text_hash,
    text_signature,
)
from rag.schema import Article
from tests.support.example_counts import example_count

DAY = datetime(2024, 10, 18, tzinfo=UTC)
PARAGRAPHS = (
    "VELSUND (Fennmark Wire) - The old crane above the harbour of Velsund was taken down on Friday "
    "after an inspection found cracks in its legs, the port authority said.",
    "Workers began at dawn and had the jib on the ground by noon. Ferries to the islands were held "
    "back for four hours, and the fish market stayed shut, for the first time since the flood.",
    "The crane was built in 1911 and lifted its last load in 1987. A society of friends of "
    "the port had asked for a roof over it, and had 40,000 crowns, a tenth of what it would cost.",
    "Port captain Ines Dahl said that nobody had been in danger. The cracks were found in August, "
    "she said, and the ground around the crane was fenced off on the same evening.",
    "The council had voted in September, by nine to six, to remove it. Two members of the majority "
    "have since said that they were not shown the second report, which called a repair possible.",
    "What becomes of the parts is open. The museum of the coast would like the cabin and the "
    "counterweight; the rest goes to a yard in Pellworth, where it is cut up for scrap next week.",
)
WIRE = Article(
    id="fennmark-wire.example/crane",
    title="Velsund takes down its crane",
    text="\n\n".join(PARAGRAPHS),
    publisher="Fennmark Wire",
    published=DAY,
)
OTHER = (
    "The night train to the coast is to run again from the spring, eleven years after the last "
    "one, the railway said, and it will stop at all of the places where it stopped then.",
    "Tickets go on sale in January, and the sleeping cars come from a company in the south.",
    "Three stations on the way are to be rebuilt before that, among them the one at Alder Cross.",
    "A choir from the islands has won the contest of the northern choirs with two songs about "
    "herring and one about the tax on herring, which the judges called the finest of the three.",
    "Rain is expected until the evening of Sunday, heavy on the hills and light along the shore, "
    "and the wind turns to the north in the night; it stays mild for the time of the year.",
)


def reprint(*paragraphs: str, days: float = 0.0, **fields: object) -> Article:
    text = "\n\n".join(paragraphs)
    published = DAY + timedelta(days=days)
    fields = {"id": "other.example/a", "text": text, "published": published} | fields
    return WIRE.replace(**fields)


def is_duplicate(other: Article, first: Article = WIRE) -> bool:
    return is_same_story(text_signature(first), text_signature(other))


def shares_a_band(other: Article) -> bool:
    """Return whether the signatures share a band, so that the two are compared."""
    return not set(band_keys(minhash(text_signature(WIRE)))).isdisjoint(
        band_keys(minhash(text_signature(other)))
    )


def test_reprint_with_two_paragraphs_cut_is_a_duplicate() -> None:
    cut = reprint(*PARAGRAPHS[:2], *PARAGRAPHS[4:], days=1, title="A landmark goes")
    assert is_duplicate(cut)
    assert shares_a_band(cut)


def test_reprint_without_its_lead_is_a_duplicate() -> None:
    assert is_duplicate(reprint(*PARAGRAPHS[1:]))


def test_few_changed_words_are_a_duplicate() -> None:
    edited = WIRE.text.replace("was taken down", "came down").replace("Workers", "Crews")
    edited = edited.replace("VELSUND (Fennmark Wire) -", "By Noor Haan, Velsund:")
    assert is_duplicate(reprint(edited.replace("fenced off", "closed"), days=2))


def test_brief_that_is_the_lead_is_a_duplicate() -> None:
    long = reprint(*PARAGRAPHS, *OTHER)
    brief = reprint(*PARAGRAPHS[:2], id="brief.example/a")
    assert is_duplicate(brief, first=long)


def test_brief_in_a_round_up_is_not_a_duplicate() -> None:
    round_up = reprint(*OTHER, PARAGRAPHS[0], PARAGRAPHS[1])
    assert not is_duplicate(reprint(*PARAGRAPHS[:2]), first=round_up)


def test_old_text_under_a_new_lead_is_not_a_duplicate() -> None:
    lead = (
        "Prosecutors opened an inquiry on Saturday into how the port of Velsund lost its crane, "
        "and searched the offices of the council, where officers carried out boxes until night.",
        "The mayor, Tor Brandt, said that he had nothing to hide and would answer every question. "
        "The opposition asked him to step aside until the prosecutors have finished their work.",
        "Neighbours of the harbour gathered at the fence with candles and pictures of the crane.",
    )
    assert not is_duplicate(reprint(*lead, *PARAGRAPHS[1:], days=1))


def test_column_with_other_figures_is_not_a_duplicate() -> None:
    def numbers(*drawn: int) -> str:
        listed = ", ".join(map(str, drawn))
        return (
            "Here are the numbers of the coastal lottery, drawn on the evening in the hall of the "
            f"fish market before a notary and about a hundred guests: {listed}. The prize for six "
            f"right ones stands at {drawn[0]},{drawn[1]}00 crowns. Tickets are sold at kiosks, on "
            "ferries and at the post office until the noon of the day of the draw."
        )

    first = reprint(numbers(3, 14, 15, 26, 35, 41))
    assert not is_duplicate(reprint(numbers(7, 18, 21, 28, 31, 45)), first=first)


def test_changed_text_a_year_later_is_not_a_duplicate() -> None:
    assert not is_duplicate(reprint(*PARAGRAPHS[:5], days=365))


def test_identical_text_is_a_duplicate_at_any_distance() -> None:
    assert is_duplicate(reprint(*PARAGRAPHS, days=365))
    assert is_duplicate(WIRE.replace(id="b", published=None))


def test_caption_is_too_short_for_a_duplicate() -> None:
    caption = reprint("The crane of Velsund on Friday.")
    assert not is_duplicate(caption, first=caption)


def test_text_hash_ignores_punctuation_marks_and_case() -> None:
    assert text_hash("“It’s done”,\n she SAID.") == text_hash('"It\'s done", she said')
    assert text_hash("It is done") != text_hash("It is not done")


def test_text_without_spaces_is_distinguished() -> None:
    harbour = "港口的起重机星期五被拆除因为检查发现支腿有裂缝港务局说工人们在黎明开始工作"
    train = "夜间列车将于春天重新开往海岸这是最后一班列车停运十一年之后车票将于一月开始出售"
    assert is_duplicate(reprint(harbour), first=reprint(harbour))
    assert not is_duplicate(reprint(train), first=reprint(harbour))


paragraphs = st.lists(st.sampled_from((*PARAGRAPHS, *OTHER)), max_size=8)
days = st.one_of(st.none(), st.integers(0, 20))


@settings(max_examples=example_count(60))
@given(paragraphs, paragraphs, days, days)
def test_is_same_story_is_symmetric(
    one: list[str], other: list[str], one_day: int | None, other_day: int | None
) -> None:
    def article(texts: list[str], day: int | None) -> Article:
        moment = None if day is None else DAY + timedelta(days=day)
        return WIRE.replace(text="\n\n".join(texts), published=moment)

    a, b = text_signature(article(one, one_day)), text_signature(article(other, other_day))
    assert is_same_story(a, b) == is_same_story(b, a)
    assert is_same_story(a, a) == (a.words >= FEWEST_WORDS)


def weather(day: str, high: int, rain: int, *, later: float) -> Article:
    return reprint(
        f"The weather service expects a high of {high} degrees in Velsund on {day} and {rain} "
        "millimetres of rain, with wind from the west at up to 40 kilometres an hour.",
        "In Tarn and Ostmark it will be two degrees cooler. The water of the bay has 9 degrees at "
        "the pier, and boats should listen to channel 12 of the coast guard.",
        "The service gives its forecast every day at six in the morning. Pollen of birch is in the "
        "air, and people with allergies should keep their windows closed in the morning.",
        days=later,
    )


def test_issues_of_a_template_are_not_duplicates() -> None:
    first = weather("Wednesday", 12, 7, later=0)
    assert not is_duplicate(weather("Friday", 11, 12, later=2), first=first)
    assert not is_duplicate(weather("Thursday", 12, 9, later=1), first=first)
    assert is_duplicate(weather("Wednesday", 12, 7, later=0.1), first=first)


def test_reprint_with_changed_figures_is_a_duplicate() -> None:
    edited = [p.replace("on Friday", "on Friday, 18 October,") for p in PARAGRAPHS]
    assert is_duplicate(reprint(*edited[:5]))
    assert is_duplicate(reprint(*PARAGRAPHS[:2], *PARAGRAPHS[3:]))
