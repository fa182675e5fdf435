"""`backfile export`: the articles as JSON lines or Parquet."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag.errors import BackupError
from rag.schema import ALL_RIGHTS, EVERYTHING
from rag.settings import Settings
from ui.cli.command import Example, ExitCode, ManualPage
from ui.cli.options import SourceName, archive_options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rag.schema import Article


@click.command(
    cls=ManualPage,
    examples=[
        Example("Export as JSON lines", "backfile export articles.jsonl"),
        Example("Export every revision as Parquet", "backfile export all.parquet --revisions"),
        Example(
            "Count the articles of each publisher",
            "backfile export - | jq .publisher | sort | uniq -c",
        ),
    ],
)
@click.argument(
    "file",
    type=SourceName(),
    help="The file to write, which must not exist yet. If its name ends in .parquet it is written "
    "as Parquet; - prints JSON lines.",
)
@click.option(
    "--revisions", is_flag=True, help="Export every revision, oldest first within each article."
)
@archive_options
def export(file: str, revisions: bool, settings: Settings, as_json: bool) -> int:
    """Export all articles to a file.

    Ingesting the file into another archive gives the same articles, word for word; with
    `--revisions`, also their earlier revisions.
    """
    from ingest import export_format
    from rag.archive.archive import Archive

    with Archive.open(settings.archive, settings=settings) as archive:
        articles: Iterable[Article] = archive.articles(EVERYTHING)
        if revisions:
            articles = (
                revision.article
                for article in archive.articles(EVERYTHING)
                for revision in archive.revisions(article.id, access=ALL_RIGHTS)
            )
        if file == "-":
            export_format.write_jsonl(articles, sys.stdout)
            return ExitCode.DONE
        count = write_articles(articles, Path(file))
    from ui import render
    from ui.cli.operator import record_command

    record_command(settings, "export", what="articles", count=count)

    print(render.json_text({"articles": count}) if as_json else f"exported: {count:,} articles")
    return ExitCode.DONE


def write_articles(articles: Iterable[Article], file: Path) -> int:
    """Write articles to a new file, which appears once it is complete; return their number.

    Args:
        articles: The articles.
        file: A path that ends in .parquet or .csv; any other gets JSON lines.

    Raises:
        BackupError: The file exists, or can't be written.
    """
    from ingest import export_format

    if file.exists():
        raise BackupError(f"{file} exists already. Choose another name for the export.")
    part = file.with_name(f"{file.name}.part")
    try:
        if file.suffix == ".parquet":
            count = export_format.write_parquet(articles, part)
        elif file.suffix == ".csv":
            with part.open("w", encoding="utf-8-sig", newline="") as rows:
                count = export_format.write_csv(articles, rows)
        else:
            with part.open("w", encoding="utf-8") as lines:
                count = export_format.write_jsonl(articles, lines)
        part.rename(file)
    except OSError as error:
        raise BackupError(f"Cannot write {file}: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            part.unlink()
    return count
