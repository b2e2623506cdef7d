"""Runs services over a view, each at its interval; late, failing or greedy ones are stopped and counted, not waited for."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from cloverleaf.cloud.live.tiers import Tier, View, tier_of
from cloverleaf.cloud.services import Answer, service_class
from cloverleaf.map.graph import BaseMap

STRIKES = 5
"""Failures or overruns in a row after which a service is stopped for `PENANCE` s."""
PENANCE = 30.0


class Runner:
    """Services of one tier over one world (`LiveTwin` or `Region`)."""

    def __init__(self, base_map: BaseMap, services: Sequence[Any], world: Any, tier: Tier) -> None:
        found = [service_class(s)(base_map) if isinstance(s, str) else s for s in services]
        self.services = [s for s in found if tier_of(s) is tier]
        self.tier = tier
        self._view = {s.name: View(world, tier, s.deadline) for s in self.services}
        self.state = {s.name: Counter[str]() for s in self.services}
        self._next = dict.fromkeys(self.state, 0.0)
        self._strikes = Counter[str]()
        self.spent = dict.fromkeys(self.state, 0.0)
        """s that each service's last run took."""

    def run(self, now: float, *, eager: bool = False) -> list[tuple[str, Answer]]:
        """Answers of the services that are due at `now`; with `eager`, of all that are not stopped."""
        out = []
        for service in self.services:
            name = service.name
            if now < self._next[name] - 1e-6 and not (eager and self._strikes[name] < STRIKES):
                continue
            self._next[name] = now + service.interval
            begin = time.perf_counter()
            answer = self._ask(service, now)
            self.spent[name] = time.perf_counter() - begin
            if answer is not None and self.spent[name] <= self.tier.value:
                self._strikes[name] = 0
                self.state[name]["runs"] += 1
                out.append((name, answer))
                continue
            if answer is not None:
                self.state[name]["late"] += 1
            self._strikes[name] += 1
            if self._strikes[name] >= STRIKES:
                self.state[name]["stopped"] += 1
                self._next[name] = now + PENANCE
        return out

    def _ask(self, service: Any, now: float) -> Answer | None:
        try:
            view = self._view[service.name]
            view.now = now
            answer: Answer = service.step(view, now)
        except Exception as error:  # whatever a plug-in raises is its own failure
            self.state[service.name][type(error).__name__] += 1
            return None
        return answer

    def page(self) -> dict[str, Any]:
        """Per service its tier, runs, failures and last duration."""
        return {
            name: {"tier": self.tier.name.lower(), "last_ms": round(1e3 * self.spent[name], 3), **state}
            for name, state in self.state.items()
        }
