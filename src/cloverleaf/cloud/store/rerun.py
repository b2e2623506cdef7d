"""A recorded drive once more through the live platform: rows of the lake as frames of real messages, at any speed.

The frames carry the clock of then (`SIMULATED`), so the twin takes them as of now. Vehicles keep the names that the lake gave them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cloverleaf.cloud.live.frames import SIMULATED, Frame, Trust
from cloverleaf.cloud.store.query import Reader
from cloverleaf.link.content.content import Content
from cloverleaf.map.graph import BaseMap
from cloverleaf.types.messages import AwarenessBatch, MessageKind

STEP = 0.1
"""s of the past in one frame."""
AHEAD = 10.0
_ALL = (-1e9, -1e9, 1e9, 1e9)
_MOST = 4_000_000


def frames_of(reader: Reader, base_map: BaseMap, first: float, last: float, epoch: int) -> Iterator[Frame]:
    """Frames of `STEP` s each with everybody's words in [first, last), in their order; a step without words has an empty one."""
    content = Content(base_map, "csae_day2", clock=0.0)
    sequence, t = 0, first
    while t < last:
        table = reader.box(t, min(t + AHEAD, last), _ALL, most=_MOST)
        column = {name: table[name].to_numpy() for name in table.column_names}
        edges = np.minimum(t + STEP * np.arange(1, round(AHEAD / STEP) + 1), last)
        begin = 0
        for edge in edges[: int(np.ceil((min(t + AHEAD, last) - t) / STEP - 1e-9))].tolist():
            end = int(np.searchsorted(column["time"], edge))
            sequence += 1
            content.frame.now = edge
            batch = _awareness(column, slice(begin, end))
            buffer, start = content.encode(MessageKind.AWARENESS, batch)
            n = end - begin
            trust = np.full(n, int(Trust.UNSIGNED), np.uint8)
            yield Frame("csae_day2", -1, epoch, sequence, edge, np.zeros(n, np.uint8), trust, buffer, start, SIMULATED)
            begin = end
        t += AHEAD


def _awareness(column: dict[str, np.ndarray], rows: slice) -> AwarenessBatch:
    f = {name: column[name][rows].astype(float) for name in ("time", "x", "y", "heading", "speed", "accel")}
    n = len(f["time"])
    zero = np.zeros(n)
    return AwarenessBatch(
        column["vehicle"][rows].astype(np.int64) & 0x7FFF_FFFF, f["time"], f["x"], f["y"], f["heading"], f["speed"], f["accel"],
        zero, zero + 4.6, zero + 1.8, column["kind"][rows].astype(np.int32), column["events"][rows].astype(np.int32),
    )  # fmt: skip
