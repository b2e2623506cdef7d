"""`cloverleaf bench track-loop`: tracks of the smart cars in the loop beside the truth: errors, coverage, identities, false tracks."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np

from cloverleaf.car.state import (
    COUNT,
    STATION,
    T_ACCEL,
    T_HEADING,
    T_ID,
    T_SEEN,
    T_TRUST,
    T_VX,
    T_VY,
    T_X,
    T_Y,
    T_YAW,
    Fleet,
    X,
    Y,
)  # fmt: skip
from cloverleaf.car.supervised import SupervisedFleet
from cloverleaf.car.track import CONFIRMED
from cloverleaf.study.build import Run
from cloverleaf.study.config import Arm, Study
from cloverleaf.types.state import F64, I64, Actors, Kind

WARM_UP_S, MEASURED_S = 60.0, 60.0
REACH, NEAR = 60.0, 4.0  # m around the car, m between a track and the road user that it is
SIGHTED = 0.15  # s; errors count for tracks that own sensors saw in the last cycle
TURNING, BRAKING, DRIFTING = 0.15, -1.5, 0.3  # rad/s, m/s2, m/s sideways
STATES = ("position_m", "velocity_mps", "heading_deg", "accel_mps2", "yaw_rate_dps")
SITUATIONS = ("all vehicles", "turning", "braking", "changing lane", "people")


class Truth(NamedTuple):
    """All road users at one moment; shape (n,)."""

    trip: I64
    person: I64  # 1 on foot
    x: F64  # m
    y: F64
    heading: F64  # rad
    speed: F64  # m/s
    sideways: F64  # m/s to the left of the heading
    accel: F64  # m/s2
    yaw_rate: F64  # rad/s


def truth_of(actors: Actors, before: Truth | None, dt: float) -> Truth:
    """Who is there, with motion sideways and turn rate from where they were `dt` s before."""
    rows = np.flatnonzero(actors.kind > 0)
    x, y, heading = actors.x[rows].copy(), actors.y[rows].copy(), actors.heading[rows].copy()
    trip, sideways, yaw = actors.trip[rows].copy(), np.zeros(len(rows)), np.zeros(len(rows))
    if before is not None:
        _same, here, there = np.intersect1d(trip, before.trip, return_indices=True)
        c, s = np.cos(heading[here]), np.sin(heading[here])
        left = ((y[here] - before.y[there]) * c - (x[here] - before.x[there]) * s) / dt
        turn = np.remainder(heading[here] - before.heading[there] + math.pi, 2 * math.pi) - math.pi
        sideways[here] = np.where(abs(left) < 3.0, left, 0.0)
        yaw[here] = np.clip(turn / dt, -1.5, 1.5)
    person = (actors.kind[rows] == Kind.PEDESTRIAN).astype(np.int64)
    return Truth(trip, person, x, y, heading, actors.speed[rows].copy(), sideways, actors.accel[rows].copy(), yaw)


class Tally:
    """Adds up what the tracks of all cars are worth, cycle by cycle."""

    def __init__(self) -> None:
        self.square: dict[str, F64] = {s: np.zeros(len(STATES)) for s in SITUATIONS}
        self.count: dict[str, int] = dict.fromkeys(SITUATIONS, 0)
        self.cycles = self.covered = self.switches = self.false = self.lost = 0
        self._identity: dict[tuple[int, int], int] = {}
        self._followed: dict[tuple[int, int], bool] = defaultdict(bool)

    def add(self, fleet: Fleet, slots: I64, truth: Truth) -> None:
        """The tracks of the cars in `slots` against `truth` of the same moment."""
        place = np.column_stack((truth.x, truth.y))
        for slot in slots:
            count = int(fleet.i[slot, COUNT])
            sure = np.flatnonzero(fleet.track[slot, :count, T_TRUST] >= CONFIRMED)
            track, station = fleet.track[slot, sure], int(fleet.i[slot, STATION])
            own = np.flatnonzero(truth.trip == station)
            if not len(own):
                continue
            error = fleet.f[slot, [X, Y]] - place[own[0]]
            away = np.hypot(*(place - place[own[0]]).T)
            near = np.flatnonzero((away < REACH) & (truth.trip != station))
            if not len(near):
                continue
            off = np.hypot(
                truth.x[near][:, None] - track[None, :, T_X], truth.y[near][:, None] - track[None, :, T_Y]
            )  # fmt: skip
            taken = self._match(off)
            inside = np.hypot(track[:, T_X] - place[own[0], 0], track[:, T_Y] - place[own[0], 1]) < REACH - NEAR
            self.false += int((inside & (off.min(0) > NEAR)).sum()) if len(track) else 0
            for n, user in enumerate(near):
                pair = station, int(truth.trip[user])
                if n not in taken:
                    self.cycles += pair in self._identity
                    self.lost += self._followed[pair]
                    self._followed[pair] = False
                    continue
                m = taken[n]
                identity = int(fleet.track_i[slot, sure[m], T_ID])
                self.cycles, self.covered = self.cycles + 1, self.covered + 1
                self.switches += self._identity.get(pair, identity) != identity
                self._identity[pair], self._followed[pair] = identity, True
                if track[m, T_SEEN] <= SIGHTED:
                    self._errors(track[m], error, truth, int(user))

    def _match(self, off: F64) -> dict[int, int]:
        """Nearest pairs first, below NEAR."""
        pairs = np.argwhere(off < NEAR)
        taken: dict[int, int] = {}
        used: set[int] = set()
        for a, b in pairs[np.argsort(off[pairs[:, 0], pairs[:, 1]], kind="stable")]:
            if a not in taken and b not in used:
                taken[int(a)] = int(b)
                used.add(int(b))
        return taken

    def _errors(self, track: F64, own: F64, truth: Truth, u: int) -> None:
        """`own` (2,): error of the car's own place, which its tracks share and which does not matter between them."""
        c, s = math.cos(truth.heading[u]), math.sin(truth.heading[u])
        v, w = truth.speed[u], truth.sideways[u]
        turn = math.remainder(track[T_HEADING] - truth.heading[u], 2 * math.pi)
        squares = np.array([
            (track[T_X] - truth.x[u] - own[0]) ** 2 + (track[T_Y] - truth.y[u] - own[1]) ** 2,
            (track[T_VX] - v * c + w * s) ** 2 + (track[T_VY] - v * s - w * c) ** 2,
            math.degrees(turn) ** 2,
            (track[T_ACCEL] - truth.accel[u]) ** 2,
            math.degrees(track[T_YAW] - truth.yaw_rate[u]) ** 2,
        ])  # fmt: skip
        for situation, holds in zip(
            SITUATIONS,
            (
                not truth.person[u],
                not truth.person[u] and abs(truth.yaw_rate[u]) > TURNING and v > 1.0,
                not truth.person[u] and truth.accel[u] < BRAKING,
                not truth.person[u] and abs(w) > DRIFTING,
                bool(truth.person[u]),
            ),
        ):
            if holds:
                self.square[situation] += squares
                self.count[situation] += 1

    def rows(self) -> list[dict[str, Any]]:
        """Root mean squares by situation, then what the tracks as a whole are worth."""
        hours = max(self.covered, 1) * 0.1 / 3600.0
        out: list[dict[str, Any]] = [
            {"who": s, "cases": self.count[s]} | dict(zip(STATES, np.sqrt(self.square[s] / max(self.count[s], 1)).tolist()))
            for s in SITUATIONS
        ]  # fmt: skip
        whole = {
            "coverage": self.covered / max(self.cycles, 1),
            "identity_changes_per_track_hour": self.switches / hours,
            "losses_per_track_hour": self.lost / hours,
            "false_tracks_per_1000": 1000.0 * self.false / max(self.covered, 1),
        }
        return [*out, {"who": "continuity", "cases": self.covered} | whole]


def run() -> list[dict[str, Any]]:
    """Rows with own sensors alone and with messages, on the district."""
    rows = []
    for arm in (Arm.CAR, Arm.ROAD):
        loop, tally = Run(Study(duration_s=WARM_UP_S + MEASURED_S + 1.0), arm, 1), Tally()
        fleet, world = loop.rooms.fleet, loop.rooms.world
        assert isinstance(fleet, SupervisedFleet)
        truth = None
        for _ in range(round((WARM_UP_S + MEASURED_S) / loop.step)):
            truth, stations = truth_of(world.actors, truth, loop.step), world.stations.copy()
            loop.tick()
            if world.time > WARM_UP_S:
                slots = [fleet.fleet.slot(int(s)) for s in stations]
                tally.add(fleet.fleet.memory, np.array([s for s in slots if s is not None], np.int64), truth)
        rows += [{"arm": arm.name.lower()} | row for row in tally.rows()]
    return rows
