"""People on foot decide: how fast, how far aside, and whether to cross now.

Crossing: at a green light one goes; at red one waits, but a share of people go when the road is free (sources: 1,368 observed arrivals
at red in Beijing show that immediate running depends on company and traffic, J. Adv. Transp. 2019, 2345903; published shares for
pedestrians lie between about 10 and 40 %; we take 15 %). Without a light one goes if every vehicle is far enough in time
(own time in its way plus a margin), or - where people have priority - if it can stop at a comfortable 2.5 m/s2.
Margins shrink with waiting. Among people: the circular social force for sparse crowds, A 2.1 m/s2, B 0.3 m (Helbing, Johansson
2009), anisotropy 0.3, relaxation 0.5 s, and a habit to keep right.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.algo.noise import fold
from cloverleaf.algo.rng import PEDESTRIAN, stream, uniform
from cloverleaf.human.pedestrians_gaps import (
    Arrivals,
    CrossingTable,
    block_crossings,
    crossing_table,
    empty_arrivals,
    find_arrivals,
    strip_on_walk,
)
from cloverleaf.map.graph import BaseMap
from cloverleaf.map.spatial import Grid, column_of, empty_grid, rebuild, row_of
from cloverleaf.types.state import F64, I32, I64, U8
from cloverleaf.types.traffic import LANE_LENGTH, HumanView
from cloverleaf.types.walking import WalkIntents, WalkView, empty_walk_intents

GREEN_MAJOR, GREEN_MINOR = 71, 103  # ord of G g
KERB = 0.4  # m before the crossing where people wait
REACH = 2.0  # m within which people mind each other
FORCE, RANGE, ANISOTROPY, TAU, BODY = 2.1, 0.3, 0.3, 0.5, 0.25
KEEP_RIGHT = -0.3  # m
COMFORTABLE = 2.5  # m/s2 that vehicles are expected to brake with
MARGIN = 1.5  # s kept to vehicles
PATIENCE = 30.0  # s of waiting after which the margin has shrunk to a third
VIOLATORS = 0.15
"""Share of people who cross at red when the road is free."""


class Decisions(NamedTuple):
    """Memory of the people on foot by slot; shape (capacity,)."""

    go: I32  # crossing that was decided to be crossed, an index into Walkways.cross_*, -1 none
    walk: I32  # whose memory this is
    waiting: U8  # 1: stands at the kerb and wants to cross
    present: I32  # 1 where a person is, for the grid


@kernel
def crosses_at_red(seed, identity, crossing, violators):
    """True if this person goes at red at this crossing when the road is free; drawn once for each."""
    return uniform(fold(stream(seed, 0, identity, PEDESTRIAN), crossing), 0) < violators


@kernel
def road_is_free(ways, table, arrivals, crossing, length, at, speed, margin, trust):
    """True if every vehicle lets a person at `at` m of the walk pass at `speed`: it comes later, or (trust) can stop."""
    lane = ways.cross_lane[crossing]
    for item in range(ways.row_start[lane], ways.row_start[lane + 1]):
        row = ways.row_item[item]
        _, end = strip_on_walk(ways, crossing, row, length)
        if end < at or math.isinf(arrivals.time[row]):
            continue
        leave = max(end - at, 0.0) / speed + 0.5  # setting off costs half a second
        if arrivals.time[row] > leave + margin:
            continue
        if trust and table.priority[row] == 1 and arrivals.time[row] > 0.0 and arrivals.decel[row] <= COMFORTABLE:
            continue
        return False
    return True


@kernel
def may_cross(walks, roads, table, arrivals, head_start, slot, speed, seed, violators):
    """True if the person in `slot` sets foot on the next crossing now."""
    ways, walkers = walks.ways, walks.walkers
    crossing = walkers.crossing[slot]
    lane = ways.cross_lane[crossing]
    if ways.row_start[lane] == ways.row_start[lane + 1]:
        return True
    first = ways.row_item[ways.row_start[lane]]
    margin = MARGIN / (1.0 + 2.0 * min(walkers.wait[slot] / PATIENCE, 1.0))
    length = roads.lane_f[lane, LANE_LENGTH]
    at = walkers.s[slot]
    if table.signal[first] >= 0:
        letter = roads.light[head_start[table.signal[first]] + table.signal_index[first]]
        if letter in (GREEN_MAJOR, GREEN_MINOR):
            return road_is_free(ways, table, arrivals, crossing, length, at, speed, -10.0, True)
        if not crosses_at_red(seed, walks.first_identity + walkers.walk[slot], crossing, violators):
            return False
        return road_is_free(ways, table, arrivals, crossing, length, at, speed, margin, False)
    return road_is_free(ways, table, arrivals, crossing, length, at, speed, margin, True)


@kernel
def social_force(walkers, grid, slot):
    """Acceleration (m/s2) that the others nearby put on the person in `slot`: (along the heading, to the left)."""
    along, aside = 0.0, 0.0
    x, y = walkers.x[slot], walkers.y[slot]
    c, s = math.cos(walkers.heading[slot]), math.sin(walkers.heading[slot])
    low, high = column_of(grid, x - REACH), column_of(grid, x + REACH)
    for r in range(row_of(grid, y - REACH), row_of(grid, y + REACH) + 1):
        for k in range(grid.start[r * grid.columns + low], grid.start[r * grid.columns + high + 1]):
            if grid.item[k] == slot:
                continue
            dx, dy = x - grid.x[k], y - grid.y[k]
            distance = math.sqrt(dx * dx + dy * dy)
            if distance > REACH or distance < 1e-6:
                continue
            forward, left = (dx * c + dy * s) / distance, (dy * c - dx * s) / distance
            weight = ANISOTROPY + (1.0 - ANISOTROPY) * 0.5 * (1.0 - forward)
            push = FORCE * weight * math.exp((2.0 * BODY - distance) / RANGE)
            along += push * forward
            aside += push * left
    return along, aside


@kernel
def _forget(walks, memory, slot):
    """Refresh the memory of a slot whose person has changed; True if somebody is there."""
    walk = walks.walkers.walk[slot]
    memory.present[slot] = 1 if walk >= 0 else 0
    memory.waiting[slot] = 0
    if memory.walk[slot] != walk:
        memory.walk[slot] = walk
        memory.go[slot] = -1
    return walk >= 0


@kernel
def decide_walks(walks, roads, table, arrivals, grid, memory, head_start, seed, violators, intents):
    """Speeds and side steps of everyone on foot; `arrivals` and `grid` must be fresh."""
    ways, walkers = walks.ways, walks.walkers
    for slot in range(walkers.walk.shape[0]):
        if not _forget(walks, memory, slot):
            continue
        walk = walkers.walk[slot]
        wish = walks.speed[walk]
        along, aside = social_force(walkers, grid, slot)
        speed = min(max(wish + TAU * along, 0.0), 1.2 * wish)
        crossing = walkers.crossing[slot]
        if crossing < ways.cross_start[walk + 1] and memory.go[slot] != crossing:
            room = ways.cross_begin[crossing] - KERB - walkers.s[slot]
            if room < 0.6 + walkers.v[slot] * walkers.v[slot] / 3.0:
                if may_cross(walks, roads, table, arrivals, head_start, slot, wish, seed, violators):
                    memory.go[slot] = crossing
                else:
                    memory.waiting[slot] = 1
                    speed = min(speed, math.sqrt(2.0 * 1.5 * max(room, 0.0)))
        intents.speed[slot] = speed
        drift = TAU * aside + (KEEP_RIGHT - walkers.d[slot]) / 2.0
        intents.drift[slot] = min(max(drift, -0.5), 0.5) * min(walkers.v[slot], 1.0)


class Pedestrians:
    """Decisions of all people on foot of one world; also tells drivers where people go first."""

    def __init__(self, base_map: BaseMap, walks: WalkView, seed: int, violators: float = VIOLATORS) -> None:
        graph, capacity = base_map.graph, len(walks.walkers.walk)
        self.table: CrossingTable = crossing_table(graph)
        self.arrivals: Arrivals = empty_arrivals(len(graph.crossing_lane))
        none = np.full(capacity, -1, np.int32)
        self.memory = Decisions(none, none.copy(), np.zeros(capacity, np.uint8), np.zeros(capacity, np.int32))
        self.head_start: I64 = np.concatenate([[0], np.cumsum(graph.signal_links, dtype=np.int64)])
        self.seed, self.violators = int(seed), float(violators)
        self.intents: WalkIntents = empty_walk_intents(capacity)
        self.grid: Grid = _grid(walks, capacity)

    def decide(self, view: HumanView, walks: WalkView, block: F64) -> WalkIntents:
        """Intents for the coming step; `block` (K,) becomes HumanView.crossing_block for the drivers."""
        find_arrivals(view, self.table, self.arrivals)
        rebuild(self.grid, walks.walkers.x, walks.walkers.y, self.memory.present)
        decide_walks(
            walks, view.roads, self.table, self.arrivals, self.grid, self.memory, self.head_start, self.seed,
            self.violators, self.intents,
        )  # fmt: skip
        block_crossings(walks, view.roads, self.table, self.memory.waiting, block)
        return self.intents


def _grid(walks: WalkView, capacity: int) -> Grid:
    """Cells of at least 5 m over all walks, at most some thousands."""
    x, y = (walks.ways.x, walks.ways.y) if len(walks.ways.x) else (np.zeros(1), np.zeros(1))
    area = float(np.ptp(x) + 10.0) * float(np.ptp(y) + 10.0)
    cell = max(5.0, math.sqrt(area / 2_500.0))
    return empty_grid(float(x.min()), float(y.min()), float(x.max()) + 5.0, float(y.max()) + 5.0, cell, capacity)
