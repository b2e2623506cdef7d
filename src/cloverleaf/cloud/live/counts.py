"""Counts by source and reason: what a health page needs to say who sends what, and why it was not taken."""

from __future__ import annotations

from collections import Counter
from typing import Any

MAX_SOURCES = 2000
"""More sources than these are counted together as "others", so that forged names cannot fill the memory."""


class Counts:
    """`good` messages and `refused` ones by reason, per source; `totals` over all."""

    def __init__(self) -> None:
        self.good: Counter[str] = Counter()
        self.refused: Counter[tuple[str, str]] = Counter()
        self.totals: Counter[str] = Counter()
        self._sources: set[str] = set()

    def _name(self, source: str) -> str:
        if source not in self._sources:
            if len(self._sources) >= MAX_SOURCES:
                return "others"
            self._sources.add(source)
        return source

    def take(self, source: str, n: int = 1) -> None:
        """n good messages."""
        if n:
            self.good[self._name(source)] += n
            self.totals["accepted"] += n

    def refuse(self, source: str, reason: str, n: int = 1) -> None:
        """n messages that were not taken."""
        if n:
            self.refused[self._name(source), reason] += n
            self.totals[reason] += n

    def page(self, most: int = 50) -> dict[str, Any]:
        """Totals, and the sources with the most refusals, as plain data."""
        by_source: dict[str, dict[str, int]] = {}
        for (source, reason), n in self.refused.most_common(4 * most):
            if source in by_source or len(by_source) < most:
                by_source.setdefault(source, {})[reason] = n
        return {
            "totals": dict(self.totals),
            "sources": len(self.good.keys() | by_source.keys()),
            "refused_by_source": by_source,
        }
