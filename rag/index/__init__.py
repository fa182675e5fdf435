"""The vector index (Chroma) and the BM25 index (Tantivy), kept in sync with the store."""
