"""Do own sensors agree with themselves? When all objects jump by the same way at once, the sensors have moved, not the objects.

Each object is followed on its own by a filter with fixed gains. What all of them deviate by in one look is the common part of their
innovations; its deviation falls with the root of their number, so that three objects tell half a metre from noise. A jump that the
next look confirms stays in force as the offset of the sensors until another one takes it back, until what others say refutes it or
for `HELD`.
"""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.car.heard import B_HEADING, B_SPEED, B_X, B_Y, B_YAW, D_TIME, D_VX, D_VY, D_X, D_Y
from cloverleaf.car.rows import rows_of
from cloverleaf.types.state import F64, I64

OBJECTS = 32  # followed per car, and looked at per list
PAIR, SPEEDS = 2.5, 2.5  # m, m/s: a detection farther from a remembered object is another one
ALONE = 1.0  # m by which the next best must be farther
GAIN, SPEED_GAIN = 0.35, 0.4
ESTABLISHED = 4  # looks after which an object's place is known
UNSEEN = 0.6  # s after which one is forgotten
FEWEST = 2  # objects that make a jump common
SUSPECTED, CONFIRMED, SMALL = (
    0.6,
    0.6,
    0.5,
)  # m along an axis: of one look, of the mean of two, of an offset that is none any more
SUSPECTED_OF_TWO, CONFIRMED_OF_TWO = 0.7, 0.8  # m, where two objects only tell of it
HELD = 15.0  # s

# columns of the memory of an object, and of a car
X, Y, VX, VY, TIME, LOOKS = range(6)
OFFSET_X, OFFSET_Y, JUMP_X, JUMP_Y, SINCE = range(5)  # m, m, m, m (0 none suspected), s of the last confirmed jump


@kernel
def place_of(body, k, seen, j, dx, dy, now):
    """ENU place and velocity of detection j of car k, moved back by an offset (m, body frame) of the sensors."""
    late = now - seen[j, D_TIME]
    turn = body[k, B_YAW] * late
    heading, middle = body[k, B_HEADING] - turn, body[k, B_HEADING] - 0.5 * turn
    c, s = math.cos(heading), math.sin(heading)
    bx, by = seen[j, D_X] - dx, seen[j, D_Y] - dy
    x = body[k, B_X] - body[k, B_SPEED] * late * math.cos(middle) + bx * c - by * s
    y = body[k, B_Y] - body[k, B_SPEED] * late * math.sin(middle) + bx * s + by * c
    return x, y, seen[j, D_VX] * c - seen[j, D_VY] * s, seen[j, D_VX] * s + seen[j, D_VY] * c


@kernel
def same_object(table, count, x, y, vx, vy, time):
    """Row of the remembered object that is there at `time`, -1 none; and whether no other could be it."""
    best, nearest, second = np.int64(-1), PAIR, math.inf
    for i in range(count):
        dt = time - table[i, TIME]
        ux, uy = vx - table[i, VX], vy - table[i, VY]
        if ux * ux + uy * uy > SPEEDS * SPEEDS:
            continue
        ex, ey = x - table[i, X] - table[i, VX] * dt, y - table[i, Y] - table[i, VY] * dt
        off = math.sqrt(ex * ex + ey * ey)
        if off < nearest:
            if best >= 0:
                second = min(second, nearest)
            best, nearest = np.int64(i), off
        elif off < second:
            second = off
    return best, second > nearest + ALONE


@kernel
def judge_jump(car, jx, jy, many, now):
    """Suspect, confirm or drop a common jump (m, body frame) of `many` objects; returns the part of it to leave out of the objects."""
    if car[JUMP_X] != 0.0 or car[JUMP_Y] != 0.0:
        mx, my = 0.5 * (car[JUMP_X] + jx), 0.5 * (car[JUMP_Y] + jy)
        car[JUMP_X] = car[JUMP_Y] = 0.0
        if many >= FEWEST and max(abs(mx), abs(my)) > (CONFIRMED_OF_TWO if many == FEWEST else CONFIRMED):
            car[OFFSET_X] += mx
            car[OFFSET_Y] += my
            car[SINCE] = now
            if max(abs(car[OFFSET_X]), abs(car[OFFSET_Y])) < SMALL:
                car[OFFSET_X] = car[OFFSET_Y] = 0.0
            return mx, my
    elif many >= FEWEST and max(abs(jx), abs(jy)) > (SUSPECTED_OF_TWO if many == FEWEST else SUSPECTED):
        car[JUMP_X], car[JUMP_Y] = jx, jy
        return jx, jy
    return 0.0, 0.0


