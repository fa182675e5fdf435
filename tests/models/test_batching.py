"""Batches of texts: each text once, even, within the limit."""

from hypothesis import given
from hypothesis import strategies as st

from rag.models.batching import even_batches, padded_batches

LENGTHS = st.lists(st.integers(0, 300), max_size=60)


@given(LENGTHS, st.integers(1, 600))
def test_padded_batches_hold_every_text_within_the_limit(lengths, limit):
    found = list(padded_batches(lengths, limit))
    assert sorted(place for batch in found for place in batch) == list(range(len(lengths)))
    for batch in found:
        assert max(lengths[place] for place in batch) * len(batch) <= limit or len(batch) == 1


@given(LENGTHS, st.integers(1, 600), st.integers(1, 4))
def test_even_batches_hold_every_text_about_evenly(lengths, most, workers):
    found = even_batches(lengths, most, workers)
    assert sorted(place for batch in found for place in batch) == list(range(len(lengths)))
    sizes = [sum(lengths[place] for place in batch) for batch in found]
    longest = max(lengths, default=0)
    assert max(sizes, default=0) <= most + longest
    assert max(sizes, default=0) - min(sizes, default=0) <= longest


def test_even_batches_share_few_texts_among_the_workers():
    assert sorted(map(sorted, even_batches([30, 10, 20, 40], 2048, 2))) == [[0, 2], [1, 3]]
    assert even_batches([30], 2048, 2) == [[0]]
    assert even_batches([], 2048, 2) == []
