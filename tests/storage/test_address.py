"""Addresses on a storage: read back from a place, and without credentials."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.storage.address import (
    StorageAddress,
    name_problem,
    path_of_file_url,
    split_storage_place,
)
from ingest.storage.errors import plain_error
from rag.errors import ReadError
from rag.urls import file_location


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("s3://press/news/", "s3://press/news"),
        ("S3A://press/a b.jsonl", "s3://press/a b.jsonl"),
        ("s3://press", "s3://press"),
        ("gcs://press/é.html", "gs://press/é.html"),
        ("s3://press/a%20b", "s3://press/a b"),
        ("s3://press/a  b ", "s3://press/a %20b%20"),
        ("s3://press/50% off!", "s3://press/50%25 off%21"),
        (
            "abfss://news@harbour.dfs.core.windows.net/a",
            "abfs://news@harbour.dfs.core.windows.net/a",
        ),
        ("hdfs://ada@node-1:8020/news/a.warc.gz", "hdfs://ada@node-1:8020/news/a.warc.gz"),
        ("hdfs:///news", "hdfs:///news"),
    ],
)
def test_parse_gives_one_form(text: str, canonical: str) -> None:
    address = StorageAddress.parse(text)
    assert str(address) == canonical
    assert StorageAddress.parse(canonical) == address


@given(st.text(min_size=1, max_size=80).filter(lambda key: not name_problem(key)))
def test_place_leads_back_to_any_key(key: str) -> None:
    try:
        key.encode()
    except UnicodeEncodeError:  # not a name on any storage
        return
    address = StorageAddress("s3", "press", key)
    assert StorageAddress.parse(str(address)) == address
    assert str(address).isprintable()
    assert split_storage_place(f"{address}!member:a.html:17") == (str(address), "!member:a.html:17")
    assert file_location(str(address)) == str(address)


@pytest.mark.parametrize(
    "text",
    [
        "s3://AKIDHARBOUR:courier-secret@press/news",
        "s3://AKIDHARBOUR@press/news",
        "abfs://news:courier-secret@harbour.dfs.core.windows.net/a",
        "abfs://news@harbour.dfs.core.windows.net/a?sv=1&sig=courier-secret",
        "s3://press/a?X-Amz-Signature=courier-secret",
        "s3://press/a?secret_key=courier-secret",
        "hdfs://ada:courier-secret@node/a",
    ],
)
def test_credentials_are_refused_and_not_shown(text: str) -> None:
    with pytest.raises(ReadError, match="contains credentials") as caught:
        StorageAddress.parse(text)
    assert "courier-secret" not in str(caught.value)
    assert "AKID" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        *("s3://", "s3:///news", "s3://press/a/../b", "s3://press/..", "s3://press/./a"),
        *(
            "s3://press//a",
            "s3://press/a%00b",
            "s3://press/%2e%2e/a",
            "s3://press/a%ff",
            "s3://pre ss/a",
            "s3://..",
        ),
        *("abfs://news@harbour.evil.example/a", "hdfs://node:port/a", f"s3://press/{'a' * 9000}"),
    ],
)
def test_malformed_addresses_are_refused(text: str) -> None:
    with pytest.raises(ReadError, match=r"^Malformed"):
        StorageAddress.parse(text)


def test_file_urls_are_paths() -> None:
    assert path_of_file_url("file:///a/b%20c.html") == Path("/a/b c.html")
    assert path_of_file_url("file://localhost/a") == Path("/a")
    for text in ("file://other/a", "file://a", "file:///a%00b"):
        with pytest.raises(ReadError):
            path_of_file_url(text)


def test_errors_show_nothing_of_the_client() -> None:
    said = (
        "AWS Error NETWORK_CONNECTION with X-Amz-Signature=courier-secret",
        "AWS Error INVALID_ACCESS_KEY_ID: courier-secret",
        "AWS Error ODD_THING: courier-secret",
        "courier-secret",
    )
    plain = [str(plain_error(OSError(message))) for message in said]
    assert "can't be reached" in plain[0]
    assert "access denied" in plain[1]
    assert plain[2:] == ["the storage failed (ODD_THING)", "the storage failed (OSError)"]
