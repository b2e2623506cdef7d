"""`cloverleaf bench cloud...`: the platform's numbers, with the load generator in a process of its own, each row bounded in time.

Every throughput row states the share of messages whose signature the platform itself verified. Latencies are from the bytes' sending
in the generator to the advisory's arrival there.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import typer

from cloverleaf.cloud.broker import Broker, cluster
from cloverleaf.cloud.live.frames import Trust
from cloverleaf.cloud.server.settings import DISTRICT, Settings, share_map
from cloverleaf.types.errors import CloverleafError

BIG_MAP = (4, 4)
"""Copies of the district side by side, for load that one district has no room for."""


def say(name: str, **figures: Any) -> None:
    """One row."""
    shown = (f"{k} {v:,.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in figures.items())
    typer.echo(f"{name:<34}" + "   ".join(shown))


@contextmanager
def bench_folder() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="cloverleaf-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def big_map(settings: Settings) -> None:
    """Leave a map of many districts for the processes."""
    from cloverleaf.map.tiled import tiled

    base_map = tiled(share_map(settings), *BIG_MAP)
    (settings.run / "map.pickle").write_bytes(pickle.dumps(base_map, protocol=5))


@contextmanager
def processes(folder: Path, settings: Settings, *roles: tuple[str, ...]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Platform processes over a broker that runs already."""
    from cloverleaf.cloud.server.child import command

    path = settings.write()
    out = []
    for module, *arguments in roles:
        with open(folder / f"{module}.log", "ab") as log:
            out.append(subprocess.Popen(command(module, path, *arguments), stdout=log, stderr=log))
    try:
        yield out
    finally:
        for p in out:
            if p.poll() is None:
                p.send_signal(signal.SIGTERM)
        for p in out:
            try:
                p.wait(8.0)
            except subprocess.TimeoutExpired:
                p.kill()


def generate(**load: Any) -> subprocess.Popen[str]:
    """Start the load generator."""
    line = [sys.executable, "-m", "cloverleaf.cloud.server.load", json.dumps(load)]
    return subprocess.Popen(line, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL)


def result_of(generator: subprocess.Popen[str], patience: float) -> dict[str, Any]:
    """What the generator measured; an empty dict if it failed."""
    try:
        out, _ = generator.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        generator.kill()
        return {}
    found: dict[str, Any] = json.loads(out) if out else {}
    return found


async def health_of(url: str, role: str, seconds: float = 10.0) -> dict[str, Any]:
    """The next page that a process publishes about itself."""
    from cloverleaf.cloud.server.child import connect

    broker = await connect(url, "bench")
    sub = await broker.subscribe(f"v2x.health.{role}")
    try:
        page: dict[str, Any] = json.loads((await sub.next_msg(timeout=seconds)).data)
        return page
    finally:
        await broker.close()


def wait_ready(
    url: str, role: str, process: subprocess.Popen[bytes], log: Path, patience: float = 120.0
) -> dict[str, Any]:
    """Wait for a process's first page (it may compile kernels first).

    Raises:
        CloverleafError: it ended instead, with the last line of its `log`; or it said nothing for so long.
    """
    end = time.monotonic() + patience
    while time.monotonic() < end:
        with suppress(Exception):
            return asyncio.run(health_of(url, role, 2.0))
        if process.poll() is not None:
            lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
            why = lines[-1].strip() if lines else f"exit {process.returncode}"
            raise CloverleafError(f"{role} ended at its start: {why}")
    raise CloverleafError(f"{role} did not answer in {patience:.0f} s")


