"""From rows to arrays: ids become row numbers, broken references become errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cloverleaf.map.opendrive.knots import poly_knots, spiral_knots
from cloverleaf.map.opendrive.model import OpenDriveMap, Piece
from cloverleaf.map.opendrive.rows import LaneRow, Link, RoadRow, Rows
from cloverleaf.types.errors import MapError, nearest


def assemble(rows: Rows, path: Path) -> OpenDriveMap:
    """Resolve all references of `rows` and pack them."""
    road_row = _index([(r.id, r.line) for r in rows.roads], "road", path)
    junction_row = _index([(j.id, 0) for j in rows.junctions], "junction", path)
    road_link = np.zeros((len(rows.roads), 2, 3), np.int32)
    road_junction = np.full(len(rows.roads), -1, np.int32)
    for i, road in enumerate(rows.roads):
        if road.junction:
            road_junction[i] = _find(road.junction, junction_row, "junction", road, path)
        for end in (0, 1):
            road_link[i, end] = _resolve(road.links[end], road, road_row, junction_row, path)
    knots, knot_start = _knots(rows)
    lanes, section_start = rows.lanes, np.array(rows.section_start, np.int64)
    section_road = np.repeat(np.arange(len(rows.roads)), np.diff(section_start))
    center = np.array(rows.section_center, np.int64)
    lane_start = np.array(rows.section_lane_start, np.int64)
    pieces = np.array(rows.pieces, np.float64).reshape(-1, 6)
    connection_link = [pair for c in rows.connections for pair in c.links]
    incoming, connecting = _connection_roads(rows, road_row, path)
    return OpenDriveMap(
        road_length=np.array([r.length for r in rows.roads], np.float64),
        road_left_hand=np.array([r.left_hand for r in rows.roads], np.uint8),
        road_junction=road_junction,
        road_piece_start=np.array(rows.piece_start, np.int64),
        road_section_start=section_start,
        road_profile=np.array([r.profile for r in rows.roads], np.int64).reshape(-1, 5, 2),
        road_link=road_link,
        piece_kind=pieces[:, 0].astype(np.int32),
        piece_s=pieces[:, 1].copy(),
        piece_x=pieces[:, 2].copy(),
        piece_y=pieces[:, 3].copy(),
        piece_heading=pieces[:, 4].copy(),
        piece_length=pieces[:, 5].copy(),
        piece_coef=np.array(rows.coefs, np.float64).reshape(-1, 8),
        piece_knot_start=knot_start,
        knot=knots,
        section_s=np.array(rows.section_s, np.float64),
        section_lane_start=lane_start,
        section_center=center,
        lane_id=_column(lanes, "id", np.int32),
        lane_type=_column(lanes, "type", np.int32),
        lane_section=_column(lanes, "section", np.int32),
        lane_level=_column(lanes, "level", np.uint8),
        lane_border=_column(lanes, "border", np.uint8),
        lane_cubic=_column(lanes, "cubic", np.int64).reshape(-1, 2),
        lane_height=_column(lanes, "height", np.int64).reshape(-1, 2),
        lane_link=_lane_links(rows, section_road, section_start, center, lane_start, road_link, path),
        lane_speed=_column(lanes, "speed", np.float64),
        cubic=np.array(rows.cubic, np.float64).reshape(-1, 5),
        height=np.array(rows.height, np.float64).reshape(-1, 3),
        junction_connection_start=_starts([c.junction for c in rows.connections], len(rows.junctions)),
        connection_incoming=incoming,
        connection_road=connecting,
        connection_contact=np.array([c.contact for c in rows.connections], np.int32),
        connection_link_start=np.cumsum([0] + [len(c.links) for c in rows.connections], dtype=np.int64),
        connection_link=np.array(connection_link, np.int32).reshape(-1, 2),
    )


def _column(lanes: list[LaneRow], name: str, dtype: Any) -> np.ndarray:
    return np.array([getattr(lane, name) for lane in lanes], dtype)


def _starts(groups: list[int], count: int) -> np.ndarray:
    """Compressed-row starts of values that are already sorted by group."""
    return np.concatenate([[0], np.cumsum(np.bincount(groups, minlength=count)[:count])]).astype(np.int64)


def _index(ids: list[tuple[str, int]], what: str, path: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for i, (name, line) in enumerate(ids):
        if name in found:
            raise MapError(f"{what} id '{name}' is used twice", file=path, line=line, element=what)
        found[name] = i
    return found


def _find(name: str, table: dict[str, int], what: str, road: RoadRow, path: Path) -> int:
    if name not in table:
        message = f"road '{road.id}' names the unknown {what} '{name}'"
        raise MapError(message, file=path, line=road.line, element="road", hint=nearest(name, table))
    return table[name]


def _resolve(
    link: Link, road: RoadRow, roads: dict[str, int], junctions: dict[str, int], path: Path
) -> tuple[int, int, int]:
    kind, name, contact = link
    if kind == 0:
        return 0, -1, 0
    if kind == 1:
        return 1, _find(name, roads, "road", road, path), contact
    return 2, _find(name, junctions, "junction", road, path), 0


def _connection_roads(rows: Rows, roads: dict[str, int], path: Path) -> tuple[np.ndarray, np.ndarray]:
    found = []
    for c in rows.connections:
        for name in (c.incoming, c.road):
            if name not in roads:
                message = f"connection names the unknown road '{name}'"
                raise MapError(message, file=path, line=c.line, element="connection", hint=nearest(name, roads))
        found.append((roads[c.incoming], roads[c.road]))
    table = np.array(found, np.int32).reshape(-1, 2)
    return table[:, 0].copy(), table[:, 1].copy()


def _knots(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    tables, starts = [np.zeros((0, 2))], [0]
    for piece, coef, end in zip(rows.pieces, rows.coefs, rows.parameter_end):
        if piece[0] == Piece.SPIRAL:
            tables.append(spiral_knots(coef[0], coef[1], piece[5]))
        elif piece[0] == Piece.POLY:
            tables.append(poly_knots(np.array(coef), end, piece[5]))
        else:
            tables.append(np.zeros((0, 2)))
        starts.append(starts[-1] + len(tables[-1]))
    return np.concatenate(tables), np.array(starts, np.int64)


def _lane_links(
    rows: Rows,
    section_road: np.ndarray,
    section_start: np.ndarray,
    center: np.ndarray,
    lane_start: np.ndarray,
    road_link: np.ndarray,
    path: Path,
) -> np.ndarray:
    """Rows of the lanes before and after each lane along s; -1 where none, or where a junction decides."""
    out = np.full((len(rows.lanes), 2), -1, np.int32)
    for i, lane in enumerate(rows.lanes):
        if lane.id == 0:
            continue
        road, section = int(section_road[lane.section]), lane.section
        for end, target in ((0, lane.predecessor), (1, lane.successor)):
            if target is None or target == 0:
                continue
            neighbour = section - 1 if end == 0 else section + 1
            inside = section_start[road] <= neighbour < section_start[road + 1]
            if not inside:
                kind, other, contact = road_link[road, end]
                if kind != 1:
                    continue
                neighbour = section_start[other] if contact == 0 else section_start[other + 1] - 1
            row = int(center[neighbour]) - target
            if not lane_start[neighbour] <= row < lane_start[neighbour + 1]:
                message = (
                    f"lane {lane.id} of road '{rows.roads[road].id}' links to lane {target}, which does not exist there"
                )
                raise MapError(message, file=path, line=lane.line, element="lane", hint="check <link> of this lane")
            out[i, end] = row
    return out
