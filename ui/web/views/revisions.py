"""HTML of an article's revisions, and of what changed between two of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from rag.sanitize import neutralize_markers
from ui.article_address import ArticleAddress
from ui.i18n import Texts
from ui.web.views.article_text import paragraph_spans
from ui.web.views.markup import escape, paragraph
from ui.word_diff import Part, diff_words, join_changes

if TYPE_CHECKING:
    from rag.schema import Article, Span
    from rag.store.revisions import Revision


def revisions_html(
    revisions: Sequence[Revision], shown: int, since: int, context: str, texts: Texts
) -> str:
    """Return the list of revisions, with buttons that show them and their changes.

    Args:
        revisions: The revisions that the reader may see, oldest first.
        shown: Number of the revision that is shown.
        since: Number of the revision that it is compared with; 0 for none.
        context: Data of each button, besides the revision.
        texts: Language of the labels.

    Returns:
        HTML; "" if there is only one revision.
    """
    if len(revisions) < 2:
        return ""
    before = {new.article.revision: old.article.revision for old, new in pairwise(revisions)}
    items = []
    for one in revisions:
        number = one.article.revision
        path = escape(ArticleAddress(one.article.id, revision=number).path)
        words = escape(texts("revision", number=number, day=texts.moment(one.added)))
        data = f'type="button" data-address="{path}" {context}'
        is_shown = number == shown and not since
        shown_as = f"<span>{words}</span>" if is_shown else f"<button {data}>{words}</button>"
        if number in before and not (number == shown and since == before[number]):
            shown_as += (
                f'<button {data} data-since="{before[number]}" '
                f'aria-label="{escape(texts("changes_in", number=number))}">'
                f"{escape(texts('show_changes'))}</button>"
            )
        current = ' aria-current="true"' if is_shown else ""
        items.append(f"<li{current}>{shown_as}</li>")
    heading = escape(texts("revisions", count=len(revisions)))
    return (
        '<section class="bf-revisions" id="bf-revisions" aria-labelledby="bf-revisions-title">'
        f'<h3 id="bf-revisions-title" tabindex="-1">{heading}</h3><ol>{"".join(items)}</ol>'
        "</section>"
    )


def changes_html(before: Article, after: Article, texts: Texts) -> str:
    """Return what changed from one revision to another, with unchanged paragraphs left out.

    Args:
        before: The earlier revision.
        after: The later revision.
        texts: Language of the labels.

    Returns:
        Paragraphs with the removed words in `<del>` and the added words in `<ins>`.
    """
    old, new = before.revision, after.revision
    said = [paragraph(escape(texts("changes_between", before=old, after=new)), "bf-quiet")]
    if before.title != after.title:
        title = _compare(before.title, after.title)
        said.append(f'<h3 dir="auto">{"".join(_marked(part, texts) for part in title)}</h3>')
    paragraphs = _paragraphs(_compare(before.text, after.text))
    for is_same, group in groupby(paragraphs, _is_unchanged):
        blocks = list(group)
        if is_same:
            left_out = texts("unchanged_paragraphs", count=len(blocks))
            said.append(paragraph(f"⋯ {escape(left_out)}", "bf-quiet"))
        else:
            said += [_block(block, texts) for block in blocks]
    if before.title == after.title and before.text == after.text:
        said = [paragraph(escape(texts("no_changes", before=old, after=new)), "bf-quiet")]
    return f'<div class="bf-changes">{"".join(said)}</div>'


def _compare(before: str, after: str) -> Iterator[Part]:
    return join_changes(diff_words(neutralize_markers(before), neutralize_markers(after)))


def _paragraphs(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """Yield the parts of each paragraph: a blank line in a part ends one."""
    block: list[Part] = []
    for kind, text in parts:
        spans: list[Span] = list(paragraph_spans(text))
        reached = 0
        for span in spans:
            if block and "\n\n" in text[reached : span.start]:
                yield block
                block = []
            block.append((kind, text[span.start : span.end]))
            reached = span.end
        if block and "\n\n" in text[reached:]:
            yield block
            block = []
    if block:
        yield block


def _is_unchanged(block: Sequence[Part]) -> bool:
    return all(kind == "same" for kind, _ in block)


def _block(block: Sequence[Part], texts: Texts) -> str:
    return f'<p dir="auto">{"".join(_marked(part, texts) for part in block)}</p>'


def _marked(part: Part, texts: Texts) -> str:
    """Return words, marked for the eye and named for screen readers if they were changed."""
    kind, text = part
    if kind == "same":
        return escape(text)
    tag, key = ("del", "removed_words") if kind == "removed" else ("ins", "added_words")
    label = f'<span class="bf-unseen">{escape(texts(key))} </span>'
    bare = text.rstrip()
    return f"<{tag}>{label}{escape(bare)}</{tag}>{escape(text[len(bare) :]) or ' '}"
