"""The live picture over WebSocket: binary, filtered by what the client looks at, paced by what it can take.

Every message: kind u1, version u1, flags u2, count u4, time f8 (s since 1970), then `count` records (little endian).

| kind | content | record |
|---|---|---|
| 1 objects | origin x f8, origin y f8, unit f4 (m), spare f4, then `OBJECT` | 16 B |
| 2 signals | `LIGHT` | 8 B |
| 3 said | `SAYING` | 24 B |
| 4 figures | JSON, `count` bytes | |
| 5 vehicle | JSON, `count` bytes | |
| 6 messages | where messages came in and went out, `chatter.HEARD` | 16 B |

A client sends JSON: `{"box": [west, south, east, north], "hz": 10, "layers": ["objects", ...], "limit": 10000, "follow": id}`, any
part of it, any time. `{"at": t, "speed": 2}` plays the past from t, `{"live": true}` goes back to now. A client that reads too slowly
gets fewer pictures, never old ones, and delays nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from cloverleaf.cloud.api.live import Live
from cloverleaf.cloud.api.objects import as_object, in_box
from cloverleaf.cloud.api.scope import Scope, scope_of
from cloverleaf.cloud.live.chatter import HEARD
from cloverleaf.cloud.live.snapshot import Mark
from cloverleaf.cloud.store.replay import Past

router = APIRouter()
HEAD = struct.Struct("<BBHId")
ORIGIN = struct.Struct("<ddff")
OBJECTS, SIGNALS, SAYINGS, FIGURES, VEHICLE, MESSAGES = 1, 2, 3, 4, 5, 6
OBJECT = np.dtype(
    [("id", "<u4"), ("x", "<i2"), ("y", "<i2"), ("heading", "<u2"), ("speed", "<u2"), ("kind", "u1"), ("marks", "u1"),
     ("length", "u1"), ("age", "u1")]
)  # fmt: skip
"""x, y: units from the origin; heading: 2 pi / 65536; speed: cm/s; length: dm; age: 10 ms; marks as `Mark`, bit 4 hazard or braking."""
LIGHT = np.dtype([("group", "<u2"), ("head", "<u2"), ("light", "u1"), ("next", "u1"), ("changes_in", "<u2")])
"""changes_in: 0.1 s, 65535 unknown."""
SAYING = np.dtype(
    [
        ("target", "<u4"),
        ("code", "<u2"),
        ("what", "u1"),
        ("spare", "u1"),
        ("x", "<f4"),
        ("y", "<f4"),
        ("radius", "<f4"),
        ("value", "<f4"),
    ]
)
LAYERS = {"objects", "signals", "said", "figures", "messages"}
FIRST_LAYERS = LAYERS - {"messages"}
MOST_MESSAGES = 600
MAX_HZ, MOST, MAX_COMMAND = 20.0, 50_000, 4096


@dataclass
class View:
    """What one client looks at."""

    box: tuple[float, float, float, float] = (-1e7, -1e7, 1e7, 1e7)
    hz: float = 10.0
    layers: set[str] = field(default_factory=lambda: set(FIRST_LAYERS))
    limit: int = 10_000
    follow: int = 0
    at: float | None = None  # s since 1970 of the past that is shown; None: now
    speed: float = 1.0

    def change(self, text: str) -> str:
        """Apply a client's wish; returns what is wrong with it, or nothing."""
        try:
            wish = json.loads(text)
            box = wish.get("box", self.box)
            west, south, east, north = (float(v) for v in box)
            hz, limit = float(wish.get("hz", self.hz)), int(wish.get("limit", self.limit))
            layers = {str(name) for name in wish.get("layers", self.layers)}
            follow = int(wish.get("follow", self.follow) or 0)
            at, speed = wish.get("at", self.at), float(wish.get("speed", self.speed))
            at = None if at is None or wish.get("live") else float(at)
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            return "not a view: see /docs"
        if (
            not (west <= east and south <= north and 0.1 <= hz <= MAX_HZ and 1 <= limit <= MOST)
            or layers - LAYERS
            or not (0.0 <= speed <= 1000.0 and (at is None or 0.0 <= at <= 1e11))
        ):
            return f"a view with a box of west, south, east, north, 0.1 <= hz <= 20, limit <= {MOST}, layers of {sorted(LAYERS)}"
        self.box, self.hz, self.limit, self.layers, self.follow = (west, south, east, north), hz, limit, layers, follow
        self.at, self.speed = at, speed
        return ""


