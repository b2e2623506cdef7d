"""One run of a scenario, stepped as you like: `Episode`. Its rows and events are what `cloverleaf trace` writes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from cloverleaf.loop.storyboard.run import (
    OUT_END,
    OUT_ROWS,
    STOPPED,
    TR_HEADING,
    TR_LANE,
    TR_OFFSET,
    TR_PRESENT,
    TR_ROAD,
    TR_S,
    TR_SPEED,
    TR_TIME,
    TR_X,
    TR_Y,
    TR_Z,
)
from cloverleaf.loop.storyboard.state import (
    HEADING,
    LANE,
    LOG_CONDITION,
    LOGGED,
    OFFSET,
    PRESENT,
    ROAD,
    RUNNING,
    SPEED,
    STANDBY,
    STATE,
    TIME,
    TOUCHED,
    TOUCHED_BY,
    WAITING,
    S,
    X,
    Y,
    Z,
)
from cloverleaf.loop.storyboard.worlds import Worlds
from cloverleaf.scenario.storyboard import tables as T
from cloverleaf.scenario.storyboard.compile import CompiledScenario, compile_scenario
from cloverleaf.scenario.storyboard.tree import KIND_NAMES

COLUMNS = ("time", "entity", "x", "y", "z", "heading", "speed", "road_id", "lane_id", "s", "offset")
LOG_ROWS = 20_000
STATES = {WAITING: "initState", STANDBY: "standby", RUNNING: "running", 3.0: "complete"}


class EntityState(NamedTuple):
    """Where an entity is now: reference point (m), heading (rad, anticlockwise from east), speed (m/s), place on the road."""

    name: str
    present: bool
    x: float
    y: float
    z: float
    heading: float
    speed: float
    road_id: str
    lane_id: int
    s: float
    offset: float


class Episode:
    """A scenario after Init, in one world.

    >>> episode = Episode("cut_in.xosc", {"Ego_InitSpeed_Ve0_kph": "50"})
    >>> while episode.step(): ...
    >>> episode.entities["Ego"].speed
    """

    def __init__(self, path: str | os.PathLike[str] | CompiledScenario, parameters: Mapping[str, str | float] | None = None,
                 *, dt: float = 0.01, every: float = 0.05, until: float = 120.0, seed: int = 0) -> None:  # fmt: skip
        compiled = path if isinstance(path, CompiledScenario) else compile_scenario(path, parameters)
        self.compiled, self.until = compiled, until
        self.worlds = Worlds(compiled, dt=dt, log=LOG_ROWS, seed=seed)
        self.worlds.record(max(round(every / dt), 1), until)
        self.worlds.watch(compiled.names.entities[0]) if compiled.names.entities else None
        self.worlds.begin()

    @property
    def time(self) -> float:
        """Simulation time, s."""
        return float(self.worlds.state.clock[0, TIME])

    @property
    def ended(self) -> bool:
        """True once the stop trigger has fired or the time limit is reached."""
        return bool(self.worlds.table[0, OUT_END] != 0.0)

    @property
    def ended_by(self) -> str:
        """Why the run is over."""
        end = self.worlds.table[0, OUT_END]
        return "stop trigger" if end == STOPPED else f"limit {self.until:g} s" if end else "not ended"

    def step(self, steps: int = 1) -> bool:
        """Go on by some steps; False once the run is over."""
        self.worlds.step(steps, self.until)
        return not self.ended

    def run(self) -> Episode:
        """Go on to the end."""
        self.worlds.run(self.until)
        return self

    @property
    def entities(self) -> dict[str, EntityState]:
        """All entities as they are now, by name."""
        out = {}
        for name, row in zip(self.compiled.names.entities, self.worlds.state.actor[0]):
            x, y, z, heading, speed = (float(row[c]) for c in (X, Y, Z, HEADING, SPEED))
            road, lane, s, offset = self._road_id(row[ROAD]), int(row[LANE]), float(row[S]), float(row[OFFSET])
            out[name] = EntityState(name, bool(row[PRESENT]), x, y, z, heading, speed, road, lane, s, offset)
        return out

    @property
    def variables(self) -> dict[str, str | float | bool]:
        """The scenario's variables by name."""
        texts, out = self.compiled.names.texts, {}
        for (name, kind), value in zip(self.compiled.names.variables, self.worlds.state.variable[0]):
            known: dict[str, Any] = {
                "boolean": bool(value),
                "string": texts[int(value)] if kind == "string" else "",
                "dateTime": "",
            }
            out[name] = known.get(kind, float(value))
        return out

    def states(self) -> dict[str, str]:
        """The state of every storyboard element by its path."""
        init = int(self.compiled.program.sizes[T.Z_INIT])
        rows = zip(self.compiled.names.paths[1:init], self.worlds.state.element[0, 1:init])
        return {path: STATES[float(row[STATE])] for path, row in rows}

    def _road_id(self, row: float) -> str:
        road = self.compiled.map
        return road.drive.road_ids[int(row)] if road is not None and row >= 0 else ""

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Recorded motion as rows of COLUMNS: all entities present, every `every` seconds, and at the end."""
        trace = self.worlds.trace[0, : int(self.worlds.table[0, OUT_ROWS])]
        for moment in trace:
            for name, r in zip(self.compiled.names.entities, moment):
                if r[TR_PRESENT]:
                    place = tuple(float(r[c]) for c in (TR_X, TR_Y, TR_Z, TR_HEADING, TR_SPEED))
                    lane = (self._road_id(r[TR_ROAD]), int(r[TR_LANE]), float(r[TR_S]), float(r[TR_OFFSET]))
                    yield (float(r[TR_TIME]), name, *place, *lane)
        last = float(trace[-1, 0, TR_TIME]) if trace.size else -1.0
        if self.ended and self.time > last + 1e-9:
            for e in self.entities.values():
                if e.present:
                    yield (self.time, *(v for k, v in e._asdict().items() if k != "present"))

    def events(self) -> dict[str, Any]:
        """What happened: storyboard transitions, conditions that became true, collisions; times in s."""
        names, program = self.compiled.names, self.compiled.program
        storyboard, conditions = [], []
        for time, row, state, _ in self.worlds.state.log[0, : int(self.worlds.state.clock[0, LOGGED])]:
            at = round(float(time), 6)
            if state == LOG_CONDITION:
                conditions.append({"time": at, "condition": names.conditions[int(row)]})
            elif state != WAITING:
                e = int(row)
                entry = {
                    "time": at,
                    "element": names.elements[e] or "storyBoard",
                    "type": KIND_NAMES[program.elements[e, T.E_KIND]],
                }
                storyboard.append(entry | {"state": STATES[float(state)], "path": names.paths[e]})
        actors = self.worlds.state.actor[0]
        collisions = [
            {
                "time": round(float(actors[i, TOUCHED]), 6),
                "entities": sorted((name, names.entities[int(actors[i, TOUCHED_BY])])),
            }
            for i, name in enumerate(names.entities)
            if not np.isnan(actors[i, TOUCHED])
        ]
        return {
            "scenario": self.compiled.path.name,
            "dt": self.worlds.dt,
            "end_time": round(self.time, 6),
            "ended_by": self.ended_by,
            "entities": {name: self._box(i) for i, name in enumerate(names.entities)},
            "storyboard": storyboard,
            "conditions": conditions,
            "collisions": [c for k, c in enumerate(collisions) if c not in collisions[:k]],
        }

    def _box(self, row: int) -> dict[str, float]:
        slot = int(self.compiled.program.entities[row, T.N_SLOT])
        size = self.worlds.columns.value[0, slot : slot + 6].tolist()
        return dict(zip(("length", "width", "height", "bb_center_x", "bb_center_y", "bb_center_z"), size))

    def __repr__(self) -> str:
        names = ", ".join(self.compiled.names.entities)
        return f"<Episode {self.compiled.path.name} at {self.time:.2f} s ({self.ended_by}): {names}>"

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{c}</th>" for c in ("entity", *COLUMNS[2:]))
        body = "".join(
            f"<tr><td>{e.name}</td>" + "".join(f"<td>{v:.2f}</td>" if isinstance(v, float) else f"<td>{v}</td>" for v in e[2:]) + "</tr>"
            for e in self.entities.values()
        )  # fmt: skip
        return f"<p>{self.compiled.path.name}, t = {self.time:.2f} s, {self.ended_by}</p><table><tr>{head}</tr>{body}</table>"
