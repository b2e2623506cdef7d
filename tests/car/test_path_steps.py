"""Steps aside where lanes do not meet are spread over some metres of the path; bends stay as they are."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cloverleaf.algo.jit import kernel
from cloverleaf.car.path import STEP_EASE, STEP_LENGTH, STEP_TURN, ease_steps
from cloverleaf.car.state import empty_scratch


@kernel
def _ease(memory):
    ease_steps(memory[0].keep)


def eased(points: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Points and headings of the path through `points` after `ease_steps`."""
    memory = empty_scratch()
    path, n = memory[0]["keep"], len(points)
    xy = np.array(points)
    move = np.diff(xy, axis=0)
    path["x"][:n], path["y"][:n] = xy.T
    path["s"][:n] = np.concatenate(([0.0], np.cumsum(np.hypot(*move.T))))
    heading = np.arctan2(move[:, 1], move[:, 0])
    path["heading"][:n] = np.append(heading, heading[-1])
    path["cos"], path["sin"], path["limit"] = np.cos(path["heading"]), np.sin(path["heading"]), 13.9
    path["n"][:] = n, 1, 0, 0
    _ease(memory)
    left = int(path["n"][0])
    assert np.allclose(path["cos"][:left], np.cos(path["heading"][:left]))
    assert np.allclose(path["sin"][:left], np.sin(path["heading"][:left]))
    return np.stack((path["x"][:left], path["y"][:left]), axis=1), path["heading"][:left]


def turned(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    """Turn at b, rad."""
    angle = math.atan2(c[1] - b[1], c[0] - b[0]) - math.atan2(b[1] - a[1], b[0] - a[0])
    return math.remainder(angle, 2.0 * math.pi)


def naive(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same by lists, starting over after each step found."""
    at = [0.0]
    for a, b in pairwise(points):
        at.append(at[-1] + math.dist(a, b))
    rows = [(*p, s) for p, s in zip(points, at)]
    k = 1
    while k < len(rows) - 2:
        a, b, c, d = (row[:2] for row in rows[k - 1 : k + 3])
        first, second = turned(a, b, c), turned(b, c, d)
        begin, end = rows[k][2], rows[k + 1][2]
        if end - begin < STEP_LENGTH and first * second < 0 and min(abs(first), abs(second)) >= STEP_TURN:
            inside = [n for n, row in enumerate(rows) if begin - STEP_EASE < row[2] < end + STEP_EASE]
            gone = [n for n in inside if 0 < n < len(rows) - 1]
            rows = [row for n, row in enumerate(rows) if n not in gone]
            k = gone[0]
        else:
            k += 1
    return [row[:2] for row in rows]


@given(
    st.lists(st.tuples(st.floats(0.3, 8.0), st.floats(-1.6, 1.6)), min_size=3, max_size=40),
    st.floats(-math.pi, math.pi),
)
def test_equals_naive_twin(moves: list[tuple[float, float]], heading: float) -> None:
    points = [(0.0, 0.0)]
    for length, turn in moves:
        heading += turn
        x, y = points[-1]
        points.append((x + length * math.cos(heading), y + length * math.sin(heading)))
    found, _ = eased(points)
    wanted = naive(points)
    assert len(found) == len(wanted) and np.allclose(found, wanted)
    assert tuple(found[0]) == points[0] and np.allclose(found[-1], points[-1])


def test_a_step_becomes_a_gentle_way_over() -> None:
    points = [(float(x), 0.0) for x in range(0, 21)] + [(20.3, 0.8)] + [(float(x), 0.8) for x in range(21, 41)]
    xy, heading = eased(points)
    assert np.abs(heading).max() < math.atan2(0.8, 5.0) + 0.01, "no sharper than over five metres"
    assert abs(np.interp(10.0, *xy.T)) < 1e-9 and abs(np.interp(30.0, *xy.T) - 0.8) < 1e-9


def test_bends_and_turns_stay() -> None:
    bend = [(10 * math.cos(a), 10 * math.sin(a)) for a in np.linspace(0.0, math.pi, 30)]
    corner = [(0.0, 0.0), (10.0, 0.0), (11.0, 1.0), (11.0, 11.0)]
    for points in (bend, corner):
        xy, _ = eased(points)
        assert np.allclose(xy, points)
