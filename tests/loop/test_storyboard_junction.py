"""The default route at a junction (OpenSCENARIO XML 1.3, clause 6.8.1): straight on, else to the side on which traffic keeps."""

import math

import pytest

from cloverleaf.loop.storyboard.episode import Episode
from loop.storyboard_cases import scenario, speed

RADIUS = 10.0


def road(name, length, x, y, heading, curvature, lane, rule, links, junction="-1"):
    shape = f'<arc curvature="{curvature}"/>' if curvature else "<line/>"
    link = "".join(f'<{kind} elementType="{what}" elementId="{to}"{contact}/>' for kind, what, to, contact in links)
    own = "" if junction == "-1" else f'<link><predecessor id="{lane}"/><successor id="{lane}"/></link>'
    piece = f'<lane id="{lane}" type="driving" level="false">{own}<width sOffset="0" a="3.5" b="0" c="0" d="0"/></lane>'
    side = "left" if lane > 0 else "right"
    lanes = f'<center><lane id="0" type="none"/></center><{side}>{piece}</{side}>'
    if side == "left":
        lanes = f'<{side}>{piece}</{side}><center><lane id="0" type="none"/></center>'
    return (
        f'<road name="" length="{length!r}" id="{name}" junction="{junction}" rule="{rule}"><link>{link}</link><planView>'
        f'<geometry s="0" x="{x!r}" y="{y!r}" hdg="{heading!r}" length="{length!r}">{shape}</geometry></planView>'
        f'<lanes><laneSection s="0">{lanes}</laneSection></lanes></road>'
    )


def junction(turns, lane, rule):
    """A road of 50 m that ends in a junction with one arc per entry of `turns` (rad, left positive), each to a road of its own."""
    roads = [road("in", 50.0, 0.0, 0.0, 0.0, 0.0, lane, rule, [("successor", "junction", "j", "")])]
    connections = ""
    for k, (name, turn) in enumerate(turns.items()):
        curvature, length = math.copysign(1.0 / RADIUS, turn), RADIUS * abs(turn)
        x, y = 50.0 + RADIUS * math.sin(abs(turn)), math.copysign(RADIUS * (1.0 - math.cos(turn)), turn)
        ends = [("predecessor", "road", "in", ' contactPoint="end"'), ("successor", "road", name, ' contactPoint="start"')]
        roads.append(road(f"c{name}", length, 50.0, 0.0, 0.0, curvature, lane, rule, ends, "j"))
        roads.append(road(name, 200.0, x, y, turn, 0.0, lane, rule, [("predecessor", "junction", "j", "")]))
        connections += (
            f'<connection id="{k}" incomingRoad="in" connectingRoad="c{name}" contactPoint="start"><laneLink from="{lane}" to="{lane}"/>'
            "</connection>"
        )
    return (
        '<?xml version="1.0"?><OpenDRIVE><header revMajor="1" revMinor="6"/>'
        + "".join(roads)
        + f'<junction id="j" name="">{connections}</junction></OpenDRIVE>'
    )


@pytest.mark.parametrize(
    ("turns", "rule", "taken"),
    [
        ({"l": 1.5, "r": -1.5}, "RHT", "r"),
        ({"r": -1.5, "l": 1.5}, "RHT", "r"),
        ({"l": 1.5, "r": -1.5}, "LHT", "l"),
        ({"r": -1.5, "l": 1.5}, "LHT", "l"),
        ({"l": 1.5, "r": -1.5, "half": 0.7}, "RHT", "half"),
        ({"r": -0.7, "l": 0.5}, "RHT", "l"),
        ({"l": 0.7, "r": -0.5}, "LHT", "r"),
    ],
)
def test_default_route(tmp_path, turns, rule, taken):
    lane = 1 if rule == "LHT" else -1
    start = (
        f'<PrivateAction><TeleportAction><Position><LanePosition roadId="in" laneId="{lane}" s="10"/></Position></TeleportAction>'
        "</PrivateAction>"
    )
    file = scenario(tmp_path, {"A": start + speed(20)}, end=6.0)
    (tmp_path / "road.xodr").write_text(junction(turns, lane, rule))
    ways = [row[7] for row in Episode(file).run().rows()]
    assert list(dict.fromkeys(ways)) == ["in", f"c{taken}", taken]
