"""Traffic actions: what they bring and take, where, how many, the same for a seed; random routes; what is refused."""

import math

import numpy as np
import pytest

from cloverleaf.loop.storyboard.episode import Episode
from cloverleaf.loop.storyboard.worlds import Worlds
from cloverleaf.scenario.openscenario.check import check_file
from cloverleaf.scenario.storyboard.compile import compile_scenario
from cloverleaf.types.errors import ScenarioError, StudyError
from loop.storyboard_cases import CAR, event, scenario, speed, teleport, time_after, trigger

VEHICLE = CAR.format(name="x").split(">", 1)[1].removesuffix("</ScenarioObject>")


def vehicle(length):
    return VEHICLE.replace('length="4.0"', f'length="{length}"')


MIX = (
    "<TrafficDistribution>"
    + "".join(
        f'<TrafficDistributionEntry weight="{weight}"><EntityDistribution><EntityDistributionEntry weight="1"><ScenarioObjectTemplate>'
        f"{vehicle(length)}</ScenarioObjectTemplate></EntityDistributionEntry></EntityDistribution></TrafficDistributionEntry>"
        for weight, length in ((3, 4.0), (1, 6.0))
    )
    + "</TrafficDistribution>"
)
LANE = '<Position><LanePosition roadId="1" laneId="{lane}" s="{s}"/></Position>'


def traffic(inner, name=""):
    named = f' trafficName="{name}"' if name else ""
    return f"<GlobalAction><TrafficAction{named}>{inner}</TrafficAction></GlobalAction>"


def source(s=100.0, lane=-1, rate=0.5, speed=10.0, radius=1.0, extra=""):
    inner = LANE.format(lane=lane, s=s) + extra
    return f'<TrafficSourceAction radius="{radius}" rate="{rate}" speed="{speed}">{inner}</TrafficSourceAction>'


def sink(s, lane=-1, radius=6.0, rate="", extra=""):
    named = f' rate="{rate}"' if rate else ""
    return f'<TrafficSinkAction radius="{radius}"{named}>{LANE.format(lane=lane, s=s)}{extra}</TrafficSinkAction>'


def swarm(count=20, inner=40.0, major=200.0, minor=30.0, extra="", attributes='velocity="15"'):
    return (
        f'<TrafficSwarmAction innerRadius="{inner}" semiMajorAxis="{major}" semiMinorAxis="{minor}" numberOfVehicles="{count}" '
        f'offset="0" {attributes}><CentralObject entityRef="A"/>{extra}</TrafficSwarmAction>'
    )


def area(shape, count=8, continuous="true"):
    inner = f"{MIX}<TrafficArea>{shape}</TrafficArea>"
    return f'<TrafficAreaAction numberOfEntities="{count}" continuous="{continuous}">{inner}</TrafficAreaAction>'


def at(when, action, name="e"):
    return event(name, action, trigger(time_after(when, "none")), "parallel")


def there(episode):
    return {n: e for n, e in episode.entities.items() if e.present and n != "A"}


def run(file, until=20.0, seed=0):
    return Episode(file, until=until, seed=seed).run()


INIT = {"A": teleport(1000) + speed(15)}


def test_source_sends_one_after_the_other_at_its_rate_from_its_lane(tmp_path):
    episode = Episode(scenario(tmp_path, INIT, at(1.0, traffic(source()))), until=20.0)
    first_seen = {}
    while episode.step(1) and episode.time < 12.0:
        for name, e in there(episode).items():
            first_seen.setdefault(name, (episode.time, e.s, e.lane_id, e.speed))
    times = sorted(t for t, *_ in first_seen.values())
    assert np.allclose(times, [1.0, 3.0, 5.0, 7.0, 9.0, 11.0], atol=0.03)  # 0.5 per s, the first at once
    assert all(abs(s - 100.0) < 1.5 and lane == -1 and abs(v - 10.0) < 0.2 for _, s, lane, v in first_seen.values())


def test_source_waits_while_there_is_no_room(tmp_path):
    init = {"A": teleport(104) + speed(0)}
    episode = run(scenario(tmp_path, init, at(1.0, traffic(source(rate=2.0)))), 15.0)
    assert there(episode) == {}
    assert episode.events()["collisions"] == []


