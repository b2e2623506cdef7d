"""Contacts against all pairs of polygons; each pair once; fault by the documented rules."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cloverleaf.map.graph import LaneKind
from cloverleaf.map.spatial import empty_grid, rebuild
from cloverleaf.types.collisions import CollisionKind, Fault, FaultReason, empty_events
from cloverleaf.types.state import Kind, empty_actors
from cloverleaf.world import collision, fault
from cloverleaf.world.collision import CELL, CollisionRules, crashed, detect, empty_crashes, settle
from cloverleaf.world.fault import RightOfWay, blame, empty_conduct, watch
from naive import collision as naive

# lanes: 0, 1 one edge into junction 0; 2 internal lane of link 0; 3 internal lane of link 1, to which link 0 yields;
# 4 a zebra, 5 a crossing without priority, 6 a lane elsewhere (junctions 5 and 6)
i32 = lambda *v: np.array(v, np.int32)  # noqa: E731
u8 = lambda *v: np.array(v, np.uint8)  # noqa: E731
ROAD, CROSSING = int(LaneKind.DRIVING), int(LaneKind.CROSSING)
RULES = RightOfWay(
    lane_link=i32(-1, -1, 0, 1, -1, -1, -1),
    lane_kind=i32(ROAD, ROAD, 1, 1, CROSSING, CROSSING, ROAD),
    lane_edge=i32(0, 0, 1, 2, 3, 4, 5),
    lane_crossing=i32(-1, -1, -1, -1, 0, 1, -1),
    lane_junction_a=i32(-1, -1, 0, 0, 0, 0, 5),
    lane_junction_b=i32(0, 0, 0, 0, 0, 0, 6),
    link_signal=i32(0, 0),
    link_signal_index=i32(0, 1),
    crossing_has_priority=u8(1, 0),
    crossing_signal=i32(-1, -1),
    crossing_signal_index=i32(-1, -1),
    foe_start=np.array([0, 1, 2]),
    foe_link=i32(1, 0),
    foe_yield=u8(1, 0),
)
HEADS = np.array([0, 2])


def scene(*users):
    """Actors from (kind, control, x, y, heading, speed, length, width, lane) rows."""
    actors = empty_actors(len(users) + 2)
    for i, (kind, control, x, y, heading, speed, length, width, lane) in enumerate(users):
        actors.trip[i], actors.kind[i], actors.control[i] = 100 + i, kind, control
        actors.x[i], actors.y[i], actors.heading[i], actors.speed[i] = x, y, heading, speed
        actors.length[i], actors.width[i], actors.lane[i] = length, width, lane
    return actors


def car(x, y, heading=0.0, speed=10.0, lane=-1, control=1):
    return (int(Kind.CAR), control, x, y, heading, speed, 4.5, 1.8, lane)


def person(x, y, lane=4, speed=1.3):
    return (int(Kind.PEDESTRIAN), 0, x, y, math.pi / 2, speed, 0.5, 0.5, lane)


def run(actors, crashes=None, conduct=None, events=None, time=5.0):
    grid = empty_grid(-60, -60, 60, 60, CELL, len(actors.kind))
    rebuild(grid, actors.x, actors.y, actors.kind)
    crashes = crashes or empty_crashes(len(actors.kind))
    events = events or empty_events(100)
    conduct = conduct or empty_conduct(len(actors.kind))
    found = detect(actors, grid, RULES, conduct, crashes, events, CollisionRules(), time)
    return found, events, crashes


def test_constants_are_those_of_the_enums():
    assert tuple(CollisionKind) == (
        fault._REAR_END,
        fault._SIDE,
        fault._CROSSED,
        fault._HEAD_ON,
        fault._ON_FOOT,
        fault._RIDER,
    )
    assert tuple(FaultReason) == (
        fault._NONE, fault._RED_LIGHT, fault._PRIORITY, fault._STOOD, fault._YIELD, fault._CUT_IN, fault._FOLLOWED,
        fault._CLOSE, fault._STRONGER,
    )  # fmt: skip
    assert (collision._EBIKE, collision._BICYCLE, collision._PEDESTRIAN) == (Kind.EBIKE, Kind.BICYCLE, Kind.PEDESTRIAN)


def random_scene(seed, n=120):
    rng = np.random.default_rng(seed)
    actors = empty_actors(n)
    actors.kind[:] = rng.integers(0, 8, n)
    actors.control[:] = rng.integers(0, 2, n)
    actors.trip[:] = np.arange(n)
    actors.x[:], actors.y[:] = rng.uniform(-50, 50, (2, n))
    actors.heading[:] = rng.uniform(-3, 3, n)
    actors.speed[:] = rng.choice([0.0, 5.0, 10.0], n)
    sizes = np.array([[0, 0], [4.5, 1.8], [9, 2.5], [18, 2.5], [2.2, 0.8], [1.8, 0.7], [1.8, 0.6], [0.5, 0.5]])
    actors.length[:], actors.width[:] = sizes[actors.kind].T
    actors.lane[:] = rng.integers(-1, 7, n)
    return actors


def test_contacts_equal_all_pairs_of_polygons():
    total = 0
    for seed in range(25):
        actors = random_scene(seed)
        expected = naive.pairs(actors, RULES)
        found, events, crashes = run(actors)
        total += len(expected)
        got = {(int(a), int(b)) for a, b in zip(events.trip_a[:found], events.trip_b[:found])}
        assert len(got) == found == events.filled[0] and got <= expected
        hit = {i for pair in expected for i in pair}
        assert {i for i in range(len(actors.kind)) if crashed(actors, crashes, i)} == hit
        # A pair is left out only when both had crashed with others before.
        assert all(any(i in pair for pair in got) for pair in expected for i in pair)
    assert total > 100


def test_a_pair_is_reported_once_and_cleared_later():
    actors = scene(car(0, 0), car(4, 0, speed=3.0))
    found, events, crashes = run(actors)
    assert found == 1 and events.time[0] == 5.0 and events.impact_speed[0] == pytest.approx(7.0)
    expired = np.zeros(8, np.int32)
    for k in range(1, 110):
        assert run(actors, crashes, events=events, time=5.0 + k * 0.1)[0] == 0
        n = settle(actors, crashes, 5.0 + k * 0.1, expired)
        assert actors.speed[0] == actors.speed[1] == 0.0
        if n:
            break
    assert k == 100 and set(expired[:n]) == {0, 1}
    assert events.filled[0] == 1


def test_a_third_user_who_hits_the_wreck_is_a_new_event():
    actors = scene(car(0, 0), car(4, 0, speed=3.0), car(-20, 0))
    _, events, crashes = run(actors)
    settle(actors, crashes, 5.1, np.zeros(8, np.int32))
    actors.x[2] = -4.0
    assert run(actors, crashes, events=events, time=6.0)[0] == 1
    assert events.trip_b[1] == 102 and events.fault[1] == Fault.B and events.reason[1] == FaultReason.HIT_STANDING


def test_a_reused_row_is_not_a_wreck():
    actors = scene(car(0, 0), car(4, 0, speed=3.0))
    _, _, crashes = run(actors)
    actors.trip[0] = 555
    assert not crashed(actors, crashes, 0) and crashed(actors, crashes, 1)
    actors.speed[0] = 9.0
    settle(actors, crashes, 5.1, np.zeros(8, np.int32))
    assert actors.speed[0] == 9.0 and actors.speed[1] == 0.0


def test_a_full_buffer_counts_what_it_cannot_hold():
    actors = scene(*[car(20.0 * (k // 2), 3.0 * (k % 2) * 0.3) for k in range(6)])
    found, events, _ = run(actors, events=empty_events(2))
    assert found == 3 and list(events.filled) == [2, 1]


def test_lane_bound_users_have_cores_smart_cars_have_boxes():
    assert run(scene(car(0, 0, control=0, lane=0), car(0, 1.5, control=0, lane=1)))[0] == 0
    assert run(scene(car(0, 0, control=1, lane=0), car(0, 1.5, control=1, lane=1)))[0] == 1
    assert run(scene(car(0, 0, control=0, lane=0), car(4.4, 0, control=0, lane=0)))[0] == 0


def test_persons_brush_past_each_other():
    assert run(scene(person(0, 0), person(0.1, 0)))[0] == 0
    assert run(scene(person(0, 0), car(0.1, 0)))[0] == 1


def test_bridges_do_not_collide_with_roads_below():
    crossing = car(0, 0, math.pi / 2, lane=6)
    assert run(scene(car(0, 0, lane=0), crossing))[0] == 0
    assert run(scene(car(0, 0, lane=2), car(0, 0, math.pi / 2, lane=3)))[0] == 1
    assert run(scene(car(0, 0, lane=-1), crossing))[0] == 1, "off the map nothing is known"


def verdict(a, b, prepare=lambda conduct: None):
    actors = scene(a, b)
    conduct = empty_conduct(4)
    prepare(conduct)
    f, r = blame(actors, conduct, RULES, 0, 1, 5.0)
    kind, behind = fault.classify(actors, 0, 1)
    g, _ = blame(actors, conduct, RULES, 1, 0, 5.0)
    assert g == {0: 0, 1: 2, 2: 1, 3: 3}[f], "the verdict must not depend on the order"
    return Fault(f), FaultReason(r), CollisionKind(kind), behind


def set_red(row):
    def prepare(conduct):
        conduct.ran_red[row] = 1

    return prepare


def set_changed(row):
    def prepare(conduct):
        conduct.changed[row] = 4.0

    return prepare


F, R, C = Fault, FaultReason, CollisionKind
CASES = {
    "rear end": (car(0, 0, lane=0), car(4, 0, speed=4.0, lane=0), None, (F.A, R.FOLLOWED, C.REAR_END, 2)),
    "standing": (car(0, 0, lane=0), car(4, 0, speed=0.0, lane=0), None, (F.A, R.HIT_STANDING, C.REAR_END, 2)),
    "cut in": (car(0, 0, lane=0), car(4, 0.4, speed=4.0, lane=0), set_changed(1), (F.B, R.CUT_IN, C.REAR_END, 2)),
    "side swipe": (car(0, 0, lane=0), car(1, 1.7, speed=12.0, lane=1), None, (F.B, R.PASSED_CLOSE, C.SIDE_SWIPE, 0)),
    "yield": (car(0, 0, lane=2), car(1, 1, math.pi / 2, lane=3), None, (F.A, R.RIGHT_OF_WAY, C.CROSSING, 0)),
    "red": (car(0, 0, lane=2), car(1, 1, math.pi / 2, lane=3), set_red(1), (F.B, R.RED_LIGHT, C.CROSSING, 0)),
    "zebra": (car(0, 0, lane=2), person(1, 0, lane=4), None, (F.A, R.CROSSING_PRIORITY, C.PEDESTRIAN, 0)),
    "no zebra": (car(0, 0, lane=2), person(1, 0, lane=5), None, (F.B, R.CROSSING_PRIORITY, C.PEDESTRIAN, 0)),
    "jaywalker on red": (car(0, 0, lane=2), person(1, 0, lane=4), set_red(1), (F.B, R.RED_LIGHT, C.PEDESTRIAN, 0)),
    "on the road": (car(0, 0, lane=0), person(1, 0, lane=-1), None, (F.A, R.STRONGER, C.PEDESTRIAN, 0)),
    "head on": (car(0, 0), car(4, 0, math.pi), None, (F.UNKNOWN, R.NONE, C.HEAD_ON, 0)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_fault(case):
    a, b, prepare, expected = CASES[case]
    assert verdict(a, b, prepare or (lambda conduct: None)) == expected


def test_watch_notes_lane_changes_and_red():
    actors = scene(car(0, 0, lane=0), car(50, 0, lane=0))
    conduct = empty_conduct(4)
    light = u8(114, 71)
    watch(actors, conduct, RULES, HEADS, light, 1.0)
    actors.lane[0] = 1
    watch(actors, conduct, RULES, HEADS, light, 2.0)
    assert conduct.changed[0] == 2.0 and conduct.changed[1] < 0
    actors.lane[:2] = 2, 3
    watch(actors, conduct, RULES, HEADS, light, 3.0)
    assert list(conduct.ran_red[:2]) == [1, 0]
    actors.lane[0] = 6
    watch(actors, conduct, RULES, HEADS, light, 4.0)
    assert conduct.ran_red[0] == 0, "left the junction"
    actors.trip[1] = 777
    watch(actors, conduct, RULES, HEADS, light, 5.0)
    assert conduct.changed[1] < 0 and conduct.trip[1] == 777
