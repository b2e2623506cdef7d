"""Planning on a road that the test writes itself: goals are reached, obstacles and the road's edge respected, and every drive is one
that a car can do; on third-party tasks the benchmark's bars hold."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import lsq_linear

from cloverleaf.algo.boxes import boxes_overlap
from cloverleaf.car.proposals import Planner
from cloverleaf.car.rollout import BMW_320I, Weights, allowed, drive_on_paper, empty_states, touches, within
from cloverleaf.cli import bench_planning_peers
from cloverleaf.judge.planning.cost import partial_costs, total_cost
from cloverleaf.judge.planning.drive import drive, situation
from cloverleaf.scenario.commonroad.read import corners, read_planning_tasks, sliced
from cloverleaf.scenario.commonroad.relax import REACH, normals, relax
from cloverleaf.scenario.commonroad.road import (
    CELL,
    goal_lanelets,
    ground,
    inside,
    lanelets_under,
    path_of,
    reference_path,
    way,
)
from cloverleaf.scenario.commonroad.solution import write_solution
from cloverleaf.types.errors import ScenarioError

SHARED = Path(__file__).parents[3] / "shared" / "planning" / "scenarios"


def point(x, y):
    return f"<point><x>{x}</x><y>{y}</y></point>"


def lanelet(number, low, high, more=""):
    left, right = (f"{point(0, y)}{point(100, y)}{point(200, y)}" for y in (high, low))
    return f'<lanelet id="{number}"><leftBound>{left}</leftBound><rightBound>{right}</rightBound>{more}</lanelet>'


def box_at(x, y, number=10):
    state = (
        f"<position>{point(x, y)}</position><orientation><exact>0</exact></orientation><time><exact>0</exact></time>"
    )
    shape = "<shape><rectangle><length>4.5</length><width>1.8</width></rectangle></shape>"
    return f'<staticObstacle id="{number}"><type>car</type>{shape}<initialState>{state}</initialState></staticObstacle>'


def goal(x=80.0, y=1.75, first=40, last=60, extra=""):
    size = "<length>12</length><width>3</width><orientation>0</orientation>"
    rectangle = f"<rectangle>{size}<center><x>{x}</x><y>{y}</y></center></rectangle>"
    time = f"<time><intervalStart>{first}</intervalStart><intervalEnd>{last}</intervalEnd></time>"
    return f"<goalState><position>{rectangle}</position>{time}{extra}</goalState>"


def scenario(tmp_path, obstacles="", goals=None, speed=12.0):
    """Two lanes to the east, 3.5 m each; the ego starts on the right one."""
    same = 'drivingDir="same"'
    lanes = lanelet(1, 0, 3.5, f'<adjacentLeft ref="2" {same}/>') + lanelet(
        2, 3.5, 7, f'<adjacentRight ref="1" {same}/>'
    )
    state = (
        f"<position>{point(10, 1.75)}</position><orientation><exact>0</exact></orientation><time><exact>0</exact></time>"
        f"<velocity><exact>{speed}</exact></velocity><yawRate><exact>0</exact></yawRate><slipAngle><exact>0</exact></slipAngle>"
    )
    problem = f'<planningProblem id="7"><initialState>{state}</initialState>{goals or goal()}</planningProblem>'
    file = tmp_path / "task.xml"
    file.write_text(
        f'<commonRoad timeStepSize="0.1" commonRoadVersion="2020a" benchmarkID="XXX_Test-1_1_T-1">{lanes}{obstacles}{problem}</commonRoad>'
    )
    return file


def task(tmp_path, **kwargs):
    return read_planning_tasks(scenario(tmp_path, **kwargs))[0]


def check_drivable(states, dt=0.1):
    """Every transition is one of the kinematic single track, integrated finely with constant inputs (an independent, slow model)."""
    for a, b in itertools.pairwise(states):
        accel, rate = (b[3] - a[3]) / dt, (b[4] - a[4]) / dt
        assert abs(accel) <= BMW_320I.accel_max and abs(rate) <= BMW_320I.steer_rate
        x, y, heading, v, steer = (
            a[0] - BMW_320I.rear * math.cos(a[2]),
            a[1] - BMW_320I.rear * math.sin(a[2]),
            a[2],
            a[3],
            a[4],
        )
        for _ in range(200):
            h = dt / 200
            x, y = x + h * v * math.cos(heading), y + h * v * math.sin(heading)
            heading += h * v * math.tan(steer) / BMW_320I.wheelbase
            v, steer = max(v + h * accel, 0.0), steer + h * rate
        assert (
            math.hypot(x + BMW_320I.rear * math.cos(heading) - b[0], y + BMW_320I.rear * math.sin(heading) - b[1])
            < 0.02
        )
        assert abs(heading - b[2]) < 0.01


def test_a_free_road_is_driven_at_little_cost(tmp_path):
    t = task(tmp_path)
    result = drive(t)
    assert result.reached and not result.crashed and result.off_road == 0
    check_drivable(result.states)
    assert total_cost(partial_costs(t, result.states)) < 300.0


def test_a_standing_car_is_passed_on_the_left(tmp_path):
    result = drive(task(tmp_path, obstacles=box_at(50, 1.75), goals=goal(x=110, first=60, last=120)))
    assert result.reached and result.off_road == 0
    beside = result.states[np.abs(result.states[:, 0] - 50.0) < 2.0]
    assert (beside[:, 1] > 3.5).all()
    check_drivable(result.states)


def test_a_blocked_road_is_not_driven_through(tmp_path):
    result = drive(
        task(tmp_path, obstacles=box_at(60, 1.75) + box_at(60, 5.25, 11), goals=goal(x=110, first=60, last=80))
    )
    assert not result.reached and not result.crashed
    assert result.states[:, 0].max() < 60.0 - 2.25 - 2.25


def test_a_goal_on_the_other_lane_is_a_lane_change(tmp_path):
    result = drive(task(tmp_path, goals=goal(y=5.25, x=95, first=50, last=90)))
    assert result.reached and result.states[-1, 1] > 3.75


def test_the_speed_of_a_goal_is_kept(tmp_path):
    slow = "<velocity><intervalStart>4.0</intervalStart><intervalEnd>5.0</intervalEnd></velocity>"
    result = drive(task(tmp_path, goals=goal(extra=slow, first=60, last=120)))
    assert result.reached and 4.0 <= result.states[-1, 3] <= 5.0


def test_a_task_that_begins_inside_an_obstacle_says_so(tmp_path):
    result = drive(task(tmp_path, obstacles=box_at(11, 1.75)))
    assert result.hopeless and not result.reached and not result.crashed


def test_a_plan_is_the_best_of_its_proposals(tmp_path):
    w, _ = situation(task(tmp_path))
    state = np.array([10.0, 1.75, 0.0, 12.0, 0.0])
    plan = Planner(w).plan(state, 0, 60)
    room = empty_states(60)
    new = [0.0, math.nan, math.nan]
    for proposal in ([0.0, 1.0, 0.0, 0.0, 15.0, *new], [-1.0, 2.0, 1.0, 0.0, 15.0, *new], list(plan.proposal)):
        cost, _, _ = drive_on_paper(w, BMW_320I, Weights(), state, 0, np.array(proposal), 60, np.inf, room)
        assert plan.cost <= cost + 1e-9


def fork(tmp_path, first_id):
    """A street whose junction piece lies twice on itself: lanelet 3 goes straight on, lanelet 2 bends north to the goal."""

    def piece(number, centre, more=""):
        centre = np.array(centre, float)
        along = np.gradient(centre, axis=0)
        left = np.column_stack((-along[:, 1], along[:, 0])) / np.hypot(*along.T)[:, None] * 1.75
        bounds = "".join(
            f"<{tag}>{''.join(point(*p) for p in line)}</{tag}>"
            for tag, line in (("leftBound", centre + left), ("rightBound", centre - left))
        )
        return f'<lanelet id="{number}">{bounds}{more}</lanelet>'

    angle = np.linspace(0.0, math.pi / 2, 12)
    bend = [(0, 0), (20, 0), *((20 + 12 * math.sin(a), 12 - 12 * math.cos(a)) for a in angle[1:]), (32, 30)]
    parts = {
        2: piece(2, bend, '<successor ref="4"/>'),
        3: piece(3, [(0, 0), (20, 0), (60, 0)]),
    }
    end = piece(4, [(32, 30), (32, 60), (32, 90)])
    lanes = parts[first_id] + parts[5 - first_id] + end
    state = (
        f"<position>{point(8, 0.1)}</position><orientation><exact>0</exact></orientation><time><exact>0</exact></time>"
        "<velocity><exact>6</exact></velocity><yawRate><exact>0</exact></yawRate><slipAngle><exact>0</exact></slipAngle>"
    )
    wanted = goal(x=32, y=62, first=60, last=110).replace("<orientation>0<", f"<orientation>{math.pi / 2}<")
    problem = f'<planningProblem id="7"><initialState>{state}</initialState>{wanted}</planningProblem>'
    file = tmp_path / "fork.xml"
    file.write_text(
        f'<commonRoad timeStepSize="0.1" commonRoadVersion="2020a" benchmarkID="XXX_Fork-1_1_T-1">{lanes}{problem}</commonRoad>'
    )
    return read_planning_tasks(file)[0]


@pytest.mark.parametrize("first_id", [2, 3])
def test_where_lanelets_lie_on_each_other_the_one_that_leads_to_the_goal_is_taken(tmp_path, first_id):
    t = fork(tmp_path, first_id)
    starts = lanelets_under(t, t.start.x, t.start.y, t.start.heading)
    assert set(starts) == {2, 3} and way(t, starts, goal_lanelets(t)) == [2, 4]
    result = drive(t)
    assert result.reached and result.off_road == 0
    check_drivable(result.states)


def test_a_car_off_the_road_comes_back(tmp_path):
    t = task(tmp_path, goals=goal(first=40, last=80))
    t = t._replace(start=t.start._replace(y=-0.6))  # its right side hangs over the edge
    result = drive(t)
    assert result.reached and 0 < result.off_road < 25
    assert result.states[-1, 1] > 0.8


def test_a_seam_between_lanelets_is_road(tmp_path):
    file = scenario(tmp_path)
    file.write_text(file.read_text().replace("<y>3.5</y>", "<y>3.6</y>", 3))  # the left bound of one of the two
    t = read_planning_tasks(file)[0]
    wide = {k: lane._replace(left=lane.left + (0, 0.15)) if k == 2 else lane for k, lane in t.lanelets.items()}
    apart = {k: lane._replace(right=lane.right + (0, 0.25)) if k == 2 else lane for k, lane in wide.items()}
    raster = ground(t._replace(lanelets=apart), reference_path(t))
    at = np.array([raster.x0, raster.y0, CELL])
    assert all(allowed(raster.cells, at, x, y) for x in (20.0, 60.3, 150.1) for y in np.arange(3.0, 4.2, 0.05))
    assert not allowed(raster.cells, at, 60.0, -0.5) and not allowed(raster.cells, at, 60.0, 7.9)


def kinked(angle=0.6, spacing=0.5):
    first = np.column_stack((np.arange(0, 40, spacing), np.zeros(80)))
    second = np.arange(0, 40, spacing)[:, None] * (math.cos(angle), math.sin(angle)) + (40, 0)
    return np.vstack((first, second))


def roughness(line, eased, spacing):
    """What easing makes least: squared third differences, and a pull of (spacing / REACH)^3 per metre."""
    return (np.diff(eased, 3, axis=0) ** 2).sum() + (spacing / REACH) ** 6 * ((eased - line) ** 2).sum()


def slow_relax(line, low, high, spacing):
    """The same problem as a bounded least squares, dense, by scipy's own solver of such problems."""
    n, left = len(line), normals(line)
    third = np.zeros((n - 3, n))
    for a, weight in enumerate((-1.0, 3.0, -3.0, 1.0)):
        third[np.arange(n - 3), np.arange(n - 3) + a] = weight
    pull = (spacing / REACH) ** 3 * np.eye(n)
    matrix = np.vstack((third * left[:, 0], third * left[:, 1], pull))
    wanted = -np.concatenate((third @ line[:, 0], third @ line[:, 1], np.zeros(n)))
    return line + left * lsq_linear(matrix, wanted, (low, high), method="bvls", max_iter=2000).x[:, None]


