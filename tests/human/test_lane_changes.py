"""Lane changes against slow twins: queues ahead, safe gaps, and who is asked to make room."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.naive.following import braking_way
from tests.naive.lanes import order

from cloverleaf.cli.bench_collisions import load_case
from cloverleaf.human.lane_change import JAM_LANES, measure_queues, queue_ahead
from cloverleaf.human.people import empty_approaches
from cloverleaf.human.urgent import CRAWL, ask_for_room, safe_gap
from cloverleaf.loop.batch import Batch
from cloverleaf.types import traffic as T
from cloverleaf.world.world import World

DT = 0.1


def _room(vehicles: T.Vehicles, slots: list[int]) -> float:
    return sum(float(vehicles.f[k, T.LENGTH] + vehicles.f[k, T.MIN_GAP]) for k in slots)


@pytest.fixture(scope="module")
def batch() -> Batch:
    base_map, demand, begin = load_case("district", None, 1)
    made = Batch(World(base_map, demand, seed=1, step=DT, begin=begin, measured=False))
    made.run(3000)
    measure_queues(made.world.view(), made.drivers.near)
    return made


def test_queues_ahead_equal_sums_over_sorted_lanes(batch: Batch) -> None:
    g, near = batch.world.ground, batch.drivers.near
    v = g.vehicles
    seen = 0
    for lane in np.unique(v.i[v.active[: v.count[0]], T.LANE]):
        slots = order(v, int(lane))
        for k, slot in enumerate(slots):
            assert near.ahead[slot] == pytest.approx(_room(v, slots[:k]))
            seen += k > 0
    assert seen > 20


def test_jam_counts_the_lanes_that_follow(batch: Batch) -> None:
    world, near = batch.world, batch.drivers.near
    v, roads, paths = world.ground.vehicles, world.ground.roads, world.ground.paths
    jams = 0
    for slot in v.active[: v.count[0]]:
        lane = int(v.i[slot, T.LANE])
        if roads.lane_i[lane, T.LANE_INTERNAL] > 0 or v.i[slot, T.STATE] >= T.HALTED:
            continue
        pos = int(v.i[slot, T.POS])
        row = int(paths.pos_row[pos] + roads.lane_i[lane, T.LANE_INDEX])
        slots = order(v, lane)
        expected, at, there = _room(v, slots[: slots.index(int(slot))]), pos, row
        for _ in range(JAM_LANES):
            if paths.row_link[there] < 0 or paths.pos_last[at]:
                break
            ahead = int(roads.link_i[paths.row_link[there], T.LINK_TO])
            at += 1
            while paths.pos_edge[at] != roads.lane_i[ahead, T.LANE_EDGE] and not paths.pos_last[at]:
                at += 1
            there = int(paths.pos_row[at] + roads.lane_i[ahead, T.LANE_INDEX])
            expected += _room(v, order(v, ahead))
        assert queue_ahead(world.view(), near, slot, lane, row) == pytest.approx(expected)
        jams += expected > 0.0
    assert jams > 20


def _pair(v: float, acc: float, leader_v: float, leader_acc: float, gap: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Slot 0 and slot 1, `gap` metres behind it net of the minimum gap; a third slot is beyond everybody."""
    f, i = np.zeros((3, T.F_COLUMNS)), np.full((3, T.I_COLUMNS), -1, np.int32)
    f[:, [T.LENGTH, T.MIN_GAP, T.ACCEL, T.DECEL, T.EMERGENCY, T.TAU]] = 5.0, 2.5, 2.6, 4.5, 9.0, 1.0
    f[:, T.COOPERATE], i[:, T.STATE] = 1.0, 0
    f[0, [T.S, T.V, T.ACC]] = 100.0, leader_v, leader_acc
    f[1, [T.S, T.V, T.ACC]] = 100.0 - 5.0 - 2.5 - gap, v, acc
    return f, i


@given(st.floats(0, 30), st.floats(-4.5, 2.6), st.floats(0, 30), st.floats(-4.5, 2.6))
@settings(max_examples=60, deadline=None)
def test_safe_gaps_hold_for_a_reaction_time_more(v: float, acc: float, leader_v: float, leader_acc: float) -> None:
    f, _ = _pair(v, acc, leader_v, leader_acc)
    time = 1.0 - DT
    own, lead = v + time * max(0.0, acc), max(0.0, leader_v + time * min(0.0, leader_acc))
    expected = max(0.0, braking_way(own, 4.5, 1.0, DT) - braking_way(lead, 4.5, 0.0, DT))
    assert safe_gap(f, 1, 0, DT) == pytest.approx(expected, abs=1e-6)


def _asked(f: np.ndarray, i: np.ndarray, *, ahead: int, behind: int, left: float, look: float) -> np.ndarray:
    """Speeds that `ask_for_room` of slot 2 asks of everybody, 1e9 where it asks nothing."""
    near = empty_approaches(1, 1, 3)
    gap_ahead = f[ahead, T.S] - f[ahead, T.LENGTH] - f[2, T.S] - 2.5 if ahead >= 0 else 1e9
    gap_behind = f[2, T.S] - f[2, T.LENGTH] - f[behind, T.S] - 2.5 if behind >= 0 else 1e9
    ask_for_room(f, i, near, 2, -1, ahead, gap_ahead, behind, gap_behind, left, 1, look, DT)
    return near.help


def test_follower_that_can_make_room_brakes_comfortably() -> None:
    f, i = _pair(10.0, 0.0, 10.0, 0.0)
    f[2, [T.S, T.V]] = 50.0, 10.0
    f[1, T.S] = 50.0 - 5.0 - 2.5 - 2.0
    help = _asked(f, i, ahead=-1, behind=1, left=100.0, look=10.0)
    assert 10.0 - 4.5 * DT - 1e-9 <= help[1] < 10.0 and help[0] == 1e9


def test_slow_leader_is_passed_where_there_is_way_and_followed_where_there_is_not() -> None:
    f, i = _pair(0.0, 0.0, 2.0, 0.0)
    f[2, [T.S, T.V]] = 90.0, 10.0
    assert _asked(f, i, ahead=0, behind=-1, left=400.0, look=10.0)[2] == 1e9
    help = _asked(f, i, ahead=0, behind=-1, left=25.0, look=10.0)
    assert CRAWL <= help[2] < 10.0


def test_nobody_is_asked_to_stand_for_a_gap_that_is_there() -> None:
    f, i = _pair(10.0, 0.0, 10.0, 0.0)
    f[2, [T.S, T.V]] = 60.0, 10.0
    f[1, T.S] = 0.0
    help = _asked(f, i, ahead=0, behind=1, left=200.0, look=10.0)
    assert min(help[1], help[2]) >= 10.0 - 4.5 * DT and not math.isnan(help.sum())