@kernel
def follow(tables, counts, cars, body, seen, seen_start, sure, now, pair, apart):
    """Compare the detections of each car with what it remembers, and remember them.

    tables (n, OBJECTS, 6), counts (n,), cars (n, 5): the memory. sure (n,): own pose is trusted, else the memory is cleared.
    pair (OBJECTS,), apart (OBJECTS, 2): scratch, the remembered object of each detection and how far from it.
    """
    for k in range(body.shape[0]):
        table, car = tables[k], cars[k]
        if not sure[k] or (car[SINCE] > 0.0 and now - car[SINCE] > HELD):
            counts[k] = 0
            car[:] = 0.0
        first, end = seen_start[k], min(seen_start[k + 1], seen_start[k] + OBJECTS)
        old, many, sx, sy = counts[k], 0, 0.0, 0.0
        c, s = math.cos(body[k, B_HEADING]), math.sin(body[k, B_HEADING])
        for j in range(first, end):
            time = seen[j, D_TIME]
            x, y, vx, vy = place_of(body, k, seen, j, car[OFFSET_X], car[OFFSET_Y], now)
            i, only = same_object(table, old, x, y, vx, vy, time)
            pair[j - first] = i
            if i >= 0:
                dt = time - table[i, TIME]
                ex, ey = x - table[i, X] - table[i, VX] * dt, y - table[i, Y] - table[i, VY] * dt
                apart[j - first, 0], apart[j - first, 1] = ex, ey
                if only and table[i, LOOKS] >= ESTABLISHED and dt > 0.0:
                    many += 1
                    sx += ex * c + ey * s
                    sy += ey * c - ex * s
        jx, jy = (sx / many, sy / many) if many else (0.0, 0.0)
        jx, jy = judge_jump(car, jx, jy, many, now)
        gx, gy = jx * c - jy * s, jx * s + jy * c
        for j in range(first, end):
            time, i = seen[j, D_TIME], pair[j - first]
            x, y, vx, vy = place_of(body, k, seen, j, car[OFFSET_X] + car[JUMP_X], car[OFFSET_Y] + car[JUMP_Y], now)
            if i >= 0:
                dt = time - table[i, TIME]
                if dt <= 0.0:
                    continue
                gain = max(GAIN, 1.0 / (table[i, LOOKS] + 1.0))
                table[i, X] += table[i, VX] * dt + gain * (apart[j - first, 0] - gx)
                table[i, Y] += table[i, VY] * dt + gain * (apart[j - first, 1] - gy)
                table[i, VX] += SPEED_GAIN * (vx - table[i, VX])
                table[i, VY] += SPEED_GAIN * (vy - table[i, VY])
                table[i, TIME] = time
                table[i, LOOKS] += 1.0
            elif counts[k] < OBJECTS:
                table[counts[k], X], table[counts[k], Y], table[counts[k], VX], table[counts[k], VY] = x, y, vx, vy
                table[counts[k], TIME], table[counts[k], LOOKS] = time, 1.0
                counts[k] += 1
        i = 0
        while i < counts[k]:
            if now - table[i, TIME] > UNSEEN:
                counts[k] -= 1
                for column in range(6):
                    table[i, column] = table[counts[k], column]
            else:
                i += 1


class Steps:
    """Memory of one fleet's objects; call `check` once a tick."""

    def __init__(self) -> None:
        self._stations: I64 = np.zeros(0, np.int64)
        self._tables, self._counts, self.cars = np.zeros((0, OBJECTS, 6)), np.zeros(0, np.int64), np.zeros((0, 5))
        self._pair, self._apart = np.zeros(OBJECTS, np.int64), np.zeros((OBJECTS, 2))

    def check(self, stations: I64, body: F64, seen: F64, seen_start: I64, sure: np.ndarray, t: float) -> np.ndarray:
        """Which cars' sensors have jumped, (n,) bool; tables as in `car/heard.py`, `sure` (n,) bool: own pose is trusted."""
        if not np.array_equal(stations, self._stations):
            old = rows_of(stations, self._stations)
            for name in ("_tables", "_counts", "cars"):
                have = getattr(self, name)
                new = np.zeros((len(stations), *have.shape[1:]), have.dtype)
                new[old >= 0] = have[old[old >= 0]]
                setattr(self, name, new)
            self._stations = stations.copy()
        follow(self._tables, self._counts, self.cars, body, seen, seen_start, sure, float(t), self._pair, self._apart)
        return (self.cars[:, OFFSET_X] != 0.0) | (self.cars[:, OFFSET_Y] != 0.0)

    def refute(self, where: np.ndarray) -> None:
        """Others say that the sensors of these cars, (n,) bool, are sound."""
        self.cars[where], self._counts[where] = 0.0, 0
