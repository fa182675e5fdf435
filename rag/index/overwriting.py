"""Deletion of records from a Chroma server so that their vectors leave its files.

Chroma keeps the vector of a deleted record: in the collection's file for good, and in its log until
`chroma vacuum`. So each is overwritten before it is deleted, and then as many others are written as
Chroma collects before it writes a collection to its file.
"""

from __future__ import annotations

import numpy as np

from rag.index.chroma_client import ChromaClient, Collection
from rag.store.passages import Numbers

DECOY = "erased-"  # ids of records that are written to be deleted
DECOYS = 1_200  # Chroma writes a collection to its file after 1,000 changes, its `sync_threshold`


def erase_vectors(
    client: ChromaClient, collection: Collection, numbers: Numbers, batch: int
) -> None:
    """Overwrite and delete those of these passages that a collection has.

    Args:
        client: The connection.
        collection: The collection.
        numbers: Passage numbers, at most as many as the server returns and takes at once.
        batch: Records in one write.

    Raises:
        VectorServerError: The server can't be used; what is left can be erased again.
    """
    held, vectors = client.vectors(collection, numbers)
    if not len(held):
        return
    random = np.random.default_rng()
    ids = [str(number) for number in held.tolist()]
    client.write(collection, ids, random.standard_normal(vectors.shape, np.float32))
    client.delete(collection, ids)
    decoys = [f"{DECOY}{i}" for i in range(min(batch, DECOYS))]
    shape = (len(decoys), vectors.shape[1])
    for _ in range(0, DECOYS, len(decoys)):
        client.write(collection, decoys, random.standard_normal(shape, np.float32))
    client.delete(collection, decoys)
