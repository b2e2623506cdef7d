"""Semantic checks of an OpenDRIVE map: gaps, broken links, wrong directions, overlapping or negative lanes, empty geometry."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.map.opendrive.geometry import piece_pose, road_pose
from cloverleaf.map.opendrive.lanes import fill_row_points
from cloverleaf.map.opendrive.model import OpenDrive
from cloverleaf.map.opendrive.tables import MapTables, map_tables

GAP = 0.05  # m
KINK = 0.02  # rad
LANE_GAP = 0.3  # m


class Finding(NamedTuple):
    """One finding; `severity` is error or warning."""

    severity: str
    line: int
    element: str
    message: str


def check_map(drive: OpenDrive) -> list[Finding]:
    """All findings, in the order of the roads."""
    tables = map_tables(drive.map)
    found: list[Finding] = []
    for road in range(len(drive.road_ids)):
        found += _geometry(drive, tables, road)
        found += _road_links(drive, tables, road)
        found += _lanes(drive, tables, road)
    found += _lane_links(drive, tables)
    found += _connections(drive)
    found += _lights(drive)
    return found


def _geometry(drive: OpenDrive, tables: MapTables, road: int) -> list[Finding]:
    m, name, line = drive.map, drive.road_ids[road], drive.road_lines[road]
    found = []
    begin, end = int(m.road_piece_start[road]), int(m.road_piece_start[road + 1])
    total = float(m.piece_s[end - 1] + m.piece_length[end - 1])
    if abs(total - m.road_length[road]) > GAP:
        message = f"road '{name}': geometry ends at s = {total:.3f}, the road is {m.road_length[road]:.3f} m long"
        found.append(Finding("error", line, "road", message))
    if m.road_length[road] < 1e-3:
        found.append(Finding("warning", line, "road", f"road '{name}' has no length"))
    for p in range(begin, end):
        if m.piece_length[p] < 1e-6:
            found.append(
                Finding("warning", line, "geometry", f"road '{name}': geometry at s = {m.piece_s[p]:.3f} has no length")
            )
        if p + 1 == end:
            continue
        length = float(m.piece_s[p + 1] - m.piece_s[p])
        if abs(length - m.piece_length[p]) > GAP:
            message = f"road '{name}': geometry at s = {m.piece_s[p]:.3f} is {m.piece_length[p]:.3f} m long"
            message += f", the next starts {length:.3f} m on"
            found.append(Finding("error", line, "geometry", message))
        x, y, h, _ = piece_pose(tables, p, float(m.piece_length[p]))
        gap = math.hypot(x - m.piece_x[p + 1], y - m.piece_y[p + 1])
        kink = abs(math.remainder(h - float(m.piece_heading[p + 1]), 2 * math.pi))
        if gap > GAP:
            found.append(
                Finding("error", line, "geometry", f"road '{name}': gap of {gap:.3f} m at s = {m.piece_s[p + 1]:.3f}")
            )
        elif kink > KINK:
            found.append(
                Finding(
                    "warning", line, "geometry", f"road '{name}': kink of {kink:.3f} rad at s = {m.piece_s[p + 1]:.3f}"
                )
            )
    return found


def _road_links(drive: OpenDrive, tables: MapTables, road: int) -> list[Finding]:
    m, name, line = drive.map, drive.road_ids[road], drive.road_lines[road]
    found = []
    for end, word in ((0, "predecessor"), (1, "successor")):
        kind, other, contact = (int(v) for v in m.road_link[road, end])
        if kind != 1:
            continue
        here = road_pose(tables, road, float(m.road_length[road]) if end else 0.0)
        there = road_pose(tables, other, float(m.road_length[other]) if contact else 0.0)
        gap = math.hypot(here[0] - there[0], here[1] - there[1])
        if gap > max(GAP, 15.0 if m.road_junction[road] >= 0 or m.road_junction[other] >= 0 else GAP):
            message = f"road '{name}': its {word} '{drive.road_ids[other]}' starts {gap:.2f} m away"
            found.append(Finding("error", line, "road", message))
        back = m.road_link[other, contact]
        if m.road_junction[road] < 0 and m.road_junction[other] < 0 and not (back[0] == 1 and back[1] == road):
            message = f"road '{name}': its {word} '{drive.road_ids[other]}' does not link back"
            found.append(Finding("error", line, "road", message))
    return found


def _lanes(drive: OpenDrive, tables: MapTables, road: int) -> list[Finding]:
    m, name, line = drive.map, drive.road_ids[road], drive.road_lines[road]
    found = []
    for section in range(m.road_section_start[road], m.road_section_start[road + 1]):
        last = section + 1 == m.road_section_start[road + 1]
        end = float(m.road_length[road] if last else m.section_s[section + 1])
        begin = float(m.section_s[section])
        if end - begin < 1e-6:
            found.append(
                Finding("warning", line, "laneSection", f"road '{name}': lane section at s = {begin:.3f} has no length")
            )
            continue
        s = np.linspace(begin, end - 1e-6, 9)
        for row in range(m.section_lane_start[section], m.section_lane_start[section + 1]):
            if m.lane_id[row] == 0:
                continue
            out = np.zeros((len(s), 5))
            fill_row_points(tables, road, row, s, out)
            if out[:, 3].min() < -1e-3:
                low = out[:, 3].min()
                message = f"road '{name}': lane {m.lane_id[row]} at s = {begin:.1f} has width {low:.3f} m: it overlaps"
                found.append(Finding("error", line, "lane", message))
    return found


def _lane_links(drive: OpenDrive, tables: MapTables) -> list[Finding]:
    """Linked lanes must meet, and run the same way."""
    m = drive.map
    section_road = np.repeat(np.arange(len(m.road_length)), np.diff(m.road_section_start))
    section_end = np.append(m.section_s[1:], 0.0)
    section_end[m.road_section_start[1:] - 1] = m.road_length
    found = []
    for row in range(len(m.lane_id)):
        for end in (0, 1):
            other = int(m.lane_link[row, end])
            if other < 0:
                continue
            road, target = int(section_road[m.lane_section[row]]), int(section_road[m.lane_section[other]])
            name, line = drive.road_ids[road], drive.road_lines[road]
            contact = 1 - end if road == target else int(m.road_link[road, end, 2])
            ahead = (m.lane_id[row] < 0) == (m.lane_id[other] < 0)
            there = f"lane {m.lane_id[other]} of road '{drive.road_ids[target]}'"
            if ahead != (contact == 1 - end) and m.road_left_hand[road] == m.road_left_hand[target]:
                message = f"road '{name}': lane {m.lane_id[row]} links to {there}, which runs the other way"
                found.append(Finding("error", line, "lane", message))
                continue
            a, b = np.zeros((1, 5)), np.zeros((1, 5))
            for r, e, where, out in ((row, end, road, a), (other, contact, target, b)):
                sec = m.lane_section[r]
                s = section_end[sec] - 1e-6 if e else m.section_s[sec]
                fill_row_points(tables, where, r, np.array([max(float(s), 0.0)]), out)
            gap = float(np.hypot(*(a[0, :2] - b[0, :2])))
            if gap > LANE_GAP + 0.5 * abs(float(a[0, 3] - b[0, 3])):
                message = f"road '{name}': lane {m.lane_id[row]} ends {gap:.2f} m from {there}"
                found.append(Finding("warning", line, "lane", message))
    return found


def _connections(drive: OpenDrive) -> list[Finding]:
    m = drive.map
    found = []
    for j, junction in enumerate(drive.junctions):
        begin, end = int(m.junction_connection_start[j]), int(m.junction_connection_start[j + 1])
        if begin == end:
            found.append(Finding("warning", 0, "junction", f"junction '{junction.id}' has no connection"))
        for c in range(begin, end):
            road, incoming = int(m.connection_road[c]), int(m.connection_incoming[c])
            name = drive.road_ids[road]
            if junction.kind == "default" and m.road_junction[road] != j:
                message = f"junction '{junction.id}': connecting road '{name}' does not belong to it"
                found.append(Finding("error", drive.road_lines[road], "road", message))
            link = m.road_link[road, int(m.connection_contact[c])]
            if junction.kind == "default" and not (link[0] == 1 and link[1] == incoming):
                message = f"junction '{junction.id}': road '{name}' does not start at its incoming road '{drive.road_ids[incoming]}'"
                found.append(Finding("error", drive.road_lines[road], "road", message))
    return found


def _lights(drive: OpenDrive) -> list[Finding]:
    known = {s.id for s in drive.signals}
    found = []
    for controller in drive.controllers:
        for signal_id, _ in controller.controls:
            if signal_id not in known:
                found.append(
                    Finding(
                        "error",
                        0,
                        "controller",
                        f"controller '{controller.id}' switches the unknown signal '{signal_id}'",
                    )
                )
    controllers = {c.id for c in drive.controllers}
    for junction in drive.junctions:
        for name in junction.controllers:
            if name not in controllers:
                found.append(
                    Finding("error", 0, "junction", f"junction '{junction.id}' names the unknown controller '{name}'")
                )
    return found