@pytest.mark.parametrize("room, share", [(0.15, 0.05), (0.5, 0.5), (5.0, 1e-6)])
def test_easing_twice(room, share):
    line = kinked()
    low, high = np.full(len(line), -room), np.full(len(line), room)
    best = roughness(line, slow_relax(line, low, high, 0.5), 0.5)
    ours = roughness(line, relax(line, low, high, 0.5), 0.5)
    assert best * (1 - 1e-9) <= ours <= best * (1 + share)  # some hundred rounds end near the least
    assert ours < 0.3 * roughness(line, line, 0.5)


def test_an_eased_kink_bends_less_and_stays_in_its_room():
    line = kinked()
    room = np.full(len(line), 0.7)
    eased = relax(line, -room, room, 0.5)
    assert np.abs(path_of(eased).curvature).max() < 0.25 * np.abs(path_of(line).curvature).max()
    assert np.hypot(*(eased - line).T).max() <= 0.7 + 1e-9
    straight = line[:60]
    assert np.allclose(relax(straight, -room[:60], room[:60], 0.5), straight, atol=1e-9)


def test_solutions_have_the_states_and_the_name(tmp_path):
    t = task(tmp_path)
    write_solution(tmp_path / "s.xml", t, np.arange(10.0).reshape(2, 5))
    text = (tmp_path / "s.xml").read_text()
    assert 'benchmark_id="KS2:SM1:XXX_Test-1_1_T-1:2020a"' in text and text.count("<ksState>") == 2
    assert "<steeringAngle>9.0</steeringAngle>" in text and "<time>1</time>" in text


