"""Green light optimal speed advisory: the speed at which a car meets the green, its queue gone.

T/CSAE 53 application 13. The advice is the highest speed, at most the limit, that arrives within a green window; where no speed
between `slowest` and the limit does, there is no advice.
"""

from __future__ import annotations

from cloverleaf.algo.jit import kernel

START_UP = 2.0
"""s from green to the first discharged vehicle."""
HEADWAY = 1.9
"""s between vehicles that leave a queue."""
MARGIN = 1.0
"""s kept to both ends of a green window."""
SLOWEST = 4.2
"""m/s, about 15 km/h: nothing slower is advised."""


@kernel
def queue_clear(green, queued):
    """Time in s at which the last of `queued` vehicles has left, when the green begins at `green`."""
    if queued <= 0.0:
        return green
    return green + 2.0 + 1.9 * queued


@kernel
def speed_for_window(distance, limit, t, opens, closes, queued):
    """Highest speed in m/s that reaches a stop line `distance` m ahead inside [opens, closes] s, behind the queue.

    Returns -1 where no speed between SLOWEST and `limit` does. `t` is now; a window that is open already has `opens` <= t.
    """
    earliest = max(queue_clear(opens, queued) + 1.0, t + distance / limit)
    if opens <= t and queued <= 0.0:
        earliest = t + distance / limit
    if earliest > closes - 1.0:
        return -1.0
    speed = distance / max(earliest - t, 1e-3)
    if speed < 4.2:
        return -1.0
    return min(speed, limit)


@kernel
def advise(distance, limit, t, green_now, end, next_green, next_end, queued):
    """Advised speed in m/s, or -1 for none.

    `green_now`: 1 while the light is green until `end`; the following green is [next_green, next_end] (NaN unknown).
    """
    if green_now != 0:
        speed = speed_for_window(distance, limit, t, t, end, queued)
        if speed > 0.0:
            return speed
    if next_green == next_green and next_end == next_end:
        return speed_for_window(distance, limit, t, next_green, next_end, queued)
    return -1.0
