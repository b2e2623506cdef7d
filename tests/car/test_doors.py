"""The doors of sensors and of the mission: whatever is delivered, what goes on is finite and possible, and the counts add up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloverleaf.car.mission import MissionDoor
from cloverleaf.car.supervise import Mode, Supervision
from cloverleaf.car.tally import Tally
from cloverleaf.types.frames import EgoFrame, FleetMission, LightFrame, ObjectFrame

CARS = np.array([7, 9])
DT = 0.1
NUMBER = st.sampled_from([0.0, 0.1, 0.2, -0.5, 0.9, 1.0, 4.5, 12.0, 50.0, -99.0, 1e5, 1e9, np.nan, np.inf, -np.inf])


def numbers(draw, n):
    return np.array(draw(st.lists(NUMBER, min_size=n, max_size=n)), float)


def nothing_or(made):
    return st.one_of(st.none(), made, made, made)


@st.composite
def egos(draw):
    return EgoFrame(*(numbers(draw, draw(st.sampled_from([2, 2, 2, 2, 2, 2, 2, 1]))) for _ in EgoFrame._fields))


@st.composite
def lists(draw):
    n = draw(st.integers(0, 4))
    cuts = draw(st.sampled_from([[0, 0, n], [0, n // 2, n], [0, n, n], [0, n + 1, n], [0, n]]))
    columns = [numbers(draw, n) for _ in ObjectFrame._fields[1:]]
    columns[8] = np.array(draw(st.lists(st.integers(-1, 9), min_size=n, max_size=n)), np.int32)
    return ObjectFrame(np.array(cuts, np.int64), *columns)


@st.composite
def heads(draw):
    link = np.array(draw(st.lists(st.integers(-1, 3), min_size=2, max_size=2)), np.int32)
    light = np.array(draw(st.lists(st.sampled_from([0, 114, 71, 200]), min_size=2, max_size=2)), np.uint8)
    return LightFrame(link, light, numbers(draw, 2), numbers(draw, 2))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(nothing_or(egos()), nothing_or(lists()), nothing_or(heads())), min_size=1, max_size=5))
def test_what_goes_on_of_the_sensors_is_sound(ticks):
    watch = Supervision(DT)
    for k, (ego, objects, lights) in enumerate(ticks):
        t, before = DT * k, dict(watch.counts)
        made = watch.check(CARS, ego, objects, lights, np.zeros(2), t, camera=True)
        for column in (*made.ego, *made.objects):
            assert np.isfinite(column).all()
        assert (np.abs(made.ego.speed) <= 80.0).all() and (np.abs(made.ego.accel) <= 20.0).all()
        assert (made.ego.sigma_xy >= 0.0).all() and (made.ego.time <= t + 1e-6).all()
        o = made.objects
        assert len(o.start) == 3 and o.start[0] == 0 and o.start[-1] == len(o.x) and (np.diff(o.start) >= 0).all()
        assert (np.abs(o.x) <= 400.0).all() and (np.abs(o.vx) <= 80.0).all() and (np.abs(o.heading) <= 4 * np.pi).all()
        assert ((o.length > 0.0) & (o.length <= 40.0)).all() and ((o.confidence >= 0.0) & (o.confidence <= 1.0)).all()
        assert (
            ((o.sigma >= 0.0) & (o.kind >= 0) & (o.kind <= 8)).all()
            and (t - o.time <= 0.6 + 1e-5).all()
            and (o.time <= t + 1e-5).all()
        )
        head = made.lights
        assert head is not None and not np.isnan(head.distance).any() and (head.time <= t + 1e-5).all()
        assert np.isfinite(head.distance[head.link >= 0]).all()
        struck = {key: v - before.get(key, 0) for key, v in watch.counts.items()}
        if lights is not None:  # each car's picture goes on as it came, or is counted once
            same = (head.link == lights.link) & (head.light == lights.light) & (head.distance == lights.distance)
            assert sum(v for (name, _), v in struck.items() if name == "lights") >= int((~same).sum())
        degraded = made.wanted > Mode.NORMAL
        assert degraded.any() == any(v for (name, _), v in struck.items() if name != "objects" or v)


def mission(**changes):
    two = np.ones(2)
    made = FleetMission(
        CARS.copy(), np.array([1, 2], np.int32), np.zeros(2, np.int32), 4.6 * two, 1.8 * two, 50.0 * two, -two, np.ones(2, np.int32)
    )  # fmt: skip
    return made._replace(**changes)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_what_goes_on_of_the_mission_is_sound(data):
    tally = Tally()
    door = MissionDoor(tally, 4)
    for _ in range(data.draw(st.integers(1, 4))):
        whole = st.lists(st.integers(-1, 9), min_size=2, max_size=2).map(lambda v: np.array(v, np.int32))
        given_ = mission(
            station=np.array(data.draw(st.sampled_from([[7, 9], [9, 7], [9, 5]]))), route=data.draw(whole), route_pos=data.draw(whole),
            length=numbers(data.draw, 2), width=numbers(data.draw, 2), max_speed=numbers(data.draw, 2), kind=data.draw(whole),
        )  # fmt: skip
        before = sum(tally.counts.values())
        made, bad, never = door.check(CARS, given_)
        assert (
            made.station.tolist() == [7, 9]
            and sum(tally.counts.values()) - before == bad.sum()
            and not (never & ~bad).any()
        )
        for low, column, high in ((0, made.length, 40), (0, made.width, 40), (0, made.max_speed, 120)):
            assert ((column > low) & (column <= high)).all()
        assert (
            (made.route >= 0) & (made.route < 4) & (made.route_pos >= 0) & (made.kind >= 0) & (made.kind <= 8)
        ).all()


def test_the_last_good_mission_stands_in():
    door = MissionDoor(Tally(), 4)
    door.check(CARS, mission())
    made, bad, never = door.check(CARS, mission(length=np.array([np.nan, 5.0])))
    assert made.length.tolist() == [4.6, 5.0] and bad.tolist() == [True, False] and not never.any()
    made, bad, _ = door.check(CARS, None)
    assert made.length.tolist() == [4.6, 5.0] and made.route.tolist() == [1, 2] and bad.all()
    assert door.tally.counts == {("mission", "broken"): 1, ("mission", "lost"): 2}
    newcomers = np.array([9, 11])
    made, bad, never = door.check(newcomers, mission())
    assert made.route[0] == 2 and never.tolist() == [False, True] and bad.tolist() == [False, True]


@pytest.mark.parametrize(
    "changed, reason",
    [
        ({"time": 5.0}, "future"),
        ({"sigma_xy": -1.0}, "impossible"),
        ({"x": np.inf}, "broken"),
        ({"time": 0.0}, "duplicated"),
    ],
)
def test_own_motion_is_dropped_by_its_reason(changed, reason):
    zero, watch = np.zeros(2), Supervision(DT)
    seen = ObjectFrame(
        np.zeros(3, np.int64), *(np.zeros(0, np.int32 if f == "kind" else float) for f in ObjectFrame._fields[1:])
    )
    for k in range(2):
        ego = EgoFrame(zero + DT * k, zero, zero, zero, zero, zero, zero, zero + 0.3)
        if k == 1:
            ego = ego._replace(**{name: zero + value for name, value in changed.items()})
        made = watch.check(CARS, ego, seen, None, zero, DT * k, camera=False)
    assert watch.counts == {("ego", reason): 2} and (made.wanted == Mode.SAFE_STOP).all()


def test_a_picture_that_is_repeated_is_not_believed():
    zero, watch = np.zeros(2), Supervision(DT)
    seen = ObjectFrame(
        np.zeros(3, np.int64), *(np.zeros(0, np.int32 if f == "kind" else float) for f in ObjectFrame._fields[1:])
    )
    for k in range(3):
        ego = EgoFrame(zero + DT * k, zero, zero, zero, zero, zero, zero, zero + 0.3)
        head = LightFrame(np.full(2, 5, np.int32), np.full(2, ord("G"), np.uint8), zero + 30.0, zero + min(DT * k, DT))
        made = watch.check(CARS, ego, seen, head, zero, DT * k, camera=True)
        assert (made.lights.link == (5 if k < 2 else -1)).all() and (
            made.wanted == (Mode.NORMAL if k < 2 else Mode.SLOWER)
        ).all()
    assert watch.counts == {("lights", "duplicated"): 2}
    moved = LightFrame(np.full(2, 5, np.int32), np.full(2, ord("G"), np.uint8), zero + 45.0, zero + 3 * DT)
    ego = EgoFrame(zero + DT * 3, zero, zero, zero, zero, zero, zero, zero + 0.3)
    made = watch.check(CARS, ego, seen, moved, zero, 3 * DT, camera=True)
    assert (made.lights.link == -1).all() and watch.counts[("lights", "jump")] == 2
