"""Alive, deadline and logical supervision of what a car's sensors deliver, and how far the car must degrade.

A value that is lost, late, frozen, broken or contradicts the car's own motion is dropped and counted by its reason. While own motion is
doubtful, dead reckoning from the last trusted pose stands in for it: wheels and yaw rate where they are sound, the car's own commands else.
"""

from __future__ import annotations

from collections import Counter
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.car.limits import (
    FARTHEST,
    FARTHEST_PLACE,
    FASTEST,
    HARDEST,
    KINDS,
    LARGEST,
    LEAST_SURE,
    QUICKEST_TURN,
    TURNED,
)
from cloverleaf.car.rows import rows_of
from cloverleaf.car.tally import Reason, Tally
from cloverleaf.runtime.topics import topic
from cloverleaf.types.frames import EgoFrame, LightFrame, ObjectFrame
from cloverleaf.types.state import F64, I64

SLACK = 1e-6  # s
GATE, GATE_GROWTH = (
    0.6,
    0.15,
)  # m, m/s: how far a fix may lie from dead reckoning, and how that grows while nobody trusts fixes
DISAGREEMENT = 1.2  # m/s between wheels and fixes, averaged over `MEMORY`
MEMORY = 1.0  # s
RECOVERY = 1.0  # s without a fault before the mode goes back
COMPENSATED = 0.6
"""s; older objects cannot be carried on to now (`car/track.py`) and are stale."""
OUT_OF_STEP = 0.1 + SLACK
"""s by which the newest object of a list may be older than that of the list before, for sensors look in turn."""
NOWHERE = 1e4
"""m, standard deviation of the place of a car that never had a fix."""
GLIMPSE, GLIMPSE_GROWTH = 2.5, 0.3  # m, m/s: how far a stop line may be from where the own motion has brought it
GHOST = 4
"""Frames for which a lone false object may stand still before the sensor; two that both do are a frozen list."""


_HIGHEST = np.array([FARTHEST, FARTHEST, FASTEST, FASTEST, LARGEST, LARGEST, TURNED])
_LETTER = np.isin(np.arange(256), np.frombuffer(b"rygGusoO\0", np.uint8))


class Mode(IntEnum):
    """How far the car degrades; the highest asked for holds."""

    NORMAL = 0
    ALONE = 1  # does not hear others any more: what they said before is forgotten
    SLOWER = 2  # sees late or in part: no faster than `SLOW`
    SAFE_STOP = 3  # does not know where it is, or is blind: stops in its lane


class Checked(NamedTuple):
    """What may be acted upon; frames in the order of the fleet."""

    ego: EgoFrame
    objects: ObjectFrame
    lights: LightFrame | None
    fixed: np.ndarray  # (n,) bool, the place is of a fix, not of dead reckoning
    wanted: I64  # (n,) Mode that this tick's faults ask for; `Supervision.held` says which one holds


