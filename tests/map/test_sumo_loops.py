"""Loops before the stop lines: placed as SUMO places them, and read right whatever the step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cloverleaf.map.io.sumo_net import read_sumo_net
from cloverleaf.map.loops import Loops, count_on_lanes, read_loops
from cloverleaf.map.neighbours import empty_lists
from cloverleaf.map.road_tables import road_tables
from cloverleaf.map.signal_tables import detector_position, signal_plan
from cloverleaf.types import traffic as T

NETS = Path(__file__).parents[3] / "shared" / "nets"
CROSS = NETS / "micro" / "signal_4leg" / "signal_4leg.net.xml"

pytestmark = pytest.mark.skipif(not CROSS.exists(), reason="the nets of ../shared are not here")


def _queue(g, lane, trips, step, length):
    """Vehicles that follow each other over `lane` and on to the next: tables and their true fronts on the lane over time."""
    n = len(trips)
    vehicles = T.Vehicles(
        np.zeros((n, T.F_COLUMNS)), np.full((n, T.I_COLUMNS), -1, np.int32), np.zeros(n, np.uint64), np.arange(n, dtype=np.int32),
        np.array([n, 0, 0, n], np.int64),
    )  # fmt: skip
    vehicles.f[:, T.LENGTH] = length
    lists = empty_lists(len(g.lane_length), len(g.junction_x))
    lane_length = g.lane_length[lane]
    for k in range(1, 10**6):
        t = k * step
        fronts = np.array([(t - begin) * speed for begin, speed in trips])
        if (fronts > lane_length + 30.0).all():
            return
        on = [j for j in np.argsort(-fronts) if 0.0 <= fronts[j] <= lane_length]
        for j in range(n):
            old = vehicles.i[j, T.LANE]
            vehicles.i[j, T.LANE] = (
                -1 if fronts[j] < 0 or fronts[j] > lane_length + 30 else (lane if j in on else lane + 1)
            )
            vehicles.i[j, T.TRIP] = j
            vehicles.f[j, [T.S, T.V, T.ODO]] = fronts[j], trips[j][1], fronts[j]
            if old == lane and j not in on:
                lists.left_slot[lane], lists.left_trip[lane], lists.left_odo[lane] = j, j, lane_length
        lists.first[lane] = on[0] if on else -1
        for here, behind in zip(on, [*on[1:], -1]):
            vehicles.i[here, T.BEHIND] = behind
        yield t, vehicles, lists, fronts


@pytest.mark.parametrize("step", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("distance", [25.0, 1.0])
def test_loops_see_every_vehicle(step, distance):
    g = read_sumo_net(CROSS).graph
    lane, length = 20, 5.0
    rng = np.random.default_rng(1)
    begins = np.cumsum(rng.uniform(3.0, 7.0, 12))
    trips = [(b, 12.0) for b in begins]
    position = np.full(len(g.lane_length), -1.0)
    position[lane] = g.lane_length[lane] - distance
    clear, roads = np.full(len(g.lane_length), -1e18), road_tables(g)
    lanes = np.array([lane], np.int32)
    for t, vehicles, lists, _ in _queue(g, lane, trips, step, length):
        read_loops(vehicles, lists, roads, lanes, position, t, step, clear)
        reached = [b + position[lane] / 12.0 for b in begins if b + position[lane] / 12.0 <= t]
        left = [b + (position[lane] + length) / 12.0 for b in begins if b + position[lane] / 12.0 <= t]
        if reached:
            assert clear[lane] == pytest.approx(min(max(left), t), abs=1e-6)
        else:
            assert clear[lane] == -1e18


def test_counts_per_lane():
    g = read_sumo_net(CROSS).graph
    count = np.zeros(len(g.lane_length))
    for _, vehicles, _, fronts in _queue(g, 20, [(0.0, 10.0), (3.0, 10.0)], 1.0, 5.0):
        count_on_lanes(vehicles, count)
        assert count[20] == ((fronts >= 0) & (fronts <= g.lane_length[20])).sum()


def test_places_follow_the_rule():
    base = read_sumo_net(NETS / "tavf_hamburg" / "network.net.xml.gz")
    g, plan = base.graph, signal_plan(base.graph)
    position = detector_position(g, plan)
    used = np.unique(plan.lane)
    assert set(np.flatnonzero(position >= 0)) == set(used)
    for lane in used:
        owners = [p for p in range(len(plan.minimum)) if lane in plan.lane[plan.lane_start[p] : plan.lane_start[p + 1]]]
        distance = min(2.0 * g.lane_speed[lane], (min(plan.minimum[p] for p in owners) / 1.9 + 0.5) * 7.5)
        assert position[lane] == pytest.approx(max(0.0, g.lane_length[lane] - distance))
    assert (Loops(g).lanes == used).all()
