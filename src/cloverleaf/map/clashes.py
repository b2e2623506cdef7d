"""Lanes that share room without being each other's continuation: siblings that part, paths that the right-of-way table leaves out,
edges drawn over each other near a junction.

The right-of-way table of a junction says who yields; it says little about room. A row here says: while a body is between
`other_begin` and `other_end` on the other lane, it is in the way between `begin` and `end` on this one.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.map.graph import LaneGraph, LaneKind
from cloverleaf.types.state import F64, I32, I64

CLEARANCE = 1.8
"""m between centre lines below which two vehicles side by side touch: a car (1.8 m) and a bus (2.5 m), less what people evade by."""
CROSSING_CLEARANCE = 1.4
"""m, the same for the front of one and the side of the other."""
CELL = 4.0
"""m, side of the cells by which lanes are sorted to find pairs."""
ALONG = 0.5
"""Cosine of the angle below which two lanes run the same way: one follows the other instead of waiting for it to be gone."""
HOPS = 4
"""Lanes ahead that count as continuation where the pieces are short."""


class Clashes(NamedTuple):
    """Rows sorted by `own`; every pair stands in both directions."""

    start: I64  # (L + 1,) rows of each lane
    other: I32  # lane
    along: I32  # 1 both run the same way
    begin: F64  # m on the own lane
    end: F64
    other_begin: F64  # m on the other lane
    other_end: F64


@kernel
def _segment_distance2(px, py, ax, ay, bx, by):
    """Squared distance of point p from segment ab, m2."""
    ux, uy = bx - ax, by - ay
    wx, wy = px - ax, py - ay
    norm = ux * ux + uy * uy
    t = min(max((wx * ux + wy * uy) / norm, 0.0), 1.0) if norm > 0.0 else 0.0
    ex, ey = wx - t * ux, wy - t * uy
    return ex * ex + ey * ey


@kernel
def near_interval(start, x, y, s, own, other, clearance, box, out):
    """Fill out = (begin, end, cosine) of the part of `own` within `clearance` of `other`; begin > end if there is none.

    The cosine is that of the angle between both where they are closest. `box` (L, 4) bounds each lane: low x, low y, high x, high y.
    """
    begin, end, best, cosine = 1e18, -1.0, 1e18, 1.0
    limit = clearance * clearance
    for i in range(start[own], start[own + 1] - 1):
        if (
            max(x[i], x[i + 1]) < box[other, 0] - clearance
            or min(x[i], x[i + 1]) > box[other, 2] + clearance
            or max(y[i], y[i + 1]) < box[other, 1] - clearance
            or min(y[i], y[i + 1]) > box[other, 3] + clearance
        ):
            continue
        dx, dy = x[i + 1] - x[i], y[i + 1] - y[i]
        length = math.sqrt(dx * dx + dy * dy)
        n = max(1, int(math.ceil(length / 0.25)))
        for k in range(n + 1):
            f = k / n
            px, py = x[i] + f * dx, y[i] + f * dy
            for j in range(start[other], start[other + 1] - 1):
                d2 = _segment_distance2(px, py, x[j], y[j], x[j + 1], y[j + 1])
                if d2 <= limit:
                    at = s[i] + f * (s[i + 1] - s[i])
                    begin = min(begin, at)
                    end = max(end, at)
                if d2 < best:
                    best = d2
                    ex, ey = x[j + 1] - x[j], y[j + 1] - y[j]
                    norm = length * math.sqrt(ex * ex + ey * ey)
                    cosine = (dx * ex + dy * ey) / norm if norm > 0.0 else 1.0
    out[0] = begin
    out[1] = end
    out[2] = cosine


@kernel
def _near_intervals(start, x, y, s, own, other, clearance, box, out):
    for k in range(own.shape[0]):
        near_interval(start, x, y, s, own[k], other[k], clearance, box, out[k])


def _boxes(graph: LaneGraph) -> F64:
    """Bounds of each lane's centre line: low x, low y, high x, high y, m; shape (L, 4)."""
    points, first = np.column_stack((graph.point_x, graph.point_y)), graph.lane_point_start[:-1]
    return np.ascontiguousarray(np.hstack((np.minimum.reduceat(points, first), np.maximum.reduceat(points, first))))


def parts_near(graph: LaneGraph, own: I32, other: I32, clearance: float) -> F64:
    """Where lanes `own` lie within `clearance` (m) of lanes `other`: begin, end (m on own; begin > end nowhere), cosine; shape (n, 3)."""
    out = np.zeros((len(own), 3))
    _near_intervals(
        graph.lane_point_start, graph.point_x, graph.point_y, graph.point_s, own, other, clearance, _boxes(graph), out
    )
    return out


def find_clashes(graph: LaneGraph) -> Clashes:
    """All clashes of the lanes that vehicles drive on, except pairs whose conflict the foes of their links already describe."""
    lanes = len(graph.lane_edge)
    own, other = _candidates(graph)
    ours, theirs = parts_near(graph, own, other, CLEARANCE), parts_near(graph, other, own, CLEARANCE)
    # both directions of a pair are judged by the same angle
    ours[:, 2] = np.minimum(ours[:, 2], theirs[:, 2])
    across = np.flatnonzero(ours[:, 2] <= ALONG)
    for pair, out in (((own, other), ours), ((other, own), theirs)):
        out[across, :2] = parts_near(graph, pair[0][across], pair[1][across], CROSSING_CLEARANCE)[:, :2]
    inner = graph.edge_internal[graph.lane_edge] > 0
    keep = (ours[:, 0] <= ours[:, 1]) & (theirs[:, 0] <= theirs[:, 1])
    # pieces of one chain of short lanes touch where one ends and the other begins
    keep &= ~_continues(graph, own, other) & ~_continues(graph, other, own)
    # only beside a junction: side by side on the open road nobody gives way
    keep &= inner[own] | inner[other] | (np.minimum(ours[:, 1] - ours[:, 0], theirs[:, 1] - theirs[:, 0]) < 30.0)
    # of two paths that end on one lane the merge rule alone says who goes first
    keep &= ~(_same_target(graph, own, other) & (ours[:, 2] > ALONG))
    own, other, ours, theirs = own[keep], other[keep], ours[keep], theirs[keep]
    return Clashes(
        np.searchsorted(own, np.arange(lanes + 1)).astype(np.int64), other, (ours[:, 2] > ALONG).astype(np.int32),
        ours[:, 0].copy(), ours[:, 1].copy(), theirs[:, 0].copy(), theirs[:, 1].copy(),
    )  # fmt: skip


