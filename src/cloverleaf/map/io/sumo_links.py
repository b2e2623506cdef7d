"""Connections of a SUMO net as links, with their chains of internal lanes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.map.graph import LaneKind, LinkDirection
from cloverleaf.map.io.sumo_lanes import JunctionTable, LaneTable
from cloverleaf.map.io.sumo_xml import Element, XmlSource
from cloverleaf.types.errors import nearest
from cloverleaf.types.state import F64, I32, I64, U8

DIRECTIONS = {
    "s": LinkDirection.STRAIGHT,
    "l": LinkDirection.LEFT,
    "r": LinkDirection.RIGHT,
    "L": LinkDirection.PART_LEFT,
    "R": LinkDirection.PART_RIGHT,
    "t": LinkDirection.TURN,
    "T": LinkDirection.TURN,  # a U-turn where traffic keeps left
    "invalid": LinkDirection.STRAIGHT,
}


LINK_STATES = "Mm=swZoO-tyrgGNu"
"""Letters of unsignalised and of signalised links."""


class LinkTable(NamedTuple):
    """Links sorted by their `from` lane, then as in the file; columns as in `LaneGraph`."""

    elements: list[Element]
    source: I32  # link_from
    target: I32
    via: I32
    direction: I32
    junction: I32
    signal: I32
    signal_index: I32
    state: U8
    length: F64
    keep_clear: U8
    lane_start: I64  # (L + 1,)
    lane_internal_link: I32  # (L,)
    chain_start: I64  # (K + 1,) internal lanes of each link, in order of travel
    chain: I32


def read_links(
    source: XmlSource, root: Element, lanes: LaneTable, junctions: JunctionTable, signal_row: dict[str, int]
) -> LinkTable:
    """Read every `<connection>`; unknown lanes, signals or directions raise with file:line:element."""
    rows = []
    for order, element in enumerate(root.iterfind("connection")):
        origin = _lane(source, element, lanes, "from", "fromLane")
        target = _lane(source, element, lanes, "to", "toLane")
        via = -1
        name = element.get("via")
        if name:
            via = lanes.row.get(name, -1)
            if via < 0:
                source.fail(element, f"lane via='{name}' does not exist", nearest(name, lanes.row))
        direction = element.get("dir", "s")
        if direction not in DIRECTIONS:
            source.fail(element, f"direction dir='{direction}' is unknown", "one of s l r L R t T")
        signal, index = -1, -1
        name = element.get("tl")
        if name:
            signal = signal_row.get(name, -1)
            if signal < 0:
                source.fail(element, f"tlLogic '{name}' does not exist", nearest(name, signal_row))
            index = source.integer(element, "linkIndex")
        state = element.get("state", "M")
        if len(state) != 1 or state not in LINK_STATES:
            source.fail(element, f"state '{state}' is unknown", f"one of {' '.join(LINK_STATES)}")
        keep = source.flag(element, "keepClear", True)
        rows.append((origin, order, target, via, int(DIRECTIONS[direction]), signal, index, ord(state), keep, element))
    rows.sort(key=lambda r: (r[0], r[1]))
    elements = [r[9] for r in rows]
    table = np.array([r[:9] for r in rows], np.int64).reshape(-1, 9)
    start_lane, end_lane, first_via = (table[:, i].astype(np.int32) for i in (0, 2, 3))
    lane_start = np.searchsorted(start_lane, np.arange(len(lanes.row) + 1)).astype(np.int64)
    chain_start, chain, final = _chains(source, elements, lane_start, first_via, end_lane)
    lane_internal = np.full(len(lanes.row), -1, np.int32)
    normal = lanes.edge_internal[lanes.edge[start_lane]] == 0
    for k in np.flatnonzero(normal):
        lane_internal[chain[chain_start[k] : chain_start[k + 1]]] = k
    for lane in chain:
        # Chains that no normal lane opens (crossings and walking areas excepted) keep -1.
        if lanes.kind[lane] in (LaneKind.CROSSING, LaneKind.WALKING_AREA):
            lane_internal[lane] = -1
    length = np.zeros(len(rows))
    np.add.at(length, np.repeat(np.arange(len(rows)), np.diff(chain_start)), lanes.length[chain])
    return LinkTable(
        elements=elements,
        source=start_lane,
        target=final,
        via=first_via,
        direction=table[:, 4].astype(np.int32),
        junction=_junctions(lanes, junctions, start_lane),
        signal=table[:, 5].astype(np.int32),
        signal_index=table[:, 6].astype(np.int32),
        state=table[:, 7].astype(np.uint8),
        length=length,
        keep_clear=table[:, 8].astype(np.uint8),
        lane_start=lane_start,
        lane_internal_link=lane_internal,
        chain_start=chain_start,
        chain=chain,
    )


def _lane(source: XmlSource, element: Element, lanes: LaneTable, edge_key: str, lane_key: str) -> int:
    edge = source.text(element, edge_key)
    row = lanes.edge_row.get(edge)
    if row is None:
        source.fail(element, f"edge {edge_key}='{edge}' does not exist", nearest(edge, lanes.edge_row))
    index = source.integer(element, lane_key)
    first, end = int(lanes.edge_lane_start[row]), int(lanes.edge_lane_start[row + 1])
    if not 0 <= index < end - first:
        source.fail(element, f"edge '{edge}' has no lane {index}", f"it has {end - first}")
    return first + index


def _chains(source: XmlSource, elements: list[Element], lane_start: I64, via: I32, target: I32) -> tuple[I64, I32, I32]:
    """Internal lanes of each link and the normal lane reached in the end."""
    start, chain, final = [0], [], target.copy()
    for k in range(len(via)):
        lane, seen = int(via[k]), 0
        while lane >= 0:
            chain.append(lane)
            onward = int(lane_start[lane])
            if onward == lane_start[lane + 1]:
                source.fail(elements[k], "the internal lane of this connection leads nowhere")
            final[k] = target[onward]
            lane = int(via[onward])
            seen += 1
            if seen > 16:
                source.fail(elements[k], "the internal lanes of this connection run in a circle")
        start.append(len(chain))
    return np.array(start, np.int64), np.array(chain, np.int32), final


def _junctions(lanes: LaneTable, junctions: JunctionTable, origin: I32) -> I32:
    """Junction of each link: where its edge ends, or for an internal lane the junction that its id names."""
    edge = lanes.edge[origin]
    result = lanes.edge_to[edge].copy()
    for k in np.flatnonzero(lanes.edge_internal[edge] == 1):
        # Internal edges are called ':<junction>_<number>', ':<junction>_c<number>' or ':<junction>_w<number>'.
        name = lanes.edge_ids[edge[k]][1:].rpartition("_")[0]
        result[k] = junctions.row.get(name, -1)
    return result.astype(np.int32)
