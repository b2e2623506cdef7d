"""Author the built-in district: `python tools/district/layout.py` writes src/cloverleaf/map/district/district.xodr.

A signalised arterial along y = 0 with junctions A, B, C at x = -400, 0, 400; a street with a school zone north of B to a
roundabout; a collector from there to a priority junction; a car park; an expressway in the south with an off-ramp and an on-ramp.
"""

from __future__ import annotations

import math
from pathlib import Path

from net import Net
from xodr import Arm, Lane, Road, Section, advance

PI = math.pi
KMH = 1 / 3.6
T, TS, BUS, BIKE, WALK, POCKET, POCKET_S = 3.25, 3.5, 3.5, 2.5, 3.0, 3.25, 3.0
BOX_X, BOX_Y = 24.0, 28.0  # m from a signal junction's centre to the ends of arterial and street
TARGET = Path(__file__).resolve().parents[2] / "src/cloverleaf/map/district/district.xodr"


def arterial_side(inner: list[Lane], approach: bool) -> list[Lane]:
    """Lanes from the centre outwards; near a junction the bus lane also takes right turns."""
    kind = "driving" if approach else "bus"
    lanes = [*inner, Lane("T1", "driving", T), Lane("T2", "driving", T), Lane("R", kind, BUS)]
    return [*lanes, Lane("B", "biking", BIKE), Lane("W", "sidewalk", WALK)]


def street_side(inner: list[Lane]) -> list[Lane]:
    return [*inner, Lane("T1", "driving", TS), Lane("B", "biking", BIKE), Lane("W", "sidewalk", WALK)]


def arterial(net: Net, name: str, x0: float, x1: float, west: bool, east: bool) -> Road:
    """East-bound lanes right. `west`, `east`: which ends are signal junctions and so have pockets (80 m) there."""
    length, pocket, half = x1 - x0, 80.0, POCKET / 2
    lane, island = Lane("L", "driving", POCKET), Lane("M", "median", POCKET)
    sections = []
    if west:
        sections.append(Section(0.0, -half, arterial_side([lane], True), arterial_side([], False)))
    at = pocket if west else 0.0
    sections.append(Section(at, -half, arterial_side([island], False), arterial_side([], False)))
    if east:
        sections.append(Section(length - pocket, half, arterial_side([], False), arterial_side([lane], True)))
    return net.road(name, (x0, 0.0, 0.0), [(0.0, 0.0, length)], sections, 60 * KMH)


def street(net: Net, name: str, start, length: float, speed: float, pocket: float = 60.0) -> Road:
    """A street that leaves a signal junction: a left-turn pocket towards it on the left side."""
    half = POCKET_S / 2
    lane, island = Lane("L", "driving", POCKET_S), Lane("M", "median", POCKET_S)
    sections = [
        Section(0.0, -half, street_side([lane]), street_side([])),
        Section(pocket, -half, street_side([island]), street_side([])),
    ]
    return net.road(name, start, [(0.0, 0.0, length)], sections, speed)


def plain(net: Net, name: str, start, length: float, speed: float, parking: bool = False) -> Road:
    """A two-lane street without pockets."""
    side = street_side([])
    if parking:
        side = [Lane("T1", "driving", TS), Lane("P", "parking", 2.5), Lane("W", "sidewalk", WALK)]
    return net.road(name, start, [(0.0, 0.0, length)], [Section(0.0, 0.0, side, list(side))], speed)


def edge_t(arm: Arm, incoming: bool) -> float:
    """Lateral position of the kerb (inner edge of the sidewalk) on one side of an arm."""
    lane_id = arm.lane_id("W", incoming)
    lane = arm.section.lane(lane_id)
    return arm.section.center(lane_id) + (1 if lane_id < 0 else -1) * lane.width / 2


def signal_junction(
    net: Net, id: str, arms: dict[str, tuple[Arm | None, Arm | None]], spans: dict[str, tuple[Arm, float, float]]
):
    """Four legs E N W S, each (incoming arm, outgoing arm); `spans` gives crosswalks that are not kerb to kerb of one road."""
    junction = net.junction(id, id)
    compass = "ENWS"
    attached: list[tuple[Road, str]] = []
    for pair in arms.values():
        for arm in pair:
            if arm is not None and (arm.road.id, arm.at) not in attached:
                net.attach(junction, arm)
                attached.append((arm.road.id, arm.at))
    for i, d in enumerate(compass):
        a = arms[d][0]
        if a is not None:
            straight, left, right = (arms[compass[(i + k) % 4]][1] for k in (2, 3, 1))
            _movements(net, junction, a, straight, left, right)
            _heads(net, junction, id, d, a)
        if d in spans:
            arm, low, high = spans[d]
        else:
            arm = arms[d][1]
            low, high = sorted((edge_t(arm, True), edge_t(arm, False)))
        net.crosswalk(arm, f"{id}.{d}.walk", low, high)
        name = f"{id}.{d}.P"
        net.signal(arm, name, "1000002", "-1", [], name, high + 1.0)
        junction.controllers.append(name)
    return junction


