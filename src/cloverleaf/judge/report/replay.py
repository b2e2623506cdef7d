"""Replays of the worst cases: each is run once more with its motion recorded, and cut to the seconds around the critical moment."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloverleaf.judge.drivers.registry import COMPILED, MEMORY, Driver
from cloverleaf.judge.evaluate import Chosen
from cloverleaf.judge.play import compiled, run_external, structural_names
from cloverleaf.judge.report.data import worst
from cloverleaf.judge.sweep import Setting, is_number
from cloverleaf.judge.verdict import SuiteResult
from cloverleaf.loop.storyboard.run import (
    OUT_ROWS,
    TR_HEADING,
    TR_PRESENT,
    TR_ROAD,
    TR_S,
    TR_SPEED,
    TR_TIME,
    TR_X,
    TR_Y,
)
from cloverleaf.loop.storyboard.state import BOX_X, BOX_Y, LENGTH, WIDTH
from cloverleaf.loop.storyboard.worlds import Worlds
from cloverleaf.map.opendrive.lanes import fill_row_points
from cloverleaf.map.opendrive.tables import LANE_ID, LANE_ROAD, LANE_SECTION
from cloverleaf.types.errors import InputError

FRAME = 0.1  # s between frames
BEFORE, AFTER = 8.0, 2.0  # s around the critical moment
MOST_PER_SUITE, MOST = 4, 40
ROAD_STEP, ROAD_REACH = 4.0, 120.0  # m
F64 = NDArray[np.float64]


def films(results: list[SuiteResult], chosen: list[Chosen], driver: Driver, setting: Setting) -> dict[str, Any]:
    """Suite -> recorded worst cases, as the page's script takes them; suites without failures have none."""
    found: dict[str, Any] = {}
    left = MOST
    for result, pick in zip(results, chosen):
        rows = worst(result)[: min(MOST_PER_SUITE, left)]
        left -= len(rows)
        made = []
        for row in rows:
            try:
                made.append(film(pick, row, result, driver, setting))
            except InputError:
                continue  # the case itself is reported as an error
        if made:
            found[result.suite] = made
    return found


def film(pick: Chosen, row: int, result: SuiteResult, driver: Driver, setting: Setting) -> dict[str, Any]:
    """One case recorded: frames of every entity, the road about it, time of the collision."""
    case = {n: c[row : row + 1] for n, c in pick.cases.items()}
    shaping = structural_names(pick.entry.scenario, {n: str(c[0]) for n, c in case.items()})
    fixed = {n: str(c[0]) for n, c in case.items() if n in shaping or not is_number(c)}
    values = {n: np.asarray(c, np.float64) for n, c in case.items() if n not in fixed}
    program, roads = compiled(pick.entry.scenario, tuple(fixed.items()))
    worlds = Worlds(program, program.columns(values, 1), dt=setting.dt, roads=roads, memory=MEMORY)
    crash = float(result.measures["crash_time_s"][row])
    until = crash + AFTER if np.isfinite(crash) else setting.until
    worlds.record(max(round(FRAME / setting.dt), 1), until)
    if driver.form == COMPILED:
        worlds.drive(pick.entry.system, driver.call)
        worlds.run(until)
    else:
        run_external(
            worlds, pick.entry.system, driver, [{**fixed, **{n: float(v[0]) for n, v in values.items()}}], until
        )
    rows = int(worlds.table[0, OUT_ROWS])
    trace, own = worlds.trace[0, :rows], worlds.entity(pick.entry.system)
    time = trace[:, own, TR_TIME]
    moment = crash if np.isfinite(crash) else time[-1] - AFTER
    keep = (time >= moment - BEFORE) & (time <= moment + AFTER)
    trace = trace[keep]
    number = int(result.numbers[row]) if result.numbers is not None else row
    return {
        "case": number,
        "time": _round(trace[:, own, TR_TIME]),
        "step": FRAME,
        "own": own,
        "hit": int(worlds.outcome["crash_with"][0]),
        "crash": crash if np.isfinite(crash) else None,
        "entities": [_entity(worlds, name, k, trace[:, k]) for k, name in enumerate(program.names.entities)],
        "lines": _lines(program.map, trace[:, own]) if program.map is not None else [],
    }


def _entity(worlds: Worlds, name: str, row: int, trace: F64) -> dict[str, Any]:
    box = worlds.state.actor[0, row]
    here = trace[:, TR_PRESENT] == 1.0
    shown = {
        key: [round(float(v), 3) if there else None for v, there in zip(trace[:, column], here)]
        for key, column in (("x", TR_X), ("y", TR_Y), ("h", TR_HEADING), ("v", TR_SPEED))
    }
    size = {"length": box[LENGTH], "width": box[WIDTH], "cx": box[BOX_X], "cy": box[BOX_Y]}
    return {"name": name, **shown, **{k: round(float(v), 3) for k, v in size.items()}}


def _lines(drive: Any, own: F64) -> list[list[float]]:
    """Borders of the lanes near the way of the entity under test, as flat x, y lists."""
    tables = drive.tables
    lines = []
    for road in np.unique(own[own[:, TR_ROAD] >= 0, TR_ROAD]).astype(np.int64):
        s = own[own[:, TR_ROAD] == road, TR_S]
        low, high = max(s.min() - ROAD_REACH, 0.0), min(s.max() + ROAD_REACH, tables.road_length[road])
        for row in np.flatnonzero(tables.lane_i[:, LANE_ROAD] == road):
            section = tables.lane_i[row, LANE_SECTION]
            after = tables.section_s[section + 1] if section + 1 < len(tables.section_s) else np.inf
            begin = tables.section_s[section]
            end = after if after > begin else tables.road_length[road]
            a, b = max(low, begin), min(high, end)
            if tables.lane_i[row, LANE_ID] == 0 or b - a < 0.1:
                continue
            at = np.linspace(a, b, max(int((b - a) / ROAD_STEP), 1) + 1)
            out = np.empty((len(at), 5))
            fill_row_points(tables, road, row, at, out)
            for side in (-0.5, 0.5):
                x = out[:, 0] - side * out[:, 3] * np.sin(out[:, 4])
                y = out[:, 1] + side * out[:, 3] * np.cos(out[:, 4])
                lines.append(_round(np.column_stack((x, y)).ravel()))
    return lines


def _round(values: F64) -> list[float]:
    return [round(float(v), 3) for v in values]
