"""Signals of an OpenDRIVE map: which lights govern which links, and the plans that switch them.

A junction with controllers is one signal group of the graph; each controller is one position of its state string. Plans come
from a side file (`<map>.signals.json`) or, without one, from a simple plan that serves one incoming road after the other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cloverleaf.map.graph import JunctionKind, LinkDirection
from cloverleaf.map.io.opendrive_links import GraphLink, Network
from cloverleaf.map.opendrive.model import Signal
from cloverleaf.types.errors import MapError, nearest

LIGHTS = ("1000001", "1000002", "1000009", "1000011", "1000012", "1000013", "1000007", "1000008", "1000010", "1000014")
WALK_LIGHT = "1000002"
_ARROWS = {
    "10": (LinkDirection.LEFT, LinkDirection.PART_LEFT, LinkDirection.TURN),
    "20": (LinkDirection.RIGHT, LinkDirection.PART_RIGHT),
    "30": (LinkDirection.STRAIGHT, LinkDirection.PART_LEFT, LinkDirection.PART_RIGHT),
}
GREEN, YELLOW, ALL_RED = 20.0, 3.0, 2.0  # s, of the plan made where none is given


@dataclass
class Plan:
    """Phases of one group: durations and bounds in s, one letter per controller."""

    offset: float
    actuated: bool
    duration: list[float]
    minimum: list[float]
    maximum: list[float]
    states: list[str]


@dataclass
class Group:
    """One signalised junction."""

    junction: int
    controllers: list[str]
    walks: dict[str, int]  # crosswalk object id -> position
    plan: Plan | None = None


def attach_signals(net: Network) -> list[Group]:
    """Find the groups and set `signal` and `signal_index` of every governed link."""
    by_id = {s.id: s for s in net.drive.signals if not s.reference}
    extra: dict[str, list[Signal]] = {}
    for s in net.drive.signals:
        extra.setdefault(s.id, []).append(s)
    controller = {c.id: c for c in net.drive.controllers}
    groups: list[Group] = []
    for j, junction in enumerate(net.drive.junctions):
        names = [c for c in junction.controllers if c in controller]
        if not names:
            names = _by_position(net, j, controller)
        links = [k for k in net.links if k.junction == j and k.vias]
        group = Group(j, [], {})
        for name in names:
            signals = [s for sid, _ in controller[name].controls for s in extra.get(sid, [])]
            mine = [s for s in signals if by_id.get(s.id, s).dynamic or by_id.get(s.id, s).type in LIGHTS]
            if not mine:
                continue
            index = len(group.controllers)
            group.controllers.append(name)
            for s in mine:
                if by_id.get(s.id, s).type == WALK_LIGHT:
                    group.walks[s.id] = index
                    continue
                for link in links:
                    if _governs(net, s, by_id.get(s.id, s), link):
                        link.signal, link.signal_index = len(groups), index
        if any(k.signal == len(groups) for k in links):
            net.nodes[j].kind = JunctionKind.SIGNAL
            groups.append(group)
    return groups


def _by_position(net: Network, j: int, controller: dict[str, Any]) -> list[str]:
    """Controllers whose signals all stand on roads of the junction, where the junction itself names none."""
    m = net.drive.map
    near = {r for r in range(len(m.road_length)) if m.road_junction[r] == j}
    near |= {r for r in range(len(m.road_length)) for e in (0, 1) if tuple(m.road_link[r, e, :2]) == (2, j)}
    road_of = {s.id: s.road for s in net.drive.signals}
    found = []
    for name, c in controller.items():
        ids = [sid for sid, _ in c.controls if sid in road_of]
        named = any(name in other.controllers for other in net.drive.junctions)
        if ids and not named and all(road_of[sid] in near for sid in ids):
            found.append(name)
    return found


def _governs(net: Network, s: Signal, original: Signal, link: GraphLink) -> bool:
    m = net.drive.map
    lane = net.lanes[link.source]
    row = lane.rows[-1]
    if s.road == link.connecting:
        ids = [int(m.lane_id[r]) for r in net.lanes[link.vias[0]].rows]
    elif s.road == int(net.sections.road[m.lane_section[row]]):
        ahead = lane.id.rsplit("_", 1)[0].count("+") > 0
        if s.orientation != "none" and (s.orientation == "+") != ahead:
            return False
        ids = [int(m.lane_id[row])]
    else:
        return False
    if s.lanes and not any(min(a, b) <= i <= max(a, b) for a, b in s.lanes for i in ids):
        return False
    arrows = _ARROWS.get(original.subtype) if original.type in ("1000011", "1000012", "1000013") else None
    return arrows is None or link.direction in [int(d) for d in arrows]


def load_plans(net: Network, groups: list[Group], file: Path | None) -> None:
    """Set the plan of every group, from the side file where it names the junction."""
    given: dict[str, Any] = {}
    if file is not None:
        try:
            given = json.loads(file.read_text(encoding="utf-8"))["junctions"]
        except OSError as error:
            raise MapError("cannot read the signal plans", file=file) from error
        except (ValueError, KeyError, TypeError) as error:
            raise MapError(f"signal plans are not valid: {error}", file=file, hint='{"junctions": {...}}') from None
        names = [net.nodes[g.junction].id for g in groups]
        for name in given:
            if name not in names:
                raise MapError(f"the map has no signalised junction '{name}'", file=file, hint=nearest(name, names))
    for group in groups:
        name = net.nodes[group.junction].id
        group.plan = _read_plan(group, given[name], file, name) if name in given else _plain_plan(net, group)


def _read_plan(group: Group, data: dict[str, Any], file: Path | None, name: str) -> Plan:
    plan = Plan(float(data.get("offset", 0.0)), bool(data.get("actuated", False)), [], [], [], [])
    for phase in data["phases"]:
        letters = ["r"] * len(group.controllers)
        for letter, controllers in phase["lights"].items():
            if len(letter) != 1 or letter not in "rygGuoOs":
                raise MapError(f"unknown light '{letter}'", file=file, element=name, hint="one of r y g G u o O s")
            for c in controllers:
                if c not in group.controllers:
                    hint = nearest(c, group.controllers)
                    raise MapError(f"unknown controller '{c}'", file=file, element=name, hint=hint)
                letters[group.controllers.index(c)] = letter
        duration = float(phase["duration"])
        plan.duration.append(duration)
        plan.minimum.append(float(phase.get("min", duration)))
        plan.maximum.append(float(phase.get("max", duration)))
        plan.states.append("".join(letters))
    if not plan.states or not np.isfinite(plan.duration).all() or min(plan.duration) <= 0.0:
        raise MapError("every plan needs phases of positive duration", file=file, element=name)
    return plan


def _plain_plan(net: Network, group: Group) -> Plan:
    """One incoming road after the other; people on foot walk while nobody crosses their way."""
    plan = Plan(0.0, False, [], [], [], [])
    links = [k for k in net.links if k.junction == group.junction and k.signal >= 0]
    roads = list(dict.fromkeys(net.lanes[k.source].edge for k in links))
    for edge in roads:
        served = {k.signal_index for k in links if net.lanes[k.source].edge == edge}
        for letter, duration in (("G", GREEN), ("y", YELLOW), ("r", ALL_RED)):
            plan.states.append("".join(letter if i in served else "r" for i in range(len(group.controllers))))
            plan.duration.append(duration)
    plan.minimum, plan.maximum = list(plan.duration), list(plan.duration)
    return plan
