"""The lane graph repacked into a few block arrays, as the driving kernels read it (types/traffic.py names the columns)."""

from __future__ import annotations

import numpy as np

from cloverleaf.map.clashes import Clashes, find_clashes
from cloverleaf.map.graph import LaneGraph
from cloverleaf.map.remembered import once_per_graph
from cloverleaf.map.rooms import join_opposed
from cloverleaf.map.skew import lane_shifts
from cloverleaf.map.stop_lines import stop_lines
from cloverleaf.types import traffic as T
from cloverleaf.types.state import I32, I64

VISIBILITY = 4.5  # m before a minor link at which all foes are seen (SUMO's default)
ZIPPER_VISIBILITY = 100.0
LEAST_ROOM = 1.0  # m into the junction from which on it makes sense to wait there


def signal_starts(graph: LaneGraph) -> I64:
    """First head of each signal group in the flat array of lights, shape (G + 1,)."""
    return np.concatenate(([0], np.cumsum(graph.signal_links, dtype=np.int64))).astype(np.int64)


def next_internal(graph: LaneGraph) -> I32:
    """For each internal lane its only onward link, -1 elsewhere; shape (L,)."""
    out = np.full(len(graph.lane_edge), -1, np.int32)
    internal = graph.edge_internal[graph.lane_edge] > 0
    has = graph.lane_link_start[1:] > graph.lane_link_start[:-1]
    rows = np.nonzero(internal & has)[0]
    out[rows] = graph.lane_link_start[rows].astype(np.int32)
    return out


def _lanes(graph: LaneGraph, onward: I32, clashes: Clashes) -> tuple[T.F64, I32]:
    lanes = len(graph.lane_edge)
    f = np.zeros((lanes, 6))
    f[:, T.LANE_LENGTH] = graph.lane_length
    f[:, T.LANE_SPEED] = graph.lane_speed
    f[:, T.LANE_WIDTH] = graph.lane_width
    f[:, [T.LANE_SHIFT_BEGIN, T.LANE_SHIFT_END, T.LANE_SKEW]] = lane_shifts(graph)
    i = np.full((lanes, T.LANE_COLUMNS), -1, np.int32)
    i[:, T.LANE_EDGE] = graph.lane_edge
    i[:, T.LANE_INDEX] = graph.lane_index
    i[:, T.LANE_LEFT] = graph.lane_left
    i[:, T.LANE_RIGHT] = graph.lane_right
    i[:, T.LANE_INTERNAL] = graph.edge_internal[graph.lane_edge]
    i[:, T.LANE_NEXT] = onward
    i[:, T.LANE_ALLOW] = graph.lane_allow.astype(np.int64).astype(np.int32)
    i[:, T.LANE_CLASH], i[:, T.LANE_CLASH_END] = clashes.start[:-1], clashes.start[1:]
    return f, i


def road_tables(graph: LaneGraph) -> T.Roads:
    """Pack `graph`; the `light` column starts dark ('O') and is the world's to fill, all others are shared and never written."""
    roads = _pack(graph)
    return roads._replace(light=roads.light.copy())


