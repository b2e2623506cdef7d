"""Kernels of driving beside their slow twins, at moments of real traffic: bodies, free ways, poses, halts; announcements at random."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.naive import driving as naive

from cloverleaf.cli.bench_collisions import load_case
from cloverleaf.human.gap_acceptance import GREEN_MAJOR, ZIPPER, blocked_by
from cloverleaf.loop.batch import Batch
from cloverleaf.map.bodies import hangs_over
from cloverleaf.types import traffic as T
from cloverleaf.world.turns import way_is_free
from cloverleaf.world.world import World

SHARED = Path(__file__).parents[3] / "shared"
in_real_traffic = pytest.mark.skipif(
    not (SHARED / "nets").is_dir(), reason="shared traffic nets are not beside the checkout"
)


def _moments(net: str, step: float, every: float, seconds: float) -> Iterator[tuple[Any, World]]:
    """The base map and a world of human drivers, every so many seconds."""
    base_map, demand, begin = load_case(net, SHARED, 1)
    batch = Batch(World(base_map, demand, seed=1, step=step, begin=begin, measured=False))
    for _ in range(round(seconds / every)):
        batch.run(round(every / step))
        yield base_map, batch.world


@in_real_traffic
def test_bodies_over_a_lane_equal_brute_force() -> None:
    rng = np.random.default_rng(1)
    answers = [0, 0]
    for _, world in _moments("resco_cologne8", 1.0, 60.0, 1200.0):
        g = world.ground
        for lane in np.flatnonzero(g.lists.first >= 0):
            for slot in naive.on_lane(g.vehicles, lane):
                g.vehicles.f[slot, T.D] = rng.uniform(-3.2, 3.2)
            for _ in range(20):
                towards, s = float(rng.choice([-1, 1])), rng.uniform(0.0, g.roads.lane_f[lane, T.LANE_LENGTH])
                box = (towards, s, rng.uniform(2.0, 12.0), rng.uniform(0.6, 2.5), rng.uniform(2.5, 3.5))
                fast = hangs_over(g.vehicles, g.lists, g.roads, lane, *box)
                assert fast == naive.hangs_over(g.vehicles, lane, *box)
                answers[fast] += 1
    assert min(answers) > 50


@in_real_traffic
def test_free_way_of_a_turn_from_the_wrong_lane_equals_stepping_through_it() -> None:
    rng = np.random.default_rng(1)
    answers = [0, 0]
    for _, world in _moments("resco_cologne8", 1.0, 40.0, 2400.0):
        g = world.ground
        for lane in np.flatnonzero(g.lists.first >= 0):
            slot = g.lists.first[lane]
            g.vehicles.f[slot, T.WAIT] = rng.choice([20.0, 60.0])
            for side, off in ((T.LANE_RIGHT, -1), (T.LANE_LEFT, 1)):
                if g.roads.lane_i[lane, side] < 0 or g.roads.lane_i[lane, T.LANE_INTERNAL]:
                    continue
                fast = way_is_free(g.vehicles, g.lists, g.roads, slot, off)
                assert fast == naive.way_is_free(g.vehicles, g.lists, g.roads, slot, off)
                answers[fast] += 1
    assert min(answers) > 20


def _follows(graph: Any, lane: int, later: int) -> bool:
    """True if one piece of road leads straight into the other."""
    links = range(graph.lane_link_start[lane], graph.lane_link_start[lane + 1])
    return any(later == (graph.link_via[k] if graph.link_via[k] >= 0 else graph.link_to[k]) for k in links)


@in_real_traffic
def test_bodies_lie_along_the_lanes_that_they_have_driven() -> None:
    driven: dict[int, list[int]] = {}
    bent = 0
    for base_map, world in _moments("bologna_pasubio", 0.1, 0.1, 90.0):
        v, graph = world.ground.vehicles, base_map.graph
        slots = v.active[: v.count[0]].tolist()
        for slot in slots:
            lane, past = int(v.i[slot, T.LANE]), driven.setdefault(int(v.i[slot, T.TRIP]), [])
            if past and past[-1] not in (lane, -1) and not _follows(graph, past[-1], lane):
                # changed lanes: the body counts as on the new one; unless it also drove on in the same step, unseen
                beyond = graph.lane_edge[past[-1]] != graph.lane_edge[lane]
                past[:] = [-1] if beyond else []
            if not past or past[-1] != lane:
                past.append(lane)
        if world.ground.clock.step[0] % 50:
            continue
        world.refresh()
        a = world.actors
        for slot in slots:
            past = driven[int(v.i[slot, T.TRIP])]
            if past[0] < 0:
                continue
            x, y, heading = naive.pose(graph, past, v.f[slot, T.S], v.f[slot, T.LENGTH], v.f[slot, T.D])
            assert (a.x[slot], a.y[slot]) == pytest.approx((x, y), abs=1e-6)
            assert np.cos(a.heading[slot] - heading) == pytest.approx(1.0)
            bent += v.f[slot, T.S] < v.f[slot, T.LENGTH] and len(past) > 1
    assert bent > 20


@in_real_traffic
def test_scheduled_halts_last_as_long_as_the_timetable_says() -> None:
    begun: dict[int, tuple[int, float]] = {}
    halts = 0
    for _, world in _moments("tavf_hamburg", 0.5, 0.5, 400.0):
        v, stops = world.ground.vehicles, world.ground.stops
        standing = {}
        for slot in v.active[: v.count[0]].tolist():
            if v.i[slot, T.STATE] & T.HALTED:
                trip, stop = int(v.i[slot, T.TRIP]), int(v.i[slot, T.STOP])
                standing[trip] = begun.get(trip, (stop, world.time))
                assert v.f[slot, T.V] == 0.0 or world.time == standing[trip][1]
                assert stops.lane[stop] == v.i[slot, T.LANE]
                assert stops.start_pos[stop] <= v.f[slot, T.S] <= stops.end_pos[stop] + 0.5
        for trip in begun.keys() - standing.keys():
            stop, since = begun[trip]
            planned = max(stops.duration[stop], stops.until[stop] - since)
            assert world.time - since >= planned - 1.01
            # who parks beside the road has to wait for room besides
            assert world.time - since <= planned + 1.01 or stops.parking[stop]
            halts += 1
        begun = standing
    assert halts > 10


@pytest.mark.parametrize("zipper", [False, True])
@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_who_lets_whom_go_first_equals_the_windows_of_time(zipper: bool, dt: float) -> None:
    rng = np.random.default_rng(1)
    f, a = np.zeros((2, T.F_COLUMNS)), np.zeros((2 * T.ITEMS, 10))
    answers = [0, 0]
    for _ in range(5000):
        f[:, T.DECEL] = rng.uniform(2.0, 5.0, 2)
        rows = []
        for item in (0, T.ITEMS):
            arrive = float(rng.integers(0, 60)) * 0.5
            windows = (arrive, arrive + rng.uniform(0.5, 6.0), *rng.uniform(0.0, 14.0, 3))
            columns = [T.ARRIVE, T.LEAVE, T.ARRIVE_SPEED, T.LEAVE_SPEED, T.BRAKE_SPEED]
            a[item, columns], a[item, T.REQUEST] = windows, 1.0
            rows.append(windows)
        merge = int(rng.integers(0, 2))
        state = ZIPPER if zipper else GREEN_MAJOR + 32
        one, two = (
            bool(blocked_by(f, a, 0.0, dt, k * T.ITEMS, (1 - k) * T.ITEMS, merge, state, 0.0, f[k, T.DECEL], 0.0, 1.0))
            for k in (0, 1)
        )
        for k, got in ((0, one), (1, two)):
            assert got == bool(
                naive.blocks(rows[k], rows[1 - k], k == 0, merge, zipper, f[k, T.DECEL], f[1 - k, T.DECEL], dt)
            )
        assert not (zipper and one and two)  # one by one: somebody always goes
        answers[one] += 1
    assert min(answers) > 200
