"""Signal plans of a lane graph as tables for the controllers: stages, detectors and movements of each phase."""

from __future__ import annotations

import numpy as np

from cloverleaf.algo.signal_control import DETECTOR_GAP, ControlMode, SignalMemory, SignalPlan, start_signals
from cloverleaf.map.graph import LaneGraph, LaneKind
from cloverleaf.types.state import F64, I32, I64

PASSING_TIME = 1.9
"""s between vehicles of a discharging queue (SUMO's `passing-time`)."""
QUEUE_SPACE = 7.5
"""m that a standing car takes with its gap."""
DEFAULT_YELLOW, DEFAULT_ALL_RED = 3.0, 1.0
"""s, where a plan has no yellow (then also no all-red) of its own."""
MIN_GREEN, MAX_RED = 10.0, 120.0
"""s, of freely chosen stages (models.md, section 6: minimum green 10 s)."""

WALK = 1.2
"""m/s for which crosswalks are cleared (RiLSA 2015, 2.4)."""

_GREEN = frozenset(b"Gg")


def signal_plan(graph: LaneGraph) -> SignalPlan:
    """Tables for `algo.signal_control`. Yellow and all-red times are the longest ones of the group's own plan."""
    g = graph
    groups, phases = len(g.signal_links), len(g.phase_duration)
    states = [bytes(g.phase_state[a:b]) for a, b in zip(g.phase_state_start[:-1], g.phase_state_start[1:])]
    stage = np.array([bool(_GREEN & set(s)) and not set(b"yu") & set(s) for s in states], np.uint8)
    links: dict[tuple[int, int], list[int]] = {}
    for k in np.flatnonzero(g.link_signal >= 0):
        if g.lane_kind[g.link_from[k]] not in (LaneKind.WALKING_AREA, LaneKind.CROSSING):
            links.setdefault((int(g.link_signal[k]), int(g.link_signal_index[k])), []).append(int(k))
    per_lane = np.bincount(g.link_from[g.link_signal >= 0], minlength=len(g.lane_length))
    yellow, all_red = np.zeros(groups), np.zeros(groups)
    lanes: list[list[int]] = []
    moves: list[list[int]] = []
    for group in range(groups):
        rows = range(int(g.signal_phase_start[group]), int(g.signal_phase_start[group + 1]))
        yellow[group] = max((g.phase_duration[p] for p in rows if b"y" in states[p]), default=DEFAULT_YELLOW)
        dark = [g.phase_duration[p] for p in rows if not set(b"GgyYuoOs") & set(states[p])]
        all_red[group] = max(dark, default=0.0 if any(b"y" in states[p] for p in rows) else DEFAULT_ALL_RED)
        green = {
            p: [k for i, c in enumerate(states[p]) if c in _GREEN for k in links.get((group, i), [])] for p in rows
        }
        major = {
            p: {int(g.link_from[k]) for k in green[p] if states[p][g.link_signal_index[k]] == ord("G")} for p in rows
        }
        anywhere = set().union(*major.values()) if major else set()
        for p in rows:
            minor = {int(g.link_from[k]) for k in green[p]} - anywhere
            lanes.append(sorted(major[p] | minor))
            moves.append(green[p])
    move = np.array([k for row in moves for k in row], np.int64)
    heads = np.concatenate(([0], np.cumsum(g.signal_links))).astype(np.int64)
    return SignalPlan(
        head_start=heads,
        phase_start=g.signal_phase_start,
        duration=g.phase_duration,
        minimum=g.phase_min,
        maximum=g.phase_max,
        following=g.phase_next,
        state_start=g.phase_state_start,
        state=g.phase_state,
        is_stage=stage.reshape(phases),
        yellow=yellow,
        all_red=all_red,
        min_green=np.full(groups, MIN_GREEN),
        max_red=np.full(groups, MAX_RED),
        crossing=_crossing_time(g, heads),
        lane_start=np.concatenate(([0], np.cumsum([len(r) for r in lanes]))).astype(np.int64),
        lane=np.array([lane for row in lanes for lane in row], np.int32),
        move_start=np.concatenate(([0], np.cumsum([len(r) for r in moves]))).astype(np.int64),
        move_in=g.link_from[move].astype(np.int32),
        move_out=g.link_to[move].astype(np.int32),
        move_share=1.0 / np.maximum(per_lane[g.link_from[move]], 1),
    )


def _crossing_time(graph: LaneGraph, heads: I64) -> F64:
    """s to walk over the longest crosswalk of each head, 0 for heads of vehicles; shape (H,)."""
    out = np.zeros(int(heads[-1]))
    for k in np.flatnonzero(graph.link_signal >= 0):
        to = graph.link_to[k]
        if graph.lane_kind[to] == LaneKind.CROSSING:
            head = heads[graph.link_signal[k]] + graph.link_signal_index[k]
            out[head] = max(out[head], float(graph.lane_length[to]) / WALK)
    return out


def signal_memory(graph: LaneGraph, plan: SignalPlan, mode: I32 | None, t: float) -> SignalMemory:
    """Controllers that begin at time t s where their plan is; `mode` (G,) ControlMode, None: as the map says."""
    groups = len(graph.signal_links)
    if mode is None:
        mode = np.where(graph.signal_actuated == 1, ControlMode.ACTUATED, ControlMode.FIXED).astype(np.int32)
    memory = SignalMemory(
        mode=mode.astype(np.int32).copy(),
        phase=np.zeros(groups, np.int32),
        since=np.zeros(groups),
        until=np.zeros(groups),
        change=np.zeros(groups, np.int32),
        target=np.full(groups, -1, np.int32),
        clear_for=np.zeros(groups),
        change_at=np.zeros(groups),
        wanted=np.full(groups, -1, np.int32),
        served=np.zeros(len(graph.phase_duration)),
        light=np.full(int(plan.head_start[-1]), ord("r"), np.uint8),
    )
    start_signals(plan, memory, graph.signal_offset, float(t))
    return memory


def detector_position(graph: LaneGraph, plan: SignalPlan) -> F64:
    """Arc length of each lane's detector in m, -1 where no signal needs one; shape (L,).

    SUMO's rule: `DETECTOR_GAP` of travel at the limit before the stop line, but no farther than the queue that the shortest
    minimum green discharges; on a lane shorter than that, at its beginning.
    """
    shortest = np.full(len(graph.lane_length), np.inf)
    owner = np.repeat(np.arange(len(plan.minimum)), np.diff(plan.lane_start))
    np.minimum.at(shortest, plan.lane, plan.minimum[owner])
    distance = np.minimum(DETECTOR_GAP * graph.lane_speed, (shortest / PASSING_TIME + 0.5) * QUEUE_SPACE)
    return np.where(np.isfinite(shortest), np.maximum(graph.lane_length - distance, 0.0), -1.0)
