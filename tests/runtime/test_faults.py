"""Each kind of fault does what its name says, between its moments, to its topic only."""

from typing import get_type_hints

import numpy as np
import pytest

from cloverleaf.link.station import empty_received
from cloverleaf.runtime.faults import Fault, FaultKind, Injector
from cloverleaf.runtime.schedule import Schedule, Task
from cloverleaf.runtime.topics import BY_NAME
from cloverleaf.types.errors import StudyError
from cloverleaf.types.frames import EgoFrame, LightFrame


def ego(value):
    return EgoFrame(*(np.full(2, float(value)) for _ in EgoFrame._fields))


def run(fault, count=10, topic="ego"):
    """Values of x that readers got; None where nothing came."""
    strike, out, shared = Injector((fault,)), [], ego(0)
    for k in range(count):
        for column in shared:
            column[:] = k  # the owner reuses its arrays
        got = strike(topic, shared, 0.1 * k)
        out.append(None if got is None else got.x[0])
    return out


def test_lost():
    assert run(Fault("ego", FaultKind.LOST, 0.25, 0.45)) == [0, 1, 2, None, None, 5, 6, 7, 8, 9]


def test_frozen():
    assert run(Fault("ego", FaultKind.FROZEN, 0.25, 0.55)) == [0, 1, 2, 2, 2, 2, 6, 7, 8, 9]


def test_delayed():
    assert run(Fault("ego", FaultKind.DELAYED, 0.25, 0.65, amount=0.2)) == [0, 1, 2, 1, 2, 3, 4, 7, 8, 9]
    assert run(Fault("ego", FaultKind.DELAYED, 0.0, amount=0.5), 7) == [None] * 5 + [0, 1]


def test_biased_and_broken():
    assert run(Fault("ego", FaultKind.BIASED, 0.25, 0.35, 10.0, "x"), 5) == [0, 1, 2, 13, 4]
    assert np.isnan(run(Fault("ego", FaultKind.BROKEN, 0.0, field="x"), 1)[0])


def test_other_topics_pass():
    assert run(Fault("objects", FaultKind.LOST, 0.0), 3) == [0, 1, 2]


@pytest.mark.parametrize(
    "fault, hint",
    [
        (Fault("eggo", FaultKind.LOST, 0.0), "ego"),
        (Fault("ego", FaultKind.BIASED, 0.0, amount=1.0), "field"),
        (Fault("ego", FaultKind.BIASED, 0.0, amount=1.0, field="sped"), "speed"),
        (Fault("inbox", FaultKind.BIASED, 0.0, amount=1.0, field="awareness"), "awareness.station"),
        (Fault("inbox", FaultKind.BIASED, 0.0, amount=1.0, field="awareness.sped"), "speed"),
    ],
)
def test_impossible_faults_are_refused(fault, hint):
    with pytest.raises(StudyError) as error:
        Injector((fault,))
    assert hint in error.value.hint


def test_batches_inside_a_value_are_struck_too():
    inbox = empty_received(np.array([7]))
    inbox = inbox._replace(awareness=inbox.awareness._replace(x=np.array([3.0, 4.0])))
    broken = Injector((Fault("inbox", FaultKind.BROKEN, 0.0),))("inbox", inbox, 0.0)
    assert np.isnan(broken.awareness.x).all() and broken.receivers.tolist() == [7]
    biased = Injector((Fault("inbox", FaultKind.BIASED, 0.0, amount=1.5, field="awareness.x"),))("inbox", inbox, 0.0)
    assert biased.awareness.x.tolist() == [4.5, 5.5] and inbox.awareness.x.tolist() == [3.0, 4.0]


def test_whole_numbers_are_struck_where_they_are_named():
    head = LightFrame(np.array([4], np.int32), np.array([114], np.uint8), np.array([30.0]), np.array([0.0]))
    biased = Injector((Fault("lights", FaultKind.BIASED, 0.0, amount=2.0, field="link"),))("lights", head, 0.0)
    assert biased.link.tolist() == [6] and biased.link.dtype == np.int32
    broken = Injector((Fault("lights", FaultKind.BROKEN, 0.0, field="light"),))("lights", head, 0.0)
    assert broken.light.tolist() == [255] and broken.link.tolist() == [4]


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize("kind", [FaultKind.LOST, FaultKind.FROZEN, FaultKind.DELAYED, FaultKind.BROKEN])
def test_every_topic_of_a_schedule_can_be_struck(name, kind):
    """The reader of the topic gets what the fault makes of it; the board without faults gives what was written."""
    got = []

    def reader(values, t):
        got.append(values[name])
        return {}

    writes = "hmi" if name != "hmi" else "awareness"
    amount = 0.1 if kind == FaultKind.DELAYED else 0.0
    board = Schedule(
        [Task("reader", (name,), (writes,), reader)], faults=Injector((Fault(name, kind, 0.15, amount=amount),))
    )
    made = [get_type_hints(BY_NAME[name].type)[f] for f in BY_NAME[name].type._fields]
    for k in range(4):
        columns = [
            empty_received(np.array([k])).awareness if hasattr(t, "_fields") else np.full(2, float(k)) for t in made
        ]
        board.write(name, 0.1 * k, BY_NAME[name].type(*columns))
        board.round(0.1 * k)
    first = [
        next((v for v in value if isinstance(v, np.ndarray)), None)[0] if value is not None else None for value in got
    ]
    late = BY_NAME[name].deadline_s > 0.15  # what is lost leaves the value before it on the board, until its deadline
    expected = {
        FaultKind.LOST: [0, 1, 1, 1 if late else None],
        FaultKind.FROZEN: [0, 1, 1, 1],
        FaultKind.DELAYED: [0, 1, 1, 2],
    }
    if kind == FaultKind.BROKEN:
        assert first[:2] == [0, 1] and all(np.isnan(v) for v in first[2:])
    else:
        assert first == expected[kind]
