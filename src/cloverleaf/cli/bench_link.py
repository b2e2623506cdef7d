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

from cloverleaf.cli.peers import ask_peer, find_peer
from cloverleaf.types.errors import CloverleafError, StudyError

STATIONS = 500
DENSITIES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6)
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

    def second_of_steps() -> None:
        for _ in range(10):
            step()

    for _ in range(12):
        step()
    if security == "p256":
        second, bare = _beside(second_of_steps, _bare_signatures(10 * stations), 1)
    else:
        second, bare = 10.0 * _spent(step, ticks), None
    row: dict[str, Any] = {"stations": stations, "security": security, "ms_per_tick": second * 1e2}
    row |= {"core_share": second, "bar": 0.1 if security == "none" else 0.5}
    if bare is not None:
        row["signatures_alone"] = bare
    return row


def _bare_signatures(count: int) -> Callable[[], object]:
    """Makes and checks so many P-256 signatures with the bare library, with nothing around it."""
    from cloverleaf.link.security.algorithms import P256, SIGN, VERIFY, sha256

    key = P256.generate(0x5EED)
    public, digest = key.public_key(), sha256(b"")
    made = key.sign(digest, SIGN)

    def run() -> None:
        for _ in range(count):
            key.sign(digest, SIGN)
            public.verify(made, digest, VERIFY)

    return run


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


def nr_rows(seconds: float = 2.0) -> Iterator[dict[str, Any]]:
    """NR-V2X, packet by packet: delivery at some distances and densities. No public curve was at hand, so there is no bar."""
    from cloverleaf.link.radio.lte_v2x import highway
    from cloverleaf.link.radio.nr_v2x import NrConfig, nr_radio

    for spacing in (15, 30, 60):
        for density in (0.1, 0.3):
            counts = highway(nr_radio(NrConfig(spacing_khz=spacing)), density, seconds).counts
            ratio = counts.received / np.maximum(counts.offered, 1)
            yield {"radio": f"nr-v2x, 20 MHz, {spacing} kHz", "vehicles_per_m": density} | {
                f"pdr_{25 * k}_m": float(ratio[k]) for k in (4, 12, 20)
            }


def _beside(ours: Callable[[], object], other: Callable[[], object], repeat: int) -> tuple[float, float]:
    """CPU s of one call of each, the best of nine rounds in turn, so that both see the same machine."""
    best = [1e9, 1e9]
    for _ in range(9):
        for k, action in enumerate((ours, other)):
            begin = time.process_time()
            for _ in range(repeat):
                action()
            best[k] = min(best[k], (time.process_time() - begin) / repeat)
    return best[0], best[1]


def signature_row(count: int = 200) -> dict[str, Any]:
    """Messages verified per s with all checks, beside OpenSSL's bare P-256 rate in the same run."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    from cloverleaf.link.batches import pack
    from cloverleaf.link.security.algorithms import der_signature, p256_point, sha256
    from cloverleaf.link.security.bus_security import BusSecurity
    from cloverleaf.link.security.envelope import open_envelope

    security = BusSecurity("p256", "csae_day2")
    signer, now = security.signer(1), security.offset
    security.verifier.check(signer.sign(b"x" * 40, 111, now), (111,), now)
    stack = [signer.sign(b"x" * 40, 111, now + k * 1e-4) for k in range(1, 9 * count + 1)]
    certificate = signer.ticket.certificate
    opened = [open_envelope(m) for m in stack]
    bare_stack = [(der_signature(e.signature), sha256(sha256(e.signed) + sha256(certificate.coer))) for e in opened]
    key, prehashed = p256_point(certificate.point), ec.ECDSA(utils.Prehashed(hashes.SHA256()))

    psid = np.full(count, 111)

    def checked() -> None:
        buffer, start = pack([stack.pop() for _ in range(count)])
        assert not security.verifier.check_all(buffer, start, psid, now + 0.05).refused

    def bare_verify() -> None:
        for _ in range(count):
            key.verify(*bare_stack.pop(), prehashed)

    ours, bare = (cost / count for cost in _beside(checked, bare_verify, 1))
    return {"verified_per_s": 1 / ours, "openssl_per_s": 1 / bare, "ratio": bare / ours, "bar": 0.9}


GMSSL, GMSSL_VARIABLE = "gmssl", "CLOVERLEAF_GMSSL_PYTHON"
_GMSSL = """
import time
from gmssl.sm2 import CryptSM2
made, text, public = (inputs[k] for k in ("signature", "text", "public"))
peer = CryptSM2(private_key=None, public_key=public)
outputs["accepted"] = peer.verify_with_sm3(made, text.encode())
outputs["refused"] = not peer.verify_with_sm3(made, text.encode() + b"x")
best = 1e9
for _ in range(3):
    begin = time.process_time()
    for _ in range(5):
        peer.verify_with_sm3(made, text.encode())
    best = min(best, (time.process_time() - begin) / 5)
