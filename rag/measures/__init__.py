"""How answers are measured, beside retrieval (`rag.evaluation`)."""
