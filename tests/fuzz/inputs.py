"""An undamaged input of each format, and damages that a seed reproduces."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from textwrap import wrap

from tests.readers.test_feeds import ATOM, RSS, SITEMAP
from tests.readers.test_html import BODY, LD, PARAGRAPHS, page
from tests.readers.test_iptc import G2, NINJS, NITF
from tests.readers.test_warc import ARC_HEAD, URL, WHOLE, arc
from tests.support.pdf_writer import Line, pdf

TEXT = "\n\n".join(PARAGRAPHS)
RECORD = {"id": "crane", "title": "Crane falls", "text": TEXT, "published": "2024-10-24"}
DEEP = 20_000  # levels
HUGE = 2_000_000  # characters
MOST = 4_000_000  # bytes of an input


def undamaged_inputs() -> dict[str, bytes]:
    """Return an undamaged input of each kind."""
    head = f'<script type="application/ld+json">{json.dumps(LD)}</script>'
    pages = "\n".join(json.dumps({**RECORD, "id": f"crane-{n}"}) for n in range(5))
    table = "id,title,text,published\n" + "".join(
        f'{n},Crane falls,"{TEXT}",2024-10-24\n' for n in range(5)
    )
    return {
        "html": page(head),
        "json lines": pages.encode(),
        "json": json.dumps({"articles": [RECORD, {**RECORD, "id": "2"}]}).encode(),
        "csv": table.encode(),
        "parquet": _parquet(),
        "text": f"Crane falls\n\nBy Ida Lund\n24 October 2024\n\n{TEXT}".encode(),
        "markdown": f"---\ntitle: Crane falls\ndate: 2024-10-24\n---\n# Crane\n\n{TEXT}".encode(),
        "rss": RSS.encode(),
        "atom": ATOM.encode(),
        "sitemap": SITEMAP.encode(),
        "list": b"https://velsund.example/a\nhttps://velsund.example/b\n",
        "warc": WHOLE,
        "arc": ARC_HEAD + arc(URL, page()),
        "nitf": NITF.format(docdata="", body=BODY).encode(),
        "newsml-g2": G2.format(meta="", status="usable", body=BODY).encode(),
        "ninjs": json.dumps(NINJS).encode(),
        "zip": _zip(),
        "tar": _tar(),
        "gz": gzip.compress(page(head)),
        "mail": _mail(),
        "mhtml": _mhtml(page(head)),
        "iptc7901": IPTC.encode(),
        "pdf": pdf([(50, 50, 24, "Crane falls"), *_lines()]),
    }


def damage_input(kind: str, seed: int) -> bytes:
    """Return an input of `kind` with one to three damages; the same for the same seed."""
    chance = random.Random(f"{kind}:{seed}")
    content = undamaged_inputs()[kind]
    for _ in range(chance.randint(1, 3)):
        # Bounded: ten million blank lines take more than ten seconds and aren't damage.
        content = chance.choice(DAMAGES)(content, chance)[:MOST]
    return content


def _lines() -> list[Line]:
    return [(50, 100 + 14 * n, 10, line) for n, line in enumerate(wrap(TEXT, 80))]


def _truncate(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randint(0, len(content))]


def _flip_bits(content: bytes, chance: random.Random) -> bytes:
    out = bytearray(content)
    for _ in range(chance.randint(1, 40) if out else 0):
        out[chance.randrange(len(out))] ^= 1 << chance.randrange(8)
    return bytes(out)


def _insert_markup(content: bytes, chance: random.Random) -> bytes:
    """Insert bytes that parsers stumble over."""
    at = chance.randint(0, len(content))
    return content[:at] + chance.choice(SEEDS) * chance.randint(1, 30) + content[at:]


def _repeat_part(content: bytes, chance: random.Random) -> bytes:
    a, b = sorted(chance.randint(0, len(content)) for _ in range(2))
    return content[:b] + content[a:b] * chance.randint(1, 50) + content[b:]


def _swap_parts(content: bytes, chance: random.Random) -> bytes:
    a, b, c = sorted(chance.randint(0, len(content)) for _ in range(3))
    return content[:a] + content[b:c] + content[a:b] + content[c:]


def _recode(content: bytes, chance: random.Random) -> bytes:
    """Change to an encoding that isn't declared or can't be guessed."""
    text = content.decode("utf-8", "replace") + " – “Vélsund”, Ö"
    encoding = chance.choice(("utf-16", "utf-16-be", "utf-32", "cp1251", "koi8_r", "shift_jis"))
    return text.encode(encoding, "replace")


def _insert_nesting(content: bytes, chance: random.Random) -> bytes:
    """Insert deeply nested elements, lists or objects."""
    opened, closed = chance.choice(
        ((b"<div>", b"</div>"), (b"[", b"]"), (b'{"a":', b"}"), (b"<p><b>", b""), (b"(", b")"))
    )
    depth = chance.choice((200, 2_000, DEEP))
    at = chance.randint(0, len(content))
    inside = opened * depth + closed * chance.choice((0, depth))
    return content[:at] + inside + content[at:]


def _insert_huge_value(content: bytes, chance: random.Random) -> bytes:
    """Insert one huge attribute, line or number."""
    at = chance.randint(0, len(content))
    unit = chance.choice((b"a", b" ", b"9", b"\n", b"<", b"&amp;", b"\xff", b'"', b",", b"\\u0041"))
    inside = unit * (chance.choice((10_000, HUGE)) // len(unit))
    around = chance.choice(((b"", b""), (b'<p class="', b'">'), (b'"', b'"'), (b"<!--", b"-->")))
    return content[:at] + around[0] + inside + around[1] + content[at:]


DAMAGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(
        _truncate,
        _flip_bits,
        _flip_bits,
        _insert_markup,
        _insert_markup,
        _repeat_part,
        _swap_parts,
        _recode,
        _insert_nesting,
        _insert_huge_value,
    ),
)
SEEDS = (
    *(b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"&#xD800;", b"&#0;", b"&#1;", b"]]>", b"<![CDATA["),
    *(b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&a;", b"<?xml version='1.1' encoding='x'?>", b"\\ud800"),
    *(
        b"NaN",
        b"-1e999",
        b"1e400",
        b'{"',
        b"}}",
        b"\r\n\r\n",
        b"WARC/1.0\r\n",
        b"Content-Length: -5",
    ),
    *(b"Content-Length: 99999999999999999999", b"\x1f\x8b\x08", b"PK\x03\x04", b"0000-00-00"),
    *(
        b"9999-99-99T99:99:99Z",
        b"10000-01-01",
        b"http://[",
        b"https://a:b/",
        b"9999-12-31T23:59:59-12:00",
        b"0001-01-01T00:00:00+14:00",
        b"<!DOCTYPE ",
        b"=?utf-8?B?!?=",
        b"Content-Type: multipart/mixed; boundary=\r\n",
        b"\x01a0001 4 i 1\r\n\x02",
        b"http://\xc3\xa9:99999/",
    ),
    *(
        b"<title>",
        b"<svg><math>",
        b"<template>",
        b"</html>",
        b"<table><tr><td>",
        b"\xf0\x9f\x98\x80",
    ),
    *(b"\xe2\x80\xae", b"---\n", b"%PDF-1.4\n", b"<article><h1>", b"By By By ", b"\t\t,,;;||"),
)


IPTC = (
    "\x01qcb0047 3 pl 180 qpa 112\r\n\x02Pellworth/crane/\r\nCrane falls =\r\n\r\n"
    f"Velsund (qpa) - {PARAGRAPHS[0]}\r\n   {PARAGRAPHS[1]}\r\n\x03qpa ab\r\n031015 May 24\r\n\x04"
)


def _mail() -> bytes:
    mail = EmailMessage()
    mail["From"] = "Velsund Post <news@velsund.example>"
    mail["Subject"] = "Crane falls – nobody hurt"
    mail["Date"] = "Thu, 24 Oct 2024 10:00:00 +0200"
    mail["Message-ID"] = "<crane@velsund.example>"
    mail.set_content(TEXT)
    mail.add_alternative(page().decode(), subtype="html")
    return mail.as_bytes()


def _mhtml(content: bytes) -> bytes:
    saved = EmailMessage()
    saved["From"] = "<Saved by Blink>"
    saved["Snapshot-Content-Location"] = URL
    saved.set_content(content.decode(), subtype="html", cte="quoted-printable")
    saved.add_related(b"GIF89a", "image", "gif", cid="<a@mhtml.blink>")
    return saved.as_bytes()


def _parquet() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([{**RECORD, "id": str(n)} for n in range(5)]), out)
    return out.getvalue()


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.html", page())
        file.writestr("b.jsonl", json.dumps(RECORD))
    return out.getvalue()


def _tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        member = tarfile.TarInfo("a.html")
        member.size = len(page())
        file.addfile(member, io.BytesIO(page()))
    return out.getvalue()
