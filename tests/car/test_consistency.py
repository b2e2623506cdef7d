"""Sensors that are off by a metre are found out by what others say of themselves; sound ones are left in peace; the kernel has a twin."""

import math

import numpy as np
import pytest

from cloverleaf.car.consistency import Consistency, residuals
from cloverleaf.car.heard import Heard


def scene(seed, bias=(0.0, 0.0), others=6, now=10.0):
    """Tables of one car and of others that announce themselves; detections are 0.1 s old, messages 0.2 s."""
    r = np.random.default_rng(seed)
    heading, speed = 0.7, 12.0
    body = np.zeros((1, 11))
    body[0, 1:5] = 100.0, 50.0, heading, speed
    place, way, v = r.uniform(-60, 60, (others, 2)), r.uniform(-3, 3, others), r.uniform(0, 15, others)
    place += (100.0, 50.0)
    object_ = np.zeros((others, 11))
    object_[:, 0], object_[:, 1], object_[:, 4], object_[:, 5] = np.arange(others) + 5, now - 0.2, way, v
    velocity = np.column_stack((v * np.cos(way), v * np.sin(way)))
    object_[:, 2:4] = place - 0.2 * velocity + r.normal(0, 0.25, (others, 2))
    own = np.array([100.0, 50.0]) - 0.1 * speed * np.array([math.cos(heading), math.sin(heading)])
    c, s = math.cos(heading), math.sin(heading)
    turn = np.array([[c, s], [-s, c]])
    seen = np.zeros((others, 11))
    seen[:, 0] = now - 0.1
    seen[:, 1:3] = (place - 0.1 * velocity - own) @ turn.T + bias + r.normal(0, 0.15, (others, 2))
    seen[:, 4:6] = velocity @ turn.T
    told = Heard(
        np.array([0, others]), np.zeros(others, np.int32), np.arange(others, dtype=np.int32), object_, np.zeros(1, np.int64),
        np.zeros((0, 7)), np.zeros(1, np.int64), np.zeros((0, 4)), np.zeros((0, 5)), np.zeros((0, 2)),
    )  # fmt: skip
    return told, body, seen, np.array([0, others])


def naive(told, body, seen, now):
    out = []
    for o in told.object:
        vx, vy = o[5] * math.cos(o[4]), o[5] * math.sin(o[4])
        rows = []
        for d in seen:
            then, h = d[0], body[0, 3]
            dx = o[2] + vx * (then - o[1]) - body[0, 1] + body[0, 4] * math.cos(h) * (now - then)
            dy = o[3] + vy * (then - o[1]) - body[0, 2] + body[0, 4] * math.sin(h) * (now - then)
            e = (d[1] - dx * math.cos(h) - dy * math.sin(h), d[2] + dx * math.sin(h) - dy * math.cos(h))
            u = (d[4] - vx * math.cos(h) - vy * math.sin(h), d[5] + vx * math.sin(h) - vy * math.cos(h))
            if math.hypot(*u) <= 2.5:
                rows.append((math.hypot(*e), *e))
        rows.sort()
        if (
            rows
            and rows[0][0] < 3.0
            and (len(rows) < 2 or min(rows[1][0], 3.0 if rows[1][0] > 3.0 else rows[1][0]) > rows[0][0] + 1.0)
        ):
            out.append(rows[0][1:])
    return len(out), *(np.sum(out, axis=0) if out else (0.0, 0.0))


@pytest.mark.parametrize("seed", range(20))
def test_equals_the_twin(seed):
    told, body, seen, start = scene(seed, (0.3, -0.2))
    out = np.zeros((1, 3))
    residuals(told, np.array([0]), np.array([1]), body, seen, start, 10.0, out)
    assert out[0] == pytest.approx(naive(told, body, seen, 10.0), abs=1e-9)


def verdicts(bias, looks=30):
    check = Consistency()
    found = []
    for k in range(looks):
        told, body, seen, start = scene(k, bias)
        found.append(bool(check.check(np.array([1]), body, seen, start, told, np.array([0]), 10.0)[0]))
    return found, check.offset[0]


@pytest.mark.parametrize("bias", [(1.0, 0.0), (0.0, -1.0), (-1.2, 0.4)])
def test_a_metre_is_noticed_within_two_looks(bias):
    found, offset = verdicts(bias)
    assert any(found[:3]) and np.mean(found[3:]) > 0.9
    assert offset == pytest.approx(bias, abs=0.25)


def test_sound_sensors_and_silence_are_left_in_peace():
    assert not any(verdicts((0.0, 0.0), 200)[0])
    told, body, seen, start = scene(1, (1.0, 0.0))
    quiet = told._replace(start=np.zeros(2, np.int64))
    assert not Consistency().check(np.array([1]), body, seen, start, quiet, np.array([0]), 10.0)[0]
