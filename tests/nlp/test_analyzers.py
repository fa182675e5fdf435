"""Stemming: words are found in other forms, by the rules of each language."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.archive.archive import Archive
from rag.nlp.analyzers import STEMMED, analyze, stemming_rules
from rag.schema import Article, Span
from tests.support.fakes import WordEmbeddings, phrase_hits

TEXTS = {
    "en": "The ministers rejected the proposals of the committee.",
    "de": "Die Häuser wurden von den Feuerwehren geräumt.",
    "de-AT": "Der Gemeinderat vertagte seine Sitzungen.",
    "fr": "Les députés ont rejeté les propositions gouvernementales.",
    "ru": "Правительства объявили о новых соглашениях.",
    "uk": "Українські війська відійшли.",
    "zh": "联合国安理会通过决议。",
    "ko": "국회는 예산안을 통과시켰다.",
    "": "Dockworkers walked out.",
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory):
    folder: Path = tmp_path_factory.mktemp("archive")
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as opened:
        opened.add(
            (
                Article(
                    f"x.example/{language or 'none'}",
                    "",
                    text,
                    language=language,
                    published=datetime(2024, 10, 22, tzinfo=UTC),
                ),
                [Span(0, len(text))],
            )
            for language, text in TEXTS.items()
        )
        yield opened


@pytest.mark.parametrize(
    ("query", "language"),
    [
        ("committees proposed rejecting", "en"),
        ("Haus der Feuerwehr", "de"),
        ("HAUSES", "de"),
        ("Sitzung", "de-AT"),
        ("proposition gouvernementale", "fr"),
        ("правительство", "ru"),
        ("соглашение", "ru"),
        ("війська", "uk"),
        ("安理会", "zh"),
        ("예산안 국회", "ko"),
        ("dockworker walking", "none"),
    ],
)
def test_search_finds_other_forms_of_a_word(archive, query, language):
    assert archive.search(query, 3, mode="bm25")[0].passage.article_id == f"x.example/{language}"


@pytest.mark.parametrize("phrase", ["rejected proposals", "Feuerwehren geräumt", "安理会通过"])
def test_search_finds_phrase_in_its_language(archive, phrase):
    found = phrase_hits(archive, phrase, 3, phrases=(phrase,))
    assert phrase.split()[0] in found[0].passage.text


def test_search_finds_no_unknown_word(archive):
    assert archive.search("xylophone", 3, mode="bm25") == []


@given(st.text(max_size=200), st.sampled_from(["", "xx", *STEMMED]))
def test_analyze_gives_terms_without_spaces(text, language):
    assert not any(term.split() != [term] for term in analyze(text, stemming_rules(language)))