def _movements(net: Net, j, a: Arm, straight: Arm | None, left: Arm | None, right: Arm | None) -> None:
    if straight:
        for role in ("T1", "T2", "R", "B"):
            if a.has(role, True) and straight.has(role, False):
                net.connect(j, a, role, straight, role)
    if left:
        net.connect(j, a, "L", left, "T1")
    if right:
        source = next(r for r in ("R", "T2", "T1") if a.has(r, True))
        target = "T2" if right.has("T2", False) else "T1"
        net.connect(j, a, source, right, target)
    for to in (left, right):
        if to and a.has("B", True) and to.has("B", False):
            net.connect(j, a, "B", to, "B")


def _heads(net: Net, junction, id: str, d: str, a: Arm) -> None:
    side = -1.0 if a.at == "end" else 1.0
    for n, (key, kind, subtype, roles) in enumerate(
        (
            ("T", "1000011", "30", ["T1", "T2", "R"]),
            ("L", "1000011", "10", ["L"]),
            ("R", "1000011", "20", ["R"] if a.has("R", True) else ["T1"]),
            ("B", "1000013", "30", ["B"]),
            ("BL", "1000013", "10", ["B"]),
            ("BR", "1000013", "20", ["B"]),
        )
    ):
        if any(a.has(r, True) for r in roles):
            name = f"{id}.{d}.{key}"
            net.signal(a, name, kind, subtype, roles, name, side * (2.0 + n))
            junction.controllers.append(name)


def mid_block(net: Net, id: str, a: Arm, b: Arm) -> None:
    """A zebra crossing between two road ends."""
    junction = net.junction(id, id)
    net.attach(junction, a)
    net.attach(junction, b)
    for x, y in ((a, b), (b, a)):
        for role in ("T1", "B"):
            net.connect(junction, x, role, y, role)
    low, high = sorted((edge_t(a, True), edge_t(a, False)))
    net.crosswalk(a, f"{id}.walk", low, high, near=2.0, depth=4.0)
    for arm in (a, b):
        net.sign(arm, f"{id}.{arm.road.name}.350", "350")


def priority_junction(net: Net, id: str, south: Arm, north: Arm, west: Arm) -> None:
    """A T: south-north has priority, west yields."""
    junction = net.junction(id, id)
    for arm in (south, north, west):
        net.attach(junction, arm)
    for a, b in ((south, north), (north, south), (west, north), (west, south), (south, west), (north, west)):
        for role in ("T1", "B"):
            net.connect(junction, a, role, b, role)
    net.sign(west, f"{id}.205", "205")
    for arm in (south, north):
        net.sign(arm, f"{id}.{arm.road.name}.306", "306")
    low, high = sorted((edge_t(west, True), edge_t(west, False)))
    net.crosswalk(west, f"{id}.W.walk", low, high)
    low, high = sorted((edge_t(north, True), edge_t(north, False)))
    net.crosswalk(north, f"{id}.N.walk", low, high)


def roundabout(net: Net, id: str, cx: float, cy: float, arms: list[tuple[float, Arm]]) -> None:
    """One circulating lane, anticlockwise; `arms` by increasing angle of the leg."""
    radius, gap, width = 25.0, math.radians(28), 5.0
    lane = Lane("T1", "driving", width)
    rings = []
    for n, (angle, _) in enumerate(arms):
        after = arms[(n + 1) % len(arms)][0] + (2 * PI if n + 1 == len(arms) else 0.0)
        a0, a1 = angle + gap, after - gap
        k = 1 / radius
        start = (cx + radius * math.cos(a0), cy + radius * math.sin(a0), a0 + PI / 2)
        section = Section(0.0, width / 2, [], [lane, Lane("V", "border", 2.0), Lane("W", "sidewalk", WALK)])
        rings.append(net.road(f"{id}-ring{n + 1}", start, [(k, k, radius * (a1 - a0))], [section], 30 * KMH))
    members = []
    for n, (_, arm) in enumerate(arms):
        j = net.junction(f"{id}{n + 1}", f"{id}{n + 1}")
        members.append(j.id)
        before, behind = rings[n - 1].arm("end"), rings[n].arm("start")
        for a in (before, behind, arm):
            net.attach(j, a)
        net.connect(j, before, "T1", behind, "T1")
        net.connect(j, arm, "T1", behind, "T1")
        net.connect(j, before, "T1", arm, "T1")
        if arm.has("B", True):
            net.connect(j, arm, "B", behind, "T1")
            net.connect(j, before, "T1", arm, "B", kind="biking")
        net.sign(arm, f"{j.id}.205", "205")
        net.sign(arm, f"{j.id}.215", "215")
        low, high = sorted((edge_t(arm, True), edge_t(arm, False)))
        net.crosswalk(arm, f"{j.id}.walk", low, high)
    net.groups.append((id, members))


