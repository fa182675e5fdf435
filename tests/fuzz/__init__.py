"""Damaged inputs of every kind: cut, bit-flipped, in another encoding, nested deep, huge."""
