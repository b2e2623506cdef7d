"""Read an OpenDRIVE file: `read_opendrive(path) -> OpenDrive`."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from cloverleaf.map.graph import Feature
from cloverleaf.map.opendrive.assemble import assemble
from cloverleaf.map.opendrive.model import OpenDrive, RoadMarks
from cloverleaf.map.opendrive.read_beside import read_controller, read_junction, read_objects, read_signals
from cloverleaf.map.opendrive.read_lanes import read_lanes
from cloverleaf.map.opendrive.read_road import read_road
from cloverleaf.map.opendrive.rows import Rows
from cloverleaf.map.opendrive.xml import XmlSource
from cloverleaf.types.errors import nearest

_IGNORED = ("railroad", "surface", "userData", "station", "CRG", "tunnel", "bridge")


def read_opendrive(path: str | os.PathLike[str]) -> OpenDrive:
    """Read and check an OpenDRIVE 1.4-1.8 file.

    Raises `MapError` with file:line:element for broken XML, missing or non-finite attributes, references to roads, lanes or
    junctions that do not exist, and for what is not supported (virtual junctions, lateral shape profiles).
    """
    file = Path(path)
    source = XmlSource(file)
    root = source.root
    if root.tag != "OpenDRIVE":
        raise source.fail(root, f"this is <{root.tag}>, not <OpenDRIVE>")
    header = root.find("header")
    if header is None:
        raise source.fail(root, "the <header> is missing")
    major, minor = source.integer(header, "revMajor", 1), source.integer(header, "revMinor", 4)
    if major != 1:
        raise source.fail(header, f"OpenDRIVE {major}.{minor} is not supported", "supported: 1.4 to 1.8")
    rows = Rows()
    for e in root.findall("road"):
        road = read_road(source, e, rows)
        read_lanes(source, e, rows, road)
        read_signals(source, e, rows, len(rows.roads) - 1)
        read_objects(source, e, rows, len(rows.roads) - 1)
    if not rows.roads:
        raise source.fail(root, "the map has no road")
    for e in root.findall("junction"):
        read_junction(source, e, rows)
    for e in root.findall("controller"):
        read_controller(source, e, rows)
    for name in _IGNORED:
        found = sum(1 for _ in root.iter(name))
        if found:
            rows.count(name, found)
    arrays = assemble(rows, file)
    geo = header.findtext("geoReference") or ""
    move = header.find("offset")
    offset = (source.number(move, "x", 0.0), source.number(move, "y", 0.0)) if move is not None else (0.0, 0.0)
    marks = list(zip(*rows.marks)) or [(), (), (), (), (), ()]
    return OpenDrive(
        map=arrays,
        road_ids=tuple(r.id for r in rows.roads),
        road_names=tuple(r.name for r in rows.roads),
        road_lines=tuple(r.line for r in rows.roads),
        road_types=tuple(r.type for r in rows.roads),
        junctions=tuple(rows.junctions),
        signals=tuple(rows.signals),
        roundabouts=_roundabouts(source, rows),
        controllers=tuple(rows.controllers),
        objects=tuple(rows.objects),
        marks=RoadMarks(
            np.array(marks[0], np.int32), np.array(marks[1], np.float64), np.array(marks[2], np.float64), *marks[3:6]
        ),
        lane_user_data=rows.lane_user_data,
        lane_access=rows.lane_access,
        geo_reference=geo.strip(),
        offset=offset,
        version=f"{major}.{minor}",
        source=str(file),
        census=_census(rows, str(file)),
    )


def _roundabouts(source: XmlSource, rows: Rows) -> tuple[tuple[str, ...], ...]:
    found = []
    known = {j.id for j in rows.junctions}
    for e in source.root.findall("junctionGroup"):
        rows.count("junctionGroup")
        members = tuple(source.text(r, "junction") for r in e.findall("junctionReference"))
        for name in members:
            if name not in known:
                raise source.fail(e, f"unknown junction '{name}'", nearest(name, known))
        if e.get("type") == "roundabout":
            found.append(members)
    return tuple(found)


def _census(rows: Rows, file: str) -> tuple[Feature, ...]:
    notes = {name: "not needed for driving" for name in _IGNORED}
    features = []
    for name, number in sorted(rows.counts.items()):
        status = "ignored" if name in notes else "supported"
        features.append(Feature(file, name, number, status, notes.get(name, "")))
    return tuple(features)