numbers = st.floats(-30.0, 30.0).map(lambda v: round(v, 6))
boxes = st.tuples(numbers, numbers, st.floats(-3.2, 3.2), st.floats(0.2, 6.0), st.floats(0.2, 3.0))


@given(boxes, boxes)
def test_touching_is_the_overlap_of_boxes(a, b):
    table = np.array([[[b[0], b[1], b[2], b[3], b[4]]]])
    hit, _ = touches(table, 0, a[0], a[1], math.cos(a[2]), math.sin(a[2]), a[3], a[4])
    assert hit == boxes_overlap(a[0], a[1], a[2], 2 * a[3], 2 * a[4], b[0], b[1], b[2], 2 * b[3], 2 * b[4])


@given(st.lists(st.tuples(numbers, numbers), min_size=3, max_size=8), numbers, numbers)
def test_even_odd_rule_twice(vertices, x, y):
    outline = np.array(vertices)
    a, b = outline, np.roll(outline, -1, axis=0)
    along = np.clip(((x - a[:, 0]) * (b - a)[:, 0] + (y - a[:, 1]) * (b - a)[:, 1]) / np.maximum(((b - a) ** 2).sum(1), 1e-30), 0, 1)
    on_the_outline = np.hypot(*(a + along[:, None] * (b - a) - [x, y]).T).min() < 1e-9
    assume(not on_the_outline)  # there the two round differently, and either answer is right
    assert within(outline, 0, len(outline), x, y) == inside(outline, x, y)


