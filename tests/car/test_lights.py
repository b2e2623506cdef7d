"""What a car does when the light turns: chosen once, kept, and never over the line on red because it had once chosen to go."""

import numpy as np
import pytest

from cloverleaf.car import lights, state

YELLOW_S = 3.0
LINK = 3


def runs_red(speed, distance, slowed_by=0.0, step=0.1):
    """Drive one car towards a line `distance` m ahead that turns yellow now and red after YELLOW_S; does its front pass on red?

    slowed_by: m/s2 by which something else makes it brake from 0.5 s on. It stops with up to 6.5 m/s2, built up by 8 m/s3.
    """
    fleet, path = state.empty_fleet(1), state.empty_scratch()[0]["keep"]
    f, ints = fleet.f[0], fleet.i[0]
    ints[[state.COMMITTED, state.HALTING]] = -1
    path["n"][0], path["n"][2] = 3, 1
    path["x"][:3] = path["s"][:3] = (-50.0, 0.0, 400.0)
    path["limit"][:3] = path["top"][:3] = 20.0
    rest, v, a, t = distance, speed, 0.0, 0.0
    while t < 15.0 and rest > -2.0 and not (t > 1.0 and v < 0.05):
        if t >= YELLOW_S and rest <= 0.0:
            return True
        f[state.SPEED], f[state.ASK] = v, a
        path["gate_s"][0] = rest + 2.5
        if t < YELLOW_S:
            lights._choose(fleet, path, 0, 0, LINK, rest, t)
        elif ints[state.COMMITTED] == LINK and lights.can_wait(
            v, rest, max(lights.LATE_DECEL, -a), lights.LATE_REACTION
        ):
            ints[state.COMMITTED] = -1
        wanted = 0.0 if ints[state.COMMITTED] == LINK else -v * v / (2.0 * max(rest - 0.3, 0.01))
        if t > 0.5:
            wanted = min(wanted, -slowed_by)
        a = max(max(wanted, -6.5), a - 8.0 * step)
        v = max(0.0, v + a * step)
        rest -= v * step
        t += step
        if t < YELLOW_S + 0.5 * step and rest <= 0.0:
            return False
    return False


@pytest.mark.parametrize("speed", [4.0, 6.0, 9.0, 11.0, 13.9, 16.7])
def test_nobody_passes_on_red(speed):
    ran = [d for d in np.arange(0.5, 90.0, 0.5) if runs_red(speed, d)]
    assert not ran


@pytest.mark.parametrize("slowed_by", [1.0, 1.5, 2.0, 3.0])
def test_who_is_slowed_down_after_choosing_to_go_passes_or_stops(slowed_by):
    ran = [d for d in np.arange(0.5, 60.0, 0.5) if runs_red(13.0, d, slowed_by)]
    assert not ran


@pytest.mark.parametrize("distance", [-0.4, -0.1, 0.0, 0.2, 3.0])
def test_who_stands_at_the_line_waits_even_if_his_front_seems_to_be_over_it(distance):
    fleet, path = state.empty_fleet(1), state.empty_scratch()[0]["keep"]
    ints = fleet.i[0]
    ints[[state.COMMITTED, state.HALTING]] = -1
    path["n"][0], path["n"][2] = 3, 1
    path["x"][:3] = path["s"][:3] = (-50.0, 0.0, 400.0)
    path["limit"][:3] = path["top"][:3] = 20.0
    path["gate_s"][0] = distance + 2.5
    for k in range(30):
        lights._choose(fleet, path, 0, 0, LINK, distance, 0.1 * k)
        assert ints[state.HALTING] == LINK and ints[state.COMMITTED] == -1
    assert lights.can_wait(0.0, distance, lights.LATE_DECEL, lights.LATE_REACTION), "on red too"


def test_who_is_across_or_moves_over_the_line_drives_on():
    assert not lights.can_wait(0.0, lights.CROSSED - 0.1, lights.LATE_DECEL, lights.LATE_REACTION)
    assert not lights.can_wait(4.0, -0.1, lights.LATE_DECEL, lights.LATE_REACTION)
