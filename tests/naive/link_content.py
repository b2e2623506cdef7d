"""A plain content function for tests of the bus: pickles each message; no standard."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

from cloverleaf.link.batches import WIRE_TYPES, empty, join, pack, take
from cloverleaf.types.messages import MessageKind


class PickleContent:
    """Implements `link.bus.Content`; counts the messages it decodes."""

    def __init__(self) -> None:
        self.decoded = 0

    def encode(self, kind: int, batch: Any) -> tuple[np.ndarray, np.ndarray]:
        if kind == MessageKind.TOPOLOGY:
            return pack([b"M" * 300 for _ in batch])
        return pack([pickle.dumps(tuple(take(batch, np.array([i])))) for i in range(len(batch[0]))])

    def segments(self, stations: np.ndarray) -> np.ndarray:
        return np.ones(len(stations), np.int64)

    def decode(self, kind: int, buffer: np.ndarray, start: np.ndarray) -> tuple[Any, np.ndarray]:
        batches, error = [], np.zeros(len(start) - 1, np.uint8)
        for i in range(len(start) - 1):
            raw = buffer[start[i] : start[i + 1]].tobytes()
            try:
                batches.append(WIRE_TYPES[kind](*pickle.loads(raw)))
            except Exception:
                error[i] = 1
                blank = empty(WIRE_TYPES[kind])
                batches.append(type(blank)(*[np.zeros(2 if len(c) else 1, c.dtype) for c in blank]))
            self.decoded += 1
        return join(batches), error
