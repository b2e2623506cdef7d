"""The life of messages, one by one: the inclusion rules of TS 103 324 for one sender as plainly as the clause reads, and freshness."""

from __future__ import annotations

import math

from cloverleaf.link.life.freshness import AHEAD, MAX_AGE
from cloverleaf.types.messages import MessageKind


class NaiveSelection:
    """What one sender said about each object."""

    def __init__(self) -> None:
        self.last: dict[int, tuple[float, float, float, float, float]] = {}
        self.sent = self.sensors = -math.inf

    def select(self, objects: list[dict], t: float) -> list[int] | None:
        """Ids of the objects in the message at `t`; None if no message goes out. Objects: id, person, t, x, y, speed, heading."""
        if t - self.sent < 0.1 - 1e-6:
            return None
        due, people, person_due = [], [], False
        for o in objects:
            if t - o["t"] > 1.5 + 1e-6:
                continue
            last = self.last.get(o["id"])
            if o["person"]:
                people.append(o)
                person_due |= last is None or t - last[0] >= 0.5 - 1e-6
            elif last is None or t - last[0] >= 1.0 - 1e-6:
                due.append(o)
            else:
                turn = abs(math.remainder(o["heading"] - last[4], 2 * math.pi))
                moved = math.hypot(o["x"] - last[1], o["y"] - last[2]) > 4.0
                if moved or abs(o["speed"] - last[3]) > 0.5 or turn > math.radians(4.0):
                    due.append(o)
        due += people if person_due else []
        if not due and t - self.sensors < 1.0 - 1e-6:
            return None
        self.sent = t
        if t - self.sensors >= 1.0 - 1e-6:
            self.sensors = t
        for o in due:
            self.last[o["id"]] = (t, o["x"], o["y"], o["speed"], o["heading"])
        return sorted(o["id"] for o in due)


class NaiveFreshness:
    """Judges one message after another by the words of the rules."""

    def __init__(self) -> None:
        self.taken: list[tuple[MessageKind, int, float]] = []

    def check(self, kind: MessageKind, station: int, time: float, now: float) -> str:
        if time > now + AHEAD:
            return "future"
        if time < now - MAX_AGE[kind]:
            return "stale"
        before = [t for k, s, t in self.taken if (k, s) == (kind, station)]
        if time in before and time == max(before):
            return "duplicate"
        if before and time < max(before):
            return "out of order"
        self.taken.append((kind, station, time))
        return "fresh"
