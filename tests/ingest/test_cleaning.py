"""Cleaning: removes boilerplate and keeps every sentence of the story."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.boilerplate_rules import is_boilerplate
from ingest.cleaning import clean, clean_title, plain_typography

SEED = Path(__file__).parents[3] / "shared" / "data" / "seed"

STORY = (
    "The harbour of Velsund was closed on Tuesday after a crane fell on the eastern pier.\n\n"
    "“Nobody was hurt,” harbour master Ida Lund said. Work on the pier will take three weeks, "
    "and two ferries a day will leave from the old quay until it is done.\n\n"
    "What happens next\nThe council meets on Friday."
)
LITTER = """LEAVE A REPLY

Please enter your comment!
Please enter your name here

Share post:

Subscribe

Popular

Ten quays you must see before they close
More like this
Related"""


def test_clean_keeps_the_story() -> None:
    assert clean(STORY) == STORY


def test_clean_removes_boilerplate_after_the_story() -> None:
    assert clean(f"Date:\n\n{STORY}\n\n{LITTER}") == STORY


def test_clean_removes_first_line_that_repeats_the_title() -> None:
    assert clean("Crane falls in Velsund\n\n" + STORY, title="Crane falls in Velsund") == STORY


def test_clean_removes_comments_after_the_story() -> None:
    assert clean(STORY + "\n\n3 Comments\n\nOla\nThis is a scandal. Who pays for it?") == STORY


def test_clean_removes_link_list_in_the_middle() -> None:
    before, after = STORY.split("\n\n", 1)
    text = f"{before}\n\nRelated stories\nFerries to run again\nHow cranes fall\n\n{after}"
    assert clean(text) == STORY


@pytest.mark.parametrize(
    "line",
    [
        "Read More",
        "READ MORE: How cranes fall",
        "More:Ten quays you must see",
        "Subscribe",
        "Advertisement",
        "Story continues below advertisement",
        "Ola Str/Reuters",
        "Ida Lund/Velsund Post via Getty Images",
        "(Photo by Ola Str/Getty Images)",
        "Photo: Ida Lund",
        "Sign up for our weekly newsletter and get the harbour news in your inbox.",
        "Get the Velsund Post in your inbox every morning: sign up for our newsletter.",
        "Follow Ida Lund on Twitter @idalund",
        "Contact Ida Lund at ida@velsundpost.example or follow her on Twitter: @idalund.",
        "We use cookies to improve your experience on our site.",
        "By clicking “Accept”, you agree to the storing of cookies on your device.",
        "Your email address will not be published. Required fields are marked *",
        "Save my name, email, and website in this browser for the next time I comment.",
        "© 2024 Velsund Post. All rights reserved.",
        "(Reporting by Ida Lund; editing by Ola Str)",
        "Tags: harbour, cranes, ferries",
        "12 Shares",
        "Home > News > Harbour",
        "Lesen Sie auch: Kran stürzt um",
        "Читайте также: Кран упал",
        "관련기사",
        "***",
        "Date:",
        "Source: Velsund Post",
    ],
)
def test_is_boilerplate_detects_site_lines(line: str) -> None:
    assert is_boilerplate(line)


@pytest.mark.parametrize(
    "line",
    [
        "He said he would subscribe to the newsletter of the harbour.",
        "The company will follow Facebook on Twitter’s path, analysts wrote.",
        "“Sign up for the newsletter,” Lund said, and the crowd laughed.",
        "Related companies paid the bill.",
        "Popular anger grew after the crane fell.",
        "The court ruled that cookies need consent.",
        "Share prices fell 3 percent on Tuesday.",
        "Comments by the minister drew criticism.",
        "Reuters reported the fall first.",
        "Photographs show the crane on the pier.",
        "By Tuesday the pier was open.",
        "More than 40 people watched.",
        "Date palms grow by the pier.",
        "No comment was given.",
        "Trump's Twitter account was suspended after he tweeted from the White House.",
        "Follow the money, investigators were told.",
        "Correction: An earlier version gave the wrong name for the harbour master.",
        "Source code of the crane's software was published.",
        "1. Close the pier",
        "Alaska",
    ],
)
def test_is_boilerplate_keeps_story_lines(line: str) -> None:
    assert not is_boilerplate(line)


def test_clean_removes_agency_line_but_keeps_the_place() -> None:
    assert clean("CNN —\n\nThe pier is shut.") == "The pier is shut."
    assert (
        clean("Velsund, Norway CNN —\n\nThe pier is shut.") == "Velsund, Norway — The pier is shut."
    )
    assert clean("(CNN) The pier is shut.") == "The pier is shut."
    assert clean("SEOUL (Reuters) - It is shut.") == "SEOUL (Reuters) - It is shut."


def test_clean_joins_wrapped_lines() -> None:
    folded = (
        "The harbour of Velsund was closed on Tuesday after a crane\n"
        "fell on the eastern pier, where two ships of the Nordline\n"
        "company were being loaded with timber for the south coast."
    )
    assert clean(folded) == folded.replace("\n", " ")


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("co\u00adoperate", "cooperate"),
        ("\ufeffﬁrst\u200b oﬃce", "first office"),
        ("3\u00a0000\u202fmen", "3 000 men"),
        ("donâ€™t", "don’t"),
        ("cafe\u0301", "café"),
        ("“No,” he said – …", "“No,” he said – …"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
    ],
)
def test_plain_typography_replaces_characters(raw: str, plain: str) -> None:
    assert plain_typography(raw) == plain


def test_clean_title_removes_the_site_name() -> None:
    assert clean_title("Crane falls on pier | Velsund Post") == "Crane falls on pier"
    assert (
        clean_title("Crane falls on pier - The Velsund Post", "Velsund Post")
        == "Crane falls on pier"
    )
    assert clean_title("Crane falls - two hurt", "Velsund Post") == "Crane falls - two hurt"


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [*STORY.split("\n"), *LITTER.split("\n"), "(CNN) ", "CNN —", "3 comments", "* "]
        ),
        st.text(max_size=30),
    ),
    max_size=25,
).map("\n".join)


@settings(deadline=None)
@example("Î\x1b¡")
@example("\x8dÂ\x80")
@example("Î\u200b¡")
@given(LINES)
def test_clean_is_idempotent(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert "\n\n\n" not in once
    assert once == once.strip()


@pytest.mark.parametrize("char", ["a: ", "/", "- ", "© ", "a/", "Sign up ", "“", "Photo by "])
def test_clean_is_fast_on_long_lines(char: str) -> None:
    clean(char * 100 + "\n" + char * 20_000)


@pytest.mark.skipif(not SEED.exists(), reason="needs ../shared/data")
def test_clean_keeps_only_the_story_of_the_scraped_page() -> None:
    text = next(SEED.glob("000_*.txt")).read_text("utf-8")
    story = clean(text, title=text.split("\n", 1)[0])
    for litter in (
        "LEAVE A REPLY",
        "Share post",
        "Popular",
        "Related",
        "Subscribe",
        "Date:",
        "enter your",
    ):
        assert litter not in story
    assert story.startswith("Is the war of aggression")
    assert story.endswith("weapons in his war.")
