"""Block text of wire items and HTML fragments: every word once, in order."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from ingest.readers.block_text import read_blocks
from ingest.readers.html.fragments import text_of_fragment
from tests.readers.test_iptc import NINJS, g2, nitf, read_article
from tests.support.example_counts import example_count

BODIES = {
    "<p>One fell here.<br/>Second line.</p>": ["One fell here.", "Second line."],
    "Bare text of it.<p>A paragraph.</p>Bare tail.": [
        "Bare text of it.",
        "A paragraph.",
        "Bare tail.",
    ],
    "<p>He named:<ul><li>a crane<ul><li>of 1962</li></ul></li><li>a pier</li></ul>and left.</p>": [
        "He named:",
        "a crane",
        "of 1962",
        "a pier",
        "and left.",
    ],
    "<block>Lead of it.<p>More <em>of</em> it</p><hl2>Head</hl2>tail</block>": [
        "Lead of it.",
        "More of it",
        "Head",
        "tail",
    ],
    "<table><tr><th>Ship</th><th>Tons</th></tr><tr><td>Ida</td><td><p>12</p></td></tr></table>": [
        "Ship | Tons",
        "Ida | 12",
    ],
    "<table><tr><td><p>A layout cell.</p><p>Of two.</p></td><td>Side</td></tr></table>": [
        "A layout cell.",
        "Of two.",
        "Side",
    ],
    "<p>A <person>Ida <x-role>Lund</x-role></person> of <org>Post</org>.</p>": [
        "A Ida Lund of Post.",
    ],
    "<x-part>One part.</x-part><x-part>Another.</x-part>": ["One part.", "Another."],
    "<p><frac><frac-num>1</frac-num><frac-den>2</frac-den></frac> a ton</p>": ["1/2 a ton"],
    "<dl><dt>Pier</dt><dd>Shut.</dd></dl><bq>A quote.<credit>Ida</credit></bq>": [
        "Pier",
        "Shut.",
        "A quote.",
        "Ida",
    ],
    "<p>Before<media><media-caption>No</media-caption></media>after.</p>": ["Before after."],
    "<pre>   A wire text that\nis folded.\n   Its second.</pre>": [
        "A wire text that\nis folded.",
        "Its second.",
    ],
}


@pytest.mark.parametrize(("markup", "blocks"), BODIES.items())
def test_read_blocks_keeps_every_text_node(markup: str, blocks: list[str]) -> None:
    assert read_blocks(etree.fromstring(f"<body.content>{markup}</body.content>")) == blocks


@pytest.mark.parametrize("markup", [m for m in BODIES if "frac" not in m and "pre" not in m])
def test_readers_keep_every_word_of_a_body(tmp_path: Path, markup: str) -> None:
    words = " ".join(BODIES[markup]).split()
    for content in (nitf(body=markup), g2(body=markup)):
        assert read_article(tmp_path / "a", content).text.split() == words
    if "media" not in markup:  # of XHTML it is no element
        ninjs = json.dumps(NINJS | {"body_xhtml": f"<div>{markup}</div>"})
        assert read_article(tmp_path / "a", ninjs).text.split() == words


def test_nitf_reads_every_body_content_and_no_head(tmp_path: Path) -> None:
    several = nitf().replace("</body.content>", "</body.content><body.content>Last.</body.content>")
    assert read_article(tmp_path / "a", several).text.endswith("said.\n\nLast.")
    bare = re.sub("</?body.content>", "", nitf(body="Bare body text."))
    assert read_article(tmp_path / "a", bare).text == "Bare body text."


def test_text_of_fragment_parts_bare_text_from_blocks() -> None:
    assert text_of_fragment("It fell here.<p>Second.</p>tail<section>Third.</section>") == (
        "It fell here.\n\nSecond.\n\ntail\n\nThird."
    )
    assert text_of_fragment("<td>Ship</td><td>Tons</td>").split() == ["Ship", "Tons"]


TAGS = "p hl2 ul li em br table tr td block bq person x-unknown div pre dl dd frac-den q".split()
TREES = st.recursive(
    st.tuples(st.sampled_from(TAGS), st.booleans(), st.booleans(), st.just(())),
    lambda inner: st.tuples(
        st.sampled_from(TAGS), st.booleans(), st.booleans(), st.lists(inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=example_count(150))
@given(st.lists(TREES, max_size=4))
def test_read_blocks_gives_each_word_once_in_order(trees: list[object]) -> None:
    words: list[str] = []

    def word() -> str:
        words.append(f"w{len(words)}x")
        return f" {words[-1]} "

    def built(parent: etree._Element, tree: object) -> None:
        tag, has_text, has_tail, inner = tree  # type: ignore[misc]
        element = etree.SubElement(parent, tag)
        element.text = word() if has_text else None
        for one in inner:
            built(element, one)
        element.tail = word() if has_tail else None

    root = etree.Element("body.content")
    for tree in trees:
        built(root, tree)
    assert re.findall(r"w\d+x", " ".join(read_blocks(root))) == words