def _candidates(graph: LaneGraph) -> tuple[I32, I32]:
    """Ordered pairs of lanes that come near each other at a common junction, foes and neighbours left out; sorted."""
    lanes = len(graph.lane_edge)
    driven = ~np.isin(graph.lane_kind, (LaneKind.CROSSING, LaneKind.WALKING_AREA, LaneKind.SIDEWALK))
    cells, owners = _cells(graph, driven)
    order = np.lexsort((owners, cells))
    cells, owners = cells[order], owners[order]
    first = np.flatnonzero(np.concatenate(([True], cells[1:] != cells[:-1])))
    pairs = set[tuple[int, int]]()
    for group in np.split(owners, first[1:]):
        if len(group) > 1:
            a, b = np.triu_indices(len(group), 1)
            pairs.update(zip(group[a].tolist(), group[b].tolist()))
    table = np.array(sorted(pairs), np.int64).reshape(-1, 2)
    table = np.concatenate((table, table[:, ::-1]))
    a, b = table[:, 0], table[:, 1]
    low, high = _junctions(graph)
    shared = ((low[a] >= 0) & ((low[a] == low[b]) | (low[a] == high[b]))) | (
        (high[a] >= 0) & ((high[a] == low[b]) | (high[a] == high[b]))
    )
    known = np.unique(graph.foe_own_lane.astype(np.int64) * lanes + graph.foe_other_lane)
    keep = shared & ~np.isin(a * lanes + b, known)
    table = table[keep]
    table = table[np.lexsort((table[:, 1], table[:, 0]))]
    return table[:, 0].astype(np.int32), table[:, 1].astype(np.int32)


def _cells(graph: LaneGraph, driven: np.ndarray) -> tuple[I64, I64]:
    """(cell, lane) of every cell that a driven lane comes near, each once."""
    start, x, y = graph.lane_point_start, graph.point_x, graph.point_y
    segment = np.arange(len(x) - 1)
    lane = np.searchsorted(start, segment, side="right") - 1
    inside = (segment + 1 < start[lane + 1]) & driven[lane]
    segment, lane = segment[inside], lane[inside]
    dx, dy = x[segment + 1] - x[segment], y[segment + 1] - y[segment]
    steps = np.maximum(1, np.ceil(np.hypot(dx, dy) / (0.5 * CELL)).astype(np.int64)) + 1
    row = np.repeat(np.arange(len(segment)), steps)
    share = (np.arange(len(row)) - np.repeat(np.cumsum(steps) - steps, steps)) / np.maximum(steps[row] - 1, 1)
    px, py = x[segment[row]] + share * dx[row], y[segment[row]] + share * dy[row]
    column = np.floor((px - x.min()) / CELL).astype(np.int64) + 1
    line = np.floor((py - y.min()) / CELL).astype(np.int64) + 1
    width = int(column.max()) + 2
    owner = lane[row].astype(np.int64)
    spread = [(line + j) * width + column + i for i in (-1, 0, 1) for j in (-1, 0, 1)]
    unique = np.unique(np.column_stack((np.concatenate(spread), np.tile(owner, 9))), axis=0)
    return unique[:, 0], unique[:, 1]


def _junctions(graph: LaneGraph) -> tuple[I64, I64]:
    """Junctions at both ends of each lane's edge, or the one it lies in; -1 none."""
    edge = graph.lane_edge
    first, second = graph.edge_from[edge].astype(np.int64), graph.edge_to[edge].astype(np.int64)
    inner = graph.lane_internal_link >= 0
    first[inner] = second[inner] = graph.link_junction[graph.lane_internal_link[inner]]
    return first, second


def _same_target(graph: LaneGraph, own: I32, other: I32) -> np.ndarray:
    """True where two internal lanes serve links from different lanes to one lane."""
    a, b = graph.lane_internal_link[own], graph.lane_internal_link[other]
    return (a >= 0) & (b >= 0) & (graph.link_to[a] == graph.link_to[b]) & (graph.link_from[a] != graph.link_from[b])


def _continues(graph: LaneGraph, lane: I32, later: I32) -> np.ndarray:
    """True where `later` can be reached from `lane` over at most HOPS links, piece by piece."""
    step: list[set[int]] = [set() for _ in range(len(graph.lane_edge))]
    for source, target, via in zip(graph.link_from.tolist(), graph.link_to.tolist(), graph.link_via.tolist()):
        step[source].add(via if via >= 0 else target)
    reach: dict[int, set[int]] = {}
    for origin in np.unique(lane).tolist():
        seen, frontier = set[int](), {origin}
        for _ in range(HOPS):
            frontier = {n for k in frontier for n in step[k]} - seen
            seen |= frontier
        reach[origin] = seen
    return np.array([b in reach[a] for a, b in zip(lane.tolist(), later.tolist())], bool)
