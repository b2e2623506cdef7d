"""What the cloud knows of the lights: the last SPAT of every signal head."""

from __future__ import annotations

import numpy as np

from cloverleaf.map.graph import LaneGraph
from cloverleaf.types.messages import LightState, SignalBatch
from cloverleaf.types.state import I64

GREENS = (int(LightState.PERMISSIVE_GREEN), int(LightState.PROTECTED_GREEN), int(LightState.FLASHING_GREEN))


def head_starts(graph: LaneGraph) -> I64:
    """First head of each signal group in arrays over all heads, shape (G + 1,)."""
    return np.concatenate(([0], np.cumsum(graph.signal_links))).astype(np.int64)


class SignalMemory:
    """Columns over all heads of the map; `time` is NaN where nothing was heard. Times in s of the simulation."""

    def __init__(self, graph: LaneGraph) -> None:
        self.start = head_starts(graph)
        heads = int(self.start[-1])
        self.light = np.zeros(heads, np.uint8)
        self.next_light = np.zeros(heads, np.uint8)
        self.time, self.min_end, self.likely_end = (np.full(heads, np.nan) for _ in range(3))
        self.max_end, self.next_end = np.full(heads, np.nan), np.full(heads, np.nan)
        self.heard = np.full(len(self.start) - 1, np.nan)  # s, last SPAT of each group

    def ingest(self, batch: SignalBatch) -> None:
        """Take over a batch; later rows win."""
        if not len(batch.intersection):
            return
        groups = len(self.heard)
        known = (batch.intersection >= 0) & (batch.intersection < groups)
        count = np.diff(batch.phase_start)
        group = np.repeat(np.where(known, batch.intersection, 0), count)
        width = self.start[group + 1] - self.start[group]
        ok = np.repeat(known, count) & (batch.link_index >= 0) & (batch.link_index < width)
        head = (self.start[group] + batch.link_index)[ok]
        self.light[head], self.next_light[head] = batch.light[ok], batch.next_light[ok]
        self.min_end[head], self.likely_end[head] = batch.min_end[ok], batch.likely_end[ok]
        self.max_end[head], self.next_end[head] = batch.max_end[ok], batch.next_end[ok]
        self.time[head] = np.repeat(batch.time, count)[ok]
        self.heard[batch.intersection[known]] = batch.time[known]
