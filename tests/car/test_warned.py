"""A warning of the cloud is an obstacle at the place and time that it names, and nowhere else."""

import numpy as np
import pytest

from cloverleaf.car import occupy, state, warned


def straight(speed=10.0):
    """A car on a straight path to the east, and its scratch."""
    fleet, scratch = state.empty_fleet(1), state.empty_scratch()[0]
    path = scratch["keep"]
    path["n"][0] = 3
    path["s"][:3] = path["x"][:3] = (-50.0, 0.0, 400.0)
    path["cos"][:3] = 1.0
    fleet.f[0, [state.SPEED, state.LENGTH, state.WIDTH]] = speed, 5.0, 1.8
    return fleet, scratch, path


def taken(now, x, y, at):
    """Steps at which the way around x is taken after a warning for (x, y) at time `at`."""
    fleet, scratch, path = straight()
    fleet.f[0, [state.EVENT_X, state.EVENT_Y, state.EVENT_AT]] = x, y, at
    hyp, occ = scratch["hyp"], scratch["occ"]
    added = warned.stand_in(path, fleet, hyp, 0, now)
    assert added == hyp["n"][0]
    occupy.occupy(path, hyp, occ, fleet.f, 0, 0)
    return [k for r in range(occ["n"][0]) for k in range(state.STEPS + 1) if occ["low"][r, k] < x < occ["high"][r, k]]


def test_the_place_is_taken_around_the_warned_time():
    steps = np.array(taken(100.0, 40.0, 1.0, 103.0)) * state.DT
    assert steps.min() == pytest.approx(3.0 - warned.BEFORE, abs=state.DT)
    assert steps.max() == pytest.approx(3.0 + warned.AFTER, abs=state.DT)


@pytest.mark.parametrize(
    ("x", "y", "at"),
    [
        (40.0, 12.0, 103.0),
        (-20.0, 0.0, 103.0),
        (1.0, 0.0, 101.0),
        (40.0, 0.0, 0.0),
        (40.0, 0.0, 90.0),
        (40.0, 0.0, 120.0),
    ],
    ids=["beside", "behind", "already there", "none", "past", "far off"],
)
def test_what_does_not_concern_the_way_ahead_changes_nothing(x, y, at):
    assert taken(100.0, x, y, at) == []
