"""The commands that look after an archive: what they take, and what they print of it."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import BackupError, SettingsError
from rag.schema import ALL_RIGHTS, EVERYTHING
from rag.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rag.archive.backup import Manifest
    from rag.archive.doctor import Problem
    from rag.schema import Article

SOUND, PROBLEMS = 0, 1


def add_commands(command: Callable[[str, object, str], argparse.ArgumentParser]) -> None:
    """Say which commands there are and what they take."""
    examining = command("doctor", doctor, "check the archive in every particular, and mend it")
    examining.add_argument("--repair", action="store_true", help="mend what can be mended")
    exporting = command("export", export, "write the articles as JSON lines or Parquet")
    exporting.add_argument(
        "file",
        metavar="FILE",
        help="not there yet; with .parquet as Parquet; - prints JSON lines",
    )
    exporting.add_argument(
        "--revisions", action="store_true", help="every revision, the oldest of each article first"
    )
    command("rebuild", rebuild, "make both indexes again from the record; nothing is embedded")
    reembedding = command(
        "reembed", reembed, "embed every passage with another model, while the old one answers"
    )
    what = reembedding.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--model", metavar="NAME", help="the model to answer by from then on: a folder or a name"
    )
    what.add_argument(
        "--abandon", action="store_true", help="give up what an earlier call has not finished"
    )
    backing_up = command("backup", backup, "write the archive into one file, also while it is used")
    backing_up.add_argument("file", type=Path, metavar="FILE", help="a file that is not there yet")
    restoring = command("restore", restore, "make an archive of a backup, where there is none")
    restoring.add_argument("file", type=Path, metavar="FILE", help="what `backfile backup` wrote")


def rebuild(arguments: argparse.Namespace, settings: Settings) -> int:
    """Make both indexes again, while those who read go on with the old ones."""
    from rag.archive.archive import Archive
    from ui import render

    with Archive.open(
        settings.archive, mode="write", settings=settings, missing="refuse"
    ) as archive:
        archive.rebuild_indexes()
        counts = archive.count(EVERYTHING)
    if arguments.json:
        print(render.json_text({"articles": counts.articles, "passages": counts.passages}))
    else:
        print(f"both indexes made again: {counts.passages:,} passages")
    return SOUND


def reembed(arguments: argparse.Namespace, settings: Settings) -> int:
    """Embed every passage anew; cut short, the same command goes on from there."""
    from rag.archive.archive import Archive
    from ui import progress

    # whatever is set: the archive's own model answers until the other one does
    settings = replace(settings, embedding_model=Settings().embedding_model)
    with Archive.open(settings.archive, settings=settings) as archive:
        if arguments.abandon:
            count = archive.cancel_reembed()
            _say(
                arguments, {"abandoned": count}, f"given up: the new vectors of {count:,} passages"
            )
            return SOUND
        folder = Path(arguments.model).expanduser()
        name = str(folder.resolve()) if folder.is_dir() else arguments.model
        if name == archive.status(access=ALL_RIGHTS).embedding_model:
            raise SettingsError(f"the archive is embedded with {name} already")
        try:
            done = archive.reembed(
                name, on_progress=lambda made, of: progress.tell(made, of, "passages")
            )
        except KeyboardInterrupt:
            print("what was made is kept; the same command goes on from there", file=sys.stderr)
            raise
    _say(
        arguments,
        asdict(done),
        f"embedded with {done.model}: {done.passages:,} passages in {done.seconds:,.0f} s; "
        "it answers from now on",
    )
    if done.cut and not arguments.json:
        print(
            f"{done.cut:,} of them are longer than it reads, and are found by their beginnings: "
            "articles that are ingested into a new archive are split to its measure",
            file=sys.stderr,
        )
    return SOUND


def export(arguments: argparse.Namespace, settings: Settings) -> int:
    """Write every article, to be read by `backfile ingest` word for word, or by anything else."""
    from ingest import archive_format
    from rag.archive.archive import Archive

    file = Path(arguments.file)
    part = file.with_name(f"{file.name}.part")
    with Archive.open(settings.archive, settings=settings) as archive:
        articles: Iterable[Article] = archive.articles(EVERYTHING)
        if arguments.revisions:
            articles = (
                revision.article
                for article in archive.articles(EVERYTHING)
                for revision in archive.revisions(article.id, access=ALL_RIGHTS)
            )
        if arguments.file == "-":
            archive_format.write_jsonl(articles, sys.stdout)
            return SOUND
        if file.exists():
            raise BackupError(f"{file} is there already: give the export another name")
        try:
            if file.suffix == ".parquet":
                count = archive_format.write_parquet(articles, part)
            else:
                with part.open("w", encoding="utf-8") as lines:
                    count = archive_format.write_jsonl(articles, lines)
            part.rename(file)
        except OSError as error:
            raise BackupError(f"{file} cannot be written: {error.strerror or error}") from error
        finally:
            with suppress(OSError):
                part.unlink()
    _say(arguments, {"articles": count}, f"exported: {count:,} articles")
    return SOUND


def _say(arguments: argparse.Namespace, value: dict[str, Any], line: str) -> None:
    from ui import render

    print(render.json_text(value) if arguments.json else line)


def backup(arguments: argparse.Namespace, settings: Settings) -> int:
    """Write the archive as it is at this moment into one file."""
    from rag.archive.backup import write_backup
    from rag.store.articles import ArticleStore

    record = ArticleStore(settings.archive)
    try:
        _tell_backup(arguments, "written", write_backup(record, arguments.file))
    finally:
        record.close()
    return SOUND


def restore(arguments: argparse.Namespace, settings: Settings) -> int:
    """Make an archive of a backup."""
    from rag.archive import backup

    _tell_backup(arguments, "restored", backup.restore_backup(arguments.file, settings.archive))
    return SOUND


def _tell_backup(arguments: argparse.Namespace, done: str, manifest: Manifest) -> None:
    from ui import render

    if arguments.json:
        print(render.json_text(asdict(manifest)))
    else:
        held = f"{manifest.articles:,} articles, {manifest.passages:,} passages"
        print(f"{done}: {held}, as of change {manifest.sequence}, {manifest.made}")


def doctor(arguments: argparse.Namespace, settings: Settings) -> int:
    """Check all that must hold of the archive, mend it if asked to, and say what is wrong."""
    from rag.archive.archive import Archive
    from rag.archive.doctor import find_problems, repair_archive
    from ui import render

    with Archive.open(settings.archive, settings=settings, losses="accept") as archive:
        found = find_problems(archive)
        counts = archive.count(EVERYTHING)
    left = found
    if arguments.repair and found:
        with Archive.open(
            settings.archive, mode="write", settings=settings, losses="accept"
        ) as archive:
            left = repair_archive(archive)
            counts = archive.count(EVERYTHING)
    if arguments.json:
        print(render.json_text(_value(found, left, counts)))
    else:
        for line in _lines(found, left, counts):
            print(render.terminal_text(line))
    return PROBLEMS if left else SOUND


def _lines(found: Sequence[Problem], left: Sequence[Problem], counts: Any) -> list[str]:
    mended = [problem for problem in found if problem not in left]
    lines = [
        f"{'given up' if problem.fix == 'give up' else 'mended'}: {problem.place}: {problem.what}"
        for problem in mended
        if found != left
    ]
    lines += [str(problem) for problem in left]
    if not left:
        held = f"{counts.articles:,} articles, {counts.passages:,} passages"
        lines.append(f"sound: {held}; the record and both indexes agree")
    return lines


def _value(found: Sequence[Problem], left: Sequence[Problem], counts: Any) -> dict[str, Any]:
    return {
        "sound": not left,
        "articles": counts.articles,
        "passages": counts.passages,
        "problems": [
            {"place": p.place, "what": p.what, "count": p.count, "mended": p not in left}
            for p in (*found, *(problem for problem in left if problem not in found))
        ],
    }
