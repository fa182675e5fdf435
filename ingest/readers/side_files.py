"""Files that crawlers, browsers and systems put next to articles: lists, indexes, logs, parts.

`may_hold_articles` judges a single name; the rules here compare the names in a folder. A file that
the user names is read anyway.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from pathlib import Path, PurePath, PurePosixPath

from rag.errors import BackfileError

_WARC = re.compile(r"(?i)\.w?arc(?:\.gz|\.zst)?\Z|\.wacz\Z")
_INDEX = re.compile(r"(?i)\.(?:cdxj?|idx)(?:\.gz)?\Z")
_PACKAGE = "datapackage.json"  # of WACZ (Web Archive Collection Zipped, by Webrecorder)
_PAGE = re.compile(r"(?i)\.x?html?\Z")
# Browsers' names for the folder with the parts of a saved page, in many languages.
_PARTS = re.compile(
    r"(?i)(?:[_-](?:files?|dateien|fichiers|archivos|arquivos|ficheiros|bestanden|filer|tiedostot|"
    r"pliki|soubory|súbory|fájlok|dosyalar|elemei|fails|failid|bylos|datoteke|fitxers|vti_cnf)"
    r"|\.files)\Z"
)
# Logs, reports and settings of wget, HTTrack, Heritrix and of sites, in any folder.
_SIDE_NAMES = re.compile(
    r"(?i)\A(?:robots|humans|(?:app-)?ads|security|hts-log|hts-err)\.txt\Z"
    r"|\A(?:desktop\.ini|wget-log(?:\.\d+)?|browserconfig\.xml|site\.webmanifest)\Z"
    r"|\A(?:crawl|progress-statistics|alerts|frontier\.recover|(?:runtime|nonfatal|uri)-errors)"
    r"\.log(?:\.gz)?\Z|\A(?:crawl|hosts|mimetype|processors|responsecode|seeds|frontier-summary)"
    r"-report\.txt\Z|\.cxml\Z|\Adatapackage(?:-digest)?\.json\Z"
)
_SIDE_FOLDERS = frozenset({"__macosx", "hts-cache"})


def is_side_name(name: str) -> bool:
    """Return whether a file's name alone shows that it isn't an article."""
    return bool(_SIDE_NAMES.search(name) or _INDEX.search(name))


def is_side_folder(name: str) -> bool:
    """Return whether a folder's name alone shows that it contains no articles."""
    return name.startswith(".") or name.casefold() in _SIDE_FOLDERS


def _names_on_disk(folder: str) -> Iterable[str]:
    path = Path(folder)
    return [one.name for one in path.iterdir()] if path.is_dir() else []


def filter_folder(
    folder: str,
    folders: list[str],
    names: list[str],
    *,
    names_in: Callable[[str], Iterable[str]] = _names_on_disk,
) -> tuple[list[str], list[str]]:
    """Return the subfolders to enter and the files to read of one folder.

    Args:
        folder: The path of the folder.
        folders: Names of its subfolders.
        names: Names of its files.
        names_in: Lists the names in another folder; it may raise OSError.
    """
    root = PurePath(folder)
    if is_crawl(_listing(root, names_in, names, folders)):
        warcs = [name for name in names if _WARC.search(name)]
        return [name for name in folders if name == "archive"], warcs
    if root.name == "archive" and is_crawl(_listing(root.parent, names_in)):
        return [], [name for name in names if _WARC.search(name)]
    pages = {_PAGE.sub("", name) for name in names if _PAGE.search(name)}
    entered = [
        name for name in folders if not is_side_folder(name) and not _is_parts_folder(name, pages)
    ]
    return entered, names


def side_members(members: Iterable[str]) -> set[str]:
    """Return the members of a packed file that aren't articles, judging by their neighbors."""
    folders: dict[str, set[str]] = {}
    every = [(name, PurePosixPath(name.replace("\\", "/"))) for name in members]
    for _, path in every:
        folders.setdefault(str(path.parent), set()).add(path.name)
    crawls = {root for root in _crawl_roots(folders) if is_crawl(_crawl_names(root, folders))}
    parts = {
        str(PurePosixPath(folder).with_name(name))
        for folder in {str(parent) for _, path in every for parent in path.parents}
        for name in (PurePosixPath(folder).name,)
        if _is_parts_folder(name, _pages_of(folders.get(str(PurePosixPath(folder).parent), ())))
    }
    return {
        name
        for name, path in every
        if any(str(parent) in parts for parent in path.parents)
        or (not _WARC.search(path.name) and any(str(parent) in crawls for parent in path.parents))
    }


def is_crawl(names: Collection[str]) -> bool:
    """Return whether the paths within a folder are a crawl: WARCs with their indexes."""
    warcs = any(_WARC.search(name) for name in names if name.startswith("archive/"))
    listed = _PACKAGE in names or any(
        _INDEX.search(name) for name in names if name.startswith("indexes/")
    )
    several = _PACKAGE in names and any(name.endswith(".wacz") for name in names)
    return (warcs and listed) or several


def _listing(
    root: PurePath,
    names_in: Callable[[str], Iterable[str]],
    names: Iterable[str] | None = None,
    folders: Iterable[str] = ("archive", "indexes"),
) -> set[str]:
    """Return the names in a folder and, as "archive/NAME", in a crawl's two subfolders."""
    try:
        found = {*(names_in(str(root)) if names is None else names)}
        for folder in {"archive", "indexes"}.intersection(folders):
            found |= {f"{folder}/{name}" for name in names_in(str(root / folder))}
    except BackfileError:  # a storage failed, which is no answer
        raise
    except OSError:
        return set()
    return found


def _crawl_roots(folders: dict[str, set[str]]) -> set[str]:
    beside = {str(PurePosixPath(f).parent) for f in folders if PurePosixPath(f).name == "archive"}
    return beside | {folder for folder, names in folders.items() if _PACKAGE in names}


def _crawl_names(root: str, folders: dict[str, set[str]]) -> set[str]:
    found = {*folders.get(root, ())}
    for folder in ("archive", "indexes"):
        inner = folders.get(str(PurePosixPath(root) / folder), set())
        found |= {f"{folder}/{name}" for name in inner}
    return found


def _pages_of(names: Iterable[str]) -> set[str]:
    return {_PAGE.sub("", name) for name in names if _PAGE.search(name)}


def _is_parts_folder(folder: str, pages: Collection[str]) -> bool:
    """Return whether a folder contains the parts of a saved page next to it."""
    named = _PARTS.search(folder)
    return bool(named and folder[: named.start()] in pages)
