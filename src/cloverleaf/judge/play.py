"""One batch of cases through the scenario engine: driver in, measures out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloverleaf.judge import observe
from cloverleaf.judge.drivers.external import Planners
from cloverleaf.judge.drivers.registry import COMPILED, MEMORY, VECTOR, Driver
from cloverleaf.loop.storyboard import driver as d
from cloverleaf.loop.storyboard.state import BOX_X, BOX_Y, HEADING, X, Y
from cloverleaf.loop.storyboard.worlds import Roads, Worlds
from cloverleaf.scenario.storyboard.compile import compile_scenario
from cloverleaf.types.errors import CloverleafError, ScenarioError

OUTSIDE_CONSTRAINTS = "violates its constraints"  # in the reason of a case that its scenario rules out
ENDS = np.array(["running", "stop trigger", "time limit"])


@lru_cache(maxsize=4)
def compiled(scenario: Path, fixed: tuple[tuple[str, str], ...]) -> Any:
    """The program of a scenario with its structural parameters fixed, and its roads as the engine takes them."""
    program = compile_scenario(scenario, dict(fixed))
    return program, Roads(program)


def structural_names(scenario: Path, first: Mapping[str, str]) -> tuple[str, ...]:
    """Parameters that shape the program. Raises ScenarioError, MapError.

    They are those of the scenario as written; `first`, the values of a case, helps where its own values do not stand alone.
    """
    try:
        return tuple(compiled(scenario, ())[0].structural)
    except ScenarioError:
        return tuple(compiled(scenario, tuple(first.items()))[0].structural)


def play(
    scenario: Path, fixed: Mapping[str, str], values: Mapping[str, NDArray[np.float64]], count: int, system: str,
    driver: Driver, dt: float, until: float, device: str = "cpu",
) -> dict[str, NDArray[Any]]:  # fmt: skip
    """Run `count` cases to their end; columns of shape (count,). Raises ScenarioError, MapError, PluginError."""
    program, roads = compiled(scenario, tuple(fixed.items()))
    columns = program.columns(values, count)
    worlds = Worlds(program, columns, dt=dt, roads=roads, memory=MEMORY, device=device)
    worlds.observe(system, observe.observe, observe.MEMORY)
    if driver.form == COMPILED:
        worlds.drive(system, driver.call)
        worlds.run(until)
    else:
        cases = [{**fixed, **{n: float(v[w]) for n, v in values.items()}} for w in range(count)]
        run_external(worlds, system, driver, cases, until)
    return _columns(worlds, columns, count, system)


def run_external(worlds: Worlds, system: str, driver: Driver, cases: list[dict[str, Any]], until: float) -> None:
    """Step the worlds with a driver in Python. Raises ScenarioError, PluginError."""
    row = worlds.entity(system)
    worlds.drive(system, "external")
    command = np.zeros((worlds.count, d.COMMAND))
    asked = driver.call() if driver.form == VECTOR else Planners(driver.call, cases, row)
    try:
        asked.reset(worlds.count, len(worlds.program.entities), worlds.dt)
        for _ in range(int(np.ceil(until / worlds.dt)) + 2):
            own, near = worlds.view(system)
            own[worlds.done, d.OWN_ACTIVE] = 0.0
            if (own[:, d.OWN_ACTIVE] == 1.0).any():
                command[:] = 0.0, np.nan
                if isinstance(asked, Planners):
                    asked.poses = box_poses(worlds)
                asked.drive(own, near, command)
                worlds.command[:, row, :] = command
            worlds.step(1, until)
            if worlds.done.all():
                break
    except CloverleafError:
        raise
    except Exception as error:
        raise ScenarioError(f"the driver failed: {type(error).__name__}: {error}", element=driver.name) from error
    finally:
        getattr(asked, "close", lambda: None)()


def box_poses(worlds: Worlds) -> NDArray[np.float64]:
    """Box centres (m) and headings (rad) of all entities, shape (worlds, entities, 3)."""
    a = worlds.state.actor[:, : len(worlds.program.entities)]
    c, s = np.cos(a[..., HEADING]), np.sin(a[..., HEADING])
    x = a[..., X] + a[..., BOX_X] * c - a[..., BOX_Y] * s
    y = a[..., Y] + a[..., BOX_X] * s + a[..., BOX_Y] * c
    return np.stack((x, y, a[..., HEADING]), axis=-1)


def _columns(worlds: Worlds, columns: Any, count: int, system: str) -> dict[str, NDArray[Any]]:
    """Measures of a finished batch."""
    outcome = worlds.outcome
    crash = outcome["crash"].astype(np.bool_)
    outside = np.array([OUTSIDE_CONSTRAINTS in columns.reasons.get(w, "") for w in range(count)], np.bool_)
    broken = np.where(columns.broken, np.where(outside, 2, 1), 0).astype(np.int8)
    seen = observe.measures(worlds.observed(system))
    found = {
        "crash": crash.astype(np.float64),
        "crash_time_s": np.where(crash, outcome["crash_time"], np.nan),
        "impact_speed_kmh": np.where(crash, np.maximum(np.nan_to_num(outcome["impact_speed"]), 0.0), 0.0) * 3.6,
        **seen,
        "min_ttc_s": np.fmin(_finite(outcome["min_ttc"]), seen["min_ttc_s"]),
        "min_gap_m": _finite(outcome["min_gap"]),
        "final_speed_kmh": outcome["final_speed"] * 3.6,
        "end_time_s": outcome["time"],
    }
    table: dict[str, NDArray[Any]] = {n: np.where(broken == 0, v, np.nan) for n, v in found.items()}
    table["end"] = np.where(broken == 0, ENDS[outcome["end"].astype(np.int64)], "")
    table["broken"] = broken
    table["reason"] = np.array([columns.reasons.get(w, "") for w in range(count)], dtype=np.str_)
    return table


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(values), values, np.nan)