def test_sink_takes_traffic_alone_and_only_the_categories_it_names(tmp_path):
    init = {"A": teleport(300) + speed(0)}
    lorries = (
        '<TrafficDefinition name="d"><VehicleCategoryDistribution><VehicleCategoryDistributionEntry category="truck" weight="1"/>'
        '</VehicleCategoryDistribution><ControllerDistribution><ControllerDistributionEntry weight="1"><Controller name="c">'
        "<Properties/></Controller></ControllerDistributionEntry></ControllerDistribution></TrafficDefinition>"
    )
    cars, trucks = source(lane=-2, rate=0.2), source(lane=-1, rate=0.2, extra=lorries)
    for taken, extra in (("both", ""), ("trucks", lorries)):
        sinks = traffic(sink(300, -2, extra=extra)), traffic(sink(280, -1, extra=extra))
        actions = [at(0.0, a, f"e{k}") for k, a in enumerate((traffic(cars), traffic(trucks), *sinks))]
        episode = run(scenario(tmp_path, init, *actions, end=45.0), 45.0)
        left = there(episode)
        past = [n for n, e in left.items() if e.s > 310.0]
        assert episode.entities["A"].present  # an entity of the scenario is none of the sink's
        assert (len(past) == 0) == (taken == "both")
        assert all(n.startswith("TrafficSource") for n in left)
        lengths = {round(float(r[episode_column("LENGTH")]), 1) for r in rows(episode, past)}
        assert lengths == (set() if taken == "both" else {5.0})


def episode_column(name):
    from cloverleaf.loop.storyboard import state

    return getattr(state, name)


def rows(episode, names):
    index = episode.compiled.entity_row
    return [episode.worlds.state.actor[0, index[n]] for n in names]


def test_swarm_surrounds_its_entity_and_keeps_its_number(tmp_path):
    ways = '<InitialSpeedRange lowerLimit="12" upperLimit="18"/><DirectionOfTravelDistribution same="1" opposite="0"/>'
    file = scenario(tmp_path, INIT, at(0.0, traffic(swarm(extra=ways, attributes=""))), length=4000.0, end=30.0)
    episode = Episode(file, until=30.0)
    episode.step(2)
    now = there(episode)
    assert 10 <= len(now) <= 20
    ego = episode.entities["A"]
    for e in now.values():
        dx, dy = e.x - ego.x, e.y - ego.y
        assert (dx / 200.0) ** 2 + (dy / 30.0) ** 2 <= 1.01 and math.hypot(dx, dy) > 39.0
        assert 11.9 <= e.speed <= 18.1 and e.lane_id < 0 and abs(e.heading) < 1e-9
    counts = []
    while episode.step(100) and episode.time < 25.0:
        ego = episode.entities["A"]
        counts.append(len(there(episode)))
        assert all(abs(e.x - ego.x) < 205.0 for e in there(episode).values())
    assert min(counts) >= 8 and max(counts) <= 20
    assert episode.events()["collisions"] == []


def test_swarm_drives_both_ways_unless_told(tmp_path):
    episode = Episode(scenario(tmp_path, INIT, at(0.0, traffic(swarm(30)))), until=5.0)
    episode.step(2)
    assert {e.lane_id > 0 for e in there(episode).values()} == {True, False}


@pytest.mark.parametrize("continuous", ["true", "false"])
def test_area_of_a_polygon_is_filled_once_or_always(tmp_path, continuous):
    corners = "".join(
        f'<Position><WorldPosition x="{x}" y="{y}"/></Position>' for x, y in ((200, -9), (400, -9), (400, 9), (200, 9))
    )
    file = scenario(
        tmp_path, INIT, at(0.0, traffic(area(f"<Polygon>{corners}</Polygon>", continuous=continuous))), end=40.0
    )
    episode = Episode(file, until=40.0)
    episode.step(2)
    first = there(episode)
    assert len(first) == 8 and all(200 <= e.x <= 400 for e in first.values())
    assert {round(float(r[episode_column("LENGTH")]), 1) for r in rows(episode, first)} == {4.0, 6.0}
    episode.run()
    inside = [e for e in there(episode).values() if 200 <= e.x <= 400]
    assert len(inside) >= 6 if continuous == "true" else len(inside) == 0
    assert continuous == "true" or len(there(episode)) == 8


