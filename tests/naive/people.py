"""A road so simple that what people should do on it is plain: views made by hand for the tests of `human/`."""

from __future__ import annotations

import numpy as np

from cloverleaf.map.graph import LaneGraph
from cloverleaf.types import traffic as T

TYPES = {"U32": np.uint32, "F64": np.float64, "I32": np.int32, "I64": np.int64, "U8": np.uint8, "U64": np.uint64}


def blank(table, **given):
    """A NamedTuple of columns with one row of zeros each, but for those given."""
    return table(
        **{
            name: given[name] if name in given else np.zeros(1, TYPES[getattr(kind, "__forward_arg__", kind)])
            for name, kind in table.__annotations__.items()
        }
    )


def one_lane_view(n, pairs=False, light=False, kind=1, lane_length=500.0):
    """A HumanView of n vehicles on one lane, far apart; with `pairs`, slot 2k leads slot 2k + 1 by 30 m at the same speed.

    The lane leads to link 0, which shows light head 0 if `light`.
    """
    f, i = np.zeros((n, T.F_COLUMNS)), np.full((n, T.I_COLUMNS), -1, np.int32)
    f[:, T.S], f[:, T.V], f[:, T.LENGTH], f[:, T.WIDTH] = 100.0, 10.0, 4.5, 1.8
    i[:, T.LANE], i[:, T.LINK], i[:, T.TRIP], i[:, T.CONTROL], i[:, T.KIND] = 0, 0, np.arange(n), 0, kind
    if pairs:
        i[1::2, T.AHEAD] = np.arange(0, n, 2)
        f[0::2, T.S] = 134.5
    vehicles = T.Vehicles(
        f, i, np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0xD1B54A32D192ED03), np.arange(n, dtype=np.int32),
        np.array([n, 0, 0, n], np.int64),
    )  # fmt: skip
    lists = blank(T.LaneLists)
    link_i = np.full((1, 16), -1, np.int32)
    if light:
        link_i[0, T.LINK_LIGHT] = 0
    roads = blank(
        T.Roads,
        lane_f=np.array([[lane_length, 14.0, 3.5, 0.0]]),
        lane_i=np.full((1, 8), -1, np.int32),
        link_f=np.zeros((1, 4)),
        link_i=link_i,
        foe_f=np.zeros((0, 4)),
        foe_i=np.zeros((0, 4), np.int32),
        light=np.full(1, ord("G"), np.uint8),
    )
    clock = T.Clock(np.array([0.0, 0.1]), np.zeros(1, np.int64))
    return blank(T.HumanView, vehicles=vehicles, lists=lists, roads=roads, paths=blank(T.Paths), clock=clock)


def crossing_map(priority=1, signal=-1):
    """A street along y = 5 with one link (lane 4 -> 3 -> 5) and a crossing at x = 20 between two sidewalks.

    Lanes: 0 sidewalk (0, 0) -> (20, 0), 1 crossing (20, 0) -> (20, 10), 2 sidewalk (60, 10) -> (20, 10), 3 inside the junction
    (10, 5) -> (30, 5), 4 before it, from x = -190, 5 after it; 6 a walking area at (20, 0).
    """
    lines = [
        ((0, 0), (20, 0)), ((20, 0), (20, 10)), ((60, 10), (20, 10)), ((10, 5), (30, 5)), ((-190, 5), (10, 5)),
        ((30, 5), (130, 5)), ((20, 0), (20, 0.5)),
    ]  # fmt: skip
    xy = np.array(lines, float).reshape(-1, 2)
    length = np.hypot(*(xy[1::2] - xy[::2]).T)
    n, i4 = len(lines), np.int32
    s = np.zeros(2 * n)
    s[1::2] = length
    return blank(
        LaneGraph,
        lane_edge=np.arange(n, dtype=i4), lane_kind=np.array([4, 2, 4, 1, 0, 0, 3], i4), lane_length=length,
        lane_link_start=np.zeros(n + 1, np.int64), lane_point_start=np.arange(0, 2 * n + 1, 2),
        lane_internal_link=np.array([-1, -1, -1, 0, -1, -1, -1], i4),
        point_x=xy[:, 0].copy(), point_y=xy[:, 1].copy(), point_s=s,
        edge_from=np.full(n, -1, i4), edge_to=np.full(n, -1, i4),
        link_from=np.array([4], i4), link_to=np.array([5], i4), link_via=np.array([3], i4), link_junction=np.array([0], i4),
        crossing_lane=np.array([1], i4), crossing_link=np.array([0], i4),
        crossing_link_begin=np.array([8.0]), crossing_link_end=np.array([12.0]),
        crossing_has_priority=np.array([priority], np.uint8), crossing_signal=np.array([signal], i4),
        crossing_signal_index=np.zeros(1, i4), signal_links=np.ones(1, i4),
    )  # fmt: skip


def crossing_view(*vehicles, light="G"):
    """Traffic on `crossing_map`: vehicles as (m from front to the junction, negative inside, speed)."""
    view = one_lane_view(max(len(vehicles), 1))
    view.vehicles.count[0] = len(vehicles)
    roads = view.roads._replace(
        link_i=view.roads.link_i.copy(),
        lane_f=np.array([[length, 14.0, 3.5, 0.0] for length in (20.0, 10.0, 40.0, 20.0, 200.0, 100.0, 0.5)]),
        light=np.full(1, ord(light), np.uint8),
    )
    roads.link_i[0, T.LINK_VIA] = 3
    for k, (gap, speed) in enumerate(vehicles):
        view.vehicles.i[k, T.LANE], view.vehicles.i[k, T.CROSSING] = (4, -1) if gap >= 0 else (3, 0)
        view.vehicles.f[k, T.S] = 200.0 - gap if gap >= 0 else -gap
        view.vehicles.f[k, T.V] = speed
    return view._replace(roads=roads)


def nearest_arrival(vehicles, length=4.5):
    """(seconds until the first vehicle reaches the crossing of `crossing_map`, strongest braking needed), by hand."""
    times, brakes = [np.inf], [0.0]
    for gap, speed in vehicles:
        way = gap + 8.0
        if way <= 0.0:
            if gap + 12.0 + length > 0.0:
                times.append(0.0)
        else:
            times.append(way / max(speed, 0.1))
            brakes.append(speed**2 / (2 * max(way - 1.0, 0.1)))
    return min(times), max(brakes)


def force(positions, heading, who):
    """Social force on person `who` by the formula, over everyone: (along, to the left)."""
    total = np.zeros(2)
    e = np.array([np.cos(heading), np.sin(heading)])
    for k, p in enumerate(positions):
        if k == who:
            continue
        away = positions[who] - p
        d = np.hypot(*away)
        if d <= 2.0:
            n = away / d
            cos_phi = -n @ e
            total += 2.1 * (0.3 + 0.7 * (1 + cos_phi) / 2) * np.exp((0.5 - d) / 0.3) * n
    return float(total @ e), float(total @ [-e[1], e[0]])
