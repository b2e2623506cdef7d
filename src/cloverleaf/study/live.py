"""`cloverleaf run --live`: one world of the study at the pace of real time, its real bytes published into a platform.

The platform is a process of its own: either the one whose broker is named, or one that is started for the run. It sees what a
platform in the field would see, the messages on the air; beside them the smart cars tell what goes on inside them, for the console.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cloverleaf.cloud.broker import with_us
from cloverleaf.cloud.live.frames import SIMULATED, Trust
from cloverleaf.cloud.server.uplink import Uplink
from cloverleaf.link.content.frame import DEFAULT_CLOCK
from cloverleaf.study.build import Run
from cloverleaf.study.config import Study
from cloverleaf.types.errors import CloverleafError
from cloverleaf.types.hmi import HmiKind

INNER_EVERY = 0.2
"""s between two looks inside the cars."""
MOST_INNER = 200


class Publisher:
    """Publishes what one world puts on the air, tick by tick."""

    def __init__(self, run: Run, url: str, standard: str, signed: bool) -> None:
        self.run = run
        self.uplink = Uplink(url, "sim", "loop", standard)
        self.trust = int(Trust.SIGNED if signed else Trust.UNSIGNED)
        self._inner = -1e18

    def see(self) -> None:
        """Send the last tick's messages of cars and units, and now and then the cars' inside."""
        wire, t = getattr(self.run.rooms.link, "wire", None), self.run.rooms.world.time
        if wire is not None and len(wire.kind):
            rows = np.flatnonzero(wire.uu == 0)
            raw, at = wire.buffer.tobytes(), wire.start.tolist()
            parts = [raw[at[i] : at[i + 1]] for i in rows.tolist()]
            start = np.concatenate(([0], np.cumsum([len(p) for p in parts]))).astype(np.int64)
            self.uplink.send(
                wire.kind[rows].astype(np.uint8), np.full(len(rows), self.trust, np.uint8),
                np.frombuffer(b"".join(parts), np.uint8), start, wire.x[rows], wire.y[rows], DEFAULT_CLOCK + float(wire.time.max()),
                SIMULATED,
            )  # fmt: skip
        if t - self._inner >= INNER_EVERY - 1e-9:
            self._inner = t
            self.uplink.tell("v2x.inner.sim.loop", json.dumps(self.inner(t), allow_nan=False).encode())

    def inner(self, t: float) -> dict[str, Any]:
        """Station -> what the car perceives, decides and shows; at most `MOST_INNER` cars."""
        rooms = self.run.rooms
        hmi: dict[int, list[dict[str, Any]]] = {}
        for station, kind, priority in zip(
            rooms.hmi.station.tolist(), rooms.hmi.kind.tolist(), rooms.hmi.priority.tolist()
        ):
            hmi.setdefault(station, []).append({"kind": HmiKind(kind).name.lower(), "priority": priority})
        return {
            str(station): {
                "time": t,
                "trip": self.run.demand.trip_ids[station],
                "decides": rooms.fleet.explain(station),
                "hmi": hmi.get(station, []),
            }
            for station in rooms.world.stations[:MOST_INNER].tolist()
        }

    def close(self) -> None:
        """Send what waits and go."""
        self.uplink.close()


@contextlib.contextmanager
def platform(study: Study, folder: Path, port: int) -> Iterator[str]:
    """A platform of our own for as long as the run lasts; yields its broker's address."""
    line = [sys.executable, "-m", "cloverleaf", "serve", "--port", str(port), "--data", str(folder)]
    line += ["--map", study.map or "builtin:district", "--security", study.link.security]
    server = subprocess.Popen(with_us(line))
    try:
        end = time.monotonic() + 60.0
        while not _healthy(port):
            if server.poll() is not None or time.monotonic() > end:
                raise CloverleafError("the platform did not start", hint=f"try: {' '.join(line[2:])}")
            time.sleep(0.2)
        yield str(json.loads((folder / "run" / "settings.json").read_text())["broker"])
    finally:
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(15.0)
        server.kill()


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1.0) as answer:
            return bool(json.load(answer)["processes"])
    except (OSError, ValueError):
        return False


def run_live(study: Study, url: str, *, tell: Callable[[int], None], stopped: Callable[[], bool]) -> Publisher:
    """Run the last arm's first seed at most at the pace of real time, until its end or until `stopped`.

    tell: receives the ticks done. Returns the publisher, closed, for its counts.
    """
    run = Run(study, study.arms[-1], study.seeds[0])
    publisher = Publisher(run, url, study.link.standard, study.link.security != "none")
    begin = time.monotonic()
    try:
        for k in range(study.steps):
            run.tick()
            publisher.see()
            tell(k + 1)
            if stopped():
                break
            time.sleep(max(begin + (k + 1) * study.step_s - time.monotonic(), 0.0))
            if time.monotonic() - begin > (k + 1) * study.step_s:
                begin = time.monotonic() - (k + 1) * study.step_s  # too slow: no sprint to catch up
    finally:
        publisher.close()
    return publisher
