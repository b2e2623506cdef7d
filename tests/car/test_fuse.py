"""Messages and own eyes: agreement sharpens, disagreement weighs less, a false announcement never moves what we see."""

import numpy as np
import pytest

from cloverleaf.car import state
from cloverleaf.car.fuse import told_object, trust_in
from cloverleaf.car.track import start_track


def fleet_with_track(seen=0.0, station=5, variance=0.1):
    """One car at the origin that follows one vehicle 20 m ahead."""
    fleet = state.empty_fleet(1)
    fleet.i[0, state.STATION] = 1
    k = start_track(fleet, 0, 20.0, 0.0, 0.0, 8.0, 0.0, 4.5, 1.8, 1, variance, 0.9, 0.0)
    fleet.track[0, k, state.T_SEEN], fleet.track_i[0, k, state.T_STATION] = seen, station
    return fleet


def tell(fleet, x, y, station=5.0, now=0.0):
    told_object(
        fleet, state.empty_scratch()[0], 0, np.array([[station, now, x, y, 0.0, 8.0, 4.5, 1.8, 1.0, 0.5, -1.0]]), 0, now
    )
    return fleet.track[0, 0]


def test_agreement_sharpens():
    """The intersection's trace, place and speed together, is no larger than before."""
    spread = lambda track: track[state.T_PP] + track[state.T_VV]  # noqa: E731
    before = spread(fleet_with_track(variance=0.6).track[0, 0])
    after = tell(fleet_with_track(variance=0.6), 20.1, 0.0)
    assert spread(after) < before and abs(after[state.T_X] - 20.0) < 0.1


def test_the_weight_falls_with_disagreement():
    fleet = fleet_with_track()
    weights = [trust_in(fleet, 0, 0, 20.0 + off, 0.0, 0.3) for off in (0.0, 0.5, 1.0, 2.0, 3.0, 4.0)]
    assert weights[0] == 1.0 and weights == sorted(weights, reverse=True) and weights[-1] == 0.0
    assert (
        trust_in(fleet_with_track(seen=1.0), 0, 0, 40.0, 0.0, 0.3) == 1.0
    )  # nobody has seen it: nothing speaks against it


@pytest.mark.parametrize("off", [5.0, 12.0])
def test_a_false_announcement_moves_nothing(off):
    fleet = fleet_with_track()
    track = tell(fleet, 20.0 + off, 0.0)
    assert track[state.T_X] == 20.0 and fleet.i[0, state.COUNT] == 1
    assert fleet.track_i[0, 0, state.T_STATION] == -1


def test_an_unseen_one_is_believed():
    fleet = fleet_with_track(seen=2.0, variance=2.0)
    assert tell(fleet, 22.0, 0.0)[state.T_X] > 20.0
    tell(fleet, 60.0, 10.0, station=9.0)
    assert fleet.i[0, state.COUNT] == 2
