"""Vehicle signals by their VSS names, and CAN frames on a virtual bus: round trips, and everything wrong is dropped and counted."""

import math
import uuid

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloverleaf.runtime.vss import SIGNALS, compass, from_vss, signal, to_vss
from cloverleaf.types.errors import InputError, StudyError
from cloverleaf.types.frames import EgoFrame
from cloverleaf.types.state import VehicleCommands


def ego(speed=20.0, heading=0.3, accel=-1.5, yaw=0.1):
    column = {
        "time": 5.0,
        "x": 1.0,
        "y": 2.0,
        "heading": heading,
        "speed": speed,
        "accel": accel,
        "yaw_rate": yaw,
        "sigma_xy": 0.4,
    }
    return EgoFrame(**{k: np.array([v]) for k, v in column.items()})


def test_names_units_and_turn_of_headings():
    assert to_vss("ego", ego())["Vehicle.Speed"] == pytest.approx(72.0)
    assert compass(0.0) == 90.0 and compass(math.pi / 2) == 0.0 and compass(math.pi) == 270.0
    lit = VehicleCommands(np.zeros(3), np.zeros(3), np.array([2, -1, 0], np.int32))
    left, right = (f"Vehicle.Body.Lights.DirectionIndicator.{side}.IsSignaling" for side in ("Left", "Right"))
    assert [(to_vss("commands", lit, k)[left], to_vss("commands", lit, k)[right]) for k in range(3)] == [
        (True, True), (False, True), (False, False),
    ]  # fmt: skip
    with pytest.raises(StudyError) as caught:
        signal("Vehicle.Sped")
    assert "'Vehicle.Speed'" in caught.value.hint


@given(st.floats(-80, 80), st.floats(-3.14, 3.14), st.floats(-20, 20), st.floats(-3, 3))
def test_round_trip(speed, heading, accel, yaw):
    back = from_vss(to_vss("ego", ego(speed, heading, accel, yaw)))
    for column, value in (("speed", speed), ("heading", heading), ("accel", accel), ("yaw_rate", yaw)):
        assert back["ego", column] == pytest.approx(value, abs=1e-9)


def test_every_signal_is_a_column_of_its_topic():
    from cloverleaf.runtime.topics import topic

    assert all(s.column in topic(s.topic).type._fields for s in SIGNALS)
    assert len({s.name for s in SIGNALS}) == len(SIGNALS)


@pytest.fixture
def pair():
    pytest.importorskip("can")
    pytest.importorskip("cantools")
    from cloverleaf.runtime.can_gateway import CanGateway, open_bus

    channel = uuid.uuid4().hex
    buses = [open_bus(channel=channel) for _ in range(2)]
    yield tuple(CanGateway(bus) for bus in buses)
    for bus in buses:
        bus.shutdown()


MOTION = {"Vehicle.Speed": 72.0, "Vehicle.Acceleration.Longitudinal": -1.5, "Vehicle.AngularVelocity.Yaw": 5.73}


def test_frames_carry_values_to_their_resolution(pair):
    car, automation = pair
    assert car.send(MOTION) == 1
    got = automation.receive(1.0)
    assert got == pytest.approx(MOTION, abs=0.01)
    commands = VehicleCommands(np.array([-2.5]), np.array([0.1]), np.array([1], np.int32))
    assert automation.send(to_vss("commands", commands)) == 1
    back = from_vss(car.receive(1.0))
    assert back["commands", "accel"] == pytest.approx(-2.5, abs=5e-4)
    assert back["commands", "steer"] == pytest.approx(0.1, abs=1e-3)
    assert not car.dropped and not automation.dropped


@settings(max_examples=30, deadline=None)
@given(st.floats(allow_nan=True, allow_infinity=True))
def test_no_value_breaks_the_sender(value):
    pytest.importorskip("can")
    from cloverleaf.runtime.can_gateway import CanGateway, open_bus

    channel = uuid.uuid4().hex
    with open_bus(channel=channel) as a, open_bus(channel=channel) as b:
        sent = CanGateway(a).send(MOTION | {"Vehicle.Speed": value})
        got = CanGateway(b).receive()
        assert sent == (1 if math.isfinite(value) else 0)
        assert not sent or -250.01 <= got["Vehicle.Speed"] <= 327.01


def test_what_nobody_can_act_upon_is_dropped_and_counted(pair):
    import can

    car, automation = pair
    frame = lambda ident, data: car.bus.send(can.Message(arbitration_id=ident, data=data, is_extended_id=False))  # noqa: E731
    frame(1, bytes(8))
    frame(512, bytes(3))
    whole = bytes.fromhex("201c24fa3d020000")
    frame(512, whole)
    frame(512, whole)  # the same alive counter again
    frame(512, bytes.fromhex("ff7fff7fff7f0001"))  # beyond the bounds of the DBC
    got = automation.receive(1.0)
    assert got["Vehicle.Speed"] == pytest.approx(72.0)
    assert automation.dropped == {"unknown": 1, "wrong length": 1, "stuck": 1, "impossible": 1}


def test_errors_name_what_is_wrong(tmp_path):
    pytest.importorskip("cantools")
    from cloverleaf.runtime.can_gateway import CanGateway, Wire, read_dbc

    bad = tmp_path / "bad.dbc"
    bad.write_text("BO_ nonsense")
    with pytest.raises(InputError, match="not a DBC"):
        read_dbc(bad)
    with pytest.raises(InputError, match="no such file"):
        read_dbc(tmp_path / "none.dbc")
    with pytest.raises(StudyError, match="no message 'CAR_MOTON'"):
        CanGateway(None, wires=[Wire("CAR_MOTON", "Speed", "Vehicle.Speed")])
    with pytest.raises(StudyError, match="has no signal"):
        CanGateway(None, wires=[Wire("CAR_MOTION", "Sped", "Vehicle.Speed")])
