"""Supervision of sensors: every failure is noticed within two periods, counted by its reason, and nothing broken gets through."""

import numpy as np
import pytest

from cloverleaf.car.supervise import Mode, Supervision
from cloverleaf.runtime.faults import Fault, FaultKind, Injector
from cloverleaf.types.frames import EgoFrame, LightFrame, ObjectFrame

DT, SPEED = 0.1, 10.0
STATIONS = np.array([7, 9])


def frames(t, rng):
    """Two cars going east at 10 m/s, each seeing two things 20 m ahead; noise as of a good receiver."""

    def noise(sigma):
        return rng.normal(0.0, sigma, 2)

    zero = np.zeros(2)
    ego = EgoFrame(
        zero + t, SPEED * t + noise(0.02), zero + noise(0.02), noise(0.002),
        SPEED + noise(0.05), noise(0.1), noise(0.002), zero + 0.3,
    )  # fmt: skip
    four = np.zeros(4)
    x, y, vx, vy = (middle + rng.normal(0.0, 0.1, 4) for middle in (20.0, 0.0, SPEED, 0.0))
    objects = ObjectFrame(
        np.array([0, 2, 4]),
        four + t - 0.1,
        x,
        y,
        four,
        vx,
        vy,
        four + 4.5,
        four + 1.8,
        np.ones(4, np.int32),
        four + 0.2,
        four + 0.9,
    )
    return ego, objects, LightFrame(np.full(2, -1, np.int32), np.zeros(2, np.uint8), zero + np.inf, zero + t)


def run(fault=None, seconds=6.0):
    """(modes by tick, last checked, supervision) with one fault from 3 s on."""
    rng, strike, watch, modes = np.random.default_rng(1), Injector((fault,) if fault else ()), Supervision(DT), []
    for k in range(round(seconds / DT)):
        t = k * DT
        ego, objects, lights = frames(t, rng)
        checked = watch.check(
            STATIONS,
            strike("ego", ego, t),
            strike("objects", objects, t),
            strike("lights", lights, t),
            np.zeros(2),
            t,
            camera=True,
        )
        modes.append(watch.held(checked.wanted).max())
    return np.array(modes), checked, watch


def test_a_healthy_car_is_never_degraded():
    modes, checked, watch = run(seconds=60.0)
    assert not modes.any() and not watch.counts
    assert len(checked.objects.x) == 4


FAULTS = [
    (Fault("ego", FaultKind.LOST, 3.0), Mode.SAFE_STOP, "lost"),
    (Fault("ego", FaultKind.FROZEN, 3.0), Mode.SAFE_STOP, "frozen"),
    (Fault("ego", FaultKind.DELAYED, 3.0, amount=0.5), Mode.SAFE_STOP, "late"),
    (Fault("ego", FaultKind.BIASED, 3.0, amount=1.5, field="y"), Mode.SAFE_STOP, "jump"),
    (Fault("ego", FaultKind.BROKEN, 3.0, field="speed"), Mode.SAFE_STOP, "broken"),
    (Fault("objects", FaultKind.LOST, 3.0), Mode.SAFE_STOP, "lost"),
    (Fault("objects", FaultKind.FROZEN, 3.0), Mode.SAFE_STOP, "frozen"),
    (Fault("objects", FaultKind.DELAYED, 3.0, amount=0.5), Mode.SLOWER, "late"),
    (Fault("objects", FaultKind.BROKEN, 3.0), Mode.SAFE_STOP, "broken"),
    (Fault("lights", FaultKind.LOST, 3.0), Mode.SLOWER, "lost"),
]


@pytest.mark.parametrize("fault, mode, reason", FAULTS, ids=[f"{f.topic}-{f.kind}" for f, _, _ in FAULTS])
def test_every_failure_degrades_within_two_periods(fault, mode, reason):
    modes, checked, watch = run(fault)
    struck = round(3.0 / DT)
    assert not modes[:struck].any()
    assert modes[struck : struck + 3].max() == mode
    assert (modes[struck + 2 :] == mode).mean() > 0.8  # and it stays while the fault does
    assert any(key == (fault.topic, reason) for key in watch.counts)
    for column in (*checked.ego, *checked.objects):
        assert np.isfinite(column).all()


def test_a_jump_of_the_fix_is_bridged_by_wheels_and_yaw_rate():
    _, checked, _ = run(Fault("ego", FaultKind.BIASED, 3.0, amount=5.0, field="x"))
    assert np.abs(checked.ego.x - SPEED * 5.9).max() < 0.5 and np.abs(checked.ego.y).max() < 0.5
    assert (checked.ego.sigma_xy > 0.8).all()


def test_wheels_that_disagree_with_fixes_are_noticed():
    modes, _, watch = run(Fault("ego", FaultKind.BIASED, 3.0, amount=3.0, field="speed"))
    assert modes[-1] == Mode.SAFE_STOP and any(reason == "wheels disagree" for _, reason in watch.counts)


def test_the_mode_comes_back_a_second_after_the_fault():
    modes, _, _ = run(Fault("objects", FaultKind.LOST, 3.0, 3.5))
    assert modes[34] == Mode.SAFE_STOP and modes[40] == Mode.SAFE_STOP and modes[48] == Mode.NORMAL


def test_one_impossible_object_is_dropped_alone():
    watch, rng = Supervision(DT), np.random.default_rng(4)
    for k in range(3):
        ego, objects, lights = frames(k * DT, rng)
        if k == 2:
            objects.vx[1] = 500.0
        checked = watch.check(STATIONS, ego, objects, lights, np.zeros(2), k * DT, camera=True)
    assert list(checked.wanted) == [Mode.SLOWER, Mode.NORMAL] and list(checked.objects.start) == [0, 1, 3]
    assert watch.counts == {("objects", "impossible"): 1}


def test_a_lone_ghost_is_not_a_frozen_sensor():
    watch, rng = Supervision(DT), np.random.default_rng(3)
    modes = []
    for k in range(12):
        ego, objects, lights = frames(k * DT, rng)
        ghost = objects._replace(start=np.array([0, 1, 1]), **{f: getattr(objects, f)[:1] for f in objects._fields[1:]})
        ghost = ghost._replace(x=np.array([12.5]), y=np.array([-3.25]))
        modes.append(int(watch.check(STATIONS, ego, ghost, lights, np.zeros(2), k * DT, camera=True).wanted.max()))
    assert modes[:5] == [0] * 5 and modes[5:] == [Mode.SAFE_STOP] * 7


def test_cars_come_and_go_without_mixing_their_memories():
    watch, rng = Supervision(DT), np.random.default_rng(2)
    for k in range(10):
        watch.check(STATIONS, *frames(k * DT, rng), np.zeros(2), k * DT, camera=True)
    ego, objects, lights = frames(1.0, rng)
    turned = EgoFrame(*(c[::-1].copy() for c in ego))
    checked = watch.check(STATIONS[::-1].copy(), turned, objects, lights, np.zeros(2), 1.0, camera=True)
    assert not checked.wanted.any()
