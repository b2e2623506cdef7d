"""Positions relative to an entity and along a route, held against rotation matrices written out."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloverleaf.loop.storyboard.episode import Episode
from cloverleaf.loop.storyboard.resolve import turned, turned_further
from cloverleaf.loop.storyboard.state import HEADING, PITCH, ROLL, X, Y, Z
from cloverleaf.scenario.storyboard.compile import compile_scenario
from cloverleaf.types.errors import ScenarioError
from loop.storyboard_cases import scenario, teleport

ANGLES = st.tuples(st.floats(-3.1, 3.1), st.floats(-1.5, 1.5), st.floats(-3.1, 3.1))


def matrix(h, p, r):
    """About z, then y, then x (ISO 8855; clause 6.3): columns are the axes of the turned frame."""
    about_z = np.array([[math.cos(h), -math.sin(h), 0], [math.sin(h), math.cos(h), 0], [0, 0, 1]])
    about_y = np.array([[math.cos(p), 0, math.sin(p)], [0, 1, 0], [-math.sin(p), 0, math.cos(p)]])
    about_x = np.array([[1, 0, 0], [0, math.cos(r), -math.sin(r)], [0, math.sin(r), math.cos(r)]])
    return about_z @ about_y @ about_x


@given(ANGLES, st.tuples(*[st.floats(-50, 50)] * 3))
def test_vector_of_a_turned_frame(angles, vector):
    assert np.allclose(turned(*angles, *vector), matrix(*angles) @ vector, atol=1e-9)


@given(ANGLES, ANGLES)
def test_angles_of_a_frame_turned_further(first, second):
    assert np.allclose(matrix(*turned_further(*first, *second)), matrix(*first) @ matrix(*second), atol=1e-7)


def placed(tmp_path, first, second):
    """Rows of A, at a position, and of B, at one relative to it, after Init."""
    init = {
        name: f"<PrivateAction><TeleportAction><Position>{where}</Position></TeleportAction></PrivateAction>"
        for name, where in (("A", first), ("B", second))
    }
    episode = Episode(scenario(tmp_path, init))
    return episode.worlds.state.actor[0, :2]


A = (0.4, 0.2, 1.1)
AT = '<WorldPosition x="100" y="2" z="5" h="0.4" p="0.2" r="1.1"/>'
FORMS = {
    "none": ("", lambda base: base),
    "relative": (
        '<Orientation type="relative" h="0.5" p="-0.1" r="-1.1"/>',
        lambda base: base @ matrix(0.5, -0.1, -1.1),
    ),
    "absolute": ('<Orientation type="absolute" h="2" r="0.3"/>', lambda base: matrix(2, 0, 0.3)),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["RelativeObjectPosition", "RelativeWorldPosition"])
def test_relative_to_an_entity_that_is_pitched_and_rolled(tmp_path, kind, form):
    text, expected = FORMS[form]
    where = f'<{kind} entityRef="A" dx="3" dy="-2" dz="1.5">{text}</{kind}>'
    a, b = placed(tmp_path, AT, where)
    assert np.allclose(a[[X, Y, Z, HEADING, PITCH, ROLL]], [100, 2, 5, *A])
    offset = np.array([3, -2, 1.5])
    if kind == "RelativeObjectPosition":
        offset = matrix(*A) @ offset
    assert np.allclose(b[[X, Y, Z]], np.array([100, 2, 5]) + offset, atol=1e-9)
    assert np.allclose(matrix(*b[[HEADING, PITCH, ROLL]]), expected(matrix(*A)), atol=1e-9)


@pytest.mark.parametrize("turn", [0.0, 0.3])
@pytest.mark.parametrize(
    ("inside", "heading"),
    [
        ('<FromLaneCoordinates pathS="50" laneId="-1"/>', 0.0),
        ('<FromLaneCoordinates pathS="50" laneId="1"/>', math.pi),
        ('<FromRoadCoordinates pathS="50" t="0"/>', 0.0),
    ],
)
def test_angles_on_a_route_are_those_of_the_road_and_lane_not_of_the_route(tmp_path, inside, heading, turn):
    points = "".join(
        f'<Waypoint routeStrategy="shortest"><Position><LanePosition roadId="1" laneId="1" s="{s}"/></Position></Waypoint>'
        for s in (900, 100)
    )
    orientation = f'<Orientation type="relative" h="{turn}"/>' if turn else ""
    where = (
        f'<RoutePosition><RouteRef><Route name="r" closed="false">{points}</Route></RouteRef>{orientation}'
        f"<InRoutePosition>{inside}</InRoutePosition></RoutePosition>"
    )
    a, _ = placed(tmp_path, where, '<LanePosition roadId="1" laneId="-1" s="1"/>')
    assert a[X] == pytest.approx(850.0)
    assert math.cos(a[HEADING] - heading - turn) == pytest.approx(1.0)


BEND = """<?xml version="1.0"?>
<OpenDRIVE><header revMajor="1" revMinor="6"/>
<road name="" length="200" id="1" junction="-1"><planView><geometry s="0" x="0" y="0" hdg="0" length="200">
<spiral curvStart="0" curvEnd="0.03"/></geometry></planView><lanes><laneSection s="0">
<left><lane id="1" type="driving" level="false"><width sOffset="0" a="8" b="0" c="0" d="0"/></lane></left>
<center><lane id="0" type="none" level="false"/></center>
<right><lane id="-1" type="driving" level="false"><width sOffset="0" a="8" b="0" c="0" d="0"/></lane></right>
</laneSection></lanes></road></OpenDRIVE>"""


@pytest.mark.parametrize("lane", [1, -1])
def test_dslane_is_measured_along_the_lane_of_a_bend(tmp_path, lane):
    ahead = 60.0
    file = scenario(
        tmp_path,
        {
            name: f"<PrivateAction><TeleportAction><Position>{where}</Position></TeleportAction></PrivateAction>"
            for name, where in (
                ("A", f'<LanePosition roadId="1" laneId="{lane}" s="100"/>'),
                ("B", f'<RelativeLanePosition entityRef="A" dLane="0" dsLane="{ahead}"/>'),
            )
        },
    )
    (tmp_path / "road.xodr").write_text(BEND)
    episode = Episode(file)
    end = episode.entities["B"].s
    s = np.linspace(100.0, end, 20_000)
    points = episode.compiled.map.lane_to_xyz(0, lane, s, 0.0)[:, :2]
    assert np.hypot(*np.diff(points, axis=0).T).sum() == pytest.approx(ahead, abs=0.03)
    assert (end < 100.0) == (lane > 0)


@pytest.mark.parametrize("lane", ["nan", "inf", "-1.5", "one", "9"])
def test_lane_that_is_none_is_refused(tmp_path, lane):
    file = scenario(tmp_path, {"A": teleport(10, lane)})
    with pytest.raises(ScenarioError, match=r"not a (whole )?number|has no lane 9 at s = 10") as caught:
        compile_scenario(file)
    assert caught.value.element == "LanePosition"
