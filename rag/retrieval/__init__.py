"""Hybrid retrieval: BM25 and vectors, fusion, ranking, near-duplicate collapsing."""
