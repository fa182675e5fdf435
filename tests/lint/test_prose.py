"""The lint of prose refuses what it should, and passes on this source tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lint import prose


def _write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _found(root: Path) -> list[str]:
    return [str(one) for one in prose.check(root)]


@pytest.mark.slow
def test_check_passes_on_this_tree() -> None:
    assert _found(prose.ROOT) == []


def test_every_allowed_use_exists() -> None:
    for path, word in prose.ALLOWED:
        assert word in (prose.ROOT / path).read_text(encoding="utf-8").lower()


@pytest.mark.parametrize(
    "name", ["rag/a.py", "ui/i18n/en.po", "ui/a.json", "docs/index.md", "README.md"]
)
def test_archaic_phrases_are_found_in_all_text(tmp_path: Path, name: str) -> None:
    _write(tmp_path, name, 'fine = 1\ntext = "This is not borne out."\n')
    assert _found(tmp_path) == [f"{name}:2: borne out -> supported"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ui/i18n/en.po", 'msgstr "Say what to look for."'),
        ("ui/web/assets/a.js", "say('TIME left aside')"),
        ("rag/a.py", 'fail("The page asks for "\n     "money")'),
        ("rag/a.py", "x = 1  # this asks for\n       # money"),
        ("docs/index.md", "Look after\nit"),
        ("CHANGELOG.md", "* It is no page of HTML."),
    ],
)
def test_old_phrases_are_found_over_lines(tmp_path: Path, name: str, text: str) -> None:
    _write(tmp_path, name, f"\n{text}\n")
    (found,) = prose.check(tmp_path)
    assert (found.path, found.line) == (name, 2)


@pytest.mark.parametrize("name", ["ingest/sample/a.md", "tests/a.py", "rag/a.bin"])
def test_articles_tests_and_data_are_not_read(tmp_path: Path, name: str) -> None:
    _write(tmp_path, name, "Whoever comes, it is not borne out.\n")
    assert _found(tmp_path) == []


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ('"""Return the holdings."""', "holdings"),
        ("x = 1  # one telling of a story", "one telling"),
        ("x = 1  # articles that were Taken Back", "Taken Back"),
        ('"""Remove litter from a page."""', "litter"),
        ("# at most top_k of them", "top_k"),
        ('"""Return the head of an article."""', "head"),
    ],
)
def test_off_house_words_are_found_in_prose(tmp_path: Path, line: str, word: str) -> None:
    _write(tmp_path, "rag/a.py", f"{line}\n")
    (found,) = _found(tmp_path)
    assert found.startswith(f"rag/a.py:1: {word} -> ")


@pytest.mark.parametrize(
    "line",
    [
        "holdings = top_k = 1",
        'text = "holdings"',
        '"""Return `top_k` passages of "Holdings Ltd"."""',
        "x = 1  # noqa: B023",
        "x = 1  # running heads of a page, balanced accuracy",
    ],
)
def test_identifiers_data_and_quotes_pass(tmp_path: Path, line: str) -> None:
    _write(tmp_path, "rag/a.py", f"{line}\n")
    assert _found(tmp_path) == []


def test_words_keep_their_line_in_a_long_docstring(tmp_path: Path) -> None:
    _write(tmp_path, "rag/a.py", 'def a():\n    """Return one.\n\n    Not the holdings.\n    """\n')
    assert _found(tmp_path) == ["rag/a.py:4: holdings -> archive"]


@pytest.mark.parametrize("word", ["What", "Who", "Whether", "Which", "Where", "How"])
def test_question_words_begin_no_docstring(tmp_path: Path, word: str) -> None:
    _write(tmp_path, "ui/a.py", f'def a():\n    """{word} it is."""\n')
    assert _found(tmp_path) == [f"ui/a.py:2: {word} -> a noun or an imperative first"]
    _write(tmp_path, "ui/a.py", f'def a():\n    """Return {word.lower()} it is."""\n')
    assert _found(tmp_path) == []


def test_main_prints_findings_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write(tmp_path, "README.md", "Begin anew.\n")
    assert prose.main(tmp_path) == 1
    assert capsys.readouterr().out == "README.md:1: anew -> again\n"
    _write(tmp_path, "README.md", "Begin again.\n")
    assert prose.main(tmp_path) == 0
    assert capsys.readouterr().out == ""
