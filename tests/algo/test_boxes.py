"""Boxes against polygons, and proof by mutation that these tests would notice a broken kernel."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest

from cloverleaf.algo import boxes
from naive import boxes as naive


def random_pairs(n, seed=1):
    rng = np.random.default_rng(seed)
    for _ in range(n):
        a, b = (
            (*rng.uniform(-4, 4, 2), rng.uniform(-7, 7), rng.uniform(0.3, 6), rng.uniform(0.3, 5)) for _ in range(2)
        )
        yield tuple(map(float, a)), tuple(map(float, b))


def disagreements(overlap, pairs):
    return sum(bool(overlap(*a, *b)) != naive.overlap(a, b) for a, b in pairs)


def test_overlap_equals_polygons():
    pairs = list(random_pairs(2000))
    share = np.mean([naive.overlap(a, b) for a, b in pairs])
    assert 0.2 < share < 0.8, "the sample must hold both answers"
    assert disagreements(boxes.boxes_overlap, pairs) == 0


MUTANTS = [
    ("g0 <= 0.0", "True"),
    ("g1 <= 0.0", "True"),
    ("g2 <= 0.0", "True"),
    ("g3 <= 0.0", "True"),
    ("0.5 * al, 0.5 * aw", "0.5 * aw, 0.5 * al"),
    ("math.sqrt(bl * bl + bw * bw)", "max(bl, bw)"),
    ("dx * dx + dy * dy > reach", "dx * dx + dy * dy < reach"),
    ("math.sin(bh)", "math.sin(ah)"),
    ("and g2", "or g2"),
]
AXIS_MUTANTS = [
    ("hlb * c + hwb * s", "hlb * s + hwb * c"),
    ("hla * s + hwa * c", "hla * c + hwa * s"),
    ("abs(ca * sb - sa * cb)", "(ca * sb - sa * cb)"),
    ("abs(ca * cb + sa * sb)", "(ca * cb + sa * sb)"),
    ("abs(dy * ca - dx * sa)", "(dy * ca - dx * sa)"),
    ("dx * cb + dy * sb", "dx * cb - dy * sb"),
]


def _python_overlap(change=("", ""), axis_change=("", "")):
    """`boxes_overlap` as plain Python, with one piece of its source (or of axis_gaps) replaced."""
    scope = {"math": math, "kernel": lambda f: f}
    for function, (old, new) in ((boxes.axis_gaps, axis_change), (boxes.boxes_overlap, change)):
        source = inspect.getsource(function.py_func)
        assert old in source, f"nothing to mutate: {old}"
        exec(source.replace(old, new, 1) if old else source, scope)
    return scope["boxes_overlap"]


def test_the_unmutated_source_passes():
    assert disagreements(_python_overlap(), random_pairs(300)) == 0


@pytest.mark.parametrize("change", MUTANTS, ids=lambda m: m[1])
def test_mutants_of_overlap_are_caught(change):
    assert disagreements(_python_overlap(change=change), random_pairs(600)) > 0


@pytest.mark.parametrize("change", AXIS_MUTANTS, ids=lambda m: m[1])
def test_mutants_of_the_axes_are_caught(change):
    assert disagreements(_python_overlap(axis_change=change), random_pairs(600)) > 0


def test_gap_is_distance_when_apart():
    checked = 0
    for a, b in random_pairs(600, seed=2):
        gap = boxes.box_gap(*a, *b)
        if naive.overlap(a, b):
            assert gap <= 1e-12
        else:
            checked += 1
            assert gap == pytest.approx(naive.distance(a, b), abs=1e-9)
    assert checked > 100


def test_gap_inside_is_the_shortest_shift_that_parts():
    for a, b in random_pairs(300, seed=3):
        depth = -boxes.box_gap(*a, *b)
        if depth <= 1e-6:
            continue
        directions = np.linspace(0, 2 * np.pi, 720, endpoint=False)
        directions = np.concatenate([directions, [h + k * np.pi / 2 for h in (a[2], b[2]) for k in range(4)]])

        def parted(shift, a=a, b=b, directions=directions):
            return any(
                not naive.overlap(a, (b[0] + shift * np.cos(u), b[1] + shift * np.sin(u), *b[2:])) for u in directions
            )

        assert parted(depth * 1.001 + 1e-6)
        assert not parted(depth * 0.98)


def test_gap_and_overlap_are_symmetric():
    for a, b in random_pairs(200, seed=4):
        assert boxes.box_gap(*a, *b) == pytest.approx(boxes.box_gap(*b, *a), abs=1e-9)
        assert boxes.boxes_overlap(*a, *b) == boxes.boxes_overlap(*b, *a)


def test_swept_contact_equals_small_steps():
    rng = np.random.default_rng(5)
    hits = 0
    for a, b in random_pairs(120, seed=6):
        a, b = (a[0] * 3, a[1] * 3, *a[2:]), (b[0] * 3, b[1] * 3, *b[2:])
        va, vb = map(tuple, rng.uniform(-8, 8, (2, 2)))
        exact = boxes.swept_contact(*a, *va, *b, *vb, 3.0)
        stepped = naive.contact_time(a, va, b, vb, 3.0, 600)
        if math.isinf(stepped):
            # A touch shorter than one small step may be missed by the oracle, not by the kernel.
            assert math.isinf(exact) or boxes.swept_contact(*a, *va, *b, *vb, max(exact - 1e-9, 0)) > exact - 1e-6
        else:
            hits += 1
            assert exact == pytest.approx(stepped, abs=0.006)
    assert hits > 20


def test_swept_contact_of_resting_boxes():
    a = (0.0, 0.0, 0.0, 4.0, 2.0)
    assert boxes.swept_contact(*a, 0.0, 0.0, 5.0, 0.0, 0.0, 4.0, 2.0, 0.0, 0.0, 10.0) == math.inf
    assert boxes.swept_contact(*a, 0.0, 0.0, 4.0, 0.0, 0.0, 4.0, 2.0, 0.0, 0.0, 10.0) == 0.0
    assert boxes.swept_contact(*a, 1.0, 0.0, 6.0, 0.0, 0.0, 4.0, 2.0, 0.0, 0.0, 10.0) == pytest.approx(2.0)
    assert boxes.swept_contact(*a, 1.0, 0.0, 6.0, 0.0, 0.0, 4.0, 2.0, 0.0, 0.0, 1.9) == math.inf


def test_point_in_box_and_ray():
    rng = np.random.default_rng(7)
    for a, _ in random_pairs(60, seed=8):
        p = rng.uniform(-5, 5, 2)
        assert boxes.point_in_box(*p, *a) == naive.inside(p, naive.corners(a))
        angle = rng.uniform(-np.pi, np.pi)
        reach = boxes.ray_box(
            *p, math.cos(angle), math.sin(angle), a[0], a[1], math.cos(a[2]), math.sin(a[2]), a[3] / 2, a[4] / 2
        )
        along = p + np.linspace(0, 15, 3001)[:, None] * [math.cos(angle), math.sin(angle)]
        inside = [naive.inside(q, naive.corners(a)) for q in along]
        if any(inside):
            assert reach == pytest.approx(inside.index(True) * 0.005, abs=0.0051)
        elif math.isfinite(reach):
            exit_point = p + (reach + 0.004) * np.array([math.cos(angle), math.sin(angle)])
            assert reach > 14.9 or not naive.inside(exit_point, naive.corners(a)), "only a grazed corner may be missed"
