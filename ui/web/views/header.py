"""HTML of the page's header: coverage and last update, with a table of publishers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.i18n import Texts
from ui.web.views.markup import escape, escape_line

if TYPE_CHECKING:
    from rag.archive.stats import ArchiveStatus, PublisherStatus

MOST_PUBLISHERS = 200  # rows; a web crawl can have thousands


def header_html(status: ArchiveStatus, texts: Texts) -> str:
    """Return the line on the archive, which expands to the table of publishers."""
    if not status.articles:
        return f"<h1>Backfile</h1><p><span>{escape(texts('empty_archive'))}</span></p>"
    names = [publisher.name for publisher in status.publishers if publisher.name]
    parts = [
        texts("articles", count=status.articles),
        names[0] if len(names) == 1 else texts("publishers_count", count=len(names)),
        texts.period(status.first, status.last),
        texts("last_ingest", day=texts.moment(status.last_ingest)) if status.last_ingest else "",
    ]
    line = "".join(f'<span dir="auto">{escape(part)}</span>' for part in parts if part)
    return (
        f"<details><summary><h1>Backfile</h1>{line}</summary>"
        f"{_table(status.publishers[:MOST_PUBLISHERS], texts)}</details>"
    )


def _table(publishers: tuple[PublisherStatus, ...], texts: Texts) -> str:
    heads = "".join(
        f'<th scope="col">{escape(texts(key))}</th>'
        for key in ("publisher", "article_count", "first_day", "last_day")
    )
    rows = "".join(
        f'<tr><th scope="row" dir="auto">{escape(p.name or texts("no_publisher"))}</th>'
        f"<td>{escape(texts.number(p.articles))}</td>"
        f"<td>{escape_line(texts.day(p.first))}</td><td>{escape_line(texts.day(p.last))}</td></tr>"
        for p in publishers
    )
    caption = escape(texts("coverage"))
    return (
        f"<table><caption>{caption}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )
