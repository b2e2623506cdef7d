"""Roadside tracks: nearest-neighbour association and alpha-beta filters, with ids that last as long as the object is seen.

Gains of the steady-state constant-velocity filter for a tracking index near 0.5 (P. Kalata, "The tracking index", IEEE
Transactions on Aerospace and Electronic Systems 20, 1984): alpha 0.5, beta 0.17.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.types.state import F64, I32, I64, U8, Kind

ALPHA, BETA = 0.5, 0.17
GATE = 3.0
"""m around the predicted position within which a detection belongs to a track."""
LIFE = 1.0
"""s for which a track lives on without detections."""
CONFIRM = 3
"""Detections before a track is believed."""
CAPACITY = 256
"""Tracks per unit."""
ON_FOOT = int(Kind.PEDESTRIAN)


class Tracks(NamedTuple):
    """Tracks of all units; shape (U, CAPACITY) unless said. Positions m ENU, speeds m/s."""

    id: I32  # 0 free
    x: F64
    y: F64
    vx: F64
    vy: F64
    heading: F64
    length: F64
    width: F64
    kind: I32
    sigma: F64
    time: F64  # s, of the last detection
    at: F64  # s, to which the state refers
    hits: I32
    station: I64  # V2X station known to be this object, -1 none
    taken: U8  # scratch
    next_id: I32  # (U,)
    high: I32  # (U,) no slot from here on is in use


def empty_tracks(units: int) -> Tracks:
    """No tracks yet."""
    shape = (units, CAPACITY)
    ints = {"id": np.int32, "kind": np.int32, "hits": np.int32, "station": np.int64, "taken": np.uint8}
    columns = {name: np.zeros(shape, ints.get(name, np.float64)) for name in Tracks._fields[:-2]}
    columns["station"][:] = -1
    return Tracks(**columns, next_id=np.ones(units, np.int32), high=np.zeros(units, np.int32))


@kernel
def _match(tracks, u, x, y, time, kind):
    """Nearest free track of unit `u` within the gate of a detection made at `time` s, -1 none."""
    best, found = GATE * GATE, -1
    for k in range(tracks.high[u]):
        if tracks.id[u, k] == 0 or tracks.taken[u, k] == 1:
            continue
        # People and vehicles do not turn into each other.
        if (tracks.kind[u, k] == ON_FOOT) != (kind == ON_FOOT):
            continue
        age = time - tracks.at[u, k]
        dx = x - tracks.x[u, k] - tracks.vx[u, k] * age
        dy = y - tracks.y[u, k] - tracks.vy[u, k] * age
        d2 = dx * dx + dy * dy
        if d2 < best:
            best, found = d2, k
    return found


@kernel
def _update(tracks, u, k, j, frame, x, y):
    step = max(frame.time[j] - tracks.at[u, k], 1e-3)
    px = tracks.x[u, k] + tracks.vx[u, k] * step
    py = tracks.y[u, k] + tracks.vy[u, k] * step
    tracks.x[u, k] = px + ALPHA * (x - px)
    tracks.y[u, k] = py + ALPHA * (y - py)
    # The sensor measures speed too: it enters with the same gain as the change of position.
    vx = tracks.vx[u, k] + BETA * (x - px) / step
    vy = tracks.vy[u, k] + BETA * (y - py) / step
    tracks.vx[u, k] = vx + ALPHA * (frame.vx[j] - vx)
    tracks.vy[u, k] = vy + ALPHA * (frame.vy[j] - vy)
    turn = (frame.heading[j] - tracks.heading[u, k] + math.pi) % (2.0 * math.pi) - math.pi
    tracks.heading[u, k] += ALPHA * turn
    tracks.length[u, k] += 0.2 * (frame.length[j] - tracks.length[u, k])
    tracks.width[u, k] += 0.2 * (frame.width[j] - tracks.width[u, k])
    tracks.sigma[u, k] = frame.sigma[j]
    tracks.kind[u, k] = frame.kind[j]
    tracks.time[u, k] = frame.time[j]
    tracks.at[u, k] = frame.time[j]
    tracks.hits[u, k] += 1
    tracks.taken[u, k] = 1


@kernel
def _begin(tracks, u, j, frame, x, y):
    for k in range(tracks.id.shape[1]):
        if tracks.id[u, k] != 0:
            continue
        tracks.id[u, k] = tracks.next_id[u]
        tracks.high[u] = max(tracks.high[u], k + 1)
        tracks.next_id[u] = tracks.next_id[u] % 65535 + 1
        tracks.x[u, k] = x
        tracks.y[u, k] = y
        tracks.vx[u, k] = frame.vx[j]
        tracks.vy[u, k] = frame.vy[j]
        tracks.heading[u, k] = frame.heading[j]
        tracks.length[u, k] = frame.length[j]
        tracks.width[u, k] = frame.width[j]
        tracks.kind[u, k] = frame.kind[j]
        tracks.sigma[u, k] = frame.sigma[j]
        tracks.time[u, k] = frame.time[j]
        tracks.at[u, k] = frame.time[j]
        tracks.hits[u, k] = 1
        tracks.station[u, k] = -1
        tracks.taken[u, k] = 1
        return


@kernel
def track(tracks, frame, unit_x, unit_y, t):
    """Take the detections of all units (an `ObjectFrame` in the units' frames) into their tracks; drop the unseen ones."""
    for u in range(unit_x.shape[0]):
        high = 0
        for k in range(tracks.high[u]):
            tracks.taken[u, k] = 0
            if tracks.id[u, k] != 0 and t - tracks.time[u, k] > LIFE:
                tracks.id[u, k] = 0
            if tracks.id[u, k] != 0:
                high = k + 1
        tracks.high[u] = high
        for j in range(frame.start[u], frame.start[u + 1]):
            x, y = frame.x[j] + unit_x[u], frame.y[j] + unit_y[u]
            k = _match(tracks, u, x, y, frame.time[j], frame.kind[j])
            if k >= 0:
                _update(tracks, u, k, j, frame, x, y)
            else:
                _begin(tracks, u, j, frame, x, y)


@kernel
def recognise(tracks, u, station, x, y, vx, vy, time):
    """Note which track of unit `u` is the announced station (ENU m, m/s, s of the announcement). Returns the track or -1."""
    best, found = GATE * GATE, -1
    for k in range(tracks.high[u]):
        if tracks.id[u, k] == 0:
            continue
        age = tracks.at[u, k] - time
        dx = tracks.x[u, k] - x - vx * age
        dy = tracks.y[u, k] - y - vy * age
        d2 = dx * dx + dy * dy
        if d2 < best:
            best, found = d2, k
    if found >= 0:
        tracks.station[u, found] = station
    return found
