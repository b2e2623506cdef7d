"""The district under construction: roads, junctions, signals and crosswalks, and how they are joined."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from xodr import Arm, Lane, Road, Section, attrs, curve, road_xml

COMFORT = 2.2  # m/s2, lateral, for the speed on turning lanes


@dataclass
class Junction:
    id: str
    name: str
    connections: list[str] = field(default_factory=list)
    controllers: list[str] = field(default_factory=list)


class Net:
    """Collects everything and writes the file."""

    def __init__(self) -> None:
        self.roads: list[Road] = []
        self.junctions: dict[str, Junction] = {}
        self.controllers: dict[str, list[str]] = {}
        self.groups: list[tuple[str, list[str]]] = []

    def road(self, name: str, start, pieces, sections, speed, type: str = "town") -> Road:
        road = Road(name, name, start, pieces, sections, speed, type)
        self.roads.append(road)
        return road

    def junction(self, id: str, name: str) -> Junction:
        self.junctions[id] = Junction(id, name)
        return self.junctions[id]

    def attach(self, junction: Junction, arm: Arm) -> None:
        """The road ends in the junction."""
        key = "successor" if arm.at == "end" else "predecessor"
        arm.road.links[key] = f'elementType="junction" elementId="{junction.id}"'

    def connect(self, junction: Junction, a: Arm, role_a: str, b: Arm, role_b: str, kind: str = "") -> None:
        """One connecting road from an incoming lane of arm a to an outgoing lane of arm b."""
        from_id, to_id = a.lane_id(role_a, True), b.lane_id(role_b, False)
        assert from_id and to_id, (junction.id, a.road.name, role_a, b.road.name, role_b)
        start, end = a.pose(role_a, True), b.pose(role_b, False)
        lane_a, lane_b = a.section.lane(from_id), b.section.lane(to_id)
        pieces = curve(start, end)
        speed = min(a.road.speed, b.road.speed)
        for p in pieces:
            if p[0] != "poly" and abs(p[0]) > 1e-6:
                speed = min(speed, math.sqrt(COMFORT / abs(p[0])))
        count = sum(r.junction == junction.id for r in self.roads) + 1
        w0, w1 = lane_a.width, lane_b.width
        lane = Lane("X", kind or lane_a.type if lane_a.type != "offRamp" else "driving", w0)
        road = Road(
            f"{junction.id}.{count}", f"{junction.id}:{a.road.name}>{b.road.name}:{role_a}", start, pieces,
            [Section(0.0, w0 / 2, [], [lane])], max(speed, 4.0), a.road.type, junction.id,
            taper=(w0, w1), marks=False,
        )  # fmt: skip
        for key, arm in (("predecessor", a), ("successor", b)):
            road.links[key] = attrs(elementType="road", elementId=arm.road.id, contactPoint=arm.at)
        road.lane_links[-1] = (from_id, to_id)
        self.roads.append(road)
        n = len([c for c in junction.connections if c.startswith("<connection ")])
        head = attrs(id=str(n), incomingRoad=a.road.id, connectingRoad=road.id, contactPoint="start")
        junction.connections.append(f'<connection {head}><laneLink from="{from_id}" to="-1"/></connection>')

    def join(self, a: Arm, b: Arm) -> None:
        """Two road ends that simply continue each other; lanes link by role."""
        for here, there in ((a, b), (b, a)):
            key = "successor" if here.at == "end" else "predecessor"
            here.road.links[key] = attrs(elementType="road", elementId=there.road.id, contactPoint=there.at)

    def signal(self, arm: Arm, id: str, type: str, subtype: str, roles: list[str], controller: str, t: float) -> None:
        """A light at the stop line of an arm for incoming lanes, switched by `controller`."""
        s = arm.road.length if arm.at == "end" else 0.0
        lanes = sorted(arm.lane_id(r, True) for r in roles if arm.has(r, True))
        valid = "".join(f'<validity fromLane="{n}" toLane="{n}"/>' for n in lanes)
        orientation = "+" if arm.at == "end" else "-"
        head = attrs(
            id=id, name=id, s=s, t=t, zOffset=3.5, hOffset=0.0, roll=0.0, pitch=0.0, orientation=orientation, dynamic="yes",
            country="OpenDRIVE", type=type, subtype=subtype, value="-1", height=0.9, width=0.3,
        )  # fmt: skip
        arm.road.signals.append(f"<signal {head}>{valid}</signal>")
        self.controllers.setdefault(controller, []).append(id)

    def sign(
        self, arm: Arm, id: str, type: str, subtype: str = "-1", value: str = "-1", s: float | None = None
    ) -> None:
        """A static sign for traffic towards the arm's junction (German catalogue numbers)."""
        at = (arm.road.length if arm.at == "end" else 0.0) if s is None else s
        orientation = "+" if arm.at == "end" else "-"
        t = -6.0 if arm.at == "end" else 6.0
        unit = {"unit": "km/h"} if value != "-1" else {}
        head = attrs(
            id=id, name=id, s=at, t=t, zOffset=2.0, hOffset=0.0, roll=0.0, pitch=0.0, orientation=orientation, dynamic="no",
            country="DE", type=type, subtype=subtype, value=value, height=0.6, width=0.6, **unit,
        )  # fmt: skip
        arm.road.signals.append(f"<signal {head}/>")

    def crosswalk(self, arm: Arm, id: str, right: float, left: float, near: float = 1.2, depth: float = 3.6) -> None:
        """A crosswalk just inside the junction, across the arm from t = right to t = left."""
        s, sign = (arm.road.length, 1.0) if arm.at == "end" else (0.0, -1.0)
        corners = [(near, right), (near + depth, right), (near + depth, left), (near, left)]
        points = "".join(f"<cornerLocal {attrs(u=sign * u, v=v, z=0.0, height=0.0)}/>" for u, v in corners)
        head = attrs(
            id=id, name=id, type="crosswalk", s=s, t=0.0, zOffset=0.0, hdg=0.0, pitch=0.0, roll=0.0, orientation="none",
            length=depth, width=left - right, height=0.0, dynamic="no",
        )  # fmt: skip
        arm.road.objects.append(
            f'<object {head}><outlines><outline id="0" closed="true">{points}</outline></outlines></object>'
        )

    def thing(
        self, road: Road, id: str, type: str, s: float, t: float, length: float, width: float, name: str = ""
    ) -> None:
        """A rectangular object: bus stop, parking space, building."""
        head = attrs(
            id=id, name=name or id, type=type, s=s, t=t, zOffset=0.0, hdg=0.0, pitch=0.0, roll=0.0,
            orientation="+" if t < 0 else "-", length=length, width=width, height=0.1, dynamic="no",
        )  # fmt: skip
        road.objects.append(f"<object {head}/>")

    def write(self, header: str) -> str:
        """The whole document."""
        out = ['<?xml version="1.0" encoding="UTF-8"?>', "<OpenDRIVE>", header]
        for road in self.roads:
            out.extend(road_xml(road))
        for name, signals in self.controllers.items():
            out.append(f'<controller id="{name}" name="{name}">')
            out.extend(f'<control signalId="{s}" type="0"/>' for s in signals)
            out.append("</controller>")
        for j in self.junctions.values():
            out.append(f'<junction id="{j.id}" name="{j.name}" type="default">')
            out.extend(j.connections)
            out.extend(f'<controller id="{c}" type="0"/>' for c in j.controllers)
            out.append("</junction>")
        for name, members in self.groups:
            out.append(f'<junctionGroup id="{name}" type="roundabout" name="{name}">')
            out.extend(f'<junctionReference junction="{m}"/>' for m in members)
            out.append("</junctionGroup>")
        out.append("</OpenDRIVE>")
        return "\n".join(out) + "\n"
