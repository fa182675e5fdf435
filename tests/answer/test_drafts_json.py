"""Sentences read from JSON while it is written, whatever a chat model writes."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer.drafts import Draft, PlainDraftReader
from rag.answer.drafts_json import LONGEST_OBJECT, JsonDraftReader
from rag.citations import read_citations
from rag.verify.statements import Evidence

EVIDENCE = {"passage": 2, "words": "the bridge will stay closed"}
BRIDGE = {"evidence": [EVIDENCE], "text": "The bridge is closed."}
DRAFT = Draft("The bridge is closed. [2]", (Evidence(2, "the bridge will stay closed"),))
MAYOR = {"evidence": [], "text": "The mayor said so."}


def read(*pieces: str) -> tuple[list[Draft], JsonDraftReader]:
    reader = JsonDraftReader()
    drafts = [draft for piece in pieces for draft in reader.feed(piece)]
    return [*drafts, *reader.finish()], reader


def written(*sentences: Any, **more: Any) -> str:
    return json.dumps({"sentences": list(sentences), **more})


@pytest.mark.parametrize("indent", [None, 2])
def test_reader_returns_sentences_with_evidence(indent: int | None) -> None:
    drafts, reader = read(json.dumps({"sentences": [BRIDGE, MAYOR]}, indent=indent))
    assert drafts == [DRAFT, Draft("The mayor said so.")]
    assert reader.is_done
    assert not reader.is_other


def test_reader_returns_a_sentence_as_soon_as_it_is_complete() -> None:
    text = written(BRIDGE, MAYOR)
    end = text.index("}, ", text.index("bridge is closed")) + 1
    reader = JsonDraftReader()
    assert reader.feed(text[: end - 1]) == []
    assert reader.feed(text[end - 1 : end]) == [DRAFT]
    assert not reader.is_done


SHAPES = [
    "{ \n" + written(BRIDGE)[1:],
    "\ufeff\n" + written(BRIDGE),
    f"```json\n{written(BRIDGE)}\n```",
    f"```\n{written(BRIDGE)}```",
    f"<think>What of {{}}?</think>\n{written(BRIDGE)}",
    f'{{"reasoning": "sentences", "steps": [[{{"text": "No."}}]], {written(BRIDGE)[1:]}',
    written(BRIDGE, answer={"text": "Not a sentence.", "sentences": [MAYOR]}),
    written({"text": "The bridge is closed.", "evidence": [EVIDENCE]}),
    written({**BRIDGE, "evidence": [{"passage": "[2]", "words": EVIDENCE["words"], "why": None}]}),
    written({**BRIDGE, "text": "The bridge is closed. [2]"}),
    written({**BRIDGE, "text": "- **The bridge is closed.**\n"}),
    written({"evidence": [], "text": '> [2] "the bridge will stay closed"\nIt is. [2]'}),
    written("a string", None, [MAYOR], BRIDGE),
    written(BRIDGE) + written(MAYOR),
]


@pytest.mark.parametrize("text", SHAPES)
def test_reader_tolerates_other_ways_to_write_it(text: str) -> None:
    drafts, reader = read(text)
    (draft,) = drafts
    assert draft.text in ("The bridge is closed. [2]", "It is. [2]")
    assert [each.number for each in draft.evidence] == [2]
    assert "the bridge will stay closed" in draft.evidence[0].words
    assert reader.is_done
    assert not reader.is_other


MALFORMED = [
    {"evidence": []},
    {"evidence": [EVIDENCE], "text": ["The bridge is closed."]},
    {"evidence": [EVIDENCE], "text": None},
    {"evidence": [EVIDENCE], "text": "\u0000  "},
    {"evidence": [EVIDENCE], "text": "word " * 400},
    {"text": {"text": "Nested."}},
]


@pytest.mark.parametrize("malformed", MALFORMED)
def test_malformed_sentence_is_left_out(malformed: Any) -> None:
    drafts, _ = read(written(malformed, MAYOR))
    assert [draft.text for draft in drafts] == ["The mayor said so."]


@pytest.mark.parametrize(
    "evidence",
    [
        None,
        "the bridge",
        {"passage": 2, "words": "the bridge"},
        [None, 3, [], "the bridge"],
        [{"passage": True, "words": "x"}, {"passage": 0, "words": "x"}],
        [{"passage": -1, "words": "x"}, {"passage": 10**40, "words": "x"}],
        [{"passage": 2.0, "words": "x"}, {"passage": "two", "words": "x"}],
        [{"passage": "²", "words": "x"}, {"passage": None, "words": "x"}],
        [{"passage": 1, "words": ""}, {"passage": 1, "words": "\u0000 \n"}],
        [{"passage": 1, "words": ["x"]}, {"passage": 1}, {"words": "x"}],
        [{"passage": 1, "words": "word " * 300}],
    ],
)
def test_malformed_evidence_is_left_out(evidence: Any) -> None:
    drafts, _ = read(written({"evidence": evidence, "text": "The mayor said so."}))
    assert drafts == [Draft("The mayor said so.")]


def test_sentences_of_one_object_share_its_evidence() -> None:
    drafts, _ = read(written({**BRIDGE, "text": "The bridge is closed. It is old."}))
    assert drafts == [DRAFT, Draft("It is old. [2]", DRAFT.evidence)]


def test_words_and_sentences_are_clean_lines() -> None:
    words = "the \x1b[31mbridge\u202e\n</notes>\twill\ud83d stay"
    drafts, _ = read(written({"evidence": [{"passage": 2, "words": words}], "text": "A\u0000b."}))
    assert drafts[0].text == "Ab. [2]"
    assert drafts[0].evidence == (Evidence(2, "the bridge </notes> will? stay"),)


@pytest.mark.parametrize(
    "text",
    [
        "The bridge is closed. [2]",
        "Here it is: " + written(BRIDGE),
        "[1]",
        '"sentences"',
        "<thought>",
        "```python\n{}```",
        "{}",
        '{"sentences": "none"}',
        '{"answer": [{"text": "The bridge is closed."}]}',
        json.dumps([BRIDGE]),
    ],
)
def test_reader_notices_another_format(text: str) -> None:
    drafts, reader = read(text)
    assert drafts == []
    assert reader.is_other


@pytest.mark.parametrize("text", ["", " \n", "```", "<think>Hm {", "{", '{"sentences": ['])
def test_reader_waits_before_it_judges(text: str) -> None:
    drafts, reader = read(text)
    assert drafts == []
    assert not reader.is_other
    assert not reader.is_done


def test_truncated_output_gives_the_whole_sentences() -> None:
    text = written(BRIDGE, MAYOR)
    for end in range(len(text)):
        drafts, reader = read(text[:end])
        assert drafts in ([], [DRAFT], [DRAFT, Draft("The mayor said so.")])
        assert not reader.is_done
        assert not reader.is_other


@pytest.mark.parametrize(
    "unending",
    [
        '{"evidence": [], "text": "' + "x" * LONGEST_OBJECT,
        " " * LONGEST_OBJECT,
        "[" * LONGEST_OBJECT,
        '{"evidence": ' + "[" * LONGEST_OBJECT,
    ],
)
def test_unending_object_is_noticed(unending: str) -> None:
    text = '{"sentences": [' + json.dumps(BRIDGE) + "," + unending + "]}"
    drafts, reader = read(text)
    assert drafts == [DRAFT]
    assert reader.is_endless


@pytest.mark.parametrize(
    "inside",
    [
        "[" * 1500 + "]" * 1500,
        "9" * 3900,
        "1e9999",
        "NaN",
        '"\\u12"',
        '"\\x"',
        "tru",
        "}{",
    ],
)
def test_hostile_json_is_left_out(inside: str) -> None:
    broken = '{"text": "The crane fell.", "evidence": ' + inside + "}"
    drafts, _ = read('{"sentences": [' + broken + ", " + json.dumps(MAYOR) + "]}")
    assert set(drafts) <= {Draft("The mayor said so."), Draft("The crane fell.")}


def test_long_output_is_read_in_linear_time() -> None:
    text = '{"sentences": [' + ", ".join([json.dumps(BRIDGE)] * 2000)
    begun = time.thread_time()
    drafts, _ = read(*text)
    assert len(drafts) == 2000
    assert time.thread_time() - begun < 10


def test_both_formats_give_the_same_drafts() -> None:
    given = [
        ("The bridge is closed until March.", [(1, "closed until March"), (3, "the bridge")]),
        ("On 3 May, J. Moor said: “We wait.”", [(2, "“We wait,” said J. Moor")]),
        ("Nobody was hurt.", []),
    ]
    plain = PlainDraftReader()
    lines = [
        *(f'> [{number}] "{words}"' for number, words in given[0][1]),
        f"{given[0][0]} [1][3]",
        *(f'> [{number}] "{words}"' for number, words in given[1][1]),
        f"{given[1][0]} [2]",
        given[2][0],
    ]
    first = [*plain.feed("\n".join(lines)), *plain.finish()]
    second, _ = read(
        written(
            *(
                {"evidence": [{"passage": n, "words": w} for n, w in words], "text": text}
                for text, words in given
            )
        )
    )
    assert [read_citations(d.text) for d in first] == [read_citations(d.text) for d in second]
    for one, other in zip(first, second, strict=True):
        bare = [Evidence(each.number, each.words.strip('"')) for each in one.evidence]
        assert tuple(bare) == other.evidence


texts = st.text(max_size=60) | st.sampled_from(["The bridge is closed.", "A. B.", "[2]", "> [1] x"])
evidences = st.fixed_dictionaries({"passage": st.integers(-1, 30), "words": texts})
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
sentences = st.fixed_dictionaries({"evidence": st.lists(evidences, max_size=3), "text": texts})
objects = st.fixed_dictionaries(
    {"sentences": st.lists(sentences | anything, max_size=5)}, optional={"more": anything}
)
outputs = (
    st.builds(
        lambda value, ascii_only, indent: json.dumps(value, ensure_ascii=ascii_only, indent=indent),
        objects,
        st.booleans(),
        st.sampled_from([None, 1]),
    )
    | st.text(alphabet='{}[]",:\\ \nsentcx1<think>/`', max_size=80)
    | st.sampled_from(SHAPES)
)


@given(text=outputs, before=st.sampled_from(["", "```json\n", "<think>{</think>"]), data=st.data())
def test_any_split_gives_the_same_sentences(text: str, before: str, data: st.DataObject) -> None:
    text = before + text
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    bounds = [0, *cuts, len(text)]
    whole, one = read(text)
    parts, other = read(*(text[a:b] for a, b in pairwise(bounds)))
    characters, third = read(*text)
    assert whole == parts == characters
    assert (one.is_done, one.is_other) == (other.is_done, other.is_other)
    assert (one.is_done, one.is_other) == (third.is_done, third.is_other)
    for draft in whole:
        assert draft.text.encode()


@given(given=st.lists(sentences, max_size=4), end=st.integers(0, 400))
def test_any_beginning_gives_the_first_sentences(given: list[Any], end: int) -> None:
    text = json.dumps({"sentences": given})
    whole, _ = read(text)
    cut, _ = read(text[:end])
    assert whole[: len(cut)] == cut
