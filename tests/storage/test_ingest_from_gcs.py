"""Ingest from Google Cloud Storage by pyarrow's client."""

from __future__ import annotations

import pytest

from ingest.readers import Reject, read
from rag.schema import Article
from tests.ingest.test_pipeline import json_line
from tests.support.gcs_server import serve_gcs

STORY = "The crane on the north quay fell into the basin on Monday, the harbour master said. " * 6


@pytest.mark.full  # the client waits 20 s now and then
def test_folders_without_markers_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    objects = {
        "news/a.jsonl": json_line(1),
        "news/deep/er/b.txt": f"Quay closed\n\n{STORY}",
        "news/marked/": "",
        "news/marked/big.jsonl": "\n".join(json_line(n, STORY * 20) for n in range(2, 150)),
        "news/../c.jsonl": json_line(900),
        "other.jsonl": json_line(901),
    }
    with serve_gcs(objects) as address:
        monkeypatch.setenv("CLOUD_STORAGE_EMULATOR_ENDPOINT", address)
        monkeypatch.setenv("GS_NO_SIGN_REQUEST", "yes")
        found = list(read("gs://press/news"))
        missing = list(read("gs://press/nothing"))
    ids = [one.id for one in found if isinstance(one, Article)]
    numbered = [f"crane-{number}" for number in range(1, 150)]
    assert ids == [numbered[0], "file:gs://press/news/deep/er/b.txt", *numbered[1:]]
    assert [(one.place, one.reason) for one in found if isinstance(one, Reject)] == [
        (
            "gs://press/news/../c.jsonl",
            "can't be read by this name: a part of the path is . or ..",
        )
    ]
    assert missing == [Reject("gs://press/nothing", "no such file or folder")]
