"""NITF, NewsML-G2 and ninjs items: fields, embargoes, kills and corrections."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.readers import Reject, read
from rag.schema import Article

TEXT = "A crane fell on the pier of Velsund on Tuesday.\n\nNobody was hurt, Ida Lund said."
BODY = "<p>A crane fell on the pier of <location>Velsund</location> on Tuesday.</p><p>Nobody was hurt, Ida Lund said.</p>"  # noqa: E501
NITF = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nitf SYSTEM "http://www.nitf.org/IPTC/NITF/3.6/specification/dtd/nitf-3-6.dtd">
<nitf xml:lang="en"><head><title>crane</title>
<docdata management-status="usable"><doc-id id-string="velsund-17"/><urgency ed-urg="4"/>
<date.issue norm="20241024T103000Z"/><du-key key="HARBOUR-CRANE"/>{docdata}</docdata>
<pubdata name="Velsund Post" position.section="Harbour"/></head>
<body><body.head><hedline><hl1>Crane falls</hl1></hedline>
<byline>By <person>Ola Str</person></byline></body.head>
<body.content><media><media-caption><p>The crane.</p></media-caption></media>{body}</body.content>
</body></nitf>"""
G2 = """<?xml version="1.0"?>
<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="urn:newsml:velsund:17" version="2"
 standard="NewsML-G2" xml:lang="en"><itemMeta>
<provider qcode="vp:1"><name>Velsund Wire</name></provider>
<versionCreated>2024-10-24T12:00:00+02:00</versionCreated>
<firstCreated>2024-10-24T08:30:00+02:00</firstCreated>
<pubStatus qcode="stat:{status}"/>{meta}</itemMeta>
<contentMeta><urgency>4</urgency><by>By Ola Str</by><slugline>HARBOUR-CRANE</slugline>
<headline>Crane falls</headline><language tag="en"/>
<subject qcode="medtop:1"><name>Harbour</name></subject></contentMeta>
<contentSet><inlineXML contenttype="application/xhtml+xml">
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body>{body}</body></html>
</inlineXML></contentSet></newsItem>"""
NINJS: dict[str, Any] = {
    "uri": "https://velsundwire.example/items/17",
    "type": "text",
    "pubstatus": "usable",
    "urgency": 4,
    "versioncreated": "2024-10-24T12:00:00+02:00",
    "firstcreated": "2024-10-24T08:30:00+02:00",
    "headline": "Crane falls",
    "byline": "By Ola Str",
    "copyrightholder": "Velsund Wire",
    "subject": [{"name": "Harbour"}],
    "language": "en",
    "body_xhtml": BODY.replace("<location>", "").replace("</location>", ""),
}


def nitf(docdata: str = "", body: str = BODY) -> str:
    return NITF.format(docdata=docdata, body=body)


def g2(meta: str = "", *, status: str = "usable", body: str = BODY) -> str:
    return G2.format(meta=meta, status=status, body=body)


def read_item(path: Path, content: str | bytes) -> Article | Reject:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    (found,) = read(path)
    return found


def read_article(path: Path, content: str | bytes) -> Article:
    found = read_item(path, content)
    assert isinstance(found, Article), found
    return found


def reject_reason(path: Path, content: str | bytes) -> str:
    found = read_item(path, content)
    assert isinstance(found, Reject), found
    return found.reason


def test_nitf_fields_are_read(tmp_path: Path) -> None:
    found = read_article(tmp_path / "a", nitf())
    assert (found.title, found.text, found.id) == ("Crane falls", TEXT, "velsund-17")
    assert (found.publisher, found.section, found.language) == ("Velsund Post", "Harbour", "en")
    assert found.authors == ("Ola Str",)
    assert found.published == datetime(2024, 10, 24, 10, 30, tzinfo=UTC)


def test_newsml_g2_fields_are_read(tmp_path: Path) -> None:
    found = read_article(tmp_path / "a", g2())
    assert (found.title, found.text, found.id) == ("Crane falls", TEXT, "urn:newsml:velsund:17")
    assert (found.publisher, found.section, found.language) == ("Velsund Wire", "Harbour", "en")
    assert found.authors == ("Ola Str",)
    assert found.published == datetime(2024, 10, 24, 6, 30, tzinfo=UTC)
    assert found.updated == datetime(2024, 10, 24, 10, 0, tzinfo=UTC)


def test_every_item_of_a_newsml_message_is_an_article(tmp_path: Path) -> None:
    inner = g2().split("?>", 1)[1]
    packed_nitf = nitf().split('.dtd">', 1)[1]
    other = inner.replace(":17", ":18").replace(
        inner[inner.index("<html") : inner.index("</inlineXML")], packed_nitf
    )
    path = tmp_path / "message"
    path.write_text(
        f"<newsMessage xmlns='http://iptc.org/std/nar/2006-10-01/'><itemSet>{inner}{other}</itemSet></newsMessage>"
    )
    found = [one for one in read(path) if isinstance(one, Article)]
    assert [one.id for one in found] == ["urn:newsml:velsund:17", "urn:newsml:velsund:18"]
    assert {one.text for one in found} == {TEXT}


