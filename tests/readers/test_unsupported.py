"""Unsupported formats: rejected by name with a fix; articles aren't."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from ingest.readers import ReaderOptions, Reject, read
from ingest.readers.detect import detect_format
from rag.schema import Article

TEXT = "The harbour board said that the new quay would open for the ferries in June."


def read_one(path: Path, content: bytes | str, kind: str = "") -> Article | Reject:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    (found,) = read(path, reading=ReaderOptions(kind=kind))
    assert isinstance(found, Article | Reject)
    return found


def reject_reason(path: Path, content: bytes | str) -> str:
    found = read_one(path, content)
    assert isinstance(found, Reject), found
    return found.reason


@pytest.mark.parametrize(
    ("content", "named", "way_out"),
    [
        ("12\r\n00:01:02,500 --> 00:01:04,000\r\nHello there.\r\n", "SRT", "--as text"),
        ("1\n00:01:02.50 --> 00:01:04.00\nHello there.\n", "SRT", "--as text"),
        ("\ufeffWEBVTT - A film\n\n00:01.000 --> 00:04.000\nHello there.\n", "WebVTT", "--as text"),
        ("[Script Info]\nTitle: A film\n", "SSA", "--as text"),
        ("[00:12.00]First line\n[00:15.30]Second line\n", "LRC", "--as text"),
        ("BEGIN:VCARD\nVERSION:3.0\nFN:Ida Lund\nEND:VCARD\n", "vCard", "no articles"),
        ("BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR\n", "iCalendar", "no articles"),
        ("-----BEGIN PGP MESSAGE-----\n\nhQEM\n", "PGP", "decrypt"),
        ("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHi\n", "PGP-signed", "verify"),
        ("-----BEGIN CERTIFICATE-----\nMIIB\n", "certificate", "no articles"),
        ("% a paper\n\\documentclass{article}\n\\begin{document}", "LaTeX", "PDF"),
        ("{\\rtf1\\ansi Hello}", "RTF", "PDF"),
        ("%!PS-Adobe-3.0\n", "PostScript", "ps2pdf"),
        ("#!/usr/bin/env python3\nprint('Hello')\n", "program", "no articles"),
        ("<?php echo 'Hello'; ?>", "program", "no articles"),
        ('window.data = {"articles": []};', "JavaScript", "JSON alone"),
        ('callback({"title": "a"})', "JavaScript", "JSON alone"),
        ("<feeds><feed-entry>a</feed-entry></feeds>", "<feeds>", "JSON lines"),
        (
            '<?xml version="1.0"?>\n<!-- a -->\n<tei:TEI xmlns:tei="x"><tei:text/>',
            "<tei:TEI>",
            "JSON",
        ),
        ('<svg xmlns="http://www.w3.org/2000/svg"><text>Hello</text></svg>', "SVG", "no articles"),
        ('<opml version="2.0"><body></body></opml>', "OPML", "feeds themselves"),
        ('<tt xmlns="http://www.w3.org/ns/ttml"><body/></tt>', "TTML", "no articles"),
        (b"SQLite format 3\x00" + bytes(100), "SQLite", "JSON lines or CSV"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "picture", "no articles"),
        (b"\x00\x00\x00\x20ftypisom", "MP4", "no articles"),
        (b"ID3\x04\x00", "audio", "no articles"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(64), "OLE", "PDF"),
        (b"MZ\x90\x00" + bytes(60), "program", "no articles"),
        (b"7z\xbc\xaf\x27\x1c\x00", "7z", "unpack it first"),
    ],
)
def test_unsupported_formats_are_named_with_a_fix(
    tmp_path: Path, content: bytes | str, named: str, way_out: str
) -> None:
    said = reject_reason(tmp_path / "a.txt", content)
    assert named in said
    assert way_out in said


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"[Content_Types].xml": "", "word/document.xml": ""}, "Word"),
        ({"[Content_Types].xml": "", "xl/workbook.xml": ""}, "Excel"),
        ({"mimetype": "application/epub+zip", "META-INF/container.xml": ""}, "EPUB"),
        (
            {"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": ""},
            "OpenDocument",
        ),
        ({"META-INF/MANIFEST.MF": "", "a.txt": TEXT}, "Java"),
    ],
)
def test_documents_in_zip_format_are_named(
    tmp_path: Path, members: dict[str, str], named: str
) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    assert named in reject_reason(tmp_path / "a.zip", out.getvalue())


@pytest.mark.parametrize(
    "text",
    [
        "[AP] Quay opens in June\n\n" + TEXT,
        "[1] A note on quays\n\n" + TEXT,
        '"The quay opens," she said.\n\n' + TEXT,
        "<Ada> hello there, everybody who reads this\n\n" + TEXT,
        "BMW opens a quay\n\n" + TEXT,
        "MZ is short for Mainz\n\n" + TEXT,
        "IIs there a quay?\n\n" + TEXT,
        "Var 1: the quay = open\n\n" + TEXT,
        "Quay opens (again)\n\n" + TEXT,
        "12\n\n00:30 at night: " + TEXT,
        "Title: Quay opens\nDate: 3 May 2024\nAuthor: Ida Lund\n\n" + TEXT,
    ],
)
def test_texts_with_odd_beginnings_are_texts(tmp_path: Path, text: str) -> None:
    assert detect_format(text.encode()) == "text"
    found = read_one(tmp_path / "a.txt", text)
    assert isinstance(found, Article)
    assert "quay would open" in found.text


def test_kind_is_detected_by_content_and_can_be_forced(tmp_path: Path) -> None:
    subtitles = f"1\n00:00:01,000 --> 00:00:04,000\n{TEXT}\n"
    assert isinstance(read_one(tmp_path / "a.html", subtitles), Reject)
    assert isinstance(read_one(tmp_path / "a.html", subtitles, "text"), Article)


# Invalid JSON


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "A.NDJSON"])
def test_file_named_json_without_json_is_rejected(tmp_path: Path, name: str) -> None:
    said = reject_reason(
        tmp_path / name, "Not JSON at all, though it has a whole sentence.\n\n" + TEXT
    )
    assert said.startswith("not valid JSON, although its name says so")


def test_compressed_file_named_json_without_json_is_rejected(tmp_path: Path) -> None:
    assert "not valid JSON" in reject_reason(
        tmp_path / "a.jsonl.gz", gzip.compress(TEXT.encode() * 20)
    )


@pytest.mark.parametrize("content", ['["a", "b"]', "[1, 2, 3]", '[["a"], ["b"]]'])
def test_json_without_objects_is_rejected(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(content)
    found = list(read(path))
    assert found
    assert all(isinstance(one, Reject) and "not an object" in one.reason for one in found)


@pytest.mark.parametrize("content", ["{title: 'Quay', text: 'It opens.'}", "{'title': 'Quay'}"])
def test_broken_json_is_rejected(tmp_path: Path, content: str) -> None:
    assert "broken JSON" in reject_reason(tmp_path / "a.txt", content)


# Too short


@pytest.mark.parametrize("text", ["Hello", "not json at all", "Hello\n\nworld", "Quay\n\nIt opens"])
def test_text_too_short_for_a_story_is_rejected(tmp_path: Path, text: str) -> None:
    assert reject_reason(tmp_path / "a.txt", text).startswith("too short to be a story: ")


@pytest.mark.parametrize(
    "text",
    [
        "Crane falls\n\nNobody was hurt.",
        "Quay opens\n\nFerries sail from June on",
        "The quay for the ferries opens in June.",
        "码头开放\n\n新码头六月开放。",
        "# Quay\n\nThe quay opens today.",
    ],
)
def test_headline_with_one_sentence_is_kept(tmp_path: Path, text: str) -> None:
    assert isinstance(read_one(tmp_path / "a.txt", text), Article)
