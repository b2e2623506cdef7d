"""A small OpenDRIVE writer: roads of lines, arcs and spirals with lanes by role, and junctions of lane-to-lane connections."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

Pose = tuple[float, float, float]


@dataclass
class Lane:
    """One lane of a cross-section; `role` is the layout's own name for it."""

    role: str
    type: str
    width: float
    speed: float = 0.0  # m/s, 0: the road's
    grow: float = 0.0  # m over which the width grows from 0 at the section start; negative: shrinks to 0 at its end


@dataclass
class Section:
    """Lanes from the centre outwards on both sides, from road position s on; `offset` is the lane offset."""

    s: float
    offset: float
    left: list[Lane]
    right: list[Lane]

    def lane_id(self, role: str, side: str) -> int:
        """Lane id of a role on one side, 0 if absent."""
        lanes = self.right if side == "right" else self.left
        for n, lane in enumerate(lanes, 1):
            if lane.role == role:
                return -n if side == "right" else n
        return 0

    def lane(self, lane_id: int) -> Lane:
        return self.right[-lane_id - 1] if lane_id < 0 else self.left[lane_id - 1]

    def center(self, lane_id: int) -> float:
        """Lateral position of a lane centre."""
        lanes = self.right if lane_id < 0 else self.left
        sign = -1.0 if lane_id < 0 else 1.0
        n = abs(lane_id)
        return self.offset + sign * (sum(lane.width for lane in lanes[: n - 1]) + 0.5 * lanes[n - 1].width)


def advance(pose: Pose, k0: float, k1: float, length: float) -> Pose:
    """End pose of a clothoid (line and arc included), by fine Simpson integration."""
    n = 200
    h = length / n
    x = y = 0.0
    for i in range(n + 1):
        s = i * h
        theta = pose[2] + k0 * s + 0.5 * (k1 - k0) / length * s * s
        w = 1.0 if i in (0, n) else (4.0 if i % 2 else 2.0)
        x += w * math.cos(theta)
        y += w * math.sin(theta)
    return pose[0] + x * h / 3, pose[1] + y * h / 3, pose[2] + 0.5 * (k0 + k1) * length


@dataclass
class Road:
    """A road; pieces are (curvature at start, curvature at end, length) or ('poly', coefficients, length)."""

    id: str
    name: str
    start: Pose
    pieces: list[tuple]
    sections: list[Section]
    speed: float
    type: str = "town"
    junction: str = "-1"
    links: dict[str, str] = field(default_factory=dict)  # predecessor/successor -> attributes
    lane_links: dict[int, tuple[int, int]] = field(default_factory=dict)  # connecting roads only
    signals: list[str] = field(default_factory=list)
    objects: list[str] = field(default_factory=list)
    taper: tuple[float, float] | None = None  # connecting roads: width at start, end
    marks: bool = True

    @property
    def length(self) -> float:
        return sum(p[-1] for p in self.pieces)

    def end(self) -> Pose:
        pose = self.start
        for p in self.pieces:
            pose = advance(pose, *p)
        return pose

    def pose_at(self, s: float) -> Pose:
        pose = self.start
        for k0, k1, length in self.pieces:
            if s <= length:
                return advance(pose, k0, k0 + (k1 - k0) * s / length, s) if s > 0 else pose
            pose, s = advance(pose, k0, k1, length), s - length
        return pose

    def arm(self, at: str) -> Arm:
        return Arm(self, at)


@dataclass
class Arm:
    """One end of a road as a leg of a junction."""

    road: Road
    at: str  # 'start' or 'end'

    @property
    def section(self) -> Section:
        return self.road.sections[0 if self.at == "start" else -1]

    def side(self, incoming: bool) -> str:
        return "right" if (self.at == "end") == incoming else "left"

    def has(self, role: str, incoming: bool) -> bool:
        return self.section.lane_id(role, self.side(incoming)) != 0

    def lane_id(self, role: str, incoming: bool) -> int:
        return self.section.lane_id(role, self.side(incoming))

    def pose(self, role: str, incoming: bool) -> Pose:
        """Lane centre at this end with the heading of travel."""
        x, y, h = self.road.start if self.at == "start" else self.road.end()
        t = self.section.center(self.lane_id(role, incoming))
        flip = 0.0 if (self.at == "end") == incoming else math.pi
        return x - t * math.sin(h), y + t * math.cos(h), h + flip


