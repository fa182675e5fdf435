"""HTML of the chart of matching articles over time: one button a day, week or month."""

from __future__ import annotations

from rag.retrieval.histogram import Bucket, Histogram
from ui.i18n import Texts
from ui.web.views.markup import escape

FEWEST_DATES = 3  # days, weeks or months with articles from which a chart says something


def chart_html(histogram: Histogram, texts: Texts) -> str:
    """Return the chart; "" if articles of fewer than FEWEST_DATES dates match.

    Args:
        histogram: Matching and cited articles.
        texts: Language of the labels, dates and numbers.
    """
    bars = histogram.bars
    if sum(1 for bar in bars if bar.articles) < FEWEST_DATES:
        return ""
    most = max(bar.articles for bar in bars)
    total = sum(bar.articles for bar in bars)
    first, last = bars[0].start, histogram.end(bars[-1])
    label = texts("matching_articles", count=total, when=texts.period(first, last))
    columns = "".join(_bar(bar, histogram, most, texts) for bar in bars)
    return (
        f'<figure class="bf-chart"><figcaption dir="auto">{escape(label)}</figcaption>'
        f'<div class="bf-plot"><span class="bf-most" aria-hidden="true">{texts.number(most)}</span>'
        f'<div class="bf-bars" role="group" aria-label="{escape(texts("over_time"))}">'
        f"{columns}</div>"
        f'</div><p class="bf-axis" aria-hidden="true"><span>{escape(texts.short_day(first))}</span>'
        f"<span>{escape(texts.short_day(last))}</span></p></figure>"
    )


def _bar(bar: Bucket, histogram: Histogram, most: int, texts: Texts) -> str:
    end = histogram.end(bar)
    days = f"{bar.start.date()}/{end.date()}"
    when = texts.period(bar.start, end)
    label = f"{escape(when)}&#58; {escape(texts('articles', count=bar.articles))}"
    if bar.cited:
        label += f", {escape(texts('cited_count', count=bar.cited))}"
    if not bar.articles:
        return f'<span data-days="{days}"></span>'
    height, cited = 100 * bar.articles / most, 100 * bar.cited / bar.articles
    return (
        f'<button type="button" data-days="{days}" aria-label="{label}" title="{label}" '
        f'style="--height:{height:.0f}%;--cited:{cited:.0f}%"></button>'
    )
