"""`backfile check`: check a draft against the archive."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from rag.errors import BackfileError
from rag.settings import Settings
from ui.cli.command import Example, ExitCode, ManualPage
from ui.cli.options import DATES, Date, PathName, archive_options


@click.command(
    cls=ManualPage,
    notes=[
        (
            "Outcomes",
            "supported: an article says it. partly: an article says some of it, or only as "
            "somebody's words. contradicted: an article says otherwise. not in the archive: no "
            "article has anything close to it. no claim: a question, a heading, an opinion. "
            "not checked: the text was too long, or is in another language than the articles.",
        ),
        DATES,
    ],
    examples=[
        Example("Check a draft", "backfile check draft.txt"),
        Example(
            "Check a text from standard input, and print JSON",
            "backfile check --json - < draft.txt",
        ),
    ],
)
@click.argument("file", type=PathName(), metavar="FILE|-")
@click.option(
    "--written-on",
    type=Date(),
    metavar="DATE",
    help="Day of the draft.  [default: now]",
)
@click.option(
    "--as-of",
    type=Date(),
    metavar="DATE",
    help="Check against what had been ingested by the end of this day.",
)
@archive_options
def check(
    file: Path,
    written_on: datetime | None,
    as_of: datetime | None,
    settings: Settings,
    as_json: bool,
) -> int:
    """Check a draft: what the archive says about each of its sentences.

    FILE is plain text or Markdown; - reads standard input. Each sentence is printed with its
    outcome and the passages that decide it. An entailment model (BACKFILE_NLI_MODEL), if there is
    one, reads what exact comparison leaves open.
    """
    draft = _read(file)
    from rag.schema import EVERYTHING
    from ui import checked_text, opening, render
    from ui.i18n import texts_in

    with opening.open_chatbot(settings) as (_, chatbot):
        # Users of the command line operate the archive, and may read all of it.
        checked = chatbot.check(
            draft, filters=EVERYTHING, written_on=written_on, as_of=as_of, seconds=float("inf")
        )
    if as_json:
        print(render.json_text(checked_text.check_value(checked)))
    else:
        print(checked_text.plain(checked, texts_in("en")))
    return ExitCode.DONE


def _read(file: Path) -> str:
    if str(file) == "-":
        return sys.stdin.read()
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BackfileError(
            f"Cannot read {file}: it is not text in UTF-8. Save it as plain text."
        ) from error
    except OSError as error:
        raise BackfileError(f"Cannot read {file}: {error.strerror}. Check the name.") from error
