"""Loads or compiles every kernel that a shard needs, before it listens: a first frame must not wait for a compiler."""

from __future__ import annotations

import time

import numpy as np

from cloverleaf.cloud.live.engine import Engine
from cloverleaf.cloud.live.frames import STANDARDS, Frame, Trust
from cloverleaf.link.codec.batch import MANY
from cloverleaf.link.content.content import Content
from cloverleaf.map.graph import BaseMap
from cloverleaf.types.messages import AwarenessBatch, MessageKind, PerceptionBatch


def vehicles_at(x: float, y: float, n: int, t: float) -> AwarenessBatch:
    """n vehicles in a row that starts at (x, y)."""
    zero = np.zeros(n)
    return AwarenessBatch(
        np.arange(n, dtype=np.int64) + 1, zero + t, x + 1e-3 * np.arange(n, dtype=np.float64), zero + y,
        zero, zero + 9.0, zero, zero, zero + 4.6,
        zero + 1.8, np.ones(n, np.int32), np.zeros(n, np.int32),
    )  # fmt: skip


def warm(base_map: BaseMap) -> float:
    """Send made-up messages of all sets through an engine of its own; returns the s that it took."""
    begin = time.perf_counter()
    engine = Engine(base_map)
    now = time.time()
    g = base_map.graph
    x, y = (float(g.point_x[0]), float(g.point_y[0])) if len(g.point_x) else (0.0, 0.0)
    for k, standard in enumerate(STANDARDS):
        content = Content(base_map, standard, clock=0.0)
        for size in (2, MANY):
            batch = vehicles_at(x, y, size, now)
            _add(engine, content, standard, MessageKind.AWARENESS, batch, 2 * k + (size > 2), now)
        one, ids = np.ones(2), np.zeros(2, np.int32)
        seen = PerceptionBatch(
            np.array([9]), np.array([now]), np.array([0, 2]), np.arange(2, dtype=np.int32), np.full(2, -1), one * now, x * one, y * one,
            0 * one, one, one, one, ids + 1, one,
        )  # fmt: skip
        _add(engine, content, standard, MessageKind.PERCEPTION, seen, 10 + k, now)
    for k in range(3):
        engine.cycle(now + 0.1 * k)
    engine.snapshot(now + 0.3)
    return time.perf_counter() - begin


def _add(engine: Engine, content: Content, standard: str, kind: int, batch: object, sequence: int, now: float) -> None:
    buffer, start = content.encode(kind, batch)
    n = len(start) - 1
    trust = np.full(n, int(Trust.UNSIGNED), np.uint8)
    engine.add("warm", Frame(standard, -1, 1, sequence, now, np.full(n, int(kind), np.uint8), trust, buffer, start))
