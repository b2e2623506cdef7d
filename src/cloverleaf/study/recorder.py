"""`log.mcap` of one run: Foxglove scene of map and road users, signals, collisions and our own counters.

Written in compressed chunks, so that whatever is on disk after `close` (also after Ctrl-C) is a valid file. Bounded: road users are
sampled at 2 Hz, more rarely when there are many, and no more scenes are written once `max_bytes` of JSON have been.
Topics: /map, /traffic (foxglove.SceneUpdate), /tf (foxglove.FrameTransform), /collisions (foxglove.Log), /signals and /counters.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from mcap.writer import CompressionType, Writer

from cloverleaf import __version__
from cloverleaf.map.graph import BaseMap, LaneKind
from cloverleaf.study.mcap_schemas import COUNTERS, FRAME_TRANSFORM, LOG, SCENE_UPDATE, SIGNALS
from cloverleaf.types.collisions import CollisionEvents, CollisionKind, FaultReason
from cloverleaf.types.signals import SignalState
from cloverleaf.types.state import Actors, Control, Kind

PERIOD = 0.5  # s between scenes
USERS_PER_SCENE = 400  # above this many, scenes become rarer in proportion
HEIGHT = {
    Kind.TRUCK: 3.2,
    Kind.BUS: 3.1,
    Kind.PEDESTRIAN: 1.7,
    Kind.BICYCLE: 1.6,
    Kind.EBIKE: 1.6,
    Kind.MOTORCYCLE: 1.5,
}
COLOUR = {"human": (0.55, 0.58, 0.62), "smart": (0.05, 0.55, 0.38), "foot": (0.85, 0.45, 0.1), "two": (0.75, 0.6, 0.15)}
LINE_COLOUR = {LaneKind.CROSSING: (0.9, 0.9, 0.9, 0.8), LaneKind.INTERNAL: (0.4, 0.4, 0.45, 0.5)}


def _stamp(t: float) -> dict[str, int]:
    whole = math.floor(t)
    return {"sec": whole, "nsec": round((t - whole) * 1e9)}


class Recorder:
    """Writes one MCAP file. `path` appears when `close` returns; until then the data are in `partial`."""

    def __init__(self, path: Path, base_map: BaseMap, *, begin: float, max_bytes: int = 160_000_000) -> None:
        self.path = path
        self.partial = path.with_name(f"{path.stem}.partial{path.suffix}")
        self._file = self.partial.open("wb")
        self._writer = Writer(self._file, chunk_size=1 << 20, compression=CompressionType.ZSTD)
        self._writer.start(profile="", library=f"cloverleaf {__version__}")
        self._left = max_bytes
        self._next = -math.inf
        self._sequence = 0
        self._letters = b""
        self._collisions = 0
        self._channel: dict[str, int] = {}
        for topic, name, schema in (
            ("/map", "foxglove.SceneUpdate", SCENE_UPDATE),
            ("/traffic", "foxglove.SceneUpdate", SCENE_UPDATE),
            ("/tf", "foxglove.FrameTransform", FRAME_TRANSFORM),
            ("/collisions", "foxglove.Log", LOG),
            ("/signals", "cloverleaf.Signals", SIGNALS),
            ("/counters", "cloverleaf.Counters", COUNTERS),
        ):
            schema_id = self._writer.register_schema(name, "jsonschema", json.dumps(schema).encode())
            self._channel[topic] = self._writer.register_channel(topic, "json", schema_id)
        self._write("/map", begin, map_scene(base_map, begin))
        self._groups = base_map.signal_ids

    def see(
        self, time: float, actors: Actors, signals: SignalState, collisions: CollisionEvents, counters: dict[str, float]
    ) -> None:
        """Record one tick: scenes when they are due, signals and collisions when they change."""
        letters = signals.light.tobytes()
        if letters != self._letters:
            self._letters = letters
            heads = [letters[a:b].decode() for a, b in zip(signals.start[:-1], signals.start[1:], strict=True)]
            names = self._groups if len(self._groups) == len(heads) else [str(i) for i in range(len(heads))]
            self._write("/signals", time, {"time": time, "groups": dict(zip(names, heads, strict=True))})
        while self._collisions < int(collisions.filled[0]):
            self._write("/collisions", time, _collision_log(collisions, self._collisions))
            self._collisions += 1
        if time + 1e-9 < self._next or self._left <= 0:
            return
        rows = np.flatnonzero(actors.kind > 0)
        self._next = time + PERIOD * max(1.0, len(rows) / USERS_PER_SCENE)
        self._write("/tf", time, _transform(time))
        self._write("/traffic", time, traffic_scene(time, actors, rows))
        self._write("/counters", time, {"time": time, "road_users": len(rows), **counters})

    def close(self, *, complete: bool) -> Path:
        """Finish the file. A complete log takes its final name; a partial one keeps `*.partial.mcap`."""
        if not self._file.closed:
            self._writer.finish()
            self._file.close()
            if complete:
                self.partial.replace(self.path)
        return self.path if complete else self.partial

    def _write(self, topic: str, time: float, message: dict[str, Any]) -> None:
        data = json.dumps(message, separators=(",", ":")).encode()
        self._left -= len(data)
        self._sequence += 1
        nanoseconds = round(time * 1e9)
        self._writer.add_message(self._channel[topic], nanoseconds, data, nanoseconds, self._sequence)


def _transform(time: float) -> dict[str, Any]:
    return {
        "timestamp": _stamp(time),
        "parent_frame_id": "world",
        "child_frame_id": "map",
        "translation": {"x": 0.0, "y": 0.0, "z": 0.0},
        "rotation": {"x": 0.0, "y": 0.0, "z": 0.0, "w": 1.0},
    }


def _collision_log(c: CollisionEvents, n: int) -> dict[str, Any]:
    what = CollisionKind(int(c.kind[n])).name.lower().replace("_", " ")
    why = FaultReason(int(c.reason[n])).name.lower().replace("_", " ")
    where = f"({c.x_a[n]:.1f}, {c.y_a[n]:.1f})"
    return {
        "timestamp": _stamp(float(c.time[n])),
        "level": 4,
        "message": f"{what} of trips {c.trip_a[n]} and {c.trip_b[n]} at {where}, {c.impact_speed[n]:.1f} m/s, rule: {why}",
        "name": "collision",
        "file": "",
        "line": 0,
    }


def _entity(identity: str, time: float, **shapes: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {
        k: [] for k in ("metadata", "arrows", "cubes", "spheres", "cylinders", "lines", "triangles", "texts", "models")
    }
    life = {"sec": 0, "nsec": 0}
    return {
        "timestamp": _stamp(time),
        "frame_id": "map",
        "id": identity,
        "lifetime": life,
        "frame_locked": False,
        **empty,
        **shapes,
    }


def _rgba(r: float, g: float, b: float, a: float = 1.0) -> dict[str, float]:
    return {"r": r, "g": g, "b": b, "a": a}


_ORIGIN = {"position": {"x": 0.0, "y": 0.0, "z": 0.0}, "orientation": {"x": 0.0, "y": 0.0, "z": 0.0, "w": 1.0}}


def map_scene(base_map: BaseMap, time: float) -> dict[str, Any]:
    """Centre lines of all lanes as one scene."""
    graph = base_map.graph
    lines = []
    for lane in range(len(graph.lane_length)):
        points = range(int(graph.lane_point_start[lane]), int(graph.lane_point_start[lane + 1]))
        kind = LaneKind(int(graph.lane_kind[lane]))
        lines.append(
            {
                "type": 0,
                "pose": _ORIGIN,
                "thickness": 1.5 if kind == LaneKind.DRIVING else 1.0,
                "scale_invariant": True,
                "points": [
                    {
                        "x": round(float(graph.point_x[p]), 2),
                        "y": round(float(graph.point_y[p]), 2),
                        "z": round(float(graph.point_z[p]), 2),
                    }
                    for p in points
                ],
                "color": _rgba(*LINE_COLOUR.get(kind, (0.35, 0.45, 0.6, 1.0))),
                "colors": [],
                "indices": [],
            }
        )
    return {"deletions": [], "entities": [_entity("lanes", time, lines=lines)]}


def traffic_scene(time: float, actors: Actors, rows: np.ndarray) -> dict[str, Any]:
    """All road users as boxes in one scene; smart cars green."""
    cubes = []
    for r in rows.tolist():
        kind = Kind(int(actors.kind[r]))
        smart = actors.control[r] == Control.SMART
        two = kind in (Kind.BICYCLE, Kind.EBIKE, Kind.MOTORCYCLE)
        colour = COLOUR["smart" if smart else "foot" if kind == Kind.PEDESTRIAN else "two" if two else "human"]
        height, half = HEIGHT.get(kind, 1.5), 0.5 * float(actors.heading[r])
        position = {"x": round(float(actors.x[r]), 2), "y": round(float(actors.y[r]), 2), "z": height / 2}
        orientation = {"x": 0.0, "y": 0.0, "z": round(math.sin(half), 4), "w": round(math.cos(half), 4)}
        size = {"x": round(float(actors.length[r]), 2), "y": round(float(actors.width[r]), 2), "z": height}
        cubes.append(
            {"pose": {"position": position, "orientation": orientation}, "size": size, "color": _rgba(*colour)}
        )
    return {"deletions": [], "entities": [_entity("road users", time, cubes=cubes)]}
