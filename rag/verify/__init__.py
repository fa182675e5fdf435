"""Verification of statements against the passages that they cite."""