def test_area_of_road_ranges_keeps_to_its_lanes_and_length(tmp_path):
    cursors = '<RoadCursor roadId="1" s="500"><Lane id="-2"/></RoadCursor><RoadCursor roadId="1" s="900"/>'
    file = scenario(tmp_path, INIT, at(0.0, traffic(area(f'<RoadRange length="150">{cursors}</RoadRange>', 5))))
    episode = Episode(file, until=5.0)
    episode.step(2)
    assert len(there(episode)) == 5
    assert all(e.lane_id == -2 and 500 <= e.s <= 650 for e in there(episode).values())


def test_stop_ends_the_named_traffic_and_who_is_there_drives_on(tmp_path):
    actions = [
        at(0.0, traffic(source(), "first"), "a"),
        at(0.0, traffic(source(lane=-2), "second"), "b"),
        at(5.0, traffic("<TrafficStopAction/>", "first"), "c"),
    ]
    episode = run(scenario(tmp_path, INIT, *actions), 18.0)
    names = there(episode)
    assert sum(n.startswith("first") for n in names) == 3 and sum(n.startswith("second") for n in names) == 9
    assert max(e.s for n, e in names.items() if n.startswith("first")) > 250.0


def test_action_ends_at_once_so_that_its_event_does(tmp_path):
    episode = run(scenario(tmp_path, INIT, at(1.0, traffic(source()))), 3.0)
    states = {e["state"]: e["time"] for e in episode.events()["storyboard"] if e["element"] == "e"}
    assert states["complete"] == pytest.approx(states["running"], abs=0.011)


def test_vehicles_follow_and_do_not_run_into_each_other(tmp_path):
    init = {"A": teleport(300) + speed(4)}
    episode = run(scenario(tmp_path, init, at(0.0, traffic(source(rate=0.4, speed=15))), end=40.0), 40.0)
    queue = sorted((e.s for e in there(episode).values()), reverse=True)
    assert len(queue) > 10 and queue[0] < episode.entities["A"].s - 4.0
    assert episode.events()["collisions"] == []


def test_end_of_the_map_frees_a_row(tmp_path):
    file = scenario(
        tmp_path,
        {"A": teleport(10) + speed(0)},
        at(0.0, traffic(source(s=250, rate=1.0, speed=15))),
        length=300.0,
        end=60.0,
    )
    episode = run(file, 60.0)
    assert 2 <= len(there(episode)) <= 6
    assert set(there(episode)) <= {f"TrafficSource {k}" for k in range(1, 8)}


def test_seed_alone_decides(tmp_path):
    def motion(seed):
        file = scenario(tmp_path, INIT, at(0.0, traffic(swarm())), end=8.0)
        return run(file, 8.0, seed).worlds.state.actor[0].tobytes()

    assert motion(3) == motion(3)
    assert motion(3) != motion(4)


def test_trace_takes_a_seed(tmp_path):
    from cloverleaf.cli.main import dispatch

    file = scenario(tmp_path, INIT, at(0.0, traffic(swarm(), "around")), end=3.0)

    def rows_of(seed):
        out = tmp_path / f"{seed}.csv"
        assert dispatch(["trace", str(file), "--csv", str(out), "--seed", str(seed)]) == 0
        return out.read_text()

    assert "around 1" in rows_of(3)
    assert rows_of(3) == rows_of(3) != rows_of(4)
    with pytest.raises(StudyError, match="out of range"):
        dispatch(["trace", str(file), "--seed", "-1"])


def test_worlds_do_not_disturb_each_other(tmp_path):
    parameters = '<ParameterDeclaration name="Pace" parameterType="double" value="15"/>'
    init = {"A": teleport(1000) + speed("$Pace")}
    compiled = compile_scenario(scenario(tmp_path, init, at(0.0, traffic(swarm())), parameters=parameters, end=6.0))
    pace = np.linspace(5, 25, 6)

    def end(values):
        worlds = Worlds(compiled, compiled.columns({"Pace": values}, len(values)), seed=2)
        worlds.run()
        return worlds.state.actor.copy()

    together = end(pace)
    assert end(pace[::-1])[::-1].tobytes() == together.tobytes()
    assert end(pace[2:3]).tobytes() == together[2:3].tobytes()


