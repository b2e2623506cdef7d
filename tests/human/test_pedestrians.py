"""People on foot: ways, gaps, lights, forces, and the vehicles they hold back."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from cloverleaf.human.pedestrians import MARGIN, VIOLATORS, Pedestrians, crosses_at_red, social_force
from cloverleaf.human.pedestrians_gaps import NOBODY, crossing_table, empty_arrivals, find_arrivals
from cloverleaf.map.spatial import empty_grid, rebuild
from cloverleaf.map.walkways import build_walkways
from cloverleaf.types.demand import Walks
from cloverleaf.types.state import Kind, empty_actors
from cloverleaf.types.walking import empty_walkers
from cloverleaf.world.walking import Walking
from naive import people as naive


def walks(*rows, speed=1.3):
    """Walks from (depart, path, depart_pos, arrival_pos) rows."""
    start = np.concatenate([[0], np.cumsum([len(r[1]) for r in rows])]).astype(np.int64)
    return Walks(
        np.array([r[0] for r in rows], float), start, np.array([lane for r in rows for lane in r[1]], np.int32),
        np.full(len(rows), speed), np.array([r[2] for r in rows], float), np.array([r[3] for r in rows], float),
    )  # fmt: skip


OVER = (0.0, (0, 6, 1, 2), 5.0, 10.0)
BACK = (0.0, (2, 1, 6, 0), 10.0, 5.0)


class Street:
    """`crossing_map` with people on it and vehicles as told."""

    def __init__(self, *rows, priority=1, signal=-1, seed=1, violators=VIOLATORS):
        graph = naive.crossing_map(priority, signal)
        demand = SimpleNamespace(walks=walks(*rows), trips=SimpleNamespace(depart=np.zeros(1000)))
        base = SimpleNamespace(graph=graph)
        self.walking = Walking(base, demand, 3, len(rows))
        self.people = Pedestrians(base, self.walking.view(), seed, violators)
        self.actors = empty_actors(3 + len(rows))
        self.time, self.block = 0.0, np.zeros(1)

    def run(self, seconds, vehicles=(), light="G"):
        walkers = self.walking.view().walkers
        trace = []
        for _ in range(round(seconds * 10)):
            intents = self.people.decide(naive.crossing_view(*vehicles, light=light), self.walking.view(), self.block)
            self.time += 0.1
            self.walking.step(self.actors, intents, self.time, 0.1)
            trace.append((walkers.s.copy(), walkers.v.copy(), float(self.block[0])))
        return trace


def test_ways_are_walked_in_both_directions():
    ways = build_walkways(naive.crossing_map(), walks(OVER, BACK))
    over, back = (slice(int(a), int(b)) for a, b in zip(ways.point_start, ways.point_start[1:]))
    assert (ways.x[over][0], ways.y[over][0]) == (5.0, 0.0) and (ways.x[over][-1], ways.y[over][-1]) == (50.0, 10.0)
    assert np.allclose(ways.x[back][::-1], ways.x[over]) and np.allclose(ways.y[back][::-1], ways.y[over])
    assert ways.s[over][-1] == pytest.approx(15 + 10 + 30)
    assert list(ways.cross_begin) == pytest.approx([15.0, 30.0]) and list(ways.cross_end) == pytest.approx([25.0, 40.0])
    assert list(ways.cross_forward) == [1, 0] and list(ways.cross_lane) == [1, 1]
    assert (ways.strip_begin[0] + ways.strip_end[0]) / 2 == pytest.approx(5.0)


def test_a_walk_within_one_footway_may_go_backwards():
    ways = build_walkways(naive.crossing_map(), walks((0.0, (0,), 15.0, 5.0)))
    assert list(ways.x) == [15.0, 5.0] and len(ways.cross_lane) == 0


def test_people_walk_their_way_and_leave():
    street = Street(OVER, BACK)
    street.run(10)
    rows = street.actors.kind == Kind.PEDESTRIAN
    assert list(rows) == [False] * 3 + [True] * 2 and list(street.actors.trip[3:]) == [1000, 1001]
    assert street.walking.on_the_way == 2 and (street.actors.speed[3:] > 1.0).all()
    street.run(50)
    assert street.walking.on_the_way == 0 and not street.actors.kind.any()


def test_two_who_meet_pass_each_other_without_touching():
    street = Street((0.0, (0,), 1.0, 19.0), (0.0, (0,), 19.0, 1.0))
    nearest = math.inf
    for _ in range(120):
        street.run(0.1)
        a = street.actors
        if street.walking.on_the_way == 2:
            nearest = min(nearest, math.hypot(a.x[3] - a.x[4], a.y[3] - a.y[4]))
    assert 0.4 < nearest < 1.5


def test_force_equals_the_formula():
    rng = np.random.default_rng(1)
    n = 40
    walkers, grid = empty_walkers(n), empty_grid(0, 0, 6, 6, 5.0, n)
    walkers.x[:], walkers.y[:] = rng.uniform(0, 6, (2, n))
    walkers.heading[:] = rng.uniform(-3, 3, n)
    rebuild(grid, walkers.x, walkers.y, np.ones(n, np.int32))
    positions = np.column_stack([walkers.x, walkers.y])
    for k in range(n):
        assert social_force(walkers, grid, k) == pytest.approx(naive.force(positions, walkers.heading[k], k), abs=1e-9)


def test_arrivals_equal_those_by_hand():
    rng = np.random.default_rng(2)
    table, arrivals = crossing_table(naive.crossing_map()), empty_arrivals(1)
    there = 0
    for _ in range(300):
        vehicles = [(rng.uniform(-19, 150), rng.uniform(0, 14)) for _ in range(rng.integers(0, 4))]
        find_arrivals(naive.crossing_view(*vehicles), table, arrivals)
        expected = naive.nearest_arrival(vehicles)
        there += expected[0] == 0.0
        assert (arrivals.time[0], arrivals.decel[0]) == pytest.approx(expected)
    assert there > 10


def crossed(priority, vehicles, seconds=25.0, **more):
    street = Street(OVER, priority=priority, **more)
    return street.run(seconds, vehicles, more.get("light", "G"))[-1][0][0] > 15.5


@pytest.mark.parametrize(
    ("gap", "speed", "zebra", "plain"),
    [
        (150.0, 10.0, True, True),  # far enough in time
        (30.0, 10.0, True, False),  # can stop comfortably: has to at a zebra
        (3.0, 12.0, False, False),  # cannot stop any more
        (-9.0, 0.0, False, False),  # stands on the crossing
        (-17.0, 0.0, True, True),  # has left it
    ],
)
def test_whom_people_let_pass(gap, speed, zebra, plain):
    assert crossed(1, [(gap, speed)]) == zebra
    assert crossed(0, [(gap, speed)]) == plain


def test_the_margin_is_kept_and_shrinks_with_waiting():
    def least(priority_seconds):
        for time in np.arange(1.0, 14.0, 0.1):
            street = Street(OVER, priority=0)
            street.run(12.0, [(2.0, 14.0)])  # reaches the kerb and waits
            street.walking.view().walkers.wait[0] = priority_seconds
            street.run(0.3, [(time * 10.0 - 8.0, 10.0)])
            if street.people.memory.go[0] >= 0:
                return time
        return math.inf

    way = (5.0 + 1.75 + 0.4) / 1.3 + 0.5
    assert least(0.0) == pytest.approx(way + MARGIN, abs=0.25)
    assert least(60.0) == pytest.approx(way + MARGIN / 3, abs=0.25)


def test_red_is_kept_by_most_and_green_is_used():
    rows = [OVER] * 1
    assert Street(*rows, signal=0, violators=0.0).run(40, light="r")[-1][0][0] < 15.0
    assert Street(*rows, signal=0, violators=1.0).run(25, light="r")[-1][0][0] > 15.5
    assert Street(*rows, signal=0, violators=1.0).run(40, [(2.0, 14.0)], light="r")[-1][0][0] < 15.0
    assert Street(*rows, signal=0).run(25, light="G")[-1][0][0] > 15.5
    share = np.mean([crosses_at_red(1, person, 0, VIOLATORS) for person in range(5000)])
    assert share == pytest.approx(VIOLATORS, abs=0.02)


def test_nobody_stops_in_the_middle():
    street = Street(OVER, signal=0)
    street.run(12.6)
    assert 15.0 < street.walking.view().walkers.s[0] < 18.0
    assert street.run(6.0, [(1.0, 14.0)], light="r")[-1][0][0] > 20.0


def test_people_hold_back_vehicles():
    trace = Street(OVER).run(25)
    s = np.array([t[0][0] for t in trace])
    held = np.array([t[2] < 1e9 for t in trace])
    assert {t[2] for t in trace} == {8.0, NOBODY}
    assert held[(s > 16.8) & (s < 21.0)].all(), "in the way or about to be"
    assert not held[s > 22.0].any() and not held[s < 13.0].any()


def test_who_waits_holds_back_only_where_people_have_priority():
    near = [(3.0, 12.0)]
    assert Street(OVER, priority=1).run(25, near)[-1][2] == 8.0
    assert Street(OVER, priority=0).run(25, near)[-1][2] == NOBODY
    assert Street(OVER, signal=0, violators=0.0).run(25, near, light="r")[-1][2] == NOBODY


def test_a_full_table_lets_people_wait_and_none_is_lost():
    rows = [(0.1 * k, (0,), 1.0, 19.0) for k in range(6)]
    demand = SimpleNamespace(walks=walks(*rows), trips=SimpleNamespace(depart=np.zeros(0)))
    base = SimpleNamespace(graph=naive.crossing_map())
    walking, actors = Walking(base, demand, 0, 2), empty_actors(2)
    people = Pedestrians(base, walking.view(), 1)
    seen, block = set(), np.zeros(1)
    for k in range(800):
        intents = people.decide(naive.crossing_view(), walking.view(), block)
        walking.step(actors, intents, k * 0.1, 0.1)
        seen |= set(actors.trip[actors.kind > 0])
    assert seen == set(range(6)) and walking.on_the_way == 0


def test_a_person_taken_off_the_road_is_gone():
    street = Street(OVER)
    street.run(3)
    street.walking.remove(3, street.actors)
    assert street.walking.on_the_way == 0 and street.actors.kind[3] == 0
    street.walking.remove(3, street.actors)
    assert street.walking.on_the_way == 0


def test_walks_out_of_order_are_refused():
    demand = SimpleNamespace(
        walks=walks((5.0, (0,), 1.0, 9.0), (1.0, (0,), 1.0, 9.0)), trips=SimpleNamespace(depart=[])
    )
    with pytest.raises(ValueError, match="sorted"):
        Walking(SimpleNamespace(graph=naive.crossing_map()), demand, 0, 2)
