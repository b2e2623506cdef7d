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
from cloverleaf.runtime.topics import topic
from cloverleaf.types.frames import EgoFrame, LightFrame, ObjectFrame
from cloverleaf.types.state import F64, I64

SLACK = 1e-6  # s
FASTEST, HARDEST, QUICKEST_TURN = 80.0, 20.0, 3.0  # m/s, m/s2, rad/s: beyond this nothing on wheels moves
FARTHEST, LARGEST = 400.0, 40.0  # m, of a detected object
GATE, GATE_GROWTH = (
    0.6,
    0.15,
)  # m, m/s: how far a fix may lie from dead reckoning, and how that grows while nobody trusts fixes
DISAGREEMENT = 1.2  # m/s between wheels and fixes, averaged over `MEMORY`
MEMORY = 1.0  # s
RECOVERY = 1.0  # s without a fault before the mode goes back
GHOST = 4
"""Frames for which a lone false object may stand still before the sensor; two that both do are a frozen list."""


class Mode(IntEnum):
    """How far the car degrades; the highest asked for holds."""

    NORMAL = 0
    SLOWER = 1  # sees late or in part: no faster than `SLOW`
    SAFE_STOP = 2  # does not know where it is, or is blind: stops in its lane


class Checked(NamedTuple):
    """What may be acted upon; frames in the order of the fleet."""

    ego: EgoFrame
    objects: ObjectFrame
    lights: LightFrame | None
    mode: I64  # (n,) Mode


