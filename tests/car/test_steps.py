"""Sensors that jump are found out by the objects that jump with them; sound ones are left in peace; the kernel has a twin."""

import math

import numpy as np
import pytest

from cloverleaf.car.steps import Steps, judge_jump, place_of, same_object

DT = 0.1


def look(k, bias, objects=4, seed=3, speed=10.0):
    """Tables of one car at tick k: it drives straight on, others around it at speeds of their own; objects are 0.1 s old."""
    r = np.random.default_rng(seed)
    place, v = r.uniform(-40, 40, (objects, 2)) + np.arange(objects)[:, None] * 8.0, r.uniform(-2, 2, (objects, 2))
    noise = np.random.default_rng(1000 * seed + k).normal(0.0, 0.2, (objects, 2))
    t = DT * k
    body = np.zeros((1, 11))
    body[0, 1:5] = speed * t * math.cos(0.4), speed * t * math.sin(0.4), 0.4, speed
    c, s = math.cos(0.4), math.sin(0.4)
    turn = np.array([[c, s], [-s, c]])
    own = speed * (t - DT) * np.array([c, s])
    seen = np.zeros((objects, 11))
    seen[:, 0] = t - DT
    seen[:, 1:3] = (place + v * (t - DT) - own) @ turn.T + noise + np.asarray(bias)
    seen[:, 4:6] = v @ turn.T
    return body, seen, np.array([0, objects])


def verdicts(bias, begin=40, end=None, ticks=120, **kw):
    steps, found = Steps(), []
    for k in range(ticks):
        on = begin <= k < (end or ticks)
        body, seen, start = look(k, bias if on else (0.0, 0.0), **kw)
        found.append(bool(steps.check(np.array([1]), body, seen, start, np.ones(1, bool), DT * k)[0]))
    return found, steps


@pytest.mark.parametrize("bias", [(1.0, 0.0), (0.0, -1.0), (-0.9, 0.9)])
@pytest.mark.parametrize("seed", range(4))
def test_a_jump_is_noticed_within_two_periods_and_kept(bias, seed):
    found, steps = verdicts(bias, seed=seed)
    assert not any(found[:40]) and any(found[40:43]) and all(found[43:])
    assert steps.cars[0, :2] == pytest.approx(bias, abs=0.3)


def test_a_jump_back_ends_it():
    found, _ = verdicts((1.0, 0.0), end=80)
    assert all(found[43:80]) and not any(found[83:])


@pytest.mark.parametrize("seed", range(5))
def test_sound_sensors_are_left_in_peace(seed):
    assert not any(verdicts((0.0, 0.0), seed=seed, ticks=400)[0])


def test_one_look_alone_is_no_jump():
    assert not any(verdicts((1.0, 0.0), end=41)[0])


def test_it_is_forgotten_after_a_while_where_others_refute_it_and_when_the_own_place_is_in_doubt():
    found, steps = verdicts((1.0, 0.0), ticks=400)
    assert found[100] and not found[-1]  # HELD
    _, steps = verdicts((1.0, 0.0))
    steps.refute(np.ones(1, bool))
    assert not steps.check(np.array([1]), *look(120, (1.0, 0.0)), np.ones(1, bool), 12.0)[0]
    _, steps = verdicts((1.0, 0.0))
    assert not steps.check(np.array([1]), *look(120, (1.0, 0.0)), np.zeros(1, bool), 12.0)[0]


def test_cars_keep_their_memory_when_others_come_and_go():
    _, steps = verdicts((1.0, 0.0))
    body, seen, _ = look(120, (1.0, 0.0))
    two = np.vstack((body, body)), np.vstack((seen, seen)), np.array([0, 4, 8])
    assert steps.check(np.array([8, 1]), *two, np.ones(2, bool), 12.0).tolist() == [False, True]


