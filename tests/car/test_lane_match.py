"""Lane markings correct the pose across the lane, teach the filter the receiver's error, and are left alone where they contradict."""

import math

import numpy as np
import pytest

from cloverleaf.algo.dynamics import wheelbase
from cloverleaf.algo.geometry import wrap_angle
from cloverleaf.car import localisation as L
from cloverleaf.car.fleet import Fleet
from cloverleaf.car.lane_match import LASTING, MAP_SIGMA, match_lane
from cloverleaf.car.locate import follow_lane, show_pose, start_filter
from cloverleaf.car.state import HEADING, LANE, LANE_D, LENGTH, LOST, POS, ROUTE, SPEED, X, Y, empty_scratch
from cloverleaf.map.district import load_district
from cloverleaf.study.build import Run
from cloverleaf.study.config import Arm, Study
from cloverleaf.types.demand import Routes

SIGMA, BACK = 0.06, 0.5 * wheelbase(4.6)


@pytest.fixture
def car():
    """A car on the left lane of the motorway that believes to be `wrong` m left of where it is: place(wrong)."""
    base_map, _ = load_district()
    g = base_map.graph
    edges = [base_map.edge_ids.index(e) for e in ("X1+0", "X1+1", "X2+0")]
    lane = int(g.edge_lane_start[edges[0]]) + 1
    a = g.lane_point_start[lane]  # the middle of its first straight piece
    x, y = float(g.point_x[a : a + 2].mean()), float(g.point_y[a : a + 2].mean())
    along = math.atan2(g.point_y[a + 1] - g.point_y[a], g.point_x[a + 1] - g.point_x[a])

    def place(wrong, sigma=0.4):
        fleet, scratch = Fleet(base_map, Routes(np.array([0, 3]), np.array(edges, np.int32))), empty_scratch()[0]
        f, i = fleet.memory.f[0], fleet.memory.i[0]
        f[LENGTH], i[ROUTE], i[POS], i[LANE], i[LOST] = 4.6, 0, 0, lane, 0
        at = x - wrong * math.sin(along), y + wrong * math.cos(along)
        rear = at[0] - BACK * math.cos(along), at[1] - BACK * math.sin(along)
        start_filter(fleet.memory, 0, *rear, along, 20.0, sigma)
        show_pose(fleet.memory, 0)
        follow_lane(fleet.book, fleet.memory.f, fleet.memory.i, 0)
        return fleet, scratch

    return place, along


def look(fleet, scratch, offset, sigma=SIGMA):
    used = match_lane(fleet.book, fleet.memory, scratch, 0, offset, sigma)
    show_pose(fleet.memory, 0)
    follow_lane(fleet.book, fleet.memory.f, fleet.memory.i, 0)
    return used


@pytest.mark.parametrize("wrong", [-0.7, -0.1, 0.0, 0.4, 0.7])
def test_equals_one_kalman_update_in_full_matrices(car, wrong):
    (fleet, scratch), along = car[0](wrong), car[1]
    m, p = fleet.memory.pose[0].copy(), fleet.memory.pose_cov[0].copy()
    h = np.zeros(L.N)
    h[L.X], h[L.Y], h[L.HEADING] = -math.sin(along), math.cos(along), BACK * math.cos(m[L.HEADING] - along)
    variance = LASTING * (SIGMA**2 + MAP_SIGMA**2)
    gain = p @ h / (h @ p @ h + variance)
    state, cov = m + gain * (0.0 - fleet.memory.f[0, LANE_D]), (np.eye(L.N) - np.outer(gain, h)) @ p
    assert look(fleet, scratch, 0.0)
    state[L.HEADING] = wrap_angle(state[L.HEADING])
    assert np.allclose(fleet.memory.pose[0], state, atol=1e-9) and np.allclose(fleet.memory.pose_cov[0], cov, atol=1e-9)
    assert not scratch["derivative"].any()


def test_looks_bring_the_car_to_where_it_is_and_show_the_receivers_error(car):
    (fleet, scratch), along = car[0](0.6), car[1]
    for _ in range(20):
        look(fleet, scratch, 0.0)
    f, m = fleet.memory.f[0], fleet.memory.pose[0]
    assert abs(f[LANE_D]) < 0.05 and f[SPEED] == 20.0
    across = -m[L.CX] * math.sin(along) + m[L.CY] * math.cos(along)
    assert across == pytest.approx(0.6, abs=0.06), "the fixes' own error, which holds where no lane is marked"
    assert f[X] == pytest.approx(m[L.X] + BACK * math.cos(f[HEADING])) and math.isfinite(f[Y])


def test_between_two_lanes_nothing_is_taken_and_beside_the_line_the_nearer_one(car):
    fleet, scratch = car[0](-1.8)  # as far from the middle of the left lane as from that of the right one: either may be meant
    before = fleet.memory.f[0, LANE_D]
    assert not look(fleet, scratch, 0.0) and fleet.memory.f[0, LANE_D] == before
    fleet, scratch = car[0](-1.4)  # right of the middle of the left lane, and the camera says so
    assert look(fleet, scratch, -1.2) and -1.4 < fleet.memory.f[0, LANE_D] < -1.2


@pytest.mark.parametrize("offset, sigma", [(math.nan, SIGMA), (0.0, math.nan), (0.0, 0.0), (math.inf, SIGMA), (9.0, SIGMA)])
def test_what_cannot_be_changes_nothing(car, offset, sigma):
    fleet, scratch = car[0](0.3)
    before = fleet.memory.pose[0].copy(), fleet.memory.pose_cov[0].copy()
    assert not look(fleet, scratch, offset, sigma)
    assert (fleet.memory.pose[0] == before[0]).all() and (fleet.memory.pose_cov[0] == before[1]).all()


def across(markings):
    """Errors (m) across the lane of all smart cars in 60 s of the district."""
    run, errors = Run(Study(duration_s=60.0), Arm.CAR, 1), []
    if not markings:
        run.rooms.world._lanes._errors = None
    for k in range(600):
        run.tick()
        if k % 20 == 0:
            a, fleet = run.rooms.world.actors, run.rooms.fleet
            for row in run.rooms.world.fleet:
                known = fleet.remembered(int(a.trip[row]))
                if known is not None:
                    c, s = math.cos(a.heading[row]), math.sin(a.heading[row])
                    errors.append((known[0][Y] - a.y[row]) * c - (known[0][X] - a.x[row]) * s)
    return np.array(errors)


def test_cars_in_the_loop_know_their_place_across_the_lane_far_better():
    without, with_them = across(markings=False), across(markings=True)
    assert len(with_them) > 200 and np.sqrt(np.mean(with_them**2)) < 0.5 * np.sqrt(np.mean(without**2))
    assert np.quantile(np.abs(with_them), 0.99) < 0.45
