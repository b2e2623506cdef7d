"""`cloverleaf bench link`: cost of the bus per tick, the radio against real time, signatures against OpenSSL's own rate."""

from __future__ import annotations

import csv
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cloverleaf.types.errors import StudyError

STATIONS = 500
DENSITIES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4)
"""Vehicles per m of the runs behind the collision table."""


def _spent(action: Callable[[], object], repeat: int) -> float:
    """CPU s of one call, the best of three rounds of `repeat`."""
    best = 1e9
    for _ in range(3):
        begin = time.process_time()
        for _ in range(repeat):
            action()
        best = min(best, (time.process_time() - begin) / repeat)
    return best


def bus_row(
    stations: int = STATIONS, security: str = "none", standard: str = "csae_day2", ticks: int = 20
) -> dict[str, Any]:
    """Cost of the link with `stations` cars on 3 km x 3 km at 10 Hz, real bytes, LTE-V2X: share of one core."""
    from cloverleaf.link.bus import Link
    from cloverleaf.link.content.content import Content
    from cloverleaf.link.security.bus_security import bus_security
    from cloverleaf.link.station import Stations, empty_outbox
    from cloverleaf.map.graph import BaseMap, GeoReference
    from cloverleaf.types.messages import AwarenessBatch

    geo = GeoReference("+proj=tmerc +lat_0=31 +lon_0=121 +ellps=WGS84", 0.0, 0.0, 31.0, 121.0)
    nowhere = BaseMap(None, (), (), (), (), (), geo, "", ())  # type: ignore[arg-type]
    link = Link(Content(nowhere, standard), standard=standard, security=bus_security(security, standard))
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-1500, 1500, stations), rng.uniform(-1500, 1500, stations)
    none, zero, ints = np.zeros(0), np.zeros(stations), np.zeros(stations, np.int32)
    who = Stations(np.arange(stations, dtype=np.int64), x, y, np.zeros(0, np.int64), none, none, True)
    tick = [0]

    def step() -> None:
        t = tick[0] * 0.1
        tick[0] += 1
        batch = AwarenessBatch(
            who.car, zero + t, x, y, zero, zero + 14, zero, zero, zero + 4.6, zero + 1.8, ints + 1, ints
        )
        link.exchange(empty_outbox()._replace(awareness=batch), who, t)

    for _ in range(12):
        step()
    cost = _spent(step, ticks)
    return {"stations": stations, "security": security, "ms_per_tick": cost * 1e3, "core_share_at_10_hz": cost * 10.0}


def radio_row(stations: int = 1000, seconds: float = 1.0) -> dict[str, Any]:
    """The packet-level radio: simulated s per CPU s, `stations` at 10 Hz on 5 km of road."""
    from cloverleaf.link.radio.lte_v2x import Mode4, radio

    x = np.linspace(0.0, 5000.0, stations)
    air = Mode4(radio(10.0, 20.0, 4), x, np.zeros(stations))
    air.run(200)
    epoch = [0]

    def run() -> None:
        for _ in range(int(seconds * 10)):
            epoch[0] += 1
            air.refresh(epoch[0])
            air.run(100)

    return {"stations": stations, "simulated_s_per_cpu_s": seconds / _spent(run, 1), "bar": 1.0}