class Naive:
    """The same rules for one car, in lists."""

    def __init__(self):
        self.objects, self.offset, self.jump, self.since = [], (0.0, 0.0), None, 0.0

    def check(self, body, seen, now):
        if self.since > 0.0 and now - self.since > 15.0:
            self.__init__()
        h, v, rate = body[3], body[4], body[10 - 4]

        def place(d, offset):
            late = now - d[0]
            a, m = h - rate * late, h - 0.5 * rate * late
            p = complex(d[1] - offset[0], d[2] - offset[1]) * complex(math.cos(a), math.sin(a))
            p += complex(body[1], body[2]) - v * late * complex(math.cos(m), math.sin(m))
            return p, complex(d[4], d[5]) * complex(math.cos(a), math.sin(a))

        pairs, common = [], []
        for d in seen[:32]:
            p, u = place(d, self.offset)
            near = sorted(
                (abs(p - o[0] - o[1] * (d[0] - o[2])), i) for i, o in enumerate(self.objects) if abs(u - o[1]) <= 2.5
            )
            if not near or near[0][0] >= 2.5:
                pairs.append(None)
                continue
            o = self.objects[near[0][1]]
            off = p - o[0] - o[1] * (d[0] - o[2])
            pairs.append((near[0][1], off))
            if (len(near) < 2 or near[1][0] > near[0][0] + 1.0) and o[3] >= 4 and d[0] > o[2]:
                common.append(off * complex(math.cos(h), -math.sin(h)))
        j = sum(common) / len(common) if common else 0j
        out, two = 0j, len(common) == 2
        if self.jump is not None:
            mean, self.jump = 0.5 * (self.jump + j), None
            if len(common) >= 2 and max(abs(mean.real), abs(mean.imag)) > (0.8 if two else 0.6):
                out, self.since = mean, now
                self.offset = (self.offset[0] + mean.real, self.offset[1] + mean.imag)
                if max(map(abs, self.offset)) < 0.5:
                    self.offset = (0.0, 0.0)
        elif len(common) >= 2 and max(abs(j.real), abs(j.imag)) > (0.7 if two else 0.6):
            self.jump = out = j
        extra = self.jump or 0j
        for d, pair in zip(seen[:32], pairs, strict=True):
            p, u = place(d, (self.offset[0] + extra.real, self.offset[1] + extra.imag))
            if pair is None:
                if len(self.objects) < 32:
                    self.objects.append([p, u, d[0], 1.0])
                continue
            o = self.objects[pair[0]]
            dt = d[0] - o[2]
            if dt > 0.0:
                gain = max(0.35, 1.0 / (o[3] + 1.0))
                o[0] += o[1] * dt + gain * (pair[1] - out * complex(math.cos(h), math.sin(h)))
                o[1] += 0.4 * (u - o[1])
                o[2], o[3] = d[0], o[3] + 1.0
        self.objects = [o for o in self.objects if now - o[2] <= 0.6]
        return self.offset != (0.0, 0.0)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("objects", [2, 3, 7])
def test_equals_the_twin(seed, objects):
    ours, plain = Steps(), Naive()
    for k in range(90):
        body, seen, start = look(k, (1.1, -0.3) if 30 <= k < 60 else (0.0, 0.0), objects=objects, seed=seed)
        found = ours.check(np.array([1]), body, seen, start, np.ones(1, bool), DT * k)[0]
        assert found == plain.check(body[0], seen, DT * k)
        assert ours.cars[0, :2] == pytest.approx(plain.offset, abs=1e-9)


def test_the_parts_alone():
    table = np.array([[0.0, 0.0, 1.0, 0.0, 0.0, 5.0], [0.0, 1.5, 1.0, 0.0, 0.0, 5.0]])
    assert same_object(table, 2, 0.1, 0.0, 1.0, 0.0, 0.1) == (0, True)
    assert same_object(table, 2, 0.1, 0.5, 1.0, 0.0, 0.1) == (0, False)
    assert same_object(table, 2, 0.1, 9.0, 1.0, 0.0, 0.1)[0] == -1
    car = np.zeros(5)
    assert judge_jump(car, 1.0, 0.0, 1, 5.0) == (0.0, 0.0) and not car.any()
    assert judge_jump(car, 1.0, 0.0, 3, 5.0) == (1.0, 0.0) and judge_jump(car, 0.8, 0.0, 3, 5.1) == (0.9, 0.0)
    assert car.tolist() == [0.9, 0.0, 0.0, 0.0, 5.1]
    body, seen, _ = look(0, (0.0, 0.0))
    assert place_of(body, 0, seen, 0, 0.0, 0.0, 0.0)[:2] != place_of(body, 0, seen, 0, 1.0, 0.0, 0.0)[:2]
