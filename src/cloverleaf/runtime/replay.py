"""Replay: give a component its recorded inputs again and hold its outputs against the recorded ones, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from cloverleaf.runtime.packing import same
from cloverleaf.runtime.record import Entry

Component = Callable[[dict[str, Any], float], dict[str, Any]]
"""Values of its input topics and the time (s) -> values of its output topics."""


class Difference(NamedTuple):
    """Where a replay first left its recording."""

    topic: str
    time: float
    recorded: Any
    replayed: Any


def ticks(log: Iterable[Entry]) -> Iterator[tuple[float, dict[str, Any]]]:
    """Entries grouped by time."""
    now: float | None = None
    values: dict[str, Any] = {}
    for entry in log:
        if now is not None and entry.time != now:
            yield now, values
            values = {}
        now, values[entry.topic] = entry.time, entry.value
    if now is not None:
        yield now, values


def replay(
    log: Iterable[Entry], component: Component, inputs: tuple[str, ...], outputs: tuple[str, ...]
) -> Difference | None:
    """Run `component` over a recording; None if every output equals its record.

    inputs, outputs: topics that are fed and compared. A tick that lacks one of the inputs is passed over, like a tick without it would be.
    """
    for time, values in ticks(log):
        if any(name not in values for name in inputs):
            continue
        answers = component({name: values[name] for name in inputs}, time)
        for name in outputs:
            if name in values and not same(values[name], answers[name]):
                return Difference(name, time, values[name], answers[name])
    return None
