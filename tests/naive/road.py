"""Roadside tracking and signal forecasts in plain Python, one unit and one head at a time."""

from __future__ import annotations

import math


class NaiveTracker:
    """Dictionaries per track; the same filter, written out."""

    def __init__(self) -> None:
        self.tracks: list[dict] = []
        self.next_id = 1

    def step(self, detections: list[dict], t: float) -> None:
        self.tracks = [k for k in self.tracks if t - k["time"] <= 1.0]
        taken: list[dict] = []
        for d in detections:
            best, found = 9.0, None
            for k in sorted(self.tracks, key=lambda k: k["slot"]):
                if any(k is other for other in taken) or (k["kind"] == 7) != (d["kind"] == 7):
                    continue
                age = d["time"] - k["time"]
                d2 = (d["x"] - k["x"] - k["vx"] * age) ** 2 + (d["y"] - k["y"] - k["vy"] * age) ** 2
                if d2 < best:
                    best, found = d2, k
            if found is None:
                slots = {k["slot"] for k in self.tracks}
                slot = min(set(range(len(slots) + 1)) - slots)
                found = {"id": self.next_id, "slot": slot, "hits": 1, **d}
                self.next_id += 1
                self.tracks.append(found)
            else:
                self._update(found, d)
            taken.append(found)

    @staticmethod
    def _update(k: dict, d: dict) -> None:
        step = max(d["time"] - k["time"], 1e-3)
        px, py = k["x"] + k["vx"] * step, k["y"] + k["vy"] * step
        rx, ry = d["x"] - px, d["y"] - py
        vx, vy = k["vx"] + 0.17 * rx / step, k["vy"] + 0.17 * ry / step
        k.update(x=px + 0.5 * rx, y=py + 0.5 * ry, vx=vx + 0.5 * (d["vx"] - vx), vy=vy + 0.5 * (d["vy"] - vy))
        k.update(time=d["time"], kind=d["kind"], hits=k["hits"] + 1)


def head_change(
    states: list[str], durations: list[float], index: int, remaining: float, head: int
) -> tuple[float, str, float]:
    """(s until head changes, letter then, s until that letter ends) of a fixed plan in order; inf where it never changes."""
    n, wait, letter = len(states), remaining, states[index][head]
    for k in range(1, n):
        p = (index + k) % n
        if states[p][head] != letter:
            after, end = states[p][head], wait
            for j in range(k, n):
                q = (index + j) % n
                if states[q][head] != after:
                    break
                end += durations[q]
            return wait, after, end
        wait += durations[p]
    return math.inf, "", math.inf
