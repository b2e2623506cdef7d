"""A toy crossing for the cloud's tests: two roads of one lane per direction, 300 m arms, one signal; and cars that drive on it."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.link.batches import empty
from cloverleaf.link.station import empty_received
from cloverleaf.map.graph import BaseMap, GeoReference, LaneGraph, LaneKind, VehicleClass
from cloverleaf.types.messages import (
    CLOUD_STATION,
    RSU_STATION_BASE,
    AwarenessBatch,
    LightState,
    MessageKind,
    PerceptionBatch,
    Received,
    SignalBatch,
)

ARM, HALF = 300.0, 10.0
DIRECTIONS = [
    0.0,
    math.pi / 2,
    math.pi,
    -math.pi / 2,
]  # heading of the traffic of arms 0..3: from west, south, east, north
GREEN, YELLOW = 20.0, 3.0


def crossing(signal: bool = True) -> BaseMap:
    """Lanes 0-3 lead in, 4-7 out, 8-11 through; link i leads from lane i over lane 8 + i to lane 4 + i. East-west has priority."""
    points, start = [], [0]
    lanes = [(-ARM - HALF, -HALF)] * 4 + [(HALF, ARM + HALF)] * 4 + [(-HALF, HALF)] * 4
    for i, (a, b) in enumerate(lanes):
        h = DIRECTIONS[i % 4]
        for along in (a, b):
            x = along * math.cos(h) + 1.75 * math.sin(h)
            y = along * math.sin(h) - 1.75 * math.cos(h)
            points.append((x, y, along - a, h))
        start.append(len(points))
    px, py, ps, ph = (np.array(c) for c in zip(*points))
    n = 12
    i32, i64, f64, u8 = np.int32, np.int64, np.float64, np.uint8
    length = np.array([b - a for a, b in lanes])
    own = np.arange(4)
    foes = [[1, 3], [0, 2], [1, 3], [0, 2]]
    foe = np.array([f for row in foes for f in row], i32)
    yields = np.array([int(i % 2 == 1) for i in range(4) for _ in range(2)], u8)
    states = [b"GrGr", b"yryr", b"rGrG", b"ryry"] if signal else []
    g = LaneGraph(
        lane_edge=np.arange(n, dtype=i32), lane_index=np.zeros(n, i32),
        lane_kind=np.array([LaneKind.DRIVING] * 8 + [LaneKind.INTERNAL] * 4, i32),
        lane_length=length, lane_width=np.full(n, 3.5), lane_speed=np.full(n, 15.0),
        lane_allow=np.full(n, int(VehicleClass.ALL), np.uint32), lane_left=np.full(n, -1, i32), lane_right=np.full(n, -1, i32),
        lane_link_start=np.array([0, 1, 2, 3, 4, 4, 4, 4, 4, 5, 6, 7, 8], i64), lane_point_start=np.array(start, i64),
        lane_internal_link=np.array([-1] * 8 + [0, 1, 2, 3], i32),
        point_x=px, point_y=py, point_z=np.zeros(len(px)), point_s=ps, point_heading=ph, point_curvature=np.zeros(len(px)),
        edge_lane_start=np.arange(n + 1, dtype=i64), edge_from=np.array([-1] * 4 + [0] * 8, i32),
        edge_to=np.array([0] * 4 + [-1] * 4 + [0] * 4, i32),
        edge_internal=np.array([0] * 8 + [1] * 4, u8), edge_priority=np.ones(n, i32), edge_roundabout=np.zeros(n, u8),
        link_from=np.array([0, 1, 2, 3, 8, 9, 10, 11], i32), link_to=np.array([4, 5, 6, 7] * 2, i32),
        link_via=np.array([8, 9, 10, 11] + [-1] * 4, i32), link_direction=np.zeros(8, i32), link_junction=np.zeros(8, i32),
        link_request=np.array([0, 1, 2, 3] + [-1] * 4, i32), link_signal=np.array([0 if signal else -1] * 4 + [-1] * 4, i32),
        link_signal_index=np.array([0, 1, 2, 3] + [-1] * 4, i32), link_state=np.full(8, ord("M"), u8),
        link_length=np.array([2 * HALF] * 4 + [0.0] * 4), link_cont=np.zeros(8, u8), link_keep_clear=np.zeros(8, u8),
        link_foe_start=np.array([0, 2, 4, 6, 8, 8, 8, 8, 8], i64), foe_link=foe, foe_yield=yields,
        foe_own_lane=np.repeat(8 + own, 2).astype(i32), foe_own_begin=np.full(8, 5.0), foe_own_end=np.full(8, 15.0),
        foe_other_lane=(8 + foe).astype(i32), foe_other_begin=np.full(8, 5.0), foe_other_end=np.full(8, 15.0),
        crossing_lane=np.zeros(0, i32), crossing_link=np.zeros(0, i32), crossing_link_begin=np.zeros(0), crossing_link_end=np.zeros(0),
        crossing_has_priority=np.zeros(0, u8), crossing_signal=np.zeros(0, i32), crossing_signal_index=np.zeros(0, i32),
        junction_kind=np.zeros(1, i32), junction_x=np.zeros(1), junction_y=np.zeros(1),
        signal_links=np.array([4] if signal else [], i32), signal_actuated=np.zeros(int(signal), u8), signal_offset=np.zeros(int(signal)),
        signal_phase_start=np.array([0, 4] if signal else [0], i64), phase_duration=np.array([GREEN, YELLOW] * 2 if signal else [], f64),
        phase_min=np.array([GREEN, YELLOW] * 2 if signal else [], f64), phase_max=np.array([GREEN, YELLOW] * 2 if signal else [], f64),
        phase_next=np.full(len(states), -1, i32), phase_state_start=np.arange(len(states) + 1, dtype=i64) * 4,
        phase_state=np.frombuffer(b"".join(states), u8).copy(),
        stop_lane=np.zeros(0, i32), stop_begin=np.zeros(0), stop_end=np.zeros(0),
    )  # fmt: skip
    names = tuple(str(i) for i in range(n))
    return BaseMap(g, names, names, ("j",), ("tl",) if signal else (), (), GeoReference("!", 0, 0, 0, 0), "toy", ())


LIGHT = {"G": LightState.PROTECTED_GREEN, "y": LightState.YELLOW, "r": LightState.RED}
ORDER = ["GrGr", "yryr", "rGrG", "ryry"]


def spat(t: float, phase: int, since: float, fixed: bool) -> SignalBatch:
    """SPAT of the toy's controller; `fixed`: the greens last GREEN s for sure."""
    state, after = ORDER[phase], ORDER[(phase + 1) % 4]
    end = since + (GREEN if phase % 2 == 0 else YELLOW)
    light = np.array([LIGHT[c] for c in state], np.uint8)
    cross = phase % 2 == 0  # the crossing road waits for this green and the yellow
    change = np.array([end if c != "r" else end + (YELLOW if cross else 0.0) for c in state])
    following = np.array([LIGHT[after[i]] if c != "r" else LIGHT["G"] for i, c in enumerate(state)], np.uint8)
    closing = np.where(
        light == LIGHT["r"], change + GREEN, np.where(light == LIGHT["G"], end + YELLOW, end + GREEN + YELLOW)
    )
    unknown = np.full(4, np.nan)
    if not fixed:
        change = np.where(light == LIGHT["y"], change, np.maximum(change, t + 1.0))
    return SignalBatch(
        np.array([RSU_STATION_BASE]), np.array([t]), np.array([0], np.int32), np.array([0, 4], np.int64), np.arange(4, dtype=np.int32),
        light, change, change, change if fixed else unknown, following, closing,
    )  # fmt: skip


