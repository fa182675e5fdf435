"""Clusters: real ones on this machine make the archive that one process makes."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest import batching, preparers
from ingest.clusters import Cluster, ClusterAddress, ClusterError, open_cluster
from rag.errors import SettingsError
from rag.settings import Settings
from tests.ingest.test_workers import (
    WORDS,
    assert_same,
    mixed_records,
    record,
    run,
    write_lines,
)
from tests.support.commands import run as command_line
from tests.support.mappings import DEADLY, prepare_or_die
from tests.support.small_models import make_model

pytestmark = pytest.mark.slow

DASK, RAY = "dask://local?workers=2", "ray://local?workers=2"


@pytest.fixture(autouse=True, scope="module")
def small_chunks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preparers, "CHUNK_CHARACTERS", 2_000)
        patch.setattr(batching, "BATCH_ARTICLES", 8)
        yield


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("models") / "words"
    return Settings(embedding_model=make_model(folder, WORDS), token="secret", archive=folder)


def open_local(address: str, settings: Settings, **more: Any) -> Cluster:
    return open_cluster(ClusterAddress.parse(address), settings, **more)


def records(count: int, *, deadly: int = -1) -> list[dict[str, Any]]:
    found = [record(n, extra=DEADLY if n == deadly else "") for n in range(count)]
    return [*found, *mixed_records()[40:]]


@pytest.mark.parametrize("address", [DASK, RAY])
def test_cluster_makes_what_one_process_makes(
    address: str, settings: Settings, tmp_path: Path
) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    source = write_lines(tmp_path / "dump.jsonl", records(12))
    alone = run(tmp_path / "alone", [source], None, settings)
    pool = open_local(address, settings)
    assert run(tmp_path / "together", [source], pool, settings) == alone
    assert pool.workers == 2
    assert_same(tmp_path / "alone", tmp_path / "together", settings)
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


@pytest.fixture(scope="module")
def a_thousand(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Path, Any]]:
    """1,000 articles, the archive that one process makes of them, and its report and rejects."""
    folder = tmp_path_factory.mktemp("thousand")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preparers, "CHUNK_CHARACTERS", 10_000)
        patch.setattr(batching, "BATCH_ARTICLES", 64)
        source = write_lines(folder / "dump.jsonl", records(1_000))
        yield source, folder / "alone", run(folder / "alone", [source], None, settings)


@pytest.mark.full
@pytest.mark.parametrize("address", [DASK, RAY])
def test_cluster_makes_the_same_archive_of_1000_articles(
    address: str, settings: Settings, tmp_path: Path, a_thousand: tuple[Path, Path, Any]
) -> None:
    source, archive, alone = a_thousand
    assert alone[0].new >= 1_000
    assert run(tmp_path / "together", [source], open_local(address, settings), settings) == alone
    assert_same(archive, tmp_path / "together", settings)


@pytest.mark.full
def test_article_that_ends_its_worker_is_rejected_alone(settings: Settings, tmp_path: Path) -> None:
    source = write_lines(tmp_path / "dump.jsonl", records(12, deadly=9))
    pool = open_local(DASK, settings, mapping=prepare_or_die)
    report, rejects = run(tmp_path / "archive", [source], pool, settings)
    whole = run(tmp_path / "whole", [write_lines(source, records(12))], None, settings)[0]
    assert (report.new, report.rejected) == (whole.new - 1, whole.rejected + 1)
    assert [one["place"] for one in rejects if "ended unexpectedly" in one["reason"]] == [
        record(9)["url"]
    ]


def test_cluster_gets_no_secrets(settings: Settings) -> None:
    pool = open_local(DASK, settings)
    assert pool._settings.embedding_model == settings.embedding_model
    assert pool._settings.token == ""
    assert pool._settings.archive == Settings().archive


def test_cluster_that_is_not_there_ends_the_ingest(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.dask_cluster.CONNECT_SECONDS", 0.5)
    source = write_lines(tmp_path / "dump.jsonl", records(2))
    with pytest.raises(ClusterError, match=r"dask://127.0.0.1:9 can't be reached"):
        run(tmp_path / "archive", [source], open_local("dask://127.0.0.1:9", settings), settings)
    report = run(tmp_path / "archive", [source], None, settings)[0]
    assert report.unchanged < report.new  # nothing was left half-done


@pytest.mark.parametrize(
    "text",
    [
        "dask://", "dask://host", "dask://host:port", "dask://auto", "spark://host:1", "host:8786",
        "dask://host:1/path", "ray://local?workers=-1", "dask://local?gpus=1", "ray://local?cpus=2",
        "ray://local?workers", "", "dask://host:99999", "dask://host:1#x", "ray://local?gpus=nan",
    ],
)  # fmt: skip
def test_malformed_address_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="is not the address of a cluster"):
        ClusterAddress.parse(text)


def test_addresses_are_parsed() -> None:
    assert ClusterAddress.parse("dask://10.0.0.1:8786") == ClusterAddress("dask", "10.0.0.1:8786")
    assert ClusterAddress.parse("ray://auto?workers=4&gpus=.5") == ClusterAddress(
        "ray", "auto", 4, 0.5
    )
    assert str(ClusterAddress.parse("dask://[::1]:8786")) == "dask://[::1]:8786"


def test_command_refuses_a_malformed_cluster_before_anything_is_written(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "dump.jsonl", records(2))
    archive = tmp_path / "archive"
    for cluster, said in (("dask://x", "dask://x"), ("dask://local", "?workers=N")):
        words = ["--workers", "2"] if "local" in cluster else []
        done = command_line("ingest", source, "--archive", archive, "--cluster", cluster, *words)
        assert done.code == 2, done
        assert said in done.stderr
        assert not archive.exists()