class Supervision:
    """Memory of one fleet's checks; call `check` once a tick. `counts` says how often each reason struck, as (topic, reason)."""

    def __init__(self, step: float) -> None:
        self.dt = step
        self.counts: Counter[tuple[str, str]] = Counter()
        self._stations: I64 = np.zeros(0, np.int64)
        self._last = np.zeros((0, 6))  # ego as delivered: x, y, heading, speed, accel, time
        self._pose = np.zeros((0, 4))  # trusted, dead reckoned: x, y, heading, speed
        self._doubt = np.zeros(0)  # s since fixes were last trusted
        self._error = np.zeros(0)  # m/s, mean disagreement of wheels and fixes
        self._sums = np.zeros((0, 3))  # of the last object list, to know it again
        self._repeats = np.zeros(0, np.int64)
        self._mode = np.zeros(0, np.int64)
        self._good = np.zeros(0)  # s without a fault

    def _arrange(self, stations: I64) -> None:
        """Memory in today's order of the fleet; newcomers start without doubts."""
        if np.array_equal(stations, self._stations):
            return
        row = {int(s): k for k, s in enumerate(self._stations)}
        old = np.array([row.get(int(s), -1) for s in stations], np.int64)
        fills = {
            "_last": np.nan,
            "_pose": np.nan,
            "_doubt": 0.0,
            "_error": 0.0,
            "_sums": np.nan,
            "_repeats": 0,
            "_mode": 0,
            "_good": 0.0,
        }
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
        if camera and (lights is None or len(lights.link) != n):
            self._count("lights", "lost", np.ones(n, bool))
            lights, wanted = None, np.maximum(wanted, Mode.SLOWER)
        self._good = np.where(wanted > 0, 0.0, self._good + self.dt)
        self._mode = np.where((wanted < self._mode) & (self._good < RECOVERY), self._mode, wanted)
        return Checked(frame, seen, lights, self._mode.copy())

    def _count(self, name: str, reason: str, where: Any) -> None:
        if where.any():
            self.counts[(name, reason)] += int(where.sum())

    def _ego(self, ego: EgoFrame | None, commanded: F64, t: float, wanted: I64) -> EgoFrame:
        n = len(wanted)
        now = np.full((n, 6), np.nan)
        yaw, sigma = np.full(n, np.nan), np.full(n, np.nan)
        if ego is not None and len(ego.x) == n:
            now = np.column_stack((ego.x, ego.y, ego.heading, ego.speed, ego.accel, ego.time))
            yaw, sigma = ego.yaw_rate.copy(), ego.sigma_xy.copy()
            whole = np.isfinite(now).all(1) & np.isfinite(yaw) & np.isfinite(sigma)
            broken = (
                ~whole | (np.abs(now[:, 3]) > FASTEST) | (np.abs(now[:, 4]) > HARDEST) | (np.abs(yaw) > QUICKEST_TURN)
            )
            late = ~broken & (t - now[:, 5] > topic("ego").deadline_s + SLACK)
            frozen = ~broken & ~late & (now[:, :5] == self._last[:, :5]).all(1) & (np.abs(now[:, 3]) > 0.05)
            for reason, where in (("broken", broken), ("late", late), ("frozen", frozen)):
                self._count("ego", reason, where)
            motion = ~(broken | late | frozen)
            self._last = now.copy()
        else:
            self._count("ego", "lost", np.ones(n, bool))
            motion = np.zeros(n, bool)
        new = np.isnan(self._pose[:, 0])
        fix = motion & (self._trusts(now, yaw, motion, commanded) | new)
        self._doubt = np.where(fix, 0.0, self._doubt + self.dt)
        self._pose[fix] = now[fix, :4]
        wanted[~fix] = Mode.SAFE_STOP
        doubt = self._doubt
        return EgoFrame(
            np.where(fix, now[:, 5], t),
            np.where(fix, now[:, 0], self._pose[:, 0]),
            np.where(fix, now[:, 1], self._pose[:, 1]),
            np.where(fix, now[:, 2], self._pose[:, 2]),
            np.where(motion, now[:, 3], self._pose[:, 3]),
            np.where(motion, now[:, 4], np.where(self._pose[:, 3] > 0.0, commanded, 0.0)),
            np.where(motion, yaw, 0.0),
            np.where(fix, sigma, 0.5 + 0.3 * doubt),
        )

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
        self._count("ego", "jump", jump)
        self._count("ego", "wheels disagree", drift)
        result: np.ndarray = motion & ~jump & ~drift
        return result

    def _objects(self, objects: ObjectFrame | None, n: int, t: float, wanted: I64) -> ObjectFrame:
        if objects is None or len(objects.start) != n + 1:
            self._count("objects", "lost", np.ones(n, bool))
            wanted[:] = Mode.SAFE_STOP
            return empty_objects(n)
        owner = np.repeat(np.arange(n), np.diff(objects.start))
        o = objects
        numbers = np.column_stack((o.x, o.y, o.vx, o.vy, o.heading, o.length, o.width, o.time))
        bad = ~np.isfinite(numbers).all(1)
        with np.errstate(invalid="ignore"):
            bad |= (np.abs(numbers[:, :2]) > FARTHEST).any(1) | (np.abs(numbers[:, 2:4]) > FASTEST).any(1)
            bad |= (numbers[:, 5:7] <= 0.0).any(1) | (numbers[:, 5:7] > LARGEST).any(1)
            late: np.ndarray = ~bad & (t - objects.time > topic("objects").deadline_s + SLACK)
        self._count("objects", "broken", bad)
        self._count("objects", "late", late)
        weights = (np.where(bad, 0.0, o.x), np.where(bad, 0.0, o.y), np.where(bad, 0.0, 1.0))
        sums: F64 = np.column_stack([np.bincount(owner, w, n) for w in weights]).astype(np.float64)
        again = (sums == self._sums).all(1) & (sums[:, 2] > 0)
        self._repeats = np.where(again, self._repeats + 1, 0)
        frozen = again & ((sums[:, 2] > 1) | (self._repeats > GHOST))
        self._count("objects", "frozen", frozen)
        self._sums = sums
        wanted[:] = np.maximum(wanted, np.where(np.bincount(owner, bad | late, n) > 0, Mode.SLOWER, Mode.NORMAL))
        blind = (sums[:, 2] == 0) & (np.bincount(owner, minlength=n) > 0)
        wanted[blind] = Mode.SAFE_STOP
        wanted[frozen] = Mode.SAFE_STOP
        keep = ~bad & ~frozen[owner]
        if keep.all():
            return objects
        start = np.concatenate(([0], np.cumsum(np.bincount(owner[keep], minlength=n)))).astype(np.int64)
        return ObjectFrame(start, *(column[keep] for column in objects[1:]))


def empty_objects(n: int) -> ObjectFrame:
    """No detections for `n` observers."""
    columns: dict[str, Any] = {f: np.zeros(0, np.int32 if f == "kind" else np.float64) for f in ObjectFrame._fields[1:]}
    return ObjectFrame(np.zeros(n + 1, np.int64), **columns)
