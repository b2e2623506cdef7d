"""One tick taken apart: what went into every room, what came out, how long it took and where in the source it happened."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cloverleaf.loop.tick import Rooms, tick
from cloverleaf.study.build import Run
from cloverleaf.study.config import Study
from cloverleaf.types.errors import StudyError, nearest
from cloverleaf.types.messages import MessageKind

STAGES = (
    ("1 sense", "world", "sense"),
    ("2 human", "people", "drive"),
    ("3 car", "fleet", "step"),
    ("4 road", "road", "step"),
    ("5 link", "link", "exchange"),
    ("6 cloud", "cloud", "step"),
    ("7 world", "world", "step"),
)
"""Title, room and method of each stage, in the order of `loop.tick`."""


class Stage(NamedTuple):
    """One recorded call."""

    title: str
    place: str  # file:line
    microseconds: float
    inputs: tuple[Any, ...]
    output: Any


def _place(method: Callable[..., Any]) -> str:
    file = Path(inspect.getsourcefile(method) or "?")
    line = inspect.getsourcelines(method)[1]
    parts = file.parts[file.parts.index("cloverleaf") :] if "cloverleaf" in file.parts else file.parts[-2:]
    return f"{'/'.join(parts)}:{line}"


def record_tick(rooms: Rooms) -> list[Stage]:
    """Advance one tick and record every stage."""
    stages: list[Stage] = []

    def watch(title: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*inputs: Any) -> Any:
            start = time.perf_counter()
            output = method(*inputs)
            stages.append(Stage(title, _place(method), (time.perf_counter() - start) * 1e6, inputs, output))
            return output

        return watched

    for title, room, name in STAGES:
        owner = getattr(rooms, room)
        setattr(owner, name, watch(title, getattr(owner, name)))
    try:
        tick(rooms)
    finally:
        for _, room, name in STAGES:
            delattr(getattr(rooms, room), name)
    return stages


def describe(value: Any, depth: int = 0) -> str:
    """Shape of a value in a few words: `ObjectFrame(start (4,), x (61,), ...)`."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{value.shape}"
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        if depth:
            return type(value).__name__
        shown = [f"{n} {describe(v, depth + 1)}" for n, v in zip(value._fields, value, strict=True)]
        return f"{type(value).__name__}({', '.join(shown[:6])}{', ...' if len(shown) > 6 else ''})"
    if isinstance(value, tuple):
        return ", ".join(describe(v, 1) for v in value)
    if isinstance(value, (int, float, str, bool)) or value is None:
        return f"{value:.3f}" if isinstance(value, float) else str(value)
    return type(value).__name__


def _row_of(run: Run, actor: str) -> int:
    """Position within the fleet of the smart car with trip id `actor`; 'ego' is the first one."""
    fleet = run.rooms.world.stations
    if not len(fleet):
        raise StudyError(
            "no smart car is on the road at this tick", hint="a later --trace-tick, or a higher penetration"
        )
    if actor == "ego":
        return 0
    names = {run.demand.trip_ids[int(s)]: row for row, s in enumerate(fleet)}
    if actor not in names:
        raise StudyError(f"no smart car '{actor}' is on the road at this tick", hint=nearest(actor, names))
    return names[actor]


def trace(study: Study, number: int, actor: str, say: Callable[[str], None]) -> None:
    """Run the last arm's first seed up to tick `number` and tell about that tick, with the car `actor` in focus."""
    if not 0 <= number < study.steps:
        raise StudyError(f"tick {number} is outside the study", element="--trace-tick", hint=f"0 to {study.steps - 1}")
    run = Run(study, study.arms[-1], study.seeds[0])
    for _ in range(number):
        tick(run.rooms)
    row = _row_of(run, actor)
    world = run.rooms.world
    station = int(world.stations[row])
    users = int((world.actors.kind > 0).sum())
    say(f"tick {number} at {world.time:.1f} s, arm {study.arms[-1]}, {users} road users, {len(world.fleet)} smart")
    say(f"actor {run.demand.trip_ids[station]} (station {station})")
    for stage in record_tick(run.rooms):
        say(f"\n{stage.title}   {stage.microseconds:.0f} us   {stage.place}")
        say(f"  in   {'; '.join(describe(i) for i in stage.inputs)}")
        say(f"  out  {describe(stage.output)}")
        for line in _focus(stage, run, row, station):
            say(f"  ->   {line}")


def _focus(stage: Stage, run: Run, row: int, station: int) -> list[str]:
    """What the stage meant for the car in focus."""
    if stage.title == "1 sense":
        start = stage.output.objects.start
        ego = stage.output.ego
        place = f"({ego.x[row]:.1f}, {ego.y[row]:.1f}) m, {ego.speed[row]:.1f} m/s"
        return [f"sees {start[row + 1] - start[row]} objects; believes to be at {place}"]
    if stage.title == "3 car":
        commands = stage.output[0]
        heard = stage.inputs[2]
        said = f"acceleration {commands.accel[row]:+.2f} m/s2, wheel angle {np.rad2deg(commands.steer[row]):+.1f} deg"
        if len(heard.receivers) <= row:
            return [said, run.rooms.fleet.explain(station)]
        kinds = heard.kind[heard.start[row] : heard.start[row + 1]]
        count = ", ".join(f"{(kinds == k).sum()} {k.name.lower()}" for k in MessageKind if (kinds == k).any())
        return [f"heard {count or 'nothing'}", said, run.rooms.fleet.explain(station)]
    if stage.title == "5 link":
        wire = getattr(run.rooms.link, "wire", None)
        if wire is not None and len(wire.kind):
            mine = np.flatnonzero(wire.station == station)
            return [
                f"own message as bytes: {bytes(wire.buffer[wire.start[m] : wire.start[m + 1]]).hex()}" for m in mine[:1]
            ]
    return []
