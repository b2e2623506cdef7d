"""The deterministic and the real-time scheduler run the same rounds; what is late, lost, dead or slow is counted, never hidden."""

import numpy as np
import pytest

from cloverleaf.runtime.schedule import Schedule, Task, in_order, run_live
from cloverleaf.types.errors import StudyError


def adder(reads, writes, log):
    def component(values, t):
        log.append((writes, round(t, 6), tuple(values[r] for r in reads)))
        return dict.fromkeys(writes, sum((v or 0) for v in values.values()) + 1)

    return component


def chain(log):
    """ego -> commands -> hmi, handed in the wrong order."""
    return [
        Task("screen", ("commands",), ("hmi",), adder(("commands",), ("hmi",), log)),
        Task("car", ("ego",), ("commands",), adder(("ego",), ("commands",), log)),
        Task("sensors", (), ("ego",), adder((), ("ego",), log)),
    ]


class Clock:
    """A clock that only sleeping and working move."""

    def __init__(self):
        self.t = 100.0

    def now(self):
        return self.t

    def sleep(self, seconds):
        assert seconds > 0
        self.t += seconds


def test_writers_before_readers_and_live_equals_simulation():
    a, b = [], []
    Schedule(chain(a)).run_until(1.0)
    clock = Clock()
    share = run_live(Schedule(chain(b)), 1.0, now=clock.now, sleep=clock.sleep)
    assert a == b and len(a) == 30 and share == 1.0
    assert [row[0] for row in a[:3]] == [("ego",), ("commands",), ("hmi",)]
    assert clock.t == pytest.approx(100.9)


def test_overruns_are_counted_and_old_rounds_left_out():
    clock, times = Clock(), []

    def slow(values, t):
        times.append(round(t, 6))
        clock.t += 0.25 if len(times) == 3 else 0.0
        return {"commands": 0}

    schedule = Schedule([Task("car", (), ("commands",), slow)])
    share = run_live(schedule, 1.0, now=clock.now, sleep=clock.sleep)
    assert schedule.counts[("schedule", "overrun")] == 1
    assert times == [0.0, 0.1, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] and share == pytest.approx(8 / 9)


def test_dead_components_and_late_values():
    seen = []

    def dies(values, t):
        if t > 0.35:
            raise ZeroDivisionError
        return {"ego": t}

    def reads(values, t):
        seen.append(values["ego"])
        return {"commands": 0}

    schedule = Schedule([Task("sensors", (), ("ego",), dies), Task("car", ("ego",), ("commands",), reads)])
    schedule.run_until(1.0)
    # the last value is from 0.3 s and may be 0.1 s old
    assert seen[:5] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.3]) and seen[5:] == [None] * 5
    assert schedule.counts[("sensors", "died: ZeroDivisionError")] == 6
    assert schedule.counts[("ego", "late")] == 5


def test_wrong_tables_are_refused():
    nothing = lambda values, t: {}  # noqa: E731
    with pytest.raises(StudyError, match="written by a and b"):
        in_order([Task("a", (), ("ego",), nothing), Task("b", (), ("ego",), nothing)])
    with pytest.raises(StudyError, match="unknown topic"):
        in_order([Task("a", ("eggo",), ("ego",), nothing)])
    with pytest.raises(StudyError, match="writes no topic"):
        in_order([Task("a", ("ego",), (), nothing)])


def test_what_runs_is_recorded_by_its_listener():
    heard = []
    schedule = Schedule(chain([]), listen=lambda name, t, value: heard.append((name, value)))
    schedule.round(0.0)
    assert heard == [("ego", 1), ("commands", 2), ("hmi", 3)]
    assert np.isfinite(schedule.base)
