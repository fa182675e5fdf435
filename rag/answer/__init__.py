"""Answers: extractive or generated, with citations, or refused."""
