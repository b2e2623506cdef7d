"""R157 suites as tables of concrete cases: the published grids, and their evaluation by a reference driver.

Parameters are named as in the grids: `ego_kmh`, `cutin_kmh`, `dx0_m`, `lat_vel_mps` (cut-in), `speed_kmh`, `front_distance_m`,
`lat_vel_mps` (cut-out), `lead_decel_g`, `speed_kmh` (car following).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cloverleaf.judge.r157 import families
from cloverleaf.judge.r157.drivers import G, ReferenceDriver
from cloverleaf.types.errors import StudyError, nearest

Columns = dict[str, NDArray[Any]]


class Family(NamedTuple):
    """One scenario family: its parameter names, its full grid, and the drivers that the regulation's tool defines for it."""

    parameters: tuple[str, ...]
    grid: Callable[[], Columns]
    drivers: tuple[ReferenceDriver, ...]


def _table(names: tuple[str, ...], rows: list[tuple[float, ...]]) -> Columns:
    values = np.array(rows, dtype=np.float64)
    return {name: np.ascontiguousarray(values[:, i]) for i, name in enumerate(names)}


CUT_IN = ("ego_kmh", "cutin_kmh", "dx0_m", "lat_vel_mps")
CUT_OUT = ("speed_kmh", "front_distance_m", "lat_vel_mps")
FOLLOWING = ("lead_decel_g", "speed_kmh")


def _cut_in_grid(egos: range, step: int, gaps: range) -> Columns:
    speeds = [(e, c) for e in egos for c in range(10, e, step)]
    return _table(CUT_IN, [(e, c, g, k / 10) for (e, c), g, k in product(speeds, gaps, range(18))])


FAMILIES: dict[str, Family] = {
    "cut_in_high_speed": Family(
        CUT_IN, lambda: _cut_in_grid(range(70, 131, 20), 30, range(1, 120, 2)), tuple(ReferenceDriver)
    ),
    "cut_in_low_speed": Family(
        CUT_IN, lambda: _cut_in_grid(range(10, 61, 10), 10, range(1, 60)), tuple(ReferenceDriver)
    ),
    "cut_out": Family(
        CUT_OUT,
        lambda: _table(
            CUT_OUT,
            [(v, d, -k / 10) for v, d, k in product(range(10, 131, 10), range(2, 150, 5), range(1, 31, 2))],
        ),
        tuple(ReferenceDriver)[:3],
    ),
    "car_following": Family(
        FOLLOWING,
        lambda: _table(FOLLOWING, [(k / 20, v) for k, v in product(range(1, 20), range(12, 130, 2))]),
        tuple(ReferenceDriver)[:3],
    ),
}


def on_grid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Decimal tenths as the grids hold them, k * 0.1.

    The families count steps by floor divisions, so 0.6 and 6 * 0.1 differ by one step; the published tool uses the latter.
    """
    tenths = np.round(values * 10)
    return np.where(np.abs(values * 10 - tenths) < 1e-9, tenths * 0.1, values)


def evaluate(
    family: str, driver: ReferenceDriver, cases: Mapping[str, NDArray[np.float64]], full: bool = True
) -> Columns:
    """Run every case; returns columns of shape (cases,): `crash` and the family's measures.

    `crash` is 1 or 0; cut-in adds `crash_type` (1 side, 2 rear-end) and `min_ttc_s` (NaN unless `full`).
    """
    if family not in FAMILIES:
        raise StudyError(f"unknown R157 family '{family}'", hint=nearest(family, FAMILIES))
    wanted = FAMILIES[family]
    missing = [p for p in wanted.parameters if p not in cases]
    if missing:
        raise StudyError(
            f"cases lack the column '{missing[0]}'", element=family, hint="columns: " + ", ".join(wanted.parameters)
        )
    if driver not in wanted.drivers:
        raise StudyError(
            f"driver {driver.name.lower()} is not defined for {family}",
            hint="defined: " + ", ".join(d.name.lower() for d in wanted.drivers),
        )
    columns = {p: np.ascontiguousarray(cases[p], dtype=np.float64) for p in wanted.parameters}
    n = len(columns[wanted.parameters[0]])
    pfs, cfs = np.zeros(n), np.zeros(n)
    out: Columns
    if wanted.parameters is CUT_IN:
        kind, ttc = np.zeros(n, np.int64), np.full(n, np.nan)
        speeds = columns["ego_kmh"] / 3.6, columns["cutin_kmh"] / 3.6
        lateral = on_grid(columns["lat_vel_mps"])
        families.cut_in_cases(int(driver), *speeds, columns["dx0_m"], lateral, int(full), kind, ttc, pfs, cfs)
        out = {"crash": (kind > 0).astype(np.int8), "crash_type": kind.astype(np.int8)}
        out["min_ttc_s"] = ttc if full else np.full(n, np.nan)
    else:
        crash, gap = np.zeros(n, np.bool_), np.zeros(n)
        if wanted.parameters is CUT_OUT:
            lead = np.zeros(n, np.bool_)
            arguments = columns["speed_kmh"] / 3.6, columns["front_distance_m"], columns["lat_vel_mps"]
            families.cut_out_cases(int(driver), *arguments, int(full), crash, lead, gap, pfs, cfs)
            out = {"crash": crash.astype(np.int8), "crash_of_lead": lead.astype(np.int8)}
        else:
            impact = np.zeros(n)
            arguments2 = columns["speed_kmh"] / 3.6, columns["lead_decel_g"] * G
            families.car_following_cases(int(driver), *arguments2, int(full), crash, gap, impact, pfs, cfs)
            out = {"crash": crash.astype(np.int8), "speed_difference_at_impact": impact}
        out["initial_distance_m"] = gap
    if driver == ReferenceDriver.FSM:
        out |= {"pfs": pfs, "cfs": cfs}
    return out
