"""Right of way: requests of SUMO's junctions as foes, with conflict areas measured on the internal lanes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.map.conflict import conflict_areas
from cloverleaf.map.graph import LaneKind
from cloverleaf.map.io.sumo_lanes import JunctionTable, LaneTable
from cloverleaf.map.io.sumo_links import LinkTable
from cloverleaf.map.io.sumo_xml import Element, XmlSource
from cloverleaf.types.state import F64, I32, I64, U8

SIDE_MARGIN = 0.5
"""m by which half the two lane widths are lessened: vehicles are narrower than lanes, so lanes side by side do not conflict."""


class RightsTable(NamedTuple):
    """Foes and crossings; columns as in `LaneGraph`."""

    request: I32  # (K,)
    cont: U8  # (K,)
    foe_start: I64
    foe_link: I32
    foe_yield: U8
    own_lane: I32
    own_begin: F64
    own_end: F64
    other_lane: I32
    other_begin: F64
    other_end: F64
    crossing_lane: I32
    crossing_link: I32
    crossing_begin: F64
    crossing_end: F64
    crossing_priority: U8
    crossing_signal: I32
    crossing_signal_index: I32


class _Pair(NamedTuple):
    link: int
    foe: int
    gives_way: bool


def read_rights(source: XmlSource, lanes: LaneTable, links: LinkTable, junctions: JunctionTable) -> RightsTable:
    """Foes of all links. Pairs are symmetric; merges into one lane are included even where no request says so.

    A link that starts on an internal lane (behind an internal junction) repeats those rows of its parent link that lie on
    the rest of its way. Where lanes of a pair never come near, begin == end at the closest approach: the rule alone binds.
    """
    request = np.full(len(links.source), -1, np.int32)
    cont = np.zeros(len(links.source), np.uint8)
    pairs: dict[tuple[int, int], bool] = {}
    crossings: list[tuple[int, int, bool]] = []
    for element in junctions.elements:
        members = _members(element, lanes, links)
        rows = element.findall("request")
        if rows and len(rows) != len(members):
            source.fail(rows[0], f"junction has {len(rows)} requests for {len(members)} ways through it")
        matrix = [_bits(source, r, len(members)) for r in rows]
        for i, (kind, key) in enumerate(members):
            if kind == "link":
                request[key] = i
                if rows:
                    cont[key] = source.flag(rows[i], "cont")
        _pairs_of(members, matrix, links, pairs, crossings)
    listed = [_Pair(link, foe, gives_way) for (link, foe), gives_way in sorted(pairs.items())]
    return _measure(lanes, links, request, cont, listed, crossings)


def _members(element: Element, lanes: LaneTable, links: LinkTable) -> list[tuple[str, int]]:
    """What each request row stands for: ("link", link) or ("crossing", lane), in the order of the rows."""
    members: list[tuple[str, int]] = []
    for name in element.get("intLanes", "").split():
        lane = lanes.row.get(name, -1)
        if lane < 0:
            continue
        if lanes.kind[lane] == LaneKind.CROSSING:
            members.append(("crossing", lane))
        elif links.lane_internal_link[lane] >= 0:
            members.append(("link", int(links.lane_internal_link[lane])))
    if members:
        return members
    for name in element.get("incLanes", "").split():
        lane = lanes.row.get(name, -1)
        if lane >= 0 and lanes.kind[lane] != LaneKind.WALKING_AREA:
            members.extend(("link", k) for k in range(links.lane_start[lane], links.lane_start[lane + 1]))
    return members


def _bits(source: XmlSource, element: Element, count: int) -> tuple[str, str]:
    """`response` and `foes`, turned so that position j stands for request j."""
    result = []
    for key in ("response", "foes"):
        value = source.text(element, key)
        if len(value) != count or value.strip("01"):
            source.fail(element, f"{key}='{value}' is not a string of {count} bits")
        result.append(value[::-1])
    return result[0], result[1]


def _pairs_of(
    members: list[tuple[str, int]],
    matrix: list[tuple[str, str]],
    links: LinkTable,
    pairs: dict[tuple[int, int], bool],
    crossings: list[tuple[int, int, bool]],
) -> None:
    target: dict[int, list[int]] = {}
    for i, (kind, key) in enumerate(members):
        if kind == "link":
            target.setdefault(int(links.target[key]), []).append(i)
    for i, (kind, link) in enumerate(members):
        if kind != "link":
            continue
        merging = target[int(links.target[link])]
        for j, (other, foe) in enumerate(members):
            mine = matrix[i][1][j] == "1" if matrix else False
            theirs = matrix[j][1][i] == "1" if matrix else False
            if other == "crossing":
                if mine or theirs:
                    crossings.append((foe, link, matrix[i][0][j] == "1"))
                continue
            merge = j in merging and links.source[link] != links.source[foe]
            if foe != link and (mine or theirs or merge):
                gives_way = bool(matrix) and matrix[i][0][j] == "1"
                pairs[link, foe] = gives_way or pairs.get((link, foe), False)


def _measure(
    lanes: LaneTable,
    links: LinkTable,
    request: I32,
    cont: U8,
    listed: list[_Pair],
    crossings: list[tuple[int, int, bool]],
) -> RightsTable:
    pair = np.array([(p.link, p.foe, p.gives_way) for p in listed], np.int64).reshape(-1, 3)
    own_lane, other_lane, own, other = _areas(lanes, links, pair)
    rows: list[list[int]] = [[] for _ in range(len(links.source))]
    for n in range(len(pair)):
        rows[pair[n, 0]].append(n)
    for k in np.flatnonzero(lanes.edge_internal[lanes.edge[links.source]] == 1):
        parent = int(links.lane_internal_link[links.source[k]])
        if parent < 0 or links.via[k] < 0:
            continue
        request[k] = request[parent]
        chain = links.chain[links.chain_start[k] : links.chain_start[k + 1]]
        rows[k] = [n for n in rows[parent] if own_lane[n] in chain or own_lane[n] < 0]
    order = np.array([n for r in rows for n in r], np.int64)
    crossing = np.array(crossings, np.int64).reshape(-1, 3)
    begin, end = _crossing_areas(lanes, links, crossing)
    signal, index = _crossing_signals(lanes, links, crossing[:, 0])
    return RightsTable(
        request=request,
        cont=cont,
        foe_start=np.concatenate(([0], np.cumsum([len(r) for r in rows]))).astype(np.int64),
        foe_link=pair[order, 1].astype(np.int32),
        foe_yield=pair[order, 2].astype(np.uint8),
        own_lane=own_lane[order],
        own_begin=own[order, 0],
        own_end=own[order, 1],
        other_lane=other_lane[order],
        other_begin=other[order, 0],
        other_end=other[order, 1],
        crossing_lane=crossing[:, 0].astype(np.int32),
        crossing_link=crossing[:, 1].astype(np.int32),
        crossing_begin=begin,
        crossing_end=end,
        crossing_priority=crossing[:, 2].astype(np.uint8),
        crossing_signal=signal,
        crossing_signal_index=index,
    )


def _areas(lanes: LaneTable, links: LinkTable, pair: I64) -> tuple[I32, I32, F64, F64]:
    """Lanes and intervals of each pair: of all combinations of their internal lanes the one that conflicts most.

    The last lanes are preferred: a vehicle that waits behind an internal junction stands clear.
    """
    candidates = []
    for n, (a, b, _) in enumerate(pair):
        for i in range(links.chain_start[a], links.chain_start[a + 1]):
            for j in range(links.chain_start[b], links.chain_start[b + 1]):
                last = i + 1 == links.chain_start[a + 1] and j + 1 == links.chain_start[b + 1]
                candidates.append((n, links.chain[i], links.chain[j], last))
    own_lane = np.full(len(pair), -1, np.int32)
    other_lane = np.full(len(pair), -1, np.int32)
    own, other = np.zeros((len(pair), 2)), np.zeros((len(pair), 2))
    if not candidates:
        return own_lane, other_lane, own, other
    table = np.array(candidates, np.int64)
    a, b = table[:, 1].astype(np.int32), table[:, 2].astype(np.int32)
    clearance = 0.5 * (lanes.width[a] + lanes.width[b]) - SIDE_MARGIN
    p = lanes.points
    ours = conflict_areas(p.start, p.x, p.y, p.s, a, b, clearance)
    theirs = conflict_areas(p.start, p.x, p.y, p.s, b, a, clearance)
    overlap = np.where(ours[:, 0] <= ours[:, 1], ours[:, 1] - ours[:, 0], -1.0)
    # Rank: a real overlap on the last lanes, then the longest overlap, then the closest approach.
    rank = np.lexsort((-ours[:, 3], overlap, (table[:, 3] == 1) & (overlap >= 0.0), table[:, 0]))
    for c in rank:
        n = table[c, 0]
        own_lane[n], other_lane[n] = a[c], b[c]
        for area, found in ((own, ours), (other, theirs)):
            area[n] = found[c, :2] if found[c, 0] <= found[c, 1] else found[c, 2]
    return own_lane, other_lane, own, other


def _crossing_areas(lanes: LaneTable, links: LinkTable, crossing: I64) -> tuple[F64, F64]:
    """Interval of each crossing on the internal path of its link, m from the start of the path."""
    begin, end = np.zeros(len(crossing)), np.zeros(len(crossing))
    table = []
    for n, (_, link, _) in enumerate(crossing):
        before = 0.0
        for i in range(links.chain_start[link], links.chain_start[link + 1]):
            table.append((n, links.chain[i], before))
            before += lanes.length[links.chain[i]]
    if not table:
        return begin, end
    row, own = np.array([t[0] for t in table]), np.array([t[1] for t in table], np.int32)
    offset = np.array([t[2] for t in table])
    other = crossing[row, 0].astype(np.int32)
    p = lanes.points
    found = conflict_areas(p.start, p.x, p.y, p.s, own, other, 0.5 * lanes.width[other])
    hit = found[:, 0] <= found[:, 1]
    for i in np.lexsort((-found[:, 3], hit, row)):
        low, high = (found[i, 0], found[i, 1]) if hit[i] else (found[i, 2], found[i, 2])
        begin[row[i]], end[row[i]] = offset[i] + low, offset[i] + high
    return begin, end


def _crossing_signals(lanes: LaneTable, links: LinkTable, crossing: I64) -> tuple[I32, I32]:
    """Signal group and position that govern each crossing lane: those of the link that leads onto it."""
    of_lane: dict[int, int] = {}
    for k in np.flatnonzero(links.signal >= 0):
        if lanes.kind[links.target[k]] == LaneKind.CROSSING:
            of_lane.setdefault(int(links.target[k]), int(k))
    link = np.array([of_lane.get(int(lane), -1) for lane in crossing], np.int64)
    signal = np.where(link >= 0, links.signal[link], -1) if len(link) else link
    index = np.where(link >= 0, links.signal_index[link], -1) if len(link) else link
    return signal.astype(np.int32), index.astype(np.int32)
