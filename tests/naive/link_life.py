"""The inclusion rules of TS 103 324 for one sender, object by object, as plainly as the clause reads."""

from __future__ import annotations

import math


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
