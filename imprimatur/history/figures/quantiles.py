"""Quantiles of whole numbers. Pure, and in whole numbers only: every database and every machine gives the same.

The definition is the seventh of the nine that Hyndman and Fan (1996) tell apart, which spreadsheets call inclusive: of
n values in order, the quantile p lies at the place (n - 1) p, counted from 0; between two values it is interpolated.
"""

from collections.abc import Sequence


def percentile(ordered: Sequence[int], percent: int) -> int | None:
    """Of values in ascending order, ``percent`` from 0 to 100; halves are rounded up; None of no values."""
    if not ordered:
        return None
    place, rest = divmod((len(ordered) - 1) * percent, 100)
    lower = ordered[place]
    if rest == 0:
        return lower
    return lower + ((ordered[place + 1] - lower) * rest * 2 + 100) // 200


def rate(part: int, whole: int) -> float | None:
    """Per cent, to one decimal; None of nothing."""
    return round(part * 100 / whole, 1) if whole else None