def test_random_route_chooses_by_seed_and_an_assigned_route_ends_it(tmp_path):
    from cloverleaf.map.district import DISTRICT_MAP

    start = (
        '<PrivateAction><TeleportAction><Position><LanePosition roadId="WA" laneId="-3" s="10"/></Position></TeleportAction>'
        "</PrivateAction>"
    )
    wander = "<PrivateAction><RoutingAction><RandomRouteAction/></RoutingAction></PrivateAction>"

    def way(actions, seed):
        file = scenario(tmp_path, {"A": start + speed(20) + actions}, end=60.0)
        file.write_text(file.read_text().replace("road.xodr", str(DISTRICT_MAP)))
        roads = [row[7] for row in run(file, 60.0, seed).rows()]
        return tuple(r for k, r in enumerate(roads) if k == 0 or roads[k - 1] != r)

    straight = way("", 0)
    assert way("", 5) == straight  # nothing random without the action
    ways = [way(wander, seed) for seed in range(8)]
    assert way(wander, 3) == ways[3]
    assert len(set(ways)) > 2
    points = "".join(
        f'<Waypoint routeStrategy="shortest"><Position><LanePosition roadId="{r}" laneId="-2" s="1"/></Position></Waypoint>'
        for r in ("WA", "AB")
    )
    assigned = (
        f'<PrivateAction><RoutingAction><AssignRouteAction><Route name="r" closed="false">{points}</Route></AssignRouteAction>'
        "</RoutingAction></PrivateAction>"
    )
    assert {way(wander + assigned, seed) for seed in range(4)} == {straight}


REFUSED = [
    (traffic("<TrafficStopAction/>", "nobody"), "traffic 'nobody' does not exist"),
    (traffic(swarm(1001)), "more than 1000 vehicles"),
    (traffic(source(lane=-1, rate=-1.0)), "'rate': -1 is negative"),
    (traffic(swarm(extra='<InitialSpeedRange lowerLimit="9" upperLimit="3"/>', attributes="")), "above upperLimit"),
    (traffic(swarm(extra='<DirectionOfTravelDistribution same="0" opposite="0"/>')), "weights must not be negative"),
    (traffic(area('<RoadRange><RoadCursor roadId="1" s="5"/><RoadCursor roadId="7"/></RoadRange>')), "road '7' does not exist"),
    (traffic(area('<RoadRange><RoadCursor roadId="1" s="5"/><RoadCursor roadId="1" s="9000"/></RoadRange>')), "is off road '1'"),
    (traffic(area('<RoadRange><RoadCursor roadId="1" s="5"/><RoadCursor roadId="1" s="5"/></RoadRange>')), "has no length"),
    (traffic(source(extra=MIX.replace('weight="3"', 'weight="-3"'))), "weights must not be negative"),
    (traffic(swarm().replace('entityRef="A"', 'entityRef="Z"')), "entity 'Z' does not exist"),
]  # fmt: skip


@pytest.mark.parametrize(("action", "message"), REFUSED, ids=[m for _, m in REFUSED])
def test_refused_in_one_line_with_its_place(tmp_path, action, message):
    file = scenario(tmp_path, INIT, at(1.0, action))
    with pytest.raises(ScenarioError, match=message) as caught:
        compile_scenario(file)
    assert (
        caught.value.file == str(file)
        and (caught.value.line or 0) > 1
        and caught.value.element
        and "\n" not in str(caught.value)
    )
    assert not check_file(file).supported


def test_traffic_without_roads_is_refused(tmp_path):
    file = scenario(tmp_path, {"A": speed(0)}, at(1.0, traffic(swarm())))
    file.write_text(file.read_text().replace('<LogicFile filepath="road.xodr"/>', ""))
    with pytest.raises(ScenarioError, match="traffic needs a road network"):
        compile_scenario(file)
