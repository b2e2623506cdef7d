"""Places to stop on an OpenDRIVE map: bus stops and parking spaces, from objects beside the lanes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.map.graph import LaneKind
from cloverleaf.map.io.opendrive_links import Network
from cloverleaf.map.opendrive.geometry import road_pose

BUS_STOPS, SPACES = ("busStop", "bus_stop"), ("parkingSpace",)
DEFAULT_LENGTH = 20.0  # m, of a bus stop that gives none


class StopRow(NamedTuple):
    """One place on a graph lane; positions in m along it."""

    id: str
    lane: int
    begin: float
    end: float


def find_stops(net: Network) -> list[StopRow]:
    """All bus stops and parking spaces that lie beside a lane on which one may drive."""
    stops = []
    for thing in net.drive.objects:
        kind = thing.type if thing.type in (*BUS_STOPS, *SPACES) else thing.name
        if kind not in (*BUS_STOPS, *SPACES):
            continue
        lane = _lane_beside(net, thing.road, thing.s, thing.t)
        if lane < 0:
            continue
        length = thing.length or (DEFAULT_LENGTH if kind in BUS_STOPS else 6.0)
        at = _along(net, lane, thing.road, thing.s)
        total = net.lanes[lane].length
        begin = min(max(at - 0.5 * length, 0.0), max(total - length, 0.0))
        stops.append(StopRow(thing.id, lane, begin, min(begin + length, total)))
    return stops


def _lane_beside(net: Network, road: int, s: float, t: float) -> int:
    """The outermost bus or driving lane on the object's side of the road."""
    m = net.drive.map
    begin, end = int(m.road_section_start[road]), int(m.road_section_start[road + 1])
    section = begin + int(np.searchsorted(m.section_s[begin:end], s, side="right")) - 1
    rows = [
        r
        for r in range(m.section_lane_start[section], m.section_lane_start[section + 1])
        if r in net.of_row
        and (m.lane_id[r] > 0) == (t > 0)
        and net.lanes[net.of_row[r]].kind in (LaneKind.DRIVING, LaneKind.BUS)
    ]
    return net.of_row[max(rows, key=lambda r: abs(int(m.lane_id[r])))] if rows else -1


def _along(net: Network, lane: int, road: int, s: float) -> float:
    """Arc length on a graph lane nearest to road position s."""
    x, y, _, _ = road_pose(net.tables, road, s)
    points = net.lanes[lane].points[:, :2]
    step = np.diff(points, axis=0)
    length = np.hypot(*step.T)
    f = np.clip(((np.array([x, y]) - points[:-1]) * step).sum(axis=1) / np.maximum(length**2, 1e-12), 0.0, 1.0)
    gap = np.hypot(*(points[:-1] + f[:, None] * step - [x, y]).T)
    i = int(np.argmin(gap))
    return float(length[:i].sum() + f[i] * length[i])
