"""The network under construction as columns of `LaneGraph`."""

from __future__ import annotations

from typing import Any

import numpy as np

from cloverleaf.map.io.opendrive_links import Network
from cloverleaf.map.io.opendrive_rights import Foe
from cloverleaf.map.io.opendrive_signals import Group
from cloverleaf.map.io.opendrive_walks import CrossingRow
from cloverleaf.map.polyline import PolylineColumns, polyline_columns
from cloverleaf.types.state import I64


def starts(counts: list[int]) -> I64:
    """Compressed-row starts from row lengths."""
    return np.concatenate(([0], np.cumsum(np.array(counts, np.int64)))).astype(np.int64)


def polylines(net: Network) -> PolylineColumns:
    """Centre lines of all lanes."""
    xyz = np.concatenate([lane.points for lane in net.lanes])
    length = np.array([lane.length for lane in net.lanes])
    start = starts([len(lane.points) for lane in net.lanes])
    return polyline_columns(start, xyz[:, 0].copy(), xyz[:, 1].copy(), xyz[:, 2].copy(), length)


def lane_columns(net: Network) -> dict[str, Any]:
    """Columns of lanes, points and edges."""
    lanes, edges, p = net.lanes, net.edges, polylines(net)
    return {
        "lane_edge": np.array([lane.edge for lane in lanes], np.int32),
        "lane_index": np.array([lane.index for lane in lanes], np.int32),
        "lane_kind": np.array([lane.kind for lane in lanes], np.int32),
        "lane_length": np.array([lane.length for lane in lanes]),
        "lane_width": np.array([lane.width for lane in lanes], float),
        "lane_speed": np.array([lane.speed for lane in lanes], float),
        "lane_allow": np.array([lane.allow for lane in lanes], np.uint32),
        "lane_left": np.array([lane.left for lane in lanes], np.int32),
        "lane_right": np.array([lane.right for lane in lanes], np.int32),
        "lane_point_start": p.start,
        "point_x": p.x,
        "point_y": p.y,
        "point_z": p.z,
        "point_s": p.s,
        "point_heading": p.heading,
        "point_curvature": p.curvature,
        "edge_lane_start": starts([len(e.lanes) for e in edges]),
        "edge_from": np.array([e.start for e in edges], np.int32),
        "edge_to": np.array([e.end for e in edges], np.int32),
        "edge_internal": np.array([e.internal for e in edges], np.uint8),
        "edge_priority": np.array([e.priority for e in edges], np.int32),
        "edge_roundabout": np.array([e.roundabout for e in edges], np.uint8),
    }


def link_columns(net: Network, state: list[int]) -> dict[str, Any]:
    """Columns of links, which must be sorted by their `from` lane."""
    links = net.links
    source = np.array([k.source for k in links], np.int32)
    internal_link = np.full(len(net.lanes), -1, np.int32)
    for i, link in enumerate(links):
        if not net.edges[net.lanes[link.source].edge].internal:
            internal_link[link.vias] = i
    return {
        "lane_link_start": np.searchsorted(source, np.arange(len(net.lanes) + 1)).astype(np.int64),
        "lane_internal_link": internal_link,
        "link_from": source,
        "link_to": np.array([k.target for k in links], np.int32),
        "link_via": np.array([k.vias[0] if k.vias else -1 for k in links], np.int32),
        "link_direction": np.array([k.direction for k in links], np.int32),
        "link_junction": np.array([k.junction for k in links], np.int32),
        "link_request": np.array([k.request for k in links], np.int32),
        "link_signal": np.array([k.signal for k in links], np.int32),
        "link_signal_index": np.array([k.signal_index for k in links], np.int32),
        "link_state": np.array(state, np.uint8),
        "link_length": np.array([sum(net.lanes[v].length for v in k.vias) for k in links], float),
        "link_cont": np.array([k.cont for k in links], np.uint8),
        "link_keep_clear": np.ones(len(links), np.uint8),
    }


def foe_columns(foes: list[Foe], links: int) -> dict[str, Any]:
    """Columns of foes, which must be sorted by link."""
    counts = np.bincount(np.array([f.link for f in foes], np.int64), minlength=links)
    own, other = (np.array([getattr(f, k) for f in foes], float).reshape(-1, 2) for k in ("own", "other"))
    return {
        "link_foe_start": starts(list(counts)),
        "foe_link": np.array([f.foe for f in foes], np.int32),
        "foe_yield": np.array([f.gives_way for f in foes], np.uint8),
        "foe_own_lane": np.array([f.own_lane for f in foes], np.int32),
        "foe_own_begin": own[:, 0].copy(),
        "foe_own_end": own[:, 1].copy(),
        "foe_other_lane": np.array([f.other_lane for f in foes], np.int32),
        "foe_other_begin": other[:, 0].copy(),
        "foe_other_end": other[:, 1].copy(),
    }


def crossing_columns(rows: list[CrossingRow]) -> dict[str, Any]:
    """Columns of crosswalks over links. Without a light the crosswalk is a zebra: vehicles yield."""
    return {
        "crossing_lane": np.array([c.walk.lane for c in rows], np.int32),
        "crossing_link": np.array([c.link for c in rows], np.int32),
        "crossing_link_begin": np.array([c.begin for c in rows], float),
        "crossing_link_end": np.array([c.end for c in rows], float),
        "crossing_has_priority": np.ones(len(rows), np.uint8),
        "crossing_signal": np.array([c.walk.signal for c in rows], np.int32),
        "crossing_signal_index": np.array([c.walk.signal_index for c in rows], np.int32),
    }


def signal_columns(groups: list[Group]) -> dict[str, Any]:
    """Columns of signal groups and their plans."""
    plans = [g.plan for g in groups if g.plan is not None]
    states = "".join("".join(p.states) for p in plans)
    sizes = [len(s) for p in plans for s in p.states]
    return {
        "signal_links": np.array([len(g.controllers) for g in groups], np.int32),
        "signal_actuated": np.array([p.actuated for p in plans], np.uint8),
        "signal_offset": np.array([p.offset for p in plans], float),
        "signal_phase_start": starts([len(p.states) for p in plans]),
        "phase_duration": np.array([d for p in plans for d in p.duration], float),
        "phase_min": np.array([d for p in plans for d in p.minimum], float),
        "phase_max": np.array([d for p in plans for d in p.maximum], float),
        "phase_next": np.full(len(sizes), -1, np.int32),
        "phase_state_start": starts(sizes),
        "phase_state": np.frombuffer(states.encode("ascii"), np.uint8).copy(),
    }
