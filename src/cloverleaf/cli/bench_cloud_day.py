"""`cloverleaf bench cloud-day` and `cloud-scale`: a day of the platform in fast time, and how verification grows with cores."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from cloverleaf.cli.bench_cloud import bench_folder, say

HOUR = 3600.0
SHIFT = 900.0
"""s after which a vehicle ends its trip and another one, with another station id, begins."""
COMMIT_EVERY = 60.0


def memory_mb() -> float:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def day(
    folder: Path,
    hours: float = 24.0,
    vehicles: int = 1000,
    *,
    hz: float = 1.0,
    keep_s: float = 2 * HOUR,
    sample_s: float = HOUR,
) -> dict[str, Any]:
    """`vehicles` for `hours` through frames, twin, edge service, snapshots and lake, as fast as the machine can.

    Memory is read every `sample_s`; its growth is fitted to all but the first quarter of the readings. In MB, MB/h.
    """
    from cloverleaf.cloud.live.counts import Counts
    from cloverleaf.cloud.live.engine import Engine
    from cloverleaf.cloud.live.frames import pack_frame, read_frame
    from cloverleaf.cloud.live.snapshot import pack_snapshot
    from cloverleaf.cloud.server.load import Generator, Load
    from cloverleaf.cloud.server.settings import DISTRICT, read_map
    from cloverleaf.cloud.store.ingest import Ingest, Stored
    from cloverleaf.cloud.store.lake import Lake
    from cloverleaf.cloud.store.rows import Names

    base_map = read_map(DISTRICT)
    generator, engine = Generator(Load("", "", vehicles=vehicles), base_map), Engine(base_map)
    lake = Lake(folder / "lake", floor=0)
    counts = Counts()
    ingest = Ingest(base_map, lake, Names(b"bench"), counts)
    begin, rows, steps = 1.8e9, np.arange(vehicles), round(hours * HOUR * hz)
    memory, started = [], time.process_time()
    waiting: list[Stored] = []
    for k in range(steps):
        t = begin + k / hz
        born = (k / hz + SHIFT * rows / vehicles) // SHIFT  # everybody's trip number, not all new at once
        generator.traffic.station = (born.astype(np.int64) * vehicles + rows + 1) & 0x7FFF_FFFF
        generator.traffic.move(rows, 1.0 / hz)
        frame = read_frame(pack_frame(generator.frame(rows, t)))
        engine.add("load.edge", frame)
        engine.cycle(t + 0.01)
        pack_snapshot(engine.snapshot(t + 0.02))
        engine.chatter.take()
        waiting.append(Stored("load.edge", frame, t))
        if len(waiting) >= COMMIT_EVERY * hz:
            ingest.take(waiting)
            waiting.clear()
            lake.commit({"FRAMES": k})
            lake.merge(most=4)
            lake.retain(keep_s, t)
        if (k + 1) % round(sample_s * hz) == 0:
            gc.collect()
            memory.append(memory_mb())
    lake.close()
    late = memory[len(memory) // 4 :] or [memory_mb()]
    growth = float(np.polyfit(sample_s / HOUR * np.arange(len(late)), late, 1)[0]) if len(late) > 1 else float("nan")
    refused = {k: v for k, v in (engine.counts.totals + counts.totals).items() if k != "accepted"}
    return {
        "hours": hours, "vehicles": vehicles, "hz": hz, "memory_mb_first": late[0], "memory_mb_last": late[-1], "growth_mb_per_h": growth,
        "accepted": engine.counts.totals["accepted"], "refused": refused, "stations": int(generator.traffic.station.max()),
        "cpu_s": time.process_time() - started, "verified_here": "0 %",
    }  # fmt: skip


def run_day() -> None:
    """The row of the day."""
    with bench_folder() as folder:
        say("24 h, 1,000 vehicles at 1 Hz", bar="[memory flat (< 2 MB/h), no error]", **day(folder))


def verified_for(seconds: float) -> tuple[float, float]:
    """Messages per s of wall time, and per s of CPU, that one process verifies and takes over, all signed."""
    from cloverleaf.cloud.live.engine import Engine
    from cloverleaf.cloud.live.frames import Trust
    from cloverleaf.cloud.security.verify import FrameChecker
    from cloverleaf.cloud.server.load import Generator, Load
    from cloverleaf.cloud.server.load_keys import authority
    from cloverleaf.cloud.server.settings import DISTRICT, read_map

    base_map, root, now = read_map(DISTRICT), authority(), time.time()
    generator = Generator(Load("", "", vehicles=500, trust=int(Trust.SIGNED)), base_map)
    engine = Engine(base_map, checker=FrameChecker("p256", [root.root, root.authority]))
    rows, took, cpu, k = np.arange(500), 0.0, 0.0, 0
    sys.stdin.readline() if not sys.stdin.isatty() else None
    while took < seconds:
        generator.traffic.move(rows, 0.1)
        frame = generator.frame(rows, now + 0.1 * k)
        begin, begin_cpu = time.perf_counter(), time.process_time()
        engine.add("bench", frame)
        engine.cycle(now + 0.1 * k)
        if k >= 3:
            took += time.perf_counter() - begin
            cpu += time.process_time() - begin_cpu
        k += 1
    assert engine.intake.verified == 500 * k
    return 500.0 * (k - 3) / took, 500.0 * (k - 3) / cpu


def run_scale(seconds: float = 3.0) -> None:
    """Verification on one core and on all, side by side. What `per_cpu_s` keeps and `of_linear` loses, the machine took for others."""
    alone = 0.0
    for count in sorted({1, os.cpu_count() or 1}):
        code = f"from cloverleaf.cli.bench_cloud_day import verified_for; import json; print(json.dumps(verified_for({seconds})))"
        line = [sys.executable, "-c", code]
        children = [
            subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(count)
        ]
        try:
            for child in children:  # all begin together once they are told
                assert child.stdin is not None
                child.stdin.write("go\n")
                child.stdin.flush()
            found = [json.loads(child.communicate(timeout=300)[0] or "[NaN, NaN]") for child in children]
        finally:
            for child in children:
                child.kill()
                child.wait(30)
        rates, per_cpu = (np.array(c, float) for c in zip(*found))
        alone = alone or rates[0]
        say(f"all verified, {count} process(es)", bar="[reported]", messages_per_s=rates.sum(), of_linear=rates.sum() / (alone * count),
            per_cpu_s=per_cpu.mean(), vehicles_at_10_hz=rates.sum() / 10.0, verified_here="100 %")  # fmt: skip
