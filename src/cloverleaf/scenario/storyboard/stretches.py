"""Ranges of road (RoadRange) as stretches: from one RoadCursor to the next along the roads that they name."""

from __future__ import annotations

import math

from lxml import etree

from cloverleaf.map.opendrive.model import OpenDriveMap
from cloverleaf.scenario.openscenario.document import children
from cloverleaf.scenario.storyboard.builder import Builder
from cloverleaf.scenario.storyboard.scope import Scope, fail

TO_ROAD = 1  # first column of `OpenDriveMap.road_link`


def stretches(b: Builder, element: etree._Element, scope: Scope) -> list[tuple[int, int, int, int]]:
    """(road row, slot of from and to, first and last + 1 of its lanes in `members`) for each road of a RoadRange.

    The range begins at the first cursor and ends at the last one, or after `length`. A cursor without `s` stands where the range
    enters its road, the last one where the range would leave it. Raises ScenarioError where roads do not follow each other.
    """
    cursors = children(element)
    roads = [b.road(c, scope) for c in cursors]
    left = _given(element, "length", scope, math.inf)
    found = []
    k = 0
    entered = -1  # end by which the road is entered, -1 begins on it
    while k < len(cursors):
        last = k
        while last + 1 < len(cursors) and roads[last + 1] == roads[k]:
            last += 1  # several cursors on one road
        low, high, entered = _span(b, cursors, roads, k, last, entered, scope)
        part = min(abs(high - low), left)
        left -= part
        end = low + math.copysign(part, high - low)
        if part > 0.0:
            lanes = [int(scope.text(lane, "id")) for lane in children(cursors[k])]
            first = len(b.members)
            b.members += lanes
            found.append((roads[k], b.slots(min(low, end), max(low, end)), first, first + len(lanes)))
        k = last + 1
    if not found:
        raise fail(element, "has no length")
    return found


def _span(
    b: Builder, cursors: list[etree._Element], roads: list[int], k: int, last: int, entered: int, scope: Scope
) -> tuple[float, float, int]:
    """(from, to, end by which the next road is entered) of the road that the cursors k to `last` stand on."""
    if b.map is None:
        raise fail(cursors[k], "the scenario has no road network")
    length = float(b.map.tables.road_length[roads[k]])
    leaves, enters = -1, -1
    if last + 1 < len(cursors):
        leaves, enters = _joint(b.map.drive.map, roads[last], roads[last + 1])
        if leaves < 0:
            message = f"road '{cursors[last + 1].get('roadId')}' does not follow road '{cursors[last].get('roadId')}'"
            raise fail(cursors[last + 1], message, "name the roads between them, connecting roads too")
    begin = {-1: 0.0 if leaves != 0 else length, 0: 0.0, 1: length}[entered]
    finish = {-1: length if entered != 1 else 0.0, 0: 0.0, 1: length}[leaves]
    low = _given(cursors[k], "s", scope, begin) if entered < 0 else begin
    high = _given(cursors[last], "s", scope, finish) if leaves < 0 else finish
    for s, cursor in ((low, cursors[k]), (high, cursors[last])):
        if not -1e-3 <= s <= length + 1e-3:
            raise fail(cursor, f"s = {s:g} is off road '{cursor.get('roadId')}', which is {length:g} m long")
    return low, high, enters


def _given(element: etree._Element, name: str, scope: Scope, default: float) -> float:
    """A number that shapes the program."""
    text = scope.text(element, name, "")
    if not text:
        return default
    try:
        return float(text)
    except ValueError:
        raise fail(element, f"attribute '{name}': '{text}' is not a number") from None


def _joint(m: OpenDriveMap, road: int, onward: int) -> tuple[int, int]:
    """(end by which a road is left, end by which the onward road is entered); -1 if they are not linked."""
    for end in (0, 1):
        kind, other, contact = (int(v) for v in m.road_link[road, end])
        if kind == TO_ROAD and other == onward:
            return end, contact
    for end in (0, 1):
        kind, other, contact = (int(v) for v in m.road_link[onward, end])
        if kind == TO_ROAD and other == road:
            return contact, end
    return -1, -1