def ingest(
    vehicles: int, *, seconds: float = 10.0, trust: Trust = Trust.VERIFIED, mode: str = "frames", hz: float = 10.0
) -> dict[str, Any]:
    """One shard under real-time load; the generator's figures and the shard's CPU share."""
    with bench_folder() as folder:
        broker = Broker(folder / "broker", mqtt=-1)
        security = "p256" if trust == Trust.SIGNED else "none"
        settings = Settings(
            data=str(folder), broker=broker.url, security=security, secret="00" * 32, services=("collision_warning",)
        )
        big_map(settings)
        if security != "none":
            from cloverleaf.cloud.security.own_root import make_root
            from cloverleaf.cloud.server.load_keys import leave_trust

            leave_trust(folder / "trust")
            make_root(settings.folder / "keys", security)
        broker.start()
        asyncio.run(_stream([broker]))  # a gateway sends its frames to the stream, again and again while there is none
        roles = [("shard", "0")] + ([("gateway",)] if mode == "messages" else [])
        try:
            with processes(folder, settings, *roles) as started:
                for (module, *number), process in zip(roles, started):
                    wait_ready(broker.url, "-".join((module, *number)), process, folder / f"{module}.log")
                generator = generate(
                    url=broker.url, map=str(settings.run / "map.pickle"), mode=mode, vehicles=vehicles, seconds=seconds, warm_s=8.0,
                    trust=int(trust), hz=hz, tick_s=0.02 if mode == "frames" else 0.01,
                )  # fmt: skip
                time.sleep(8.0 + 0.3 * seconds)
                first = asyncio.run(health_of(broker.url, "shard-0"))
                time.sleep(0.4 * seconds)
                last = asyncio.run(health_of(broker.url, "shard-0"))
                out = result_of(generator, seconds + 60.0)
                span = last["time"] - first["time"]
                out["shard_cpu_share"] = (last["cpu_s"] - first["cpu_s"]) / span
                out["verified_per_s"] = (last["verified"] - first["verified"]) / span
                out["accepted_per_s"] = (last["totals"].get("accepted", 0) - first["totals"].get("accepted", 0)) / span
                out["refused"] = {k: v for k, v in last["totals"].items() if k != "accepted"}
                out["cycle_ms_p50"], out["objects"] = last["cycle_ms_p50"], last["objects"]
                return out
        finally:
            broker.stop()


def show_ingest(name: str, bar: str, out: dict[str, Any]) -> None:
    """A row of `ingest`."""
    if not out:
        say(name, result="the generator did not finish")
        return
    verified = out["verified_per_s"] / max(out["accepted_per_s"], 1.0)
    say(
        name, bar=f"[{bar}]", p50_ms=out["p50_ms"], p99_ms=out["p99_ms"], sent_per_s=out["messages_per_s"],
        taken_per_s=out["accepted_per_s"],
        verified_here=f"{100 * min(verified, 1.0):.0f} %", shard_cpu=out["shard_cpu_share"], cycle_ms=out["cycle_ms_p50"],
        answers=out["answers_timed"], late_ticks=out["late_ticks"], refused=out["refused"],
    )  # fmt: skip


