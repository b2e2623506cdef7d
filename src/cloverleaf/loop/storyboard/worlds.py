"""Many worlds of one compiled scenario: `Worlds`."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from cloverleaf.loop.storyboard.driver import COMPILED, DRIVER, NEAR, OUTSIDE, OWN, stand_by
from cloverleaf.loop.storyboard.run import OUT_END, OUTCOME, TRACE, run_worlds, view_worlds
from cloverleaf.loop.storyboard.state import SEED, State, new_state
from cloverleaf.map.opendrive.network import RoadNetwork, empty_network, road_network
from cloverleaf.map.opendrive.tables import LaneGrid, MapTables
from cloverleaf.scenario.storyboard import tables as T
from cloverleaf.scenario.storyboard.compile import CompiledScenario
from cloverleaf.scenario.storyboard.numbers import Columns
from cloverleaf.types.errors import ScenarioError, nearest
from cloverleaf.types.state import F64, I64

OUTCOME_TYPE = np.dtype(
    [("end", "i4"), ("time", "f8"), ("crash", "?"), ("crash_time", "f8"), ("crash_with", "i4"), ("impact_speed", "f8"),
     ("min_ttc", "f8"), ("min_gap", "f8"), ("max_decel", "f8"), ("final_speed", "f8")]
)  # fmt: skip
"""A world's end (0 goes on, 1 stop trigger, 2 time limit) and time (s); of the watched entity: contact (time, partner's row, closing speed
m/s), smallest time to collision (s) and gap (m) to whoever is in its path, hardest braking (m/s2), last speed (m/s)."""


def empty_map() -> tuple[MapTables, LaneGrid]:
    """Tables of a scenario without roads."""

    def f(*shape: int) -> F64:
        return np.zeros(shape)

    def i(*shape: int) -> I64:
        return np.zeros(shape, np.int64)

    tables = MapTables(f(0), i(0, 15), f(0), f(0, 14), i(0, 3), f(0, 2), f(0), i(0, 3), i(0, 10), f(0, 5), f(0, 3))
    grid = LaneGrid(f(0, 10), i(0, 2), i(2), i(0), np.array([0.0, 0.0, 1.0]), np.ones(2, np.int64))
    return tables, grid


class Roads:
    """A map as the engine takes it: tables, grid, network and speed limits. Kept with the compiled scenario's map."""

    def __init__(self, compiled: CompiledScenario) -> None:
        self.network: RoadNetwork = empty_network()
        self.limit: F64 = np.zeros(0)
        if compiled.map is None:
            self.tables, self.grid = empty_map()
            return
        self.tables, self.grid = compiled.map.tables, compiled.map.grid
        self.network = road_network(compiled.map.drive.map, self.tables)
        self.limit = compiled.map.drive.map.lane_speed


