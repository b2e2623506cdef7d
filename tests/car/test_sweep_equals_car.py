"""The compiled driver of sweeps and the component car do the same under ideal sensing: behind the same leaders, the same drive."""

import math

import numpy as np
import pytest

from cloverleaf.car.fleet import Fleet
from cloverleaf.car.simulate import JERK_DOWN, JERK_HARD, JERK_RELEASE, JERK_UP
from cloverleaf.car.state import ASK
from cloverleaf.judge.drivers.cloverleaf import planned_accel
from cloverleaf.link.station import empty_inboxes
from cloverleaf.loop.storyboard import driver as D
from cloverleaf.study.build import Run
from cloverleaf.study.config import Arm, Study
from cloverleaf.types.frames import EgoFrame, FleetMission, ObjectFrame, SensorFrames

DT, LENGTH, WIDTH, START = 0.1, 4.6, 1.8, 30.0


@pytest.fixture(scope="module")
def road():
    """The district, and the route and lane whose straight is longest."""
    run = Run(Study(duration_s=10.0), Arm.CAR, 1)
    graph, routes = run.base_map.graph, run.demand.routes
    lanes = [
        l
        for l in range(len(graph.lane_edge))
        if not graph.edge_internal[graph.lane_edge[l]] and graph.lane_right[l] < 0
    ]
    lanes.sort(key=lambda l: -graph.lane_length[l])
    for lane in lanes:
        a, b = graph.lane_point_start[lane], graph.lane_point_start[lane + 1]
        heading = graph.point_heading[a : b - 1]
        rows = [
            r
            for r in range(len(routes.start) - 1)
            if graph.lane_edge[lane] in routes.edge[routes.start[r] : routes.start[r + 1]]
        ]
        if rows and np.ptp(heading) < 0.02:
            route = rows[0]
            pos = int(
                np.flatnonzero(routes.edge[routes.start[route] : routes.start[route + 1]] == graph.lane_edge[lane])[0]
            )
            return run, lane, route, pos
    raise AssertionError("no straight road")


def leader_speed(kind, t, v):
    """Profiles: steady and slower, stop and go, hard braking, towards us."""
    return {
        "slower": 0.6 * v,
        "waves": v * (0.6 + 0.3 * math.cos(0.7 * t)),
        "brakes": max(0.9 * v - max(t - 4.0, 0.0) * 3.5, 0.0),
        "oncoming": -8.0,
    }[kind]


def drive(accel_of, kind, v0, gap0, seconds):
    """Speeds and gaps of a car that does what `accel_of(s, v, a, leader s, leader v, t)` says, at once."""
    s, v, a, leader = START, v0, 0.0, START + gap0 + LENGTH
    rows = []
    for k in range(round(seconds / DT)):
        t = k * DT
        u = leader_speed(kind, t, v0)
        a = accel_of(s, v, a, leader, u, t)
        rows.append((v, leader - s - LENGTH))
        new = max(v + a * DT, 0.0)
        s, v, leader = s + 0.5 * (v + new) * DT, new, leader + 0.5 * (u + leader_speed(kind, t + DT, v0)) * DT
    return np.array(rows)


