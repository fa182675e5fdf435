"""LRU caches of texts and metadata."""

from __future__ import annotations

from rag.store.cache import ReadThroughCache

TEXTS = {"a": "x" * 4, "b": "x" * 4, "c": "x" * 4, "long": "x" * 11}


class Reader:
    """Reads texts and remembers the requests."""

    def __init__(self) -> None:
        self.reads: list[set[str]] = []

    def __call__(self, keys: set[str]) -> dict[str, str]:
        self.reads.append(keys)
        return {key: TEXTS[key] for key in keys if key in TEXTS}


def test_cache_reads_only_what_it_lacks() -> None:
    read = Reader()
    cache = ReadThroughCache(read, 10, len)
    assert cache.get_many(["a", "none"]) == {"a": TEXTS["a"]}
    assert cache.get_many(["a", "b", "none"]) == {"a": TEXTS["a"], "b": TEXTS["b"]}
    assert read.reads == [{"a", "none"}, {"b", "none"}]


def test_cache_drops_the_least_recently_used() -> None:
    read = Reader()
    cache = ReadThroughCache(read, 10, len)
    for key in ("a", "b", "a", "c", "a", "b"):  # two fit: "c" takes the place of "b"
        assert cache.get_many([key]) == {key: TEXTS[key]}
    assert read.reads == [{"a"}, {"b"}, {"c"}, {"b"}]


def test_cache_skips_values_larger_than_itself() -> None:
    read = Reader()
    cache = ReadThroughCache(read, 10, len)
    cache.get_many(["a"])
    assert cache.get_many(["a", "long"]) == {"a": TEXTS["a"], "long": TEXTS["long"]}
    assert cache.get_many(["a", "long"]) == {"a": TEXTS["a"], "long": TEXTS["long"]}
    assert read.reads == [{"a"}, {"long"}, {"long"}]