outputs["seconds"] = best
"""


def sm2_row(count: int = 40) -> dict[str, Any]:
    """SM2 signatures verified per s, beside gmssl where a Python has it: this one, or the one that `GMSSL_VARIABLE` names."""
    from cloverleaf.link.security import sm2

    if not sm2.available():
        return {"sm2": "needs OpenSSL's libcrypto"}
    text = b"message digest"
    key = sm2.PrivateKey(0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8)
    signature = sm2.sign(key, text)
    ours = _spent(lambda: sm2.verify(key.point, signature, text), count)
    python = find_peer(GMSSL, GMSSL_VARIABLE)
    if python is None:
        return {
            "sm2_verified_per_s": 1 / ours,
            "gmssl": f"not installed ({GMSSL_VARIABLE} names its Python)",
            "bar": 30.0,
        }
    x, y = sm2.decompress(key.point)
    given = {"signature": signature.hex(), "text": text.decode(), "public": f"{x:064x}{y:064x}"}
    found = ask_peer(python, _GMSSL, given)
    if not found["accepted"] or not found["refused"]:
        raise CloverleafError("gmssl does not judge our SM2 signature as we do")
    ours = min(ours, _spent(lambda: sm2.verify(key.point, signature, text), count))
    other: float = found["seconds"]
    return {"sm2_verified_per_s": 1 / ours, "gmssl_per_s": 1 / other, "ratio": other / ours, "bar": 30.0}


def collision_table(seconds: float = 3.0) -> str:
    """The text of `link/radio/collision_table.py`, from runs of the packet-level simulation (minutes)."""
    from cloverleaf.link.radio.lte_v2x import Radio, highway, radio
    from cloverleaf.link.radio.nr_v2x import nr_radio
    from cloverleaf.link.radio.tables import lte_v2x_tables, nr_v2x_tables

    configs: dict[str, tuple[Radio, Any, float]] = {
        "lte-v2x, 4 subchannels": (radio(10.0, 20.0, 4), lte_v2x_tables(20.0, 4, collisions=False), 1.0),
        "lte-v2x, 2 subchannels": (radio(10.0, 20.0, 2), lte_v2x_tables(20.0, 2, collisions=False), 1.0),
        "nr-v2x": (nr_radio(), nr_v2x_tables(collisions=False), 2.0),
    }
    text = '"""P(lost by interference | sensed, receiver silent) by distance and channel load; '
    text += 'made by `python -m cloverleaf.cli.bench_link --table`."""\n\nDISTANCE_STEP_M = 25.0\n'
    text += "COLLISION: dict[str, tuple[tuple[float, ...], tuple[tuple[float, ...], ...]]] = {\n"
    for name, (parameters, tables, width) in configs.items():
        heard = 2.0 * 25.0 * float((1.0 - tables.weak).sum() - 0.5 * (1.0 - tables.weak[0]))
        loads, columns = [0.0], [np.zeros(41)]
        for density in DENSITIES:
            sys.stderr.write(f"{name}: {density} vehicles/m\n")
            counts = highway(parameters, density, seconds, length=3000.0, reach=1000.0).counts
            reached = counts.collision + counts.received + counts.fade
            share = np.where(reached > 200, counts.collision / np.maximum(reached, 1), np.nan)
            far = int(np.flatnonzero(np.isfinite(share))[-1])
            share[far + 1 :] = share[far]
            columns.append(np.maximum.accumulate(np.nan_to_num(share)))
            loads.append(density * heard * 10.0 * width / tables.resources)
        rows = "".join("            (" + ", ".join(f"{c[i]:.3f}" for c in columns) + "),\n" for i in range(41))
        text += (
            f'    "{name}": (\n        ({", ".join(f"{v:.4f}" for v in loads)}),\n        (\n{rows}        ),\n    ),\n'
        )
    return (
        text
        + '}\n"""Radio -> (loads: share of the resources that a station senses as taken; rows by distance, columns by load)."""\n'
    )


def run(table: bool = False) -> None:
    """Print each row as it is measured; with `table` print the collision table instead (minutes)."""
    if table:
        sys.stdout.write(collision_table())
        return
    rows: list[Callable[[], dict[str, Any]]] = [
        bus_row,
        lambda: bus_row(security="p256"),
        signature_row,
        sm2_row,
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
    for row in nr_rows():
        _show(row)


if __name__ == "__main__":
    run("--table" in sys.argv)