def radio_curves(folder: Path, seconds: float = 4.0) -> Iterator[dict[str, Any]]:
    """The packet-level radio beside published delivery curves: worst difference over distance for each configuration.

    Args:
        folder: has pdr_lte_v2x_mode4.csv: density_veh_per_m, rate_hz, tx_power_dbm, subchannels, distance_m, pdr_simulation.
    """
    from cloverleaf.link.radio.lte_v2x import highway, radio

    file = folder / "pdr_lte_v2x_mode4.csv"
    if not file.is_file():
        raise StudyError("no published curves here", file=file, hint="--data DIR with v2x/radio/pdr_lte_v2x_mode4.csv")
    curves: dict[tuple[float, ...], list[tuple[float, float]]] = defaultdict(list)
    with open(file, encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            key = tuple(float(row[k]) for k in ("density_veh_per_m", "rate_hz", "tx_power_dbm", "subchannels"))
            curves[key].append((float(row["distance_m"]), float(row["pdr_simulation"])))
    for (density, rate, power, subchannels), curve in curves.items():
        counts = highway(radio(rate, power, int(subchannels)), density, seconds).counts
        ratio = counts.received / np.maximum(counts.offered, 1)
        error = [ratio[int(round(d / 25.0))] - value for d, value in curve if d > 0.0]
        yield {
            "vehicles_per_m": density, "rate_hz": rate, "power_dbm": power, "subchannels": int(subchannels),
            "worst_pdr_error": max(error, key=abs), "mean_abs_error": float(np.mean(np.abs(error))), "bar": 0.03,
        }  # fmt: skip


def signature_row(count: int = 300) -> dict[str, Any]:
    """Messages verified per s with all checks, beside OpenSSL's bare P-256 rate in the same run."""
    from cloverleaf.link.security.algorithms import P256, p256_verify_digest
    from cloverleaf.link.security.bus_security import BusSecurity

    security = BusSecurity("p256", "csae_day2")
    signer, now = security.signer(1), security.offset
    security.verifier.check(signer.sign(b"x" * 40, 111, now), (111,), now)
    stack = [signer.sign(b"x" * 40, 111, now + k * 1e-4) for k in range(1, 3 * count + 1)]
    bare_signature = P256.sign(signer.ticket.key, b"data", b"")
    digest = P256.hash(P256.hash(b"data") + P256.hash(b""))
    point = signer.ticket.certificate.point
    ours = _spent(lambda: security.verifier.check(stack.pop(), (111,), now + 0.05), count)
    bare = _spent(lambda: p256_verify_digest(point, bare_signature, digest), count)
    return {"verified_per_s": 1 / ours, "openssl_per_s": 1 / bare, "ratio": bare / ours}


def collision_table(seconds: float = 3.0) -> str:
    """The text of `link/radio/collision_table.py`, from runs of the packet-level simulation (minutes)."""
    from cloverleaf.link.radio.lte_v2x import highway, radio
    from cloverleaf.link.radio.propagation import sensed_share

    road = np.arange(-1500.0, 1500.0)
    heard = float(sensed_share(np.abs(road), 20.0).sum())
    loads, columns = [0.0], [np.zeros(41)]
    for density in DENSITIES:
        sys.stderr.write(f"{density} vehicles/m\n")
        counts = highway(radio(10.0, 20.0, 4), density, seconds, length=3000.0, reach=1000.0).counts
        reached = counts.collision + counts.received + counts.fade
        share = np.where(reached > 20, counts.collision / np.maximum(reached, 1), np.nan)
        far = int(np.flatnonzero(np.isfinite(share))[-1])
        share[far + 1 :] = share[far]
        columns.append(np.maximum.accumulate(np.nan_to_num(share)))
        loads.append(density * heard * 10.0 / 4000.0)
    rows = "".join("    (" + ", ".join(f"{c[i]:.3f}" for c in columns) + "),\n" for i in range(41))
    head = '"""P(lost by interference | sensed, receiver silent) by distance and channel load; '
    head += 'made by `python -m cloverleaf.cli.bench_link --table`."""'
    return (
        f"{head}\n\nDISTANCE_STEP_M = 25.0\nLOADS = ({', '.join(f'{v:.4f}' for v in loads)})\n"
        f'"""Share of the resources that a station senses as taken."""\nCOLLISION = (\n{rows})\n"""Rows by distance, columns by load."""\n'
    )


def run(table: bool = False) -> None:
    """Print each row as it is measured; with `table` print the collision table instead (minutes)."""
    if table:
        sys.stdout.write(collision_table())
        return
    rows: list[Callable[[], dict[str, Any]]] = [
        bus_row,
        lambda: bus_row(security="p256", ticks=5),
        signature_row,
        radio_row,
    ]
    for measure in rows:
        _show(measure())


def _show(row: dict[str, Any]) -> None:
    sys.stdout.write("  ".join(f"{k}={v:.3g}" if isinstance(v, float) else f"{k}={v}" for k, v in row.items()) + "\n")
    sys.stdout.flush()


def run_radio(data: Path | None) -> None:
    """The rows of `cloverleaf bench radio`: speed, and the published curves where there is a data folder."""
    _show(radio_row())
    for row in radio_curves(data / "v2x" / "radio") if data else ():
        _show(row)


if __name__ == "__main__":
    run("--table" in sys.argv)
