"""Arrays that nobody else holds any more, to be used again: fresh memory costs more than decoding a short message into it."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

KEPT = 3
"""Arrays remembered: what the caller holds of the last call, of the one before, and the one being filled."""
LARGEST = 1 << 24
"""Bytes up to which an array is kept."""
_OURS = 3  # the list, the loop's variable and the argument of getrefcount


class Spare:
    """Scratch of one dtype. An array that `take` returned is given out again once no view of it is alive (CPython counts)."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        self._kept: list[Any] = []

    def take(self, size: int) -> Any:
        """A flat array of `size` items, of arbitrary content."""
        for whole in self._kept:
            if sys.getrefcount(whole) == _OURS and size <= len(whole) <= 4 * size + 65536:
                return whole[:size]
        made = np.empty(size + size // 8 + 64, self.dtype)
        if made.nbytes <= LARGEST:
            self._kept = [*self._kept[1 - KEPT :], made]
        return made[:size]
