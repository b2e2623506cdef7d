"""The door of lane markings: whatever comes, what goes on is a possible offset of now, and the rest is counted."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cloverleaf.car.marked import LEAST_SURE, WIDEST, MarkingDoor
from cloverleaf.car.tally import Reason, Tally
from cloverleaf.types.frames import LaneFrame

CARS = np.array([4, 9, 2])
ANY = st.floats(allow_nan=True, allow_infinity=True) | st.floats(-6.0, 6.0)


def frame(time, offset, sigma=0.06):
    return LaneFrame(np.full(3, float(time)), np.array(offset, float), np.full(3, sigma))


def reasons(door):
    return {reason: many for (name, reason), many in door.tally.counts.items() if name == "lanes"}


@given(st.lists(st.tuples(*[st.tuples(ANY, ANY, ANY)] * 3), min_size=1, max_size=8))
def test_whatever_comes_only_possible_offsets_go_on_and_counts_add_up(looks):
    door, expected = MarkingDoor(Tally()), 0
    for k, rows in enumerate(looks):
        t = 0.1 * k
        time, offset, sigma = (np.array(c, float) for c in zip(*rows, strict=True))
        out = door.check(CARS, LaneFrame(time + t, offset, sigma), t)
        used = ~np.isnan(out.offset)
        assert np.isfinite(out.time).all() and np.isfinite(out.sigma).all()
        assert (np.abs(out.offset[used]) <= WIDEST).all() and (out.sigma > 0).all() and (out.sigma <= LEAST_SURE).all()
        assert (np.abs(out.time - t) <= 0.1 + 1e-6).all()
        same = (out.offset == offset) | (np.isnan(offset) & np.isnan(out.offset))
        assert (same | ~used).all()
        expected += int((~np.isnan(offset) & ~used).sum())
    assert sum(reasons(door).values()) >= expected, "whatever was dropped is counted"


def test_each_fault_has_its_reason():
    cases = {
        Reason.BROKEN: frame(1.0, [math.inf] * 3),
        Reason.IMPOSSIBLE: frame(1.0, [5.5] * 3),
        Reason.FUTURE: frame(1.2, [0.1] * 3),
        Reason.LATE: frame(0.5, [0.1] * 3),
        Reason.LOST: None,
    }
    for reason, given_frame in cases.items():
        door = MarkingDoor(Tally())
        assert np.isnan(door.check(CARS, given_frame, 1.0).offset).all()
        assert reasons(door) == {reason.value: 3}


def test_what_is_frozen_repeated_or_older_is_dropped_and_no_marking_is_no_fault():
    door = MarkingDoor(Tally())
    assert np.isfinite(door.check(CARS, frame(1.0, [0.1, 0.2, math.nan]), 1.0).offset).tolist() == [True, True, False]
    assert reasons(door) == {}
    assert np.isnan(door.check(CARS, frame(1.1, [0.1, 0.3, math.nan]), 1.1).offset).tolist() == [True, False, True]
    assert reasons(door) == {"frozen": 1}
    door.check(CARS, frame(1.1, [0.11, 0.31, 0.4]), 1.15)
    door.check(CARS, frame(1.09, [0.12, 0.32, 0.41]), 1.16)
    assert reasons(door) == {"frozen": 1, "duplicated": 3, "out of order": 3}


def test_memory_follows_the_cars_not_the_rows():
    door = MarkingDoor(Tally())
    door.check(CARS, frame(1.0, [0.1, 0.2, 0.3]), 1.0)
    out = door.check(np.array([9, 7, 4]), frame(1.1, [0.2, 0.2, 0.2]), 1.1)
    assert np.isnan(out.offset).tolist() == [True, False, False], "only station 9 repeats its offset"