class Supervision:
    """Memory of one fleet's checks; call `check` once a tick. What is dropped is counted in `tally`."""

    def __init__(self, step: float, tally: Tally | None = None) -> None:
        self.dt = step
        self.tally = tally or Tally()
        self._stations: I64 = np.zeros(0, np.int64)
        self._last = np.zeros((0, 6))  # ego as delivered: x, y, heading, speed, accel, time
        self._pose = np.zeros((0, 4))  # trusted, dead reckoned: x, y, heading, speed
        self._doubt = np.zeros(0)  # s since fixes were last trusted
        self._error = np.zeros(0)  # m/s, mean disagreement of wheels and fixes
        self._sums = np.zeros((0, 3))  # of the last object list, to know it again
        self._newest = np.zeros(0)  # s, of the last object list's newest
        self._repeats = np.zeros(0, np.int64)
        self._glimpse = np.zeros(
            (0, 4)
        )  # of the signal head: link, trusted distance, doubt s, time of the last picture
        self._mode = np.zeros(0, np.int64)
        self._good = np.zeros(0)  # s without a fault

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """How often each reason struck, as (topic, reason)."""
        return self.tally.counts

    def _arrange(self, stations: I64) -> None:
        """Memory in today's order of the fleet; newcomers start without doubts."""
        self.tally.arrange(stations)
        if np.array_equal(stations, self._stations):
            return
        old = rows_of(stations, self._stations)
        fills = {
            "_last": np.nan, "_pose": np.nan, "_doubt": 0.0, "_error": 0.0, "_sums": np.nan, "_newest": -np.inf, "_repeats": 0,
            "_glimpse": np.nan, "_mode": 0, "_good": 0.0,
        }  # fmt: skip
        for name, fill in fills.items():
            have = getattr(self, name)
            new = np.full((len(stations), *have.shape[1:]), fill, have.dtype)
            new[old >= 0] = have[old[old >= 0]]
            setattr(self, name, new)
        self._stations = stations.copy()

    def check(
        self,
        stations: I64,
        ego: EgoFrame | None,
        objects: ObjectFrame | None,
        lights: LightFrame | None,
        commanded: F64,
        t: float,
        *,
        camera: bool,
    ) -> Checked:
        """What the fleet may act upon at time `t` (s).

        stations: (n,) of the fleet. A frame that is None was not delivered. commanded: (n,) m/s2, asked of the actuators last tick.
        camera: whether the cars have one that watches lights.
        """
        self._arrange(stations)
        n = len(stations)
        wanted = np.zeros(n, np.int64)
        frame = self._ego(ego, commanded, t, wanted)
        seen = self._objects(objects, n, t, wanted)
        shown = self._lights(lights, frame.speed, t, wanted) if camera else lights
        return Checked(frame, seen, shown, self._doubt == 0.0, wanted)

    def held(self, wanted: I64) -> I64:
        """The mode that holds where the faults of this tick ask for `wanted` (n,): it goes back a while after the last one."""
        self._good = np.where(wanted > 0, 0.0, self._good + self.dt)
        self._mode = np.where((wanted < self._mode) & (self._good < RECOVERY), self._mode, wanted)
        return self._mode.copy()

    def _ego(self, ego: EgoFrame | None, commanded: F64, t: float, wanted: I64) -> EgoFrame:
        n = len(wanted)
        now = np.full((n, 6), np.nan)
        yaw, sigma = np.full(n, np.nan), np.full(n, np.nan)
        if ego is None or any(len(column) != n for column in ego):
            self.tally.add("ego", Reason.LOST, np.ones(n, bool))
            motion = np.zeros(n, bool)
        else:
            now = np.column_stack((ego.x, ego.y, ego.heading, ego.speed, ego.accel, ego.time))
            yaw, sigma = ego.yaw_rate.copy(), ego.sigma_xy.copy()
            size, last = np.abs(now), self._last
            far = (size[:, 0] > FARTHEST_PLACE) | (size[:, 1] > FARTHEST_PLACE) | (size[:, 2] > TURNED)
            wild = (size[:, 3] > FASTEST) | (size[:, 4] > HARDEST) | (np.abs(yaw) > QUICKEST_TURN)
            motion = self._sorted_out(
                "ego",
                (Reason.BROKEN, ~(np.isfinite(now).all(1) & np.isfinite(yaw) & np.isfinite(sigma))),
                (Reason.IMPOSSIBLE, far | wild | (sigma < 0.0) | (sigma > LEAST_SURE)),
                (Reason.FUTURE, now[:, 5] - t > SLACK),
                (Reason.LATE, t - now[:, 5] > topic("ego").deadline_s + SLACK),
                (Reason.FROZEN, (now[:, :5] == last[:, :5]).all(1) & (size[:, 3] > 0.05)),
                (Reason.DUPLICATED, now[:, 5] == last[:, 5]),
                (Reason.OUT_OF_ORDER, now[:, 5] < last[:, 5]),
            )
            self._last = now.copy()
            self._last[:, 5] = np.fmax(last[:, 5], np.where(now[:, 5] - t > SLACK, np.nan, now[:, 5]))
        new = np.isnan(self._pose[:, 0])
        fix = motion & (self._trusts(now, yaw, motion, commanded) | new)
        self._doubt = np.where(fix, 0.0, self._doubt + self.dt)
        self._pose[fix] = now[fix, :4]
        wanted[~fix] = Mode.SAFE_STOP
        never = np.isnan(self._pose[:, 0])
        pose = np.where(never[:, None], 0.0, self._pose)
        return EgoFrame(
            np.where(fix, now[:, 5], t),
            np.where(fix, now[:, 0], pose[:, 0]),
            np.where(fix, now[:, 1], pose[:, 1]),
            np.where(fix, now[:, 2], pose[:, 2]),
            np.where(motion, now[:, 3], pose[:, 3]),
            np.where(motion, now[:, 4], np.where(pose[:, 3] > 0.0, commanded, 0.0)),
            np.where(motion, yaw, 0.0),
            np.where(fix, sigma, np.where(never, NOWHERE, np.minimum(0.5 + 0.3 * self._doubt, LEAST_SURE))),
        )

    def _sorted_out(self, name: str, *faults: tuple[Reason, np.ndarray]) -> np.ndarray:
        """Which rows have none of these faults, (n,) bool; each other one is counted by the first that it has."""
        good = np.ones(len(faults[0][1]), bool)
        for reason, where in faults:
            self.tally.add(name, reason, good & where)
            good &= ~where
        return good

    def _trusts(self, now: F64, yaw: F64, motion: np.ndarray, commanded: F64) -> np.ndarray:
        """Carry the trusted pose on, and say for which cars the fix agrees with it. (n,) bool."""
        pose = self._pose
        speed = np.where(motion, np.abs(now[:, 3]), np.maximum(pose[:, 3] + commanded * self.dt, 0.0))
        turn = np.where(motion, yaw, 0.0) * self.dt
        middle = pose[:, 2] + 0.5 * turn
        cos, sin = np.cos(middle), np.sin(middle)
        measured = (now[:, 0] - pose[:, 0]) * cos + (now[:, 1] - pose[:, 1]) * sin
        trusted = motion & (self._doubt == 0.0)
        rate = np.where(trusted, measured / self.dt - speed, self._error)
        share = self.dt / MEMORY
        self._error = np.where(np.isfinite(rate), (1.0 - share) * self._error + share * rate, 0.0)
        pose[:, 0] += speed * self.dt * cos
        pose[:, 1] += speed * self.dt * sin
        pose[:, 2] = [wrap_angle(h) for h in (pose[:, 2] + turn).tolist()]
        pose[:, 3] = speed
        known = np.isfinite(pose[:, 0])
        far = known & (np.hypot(now[:, 0] - pose[:, 0], now[:, 1] - pose[:, 1]) > GATE + GATE_GROWTH * self._doubt)
        jump, drift = motion & far, motion & ~far & (np.abs(self._error) > DISAGREEMENT)
        self.tally.add("ego", Reason.JUMP, jump)
        self.tally.add("ego", Reason.WHEELS_DISAGREE, drift)
        result: np.ndarray = motion & ~jump & ~drift
        return result

    def _objects(self, objects: ObjectFrame | None, n: int, t: float, wanted: I64) -> ObjectFrame:
        if objects is None or not whole_lists(objects, n):
            self.tally.add("objects", Reason.LOST, np.ones(n, bool))
            wanted[:] = Mode.SAFE_STOP
            return empty_objects(n)
        o, owner = objects, np.repeat(np.arange(n), np.diff(objects.start))

        def of_cars(where: np.ndarray) -> I64:
            return np.bincount(owner[where], minlength=n)

        numbers = np.column_stack((o.x, o.y, o.vx, o.vy, o.length, o.width, o.heading, o.time, o.sigma, o.confidence))
        age = t - o.time
        low = (numbers[:, 4:6] <= 0.0).any(1) | (o.sigma < 0.0) | (o.confidence < 0.0) | (o.kind < 0)
        high = (
            (np.abs(numbers[:, :7]) > _HIGHEST).any(1)
            | (o.sigma > LEAST_SURE)
            | (o.confidence > 1.0)
            | (o.kind > KINDS)
        )
        good = np.ones(len(o.x), bool)
        for reason, where in (
            (Reason.BROKEN, ~np.isfinite(numbers).all(1)),
            (Reason.IMPOSSIBLE, low | high),
            (Reason.FUTURE, age < -SLACK),
            (Reason.STALE, age > COMPENSATED + SLACK),
        ):
            if where.any():
                self.tally.add("objects", reason, of_cars(good & where))
                good &= ~where
        late = good & (age > topic("objects").deadline_s + SLACK)
        self.tally.add("objects", Reason.LATE, of_cars(late))
        weights = (np.where(good, o.x, 0.0), np.where(good, o.y, 0.0), good)
        sums: F64 = np.column_stack([np.bincount(owner, w, n) for w in weights]).astype(np.float64)
        newest = np.full(n, -np.inf)
        np.maximum.at(newest, owner[good], o.time[good])
        some, same = sums[:, 2] > 0, newest == self._newest
        again = some & (sums == self._sums).all(1)
        self._repeats = np.where(again, self._repeats + 1, 0)
        frozen = again & ((sums[:, 2] > 1) | (self._repeats > GHOST))
        duplicated = some & ~frozen & same
        older = some & ~frozen & (newest < self._newest - OUT_OF_STEP)
        for reason, where in ((Reason.FROZEN, frozen), (Reason.DUPLICATED, duplicated), (Reason.OUT_OF_ORDER, older)):
            self.tally.add("objects", reason, where)
        self._sums, self._newest = sums, np.maximum(self._newest, newest)
        part = (of_cars(~good | late) > 0) | duplicated | older
        wanted[:] = np.maximum(wanted, np.where(part, Mode.SLOWER, Mode.NORMAL))
        wanted[frozen | (~some & (np.diff(o.start) > 0))] = Mode.SAFE_STOP
        keep = good & ~(frozen | duplicated | older)[owner]
        if keep.all():
            return objects
        start = np.concatenate(([0], np.cumsum(of_cars(keep)))).astype(np.int64)
        return ObjectFrame(start, *(column[keep] for column in objects[1:]))

    def _lights(self, lights: LightFrame | None, speed: F64, t: float, wanted: I64) -> LightFrame:
        """Lights that may be believed; of the others no head is seen, so that the way ahead is shut."""
        n = len(wanted)
        memory = self._glimpse
        memory[:, 1] -= speed * self.dt
        if lights is None or any(len(column) != n for column in lights):
            self.tally.add("lights", Reason.LOST, np.ones(n, bool))
            np.maximum(wanted, Mode.SLOWER, out=wanted)
            return LightFrame(np.full(n, -1, np.int32), np.zeros(n, np.uint8), np.full(n, np.inf), np.full(n, t))
        none = lights.link < 0
        same = ~none & (lights.link == memory[:, 0])
        off = np.abs(np.where(same, lights.distance - np.where(same, memory[:, 1], 0.0), 0.0))
        good = self._sorted_out(
            "lights",
            (
                Reason.BROKEN,
                np.isnan(lights.distance) | ~np.isfinite(lights.time) | (~none & np.isinf(lights.distance)),
            ),
            (Reason.IMPOSSIBLE, ~none & ((np.abs(lights.distance) > FARTHEST) | ~_LETTER[lights.light])),
            (Reason.FUTURE, lights.time - t > SLACK),
            (Reason.LATE, t - lights.time > topic("lights").deadline_s + SLACK),
            (Reason.DUPLICATED, lights.time == memory[:, 3]),
            (Reason.OUT_OF_ORDER, lights.time < memory[:, 3]),
            (Reason.JUMP, same & (off > GLIMPSE + GLIMPSE_GROWTH * memory[:, 2])),
        )
        memory[:, 2] = np.where(good, 0.0, memory[:, 2] + self.dt)
        memory[good, 0], memory[good, 1] = lights.link[good], lights.distance[good]
        memory[:, 3] = np.fmax(memory[:, 3], np.where(lights.time - t > SLACK, np.nan, lights.time))
        wanted[:] = np.maximum(wanted, np.where(good, Mode.NORMAL, Mode.SLOWER))
        if good.all():
            return lights
        return LightFrame(
            np.where(good, lights.link, -1).astype(np.int32), np.where(good, lights.light, 0).astype(np.uint8),
            np.where(good, lights.distance, np.inf), np.where(good, lights.time, t),
        )  # fmt: skip


def whole_lists(objects: ObjectFrame, n: int) -> bool:
    """Whether the columns of object lists fit together, for n observers."""
    start, rows = objects.start, len(objects.x)
    return (
        len(start) == n + 1
        and start[0] == 0
        and start[-1] == rows
        and bool((np.diff(start) >= 0).all())
        and all(len(column) == rows for column in objects[1:])
    )


def empty_objects(n: int) -> ObjectFrame:
    """No detections for `n` observers."""
    columns: dict[str, Any] = {f: np.zeros(0, np.int32 if f == "kind" else np.float64) for f in ObjectFrame._fields[1:]}
    return ObjectFrame(np.zeros(n + 1, np.int64), **columns)
