"""Damaged inputs of every format: cut, bit-flipped, recoded, deeply nested, huge."""
