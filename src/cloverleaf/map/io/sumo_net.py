"""SUMO road nets (.net.xml, .net.xml.gz) as base maps. Format: sumo.dlr.de/docs/Networks/SUMO_Road_Networks.html."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np

from cloverleaf.map.census import APPROXIMATED, SUPPORTED, UNSUPPORTED, Notes, take_census
from cloverleaf.map.graph import BaseMap, Feature, GeoReference, LaneGraph
from cloverleaf.map.io.sumo_lanes import LaneTable, read_junctions, read_lanes
from cloverleaf.map.io.sumo_links import LinkTable, read_links
from cloverleaf.map.io.sumo_notes import ADDITIONAL_NOTES, CHECKED_VALUES, DEMAND_TAGS, NET_NOTES
from cloverleaf.map.io.sumo_rights import read_rights
from cloverleaf.map.io.sumo_signals import Program, read_programs, signal_table
from cloverleaf.map.io.sumo_stops import StopRow, read_stops
from cloverleaf.map.io.sumo_xml import Element, XmlSource, load_xml
from cloverleaf.types.errors import MapError, nearest

ADDITIONAL_ROOTS = ("additional", "add", "routes", "a", "vTypes")


def read_sumo_net(path: str | Path, additional: Iterable[str | Path] = ()) -> BaseMap:
    """Read a net and its additional files (signal programs, stops). Raises MapError with file:line:element.

    Of several programs of one signal the one loaded last is used, as SUMO does. Vehicle types in additional files are
    left to the demand reader. Whatever is not supported stands in `census`; `require_supported` decides whether it stops.
    """
    source, root = load_xml(path, MapError, ("net",))
    census = list(sumo_census(source.path, root, NET_NOTES))
    junctions = read_junctions(source, root)
    lanes = read_lanes(source, root, junctions)
    programs: dict[str, Program] = {}
    read_programs(source, root, programs)
    links = read_links(source, root, lanes, junctions, {name: g for g, name in enumerate(programs)})
    rights = read_rights(source, lanes, links, junctions)
    stops: dict[str, StopRow] = {}
    for file in additional:
        extra, extra_root = load_xml(file, MapError, ADDITIONAL_ROOTS)
        census.extend(sumo_census(extra.path, extra_root, ADDITIONAL_NOTES, DEMAND_TAGS))
        for element in extra_root.iterfind("tlLogic"):
            name = extra.text(element, "id")
            if name not in programs:
                extra.fail(element, f"the net has no signal '{name}'", nearest(name, programs))
        read_programs(extra, extra_root, programs)
        read_stops(extra, extra_root, lanes, stops)
    _check_programs(programs, links)
    signals = signal_table(programs)
    points = lanes.points
    graph = LaneGraph(
        lane_edge=lanes.edge,
        lane_index=lanes.number,
        lane_kind=lanes.kind,
        lane_length=lanes.length,
        lane_width=lanes.width,
        lane_speed=lanes.speed,
        lane_allow=lanes.allow,
        lane_left=lanes.left,
        lane_right=lanes.right,
        lane_link_start=links.lane_start,
        lane_point_start=points.start,
        lane_internal_link=links.lane_internal_link,
        point_x=points.x,
        point_y=points.y,
        point_z=points.z,
        point_s=points.s,
        point_heading=points.heading,
        point_curvature=points.curvature,
        edge_lane_start=lanes.edge_lane_start,
        edge_from=lanes.edge_from,
        edge_to=lanes.edge_to,
        edge_internal=lanes.edge_internal,
        edge_priority=lanes.edge_priority,
        edge_roundabout=lanes.edge_roundabout,
        link_from=links.source,
        link_to=links.target,
        link_via=links.via,
        link_direction=links.direction,
        link_junction=links.junction,
        link_request=rights.request,
        link_signal=links.signal,
        link_signal_index=links.signal_index,
        link_state=links.state,
        link_length=links.length,
        link_cont=rights.cont,
        link_keep_clear=links.keep_clear,
        link_foe_start=rights.foe_start,
        foe_link=rights.foe_link,
        foe_yield=rights.foe_yield,
        foe_own_lane=rights.own_lane,
        foe_own_begin=rights.own_begin,
        foe_own_end=rights.own_end,
        foe_other_lane=rights.other_lane,
        foe_other_begin=rights.other_begin,
        foe_other_end=rights.other_end,
        crossing_lane=rights.crossing_lane,
        crossing_link=rights.crossing_link,
        crossing_link_begin=rights.crossing_begin,
        crossing_link_end=rights.crossing_end,
        crossing_has_priority=rights.crossing_priority,
        crossing_signal=rights.crossing_signal,
        crossing_signal_index=rights.crossing_signal_index,
        junction_kind=junctions.kind,
        junction_x=junctions.x,
        junction_y=junctions.y,
        signal_links=signals.links,
        signal_actuated=signals.actuated,
        signal_offset=signals.offset,
        signal_phase_start=signals.phase_start,
        phase_duration=signals.duration,
        phase_min=signals.minimum,
        phase_max=signals.maximum,
        phase_next=signals.following,
        phase_state_start=signals.state_start,
        phase_state=signals.state,
        stop_lane=np.array([s.lane for s in stops.values()], np.int32),
        stop_begin=np.array([s.begin for s in stops.values()], float),
        stop_end=np.array([s.end for s in stops.values()], float),
    )
    return BaseMap(
        graph=graph,
        lane_ids=tuple(lanes.lane_ids),
        edge_ids=tuple(lanes.edge_ids),
        junction_ids=tuple(junctions.ids),
        signal_ids=tuple(programs),
        stop_ids=tuple(stops),
        geo=_geo(source, root, lanes),
        source=str(path),
        census=tuple(census),
    )


def sumo_census(file: str, root: Element, notes: Notes, skip: Collection[str] = ()) -> tuple[Feature, ...]:
    """Census of a SUMO file, with rows of their own for values that decide (types of signals and junctions)."""
    rows = list(take_census(file, root, notes, skip))
    for (tag, attribute), values in CHECKED_VALUES.items():
        lines: dict[str, int] = {}
        counts: Counter[str] = Counter()
        for element in root.iterfind(tag):
            value = element.get(attribute)
            if value is None:
                continue
            counts[value] += 1
            lines.setdefault(value, element.sourceline or 0)
        for value in sorted(counts):
            status, note = values.get(value, (SUPPORTED, ""))
            if status != SUPPORTED:
                where = f"{file}:{lines[value]}" if status == UNSUPPORTED else file
                rows.append(Feature(where, f"{tag}@{attribute}={value}", counts[value], status, note))
    several = sum(len(phase.get("next", "").split()) > 1 for phase in root.iterfind("tlLogic/phase"))
    if several:
        rows.append(Feature(file, "phase@next=several", several, APPROXIMATED, "the first of them follows"))
    return tuple(rows)


def _check_programs(programs: dict[str, Program], links: LinkTable) -> None:
    """Every signalised link must have a letter in the states of its program."""
    names = list(programs)
    for k in np.flatnonzero(links.signal >= 0):
        program = programs[names[links.signal[k]]]
        if not 0 <= links.signal_index[k] < len(program.states[0]):
            message = f"states have {len(program.states[0])} letters, a link has index {links.signal_index[k]}"
            program.source.fail(program.element, message)


def _geo(source: XmlSource, root: Element, lanes: LaneTable) -> GeoReference:
    """Georeference; the origin is the centre of the original boundary where the net is projected."""
    element = root.find("location")
    if element is None:
        return GeoReference("!", 0.0, 0.0, 0.0, 0.0)
    try:
        offset = [float(v) for v in source.text(element, "netOffset").split(",")]
        bounds = [float(v) for v in element.get("origBoundary", "0,0,0,0").split(",")]
        if len(offset) != 2 or len(bounds) != 4:
            raise ValueError
    except ValueError:
        source.fail(element, "netOffset needs 2 numbers and origBoundary 4")
    proj = element.get("projParameter", "!")
    if proj in ("!", "-") or abs(bounds[1]) > 90.0 or abs(bounds[3]) > 90.0:
        return GeoReference(proj, offset[0], offset[1], 0.0, 0.0)
    return GeoReference(proj, offset[0], offset[1], 0.5 * (bounds[1] + bounds[3]), 0.5 * (bounds[0] + bounds[2]))