class Traffic:
    """Cars on the four arms as `(arm, position from -310)`, with a simple follow-the-leader law and the lights."""

    def __init__(self, arms: list[int], position: list[float], speed: float = 14.0) -> None:
        self.arm = np.array(arms)
        self.pos = np.array(position, float)
        self.speed = np.full(len(arms), speed)
        self.accel = np.zeros(len(arms))
        self.cap = np.full(len(arms), 15.0)
        self.stops = np.zeros(len(arms), int)
        self.wait = np.zeros(len(arms))

    def xy(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        h = np.array(DIRECTIONS)[self.arm]
        return self.pos * np.cos(h) + 1.75 * np.sin(h), self.pos * np.sin(h) - 1.75 * np.cos(h), h

    def move(self, state: str, dt: float = 0.1) -> None:
        """Drive one step; lights stand at -10 m; state letter per arm ('-' no light)."""
        target = np.minimum(self.cap, 15.0)
        accel = np.clip(target - self.speed, -2.0, 1.8)
        for i in range(len(self.arm)):
            gaps = self.pos[(self.arm == self.arm[i]) & (self.pos > self.pos[i])]
            walls = [gaps.min() - 7.0] if len(gaps) else []
            line = -HALF - 3.0
            letter, room = state[self.arm[i]], line - self.pos[i]
            if room > -0.5 and (letter == "r" or (letter == "y" and self.speed[i] ** 2 / 6.0 < room)):
                walls.append(line)
            for wall in walls:
                room = max(wall - self.pos[i] - 0.5, 0.01)
                safe = math.sqrt(2 * 2.5 * room)
                accel[i] = min(accel[i], (safe - self.speed[i]) / 0.3)
        accel = np.clip(accel, -6.0, 1.8)
        before = self.speed.copy()
        self.speed = np.maximum(self.speed + accel * dt, 0.0)
        self.accel = (self.speed - before) / dt
        self.pos += self.speed * dt
        self.stops += (before > 0.5) & (self.speed <= 0.5)
        self.wait += (self.speed < 0.5) * dt

    def awareness(self, t: float, who: np.ndarray | None = None) -> AwarenessBatch:
        rows = np.arange(len(self.arm)) if who is None else who
        x, y, h = self.xy()
        zero = np.zeros(len(rows))
        return AwarenessBatch(
            rows.astype(np.int64), zero + t, x[rows], y[rows], h[rows], self.speed[rows], self.accel[rows], zero, zero + 4.6,
            zero + 1.8, np.ones(len(rows), np.int32), np.zeros(len(rows), np.int32),
        )  # fmt: skip

    def perception(self, t: float, who: np.ndarray) -> PerceptionBatch:
        """What a roadside unit sees of the cars `who`, without knowing their stations."""
        x, y, h = self.xy()
        one = np.ones(len(who))
        return PerceptionBatch(
            np.array([RSU_STATION_BASE]), np.array([t]), np.array([0, len(who)]), who.astype(np.int32), np.full(len(who), -1),
            one * t, x[who], y[who], h[who], self.speed[who], one * 4.6, one * 1.8, np.ones(len(who), np.int32), one * 0.3,
        )  # fmt: skip


def inbox(
    awareness: AwarenessBatch | None = None,
    signal: SignalBatch | None = None,
    perception: PerceptionBatch | None = None,
) -> Received:
    """A cloud inbox that holds all given messages."""
    kinds = [(MessageKind.AWARENESS, awareness), (MessageKind.SIGNAL, signal), (MessageKind.PERCEPTION, perception)]
    kind = np.concatenate(
        [np.full(len(b.station), k, np.int32) for k, b in kinds if b is not None] + [np.zeros(0, np.int32)]
    )
    row = np.concatenate(
        [np.arange(len(b.station), dtype=np.int32) for _, b in kinds if b is not None] + [np.zeros(0, np.int32)]
    )
    base = empty_received(np.array([CLOUD_STATION]))
    return base._replace(
        start=np.array([0, len(kind)]), kind=kind, message=row, delay=np.zeros(len(kind)),
        awareness=awareness or empty(AwarenessBatch), signal=signal or empty(SignalBatch), perception=perception or empty(PerceptionBatch),
    )  # fmt: skip
