"""Where the time goes: processor seconds that a profile has of some functions."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Mapping
from pathlib import Path

Part = tuple[str, str]  # a file's name, and a function in it


def seconds_of(profile: cProfile.Profile, parts: Mapping[str, Part]) -> dict[str, float]:
    """Return the seconds spent in each part, with all that it calls.

    Args:
        profile: A profile, made with a clock of processor time.
        parts: A function for each part; parts may lie within others.
    """
    stats: dict[tuple[str, int, str], tuple[int, int, float, float, object]]
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    found = dict.fromkeys(parts, 0.0)
    for (path, _, function), (_, _, _, seconds, _) in stats.items():
        for part, place in parts.items():
            if place == (Path(path).name, function):
                found[part] += seconds
    return found