def curve(a: Pose, b: Pose) -> list[tuple]:
    """Line-arc-line from pose a to pose b; a cubic where the headings agree but the lines do not."""
    turn = math.remainder(b[2] - a[2], 2 * math.pi)
    dx, dy = b[0] - a[0], b[1] - a[1]
    along = dx * math.cos(a[2]) + dy * math.sin(a[2])
    aside = -dx * math.sin(a[2]) + dy * math.cos(a[2])
    if abs(turn) < 0.02 and abs(aside) < 0.005:
        return [(0.0, 0.0, along)]
    if abs(turn) > 0.15:
        far = aside / math.sin(turn)  # from b back to the intersection of the tangents
        near = along - far * math.cos(turn)
        if near > 0.5 and far > 0.5:
            d = min(near, far)
            k = math.tan(turn / 2) / d
            pieces = [(0.0, 0.0, near - d), (k, k, turn / k), (0.0, 0.0, far - d)]
            return [p for p in pieces if p[2] > 1e-6]
    reach = math.hypot(dx, dy)
    m = reach * (1.0 if abs(turn) < 0.15 else 1.2)
    du, dv = m * math.cos(turn), m * math.sin(turn)
    u = (0.0, m, 3 * along - 2 * m - du, -2 * along + m + du)
    v = (0.0, 0.0, 3 * aside - dv, -2 * aside + dv)
    n, length = 400, 0.0
    for i in range(n):
        p = (i + 0.5) / n
        length += math.hypot(u[1] + p * (2 * u[2] + 3 * u[3] * p), v[1] + p * (2 * v[2] + 3 * v[3] * p)) / n
    return [("poly", u, v, length)]


def num(x: float) -> str:
    text = f"{x:.8f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def attrs(**values: object) -> str:
    return " ".join(
        f"{k.rstrip('_')}={quoteattr(num(v) if isinstance(v, float) else str(v))}" for k, v in values.items()
    )


def road_xml(road: Road) -> list[str]:
    """The <road> element as lines."""
    length = road.length
    out = [f"<road {attrs(name=road.name, length=length, id=road.id, junction=road.junction, rule='RHT')}>"]
    if road.links:
        out.append("<link>" + "".join(f"<{k} {v}/>" for k, v in sorted(road.links.items())) + "</link>")
    out.append(f'<type s="0" type="{road.type}"><speed max="{num(road.speed * 3.6)}" unit="km/h"/></type>')
    out.append("<planView>")
    pose, s = road.start, 0.0
    for p in road.pieces:
        head = attrs(s=s, x=pose[0], y=pose[1], hdg=pose[2], length=p[-1])
        if p[0] == "poly":
            u, v = p[1], p[2]
            names = dict(zip(("aU", "bU", "cU", "dU"), u)) | dict(zip(("aV", "bV", "cV", "dV"), v))
            shape = f"<paramPoly3 {attrs(**names, pRange='normalized')}/>"
        elif p[0] == 0 and p[1] == 0:
            shape = "<line/>"
        elif p[0] == p[1]:
            shape = f"<arc {attrs(curvature=float(p[0]))}/>"
        else:
            shape = f"<spiral {attrs(curvStart=float(p[0]), curvEnd=float(p[1]))}/>"
        out.append(f"<geometry {head}>{shape}</geometry>")
        if p[0] != "poly":
            pose = advance(pose, *p)
        s += p[-1]
    out.append("</planView>")
    out.append('<elevationProfile><elevation s="0" a="0" b="0" c="0" d="0"/></elevationProfile>')
    out.extend(_lanes_xml(road))
    if road.objects:
        out.extend(["<objects>", *road.objects, "</objects>"])
    if road.signals:
        out.extend(["<signals>", *road.signals, "</signals>"])
    out.append("</road>")
    return out


