"""Measurements, run by `make bench`. None is a test: a time is not an invariant."""
