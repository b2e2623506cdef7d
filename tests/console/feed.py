"""A platform of straw for browser tests: the district's roads and any number of road users on rails, by the real protocol.

Run as `python tests/console/feed.py PORT OBJECTS`; serves the bundle, `/api/v1/map` and the stream on 127.0.0.1.
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

BUNDLE = Path(cloverleaf.__file__).parent / "cloud" / "console"
OBJECT = np.dtype([("id", "<u4"), ("qx", "<u2"), ("qy", "<u2"), ("heading", "<u2"), ("speed", "u1"), ("kind", "u1")])


class Rails:
    """`count` road users, each going round and round on its lane."""

    def __init__(self, count: int) -> None:
        graph = load_district()[0].graph
        self.graph = graph
        rng = np.random.default_rng(1)
        lanes = np.flatnonzero((graph.lane_kind == LaneKind.DRIVING) & (graph.lane_length > 30.0))
        share = graph.lane_length[lanes] / graph.lane_length[lanes].sum()
        self.lane = rng.choice(lanes, count, p=share)
        self.start = rng.random(count) * graph.lane_length[self.lane]
        self.speed = rng.uniform(3.0, 14.0, count)
        self.kind = rng.choice([1, 1, 1, 1, 2, 3, 5, 6], count) | (rng.choice([0, 16, 32, 48, 64, 128], count))

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


def map_document(graph) -> dict:
    lanes = []
    for lane in range(len(graph.lane_kind)):
        a, b = graph.lane_point_start[lane], graph.lane_point_start[lane + 1]
        points = np.column_stack((graph.point_x[a:b], graph.point_y[a:b])).round(2).tolist()
        kind = LaneKind(int(graph.lane_kind[lane])).name.lower()
        lanes.append({"id": str(lane), "kind": kind, "width": float(graph.lane_width[lane]), "points": points})
    signals, stop_lines = [], []
    for link in np.flatnonzero(graph.link_signal >= 0):
        end = graph.lane_point_start[graph.link_from[link] + 1] - 1
        x, y, heading = (float(c[end]) for c in (graph.point_x, graph.point_y, graph.point_heading))
        signals.append({"id": len(signals), "x": x, "y": y, "heading": heading, "group": str(graph.link_signal[link])})
        half = graph.lane_width[graph.link_from[link]] / 2
        dx, dy = -np.sin(heading) * half, np.cos(heading) * half
        stop_lines.append([x - dx, y - dy, x + dx, y + dy])
    box = [float(v) for v in (graph.point_x.min(), graph.point_y.min(), graph.point_x.max(), graph.point_y.max())]
    return {"name": "district", "origin": None, "box": box, "lanes": lanes, "junctions": [], "stop_lines": stop_lines,
            "signals": signals, "units": [{"id": "1", "x": box[0] + 100, "y": 0.0}]}  # fmt: skip


def head(kind: int, count: int, t: float) -> bytes:
    return struct.pack("<BBHId", kind, 0, 0, count, t)


def application(count: int) -> FastAPI:
    app, rails = FastAPI(), Rails(count)
    document = map_document(rails.graph)
    begin = time.monotonic()

    @app.get("/api/v1/map")
    def base_map():
        return document

    @app.get("/api/v1/history")
    def history():
        return {"from": 0.0, "to": time.monotonic() - begin, "step_s": 0.1}

    @app.get("/api/v1/runs")
    def runs():
        return []

    @app.get("/health")
    def health():
        services = [
            {"name": "glosa", "tier": "region", "deadline_ms": 1000, "ran": 10, "late": 0, "errors": 0, "ms_p99": 3.2}
        ]
        ingest = {"frames": 10, "messages": 100, "verified_share": 1.0, "dropped": {"stale": 3}}
        return {"status": "ok", "broker": {"ok": True, "url": "embedded"}, "twin": {"objects": count, "age_ms_p95": 90.0},
                "ingest": ingest, "services": services}  # fmt: skip

    def objects(box: list[float], t: float) -> bytes:
        x, y, heading = rails.at(t)
        x0, y0, x1, y1 = box
        inside = (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
        rows = np.zeros(int(inside.sum()), OBJECT)
        rows["id"] = np.flatnonzero(inside)
        rows["qx"] = (x[inside] - x0) / (x1 - x0) * 65535
        rows["qy"] = (y[inside] - y0) / (y1 - y0) * 65535
        rows["heading"] = (heading[inside] / (2 * np.pi) * 65536).astype(np.int64) & 65535
        rows["speed"] = rails.speed[inside] * 4
        rows["kind"] = rails.kind[inside]
        return head(1, len(rows), t) + np.array(box, "<f4").tobytes() + rows.tobytes()

    def lights(t: float) -> bytes:
        n = len(document["signals"])
        left = 30 - int(t) % 30
        return head(2, n, t) + b"".join(struct.pack("<HBB", i, ord("G" if i % 3 else "r"), left) for i in range(n))

    def text(kind: int, value, t: float) -> bytes:
        return head(kind, 0, t) + json.dumps(value).encode()

    @app.websocket("/api/v1/stream")
    async def stream(socket: WebSocket):
        await socket.accept()
        wishes = {"view": {"box": document["box"]}, "follow": {"id": None}}

        async def listen() -> None:
            while True:
                wish = json.loads(await socket.receive_text())
                wishes[wish["type"]] = wish

        listener = asyncio.create_task(listen())
        tick = 0
        try:
            while not listener.done():
                t = time.monotonic() - begin
                await socket.send_bytes(objects(wishes["view"]["box"], t))
                if tick % 10 == 0:
                    await socket.send_bytes(lights(t))
                    await socket.send_bytes(text(4, {"safe": {"collisions": {"value": 0, "unit": ""}}, "efficient": {
                        "mean_speed": {"value": 8.4, "unit": "m/s"}}, "green": {"co2_g_per_km": {"value": 171.2, "unit": "g/km"}},
                        "civilised": {"yield_rate": {"value": 0.93, "unit": ""}}}, t))  # fmt: skip
                if tick % 30 == 0:
                    x, y, _ = rails.at(t)
                    i = tick % count
                    await socket.send_bytes(text(3, [{"time": t, "kind": "INTERSECTION_COLLISION", "priority": 2, "x": x[i],
                        "y": y[i], "id": i, "text": "crossing traffic from the left in 2.1 s", "source": "cloud"}], t))  # fmt: skip
                who = wishes["follow"]["id"]
                if who is not None and who < count:
                    x, y, heading = rails.at(t)
                    near = np.argsort(np.hypot(x - x[who], y - y[who]))[1:8]
                    seen = [{"x": x[j], "y": y[j], "heading": heading[j], "kind": "car", "sigma": 0.4,
                             "source": ("own", "road", "car")[k % 3]} for k, j in enumerate(near)]  # fmt: skip
                    ahead = np.linspace(0, 40, 9)
                    path = [[x[who] + d * np.cos(heading[who]), y[who] + d * np.sin(heading[who])] for d in ahead]
                    await socket.send_bytes(text(5, {"x": x[who], "y": y[who], "heading": heading[who], "speed": rails.speed[who],
                        "perceived": seen, "told": [{"time": t, "kind": "SPEED_ADVICE", "text": "38 km/h", "source": "cloud"}],
                        "decided": {"text": "follow the leader", "proposal": "keep lane, 1.0 v", "term": "time headway",
                                    "path": path, "speed_target": 10.0}}, t))  # fmt: skip
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
