"""The platform as a user starts it: messages in, objects, history and advisories out; killed parts come back, nothing stays behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloverleaf.cloud.live.frames import Frame, Trust, pack_frame
from cloverleaf.cloud.server.load import Traffic
from cloverleaf.cloud.server.uplink import Uplink
from cloverleaf.link.content.content import Content
from cloverleaf.map.district import load_district
from cloverleaf.types.messages import MessageKind

PATIENCE = 600.0
"""s until a cold and busy machine has done what takes seconds."""


def eventually(condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """The first true value of `condition`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError, KeyError, IndexError):
            if found := condition():
                return found
        time.sleep(0.1)
    raise AssertionError("nothing came in time")


def gone(pid: int) -> bool:
    """Whether a process has ended; nobody may have asked for its exit status yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "cloverleaf", "serve", *map(str, arguments)]


class Served:
    """A running platform."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.folder = folder
        with open(folder / "serve.log", "wb") as log:
            self.process = subprocess.Popen(
                command("--port", self.port, "--data", folder / "data"), stdout=log, stderr=log
            )

    def page(self, path: str) -> Any:
        """A page of the API."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10.0) as answer:
            return json.load(answer)

    def well(self) -> bool:
        """Whether all processes run and have said so."""
        assert self.process.poll() is None, (self.folder / "serve.log").read_text()[-2000:]
        page = self.page("/health")
        return page["status"] == "ok" and set(page["supervision"]) - {"broker", "nursery"} <= set(page["processes"])

    def pids(self) -> dict[str, int]:
        """The processes that it started."""
        return {name: p["pid"] for name, p in self.page("/health")["supervision"].items()}

    def broker(self) -> str:
        """Where clients connect."""
        return str(json.loads((self.folder / "data" / "run" / "settings.json").read_text())["broker"])

    def end(self) -> None:
        """End it, whatever state it is in."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30.0)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(30.0)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("served"))
    try:
        eventually(server.well)
        yield server
    finally:
        server.end()


class Cars:
    """Ten cars of the district that report over an uplink."""

    def __init__(self, url: str) -> None:
        self.map = load_district()[0]
        self.traffic = Traffic(self.map, 10, 1)
        self.content = Content(self.map, "csae_day2", clock=0.0)
        self.uplink = Uplink(url, "city", "edge", "csae_day2", patience=60.0)

    def report(self) -> None:
        """Everybody says where they are now."""
        rows, now = np.arange(10), time.time()
        self.traffic.move(rows, 0.1)
        batch = self.traffic.awareness(rows, now)
        buffer, start = self.content.encode(MessageKind.AWARENESS, batch)
        kind, trust = np.zeros(10, np.uint8), np.full(10, int(Trust.UNSIGNED), np.uint8)
        self.uplink.send(kind, trust, buffer, start, batch.x, batch.y, now)


def test_cars_are_seen_and_kept(served: Served) -> None:
    cars = Cars(served.broker())
    try:

        def seen() -> bool:
            cars.report()
            return len(served.page("/api/objects")["objects"]) == 10

        eventually(seen)
        eventually(lambda: served.page("/api/history/range")["rows"] >= 10 or cars.report())
        assert cars.uplink.acknowledged > 0 and cars.uplink.failed == 0
    finally:
        cars.uplink.close()


