"""Hand-over and take-over between a person and the automation, with the times of UN R157."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloverleaf.algo.dynamics import wheelbase
from cloverleaf.human.cockpit import (
    BLEND,
    HAZARD,
    LATERAL,
    TAKE_OVER_S,
    Automation,
    Cockpit,
    Command,
    Controls,
    manual,
)
from cloverleaf.human.driver_monitor import Reading

AUTOMATIC = Command(1.0, 0.02, 0)
ON = Controls(automation=True)


def drive(cockpit, controls, t, able=True):
    return cockpit.step(controls, AUTOMATIC, speed=10.0, length=4.6, able=able, t=t)


def engaged():
    cockpit = Cockpit()
    drive(cockpit, Controls(), 0.0)
    for k in range(1, 20):
        drive(cockpit, ON, 0.1 * k)
    assert cockpit.automation == Automation.ACTIVE and cockpit.person == 0.0
    return cockpit, 2.0


def test_authority_moves_smoothly_when_handed_over():
    cockpit = Cockpit()
    drive(cockpit, Controls(), 0.0)
    before = drive(cockpit, Controls(), 0.1).accel
    shares = []
    for k in range(2, 14):
        drive(cockpit, ON, 0.1 * k)
        shares.append(cockpit.person)
    steps = [a - b for a, b in zip([1.0, *shares], shares, strict=False)]
    assert max(steps) <= 0.1 / BLEND + 1e-9 and shares[-1] == 0.0
    assert before < 0.0 and drive(cockpit, ON, 1.5) == AUTOMATIC


def test_not_available_cannot_be_switched_on():
    cockpit = Cockpit()
    drive(cockpit, Controls(), 0.0, able=False)
    drive(cockpit, ON, 0.1, able=False)
    assert cockpit.automation == Automation.OFF
    drive(cockpit, ON, 0.2, able=True)  # a switch that was pressed before is not a wish now
    assert cockpit.automation == Automation.AVAILABLE


def test_braking_takes_over_at_once_and_fully():
    cockpit, t = engaged()
    command = drive(cockpit, Controls(brake=0.5, automation=True), t)
    assert cockpit.automation == Automation.AVAILABLE
    assert command.accel == pytest.approx(-4.5)


def test_steering_takes_over():
    cockpit, t = engaged()
    drive(cockpit, Controls(steer=0.3, automation=True), t)
    assert cockpit.automation == Automation.AVAILABLE


def test_a_transition_demand_waits_ten_seconds_then_stops_with_hazard_lights():
    cockpit, t = engaged()
    drive(cockpit, ON, t, able=False)
    assert cockpit.automation == Automation.TAKE_OVER and cockpit.take_over_s(t) == TAKE_OVER_S
    assert drive(cockpit, ON, t + TAKE_OVER_S - 0.1, able=False).indicator == 0
    command = drive(cockpit, ON, t + TAKE_OVER_S, able=False)
    assert command.indicator == HAZARD and -4.0 <= command.accel <= -2.0
    assert cockpit.take_over_s(t + TAKE_OVER_S + 1.0) == 0.0


def test_a_demand_that_is_withdrawn_ends():
    cockpit, t = engaged()
    drive(cockpit, ON, t, able=False)
    drive(cockpit, ON, t + 1.0, able=True)
    assert cockpit.automation == Automation.ACTIVE and cockpit.take_over_s(t + 1.0) is None


def test_a_person_who_is_not_there_is_called_and_then_the_car_stops():
    cockpit, t = engaged()
    gone = Reading(seated=False)
    for k in range(120):
        command = cockpit.step(ON, AUTOMATIC, speed=10.0, length=4.6, able=True, t=t + 0.1 * k, reading=gone)
    assert cockpit.automation == Automation.TAKE_OVER and command.indicator == HAZARD and command.accel == -3.0
    # back in the seat, hands on the wheel: the car is the person's again
    back = cockpit.step(
        Controls(steer=0.3), AUTOMATIC, speed=5.0, length=4.6, able=True, t=t + 12.1, reading=Reading(torque=1.0)
    )
    assert (cockpit.automation == Automation.AVAILABLE and back.indicator != HAZARD) or cockpit.person < 0.5


numbers = st.floats(allow_nan=True, allow_infinity=True)


@given(numbers, numbers, numbers, st.integers(-9, 9), st.floats(0.0, 60.0))
def test_any_input_gives_a_drivable_command(throttle, brake, steer, indicator, speed):
    command = manual(Controls(throttle, brake, steer, indicator).clean(), speed, 4.6)
    assert all(math.isfinite(v) for v in command) and -9.0 <= command.accel <= 3.5
    lateral = speed * speed * abs(math.tan(command.steer)) / wheelbase(4.6)
    assert lateral <= LATERAL + 1e-9 and abs(command.steer) <= 0.55 and command.indicator in (-1, 0, 1, 2)
