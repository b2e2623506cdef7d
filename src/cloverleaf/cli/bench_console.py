"""`cloverleaf bench console`: the console in headless Chromium with 10,000 objects at 10 Hz from the platform's own API.

The objects go round and round on the district's lanes; everything from the WebSocket on is the real server and the real page.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cloverleaf.cloud.api.live import Live
from cloverleaf.cloud.live.chatter import Chatter
from cloverleaf.cloud.live.snapshot import HEAD, ROW, SAID, Mark
from cloverleaf.cloud.security.users import Users
from cloverleaf.map.graph import BaseMap, LaneKind
from cloverleaf.types.messages import LightState

OBJECTS, WATCHED_S, PERIOD = 10_000, 12.0, 0.1
PATIENCE_S = 60.0
FIRST_PICTURE = "return Number(document.querySelector('.rate')?.dataset.firstPicture ?? 0) / 1000"
"""s from the begin of the page's load to the first picture with road users in it, 0 before that."""


class Parade(Live):
    """A platform's view whose `count` road users each go round and round on their lane."""

    def __init__(self, base_map: BaseMap, count: int) -> None:
        super().__init__(base_map)
        g, rng = base_map.graph, np.random.default_rng(1)
        lanes = np.flatnonzero((g.lane_kind == LaneKind.DRIVING) & (g.lane_length > 30.0))
        self._lane = np.sort(rng.choice(lanes, count, p=g.lane_length[lanes] / g.lane_length[lanes].sum()))
        self._start, self._speed = rng.random(count) * g.lane_length[self._lane], rng.uniform(3.0, 14.0, count)
        self._table = np.zeros(count, ROW)
        self._table["handle"], self._table["speed"], self._table["length"] = np.arange(count) + 1, self._speed, 4.6
        self._table["kind"] = rng.choice([1, 1, 1, 1, 2, 3, 5, 6], count)
        self._table["marks"] = rng.choice([0, 0, Mark.CONNECTED, Mark.CONNECTED | Mark.SMART], count)
        self._shown, self._begin = -1.0, time.time()

    @property
    def time(self) -> float:
        """Now, in whole periods."""
        return np.floor(time.time() / PERIOD) * PERIOD

    def rows(self) -> np.ndarray:
        """Everyone's place now."""
        now = self.time
        if now != self._shown:
            self._shown, g = now, self.base_map.graph
            s = (self._start + self._speed * (now - self._begin)) % g.lane_length[self._lane]
            for lane in np.unique(self._lane):
                a, b = np.searchsorted(self._lane, (lane, lane + 1))
                p = slice(int(g.lane_point_start[lane]), int(g.lane_point_start[lane + 1]))
                self._table["x"][a:b] = np.interp(s[a:b], g.point_s[p], g.point_x[p])
                self._table["y"][a:b] = np.interp(s[a:b], g.point_s[p], g.point_y[p])
                at = np.searchsorted(g.point_s[p], s[a:b], "right") - 1
                self._table["heading"][a:b] = g.point_heading[p][at]
            self.inner = {1: (now, {"perceives": [], "plan": [], "decides": {"text": "go on (+0.0 m/s2)"}})}
        return self._table

    def heads(self) -> np.ndarray:
        """All heads, green or red for 30 s."""
        g = self.base_map.graph
        links = np.flatnonzero(g.link_signal >= 0)
        out = np.zeros(len(links), HEAD)
        out["group"], out["index"] = g.link_signal[links], g.link_signal_index[links]
        out["light"] = np.where(links % 3 == 0, LightState.RED, LightState.PROTECTED_GREEN)
        out["end"] = np.ceil(self.time / 30.0) * 30.0
        return out

    def speak(self) -> None:
        """Everybody's message of this period, for the message layer."""
        now = self.time
        if not self.heard or self.heard[-1][0] < now:
            rows, chatter = self.rows(), Chatter()
            chatter.note(0, 0, rows["x"].astype(float), rows["y"].astype(float))
            self.heard.append((now, chatter.take()))

    def recent(self, seconds: float) -> np.ndarray:
        """A warning every three seconds."""
        self.speak()
        now, rows = self.time, self.rows()
        out = np.zeros(1, SAID)
        i = int(now / 3.0) % len(rows)
        out["time"], out["handle"], out["code"], out["radius"], out["value"] = (
            np.floor(now / 3.0) * 3.0,
            i + 1,
            2,
            10.0,
            2.1,
        )
        out["x"], out["y"] = rows["x"][i], rows["y"][i]
        return out


def serve(port: int, count: int, users: Users | None = None) -> None:
    """Serve a parade on 127.0.0.1 until the process is ended; to `users` only, if they are given."""
    import uvicorn

    from cloverleaf.cloud.api.app import create_app
    from cloverleaf.map.district import load_district

    with tempfile.TemporaryDirectory() as folder:
        uvicorn.run(
            create_app(Parade(load_district()[0], count), Path(folder), users=users),
            host="127.0.0.1",
            port=port,
            log_level="warning",
        )


def run(say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Pictures per second, bytes per second and time to the first picture. Bars: 20, 2 MB, 2 s."""
    try:
        from selenium import webdriver
    except ImportError:
        say("  left out: needs selenium (pip install selenium)")
        return []
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (browser and driver):
        say("  left out: needs chromium and chromedriver (Debian: chromium, chromium-driver)")
        return []
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    software_gl = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")
    for flag in ("--headless=new", "--no-sandbox", "--window-size=1280,800", *software_gl):
        options.add_argument(flag)
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = f"from cloverleaf.cli.bench_console import serve; serve({port}, {OBJECTS})"
    server = subprocess.Popen([sys.executable, "-c", code])
    page = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        wait_for_port(port)
        page.get("about:blank")
        begin = time.perf_counter()
        page.get(f"http://127.0.0.1:{port}/")
        while not (first := page.execute_script(FIRST_PICTURE)) and time.perf_counter() - begin < PATIENCE_S:
            time.sleep(0.05)
        time.sleep(3.0)
        samples, begin = [], time.perf_counter()
        while time.perf_counter() - begin < WATCHED_S:
            rate = page.find_element("css selector", ".rate")
            samples.append([float(rate.get_attribute(name) or 0.0) for name in ("data-fps", "data-kilobytes")])
            time.sleep(1.0)
    finally:
        page.quit()
        server.terminate()
        server.wait(10)
    fps, kilobytes = np.median(samples, axis=0)
    return [
        {
            "objects": OBJECTS,
            "pictures_per_s": float(fps),
            "MB_per_s": float(kilobytes) / 1000.0,
            "first_picture_s": float(first) or float("nan"),
        }
    ]


def wait_for_port(port: int, seconds: float = 60.0) -> None:
    """Return once something answers on 127.0.0.1. Raises TimeoutError."""
    import socket

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"nothing answers on port {port}")
