"""Kernels for reference lines and lanes against slow numerical twins, and round trips between lanes and points."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.naive import opendrive as naive

from cloverleaf.map.district import DISTRICT_MAP
from cloverleaf.map.opendrive.geometry import poly_local, spiral_local
from cloverleaf.map.opendrive.knots import poly_knots, spiral_knots
from cloverleaf.map.opendrive.tables import MapTables
from cloverleaf.map.query import MapQuery


def _piece(kind: int, coef: list[float], length: float, knots: np.ndarray) -> MapTables:
    """Tables with a single piece at the origin."""
    row = np.array([[0.0, 0.0, 0.0, 0.0, 1.0, length, *coef, *[0.0] * (8 - len(coef))]])
    some_i, some_f = np.zeros((1, 15), np.int64), np.zeros(1)
    return MapTables(
        np.array([length]), some_i, some_f, row, np.array([[kind, 0, len(knots)]]), knots, some_f,
        np.zeros((1, 3), np.int64), np.zeros((1, 10), np.int64), np.zeros((1, 5)), np.zeros((1, 3)),
    )  # fmt: skip


@given(st.floats(-0.15, 0.15), st.floats(-0.15, 0.15), st.floats(1.0, 300.0), st.floats(0.0, 1.0))
@settings(max_examples=60, deadline=None)
def test_spiral_equals_quadrature(k0: float, k1: float, length: float, share: float) -> None:
    rate = (k1 - k0) / length
    tables = _piece(2, [k0, rate], length, spiral_knots(k0, rate, length))
    x, y = spiral_local(tables, 0, share * length)
    ex, ey, _ = naive.clothoid(k0, k1, length, share * length)
    assert math.hypot(x - ex, y - ey) < 1e-7


@pytest.mark.parametrize("stretch", [1.0, 1.01])
@pytest.mark.parametrize("v", [[0, 0, 0.01, -2e-4], [0, 0.1, -0.02, 3e-4], [0, 0, 0, 0]])
def test_polynomial_follows_its_arc_length(v: list[float], stretch: float) -> None:
    u, end = [0.0, 1.0, -0.002, 1e-5], 40.0
    length = 41.0 * stretch
    coef = np.array([*u, *v], float)
    tables = _piece(3, list(coef), length, poly_knots(coef, end, length))
    for s in np.linspace(0.0, length, 23):
        x, y, heading, _ = poly_local(tables, 0, float(s))
        ex, ey, eh = naive.poly_point(u, v, end, length, float(s))
        assert math.hypot(x - ex, y - ey) < 2e-6
        assert abs(heading - eh) < 1e-6


@pytest.fixture(scope="module")
def query() -> MapQuery:
    return MapQuery.read(DISTRICT_MAP)


def test_lane_points_equal_the_file_read_plainly(query: MapQuery) -> None:
    cases = [
        ("WA", -2, 300.0),
        ("AB", 1, 40.0),
        ("AB", -3, 340.0),
        ("ramp-off", -1, 60.0),
        ("X1", -3, 470.0),
        ("R-ring1", -1, 5.0),
    ]
    for road, lane, s in cases:
        out = query.lane_to_xyz(query.rows([road]), [lane], [s], [0.0])[0]
        assert math.hypot(*(out[:2] - naive.lane_xy(str(DISTRICT_MAP), road, lane, s))) < 1e-6


@given(st.integers(0, 10_000), st.floats(0.01, 0.99), st.floats(-0.45, 0.45))
@settings(max_examples=300, deadline=None)
def test_lane_to_point_and_back(number: int, share: float, aside: float) -> None:
    """The answer names a lane that holds the point; on plain road it is the same lane position."""
    query = _cached()
    m = query.drive.map
    row = number % len(m.lane_id)
    if m.lane_id[row] == 0:
        return
    section = int(m.lane_section[row])
    road = int(np.searchsorted(m.road_section_start, section, side="right")) - 1
    last = section + 1 == m.road_section_start[road + 1]
    end = float(m.road_length[road] if last else m.section_s[section + 1])
    s = float(m.section_s[section]) + share * (end - float(m.section_s[section]))
    point = query.lane_to_xyz([road], [m.lane_id[row]], [s], [aside])[0]
    ids, out = query.xy_to_lane(point[0], point[1], point[3])
    back = query.lane_to_xyz(ids[:, 0], ids[:, 1], out[:, 0], out[:, 1])[0]
    assert math.hypot(*(back[:2] - point[:2])) < 1e-6
    if m.road_junction[road] < 0 and ids[0, 0] == road and ids[0, 1] == m.lane_id[row]:
        assert abs(out[0, 0] - s) < 1e-6
        assert abs(out[0, 1] - aside) < 1e-6


_QUERY: list[MapQuery] = []


def _cached() -> MapQuery:
    if not _QUERY:
        _QUERY.append(MapQuery.read(DISTRICT_MAP))
    return _QUERY[0]


def test_far_points_get_the_nearest_road(query: MapQuery) -> None:
    ids, out = query.xy_to_lane([-5000.0], [-3.0])
    assert query.drive.road_ids[ids[0, 0]] == "WA"
    assert out[0, 0] == 0.0


def test_positions_off_the_road_are_nan(query: MapQuery) -> None:
    out = query.lane_to_xyz(query.rows(["WA", "WA"]), [-1, 9], [1e4, 5.0], [0.0, 0.0])
    assert np.isnan(out).all()
