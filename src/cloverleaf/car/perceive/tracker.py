"""A multi-object tracker: feed it frames of detections in any order, read the table of tracks."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.car.perceive import tracks as T
from cloverleaf.car.perceive.tracking import predict_all, track_frame
from cloverleaf.types.state import F64


class Tracker:
    """Tracks of one observer.

    `step` takes a frame (n, DETECTION) measured at `time` s. A frame older than the newest but within `memory` s is put in its
    place: the tracker goes back to its state before that time and repeats the later frames (exact, unlike retrodiction). Older,
    duplicated (same time and source) and empty-of-time frames are dropped and counted in `dropped` by reason.
    """

    def __init__(
        self, tuning: T.Tuning | None = None, *, capacity: int = 256, detections: int = 256, memory: float = 0.0
    ) -> None:
        self.tuning = tuning or T.Tuning()
        self.tracks = T.empty_tracks(capacity)
        self.dropped = {"impossible": 0, "late": 0, "duplicate": 0, "crowded": 0}
        self.time = -math.inf
        self._row = self.tuning.row()
        self._scratch = T.empty_scratch(capacity, detections)
        self._detections = detections
        self._memory = memory
        self._history: list[tuple[float, int, F64, T.Tracks, float]] = []  # time, source, frame, state before, its time

    def step(self, detections: F64, time: float, source: int = 0) -> None:
        """Take one frame; an empty one counts as a look at nothing."""
        frame = np.ascontiguousarray(detections, np.float64).reshape(-1, T.DETECTION)
        if not math.isfinite(time):
            self.dropped["impossible"] += 1
            return
        if len(frame) > self._detections:
            self.dropped["crowded"] += len(frame) - self._detections
            frame = frame[np.argsort(-frame[:, T.D_SCORE], kind="stable")[: self._detections]]
        if self._memory <= 0.0:
            if time <= self.time:
                self.dropped["duplicate" if time == self.time else "late"] += 1
                return
            self._take(frame, time)
            return
        self._keep(frame, time, source)

    def _take(self, frame: F64, time: float) -> None:
        self.dropped["impossible"] += int(track_frame(self.tracks, frame, len(frame), time, self._row, self._scratch))
        self.time = max(self.time, time)

    def _keep(self, frame: F64, time: float, source: int) -> None:
        if any(t == time and s == source for t, s, *_ in self._history):
            self.dropped["duplicate"] += 1
            return
        if time < self.time - self._memory:
            self.dropped["late"] += 1
            return
        later = [h for h in self._history if (h[0], h[1]) > (time, source)]
        if later:
            self._history = self._history[: len(self._history) - len(later)]
            for table, saved in zip(self.tracks, later[0][3], strict=True):
                table[...] = saved
            self.time = later[0][4]
        for t, s, rows in [(time, source, frame), *((h[0], h[1], h[2]) for h in later)]:
            before = T.Tracks._make(table.copy() for table in self.tracks)
            self._history.append((t, s, rows.copy(), before, self.time))
            self._take(rows, t)
        self._history = [h for h in self._history if h[0] >= self.time - self._memory]

    def predicted(self, time: float) -> T.Tracks:
        """A copy of the tracks carried ahead to `time`, without any measurement."""
        copy = T.Tracks._make(table.copy() for table in self.tracks)
        predict_all(copy, time, self._row, self._scratch)
        return copy

    def told(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Rows of the confirmed tracks that were seen lately enough to tell others of."""
        n = int(self.tracks.n[0])
        ints = self.tracks.i[:n]
        sure = self.tracks.f[:n, T.BELIEF] >= self.tuning.told_belief
        coasting = sure & (ints[:, T.MISSES] <= self.tuning.told_misses)
        return np.flatnonzero((ints[:, T.CONFIRMED] == 1) & ((ints[:, T.MISSES] == 0) | coasting))
