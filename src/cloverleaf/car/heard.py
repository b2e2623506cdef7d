"""Frames and messages as a few wide tables: what the car's kernels read. Built once per tick for the whole fleet."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cloverleaf.types.frames import EgoFrame, FleetMission, LaneFrame, LightFrame, ObjectFrame
from cloverleaf.types.messages import Received
from cloverleaf.types.state import F64, I32, I64

# columns of `body_table`
B_TIME, B_X, B_Y, B_HEADING, B_SPEED, B_ACCEL, B_YAW, B_SIGMA, B_LENGTH, B_WIDTH, B_TOP = range(11)
# columns of `marking_table`
M_OFFSET, M_SIGMA = range(2)
# columns of `detection_table`
D_TIME, D_X, D_Y, D_HEADING, D_VX, D_VY, D_LENGTH, D_WIDTH, D_KIND, D_SIGMA, D_CONFIDENCE = range(11)
# columns of `Heard.object`
O_STATION, O_TIME, O_X, O_Y, O_HEADING, O_SPEED, O_LENGTH, O_WIDTH, O_KIND, O_SIGMA, O_SENDER = range(11)
# columns of `Heard.perception`
P_STATION, P_TIME = range(2)
# columns of `Heard.signal`
G_GROUP, G_TIME, G_PLACE, G_LIGHT, G_NEXT, G_END, G_NEXT_END = range(7)
# columns of `Heard.advice`
A_TARGET, A_TIME, A_SPEED, A_UNTIL = range(4)
# columns of `Heard.event`
E_TARGET, E_TIME, E_X, E_Y, E_AFTER = range(5)

SELF_SIGMA = 0.8  # m, position of a station that announces itself


class Heard(NamedTuple):
    """The inbox of a fleet: receiver r holds messages `message[start[r]:start[r + 1]]`."""

    start: I64  # (receivers + 1,)
    kind: I32  # (pairs,) MessageKind
    message: I32  # (pairs,) row of `object` for awareness; of the *_start columns, advice or event otherwise
    object: F64  # (objects, 11) who announced itself, then what others perceive; station -1 unknown
    object_start: I64  # (perception messages + 1,)
    signal: F64  # (phases, 7); station and light codes as floats
    signal_start: I64  # (signal messages + 1,)
    advice: F64  # (n, 4)
    event: F64  # (n, 5)
    perception: F64  # (perception messages, 2)


def _table(rows: int, *columns: NDArray[Any] | float) -> F64:
    out = np.empty((rows, len(columns)))
    for k, column in enumerate(columns):
        out[:, k] = column
    return out


def body_table(ego: EgoFrame, mission: FleetMission) -> F64:
    """Own motion and body of each car; shape (n, 11), columns B_*."""
    return _table(
        len(ego.x), ego.time, ego.x, ego.y, ego.heading, ego.speed, ego.accel, ego.yaw_rate, ego.sigma_xy,
        mission.length, mission.width, mission.max_speed,
    )  # fmt: skip


def marking_table(lanes: LaneFrame | None, n: int) -> F64:
    """Lane offset that each car's camera sees; shape (n, 2), columns M_*; NaN without a camera."""
    return np.full((n, 2), np.nan) if lanes is None else _table(n, lanes.offset, lanes.sigma)


def detection_table(objects: ObjectFrame) -> F64:
    """Detections of all cars; shape (objects, 11), columns D_*."""
    return _table(
        len(objects.x), objects.time, objects.x, objects.y, objects.heading, objects.vx, objects.vy, objects.length,
        objects.width, objects.kind, objects.sigma, objects.confidence,
    )  # fmt: skip


def light_table(lights: LightFrame | None, n: int) -> I64:
    """Link and letter that each car's camera sees; shape (n, 2). Without cameras no light is seen."""
    out = np.empty((n, 2), np.int64)
    out[:, 0], out[:, 1] = (-1, 0) if lights is None else (lights.link, lights.light)
    return out


def heard(inbox: Received) -> Heard:
    """Join the batches of `inbox` column by column."""
    a, p, c, d, e = inbox.awareness, inbox.perception, inbox.signal, inbox.advice, inbox.event
    told = len(a.station)
    objects = np.concatenate((
        _table(told, a.station, a.time, a.x, a.y, a.heading, a.speed, a.length, a.width, a.kind, SELF_SIGMA, -1.0),
        _table(
            len(p.x), p.object_station, p.object_time, p.x, p.y, p.heading, p.speed, p.length, p.width, p.kind, p.sigma,
            np.repeat(p.station, np.diff(p.object_start)),
        ),
    ))  # fmt: skip
    phases = np.diff(c.phase_start)
    signal = _table(
        len(c.link_index), np.repeat(c.intersection, phases), np.repeat(c.time, phases), c.link_index, c.light,
        c.next_light, np.where(np.isfinite(c.likely_end), c.likely_end, c.max_end), c.next_end,
    )  # fmt: skip
    return Heard(
        inbox.start, inbox.kind, inbox.message, objects, p.object_start + told, signal, c.phase_start,
        _table(len(d.station), d.target, d.time, d.speed, d.valid_until),
        _table(len(e.station), e.target, e.time, e.conflict_x, e.conflict_y, e.time_to_conflict),
        _table(len(p.station), p.station, p.time),
    )  # fmt: skip
