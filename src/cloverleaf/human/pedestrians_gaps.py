"""Where cars and people on foot meet: when vehicles reach each crossing, and where people make vehicles wait."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.map.graph import LaneGraph
from cloverleaf.types.state import F64, I32, I64, U8
from cloverleaf.types.traffic import CROSSING, LANE, LANE_LENGTH, LENGTH, LINK, LINK_VIA, S, V

NOBODY = 1e18
SOON = 3.0
"""s: vehicles wait for a person on the crossing who will be in their way within this time."""


class CrossingTable(NamedTuple):
    """Crossings by link and by row; C rows as in LaneGraph.crossing_*."""

    link_start: I64  # (K + 1,) into link_row
    link_row: I32  # (C,) rows by link
    link: I32  # (C,)
    begin: F64  # (C,) m on the link's path
    end: F64
    priority: U8
    signal: I32  # (C,) -1 none
    signal_index: I32


class Arrivals(NamedTuple):
    """The most pressing vehicle at each crossing row; shape (C,)."""

    time: F64  # s until it is there at its present speed; 0 it is there; inf none
    decel: F64  # m/s2 it needs to stop in time, of the one that needs most


def crossing_table(graph: LaneGraph) -> CrossingTable:
    """The map's crossings by link."""
    order = np.argsort(graph.crossing_link, kind="stable").astype(np.int32)
    start = np.zeros(len(graph.link_from) + 1, np.int64)
    np.add.at(start, graph.crossing_link.astype(np.int64) + 1, 1)
    return CrossingTable(
        np.cumsum(start), order, graph.crossing_link, graph.crossing_link_begin, graph.crossing_link_end,
        graph.crossing_has_priority, graph.crossing_signal, graph.crossing_signal_index,
    )  # fmt: skip


def empty_arrivals(rows: int) -> Arrivals:
    """No vehicles."""
    return Arrivals(np.full(rows, np.inf), np.zeros(rows))


@kernel
def meet(arrivals, row, gap, past, speed):
    """A vehicle `gap` m before the crossing (negative: on it), whose tail is `past` m short of leaving, at `speed` m/s."""
    if past <= 0.0:
        return
    if gap <= 0.0:
        arrivals.time[row] = 0.0
        return
    arrivals.time[row] = min(arrivals.time[row], gap / max(speed, 0.1))
    # Who stands or crawls has seen the crossing already: it takes a moment to set off.
    arrivals.decel[row] = max(arrivals.decel[row], speed * speed / (2.0 * max(gap - 1.0, 0.1)))


@kernel
def find_arrivals(view, table, arrivals):
    """Refresh `arrivals` from all vehicles on lanes that lead over crossings, and inside junctions."""
    for row in range(arrivals.time.shape[0]):
        arrivals.time[row] = math.inf
        arrivals.decel[row] = 0.0
    veh, roads = view.vehicles, view.roads
    for k in range(veh.count[0]):
        slot = veh.active[k]
        lane = veh.i[slot, LANE]
        if lane < 0:
            continue
        inside = veh.i[slot, CROSSING]
        link = inside if inside >= 0 else veh.i[slot, LINK]
        if link < 0 or table.link_start[link] == table.link_start[link + 1]:
            continue
        at = veh.f[slot, S]
        if inside < 0:
            at -= roads.lane_f[lane, LANE_LENGTH]
        elif roads.link_i[link, LINK_VIA] != lane:
            at += roads.lane_f[roads.link_i[link, LINK_VIA], LANE_LENGTH]
        for item in range(table.link_start[link], table.link_start[link + 1]):
            row = table.link_row[item]
            meet(arrivals, row, table.begin[row] - at, table.end[row] + veh.f[slot, LENGTH] - at, veh.f[slot, V])


@kernel
def strip_on_walk(ways, crossing, row, lane_length):
    """Begin and end (m along the walk) of the strip that link vehicles of `row` sweep, on crossing number `crossing`."""
    low, high = ways.strip_begin[row], ways.strip_end[row]
    if ways.cross_forward[crossing] == 0:
        low, high = lane_length - high, lane_length - low
    scale = (ways.cross_end[crossing] - ways.cross_begin[crossing]) / max(lane_length, 0.1)
    return ways.cross_begin[crossing] + low * scale, ways.cross_begin[crossing] + high * scale


@kernel
def hold_back(block, table, row):
    """Vehicles of the row's link have to wait before this crossing."""
    link = table.link[row]
    block[link] = min(block[link], max(table.begin[row], 0.0))


@kernel
def block_crossings(walks, roads, table, waiting, block):
    """Fill `block` (K,): m from the start of each link's path to the first crossing where people go first, NOBODY if none.

    People on a crossing hold back the vehicles into whose strip they come within SOON seconds; people who wait at a
    crossing with priority and without a light (`waiting` by slot) hold back everyone.
    """
    for link in range(block.shape[0]):
        block[link] = NOBODY
    ways, walkers = walks.ways, walks.walkers
    for slot in range(walkers.walk.shape[0]):
        walk = walkers.walk[slot]
        if walk < 0:
            continue
        crossing = walkers.crossing[slot]
        if crossing >= ways.cross_start[walk + 1]:
            continue
        here = walkers.s[slot] - ways.cross_begin[crossing]
        if here < 0.0 and waiting[slot] == 0:
            continue
        lane = ways.cross_lane[crossing]
        length = roads.lane_f[lane, LANE_LENGTH]
        for item in range(ways.row_start[lane], ways.row_start[lane + 1]):
            row = ways.row_item[item]
            if here < 0.0:
                if table.priority[row] == 1 and table.signal[row] < 0:
                    hold_back(block, table, row)
                continue
            begin, end = strip_on_walk(ways, crossing, row, length)
            if walkers.s[slot] < end and begin - walkers.s[slot] < SOON * max(walkers.v[slot], 0.8):
                hold_back(block, table, row)
