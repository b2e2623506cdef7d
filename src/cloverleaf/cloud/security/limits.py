"""Rate limits: a bucket of tokens per name, filled with time."""

from __future__ import annotations

MOST_NAMES = 200_000


class Buckets:
    """`rate` tokens a second per name, at most `burst` saved up."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst = rate, burst
        self._state: dict[str, tuple[float, float]] = {}

    def take(self, name: str, now: float, cost: float = 1.0) -> bool:
        """Whether `name` may go on at `now` s; takes its tokens if so."""
        left, since = self._state.get(name, (self.burst, now))
        left = min(left + self.rate * max(now - since, 0.0), self.burst)
        if left < cost:
            self._state[name] = (left, now)
            return False
        if len(self._state) >= MOST_NAMES and name not in self._state:
            self._forget(now)
        self._state[name] = (left - cost, now)
        return True

    def _forget(self, now: float) -> None:
        """Drop whoever's bucket is full again; if that is not enough, all."""
        full = self.burst / self.rate
        self._state = {k: v for k, v in self._state.items() if now - v[1] < full}
        if len(self._state) >= MOST_NAMES:
            self._state.clear()