def test_ninjs_fields_are_read(tmp_path: Path) -> None:
    second: dict[str, Any] = {
        "uri": "https://velsundwire.example/items/17",
        "pubstatus": "usable",
        "versioncreated": "2024-10-24T08:30:00+02:00",
        "headlines": [
            {"role": "short", "value": "Crane"},
            {"role": "main", "value": "Crane falls"},
        ],
        "bodies": [{"contenttype": "text/plain", "value": TEXT}],
        "people": [{"name": "Ida Lund", "rel": "about"}, {"name": "Ola Str", "rel": "author"}],
        "infosources": [{"name": "Velsund Wire"}],
        "subjects": [{"name": "Harbour"}],
        "language": "en",
    }
    for item in (NINJS, second):
        found = read_article(tmp_path / "a", json.dumps(item))
        assert (found.title, found.text) == ("Crane falls", TEXT)
        assert (found.id, found.section) == ("velsundwire.example/items/17", "Harbour")
        assert (found.publisher, found.authors) == ("Velsund Wire", ("Ola Str",))
        assert found.published == datetime(2024, 10, 24, 6, 30, tzinfo=UTC)


def test_ninjs_people_are_subjects_not_authors(tmp_path: Path) -> None:
    for key in ("people", "person"):
        item = {**NINJS, key: [{"name": "Elin Svan"}, {"name": "Bo Renner", "rel": "about"}]}
        item.pop("byline")
        assert read_article(tmp_path / "a", json.dumps(item)).authors == ()


LATER, EARLIER = "2099-01-01T00:00:00Z", "2024-10-24T09:00:00Z"


def test_embargoed_item_is_rejected_until_the_embargo_ends(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for made in (
        lambda moment: nitf(f'<date.release norm="{moment}"/>'),
        lambda moment: g2(f"<embargoed>{moment}</embargoed>"),
        lambda moment: json.dumps(NINJS | {"embargoed": moment}),
    ):
        assert "under embargo until 2099-01-01" in reject_reason(path, made(LATER))
        assert read_article(path, made(EARLIER)).text == TEXT
    assert "without an end" in reject_reason(path, g2("<embargoed/>"))


def test_killed_item_is_rejected_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a"
    killed = nitf().replace('management-status="usable"', 'management-status="canceled"')
    for content, name in (
        (killed, "velsund-17"),
        (nitf('<ed-msg info="KILL: the story is wrong"/>'), "velsund-17"),
        (g2(status="canceled"), "urn:newsml:velsund:17"),
        (g2("<edNote>KILL. Editors: do not use</edNote>"), "urn:newsml:velsund:17"),
        (g2(status="withheld"), "urn:newsml:velsund:17"),
        (json.dumps(NINJS | {"pubstatus": "canceled"}), "velsundwire.example/items/17"),
    ):
        said = reject_reason(path, content)
        assert "withdrawn by its publisher" in said
        assert name in said


def test_correction_is_a_paragraph_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for content in (
        nitf('<correction info="Corrects the day in paragraph 1"/>'),
        g2("<edNote>Corrects the day in paragraph 1</edNote>"),
        json.dumps(NINJS | {"ednote": "CORRECTION: the day in paragraph 1"}),
    ):
        found = read_article(path, content)
        assert found.text.split("\n\n")[-1] == "Correction: The day in paragraph 1"
        assert found.correction == "The day in paragraph 1"


def test_slugline_and_urgency_are_kept(tmp_path: Path) -> None:
    ninjs = json.dumps(NINJS | {"slugline": "HARBOUR-CRANE"})
    for content in (nitf(), g2(), ninjs):
        found = read_article(tmp_path / "a", content)
        assert (found.slugline, found.urgency) == ("HARBOUR-CRANE", 4)
    strange = read_article(tmp_path / "a", json.dumps(NINJS | {"urgency": "very"}))
    assert strange.urgency is None


def test_standard_entities_are_read_and_custom_ones_are_not(tmp_path: Path) -> None:
    path = tmp_path / "a"
    (tmp_path / "secret").write_text("secret")
    assert (
        "Café &" in read_article(path, nitf(body="<p>Caf&eacute; &amp; more on Tuesday.</p>")).text
    )
    own = nitf(body="<p>See &xxe; here, and more of it.</p>").replace(
        'nitf-3-6.dtd">', f'nitf-3-6.dtd" [<!ENTITY xxe SYSTEM "{tmp_path / "secret"}">]>'
    )
    assert "secret" not in read_article(path, own).text
    levels = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 12))
    laughs = nitf(body="<p>Ha &l11; ha.</p>").replace(
        'nitf-3-6.dtd">', f'nitf-3-6.dtd" [<!ENTITY l0 "ha">{levels}]>'
    )
    begin = time.thread_time()
    assert len(str(read_item(path, laughs))) < 2000
    assert time.thread_time() - begin < 5


def test_broken_deep_or_unknown_xml_is_a_reject(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert "broken XML" in reject_reason(path, nitf()[:-40])
    assert "broken XML" in reject_reason(path, nitf(body="<p>" * 100_000))
    assert "no text" in reject_reason(path, nitf(body=""))
    assert "without an article" in reject_reason(path, "<newsMessage/>")
    begin = time.thread_time()
    read_item(path, "<?xml version='1.0'?>" + "<!-- -->" * 7000 + "<other/>")
    assert time.thread_time() - begin < 5


@given(st.data())
@pytest.mark.slow
def test_damaged_item_raises_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    damaged = bytearray(data.draw(st.sampled_from([nitf(), g2(), json.dumps(NINJS)])).encode())
    for _ in range(data.draw(st.integers(0, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "fuzzed.xml"
    path.write_bytes(damaged[: data.draw(st.integers(0, len(damaged)))])
    assert all(isinstance(one, Article | Reject) for one in read(path))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "value", "role"]), inner)
    ),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from([*NINJS, "bodies", "headlines", "ednote", "embargoed"]), JSON)
)
def test_any_ninjs_raises_nothing(
    tmp_path_factory: pytest.TempPathFactory, value: dict[str, Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.json"
    path.write_text(json.dumps({"uri": "x", "pubstatus": "usable"} | value))
    assert all(isinstance(one, Article | Reject) for one in read(path))
