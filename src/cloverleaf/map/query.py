"""Batch queries on an OpenDRIVE map: `MapQuery` turns lane positions into points and points into lane positions."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from cloverleaf.map.opendrive.grid import build_grid
from cloverleaf.map.opendrive.lanes import fill_lane_points
from cloverleaf.map.opendrive.locate import fill_located
from cloverleaf.map.opendrive.model import OpenDrive
from cloverleaf.map.opendrive.read import read_opendrive
from cloverleaf.map.opendrive.tables import map_tables
from cloverleaf.types.errors import MapError, nearest
from cloverleaf.types.state import F64, I64


class MapQuery:
    """A map ready for queries: `tables` and `grid` are what kernels take, `road_row` turns ids into rows."""

    def __init__(self, drive: OpenDrive) -> None:
        self.drive = drive
        self.tables = map_tables(drive.map)
        self.grid = build_grid(self.tables)
        self.road_row = {name: i for i, name in enumerate(drive.road_ids)}

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> MapQuery:
        """Read a map for queries. Raises MapError."""
        return cls(read_opendrive(path))

    def rows(self, road_ids: Sequence[str]) -> I64:
        """Road rows of road ids. Raises MapError for an unknown id."""
        try:
            return np.array([self.road_row[name] for name in road_ids], np.int64)
        except KeyError as error:
            name = str(error.args[0])
            raise MapError(
                f"unknown road '{name}'", file=self.drive.source, hint=nearest(name, self.road_row)
            ) from None

    def lane_to_xyz(self, road: ArrayLike, lane: ArrayLike, s: ArrayLike, offset: ArrayLike) -> F64:
        """Points of lane positions; shape (n, 6): x, y, z (m), heading, pitch, roll (rad).

        `road` holds rows (see `rows`), `lane` lane ids (0: reference line with lane offset), `s` m along the road, `offset` m left
        of the lane centre seen along increasing s. NaN rows where there is no such lane or s is off the road. The heading is that
        of traffic on the lane.
        """
        columns = np.broadcast_arrays(np.asarray(road, np.int64), np.asarray(lane, np.int64), *_floats(s, offset))
        r, l, at, off = (np.array(c).ravel() for c in columns)
        if len(r) and (r.min() < 0 or r.max() >= len(self.drive.road_ids)):
            raise MapError(
                "a road row is out of range", file=self.drive.source, hint=f"0 to {len(self.drive.road_ids) - 1}"
            )
        out = np.empty((len(r), 6))
        fill_lane_points(self.tables, r, l, at, off, out)
        return out

    def lanes_at(self, road: int, s: float) -> list[int]:
        """Ids of the lanes of a road row at s (m), from left to right, without the reference line."""
        m = self.drive.map
        first, last = m.road_section_start[road], m.road_section_start[road + 1]
        section = first + max(int(np.searchsorted(m.section_s[first:last], s, side="right")) - 1, 0)
        lanes = m.lane_id[m.section_lane_start[section] : m.section_lane_start[section + 1]]
        return [int(i) for i in lanes if i]

    def why_nowhere(self, road: int, lane: int, s: float) -> tuple[str, str]:
        """Why a lane position does not exist: message and hint."""
        name, length = self.drive.road_ids[road], float(self.tables.road_length[road])
        if not -1e-3 <= s <= length + 1e-3:
            return f"s = {s:g} is off road '{name}'", f"it is {length:g} m long"
        there = ", ".join(str(i) for i in self.lanes_at(road, s))
        return f"road '{name}' has no lane {lane} at s = {s:g}", f"lanes there: {there}"

    def xy_to_lane(self, x: ArrayLike, y: ArrayLike, heading: ArrayLike = np.nan) -> tuple[I64, F64]:
        """Lane positions of points: road row and lane id, shape (n, 2); s and offset, shape (n, 2).

        Inside several lanes (junctions) the one whose centre is nearest wins, lanes for traffic before others; a heading (rad)
        helps to choose. Off the road the nearest road answers with an offset beyond its outermost lane.
        """
        px, py, h = (np.array(c).ravel() for c in np.broadcast_arrays(*_floats(x, y, heading)))
        ids, out = np.empty((len(px), 2), np.int64), np.empty((len(px), 2))
        fill_located(self.tables, self.grid, px, py, h, ids, out)
        return ids, out


def _floats(*values: ArrayLike) -> list[F64]:
    return [np.asarray(v, np.float64) for v in values]