def pack_objects(rows: np.ndarray, t: float, limit: int) -> bytes:
    """Kind 1: objects relative to the middle of their own extent, in units as fine as 16 bits allow but not below 1 cm."""
    more = len(rows) > limit
    rows = rows[:limit]
    out = np.zeros(len(rows), OBJECT)
    x0 = y0 = 0.0
    unit = 0.01
    if len(rows):
        x, y = rows["x"].astype(float), rows["y"].astype(float)
        x0, y0 = round(0.5 * (x.min() + x.max()), 2), round(0.5 * (y.min() + y.max()), 2)
        unit = float(np.float32(max(0.01, np.abs(x - x0).max() / 32_000, np.abs(y - y0).max() / 32_000)))
        out["x"], out["y"] = np.rint((x - x0) / unit), np.rint((y - y0) / unit)
        out["id"], out["kind"] = rows["handle"], rows["kind"]
        out["heading"] = (
            np.rint(np.remainder(rows["heading"], 2 * np.pi) * (65_536 / (2 * np.pi))).astype(np.int64) & 0xFFFF
        )
        out["speed"] = np.clip(np.rint(rows["speed"] * 100), 0, 65_535)
        out["length"] = np.clip(np.rint(rows["length"] * 10), 0, 255)
        out["age"] = np.clip(np.rint(rows["age"] * 100), 0, 255)
        out["marks"] = (rows["marks"] & (15 | int(Mark.SMART))) | np.where(rows["events"] & 0x81 != 0, 16, 0)
    return HEAD.pack(OBJECTS, 1, int(more), len(rows), t) + ORIGIN.pack(x0, y0, unit, 0.0) + out.tobytes()


def pack_lights(heads: np.ndarray, t: float) -> bytes:
    """Kind 2: all known signal heads."""
    out = np.zeros(len(heads), LIGHT)
    out["group"], out["head"], out["light"], out["next"] = heads["group"], heads["index"], heads["light"], heads["next"]
    left = np.nan_to_num((heads["end"] - t) * 10, nan=65_535.0, posinf=65_535.0)
    out["changes_in"] = np.clip(np.rint(left), 0, 65_535)
    return HEAD.pack(SIGNALS, 1, 0, len(heads), t) + out.tobytes()


def pack_sayings(said: np.ndarray, t: float) -> bytes:
    """Kind 3: warnings and advice."""
    out = np.zeros(len(said), SAYING)
    out["target"] = said["handle"]
    for name in ("code", "what", "x", "y", "radius", "value"):
        out[name] = said[name]
    return HEAD.pack(SAYINGS, 1, 0, len(said), t) + out.tobytes()


def pack_messages(live: Live, box: tuple[float, float, float, float], since: float, t: float) -> bytes:
    """Kind 6: what was told of after `since`, the busiest places of a box; empty where there is nothing."""
    parts = [rows for when, rows in live.heard if when > since]
    rows = np.concatenate(parts) if parts else np.zeros(0, HEARD)
    west, south, east, north = box
    rows = rows[(rows["x"] >= west) & (rows["x"] <= east) & (rows["y"] >= south) & (rows["y"] <= north)]
    rows = rows[np.argsort(-rows["count"].astype(np.int64), kind="stable")[:MOST_MESSAGES]]
    return HEAD.pack(MESSAGES, 1, 0, len(rows), t) + rows.tobytes() if len(rows) else b""