def component(road, limit):
    run, lane, route, pos = road
    graph, first = run.base_map.graph, int(run.base_map.graph.lane_point_start[lane])
    x0, y0, heading = graph.point_x[first], graph.point_y[first], float(graph.point_heading[first])
    c, s_ = math.cos(heading), math.sin(heading)
    fleet = Fleet(run.base_map, run.demand.routes, step=DT)
    one = lambda v: np.array([v], float)  # noqa: E731
    whole = lambda v: np.array([v], np.int32)  # noqa: E731
    mission = FleetMission(
        np.array([7]), whole(route), whole(pos), one(LENGTH), one(WIDTH), one(limit), one(-1.0), whole(1)
    )  # fmt: skip
    inbox = empty_inboxes(run.rooms.stations()._replace()).cars

    def accel_of(s, v, a, leader, u, t):
        ego = EgoFrame(one(t), one(x0 + s * c), one(y0 + s * s_), one(heading), one(v), one(a), one(0.0), one(1e-3))
        # a row of cars alongside, in the next lane at the own speed: no change of lanes, of which the sweep driver knows nothing
        x, y = np.array([leader - s, -14.0, 0.0, 14.0]), np.array([0.0, 1.0, 1.0, 1.0]) * float(graph.lane_width[lane])
        speeds, rows = np.array([u, v, v, v]), np.ones(4)
        objects = ObjectFrame(
            np.array([0, 4]), t * rows, x, y, 0.0 * rows, speeds, 0.0 * rows, LENGTH * rows, WIDTH * rows, np.ones(4, np.int32),
            1e-3 * rows, rows,
        )  # fmt: skip
        fleet.step(SensorFrames(ego, objects, objects), mission, inbox, t)
        # what it asks for, before the actuator's lag is made up for: here the car does at once what is asked
        return float(fleet.remembered(7)[0][ASK])

    return accel_of


def sweep(limit):
    own, near = np.zeros(D.OWN), np.zeros((1, D.NEAR))
    own[D.OWN_DT], own[D.OWN_WIDTH], own[D.OWN_DESIRED], own[D.OWN_LENGTH] = DT, WIDTH, limit, LENGTH
    near[0, D.PRESENT_HERE], near[0, D.NEAR_WIDTH], near[0, D.NEAR_LENGTH] = 1.0, WIDTH, LENGTH
    last = [0.0]

    def accel_of(s, v, a, leader, u, t):
        own[D.OWN_SPEED] = v
        near[0, D.DX], near[0, D.GAP], near[0, D.NEAR_SPEED] = leader - s, leader - s - LENGTH, u
        wanted = planned_accel(own, near)
        if t > 0:
            down, up = JERK_HARD if wanted < -3.0 else JERK_DOWN, JERK_UP if last[0] >= 0.0 else JERK_RELEASE
            wanted = min(max(wanted, last[0] - down * DT), last[0] + up * DT)
        last[0] = wanted
        return wanted

    return accel_of


@pytest.mark.parametrize(
    ("kind", "v0", "gap0"),
    [("slower", 10.0, 30.0), ("waves", 10.0, 20.0), ("brakes", 11.0, 25.0), ("slower", 6.0, 12.0)],
)
def test_the_same_drive_behind_the_same_leader(road, kind, v0, gap0):
    a, b = drive(component(road, v0), kind, v0, gap0, 14.0), drive(sweep(v0), kind, v0, gap0, 14.0)
    apart = np.abs(a - b)
    assert min(a[:, 1].min(), b[:, 1].min()) > 1.5
    # a leader that keeps its speed leaves no doubt; one that brakes is tracked, and its acceleration believed a moment later
    assert apart[:, 0].max() < (0.05 if kind == "slower" else 0.45)
    assert abs(a[:, 1].min() - b[:, 1].min()) < (0.05 if kind == "slower" else 0.3) and apart[-1].max() < 0.3


@pytest.mark.parametrize(("v0", "gap0"), [(8.0, 150.0), (14.0, 120.0), (10.0, 75.0), (8.0, 60.0)])
def test_both_stand_before_an_oncoming_car_arrives(road, v0, gap0):
    a, b = (drive(law, "oncoming", v0, gap0, 14.0) for law in (component(road, v0), sweep(v0)))
    first = [int(np.argmax(rows[:, 0] == 0.0)) for rows in (a, b)]
    for rows, k in zip((a, b), first):
        # at rest with at least two seconds left, and it stays there
        assert rows[k, 0] == 0.0 and rows[k, 1] > 2.0 * 8.0
        assert rows[k:][rows[k:, 1] > 0.0][:, 0].max() == 0.0
    # the component car must see and confirm it first, and plays its own braking forward, too
    assert abs(first[0] - first[1]) * DT <= 0.6
    before = min(first)
    assert np.abs(a - b)[:before, 0].max() < 1.5
