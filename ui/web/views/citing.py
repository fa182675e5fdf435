"""HTML of citation numbers: links to the source cards, with a preview of the quotation."""

from __future__ import annotations

import textwrap

from rag.schema import Citation, Statement
from ui.article_address import ArticleAddress
from ui.render import article_reference
from ui.web.views.markup import escape, escape_line

LONGEST_PREVIEW = 320  # characters of a quotation shown while its number is hovered over


def citation_links(statement: Statement, turn: int, place: int) -> str:
    """Return the citation numbers of a statement, each a link to its card.

    Args:
        statement: The statement.
        turn: Number of the turn, from 1.
        place: Number of the statement in its answer, from 1.
    """
    cited = {citation.number: citation for citation in statement.citations}
    return "".join(f"&#160;{_link(citation, turn, place)}" for citation in cited.values())


def _link(citation: Citation, turn: int, place: int) -> str:
    number = citation.number
    address = ArticleAddress.of_span(citation.passage, citation.start, citation.end)
    source = escape_line(article_reference(citation.metadata))
    quote = escape_line(textwrap.shorten(citation.quote, LONGEST_PREVIEW, placeholder=" …"))
    return (
        f'<a class="bf-cite" id="turn-{turn}-said-{place}-{number}" '
        f'href="#turn-{turn}-card-{number}" data-source="{source}" data-quote="{quote}" '
        f'data-address="{escape(address.path)}" aria-label="{number}&#58; {source}">{number}</a>'
    )
