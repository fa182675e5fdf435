"""Edit distance of two words."""

from __future__ import annotations


def edit_distance(one: str, other: str) -> int:
    """Return the letters that must be added, left out, changed or swapped with their neighbour.

    Optimal string alignment (restricted Damerau-Levenshtein distance).

    Args:
        one: A word.
        other: Another word.
    """
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            best = min(rows[-1][j] + 1, row[j - 1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]
