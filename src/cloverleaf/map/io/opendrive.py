"""OpenDRIVE maps as base maps: `read_opendrive_map(path) -> BaseMap`."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from cloverleaf.map.graph import BaseMap, Feature, GeoReference, JunctionKind, LaneGraph
from cloverleaf.map.io.opendrive_columns import (
    crossing_columns,
    foe_columns,
    lane_columns,
    link_columns,
    signal_columns,
)
from cloverleaf.map.io.opendrive_links import GraphLink, Network, build_network
from cloverleaf.map.io.opendrive_rights import Foe, find_foes, link_ranks, mark_right_before_left, split_for_waiting
from cloverleaf.map.io.opendrive_signals import attach_signals, load_plans
from cloverleaf.map.io.opendrive_stops import find_stops
from cloverleaf.map.io.opendrive_walks import CrossingRow, add_walks, crossing_rows
from cloverleaf.map.opendrive.model import OpenDrive
from cloverleaf.map.opendrive.read import read_opendrive


def read_opendrive_map(path: str | os.PathLike[str], signal_plans: str | os.PathLike[str] | None = None) -> BaseMap:
    """Read an OpenDRIVE file as a lane graph.

    Signal plans come from `signal_plans`, or from `<map>.signals.json` beside the map, or else serve one road after the other.
    Raises MapError with file:line:element.
    """
    file = Path(path)
    plans = Path(signal_plans) if signal_plans is not None else file.with_suffix(".signals.json")
    return lane_graph(read_opendrive(file), plans if signal_plans is not None or plans.exists() else None)


def lane_graph(drive: OpenDrive, plans: Path | None = None) -> BaseMap:
    """Turn a map that was read into a lane graph."""
    net = build_network(drive)
    groups = attach_signals(net)
    load_plans(net, groups, plans)
    ranks = link_ranks(net)
    foes = find_foes(net, ranks)
    mark_right_before_left(net, ranks, foes)
    split_for_waiting(net, foes, ranks)
    walks = add_walks(net, groups)
    stops = find_stops(net)
    crossings = crossing_rows(net, walks)
    ranks += [1] * (len(net.links) - len(ranks))
    state = _states(net, foes, ranks)
    foes, crossings, state = _with_inner_links(net, foes, crossings, state)
    graph = LaneGraph(
        **lane_columns(net),
        **link_columns(net, state),
        **foe_columns(foes, len(net.links)),
        **crossing_columns(crossings),
        **signal_columns(groups),
        junction_kind=np.array([n.kind for n in net.nodes], np.int32),
        junction_x=np.array([n.x for n in net.nodes], float),
        junction_y=np.array([n.y for n in net.nodes], float),
        stop_lane=np.array([s.lane for s in stops], np.int32),
        stop_begin=np.array([s.begin for s in stops], float),
        stop_end=np.array([s.end for s in stops], float),
    )
    return BaseMap(
        graph=graph,
        lane_ids=tuple(lane.id for lane in net.lanes),
        edge_ids=tuple(edge.id for edge in net.edges),
        junction_ids=tuple(node.id for node in net.nodes),
        signal_ids=tuple(net.nodes[g.junction].id for g in groups),
        stop_ids=tuple(s.id for s in stops),
        geo=geo_reference(drive),
        source=drive.source,
        census=(*drive.census, *_census(drive, net)),
    )


def geo_reference(drive: OpenDrive) -> GeoReference:
    """The map's PROJ string; its origin where the string gives one."""
    text = drive.geo_reference
    if not text:
        return GeoReference("!", -drive.offset[0], -drive.offset[1], 0.0, 0.0)
    origin = [float(m.group(1)) if (m := re.search(rf"\+{k}=(-?[\d.]+)", text)) else 0.0 for k in ("lat_0", "lon_0")]
    return GeoReference(text, -drive.offset[0], -drive.offset[1], origin[0], origin[1])


def _census(drive: OpenDrive, net: Network) -> list[Feature]:
    """What the lane graph (not the reader) leaves out."""
    rows = []
    loose = sum(1 for o in drive.objects if o.type == "crosswalk") - sum(
        1 for e in net.edges if "_c" in e.id and e.start >= 0
    )
    if loose > 0:
        note = "crosswalks away from junctions have no right of way over vehicles"
        rows.append(Feature(drive.source, "object@type=crosswalk", loose, "approximated", note))
    return rows


def _states(net: Network, foes: list[Foe], ranks: list[int]) -> list[int]:
    """Letter of every link where no light decides."""
    yields = {f.link for f in foes if f.gives_way}
    letters = []
    for k, link in enumerate(net.links):
        kind = net.nodes[link.junction].kind
        if ranks[k] == -1 and link.vias:
            letters.append(ord("w") if kind == JunctionKind.ALLWAY_STOP else ord("s"))
        elif kind == JunctionKind.RIGHT_BEFORE_LEFT:
            letters.append(ord("="))
        else:
            letters.append(ord("m") if k in yields else ord("M"))
    return letters


def _with_inner_links(
    net: Network, foes: list[Foe], crossings: list[CrossingRow], state: list[int]
) -> tuple[list[Foe], list[CrossingRow], list[int]]:
    """Add the links that leave internal lanes, then sort all links by their `from` lane and renumber what names them."""
    links = list(net.links)
    parent = list(range(len(links)))
    letters = list(state)
    number: dict[int, int] = {}
    for k, link in enumerate(net.links):
        number[k] = _requests(number, net, link)
        link.request = number[k] if link.vias else -1
        for n, via in enumerate(link.vias):
            inner = GraphLink(via, link.target, link.vias[n + 1 :], link.junction, link.direction, request=-1)
            if inner.vias:
                inner.request = link.request
            parent.append(k)
            links.append(inner)
            letters.append(ord("m") if inner.vias else ord("M"))
    order = sorted(range(len(links)), key=lambda i: (links[i].source, i))
    new = {old: i for i, old in enumerate(order)}
    moved: list[Foe] = []
    for old, link in enumerate(links):
        if old < len(net.links):
            mine = [f for f in foes if f.link == old]
        elif link.vias:
            mine = [f for f in foes if f.link == parent[old] and f.own_lane in link.vias]
        else:
            continue
        moved.extend(Foe(new[old], new[f.foe], f.gives_way, f.own_lane, f.own, f.other_lane, f.other) for f in mine)
    moved.sort(key=lambda f: (f.link, f.foe))
    rows = [CrossingRow(c.walk, new[c.link], c.begin, c.end) for c in crossings]
    net.links = [links[i] for i in order]
    return moved, rows, [letters[i] for i in order]


def _requests(number: dict[int, int], net: Network, link: GraphLink) -> int:
    """Running number of a link within its junction."""
    return sum(1 for k in number if net.links[k].junction == link.junction and net.links[k].vias)
