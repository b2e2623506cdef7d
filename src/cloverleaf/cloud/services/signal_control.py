"""Network-wide signal control: each controller serves the phase of highest pressure, as the twin sees its queues.

Max pressure (P. Varaiya, "Max pressure control of a network of signalized intersections", Transportation Research C 36, 2013):
a movement's weight is its queue minus the queue downstream; a switch must gain more than what it loses. Waiting adds weight, so that
nobody starves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.cloud.services import Answer
from cloverleaf.cloud.services.glosa import place
from cloverleaf.cloud.signal_memory import GREENS
from cloverleaf.cloud.twin import Tracks, Twin
from cloverleaf.map.graph import BaseMap, LaneGraph, LaneKind
from cloverleaf.types.signals import SignalCommand
from cloverleaf.types.state import F64, I32, I64, U8, Kind

RANGE_M = 120.0
"""Approaching vehicles within so many metres of a stop line count."""
MIN_GREEN = 6.0
"""s a phase is served before it may be changed."""
MAX_GREEN = 60.0
"""s after which a phase is left as soon as another one has any demand."""
SWITCH_LOSS = 3.0
"""Vehicles that a switch must gain: what could have left during yellow, all red and start-up."""
QUEUE_SPACE = 7.5
"""m that a standing vehicle takes with its gap."""
CURB_M = 5.0
"""m around the end of a crosswalk within which people who stand are taken to wait for it."""
PERSON_WEIGHT = 0.5
"""Vehicles that a waiting person stands for."""
CLEARING_LOSS = 0.1
"""Vehicles of pressure that a green for nobody on foot loses against the same stage without it."""
WAIT_WEIGHT = 1.0 / 20.0
"""Vehicles per second of waiting: someone who has waited 20 s counts twice."""


@kernel
def weigh(link, distance, speed, wait, lane, link_from, scale, queue, standing):
    """Demand per lane: `queue` of approach lanes in vehicles with waiting, `standing` of all lanes; shape (lanes,)."""
    for k in range(len(queue)):
        queue[k] = 0.0
        standing[k] = 0.0
    for i in range(len(link)):
        if lane[i] >= 0 and speed[i] < 3.0:
            standing[lane[i]] += scale[i]
        if link[i] < 0 or distance[i] > 120.0 or distance[i] < -2.0:
            continue
        # A moving vehicle counts in full when it is 4 s away, less when farther.
        near = 1.0
        if speed[i] > 1.0:
            near = min(1.0, 4.0 / max(distance[i] / speed[i], 1e-3))
        queue[link_from[link[i]]] += scale[i] * near * (1.0 + min(wait[i], 120.0) / 20.0)


@kernel
def pressures(phase_start, green_start, green_link, share, link_from, link_to, queue, standing, room, out):
    """Pressure of every phase: sum over its green links of the lane's queue share minus the standing queue downstream.

    A lane whose exit is nearly full (`room` (lanes,), vehicles) has none: green would only fill the junction.
    """
    for p in range(len(phase_start) - 1):
        out[p] = 0.0
    for p in range(len(green_start) - 1):
        total = 0.0
        for q in range(green_start[p], green_start[p + 1]):
            k = green_link[q]
            if standing[link_to[k]] > 0.6 * room[link_to[k]]:
                continue
            total += max(share[k] * queue[link_from[k]] - 0.5 * share[k] * standing[link_to[k]], 0.0)
        out[p] = total


def green_links(graph: LaneGraph) -> tuple[I64, I32, U8]:
    """Links that each phase shows green: `start` (phases + 1,), `link`; and whether the phase is a serving one (no yellow)."""
    by_head: dict[tuple[int, int], list[int]] = {}
    for k in np.flatnonzero(graph.link_signal >= 0):
        by_head.setdefault((int(graph.link_signal[k]), int(graph.link_signal_index[k])), []).append(int(k))
    start, links, serving = [0], [], []
    for g in range(len(graph.signal_links)):
        for p in range(int(graph.signal_phase_start[g]), int(graph.signal_phase_start[g + 1])):
            state = graph.phase_state[graph.phase_state_start[p] : graph.phase_state_start[p + 1]].tobytes().decode()
            green = [k for i, c in enumerate(state) if c in "Gg" for k in by_head.get((g, i), [])]
            links += green
            start.append(len(links))
            serving.append(int(bool(green) and "y" not in state and "u" not in state))
    return np.array(start, np.int64), np.array(links, np.int32), np.array(serving, np.uint8)


def lane_shares(graph: LaneGraph) -> F64:
    """Share of a lane's queue that each signalled link stands for: 1 over the lane's signalled links; shape (K,)."""
    signalled = graph.link_signal >= 0
    per_lane = np.bincount(graph.link_from[signalled], minlength=len(graph.lane_length))
    return np.where(signalled, 1.0 / np.maximum(per_lane[graph.link_from], 1), 0.0)


class Crosswalks(NamedTuple):
    """Signalled crosswalks as walkers meet them: one row per end; `phase`/`row` pairs say which phases give them green."""

    x: F64  # (E,) m, ENU
    y: F64
    phase: I64  # (pairs,) phase (row over all phases) that shows green to walkers at end `row`
    row: I64  # (pairs,)


def crosswalks(graph: LaneGraph, green_start: I64, green_link: I32) -> Crosswalks:
    """Both ends of every signalled crosswalk, and the phases in which it is green."""
    walk = np.flatnonzero((graph.link_signal >= 0) & (graph.lane_kind[graph.link_to] == LaneKind.CROSSING))
    lanes, place = np.unique(graph.link_to[walk], return_inverse=True)
    ends = np.stack((graph.lane_point_start[lanes], graph.lane_point_start[lanes + 1] - 1), 1).ravel()
    of_link = dict(zip(walk.tolist(), place.tolist()))
    pairs = {
        (p, 2 * of_link[k] + end)
        for p in range(len(green_start) - 1)
        for k in green_link[green_start[p] : green_start[p + 1]].tolist()
        if k in of_link
        for end in (0, 1)
    }
    both = np.array(sorted(pairs), np.int64).reshape(-1, 2)
    return Crosswalks(graph.point_x[ends], graph.point_y[ends], both[:, 0], both[:, 1])


def people_waiting(tracks: Tracks, walks: Crosswalks, phases: int) -> F64:
    """Persons, each counted more the longer it has waited, that stand at a crosswalk which a phase makes green; shape (phases,)."""
    out = np.zeros(phases)
    still = np.flatnonzero((tracks.kind == Kind.PEDESTRIAN) & (tracks.shadow == 0) & (tracks.speed < 0.6))
    if len(still) and len(walks.x):
        apart = np.hypot(tracks.x[still, None] - walks.x, tracks.y[still, None] - walks.y)
        nearest = apart.argmin(1)
        weight = np.where(apart.min(1) < CURB_M, 1.0 + np.minimum(tracks.wait[still], 120.0) * WAIT_WEIGHT, 0.0)
        at_end = np.bincount(nearest, weight, len(walks.x))
        np.add.at(out, walks.phase, at_end[walks.row])
    return PERSON_WEIGHT * out


class SignalControl:
    """Max pressure over the twin's queues, for all controllers of the map with at least two serving phases."""

    name = "signal_control"
    deadline = 1.0
    interval = 1.0

    def __init__(self, base_map: BaseMap) -> None:
        self.graph = graph = base_map.graph
        self.green_start, self.green_link, self.serving = green_links(graph)
        self.share = lane_shares(graph)
        self.walks = crosswalks(graph, self.green_start, self.green_link)
        self.walk_phase = np.zeros(len(graph.phase_duration), bool)
        self.walk_phase[self.walks.phase] = True
        self.room = np.maximum(graph.lane_length / QUEUE_SPACE, 1.0)
        groups = len(graph.signal_links)
        self.current = np.full(groups, -1, np.int64)  # serving phase (row over all phases) that shows green
        self.since = np.zeros(groups)
        counts = [self.serving[a:b].sum() for a, b in zip(graph.signal_phase_start, graph.signal_phase_start[1:])]
        self.controllable = np.flatnonzero(np.array(counts) >= 2)
        self._patterns = self._green_patterns()
        self.penetration = 1.0

    def _green_patterns(self) -> list[tuple[I64, U8]]:
        graph, out = self.graph, []
        for g in range(len(graph.signal_links)):
            rows = np.arange(graph.signal_phase_start[g], graph.signal_phase_start[g + 1])
            rows = rows[self.serving[rows] != 0]
            width = int(graph.signal_links[g])
            states = [graph.phase_state[graph.phase_state_start[p] : graph.phase_state_start[p] + width] for p in rows]
            greens = [np.isin(s, [ord("G"), ord("g")]) for s in states]
            out.append((rows.astype(np.int64), np.array(greens, np.uint8).reshape(len(rows), width)))
        return out

    def _watch(self, twin: Twin, t: float) -> None:
        """Which serving phase each controller shows, from its SPAT; -1 between phases."""
        lights = twin.signals
        green = np.isin(lights.light, GREENS).astype(np.uint8)
        for g in self.controllable:
            rows, patterns = self._patterns[g]
            shown = green[lights.start[g] : lights.start[g + 1]]
            hit = np.flatnonzero((patterns == shown).all(axis=1))
            now = int(rows[hit[0]]) if len(hit) and t - lights.heard[g] <= 2.0 else -1
            if now >= 0 and len(hit) > 1 and self.current[g] in rows[hit]:
                now = int(self.current[g])
            if now != self.current[g]:
                self.current[g], self.since[g] = now, t

    def step(self, twin: Twin, t: float) -> Answer:
        """One wish per controller whose lights are known: the phase to serve."""
        self._watch(twin, t)
        tracks, graph = twin.tracks, self.graph
        n, lanes = len(tracks.x), len(graph.lane_length)
        vehicle = tracks.kind != Kind.PEDESTRIAN
        usable = ((tracks.shadow == 0) & vehicle).astype(np.uint8)
        link, distance, queue, standing = np.zeros(n, np.int32), np.zeros(n), np.zeros(lanes), np.zeros(lanes)
        place(twin.approaches, graph.lane_length, tracks.lane, tracks.s, usable, link, distance)
        scale = self._scale(twin, link, distance)
        lane = np.where(usable != 0, tracks.lane, -1).astype(np.int32)
        weigh(link, distance, tracks.speed, tracks.wait, lane, graph.link_from, scale, queue, standing)
        pressure = np.zeros(len(graph.phase_duration))
        pressures(
            graph.phase_state_start, self.green_start, self.green_link, self.share, graph.link_from, graph.link_to,
            queue, standing, self.room, pressure,
        )  # fmt: skip
        # a phase that lets people walk is held up by those who do: it is worth that only where somebody waits
        people = people_waiting(tracks, self.walks, len(pressure))
        pressure += np.where(self.walk_phase & (people == 0.0), -CLEARING_LOSS, people)
        groups, phases = [], []
        for g in self.controllable:
            wish = self._choose(int(g), pressure, t)
            if wish >= 0:
                groups.append(g)
                phases.append(wish - graph.signal_phase_start[g])
        return Answer(
            command=SignalCommand(np.array(groups, np.int32), np.array(phases, np.int32), np.full(len(groups), t))
        )

    def _choose(self, g: int, pressure: F64, t: float) -> int:
        """Phase (row over all phases) to serve at controller `g`; -1 leaves it alone."""
        now, rows = int(self.current[g]), self._patterns[g][0]
        if now < 0:
            return -1
        # people step out at the begin of a stage, when those who turn still stand, never in the middle of it
        rows = rows[[row == now or not self._keeps_all(g, now, int(row)) for row in rows]]
        best = int(rows[np.argmax(pressure[rows])])
        served = t - self.since[g]
        if served < MIN_GREEN or best == now:
            return now
        if pressure[best] > pressure[now] + SWITCH_LOSS or (served > MAX_GREEN and pressure[best] > 0.0):
            return best
        return best if pressure[now] < 0.25 and pressure[best] >= 0.5 else now

    def _keeps_all(self, g: int, now: int, best: int) -> bool:
        """True if everyone who has green in phase `now` has it in `best` too."""
        rows, patterns = self._patterns[g]
        a, b = patterns[np.flatnonzero(rows == now)[0]], patterns[np.flatnonzero(rows == best)[0]]
        return bool((b >= a).all())

    def _scale(self, twin: Twin, link: I32, distance: F64) -> F64:
        """How many road users a track stands for: 1 where a roadside unit looks, 1 / penetration elsewhere."""
        tracks, graph = twin.tracks, self.graph
        near = (link >= 0) & (distance < RANGE_M)
        seen = np.zeros(len(graph.signal_links), bool)
        seen[graph.link_signal[link[near & (tracks.station < 0)]]] = True
        watched = near & (tracks.shadow == 0) & seen[graph.link_signal[link]]
        if watched.any():
            share = float((tracks.station[watched] >= 0).mean())
            self.penetration += 0.05 * (max(share, 0.02) - self.penetration)
        return np.where((link >= 0) & ~seen[graph.link_signal[link]], 1.0 / self.penetration, 1.0)