def verify_rate(seconds: float = 2.0) -> tuple[float, float]:
    """Messages per CPU second: bare OpenSSL verifications, and the whole way of a signed message through the engine."""
    import numpy as np

    from cloverleaf.cloud.live.engine import Engine
    from cloverleaf.cloud.security import verify as checker
    from cloverleaf.cloud.security.verify import FrameChecker
    from cloverleaf.cloud.server.load import Generator, Load
    from cloverleaf.cloud.server.load_keys import authority
    from cloverleaf.cloud.server.settings import read_map
    from cloverleaf.link.security.algorithms import p256_point, sha256
    from cloverleaf.link.security.envelope import open_envelope

    base_map = read_map(DISTRICT)
    generator = Generator(Load("", "", vehicles=500, trust=int(Trust.SIGNED)), base_map)
    root = authority()
    engine = Engine(base_map, checker=FrameChecker("p256", [root.root, root.authority]))
    rows = np.arange(500)
    now = time.time()
    for k in range(3):  # certificates, kernels
        engine.add("bench", generator.frame(rows, now - 0.5 + 0.1 * k))
        engine.cycle(now)
    frames = []
    for k in range(8):
        generator.traffic.move(rows, 0.1)
        frames.append(generator.frame(rows, now + 0.1 * k))
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    work = []
    for f in frames:
        for i in range(len(f.kind)):
            e = open_envelope(f.buffer[f.start[i] : f.start[i + 1]].tobytes())
            c = e.certificate or engine.intake.checker.real.known(e.signer)  # type: ignore[union-attr]
            if c is not None:
                der = encode_dss_signature(
                    int.from_bytes(e.signature[:32], "big"), int.from_bytes(e.signature[32:], "big")
                )
                work.append((p256_point(c.point), der, sha256(sha256(e.signed) + sha256(c.coer))))
    bare = whole = 0.0
    for k, f in enumerate(frames):  # turn by turn, so that both see the same machine
        begin = time.process_time()
        for key, der, digest in work[500 * k : 500 * (k + 1)]:
            key.verify(der, digest, checker._DIGEST)
        bare += time.process_time() - begin
        begin = time.process_time()
        engine.add("bench", f)
        engine.cycle(now + 0.1 * k)
        whole += time.process_time() - begin
    assert engine.counts.totals["accepted"] >= 4000, engine.counts.totals
    return len(work) / bare, 4000 / whole


def cycle_cost(vehicles: int = 20_000, ticks: int = 100) -> dict[str, Any]:
    """CPU of one shard per 20 ms of edge-verified traffic, without a broker: what is left of a core says whether it keeps up."""
    import numpy as np

    from cloverleaf.cloud.live.engine import Engine
    from cloverleaf.cloud.live.frames import pack_frame, read_frame
    from cloverleaf.cloud.server.load import Generator, Load
    from cloverleaf.cloud.server.settings import read_map
    from cloverleaf.map.tiled import tiled

    base_map = tiled(read_map(DISTRICT), *BIG_MAP)
    generator, engine, now = Generator(Load("", "", vehicles=vehicles), base_map), Engine(base_map), time.time()
    took: list[float] = []
    told = 0
    for k in range(ticks + 20):
        rows = np.arange(vehicles)[k % 5 :: 5]
        generator.traffic.move(rows, 0.1)
        raw = [pack_frame(generator.frame(part, now + 0.02 * k)) for part in np.array_split(rows, 4)]
        begin = time.process_time()
        for i, data in enumerate(raw):
            engine.add(f"load.edge{i}", read_frame(data))
        told += sum(d.messages for d in engine.cycle(now + 0.02 * k + 0.003))
        took.append(time.process_time() - begin)
    ms = 1e3 * np.sort(took[20:])
    return {
        "cpu_ms_p50": float(np.median(ms)), "cpu_ms_p99": float(np.quantile(ms, 0.99)), "core_share": float(ms.mean() / 20.0),
        "advisories": told, "verified_here": "0 %",
    }  # fmt: skip


def run_ingest() -> None:
    """The ingest rows."""
    say("20,000 vehicles, CPU per 20 ms", bar="[< 20 ms]", **cycle_cost())
    show_ingest("20,000 vehicles, edge-verified", "p99 < 20 ms, one core", ingest(20_000))
    bare, whole = verify_rate()
    say(
        "every message verified",
        bar="[>= 0.85 of OpenSSL]",
        openssl_per_s=bare,
        platform_per_s=whole,
        share=whole / bare,
        verified_here="100 %",
    )
    show_ingest("1,000 vehicles, all verified", "p99 reported", ingest(1000, trust=Trust.SIGNED))
    show_ingest(
        "3,000 vehicles, single messages", "p99 < 50 ms, one core", ingest(3000, mode="messages", trust=Trust.UNSIGNED)
    )


async def _stream(brokers: list[Broker]) -> None:
    from cloverleaf.cloud.server.child import connect
    from cloverleaf.cloud.server.stream import ensure_streams

    client = await connect(",".join(b.url for b in brokers), "bench")
    await ensure_streams(client, replicas=len(brokers), patience=30.0)
    await client.close()


