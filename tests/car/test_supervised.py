"""The whole supervised car under faults of what it reads and what it says: nothing that is not a number comes out, and it degrades."""

import numpy as np
import pytest

from car.test_closed_loop import NET, Toy, first_link, pytestmark, straight  # noqa: F401
from cloverleaf.car.supervise import Mode
from cloverleaf.car.supervised import STOP_BRAKING, TOPICS, SupervisedFleet
from cloverleaf.link.station import empty_received
from cloverleaf.map.io.sumo_net import read_sumo_net
from cloverleaf.runtime.faults import Fault, FaultKind, Injector
from cloverleaf.runtime.topics import BY_NAME
from cloverleaf.types.errors import StudyError

BEGIN = 1.0


@pytest.fixture(scope="module")
def edges():
    return straight(read_sumo_net(NET.resolve()))


def drive(edges, fault, ticks=16):
    """(what it said at each tick, modes, the fleet) of one car with one fault from 1 s on."""
    toy = Toy(edges)
    toy.link, toy.light = first_link(toy, edges), ord("G")
    fleet = SupervisedFleet(toy.fleet, Injector((fault,) if fault else ()))
    said, modes = [], []
    for k in range(ticks):
        toy.t = 0.1 * k
        toy.actors.x[0] += 0.8 * np.cos(toy.actors.heading[0]) * (k > 0)
        toy.actors.y[0] += 0.8 * np.sin(toy.actors.heading[0]) * (k > 0)
        frames = toy.frames()
        frames = frames._replace(lights=frames.lights._replace(distance=np.full(1, 60.0 - 0.8 * k)))
        said.append(fleet.step(frames, toy.mission(), empty_received(np.array([7])), toy.t))
        modes.append(int(fleet.mode[0]))
    return said, modes, fleet


def test_without_a_fault_nothing_is_dropped(edges):
    _, modes, fleet = drive(edges, None)
    assert not any(modes) and not fleet.tally.counts and "dropped" not in fleet.explain(7)


@pytest.mark.parametrize("kind", [FaultKind.LOST, FaultKind.BROKEN, FaultKind.DELAYED])
@pytest.mark.parametrize("name", [name for name in TOPICS if name != "lanes"])  # the toy has no camera for markings
def test_nothing_broken_comes_out_whatever_is_struck(edges, name, kind):
    said, modes, fleet = drive(edges, Fault(name, kind, BEGIN, amount=0.5 if kind == FaultKind.DELAYED else 0.0))
    for commands, awareness, hmi in said:
        assert len(commands.accel) == 1 and all(
            np.isfinite(column).all() for column in (*commands, *awareness, hmi.time)
        )
    assert not any(modes[:10])
    if kind == FaultKind.LOST or (kind == FaultKind.BROKEN and name not in ("objects", "inbox")):
        counted = {reason for (topic, reason), many in fleet.tally.counts.items() if topic == name and many}
        if name != "hmi" or kind == FaultKind.LOST:
            assert counted & {"lost", "broken"}, fleet.tally.counts
        if name in ("ego", "objects", "lights", "mission", "inbox", "commands"):
            assert modes[10] > Mode.NORMAL and all(modes[11:]) and "dropped" in fleet.explain(7)


def test_actuators_that_hear_nothing_stop_the_car(edges):
    said, modes, _ = drive(edges, Fault("commands", FaultKind.LOST, BEGIN))
    assert (
        modes[10] == Mode.SAFE_STOP
        and said[10][0].accel[0] == -STOP_BRAKING
        and said[10][0].steer[0] == said[9][0].steer[0]
    )


def test_a_lost_mission_is_the_last_one_and_an_announcement_never_broken(edges):
    for fault in (Fault("mission", FaultKind.LOST, BEGIN), Fault("mission", FaultKind.BROKEN, BEGIN, field="length")):
        said, modes, _ = drive(edges, fault)
        assert modes[12] == Mode.SLOWER and said[12][1].length[0] == pytest.approx(4.6)


def test_a_picture_that_is_off_is_noticed(edges):
    _, modes, fleet = drive(edges, Fault("lights", FaultKind.BIASED, BEGIN, amount=10.0, field="distance"))
    assert modes[10] == Mode.SLOWER and fleet.tally.of(7) == {("lights", "jump"): 6}


def test_topics_of_others_are_refused():
    for name in BY_NAME:
        if name not in TOPICS:
            with pytest.raises(StudyError, match=name) as error:
                SupervisedFleet.__new__(SupervisedFleet).faults = Injector((Fault(name, FaultKind.LOST, 0.0),))
            assert "ego" in error.value.hint