def test_the_raster_is_the_lanelets(tmp_path):
    t = task(tmp_path)
    raster = ground(t, reference_path(t))
    rng = np.random.default_rng(1)
    at = np.array([raster.x0, raster.y0, CELL])
    for x, y in rng.uniform((-10, -5), (205, 12), (500, 2)):
        edge = min(abs(y), abs(y - 7.0), abs(y - 3.5), abs(x), abs(x - 200))
        if edge > CELL:
            assert allowed(raster.cells, at, x, y) == any(inside(p.polygon(), x, y) for p in t.lanelets.values())


@given(st.floats(-3.0, 3.0), st.lists(st.floats(0.5, 9.0), min_size=5, max_size=9))
def test_slices_cover_their_polygon(heading, radii):
    angle = np.arange(len(radii)) * 2 * math.pi / len(radii) + heading
    polygon = np.column_stack((np.cos(angle), np.sin(angle))) * np.array(radii)[:, None]
    slices = [corners(*box) for box in sliced(polygon)]
    for a, b in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        for share in (0.02, 0.3, 0.5, 0.8):
            x, y = 0.999 * (a + share * (b - a))
            assert any(inside(box + 1e-6 * (box - box.mean(0)), x, y) for box in slices)


@pytest.mark.parametrize(
    "broken, word",
    [
        (("2020a", "2017a"), "2018b or 2020a"),
        (("<x>10</x>", "<x>nan</x>"), "not a number"),
        (('<planningProblem id="7">', '<planningProblem id="seven">'), "not a number"),
        (("</commonRoad>", ""), "well-formed"),
    ],
)
def test_broken_files_name_their_line(tmp_path, broken, word):
    file = scenario(tmp_path)
    file.write_text(file.read_text().replace(*broken))
    with pytest.raises(ScenarioError) as error:
        read_planning_tasks(file)
    assert word in str(error.value) and "task.xml" in str(error.value)


def test_peers_are_counted_as_ours(tmp_path, monkeypatch):
    """Reached off the road is no success, and a peer that fails gives up: the harness, with a stand-in for a peer."""
    script = """
def drive(file, cycles):
    cycles.append(2.0)
    if "broken" in file:
        raise ValueError
    return True, "hit" in file, "off" in file
"""
    files = [tmp_path / f"{name}.xml" for name in ("fine", "off", "broken", "hit")]
    for file in files:
        file.write_text("<commonRoad/>")
    monkeypatch.setattr(bench_planning_peers, "PEERS", (("stand-in", "numpy", "NO_PYTHON_NAMED", script),))
    (row,) = bench_planning_peers.rows(files, lambda _: None)
    assert row["success"] == 0.25 and row["collisions"] == 0.25 and row["off_road"] == 1 and row["gave_up"] == 1
    assert row["cycle_ms_median"] == 2.0
    monkeypatch.setattr(bench_planning_peers, "PEERS", (("nobody", "no_such_module", "NO_PYTHON_NAMED", script),))
    said = []
    assert bench_planning_peers.rows(files, said.append) == [] and "NO_PYTHON_NAMED" in said[0]


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the planning scenarios of third parties")
def test_third_party_tasks():
    tasks = [t for file in sorted(SHARED.glob("*.xz")) for t in read_planning_tasks(file)]
    drives = [drive(t) for t in tasks]
    assert np.mean([d.reached and d.off_road == 0 for d in drives]) >= 0.7
    assert np.mean([d.crashed for d in drives]) <= 0.03
    for t, d in zip(tasks, drives, strict=True):
        check_drivable(d.states, t.step)
