"""Text of an HTML fragment in a field of a feed or an export."""

from __future__ import annotations

import re

from ingest.readers.block_text import read_blocks

_LEFT_OUT = frozenset("script style figcaption aside template head".split())
# Characters invalid in XML: lxml accepts them as numeric references, but not in text.
_NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_TAG = re.compile(r"<[!/?a-zA-Z][^<>]*>?")  # the last one may be cut


def text_of_fragment(markup: str) -> str:
    """Return the text of an HTML fragment, with a paragraph for each block."""
    from lxml import etree, html

    try:
        tree = html.fragment_fromstring(_NO_XML.sub("", markup), create_parent="div")
    except (etree.LxmlError, ValueError, AssertionError):  # "Document is empty", of "<!DOCTYPE"
        return _TAG.sub(" ", markup)
    return _NO_XML.sub("", "\n\n".join(read_blocks(tree, _LEFT_OUT)))