def _lanes_xml(road: Road) -> list[str]:
    out = ["<lanes>"]
    if road.taper:
        w0, w1 = road.taper
        out.append(f"<laneOffset {attrs(s=0.0, a=w0 / 2, b=(w1 - w0) / 2 / road.length, c=0.0, d=0.0)}/>")
    else:
        for section in road.sections:
            out.append(f"<laneOffset {attrs(s=section.s, a=section.offset, b=0.0, c=0.0, d=0.0)}/>")
    for n, section in enumerate(road.sections):
        out.append(f"<laneSection {attrs(s=section.s)}>")
        if section.left:
            out.append("<left>")
            for i in range(len(section.left), 0, -1):
                out.extend(_lane_xml(road, n, i))
            out.append("</left>")
        solid = "solid solid" if section.left else "solid"
        mark = (
            f'<roadMark sOffset="0" type="{solid}" color="yellow" width="0.12" laneChange="none"/>'
            if road.marks
            else ""
        )
        out.append(f'<center><lane id="0" type="none" level="false">{mark}</lane></center>')
        if section.right:
            out.append("<right>")
            for i in range(1, len(section.right) + 1):
                out.extend(_lane_xml(road, n, -i))
            out.append("</right>")
        out.append("</laneSection>")
    out.append("</lanes>")
    return out


def _lane_xml(road: Road, n: int, lane_id: int) -> list[str]:
    section = road.sections[n]
    lane = section.lane(lane_id)
    side = "right" if lane_id < 0 else "left"
    before, after = road.lane_links.get(lane_id, (0, 0))
    flows = lane.role if lane.role != "M" else "-"
    if n > 0:
        before = road.sections[n - 1].lane_id(flows, side)
    if n + 1 < len(road.sections):
        after = road.sections[n + 1].lane_id(flows, side)
    link = "".join(f'<{k} id="{v}"/>' for k, v in (("predecessor", before), ("successor", after)) if v)
    a, b = lane.width, 0.0
    if road.taper:
        a, b = road.taper[0], (road.taper[1] - road.taper[0]) / road.length
    out = [f'<lane id="{lane_id}" type="{lane.type}" level="false"><link>{link}</link>']
    if lane.grow > 0:
        slope = lane.width / lane.grow
        out.append(f"<width {attrs(sOffset=0.0, a=0.0, b=slope, c=0.0, d=0.0)}/>")
        out.append(f"<width {attrs(sOffset=lane.grow, a=lane.width, b=0.0, c=0.0, d=0.0)}/>")
    else:
        out.append(f"<width {attrs(sOffset=0.0, a=a, b=b, c=0.0, d=0.0)}/>")
    if lane.grow < 0:
        last = (road.sections[n + 1].s if n + 1 < len(road.sections) else road.length) - section.s + lane.grow
        out.append(f"<width {attrs(sOffset=last, a=lane.width, b=lane.width / lane.grow, c=0.0, d=0.0)}/>")
    if road.marks:
        lanes = section.right if lane_id < 0 else section.left
        outer = lanes[abs(lane_id)] if abs(lane_id) < len(lanes) else None
        flow = ("driving", "onRamp")
        broken = lane.type in flow and outer is not None and outer.type in flow
        kind = "broken" if broken else "solid" if lane.type != "sidewalk" else "none"
        change = "both" if broken else "none"
        out.append(f'<roadMark sOffset="0" type="{kind}" color="white" width="0.12" laneChange="{change}"/>')
    if lane.speed:
        out.append(f'<speed sOffset="0" max="{num(lane.speed * 3.6)}" unit="km/h"/>')
    if lane.type == "sidewalk":
        out.append('<height sOffset="0" inner="0.12" outer="0.12"/>')
    out.append("</lane>")
    return out
