"""The door of missions: a car knows its own trip for good, so a row that is missing or wrong is replaced by the last good one."""

from __future__ import annotations

from typing import Any

import numpy as np

from cloverleaf.car.limits import KINDS, LARGEST
from cloverleaf.car.rows import rows_of
from cloverleaf.car.tally import Reason, Tally
from cloverleaf.types.frames import FleetMission
from cloverleaf.types.state import I64

TOP_SPEED = 120.0  # m/s, that somebody may have been built for
UNKNOWN = FleetMission(
    np.full(1, -1, np.int64), np.zeros(1, np.int32), np.zeros(1, np.int32), np.full(1, 4.5), np.full(1, 1.8), np.full(1, 8.0),
    np.full(1, -1.0), np.ones(1, np.int32),
)  # fmt: skip
"""Stands in for a mission that was never known; such a car does not drive."""


class MissionDoor:
    """Memory of one fleet's missions; call `check` once a tick."""

    def __init__(self, tally: Tally, routes: int | None = None) -> None:
        self.tally, self.routes = tally, routes
        self._stations: I64 = np.zeros(0, np.int64)
        none: list[Any] = [c[:0] for c in UNKNOWN]
        self._known = FleetMission(*none)
        self._never = np.zeros(0, bool)

    def check(self, stations: I64, mission: FleetMission | None) -> tuple[FleetMission, np.ndarray, np.ndarray]:
        """Missions of the cars `stations` (n,) in that order; which of them are not of now, which were never known: (n,) bool each.

        mission: as delivered, None for nothing; rows in any order.
        """
        self.tally.arrange(stations)
        n = len(stations)
        if not np.array_equal(stations, self._stations):
            old = rows_of(stations, self._stations)
            pairs: Any = zip(self._known, UNKNOWN, strict=True)
            columns: list[Any] = [np.where(old >= 0, c[old] if len(c) else u, u).astype(u.dtype) for c, u in pairs]
            self._known = FleetMission(*columns)
            self._known = self._known._replace(station=stations.copy())
            self._never = np.array([k < 0 or self._never[k] for k in old], bool)
            self._stations = stations.copy()
        if mission is None or any(len(c) != len(mission.station) for c in mission):
            self.tally.add("mission", Reason.LOST, np.ones(n, bool))
            return self._handed(), np.ones(n, bool), self._never.copy()
        row = rows_of(stations, mission.station)
        now: list[Any] = [c[row] for c in mission] if len(mission.station) else list(self._known)
        m = FleetMission(*now)
        lost = row < 0
        broken = ~lost & ~(
            np.isfinite(m.length) & np.isfinite(m.width) & np.isfinite(m.max_speed) & ~np.isnan(m.arrival_pos)
        )
        fits = (m.length > 0.0) & (m.length <= LARGEST) & (m.width > 0.0) & (m.width <= LARGEST)
        fits &= (m.max_speed > 0.0) & (m.max_speed <= TOP_SPEED) & (m.kind >= 0) & (m.kind <= KINDS)
        fits &= (m.route >= 0) & (m.route_pos >= 0)
        if self.routes is not None:
            fits &= m.route < self.routes
        impossible = ~lost & ~broken & ~fits
        for reason, where in ((Reason.LOST, lost), (Reason.BROKEN, broken), (Reason.IMPOSSIBLE, impossible)):
            self.tally.add("mission", reason, where)
        bad = lost | broken | impossible
        renewed: Any = zip(self._known[1:], m[1:], strict=True)
        for have, new in renewed:
            have[~bad] = new[~bad]
        self._never &= bad
        return self._handed(), bad, self._never.copy()

    def _handed(self) -> FleetMission:
        columns: list[Any] = [c.copy() for c in self._known]
        return FleetMission(*columns)