def test_bad_input_is_counted_by_source_and_hurts_nobody(served: Served) -> None:
    cars = Cars(served.broker())
    tell, now = cars.uplink.tell, time.time()

    def strange(source: str, when: float, **changes: Any) -> None:
        batch = cars.traffic.awareness(np.arange(10), time.time())._replace(**changes)
        buffer, start = cars.content.encode(MessageKind.AWARENESS, batch)
        kind, trust = np.zeros(10, np.uint8), np.full(10, int(Trust.UNSIGNED), np.uint8)
        data = pack_frame(Frame("csae_day2", -1, int(now), time.monotonic_ns(), when, kind, trust, buffer, start))
        tell(f"v2x.frame.-1.bad.{source}", data)

    def look() -> bool:
        cars.report()
        tell("v2x.frame.1.bad.garbage", b"\xff" * 100)
        tell("v2x.msg.bad.huge.bsm", bytes(9000))
        tell("v2x.msg.bad.noise.bsm", b"\xff" * 40)
        strange("late", time.time() - 600.0)
        strange("early", time.time() + 600.0)
        strange("abroad", time.time(), x=np.full(10, 3e5))
        for _ in range(1000):
            tell("v2x.msg.bad.flood.bsm", good)
        page = served.page("/health")
        found = {source: set(reasons) for source, reasons in page["refused_by_source"].items()}
        return wanted.items() <= {s: found[s] & wanted[s] for s in wanted if s in found}.items()

    buffer, start = cars.content.encode(MessageKind.AWARENESS, cars.traffic.awareness(np.arange(1), now))
    good = buffer[: start[1]].tobytes()
    wanted = {
        "bad.garbage": {"malformed_frame"}, "bad.huge": {"oversized"}, "bad.noise": {"undecodable"}, "bad.late": {"stale"},
        "bad.early": {"clock"}, "bad.abroad": {"off_map"}, "bad.flood": {"too_often"},
    }  # fmt: skip
    try:
        eventually(look)
        eventually(lambda: cars.report() or len(served.page("/api/objects")["objects"]) >= 10)
        eventually(served.well)
    finally:
        cars.uplink.close()


def test_a_damaged_file_of_the_lake_is_on_the_health_page(served: Served) -> None:
    eventually(lambda: served.page("/api/history/range")["rows"] >= 10)
    lake = served.folder / "data" / "lake"

    def told() -> bool:
        for path in lake.glob("hour=*/cell=*/*.parquet"):
            path.write_bytes(b"PAR1" + bytes(200) + b"PAR1")
        now = time.time()
        served.page(f"/api/history/traffic?from={now - 3600}&to={now + 60}")
        page = served.page("/health")
        return bool(page["set_aside"]) or any("is damaged" in text for text in page["problems"])

    eventually(told)
    eventually(lambda: list((lake / "_quarantine").iterdir()) and served.page("/health")["set_aside"])
    eventually(served.well)


def test_a_killed_broker_is_told_of_and_comes_back(served: Served) -> None:
    before = served.pids()["broker"]
    os.kill(before, signal.SIGKILL)
    eventually(lambda: served.page("/health")["supervision"]["broker"]["pid"] != before)
    eventually(served.well)
    assert served.page("/health")["supervision"]["broker"]["restarts"] == 1
    cars = Cars(served.broker())
    try:
        eventually(lambda: cars.report() or len(served.page("/api/objects")["objects"]) == 10)
    finally:
        cars.uplink.close()


@pytest.mark.parametrize("name", ["shard-0", "gateway", "keeper", "nursery"])
def test_a_killed_process_comes_back(served: Served, name: str) -> None:
    before = served.page("/health")["supervision"]
    os.kill(before[name]["pid"], signal.SIGKILL)
    eventually(lambda: served.pids()[name] != before[name]["pid"])
    if name == "nursery":  # its children end with it
        eventually(lambda: not set(served.pids().values()) & {before[n]["pid"] for n in ("shard-0", "gateway", "keeper")})
    eventually(served.well)
    assert served.page("/health")["supervision"][name]["restarts"] == before[name]["restarts"] + 1
    cars = Cars(served.broker())
    try:
        eventually(lambda: cars.report() or len(served.page("/api/objects")["objects"]) == 10)
    finally:
        cars.uplink.close()


def test_a_killed_platform_leaves_nobody_behind(served: Served) -> None:
    pids = list(served.pids().values())
    assert len(pids) >= 4 and not any(map(gone, pids))
    served.process.kill()
    served.process.wait(30.0)
    eventually(lambda: all(map(gone, pids)), 60.0)


@pytest.mark.parametrize("wrong", ["port", "broker"])
def test_what_cannot_start_says_so_in_one_line(tmp_path: Path, wrong: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:  # accepts and says nothing
        port = taken.getsockname()[1]
        options = ("--port", port) if wrong == "port" else ("--port", port + 1, "--broker", f"nats://127.0.0.1:{port}")
        done = subprocess.run(command(*options, "--data", tmp_path), capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2 and "hint:" in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert (f"port {port} is taken" if wrong == "port" else "no broker answers") in done.stderr
