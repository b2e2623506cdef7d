"""One batch of cases through the scenario engine: driver in, measures out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloverleaf.judge import observe
from cloverleaf.judge.drivers import slot as d
from cloverleaf.judge.drivers.external import Planners
from cloverleaf.judge.drivers.registry import COMPILED, VECTOR, Driver
from cloverleaf.types.errors import CloverleafError, ScenarioError

RUNNING, STOPPED, TIME_LIMIT = range(3)
ENDS = np.array(["running", "stop trigger", "time limit"])


@lru_cache(maxsize=4)
def compiled(scenario: Path, fixed: tuple[tuple[str, str], ...]) -> Any:
    """The program of a scenario with its structural parameters fixed."""
    from cloverleaf.scenario.storyboard.compile import compile_scenario

    return compile_scenario(scenario, dict(fixed))


def structural_names(scenario: Path, first: Mapping[str, str]) -> tuple[str, ...]:
    """Parameters that shape the program. Raises ScenarioError, MapError."""
    return tuple(compiled(scenario, tuple(first.items())).structural)


def play(
    scenario: Path, fixed: Mapping[str, str], values: Mapping[str, NDArray[np.float64]], count: int, system: str,
    driver: Driver, dt: float, until: float,
) -> dict[str, NDArray[Any]]:  # fmt: skip
    """Run `count` cases to their end; columns of shape (count,). Raises ScenarioError, MapError, PluginError."""
    from cloverleaf.loop.storyboard.worlds import Worlds

    program = compiled(scenario, tuple(fixed.items()))
    columns = program.columns(values, count)
    worlds = Worlds(program, columns, dt=dt)
    if system not in program.entity_row:
        raise ScenarioError(f"no entity '{system}'", file=scenario, element="Entities")
    worlds.observe(system, observe.observe, memory=observe.MEMORY)
    if driver.form == COMPILED:
        worlds.drive(system, driver.call)
        worlds.run(until)
    else:
        cases = [{**fixed, **{n: float(v[w]) for n, v in values.items()}} for w in range(count)]
        run_external(worlds, program.entity_row[system], driver, cases, system, dt, until)
    return _columns(worlds, columns, count, system)


def run_external(
    worlds: Any, row: int, driver: Driver, cases: list[dict[str, Any]], system: str, dt: float, until: float
) -> None:
    """Step the worlds with a driver in Python."""
    worlds.drive(system, "external")
    own, near = worlds.view(system)
    asked = driver.call() if driver.form == VECTOR else Planners(driver.call, cases)
    try:
        asked.reset(own.shape[0], near.shape[1], dt)
        for _ in range(round(until / dt)):
            own, near = worlds.view(system)
            active = (own[:, d.ACTIVE] == 1.0) & ~worlds.done
            if active.any():
                asked.drive(own, near, worlds.command[:, row, :])
            worlds.step(1)
            if worlds.done.all():
                break
    except CloverleafError:
        raise
    except Exception as error:
        raise ScenarioError(f"the driver failed: {type(error).__name__}: {error}", element=driver.name) from error
    finally:
        getattr(asked, "close", lambda: None)()


def _columns(worlds: Any, columns: Any, count: int, system: str) -> dict[str, NDArray[Any]]:
    """Measures of a finished batch."""
    outcome, broken = worlds.outcome, np.asarray(columns.broken, np.int8)
    observed = observe.measures(np.asarray(worlds.observed(system)))
    crash = outcome["crash"].astype(np.float64)
    impact = np.where(outcome["crash"], np.maximum(outcome["impact_speed"], 0.0), 0.0) * 3.6
    found = {
        "crash": crash,
        "crash_time_s": np.where(outcome["crash"], outcome["crash_time"], np.nan),
        "impact_speed_kmh": impact,
        "end_time_s": outcome["time"].astype(np.float64),
        "final_speed_kmh": outcome["final_speed"] * 3.6,
        **observed,
    }
    table: dict[str, NDArray[Any]] = {n: np.where(broken == 0, v, np.nan) for n, v in found.items()}
    table["end"] = np.where(broken == 0, ENDS[outcome["end"]], "")
    table["broken"] = broken
    table["reason"] = np.array([columns.reason(w) if broken[w] else "" for w in range(count)], dtype=np.str_)
    return table