def expressway(net: Net) -> tuple[Road, Road]:
    """West-bound, two lanes, off-ramp to B and on-ramp from B; returns the ramps (into B, out of B)."""
    y, w, start_x = -420.0, 3.5, 760.0
    main = [Lane("T1", "driving", w), Lane("T2", "driving", w)]
    k, bend, ease = 1 / 90, PI / 2, 40.0
    arc = (bend - ease * k) / k
    turn = [(0.0, -k, ease), (-k, -k, arc), (-k, 0.0, ease)]

    def shift(pose):
        for p in turn:
            pose = advance(pose, *p)
        return pose

    dx, dy, _ = shift((0.0, 0.0, PI))
    lane_y = y + 2.5 * w
    off_x = 3.75 - dx  # the off-ramp's lane centre arrives at x = 3.75
    x1 = net.road(
        "X1", (start_x, y, PI), [(0.0, 0.0, start_x - off_x - 12)],
        [
            Section(0.0, 0.0, [], main),
            Section(start_x - off_x - 12 - 190, 0.0, [], [*main, Lane("X", "offRamp", w, grow=50.0)]),
        ],
        80 * KMH, "motorway",
    )  # fmt: skip
    up = -BOX_Y - (lane_y + dy)
    into = net.road("ramp-off", (off_x, lane_y, PI), [*turn, (0.0, 0.0, up)], [], 50 * KMH, "town")
    pocket = 90.0
    into.sections = [
        Section(0.0, w / 2, [], [Lane("L", "driving", w)]),
        Section(into.length - pocket, w / 2, [], [Lane("L", "driving", w), Lane("T1", "driving", T, grow=30.0)]),
    ]
    dx2, dy2, _ = shift((0.0, 0.0, -PI / 2))
    single = Section(0.0, w / 2, [], [Lane("T1", "driving", w)])
    down = (-BOX_Y) - (lane_y - dy2)
    out = net.road("ramp-on", (-3.75, -BOX_Y, -PI / 2), [(0.0, 0.0, down), *turn], [single], 50 * KMH)
    on_x = -3.75 + dx2
    x2 = net.road("X2", (off_x, y, PI), [(0.0, 0.0, off_x - on_x)], [Section(0.0, 0.0, [], main)], 80 * KMH, "motorway")
    merge = on_x - 12.0
    x3 = net.road(
        "X3", (merge, y, PI), [(0.0, 0.0, merge + start_x)],
        [Section(0.0, 0.0, [], [*main, Lane("X", "onRamp", w, grow=-60.0)]), Section(240.0, 0.0, [], main)],
        80 * KMH, "motorway",
    )  # fmt: skip
    j = net.junction("XD", "diverge")
    for arm in (x1.arm("end"), x2.arm("start"), into.arm("start")):
        net.attach(j, arm)
    for role in ("T1", "T2"):
        net.connect(j, x1.arm("end"), role, x2.arm("start"), role)
    net.connect(j, x1.arm("end"), "X", into.arm("start"), "L")
    j = net.junction("XM", "merge")
    for arm in (x2.arm("end"), x3.arm("start"), out.arm("end")):
        net.attach(j, arm)
    for role in ("T1", "T2"):
        net.connect(j, x2.arm("end"), role, x3.arm("start"), role)
    net.connect(j, out.arm("end"), "T1", x3.arm("start"), "X")
    return into, out


