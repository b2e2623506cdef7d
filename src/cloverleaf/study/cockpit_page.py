"""The cockpit's server: the console's drive page, the map, and one WebSocket between a pair of hands and `study.cockpit.Drive`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles

from cloverleaf.cloud.api.app import CONSOLE, map_in_metres
from cloverleaf.human.cockpit import Controls
from cloverleaf.study.cockpit import Drive

BUSY = 1013
"""WebSocket close code: try again later."""
LONGEST = 4096  # characters of a command


class Pace(threading.Thread):
    """Ticks a drive at the speed of the clock, or as fast as the machine can, and keeps the newest pictures."""

    def __init__(self, drive: Drive) -> None:
        super().__init__(daemon=True, name="drive")
        self.drive = drive
        self.number, self.pictures = 0, drive.pictures()
        self.late_s = 0.0  # behind the clock, over the whole drive
        self.error: BaseException | None = None
        self._stop_asked = threading.Event()

    def run(self) -> None:
        """Until `stop`."""
        due = time.perf_counter()
        try:
            while not self._stop_asked.is_set():
                self.drive.tick()
                self.pictures = self.drive.pictures()
                self.number += 1
                due += self.drive.step
                behind = time.perf_counter() - due
                if behind > 0.0:  # rather slow than jumping
                    self.late_s += behind
                    due += behind
                self._stop_asked.wait(-behind if behind < 0.0 else 0.0)
        except BaseException as error:
            self.error = error

    def stop(self) -> None:
        """Ask for the end, and wait for it."""
        self._stop_asked.set()
        self.join(5.0)


def read_controls(text: str) -> Controls | None:
    """A client's command; None where it is not one."""
    try:
        wish = json.loads(text)
        return Controls(
            float(wish.get("throttle", 0.0)), float(wish.get("brake", 0.0)), float(wish.get("steer", 0.0)),
            int(wish.get("indicator", 0)), bool(wish.get("automation", False)),
        ).clean()  # fmt: skip
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


async def _listen(socket: WebSocket, drive: Drive) -> None:
    while True:
        text = await socket.receive_text()
        controls = read_controls(text) if len(text) <= LONGEST else None
        if controls is None:
            await socket.send_text('{"error": "not a set of controls"}')
        else:
            drive.control(controls)


async def _show(socket: WebSocket, pace: Pace) -> None:
    shown = -1
    while True:
        if pace.error is not None:
            raise RuntimeError("the loop has stopped") from pace.error
        if pace.number != shown:
            shown = pace.number
            for picture in pace.pictures:
                await socket.send_bytes(picture)
        await asyncio.sleep(0.01)


def create_app(drive: Drive) -> FastAPI:
    """The application; its life is the drive's."""
    pace = Pace(drive)

    @contextlib.asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        pace.start()
        yield
        pace.stop()

    app = FastAPI(title="Cloverleaf cockpit", lifespan=life)
    roads = map_in_metres(drive.run.base_map)
    at_wheel: set[int] = set()

    @app.get("/")
    async def start() -> RedirectResponse:
        return RedirectResponse("/drive.html")

    @app.get("/health")
    async def health() -> dict[str, Any]:
        return {
            "status": "ok" if pace.error is None else "stopped",
            "ticks": pace.number,
            "late_s": round(pace.late_s, 3),
            "driven": bool(at_wheel),
        }

    @app.get("/api/map")
    async def lanes() -> Response:
        return Response(roads, media_type="application/geo+json")

    @app.get("/api/heads")
    async def heads() -> list[dict[str, Any]]:
        return signal_heads(drive)

    @app.websocket("/drive")
    async def wheel(socket: WebSocket) -> None:
        await socket.accept()
        if at_wheel:
            await socket.close(BUSY, "somebody drives already")
            return
        at_wheel.add(1)
        tasks = [asyncio.ensure_future(_listen(socket, drive)), asyncio.ensure_future(_show(socket, pace))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            at_wheel.clear()
            drive.control(Controls(automation=True))  # nobody at the wheel: the car may only be driven by itself
            for task in tasks:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
                    await task

    app.mount("/", StaticFiles(directory=CONSOLE, html=True), name="console")
    return app


def signal_heads(drive: Drive) -> list[dict[str, Any]]:
    """Where each head stands: the end of the lane that it rules."""
    g = drive.run.base_map.graph
    out = []
    for link in range(len(g.link_signal)):
        if g.link_signal[link] >= 0:
            end = int(g.lane_point_start[g.link_from[link] + 1]) - 1
            place = {"x": float(g.point_x[end]), "y": float(g.point_y[end]), "heading": float(g.point_heading[end])}
            out.append({"number": int(g.link_signal[link]), "head": int(g.link_signal_index[link]), **place})
    return out