def run_durable(seconds: float = 8.0, per_frame: int = 100) -> None:
    """Records per second into a stream of three replicas, each frame acknowledged by a majority."""
    with bench_folder() as folder:
        brokers = cluster(folder / "broker", 3)
        for b in brokers:
            b.start()
        try:
            settings = Settings(data=str(folder), broker=",".join(b.url for b in brokers))
            share_map(settings)
            asyncio.run(_stream(brokers))
            out = result_of(
                generate(url=settings.broker, map=str(settings.run / "map.pickle"), mode="burst", vehicles=5000, seconds=seconds,
                         per_frame=per_frame), seconds + 60,
            )  # fmt: skip
            say("durable, 3 replicas", bar="[>= 100,000 records/s]", acked_per_s=out["acked_per_s"], records_a_frame=per_frame,
                retried=out["retried"], longest_gap_s=out["longest_gap_s"], verified_here="0 %")  # fmt: skip
        finally:
            for b in brokers:
                b.stop()


def run_lake(rows: int = 10_000_000) -> None:
    """Rows per CPU second written, and the four standard questions over 10 million rows."""
    import numpy as np

    from cloverleaf.cloud.store.lake import Lake
    from cloverleaf.cloud.store.query import Reader
    from cloverleaf.cloud.store.rows import Rows

    with bench_folder() as folder:
        lake = Lake(folder)
        rng = np.random.default_rng(0)
        vehicles, block, cpu, wall = 20_000, 1_000_000, 0.0, 0.0
        steps = block // vehicles
        for k in range(rows // block):
            vehicle = np.tile(np.arange(vehicles, dtype=np.int64) * 7919, steps)
            phase = vehicle // 7919
            t = 1.8e9 + np.repeat((k * steps + np.arange(steps)) * 0.1, vehicles)
            x, y = ((phase % 200) * 25.0 + (t - 1.8e9) * 10.0) % 5000.0, (phase // 200) * 40.0
            f4 = [
                c.astype(np.float32)
                for c in (x, y, 0.0 * t, 10 + 3 * np.sin(phase + 0.1 * t), rng.normal(0, 1.3, block))
            ]
            one = np.ones(block, np.uint8)
            none, frame = np.zeros(block, np.uint16), np.repeat(np.arange(block // 1000, dtype=np.uint64), 1000)
            message = np.tile(np.arange(1000, dtype=np.uint16), block // 1000)
            part = Rows._make(
                [t, vehicle, *f4, one, none, one, none.astype(np.int32), one.astype(np.uint32), frame, message]
            )
            begin, begin_wall = time.process_time(), time.perf_counter()
            lake.claim("bench", 1, k)
            lake.put(part)
            lake.commit({"FRAMES": k + 1})
            cpu, wall = cpu + time.process_time() - begin, wall + time.perf_counter() - begin_wall
        size = sum(f.stat().st_size for f in folder.rglob("*.parquet"))
        say(
            "lake, written and on disk",
            bar="[>= 1 M rows/s a core]",
            rows_per_cpu_s=rows / cpu,
            rows_per_s=rows / wall,
            bytes_a_row=size / rows,
        )
        reader = Reader(folder)
        first, last, _ = reader.span()
        questions = {
            "vehicles, speeds by cell and 10 s": lambda: reader.traffic(first, last + 1),
            "hard braking by vehicle": lambda: reader.braking(first, last + 1),
            "box and time": lambda: reader.box(first + 10, first + 12, (100, 100, 600, 600)),
            "one trip": lambda: reader.trip(7919 * 5, first, last + 1),
        }
        for name, question in questions.items():
            question()
            begin, begin_cpu = time.perf_counter(), time.process_time()
            answer = question()
            say(
                f"  {name}",
                bar="[< 1 s]",
                s=time.perf_counter() - begin,
                cpu_s=time.process_time() - begin_cpu,
                rows=answer.num_rows,
            )
        lake.close()
