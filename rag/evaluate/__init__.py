"""Evaluation of retrieval, answers, verification and duplicate detection."""
