"""Each kind of fault does what its name says, between its moments, to its topic only."""

import numpy as np
import pytest

from cloverleaf.runtime.faults import Fault, FaultKind, Injector
from cloverleaf.types.errors import StudyError
from cloverleaf.types.frames import EgoFrame


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
    ],
)
def test_impossible_faults_are_refused(fault, hint):
    with pytest.raises(StudyError) as error:
        Injector((fault,))
    assert hint in error.value.hint
