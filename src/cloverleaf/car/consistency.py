"""Do own sensors agree with what others say of themselves? A lasting offset between both means that the own sensors are biased.

Each station that announces itself and is seen too gives one residual: where it was detected minus where it says it was, in the own body
frame. One residual means little - both positions have their errors - but the mean over stations and seconds is the bias of the sensors
plus the error of the own position, which is the same for all. Without messages from others there is nothing to compare with.
"""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.car.fuse import AWARENESS
from cloverleaf.car.heard import (
    B_HEADING,
    B_SIGMA,
    B_SPEED,
    B_X,
    B_Y,
    D_TIME,
    D_VX,
    D_VY,
    D_X,
    D_Y,
    O_HEADING,
    O_SPEED,
    O_STATION,
    O_TIME,
    O_X,
    O_Y,
    Heard,
)  # fmt: skip
from cloverleaf.types.state import F64, I64

PAIR, SPEEDS = 3.0, 2.5  # m, m/s: a detection farther from a message is not the same road user
OLDEST = 0.6  # s
PAIRS = 12.0  # residuals that count as one view
AGREEING = 0.5  # m, mean offset up to which sensors are sound beyond doubt
AT_ONCE = (
    3.0  # stations seen in one look: the error of a single one's own position lasts, and no repetition averages it away
)
BIASED, SOUND = (
    0.9,
    0.8,
)  # m, mean offset from which sensors count as biased, and sound again, beyond the deviation that the own position claims


@kernel
def residuals(heard, receivers, stations, body, seen, seen_start, now, out):
    """Fill out (n, 3): number of pairs, sums of detected minus told positions (m forward, left) of each car."""
    for k in range(stations.shape[0]):
        out[k, 0] = out[k, 1] = out[k, 2] = 0.0
        r = receivers[k]
        if r < 0 or seen_start[k] == seen_start[k + 1]:
            continue
        c, s = math.cos(body[k, B_HEADING]), math.sin(body[k, B_HEADING])
        for p in range(heard.start[r], heard.start[r + 1]):
            if heard.kind[p] != AWARENESS:
                continue
            m = np.int64(heard.message[p])
            o = heard.object
            if np.int64(o[m, O_STATION]) == stations[k] or not 0.0 <= now - o[m, O_TIME] <= OLDEST:
                continue
            best, second, bx, by = PAIR, math.inf, 0.0, 0.0
            vx, vy = o[m, O_SPEED] * math.cos(o[m, O_HEADING]), o[m, O_SPEED] * math.sin(o[m, O_HEADING])
            for d in range(seen_start[k], seen_start[k + 1]):
                then = seen[d, D_TIME]
                # both as they were when the sensor looked
                x = o[m, O_X] + vx * (then - o[m, O_TIME]) - (body[k, B_X] - body[k, B_SPEED] * c * (now - then))
                y = o[m, O_Y] + vy * (then - o[m, O_TIME]) - (body[k, B_Y] - body[k, B_SPEED] * s * (now - then))
                ex, ey = seen[d, D_X] - (x * c + y * s), seen[d, D_Y] - (y * c - x * s)
                ux, uy = seen[d, D_VX] - (vx * c + vy * s), seen[d, D_VY] - (vy * c - vx * s)
                off = math.sqrt(ex * ex + ey * ey)
                if ux * ux + uy * uy > SPEEDS * SPEEDS:
                    continue
                if off < best:
                    best, second, bx, by = off, best, ex, ey
                elif off < second:
                    second = off
            # two that could be it are none
            if best < PAIR and second > best + 1.0 and math.isfinite(bx + by):
                out[k, 0] += 1.0
                out[k, 1] += bx
                out[k, 2] += by


class Consistency:
    """Memory of one fleet's offsets; call `check` once a tick."""

    def __init__(self) -> None:
        self._stations: I64 = np.zeros(0, np.int64)
        self.offset = np.zeros((0, 2))  # m forward, left
        self._weight = np.zeros(0)  # residuals behind it, at most PAIRS
        self._biased = np.zeros(0, bool)
        self._now = np.zeros(0, bool)  # others were seen in the last look

    def _arrange(self, stations: I64) -> None:
        row = {int(s): k for k, s in enumerate(self._stations)}
        old = np.array([row.get(int(s), -1) for s in stations], np.int64)
        for name in ("offset", "_weight", "_biased", "_now"):
            have = getattr(self, name)
            new = np.zeros((len(stations), *have.shape[1:]), have.dtype)
            new[old >= 0] = have[old[old >= 0]]
            setattr(self, name, new)
        self._stations = stations.copy()

    def check(
        self, stations: I64, body: F64, seen: F64, seen_start: I64, told: Heard, receivers: I64, t: float
    ) -> np.ndarray:
        """Which cars' sensors are biased, (n,) bool; tables as in `car/heard.py`."""
        if not np.array_equal(stations, self._stations):
            self._arrange(stations)
        out = np.zeros((len(stations), 3))
        residuals(told, receivers, stations, body, seen, seen_start, float(t), out)
        count = np.where(out[:, 0] >= AT_ONCE, out[:, 0], 0.0)
        self._now = count > 0.0
        # a running mean over the last PAIRS residuals: sure after one busy look, or after some lonely ones
        self._weight = np.minimum(self._weight + count, np.maximum(PAIRS, count))
        share = np.where(count > 0, count / np.maximum(self._weight, 1.0), 0.0)[:, None]
        mean = out[:, 1:] / np.maximum(count, 1.0)[:, None]
        self.offset = (1.0 - share) * self.offset + share * mean
        size = np.abs(self.offset).max(1) if len(stations) else np.zeros(0)
        sure = self._weight >= 0.5 * PAIRS
        own = np.minimum(body[:, B_SIGMA], 1.0)  # its error is common to all residuals, and lasts
        self._biased = sure & (size > own + np.where(self._biased, SOUND, BIASED))
        return self._biased.copy()

    def sound(self) -> np.ndarray:
        """Which cars' sensors agree with what others say, (n,) bool; where nobody says anything they do not."""
        return (self._weight >= 0.5 * PAIRS) & (np.abs(self.offset).max(1, initial=0.0) < AGREEING) & self._now