def build() -> Net:
    """Everything, in the order of the map's road ids."""
    net = Net()
    wa = arterial(net, "WA", -760.0, -400.0 - BOX_X, False, True)
    ab = arterial(net, "AB", -400.0 + BOX_X, -BOX_X, True, True)
    bc = arterial(net, "BC", BOX_X, 400.0 - BOX_X, True, True)
    ce = arterial(net, "CE", 400.0 + BOX_X, 760.0, True, False)
    an = street(net, "AN", (-400.0, BOX_Y, PI / 2), 400.0, 50 * KMH)
    as_ = street(net, "AS", (-400.0, -BOX_Y, -PI / 2), 300.0, 50 * KMH)
    cn = street(net, "CN", (400.0, BOX_Y, PI / 2), 300.0 - BOX_Y - 20.0, 50 * KMH)
    cs = street(net, "CS", (400.0, -BOX_Y, -PI / 2), 300.0, 50 * KMH)
    bn = street(net, "BN", (0.0, BOX_Y, PI / 2), 118.0, 30 * KMH)
    island = Lane("M", "median", POCKET_S)
    side = Section(0.0, -POCKET_S / 2, street_side([island]), street_side([]))
    school = net.road("BR", (0.0, BOX_Y + 126.0, PI / 2), [(0.0, 0.0, 106.0)], [side], 30 * KMH)
    rw = plain(net, "park", (-40.0, 300.0, PI), 220.0, 15 * KMH, parking=True)
    rp = plain(net, "RP", (40.0, 300.0, 0.0), 340.0, 40 * KMH)
    rn = plain(net, "RN", (0.0, 340.0, PI / 2), 220.0, 40 * KMH)
    pn = plain(net, "PN", (400.0, 320.0, PI / 2), 240.0, 50 * KMH)
    into, out = expressway(net)

    def legs(**arms: Arm) -> dict[str, tuple[Arm, Arm]]:
        return {d: (arm, arm) for d, arm in arms.items()}

    signal_junction(net, "A", legs(E=ab.arm("start"), N=an.arm("start"), W=wa.arm("end"), S=as_.arm("start")), {})
    ramps = {"S": (into.arm("end"), out.arm("start"))}
    crossing = {"S": (out.arm("start"), -5.0, 13.0)}
    signal_junction(net, "B", legs(E=bc.arm("start"), N=bn.arm("start"), W=ab.arm("end")) | ramps, crossing)
    signal_junction(net, "C", legs(E=ce.arm("start"), N=cn.arm("start"), W=bc.arm("end"), S=cs.arm("start")), {})
    mid_block(net, "Z", bn.arm("end"), school.arm("start"))
    ways = [(-PI / 2, school.arm("end")), (0.0, rp.arm("start")), (PI / 2, rn.arm("start")), (PI, rw.arm("start"))]
    roundabout(net, "R", 0.0, 300.0, ways)
    priority_junction(net, "P", cn.arm("end"), pn.arm("start"), rp.arm("end"))
    for arm, s in ((bn.arm("end"), 5.0), (school.arm("start"), 101.0)):
        net.sign(arm, f"school.136.{arm.road.name}", "136", s=s)
        net.sign(arm, f"school.274.{arm.road.name}", "274", "30", "30", s=s)
    _stops_and_spaces(net, {"WA": wa, "AB": ab, "BC": bc, "CE": ce, "park": rw})
    return net


def _stops_and_spaces(net: Net, roads: dict[str, Road]) -> None:
    """Bus stops on the bus lane of every arterial stretch, both ways, and the spaces of the car park."""
    stops = (("WA", 150.0, 240.0), ("AB", 170.0, 190.0), ("BC", 170.0, 190.0), ("CE", 130.0, 230.0))
    kerb = POCKET / 2 + 2 * T + BUS / 2
    for name, east, west in stops:
        for side, s, t in (("east", east, -kerb), ("west", west, kerb)):
            net.thing(roads[name], f"stop.{name}.{side}", "busStop", s, t, 20.0, 3.0)
    for n in range(24):
        for side, t in (("right", -4.75), ("left", 4.75)):
            net.thing(roads["park"], f"space.{side}.{n + 1}", "parkingSpace", 40.0 + 6.5 * n, t, 6.0, 2.5)


def header() -> str:
    """Georeference: a made-up place north of Beijing's Yizhuang pilot zone's latitude; local transverse Mercator."""
    proj = "+proj=tmerc +lat_0=39.795 +lon_0=116.505 +k=1 +x_0=0 +y_0=0 +ellps=WGS84 +units=m +no_defs"
    return (
        '<header revMajor="1" revMinor="8" name="Cloverleaf district" version="1" date="2026-01-01T00:00:00" '
        'north="560" south="-425" east="760" west="-760" vendor="Cloverleaf">'
        f"<geoReference><![CDATA[{proj}]]></geoReference></header>"
    )


if __name__ == "__main__":
    TARGET.write_text(build().write(header()), encoding="utf-8")
    print(TARGET)
