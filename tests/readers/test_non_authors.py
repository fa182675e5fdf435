"""Non-authors: photo credits, agencies, desks, roles and links beside a name."""

from __future__ import annotations

import pytest

from ingest.readers.bylines import parse_authors
from ingest.readers.html.reader import read_html
from rag.schema import Article
from tests.readers.test_html import BODY


@pytest.mark.parametrize(
    ("byline", "people"),
    [
        ("Political editor Mia Holt", ["Mia Holt"]),
        ("Reporter Mia Holt", ["Mia Holt"]),
        ("Von unserem Korrespondenten Jens Brandt", ["Jens Brandt"]),
        ("Chefredakteur Jens Brandt", ["Jens Brandt"]),
        ("Корреспондент Иван Холт", ["Иван Холт"]),
        ("Af redaktør Mia Holt", ["Mia Holt"]),
        ("Mia Holt (Text), Bo Yun (Fotos)", ["Mia Holt"]),
        ("Mia Holt (Text und Foto)", ["Mia Holt"]),
        ("Tekst: Mia Holt Foto: Bo Yun", ["Mia Holt"]),
        ("Mia Holt | Photo by Bo Yun", ["Mia Holt"]),
        ("Mia Holt, Getty Images", ["Mia Holt"]),
        (
            "By Mia Holt and Bo Yun in Tarn, and Jens Brandt in Ostmark",
            ["Mia Holt", "Bo Yun", "Jens Brandt"],
        ),
        ("Mia Holt, Health and Science Correspondent", ["Mia Holt"]),
        ("Mia Holt; Jens Brandt", ["Mia Holt", "Jens Brandt"]),
        ("Mia Holt • 3 min read", ["Mia Holt"]),
        ("Story by Mia Holt", ["Mia Holt"]),
        ("Text by Mia Holt / Photos by Bo Yun", ["Mia Holt"]),
        ("Mia Holt, BBC News", ["Mia Holt"]),
        ("BBC News", []),
        ("Mia Holt\nJens Brandt", ["Mia Holt", "Jens Brandt"]),
        ("Mia Holt, Jens Brandt og Bo Yun", ["Mia Holt", "Jens Brandt", "Bo Yun"]),
        ("Mia van der Holt en Jens de Brandt", ["Mia van der Holt", "Jens de Brandt"]),
        ("Mia Holt,Jens Brandt", ["Mia Holt", "Jens Brandt"]),
        ("Opinion by Mia Holt", ["Mia Holt"]),
        ("Guest Column by Mia Holt", ["Mia Holt"]),
        ("Mia Holt, Associate Professor, University of Tarn", ["Mia Holt"]),
        ("Posted by Mia Holt", ["Mia Holt"]),
        ("Mia Holt Staff Writer", ["Mia Holt"]),
        ("Mia Holt, Senior Reporter", ["Mia Holt"]),
        ("MIA HOLT POLITICAL EDITOR", ["MIA HOLT"]),
        ("Economics Correspondent, Mia Holt", ["Mia Holt"]),
        ("Mia Holt and Staff", ["Mia Holt"]),
        ("Mia Holt, Reuters", ["Mia Holt"]),
        ("Mia Holt with AP", ["Mia Holt"]),
        ("Nota de la Redacción", []),
        ("Redacción Velsund", []),
        ("Da Redação", []),
        ("Unknown", []),
        ("admin", []),
        ("Mia Holt, Velsund Post", ["Mia Holt"]),
        ("Mia Holt og Jens Brandt", ["Mia Holt", "Jens Brandt"]),
        ("Mia Holt und Jens Brandt", ["Mia Holt", "Jens Brandt"]),
        ("Mia Holt et Jens Brandt", ["Mia Holt", "Jens Brandt"]),
        ("Mia Holt y Jens Brandt", ["Mia Holt", "Jens Brandt"]),
        ("Mia Holt e Jens Brandt", ["Mia Holt", "Jens Brandt"]),
        ("Mia Holt i Jens Brandt", ["Mia Holt", "Jens Brandt"]),
        ("Mia Holt och Jens Brandt", ["Mia Holt", "Jens Brandt"]),
        ("Mia Holt ja Jens Brandt", ["Mia Holt", "Jens Brandt"]),
        ("Mia Holt en Jens Brandt", ["Mia Holt", "Jens Brandt"]),
        ("Mia Holt & Jens Brandt", ["Mia Holt", "Jens Brandt"]),
        ("王小明和李华", ["王小明", "李华"]),
        ("王小明、李华", ["王小明", "李华"]),
        ("田中和子", ["田中和子"]),
        ("Santiago Ramón y Cajal", ["Santiago Ramón y Cajal"]),
        ("José Ortega y Gasset", ["José Ortega y Gasset"]),
        ("Ana Costa e Silva", ["Ana Costa e Silva"]),
        ("(Image: Getty Images)", []),
        ("Photo: Ida Lund", []),
        ("Mia Holt, Photo: Ida Lund", ["Mia Holt"]),
        ("Mia Holt (text), Bo Yun (foto)", ["Mia Holt"]),
        ("Foto: dpa", []),
        ("AFP photo", []),
        ("Bild: Bo Yun", []),
        ("Text: Mia Holt, Foto: Bo Yun", ["Mia Holt"]),
        ("Words by Mia Holt, photos by Bo Yun", ["Mia Holt"]),
        ("Andrew Photo", ["Andrew Photo"]),
        ("© Getty", []),
        ("Mia Holt / Getty Images", ["Mia Holt"]),
        ("Political editor", []),
        ("Our correspondent", []),
        ("Chief reporter", []),
        ("By Our Special Correspondent", []),
        ("Mia Holt, Political Editor", ["Mia Holt"]),
        ("Mia Holt Political editor", ["Mia Holt"]),
        ("Mia Holt Africa correspondent", ["Mia Holt"]),
        ("Mia Holt, politisk redaktør", ["Mia Holt"]),
        ("Mia Holt, correspondante à Tarn", ["Mia Holt"]),
        ("Mia Holt, envoyée spéciale à Tarn", ["Mia Holt"]),
        ("Mia Holt, corresponsal en Tarn", ["Mia Holt"]),
        ("Von Mia Holt, Redakteurin", ["Mia Holt"]),
        ("Redaktion", []),
        ("Redaktion Velsund Post", []),
        ("La rédaction", []),
        ("Redacción", []),
        ("Newsroom", []),
        ("Staff", []),
        ("Velsund Post Staff", []),
        ("Staff Reporter", []),
        ("Web Desk", []),
        ("AP", []),
        ("The Associated Press", []),
        ("Reuters", []),
        ("Reuters Staff", []),
        ("AFP", []),
        ("dpa", []),
        ("PA Media", []),
        ("ANSA", []),
        ("EFE", []),
        ("Xinhua", []),
        ("Yonhap", []),
        ("TASS", []),
        ("ТАСС", []),
        ("Mia Holt, AP", ["Mia Holt"]),
        ("Mia Holt/AFP", ["Mia Holt"]),
        ("Mia Holt and agencies", ["Mia Holt"]),
        ("Mia Holt avec AFP", ["Mia Holt"]),
        ("Mia Holt (dpa)", ["Mia Holt"]),
        ("dpa/Mia Holt", ["Mia Holt"]),
        ("Agence France-Presse", []),
        ("Google Scholar", []),
        ("@miaholt", []),
        ("Mia Holt @miaholt", ["Mia Holt"]),
        ("mia@velsund.example", []),
        ("Mia Holt mia@velsund.example", ["Mia Holt"]),
        ("mia@velsund.example (Mia Holt)", ["Mia Holt"]),
        ("Follow", []),
        ("View profile", []),
        ("https://www.facebook.com/miaholt", []),
        ("facebook.com/miaholt", []),
        ("www.velsund.example", []),
        ("By Mia Holt", ["Mia Holt"]),
        ("Por Mia Holt", ["Mia Holt"]),
        ("Par Mia Holt", ["Mia Holt"]),
        ("Von Mia Holt", ["Mia Holt"]),
        ("Af Mia Holt", ["Mia Holt"]),
        ("Av Mia Holt", ["Mia Holt"]),
        ("Door Mia Holt", ["Mia Holt"]),
        ("Автор: Ида Лунд", ["Ида Лунд"]),
        ("Текст: Ида Лунд", ["Ида Лунд"]),
        ("作者：王小明", ["王小明"]),
        ("记者 王小明", ["王小明"]),
        ("文/王小明", ["王小明"]),
        ("김철수 기자", ["김철수"]),
        ("김철수 기자 kim@velsund.example", ["김철수"]),
        ("بقلم: ليلى حداد", ["ليلى حداد"]),
        ("MIA HOLT", ["MIA HOLT"]),
        ("Mia J. Holt", ["Mia J. Holt"]),
        ("J. R. R. Holt", ["J. R. R. Holt"]),
        ("Ludwig van Holt", ["Ludwig van Holt"]),
        ("Jean-Luc Holt", ["Jean-Luc Holt"]),
        ("Mia O'Holt", ["Mia O'Holt"]),
        ("Mia d’Holt", ["Mia d’Holt"]),
        ("Нина Холт и Ян Брандт", ["Нина Холт", "Ян Брандт"]),
        ("Νίνα Χολτ και Γιαν Μπραντ", ["Νίνα Χολτ", "Γιαν Μπραντ"]),
        ("Nina Holt ve Jan Brandt", ["Nina Holt", "Jan Brandt"]),
        ("Mia Holt, Jens Brandt and Bo Yun", ["Mia Holt", "Jens Brandt", "Bo Yun"]),
        ("Mia Holt, Jens Brandt, and Bo Yun", ["Mia Holt", "Jens Brandt", "Bo Yun"]),
        ("Mia Holt in Tarn and Jens Brandt in Ostmark", ["Mia Holt", "Jens Brandt"]),
        ("Mia Holt und Jens Brandt, Velsund", ["Mia Holt", "Jens Brandt"]),
        ("Emily Post", ["Emily Post"]),
        ("Mia Holt, Velsund", ["Mia Holt"]),
        ("Mia Holt for The Velsund Post", ["Mia Holt"]),
        ("Nguyễn Văn An", ["Nguyễn Văn An"]),
        ("Madonna", ["Madonna"]),
        ("Mia Holt, Ph.D.", ["Mia Holt"]),
        ("Mia Holt, Professor of History, University of Tarn", ["Mia Holt"]),
        ("乔·拜登", ["乔·拜登"]),
        ("Karl-Theodor zu Holt", ["Karl-Theodor zu Holt"]),
        ("Mia Holt, Jens Brandt, dpa", ["Mia Holt", "Jens Brandt"]),
        ("Mia Holt – Velsund Post", ["Mia Holt"]),
        ("Guardian sport", []),
        ("Editorial Board", []),
        ("Press Trust of India", []),
        ("Special to the Post", []),
        ("Mia Holt, Special to the Post", ["Mia Holt"]),
        ("Andrea Editori", ["Andrea Editori"]),
        ("Dr. Mia Holt", ["Dr. Mia Holt"]),
        ("Ida Lund, Chefredakteurin, und Jens Brandt, Reporter", ["Ida Lund", "Jens Brandt"]),
    ],
)
def test_parse_authors_gives_people_only(byline: str, people: list[str]) -> None:
    assert list(parse_authors(byline, "Velsund Post")) == people


def test_parse_authors_leaves_out_labels() -> None:
    assert parse_authors(["Mia Holt", "Google Scholar", "View profile", "mia holt"]) == (
        "Mia Holt",
    )


def read_page(head: str, body: str = "") -> Article:
    html = (
        f"<html lang='da'><head><title>Havnen bygger moler</title>{head}</head><body><article>"
        f"<h1>Havnen bygger moler</h1>{body}{BODY}</article></body></html>"
    )
    found = read_html(html.encode(), place="a.html")
    assert isinstance(found, Article), found
    return found


def test_author_line_of_a_page_is_split_into_people() -> None:
    meta = "<meta property='article:author' content='Mia Holt og Jens Brandt'>"
    assert read_page(meta).authors == ("Mia Holt", "Jens Brandt")


def test_author_of_a_picture_is_not_the_pages() -> None:
    picture = (
        "<div itemprop='image' itemscope itemtype='https://schema.org/ImageObject'>"
        "<meta itemprop='author' content='Bo Yun'><img src='x.jpg'></div>"
    )
    assert read_page("", picture).authors == ()
    assert read_page("<meta name='author' content='Mia Holt'>", picture).authors == ("Mia Holt",)
