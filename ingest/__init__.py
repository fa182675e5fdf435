"""Ingest: fetch, read and clean articles, and write them to an archive."""
