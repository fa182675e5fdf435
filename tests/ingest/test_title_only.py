"""Pages without a story: kept as articles without text; shown, counted, never an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.export_format import from_record, to_record
from ingest.pipeline import ingest
from ingest.readers import Reject
from ingest.readers.fields import article_from
from ingest.readers.html.reader import read_html
from ingest.wall_texts import is_wall_text
from rag.answer.chatbot import Chatbot
from rag.archive.archive import Archive
from rag.archive.doctor import find_problems
from rag.chunking import split_article
from rag.schema import Article, Span
from tests.support.fakes import HARBOUR, ORCHARD, WordEmbeddings
from ui.cli import main

FORMS = {
    "register": "We will use the details you have shared to manage your registration. You agree to "
    "the processing of this information as described in our Privacy Policy.",
    "account": "Create a free account to continue reading.\n\nAlready have an account? Sign in."
    "\n\nEnter your email address\n\nForgot your password?\n\nBy continuing, you agree to our "
    "Terms of Use.",
    "subscribe": "Subscribe now for unlimited access. Cancel any time.\n\nFirst month for free, "
    "then billed monthly.\n\nThis content is only available to subscribers.",
    "cookies": "We and our 874 partners store and access information on a device, such as cookies. "
    "You can manage your preferences at any time.\n\nAccept all\n\nReject all",
    "robot": "Please verify that you are not a robot. Please enable JavaScript and cookies.",
    "de": "Bitte melden Sie sich an, um weiterzulesen. Noch kein Konto? Jetzt registrieren.\n\n"
    "Passwort vergessen?\n\nEs gelten unsere Nutzungsbedingungen und die Datenschutzerklärung.",
    "fr": "Cet article est réservé aux abonnés. Connectez-vous ou créez votre compte.\n\n"
    "Mot de passe oublié ?\n\nSans engagement. Consultez notre politique de confidentialité.",
    "es": "Para seguir leyendo, inicia sesión o crea una cuenta. ¿Has olvidado tu contraseña?\n\n"
    "Al continuar, aceptas los términos y condiciones y la política de privacidad.",
    "it": "Per continuare a leggere accedi o registrati. Hai già un account? Password dimenticata?",
    "pt": "Para continuar lendo, faça login ou crie uma conta. Já é assinante? Esqueceu a senha?",
    "nl": "Maak een gratis account aan om verder te lezen. Wachtwoord vergeten? Lees ons "
    "privacybeleid.",
    "sv": "Logga in för att läsa vidare. Har du glömt ditt lösenord? Skapa ett konto.",
    "pl": "Zaloguj się, aby czytać dalej. Nie pamiętasz? Hasło możesz zmienić tutaj.",
    "ru": "Войдите на сайт, чтобы продолжить чтение. Забыли пароль? Оформите подписку.",
    "ja": "この記事は会員限定です。続きを読むにはログインしてください。",
    "zh": "请登录后继续阅读。还没有账号？立即注册。",
    "ko": "로그인 후 이용해 주세요. 아직 회원이 아니신가요? 회원가입을 해 주세요.",
}
STORIES = {
    "cookies": "The data authority fined the airline on Monday, since it set cookies without "
    "consent. The airline said that it would appeal. A court will hear the case in May.",
    "registration": "More than 4,000 voters queued to register before the deadline of midnight. "
    "The county clerk said that two offices would open on Saturday as well.",
    "subscription": "The newspaper lost a tenth of its subscribers last year. Its editor said that "
    "a subscription costs too much. Forty jobs will go, the union was told on Friday.",
    "teaser": "The mayor resigned on Tuesday after a vote of the council, which had lost its trust "
    "in her over the harbour bridge.\n\nSubscribe to continue reading.",
    "fr": "La mairie ferme le pont du port lundi matin. Les travaux dureront six semaines, a dit "
    "le maire. Les abonnés des ferries seront remboursés.",
    "short": "The ferry sank off Lund.",
    "empty": "",
}


@pytest.mark.parametrize("name", FORMS)
def test_form_is_detected(name: str) -> None:
    assert is_wall_text(FORMS[name])


@pytest.mark.parametrize("name", STORIES)
def test_story_is_not_a_form(name: str) -> None:
    assert not is_wall_text(STORIES[name])
    assert not is_wall_text(FORMS["account"] + "\n\n" + STORIES["registration"] * 3)


TITLE = "Harbour bridge closed after storm of the century"
PAGE = """<!doctype html><html lang="en"><head><title>{title}</title>
<meta property="og:type" content="article"><meta property="og:title" content="{title}">
<meta property="article:published_time" content="2024-10-21T08:00:00Z">
<link rel="canonical" href="https://wall.example/bridge"></head>
<body><main><article><h1>{title}</h1>{paragraphs}</article></main></body></html>"""


@pytest.mark.parametrize("name", ["register", "account", "subscribe", "cookies", "de", "fr"])
def test_page_with_a_form_is_an_article_without_text(name: str) -> None:
    paragraphs = "".join(f"<p>{part}</p>" for part in FORMS[name].split("\n\n"))
    page = PAGE.format(title=TITLE, paragraphs=paragraphs).encode()
    article = read_html(page, place="page.html", url="https://wall.example/bridge")
    assert isinstance(article, Article), article
    assert (article.title, article.text) == (TITLE, "")


def record(text: str, **more: object) -> dict[str, object]:
    return {"url": "https://wall.example/bridge", "title": TITLE, "text": text, **more}


def read(text: str, **more: object) -> Article:
    article = article_from(record(text, **more), place="a.jsonl:1")
    assert isinstance(article, Article)
    return article


@pytest.mark.parametrize("text", [*FORMS.values(), "Share\nTweet", TITLE, f"{TITLE}\n\nShare"])
def test_record_without_a_story_is_an_article_without_text(text: str) -> None:
    article = read(text)
    assert (article.title, article.text, article.language) == (TITLE, "", "en")
    assert split_article(article, WordEmbeddings()) == []


def test_articles_without_text_or_address_have_distinct_ids() -> None:
    one, other = (read("Share", url="", title=f"Harbour bridge closed {n} times") for n in (1, 2))
    assert one.id != other.id


def test_title_without_meaning_is_rejected() -> None:
    assert isinstance(article_from(record("Share", title="Video"), place="x"), Reject)
    assert isinstance(article_from(record("", title=TITLE), place="x"), Reject)


# In an archive

WALLED = Article(
    "wall.example/bridge", TITLE, "", "Wall Street Courier", "https://wall.example/bridge",
    published=datetime(2024, 10, 21, tzinfo=UTC),
)  # fmt: skip
OLD = WALLED.replace(id="wall.example/old", text=TITLE)  # as older versions stored it
QUESTION = "Was the harbour bridge closed after the storm of the century?"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    folder = tmp_path_factory.mktemp("titles") / "archive"
    with Archive.open(folder, mode="write", embeddings=WordEmbeddings()) as writer:
        writer.add((a, split_article(a, WordEmbeddings())) for a in (HARBOUR, ORCHARD, WALLED, OLD))
    with Archive.open(folder, embeddings=WordEmbeddings()) as opened:
        yield opened


def test_article_without_text_is_never_a_hit(archive: Archive) -> None:
    for question in (QUESTION, TITLE, "storm of the century", "Which bridge fell in May 2011?"):
        answer = Chatbot(archive).ask(question)
        found = [*answer.hits, *answer.nearest_hits, *archive.search(question, 20)]
        found += archive.search(question, 20, mode="vector") + archive.search(
            question, 20, mode="bm25"
        )
        found += archive.search(question, 20, as_of=datetime(2100, 1, 1, tzinfo=UTC))
        assert found
        assert not {hit.metadata.article_id for hit in found} & {WALLED.id, OLD.id}


def test_article_without_text_is_shown_counted_and_sound(
    archive: Archive, capsys: pytest.CaptureFixture[str]
) -> None:
    assert archive.count().articles == 4
    assert archive.article(WALLED.id) == WALLED
    assert {p.name: p.articles for p in archive.status().publishers}["Wall Street Courier"] == 2
    assert find_problems(archive) == ()
    assert main(["show", WALLED.id, "--archive", str(archive.path)]) == 0
    assert "storm of the century" in capsys.readouterr().out


def test_one_sentence_story_is_found(tmp_path: Path) -> None:
    said = "The ferry sank off Lund."
    article = Article("x.example/1", said, said)
    with Archive.open(tmp_path, mode="write", embeddings=WordEmbeddings()) as archive:
        archive.add([(article, [Span(0, len(said))])])
        assert archive.search("Which ferry sank?")


def test_article_without_text_survives_export(tmp_path: Path) -> None:
    assert from_record(to_record(WALLED)) == WALLED
    lines = tmp_path / "export.jsonl"
    lines.write_text("".join(json.dumps(to_record(a)) + "\n" for a in (WALLED, HARBOUR)))
    with Archive.open(tmp_path / "a", mode="write", embeddings=WordEmbeddings()) as archive:
        assert ingest(archive, [lines]).new == 2
        assert archive.article(WALLED.id) == WALLED
        assert ingest(archive, [lines]).unchanged == 2
    with pytest.raises(ValueError, match="no id"):
        from_record(to_record(WALLED.replace(title="")))


def test_login_page_does_not_replace_the_story(tmp_path: Path) -> None:
    story, wall = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    story.write_text(json.dumps(record(STORIES["registration"])) + "\n")
    wall.write_text(json.dumps(record(FORMS["account"])) + "\n")
    with Archive.open(tmp_path / "a", mode="write", embeddings=WordEmbeddings()) as archive:
        assert ingest(archive, [wall]).new == 1
        assert ingest(archive, [story]).changed == 1
        assert ingest(archive, [wall]).unchanged == 1
        article = archive.article("wall.example/bridge")
        assert article is not None
        assert article.text == STORIES["registration"]


def test_old_title_only_text_is_removed_on_ingest(tmp_path: Path) -> None:
    wall = tmp_path / "wall.jsonl"
    wall.write_text(json.dumps(record(FORMS["account"])) + "\n")
    with Archive.open(tmp_path / "a", mode="write", embeddings=WordEmbeddings()) as archive:
        old = replace(read(FORMS["account"]), text=TITLE)
        archive.add([(old, [Span(0, len(TITLE))])])
        assert ingest(archive, [wall]).changed == 1
        assert archive.count().passages == 0
