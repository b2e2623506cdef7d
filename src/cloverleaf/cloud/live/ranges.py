"""Sets of sequence numbers: which frames of a source were had already, in a few numbers however many they are."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable


def _first(of: list[int]) -> int:
    return of[0]


class Ranges:
    """A set of sequence numbers that is nearly contiguous: sorted disjoint ranges [a, b]."""

    def __init__(self, ranges: Iterable[Iterable[int]] = ()) -> None:
        self.ranges: list[list[int]] = sorted([int(a), int(b)] for a, b in ranges)

    def __contains__(self, n: int) -> bool:
        i = bisect_right(self.ranges, n, key=_first) - 1
        return i >= 0 and n <= self.ranges[i][1]

    def add(self, n: int) -> bool:
        """Add a number; False if it is in already."""
        r = self.ranges
        i = bisect_right(r, n, key=_first)  # the first range behind n
        if i and n <= r[i - 1][1]:
            return False
        follows, leads = bool(i) and r[i - 1][1] == n - 1, i < len(r) and r[i][0] == n + 1
        if follows:
            r[i - 1][1] = r.pop(i)[1] if leads else n
        elif leads:
            r[i][0] = n
        else:
            r.insert(i, [n, n])
        return True

    def forget(self, window: int) -> None:
        """Close the gaps below the window, so that the list stays short."""
        while len(self.ranges) > 1 and self.ranges[1][0] < self.ranges[-1][1] - window:
            self.ranges[0][1] = self.ranges.pop(1)[1]