@once_per_graph
def _pack(graph: LaneGraph) -> T.Roads:
    onward = next_internal(graph)
    clashes = find_clashes(graph)
    lane_f, lane_i = _lanes(graph, onward, clashes)
    normal = np.flatnonzero(graph.edge_internal[graph.lane_edge[graph.link_from]] == 0)
    into = normal[np.argsort(graph.link_to[normal], kind="stable")].astype(np.int32)
    bounds = np.searchsorted(graph.link_to[into], np.arange(len(lane_i) + 1))
    lane_i[:, T.LANE_INTO], lane_i[:, T.LANE_INTO_END] = bounds[:-1], bounds[1:]
    links = len(graph.link_from)
    starts = signal_starts(graph)
    f = np.zeros((links, 4))
    i = np.full((links, 16), -1, np.int32)
    f[:, T.LINK_LENGTH] = graph.link_length
    f[:, T.LINK_VISIBILITY] = np.where(graph.link_state == ord("Z"), ZIPPER_VISIBILITY, VISIBILITY)
    i[:, T.LINK_FROM], i[:, T.LINK_TO], i[:, T.LINK_VIA] = graph.link_from, graph.link_to, graph.link_via
    i[:, T.LINK_JUNCTION] = graph.link_junction
    lit = graph.link_signal >= 0
    i[lit, T.LINK_LIGHT] = (starts[graph.link_signal[lit]] + graph.link_signal_index[lit]).astype(np.int32)
    i[:, T.LINK_STATE] = graph.link_state
    i[:, T.LINK_DIRECTION] = graph.link_direction
    i[:, T.LINK_FOES], i[:, T.LINK_FOES_END] = graph.link_foe_start[:-1], graph.link_foe_start[1:]
    i[:, T.LINK_ROUNDABOUT] = graph.edge_roundabout[graph.lane_edge[graph.link_to]]
    from_internal = lane_i[graph.link_from, T.LANE_INTERNAL] > 0
    i[:, T.LINK_ENTRY] = np.arange(links)
    inner = np.nonzero(from_internal)[0]
    owner = graph.lane_internal_link[graph.link_from[inner]]
    i[inner, T.LINK_ENTRY] = owner
    waits = inner[(graph.link_via[inner] >= 0) & (owner >= 0)]
    entry_of = i[waits, T.LINK_ENTRY]
    i[waits, T.LINK_FOES], i[waits, T.LINK_FOES_END] = i[entry_of, T.LINK_FOES], i[entry_of, T.LINK_FOES_END]
    two_part = np.zeros(links, bool)
    two_part[entry_of] = True
    i[:, T.LINK_CONT] = (graph.link_cont > 0) & two_part & ~from_internal
    f[waits, T.LINK_LENGTH] = graph.lane_length[graph.link_via[waits]]
    foe_f, foe_i = _foes(graph, lane_i)
    f[:, T.LINK_LINE] = stop_lines(graph, clashes, i)
    # nobody waits inside where the first step already stands in somebody's way
    room = graph.lane_length[graph.link_from[waits]] - f[waits, T.LINK_LINE]
    i[entry_of[room < LEAST_ROOM], T.LINK_CONT] = 0
    crossing = np.zeros(links, np.int32)
    crossing[graph.crossing_link] = 1
    i[:, T.LINK_CROSSINGS] = crossing
    watched = np.zeros(links, bool)
    watched[foe_i[foe_i[:, T.FOE_YIELD] > 0, T.FOE_LINK]] = True
    i[:, T.LINK_WATCHED] = watched
    i[waits, T.LINK_WATCHED] = watched[entry_of]
    foes = i[:, T.LINK_FOES_END] > i[:, T.LINK_FOES]
    i[:, T.LINK_CLEAR] = (graph.link_keep_clear > 0) & foes & ~from_internal
    exits = from_internal & (graph.link_via < 0)
    plain = ~lit & ~foes & (crossing == 0) & ~np.isin(graph.link_state, [ord("s"), ord("w"), ord("Z")])
    i[:, T.LINK_FREE] = exits | plain
    rooms = join_opposed(graph, clashes)
    clash_f = np.column_stack((rooms.begin, rooms.end, rooms.other_begin, rooms.other_end))
    clash_i = np.column_stack((clashes.other, clashes.along)).astype(np.int32)
    return T.Roads(
        lane_f, lane_i, f, i, foe_f, foe_i, np.ascontiguousarray(clash_f), np.ascontiguousarray(clash_i), into,
        np.full(max(int(starts[-1]), 1), ord("O"), np.uint8),
    )  # fmt: skip


def _foes(graph: LaneGraph, lane_i: I32) -> tuple[T.F64, I32]:
    """Conflicts with our side measured from the start of the link's path through the junction."""
    foes = len(graph.foe_link)
    own_link = np.repeat(np.arange(len(graph.link_from)), np.diff(graph.link_foe_start))
    f = np.zeros((foes, 4))
    i = np.full((foes, 4), -1, np.int32)
    i[:, T.FOE_LINK], i[:, T.FOE_YIELD], i[:, T.FOE_LANE] = graph.foe_link, graph.foe_yield, graph.foe_other_lane
    if not foes:
        return f, i
    via = graph.link_via[own_link]
    later = (graph.foe_own_lane >= 0) & (graph.foe_own_lane != via) & (via >= 0)
    before = np.where(later, graph.lane_length[np.maximum(via, 0)], 0.0)
    whole = graph.link_length[own_link]
    merge = graph.link_to[own_link] == graph.link_to[graph.foe_link]
    only_target = graph.foe_own_lane < 0
    f[:, T.FOE_BEGIN] = np.where(only_target, whole, before + graph.foe_own_begin)
    f[:, T.FOE_END] = np.where(only_target, whole, before + graph.foe_own_end)
    other_length = graph.lane_length[np.maximum(graph.foe_other_lane, 0)]
    f[:, T.FOE_OTHER_BEGIN] = np.where(only_target, other_length, graph.foe_other_begin)
    f[:, T.FOE_OTHER_END] = np.where(only_target, other_length, graph.foe_other_end)
    i[:, T.FOE_MERGE] = merge
    return f, i