def pack_json(kind: int, value: Any, t: float) -> bytes:
    """Kinds 4 and 5."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    return HEAD.pack(kind, 1, 0, len(text), t) + text


def figures(scope: Scope) -> dict[str, Any]:
    """What the tiles show: speeds, stops, warnings, message counts."""
    rows = scope.rows()
    rows = rows[rows["marks"] & int(Mark.SHADOW) == 0]
    said = scope.recent(60.0)
    moving = rows["speed"] > 0.5
    n = len(rows)
    return {
        "objects": n,
        "connected": int((rows["marks"] & int(Mark.CONNECTED) != 0).sum()),
        "safe": {"warnings_per_min": int((said["what"] == 0).sum()), "hard_braking": int((rows["accel"] < -4.0).sum())},
        "efficient": {
            "mean_speed": round(float(rows["speed"].mean()), 2) if n else 0.0,
            "stopped_share": round(float((~moving).mean()), 3) if n else 0.0,
            "mean_wait_s": round(float(rows["wait"].mean()), 2) if n else 0.0,
        },
        "green": {"accelerating_share": round(float((rows["accel"] > 1.0).mean()), 3) if n else 0.0},
        "civilised": {"uncomfortable_share": round(float((np.abs(rows["accel"]) > 3.0).mean()), 3) if n else 0.0},
        "messages": scope.live.counts()["totals"] if scope.all else {},
    }


def inside(scope: Scope, handle: int) -> dict[str, Any]:
    """One vehicle's inside view: its state, what it was told, and what it sent about itself (see `told` and `vehicle`)."""
    rows = scope.rows()
    found = np.flatnonzero(rows["handle"] == handle)
    if not len(found):
        return {"id": handle, "gone": True}
    said = scope.recent(5.0)
    told = [
        {"time": float(r["time"]), "what": "warning" if r["what"] == 0 else "advice", "code": int(r["code"]),
         "x": float(r["x"]), "y": float(r["y"]), "value": float(r["value"])}
        for r in said[said["handle"] == handle][-20:]
    ]  # fmt: skip
    return {
        "id": handle,
        "state": as_object(rows[found[0]], scope.live.base_map).model_dump(),
        "told": told,
        "vehicle": scope.live.inner.get(handle, (0.0, None))[1],
    }


async def _pictures(socket: WebSocket, scope: Scope, view: View, past: Past) -> None:
    """Send pictures at the client's pace; a send that blocks delays this client's next picture only."""
    live = scope.live
    shown, told_until, slow = 0.0, time.time(), 0.0
    heard_until = time.time()
    while True:
        begin = time.monotonic()
        if view.at is not None and not scope.user.may("operator"):
            await socket.send_text('{"error": "the past needs the role operator"}')
            view.at = None
        if view.at is not None:
            t = view.at
            rows = await asyncio.to_thread(past.at, t)
            await socket.send_bytes(pack_objects(in_box(rows, *view.box), t, view.limit))
            await asyncio.sleep(max(1.0 / view.hz - (time.monotonic() - begin), 0.005))
            if view.at == t:  # nobody jumped meanwhile
                view.at = t + view.speed * (time.monotonic() - begin)
            continue
        t = live.time
        if t != shown:
            shown = t
            if "objects" in view.layers:
                await socket.send_bytes(pack_objects(in_box(scope.rows(), *view.box), t, view.limit))
            if "said" in view.layers:
                said = scope.recent(2.0)
                said = said[said["time"] > told_until]
                if len(said):
                    told_until = float(said["time"].max())
                    await socket.send_bytes(pack_sayings(said, t))
            if "messages" in view.layers and scope.all:
                found = pack_messages(live, view.box, heard_until, t)
                heard_until = max((when for when, _ in live.heard), default=heard_until)
                if found:
                    await socket.send_bytes(found)
            if view.follow:
                await socket.send_bytes(pack_json(VEHICLE, inside(scope, view.follow), t))
            if t - slow >= 0.5:
                slow = t
                if "signals" in view.layers:
                    await socket.send_bytes(pack_lights(live.heads(), t))
                if "figures" in view.layers:
                    await socket.send_bytes(pack_json(FIGURES, figures(scope), t))
        await asyncio.sleep(max(1.0 / view.hz - (time.monotonic() - begin), 0.005))


@router.websocket("/ws")
async def live_stream(socket: WebSocket) -> None:
    """See the module's first lines."""
    await socket.accept()
    view = View()
    scope = scope_of(socket)
    past = Past(socket.app.state.reader, scope.user.tenant)
    sender = asyncio.ensure_future(_pictures(socket, scope, view, past))
    try:
        while True:
            text = await socket.receive_text()
            wrong = "a command of more than 4096 characters" if len(text) > MAX_COMMAND else view.change(text)
            if wrong:
                await socket.send_text(json.dumps({"error": wrong}))
    except (WebSocketDisconnect, RuntimeError, KeyError):
        pass
    finally:
        sender.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await sender
