"""`cloverleaf bench degrade`: each input lost, frozen, delayed, biased or broken in every smart car of the district at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cloverleaf.car.supervise import Mode
from cloverleaf.car.supervised import SupervisedFleet
from cloverleaf.cli.bench_fault import caused_by_smart, one_line
from cloverleaf.runtime.faults import Fault, FaultKind, Injector
from cloverleaf.study.build import Run
from cloverleaf.study.config import Arm, Study
from cloverleaf.types.frames import ObjectFrame
from cloverleaf.types.messages import Received

STRUCK, LAST = 30.0, 60.0  # s: when the fault begins, how long the world is watched
SOON = 2  # periods within which a car is to degrade
K = FaultKind
FAULTS = (
    *(Fault(name, kind, STRUCK) for name in ("ego", "objects", "lights", "mission", "inbox") for kind in (K.LOST, K.FROZEN, K.BROKEN)),
    *(Fault(name, K.DELAYED, STRUCK, amount=0.5) for name in ("ego", "objects", "lights", "mission", "inbox")),
    Fault("ego", K.BIASED, STRUCK, amount=1.5, field="y"),
    Fault("objects", K.BIASED, STRUCK, amount=1.0, field="x"),
    Fault("lights", K.BIASED, STRUCK, amount=10.0, field="distance"),
    Fault("mission", K.BIASED, STRUCK, amount=100.0, field="max_speed"),
    Fault("inbox", K.BIASED, STRUCK, amount=1.5, field="awareness.x"),
)  # fmt: skip


def differing(before: Any, after: Any, stations: np.ndarray) -> np.ndarray:
    """Which of the cars `stations` (n,) get something else than there was, (n,) bool; values of one topic."""
    n = len(stations)
    if after is None:
        return np.ones(n, bool)
    if isinstance(before, Received):
        return _heard_otherwise(before, after, stations)
    if len(after[0]) != len(before[0]):
        return np.ones(n, bool)
    if isinstance(before, ObjectFrame):
        a, b = before.start, after.start
        columns: list[tuple[Any, Any]] = list(zip(before[1:], after[1:]))
        return np.array([
            any(not np.array_equal(x[a[k] : a[k + 1]], y[b[k] : b[k + 1]], equal_nan=True) for x, y in columns)
            for k in range(n)
        ], bool)  # fmt: skip
    same = [(x == y) | ((x != x) & (y != y)) for x, y in zip(before, after)]
    return ~np.logical_and.reduce(same)


def _heard_otherwise(before: Received, after: Received, stations: np.ndarray) -> np.ndarray:
    """Cars that hear something, of an inbox of which some of the content is another."""
    hears = np.zeros(len(stations), bool)
    for inbox in (before, after):
        row = {int(s): k for k, s in enumerate(inbox.receivers)}
        many = np.diff(inbox.start)
        hears |= np.array([int(s) in row and many[row[int(s)]] > 0 for s in stations], bool)
    batches = zip(before[5:], after[5:])
    changed = any(not np.array_equal(x, y, equal_nan=True) for one, other in batches for x, y in zip(one, other))
    return hears & changed


class Watching(Injector):
    """An injector that notes since when each car has had the fault: station -> s."""

    def __init__(self, fault: Fault) -> None:
        super().__init__((fault,))
        self.since: dict[int, float] = {}
        self.stations = np.zeros(0, np.int64)

    def __call__(self, name: str, value: Any, t: float) -> Any:
        """As `Injector`."""
        struck = super().__call__(name, value, t)
        if name == self.faults[0].topic and t >= STRUCK - 1e-6:
            for station in self.stations[differing(value, struck, self.stations)].tolist():
                self.since.setdefault(station, t)
        return struck


def strike(fault: Fault, say: Callable[[str], None]) -> dict[str, Any]:
    """One run of the district's road arm, seed 1, with one fault: how soon each car that had it degraded, what cars caused.

    `cars` were sound before, `newcomers` have had the fault since their first look. A car that leaves, or the end that comes, before
    its two periods are over is not counted.
    """
    run = Run(Study(duration_s=600.0), Arm.ROAD, 1)
    fleet = run.rooms.fleet
    assert isinstance(fleet, SupervisedFleet)
    watch = Watching(fault)
    fleet.faults = watch
    noticed: dict[int, float] = {}
    first_seen: dict[int, float] = {}
    last_seen: dict[int, float] = {}
    deepest = Mode.NORMAL
    for _ in range(round(LAST / run.step)):
        now = run.rooms.world.time
        watch.stations = run.rooms.world.stations.astype(np.int64)
        run.tick()
        for station, mode in zip(watch.stations.tolist(), fleet.mode.tolist()):
            last_seen[station] = now
            first_seen.setdefault(station, now)
            if mode > Mode.NORMAL and station in watch.since:
                noticed.setdefault(station, now)
                deepest = max(deepest, Mode(mode))
    soon = SOON * run.step + 1e-6
    had = {s: t for s, t in watch.since.items() if last_seen[s] - t > soon or s in noticed}
    new = {s for s in had if first_seen[s] > STRUCK - 1e-6}
    after = {s: round((noticed[s] - t) / run.step) for s, t in had.items() if s in noticed}
    caused = caused_by_smart(run.collisions)
    for n in caused:
        say("  " + one_line(run.collisions, n))
    return {
        "fault": f"{fault.topic} {fault.kind.value}",
        "mode": deepest.name.lower(),
        "cars": len(had) - len(new),
        "within_2": sum(p <= SOON for s, p in after.items() if s not in new),
        "worst_periods": max((p for s, p in after.items() if s not in new), default=None),
        "never": len([s for s in had if s not in new and s not in after]),
        "newcomers": len(new),
        "newcomers_within_2": sum(p <= SOON for s, p in after.items() if s in new),
        "at_fault": len(caused),
        "collisions_of_all": int(run.collisions.filled[0]),
    }


def run(say: Callable[[str], None]) -> list[dict[str, Any]]:
    """All faults in turn. Bars: no collision at fault, every car that has the fault degraded within 2 periods."""
    return [strike(fault, say) for fault in FAULTS]
