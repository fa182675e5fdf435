"""HTML of saved searches and dossiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.archive.dossiers import DossierPassage
from rag.store.dossiers import LONGEST_NOTE, Dossier
from rag.store.saved_searches import SavedSearch
from ui.article_address import ArticleAddress
from ui.i18n import Texts
from ui.web.browse_request import browse_from_filters
from ui.web.state import AskRequest
from ui.web.views.cards import source_html
from ui.web.views.chips import filter_words
from ui.web.views.markup import attribute, escape, escape_line, paragraph


@dataclass(frozen=True, slots=True)
class CountedSearch:
    """Saved search with the number of articles that came in since it was last looked at."""

    search: SavedSearch
    new: int


@dataclass(frozen=True, slots=True)
class OpenDossier:
    """Dossier that is open, its passages in order, and the last removed one for undoing."""

    dossier: Dossier
    passages: tuple[DossierPassage, ...]
    removed: tuple[DossierPassage, ...] = ()


def searches_html(
    searches: Sequence[CountedSearch], deleted: Sequence[SavedSearch], texts: Texts
) -> str:
    """Return the saved searches with their new articles, and the last deleted one for undoing."""
    items = "".join(_search(one, texts) for one in searches)
    body = (
        f"<ul>{items}</ul>" if items else paragraph(escape(texts("no_saved_searches")), "bf-quiet")
    )
    undo = _undo("restore-search", deleted[0].id, deleted[0].name, texts) if deleted else ""
    return f"<h2>{escape(texts('saved_searches'))}</h2>{body}{undo}"


def rail_html(searches: Sequence[CountedSearch], texts: Texts) -> str:
    """Return the saved searches for the rail, with their counts of new articles."""
    if not searches:
        return ""
    items = "".join(
        f"<li>{_open_button(one.search)}{_count(one.new, texts)}</li>" for one in searches
    )
    return f"<h2>{escape(texts('saved_searches'))}</h2><ul>{items}</ul>"


def _open_button(search: SavedSearch) -> str:
    """Return the button that opens a search; one of filters alone has its address under Browse."""
    asked = None if search.query else browse_from_filters(search.filters)
    link = f' data-link="{attribute(asked.link)}"' if asked else ""
    return (
        f'<button type="button" data-do="open-search" data-id="{search.id}"{link} dir="auto">'
        f"{escape_line(search.name)}</button>"
    )


def _count(new: int, texts: Texts) -> str:
    if not new:
        return ""
    words = escape(texts("new_articles", count=new))
    return f'<span class="bf-new" title="{words}">{texts.number(new)}</span>'


def _search(one: CountedSearch, texts: Texts) -> str:
    search = one.search
    name, asked = escape_line(search.name), AskRequest(search.query, search.filters)
    facts = [texts(f"mode_{search.mode}"), search.query, *filter_words(asked, texts)]
    new = escape(texts("new_articles", count=one.new)) if one.new else escape(texts("nothing_new"))
    buttons = _buttons(
        search.id,
        search.name,
        ("feed-address", texts("feed_address")),
        ("rename-search", texts("rename")),
        ("delete-search", texts("remove")),
    )
    return (
        f'<li data-name="{name}"><div>{_open_button(search)}'
        f"{paragraph(escape_line(' · '.join(filter(None, facts))), 'bf-quiet')}</div>"
        f'<span class="{"bf-new" if one.new else "bf-quiet"}">{new}</span>{buttons}</li>'
    )


def _buttons(target: str, name: str, *actions: tuple[str, str]) -> str:
    """Return buttons for an item, which screen readers tell apart by its name."""
    return "".join(
        f'<button type="button" data-do="{action}" data-id="{escape(target)}" '
        f'aria-label="{escape(words)}&#58; {escape_line(name)}">{escape(words)}</button>'
        for action, words in actions
    )


def _undo(action: str, target: str, name: str, texts: Texts) -> str:
    return (
        f'<p class="bf-undo" role="status"><span dir="auto">{escape(texts("deleted"))} '
        f"{escape_line(name)}</span>{_buttons(target, name, (action, texts('undo')))}</p>"
    )


def dossiers_html(
    dossiers: Sequence[Dossier],
    deleted: Sequence[Dossier],
    opened: OpenDossier | None,
    texts: Texts,
) -> str:
    """Return the dossiers, and the passages of the open one.

    Args:
        dossiers: The dossiers.
        deleted: Deleted dossiers, the last deleted first.
        opened: The open dossier, if any.
        texts: Language of the labels.
    """
    heading = f"<h2>{escape(texts('dossiers'))}</h2>"
    create = (
        f'<p><button type="button" class="bf-button" data-do="create-dossier" data-id="">'
        f"{escape(texts('new_dossier'))}</button></p>"
    )
    items = "".join(_dossier(one, opened, texts) for one in dossiers)
    undo = _undo("restore-dossier", deleted[0].id, deleted[0].name, texts) if deleted else ""
    nothing = paragraph(escape(texts("no_dossiers")), "bf-quiet")
    listed = f"<ul>{items}</ul>" if items else nothing
    return f"{heading}{listed}{undo}{create}{_passages(opened, texts)}"


def _dossier(dossier: Dossier, opened: OpenDossier | None, texts: Texts) -> str:
    here = ' aria-current="true"' if opened and opened.dossier.id == dossier.id else ""
    name = escape_line(dossier.name)
    buttons = _buttons(
        dossier.id,
        dossier.name,
        ("word", "Word"),
        ("pdf", "PDF"),
        ("markdown", "Markdown"),
        ("rename-dossier", texts("rename")),
        ("delete-dossier", texts("remove")),
    )
    return (
        f'<li data-name="{name}"><div><button type="button" data-do="open-dossier" '
        f'data-id="{dossier.id}" dir="auto"{here}>{name}</button></div>{buttons}</li>'
    )


def _passages(opened: OpenDossier | None, texts: Texts) -> str:
    if opened is None:
        return ""
    last = len(opened.passages) - 1
    items = "".join(_passage(one, place, last, texts) for place, one in enumerate(opened.passages))
    undo = "".join(_undo("restore-passage", one.id, _title(one), texts) for one in opened.removed)
    name = escape_line(opened.dossier.name)
    nothing = paragraph(escape(texts("empty_dossier")), "bf-quiet")
    return (
        f'<section class="bf-dossier" data-dossier="{opened.dossier.id}"><h3 dir="auto">{name}</h3>'
        f"{f'<ol>{items}</ol>' if items else nothing}{undo}</section>"
    )


def _title(one: DossierPassage) -> str:
    return (one.metadata.title if one.metadata else "") or one.article_id


def _passage(one: DossierPassage, place: int, last: int, texts: Texts) -> str:
    head, title = one.metadata, escape_line(_title(one))
    quote = f'<blockquote dir="auto">{escape(one.quote)}</blockquote>' if one.quote else ""
    state = "" if one.state == "current" else texts(f"passage_{one.state}")
    moves = [("up", texts("move_up"), place > 0), ("down", texts("move_down"), place < last)]
    buttons = _buttons(
        one.id,
        _title(one),
        *((action, words) for action, words, possible in moves if possible),
        ("remove-passage", texts("remove")),
    )
    label = escape(texts("note"))
    return (
        f'<li><div><b dir="auto">{_linked(one, title)}</b>'
        f"{source_html(head, texts) if head else ''}{quote}"
        f"{paragraph(escape(state), 'bf-quiet') if state else ''}"
        f'<label><span class="bf-unseen">{label}&#58; {title}</span>'
        f'<textarea data-note="{escape(one.id)}" rows="1" maxlength="{LONGEST_NOTE}" dir="auto" '
        f'placeholder="{label}">{escape(one.note)}</textarea></label></div>'
        f"{buttons}</li>"
    )


def _linked(one: DossierPassage, title: str) -> str:
    """Return the title of a passage, which leads to its place while the archive has it."""
    if one.current is None:
        return title
    address = ArticleAddress(one.article_id, one.start, one.end, one.revision)
    return f'<a href="{escape(address.path)}">{title}</a>'