class Worlds:
    """W worlds of one scenario after Init; they are stepped together and know nothing of each other.

    `state` holds their columns [world, actor, column] (see `state.py`), `outcome` what happened, `trace` (W, rows, A, 11) the recorded
    motion (columns TR_* of `run.py`). The same case gives the same bits wherever it stands, alone or among others.
    `device` "cuda" steps them on a CUDA device (`device.py`); `view` looks from the processor.
    """

    def __init__(self, compiled: CompiledScenario, columns: Columns | None = None, dt: float = 0.01, *, log: int = 0,
                 roads: Roads | None = None, memory: int = 8, seed: int = 0, device: str = "cpu") -> None:  # fmt: skip
        if not 0.0 < dt <= 1.0:
            raise ScenarioError(
                f"a step of {dt} s is out of range", file=compiled.path, hint="more than 0, at most 1 s"
            )
        self.compiled, self.dt, self.device = compiled, dt, device
        self.columns = columns if columns is not None else compiled.columns()
        self.roads = roads if roads is not None else Roads(compiled)
        program = compiled.program
        self.program = program._replace(entities=program.entities.copy(), sizes=program.sizes.copy())
        self.program.sizes[T.Z_DAY] = compiled.initial[2]
        self.count = len(self.columns.value)
        self.state: State = new_state(program, self.count, memory, log)
        self.state.clock[:, SEED] = seed
        self.table = np.zeros((self.count, OUTCOME))
        self.trace: F64 = np.zeros((self.count, 0, len(program.entities), TRACE))
        self.watched, self._sees, self._every = -1, -1, 0
        self._act, self._see = stand_by, stand_by
        self._seen = np.zeros((self.count, 1))
        actors = len(program.entities)
        self._own, self._near = np.zeros((actors, OWN)), np.zeros((actors, actors, NEAR))
        self._fresh = False

    def entity(self, name: str) -> int:
        """Row of an entity. Raises ScenarioError."""
        rows = self.compiled.entity_row
        if name not in rows:
            raise ScenarioError(f"no entity '{name}'", file=self.compiled.path, hint=nearest(name, rows))
        return rows[name]

    def drive(self, name: str, act: Any = "external") -> None:
        """Let a compiled driver (`@driver`) move an entity, or "external": `command[world, row]` as you write it before each step.

        It takes over when the scenario activates the entity's controller; at once if the entity has none. Before the first step.
        """
        row = self.entity(name)
        self.program.entities[row, T.N_DRIVER] = OUTSIDE if isinstance(act, str) else COMPILED
        if not isinstance(act, str):
            self._act = act
        self.watched = row if self.watched < 0 else self.watched
        self._fresh = False

    def watch(self, name: str) -> None:
        """Fill `outcome` for this entity: contacts, smallest time to collision and gap, braking."""
        self.watched = self.entity(name)

    def observe(self, name: str, see: Any, memory: int = 16) -> None:
        """Call an observer, a function of the driver's signature, for this entity after every step; it writes its memory alone."""
        self._sees, self._see = self.entity(name), see
        self._seen = np.zeros((self.count, memory))

    def observed(self, name: str) -> F64:
        """What the observer of an entity left in its memory, (W, memory)."""
        if self.entity(name) != self._sees:
            raise ScenarioError(f"entity '{name}' is not observed", file=self.compiled.path)
        return self._seen

    def view(self, name: str) -> tuple[F64, F64]:
        """What a driver of this entity sees now: `own` (W, OWN) and `near` (W, A, NEAR), columns of `driver.py`."""
        if not self._fresh:
            self.begin()
        own, near = np.zeros((self.count, OWN)), np.zeros((self.count, *self._near.shape[1:]))
        row = np.int64(self.entity(name))
        view_worlds(self.program, self.roads.tables, self.roads.network, self.roads.limit, self.state, row, own, near)
        return own, near

    @property
    def done(self) -> NDArray[np.bool_]:
        """Worlds that have ended or cannot run, (W,)."""
        found: NDArray[np.bool_] = (self.table[:, OUT_END] != 0.0) | self.columns.broken
        return found

    @property
    def outcome(self) -> NDArray[Any]:
        """What befell every world and its watched entity, (W,) records of OUTCOME_TYPE."""
        out = np.zeros(self.count, OUTCOME_TYPE)
        for column, field in enumerate(OUTCOME_TYPE.names or ()):
            out[field] = self.table[:, column]
        return out

    def record(self, every: int, until: float) -> None:
        """Write a trace row in every `every`-th step, up to the time `until` (s)."""
        rows = math.ceil(until / self.dt / every) + 2
        self._every = every
        self.trace = np.zeros((self.count, rows, len(self.program.entities), TRACE))

    @property
    def command(self) -> F64:
        """Accelerations (m/s2) and curvatures (1/m, NaN: keep the lane) asked from outside, (W, A, 2)."""
        return self.state.command

    def begin(self, which: NDArray[np.bool_] | None = None) -> None:
        """Run the Init actions; also brings worlds back to their start: all, or those marked in `which`, shape (W,)."""
        still = self.columns.broken if which is None else self.columns.broken | ~which
        self._run(int(self.compiled.initial[0]), 0, math.inf, still)
        self._fresh = True

    def step(self, steps: int = 1, until: float = math.inf) -> int:
        """At most `steps` steps of every world that has not ended; returns the actor-steps made.

        The first step of a world takes no time: it starts what is due at time 0.
        """
        if not self._fresh:
            self.begin()
        return self._run(-1, steps, until, self.columns.broken)

    def arguments(self, first: int, steps: int, until: float, still: NDArray[np.bool_]) -> tuple[Any, ...]:
        """What `run_worlds` takes; `first` and `until` as there, worlds marked in `still`, shape (W,), are left alone."""
        return (
            self._act, self._see, self.program, self.columns.value, self.roads.tables, self.roads.grid, self.roads.network,
            self.roads.limit, np.int64(first), self.dt, float(until), np.int64(steps), np.int64(self.watched), np.int64(self._sees),
            np.int64(self._every), self.state, self.table, still, self.trace, self._own, self._near, self._seen,
        )  # fmt: skip

    def _run(self, first: int, steps: int, until: float, still: NDArray[np.bool_]) -> int:
        arguments = self.arguments(first, steps, until, still)
        if self.device == "cuda":
            from cloverleaf.loop.storyboard.device import run_on_device

            return run_on_device(*arguments)
        _compile_once(arguments)
        return int(run_worlds(*arguments))

    def run(self, until: float = 120.0) -> int:
        """Every world to its own end (stop trigger), or to the time `until` (s)."""
        return self.step(int(math.ceil(until / self.dt)) + 2, until)


def _compile_once(arguments: tuple[Any, ...]) -> None:
    """One specialisation for all drivers: the driver is a function pointer in the kernel's signature."""
    compiled = getattr(run_worlds, "signatures", None)
    if compiled is not None and not compiled:
        run_worlds.compile((DRIVER, DRIVER, *(numba.typeof(x) for x in arguments[2:])))  # type: ignore[attr-defined]
        run_worlds.disable_compile()  # type: ignore[attr-defined]
