"""A platform of straw for browser tests: the district's roads and any number of road users on rails, by the wire format of the real one.

Run as `python tests/console/feed.py PORT OBJECTS`; serves the bundle, `/api/map` and `/ws` on 127.0.0.1.
"""

import asyncio
import json
import struct
import sys
import time
from pathlib import Path

import numpy as np
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.staticfiles import StaticFiles

import cloverleaf
from cloverleaf.map.district import load_district
from cloverleaf.map.graph import LaneKind
from cloverleaf.map.query_geojson import lanes_geojson

BUNDLE = Path(cloverleaf.__file__).parent / "cloud" / "console"
OBJECT = np.dtype({"names": ["id", "x", "y", "heading", "speed", "kind", "marks", "length", "age"],
                   "formats": ["<u4", "<i2", "<i2", "<u2", "<u2", "u1", "u1", "u1", "u1"]})  # fmt: skip
LIGHT = np.dtype([("group", "<u2"), ("head", "<u2"), ("light", "u1"), ("next", "u1"), ("changes_in", "<u2")])
SAYING = struct.Struct("<IHBBffff")


class Rails:
    """`count` road users, each going round and round on its lane."""

    def __init__(self, graph, count: int) -> None:
        self.graph = graph
        rng = np.random.default_rng(1)
        lanes = np.flatnonzero((graph.lane_kind == LaneKind.DRIVING) & (graph.lane_length > 30.0))
        share = graph.lane_length[lanes] / graph.lane_length[lanes].sum()
        self.lane = rng.choice(lanes, count, p=share)
        self.start = rng.random(count) * graph.lane_length[self.lane]
        self.speed = rng.uniform(3.0, 14.0, count)
        self.kind = rng.choice([1, 1, 1, 1, 2, 3, 5, 6], count)
        self.marks = rng.choice([0, 0, 1, 33, 5], count)

    def at(self, t: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        g = self.graph
        s = (self.start + self.speed * t) % g.lane_length[self.lane]
        x, y, heading = (np.empty(len(s)) for _ in range(3))
        for lane in np.unique(self.lane):
            rows = np.flatnonzero(self.lane == lane)
            a, b = g.lane_point_start[lane], g.lane_point_start[lane + 1]
            x[rows] = np.interp(s[rows], g.point_s[a:b], g.point_x[a:b])
            y[rows] = np.interp(s[rows], g.point_s[a:b], g.point_y[a:b])
            heading[rows] = g.point_heading[a + np.searchsorted(g.point_s[a:b], s[rows], "right") - 1]
        return x, y, heading


def map_document(base_map) -> tuple[dict, list[dict]]:
    graph = base_map.graph
    heads, stop_lines = [], []
    for link in np.flatnonzero(graph.link_signal >= 0):
        end = graph.lane_point_start[graph.link_from[link] + 1] - 1
        x, y, heading = (float(c[end]) for c in (graph.point_x, graph.point_y, graph.point_heading))
        at = {"number": int(graph.link_signal[link]), "head": int(graph.link_signal_index[link])}
        heads.append({**at, "x": x, "y": y, "heading": heading})
        half = graph.lane_width[graph.link_from[link]] / 2
        dx, dy = -np.sin(heading) * half, np.cos(heading) * half
        stop_lines.append([x - dx, y - dy, x + dx, y + dy])
    lanes = json.loads(lanes_geojson(base_map._replace(geo=base_map.geo._replace(proj="!"))))
    units = [{"id": "1", "x": -600.0, "y": 0.0}]
    return {**lanes, "name": "district", "stop_lines": stop_lines, "units": units}, heads


def head(kind: int, count: int, t: float) -> bytes:
    return struct.pack("<BBHId", kind, 1, 0, count, t)


def text(kind: int, value, t: float) -> bytes:
    body = json.dumps(value).encode()
    return head(kind, len(body), t) + body


FIGURES = {
    "safe": {"warnings_per_min": 3},
    "efficient": {"mean_speed": 8.4, "mean_wait_s": 12.5},
    "green": {"co2_g_per_km": 171.2},
    "civilised": {"yield_rate": 0.93},
}


class Picture:
    """What is on the roads at a moment, packed as the platform packs it."""

    def __init__(self, rails: Rails, heads: list[dict], t: float) -> None:
        self.rails, self.heads, self.t = rails, heads, t
        self.x, self.y, self.heading = rails.at(t)

    def objects(self, box: list[float]) -> bytes:
        west, south, east, north = box
        inside = (self.x >= west) & (self.x <= east) & (self.y >= south) & (self.y <= north)
        x0, y0 = (west + east) / 2, (south + north) / 2
        unit = max(0.01, (east - west) / 64_000, (north - south) / 64_000)
        rows = np.zeros(int(inside.sum()), OBJECT)
        rows["id"] = np.flatnonzero(inside) + 1
        rows["x"], rows["y"] = np.rint((self.x[inside] - x0) / unit), np.rint((self.y[inside] - y0) / unit)
        rows["heading"] = (self.heading[inside] / (2 * np.pi) * 65536).astype(np.int64) & 65535
        rows["speed"] = self.rails.speed[inside] * 100
        rows["kind"], rows["marks"], rows["length"] = self.rails.kind[inside], self.rails.marks[inside], 46
        return head(1, len(rows), self.t) + struct.pack("<ddff", x0, y0, unit, 0.0) + rows.tobytes()

    def lights(self) -> bytes:
        rows = np.zeros(len(self.heads), LIGHT)
        rows["group"], rows["head"] = [h["number"] for h in self.heads], [h["head"] for h in self.heads]
        rows["light"] = [3 if i % 3 == 0 else 6 for i in range(len(rows))]
        rows["changes_in"] = 300 - int(self.t * 10) % 300
        return head(2, len(rows), self.t) + rows.tobytes()

    def saying(self, i: int) -> bytes:
        return head(3, 1, self.t) + SAYING.pack(i + 1, 2, 0, 0, self.x[i], self.y[i], 10.0, 2.1)

    def inside(self, who: int) -> bytes:
        i = who - 1
        x, y, heading, speed = float(self.x[i]), float(self.y[i]), float(self.heading[i]), float(self.rails.speed[i])
        near = np.argsort(np.hypot(self.x - x, self.y - y))[1:8]
        seen = [
            dict(
                x=float(self.x[j]),
                y=float(self.y[j]),
                heading=0.0,
                kind="car",
                sigma=0.4,
                source=("own", "road", "car")[k % 3],
            )
            for k, j in enumerate(near)
        ]
        plan = [[x + d * np.cos(heading), y + d * np.sin(heading), speed] for d in range(0, 41, 5)]
        inner = {"perceives": seen, "plan": plan, "decides": {"text": "follow the leader (-0.4 m/s2)"}}
        state = {"x": x, "y": y, "heading": heading, "speed": speed, "kind": "car", "lane": None}
        told = [{"time": self.t, "what": "advice", "code": 0, "value": 10.5}]
        return text(5, {"id": who, "state": state, "told": told, "vehicle": inner}, self.t)


def application(count: int) -> FastAPI:
    app = FastAPI()
    base_map = load_district()[0]
    rails = Rails(base_map.graph, count)
    document, heads = map_document(base_map)
    begin = time.monotonic()

    @app.get("/api/map")
    def roads():
        return document

    @app.get("/api/heads")
    def signal_heads():
        return heads

    @app.get("/api/history/range")
    def history():
        return {"from": 0.0, "to": time.monotonic() - begin}

    @app.get("/api/runs")
    def runs():
        return []

    @app.get("/health")
    def health():
        page = {
            "memory_mb": 210.0,
            "cycle_ms_max": 4.0,
            "services": {"glosa": {"tier": "region", "runs": 10, "late": 0, "failures": 0}},
        }
        return {"status": "ok", "problems": [], "objects": count, "totals": {"received": 100}, "supervision": {},
                "refused_by_source": {"gateway": {"stale": 3}}, "processes": {"shard 0": page}}  # fmt: skip

    @app.websocket("/ws")
    async def stream(socket: WebSocket):
        await socket.accept()
        wishes = {"box": [-1e4, -1e4, 1e4, 1e4], "follow": 0}

        async def listen() -> None:
            while True:
                wishes.update(json.loads(await socket.receive_text()))

        listener, tick = asyncio.create_task(listen()), 0
        try:
            while not listener.done():
                t = time.monotonic() - begin
                picture = Picture(rails, heads, t)
                await socket.send_bytes(picture.objects(wishes["box"]))
                if tick % 5 == 0:
                    await socket.send_bytes(picture.lights())
                    await socket.send_bytes(text(4, FIGURES, t))
                if tick % 30 == 0:
                    await socket.send_bytes(picture.saying(tick % count))
                if 0 < wishes["follow"] <= count:
                    await socket.send_bytes(picture.inside(wishes["follow"]))
                tick += 1
                await asyncio.sleep(max(0.0, begin + t + 0.1 - time.monotonic()))
        except WebSocketDisconnect:
            pass
        finally:
            listener.cancel()

    app.mount("/", StaticFiles(directory=BUNDLE, html=True))
    return app


if __name__ == "__main__":
    uvicorn.run(application(int(sys.argv[2])), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
