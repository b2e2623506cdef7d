"""The CAM trigger rules, one station, written as the clause reads."""

from __future__ import annotations

import math


def cam_times(states: list[tuple[float, float, float, float, float]]) -> list[float]:
    """Times of the CAMs of a station whose `(t, x, y, heading, speed)` is checked at each row."""
    sent: list[float] = []
    last: tuple[float, float, float, float, float] | None = None
    t_gen, repeats = 1.0, 0
    for now in states:
        if last is None:
            send, dynamic = True, True
            elapsed = 1.0
        else:
            elapsed = round(now[0] - last[0], 9)
            turn = abs((now[3] - last[3] + math.pi) % (2 * math.pi) - math.pi)
            dynamic = turn > math.radians(4) or math.dist(now[1:3], last[1:3]) > 4 or abs(now[4] - last[4]) > 0.5
            send = elapsed >= 0.1 and (dynamic or elapsed >= t_gen)
        if not send:
            continue
        if last is not None and dynamic:
            t_gen, repeats = min(elapsed, 1.0), 0
        elif last is not None:
            repeats += 1
            if repeats >= 3:
                t_gen = 1.0
        last = now
        sent.append(now[0])
    return sent
