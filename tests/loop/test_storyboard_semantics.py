"""The storyboard's rules one by one: edges, delays, priorities, executions, transitions, and what actions do to the motion."""

import math

import numpy as np
import pytest

from cloverleaf.loop.storyboard.episode import Episode
from cloverleaf.types.errors import ScenarioError
from loop.storyboard_cases import (
    by_entity,
    event,
    lane_change,
    scenario,
    set_variable,
    speed,
    state_is,
    teleport,
    time_after,
    trigger,
)

VARIABLE = '<VariableDeclaration name="n" variableType="double" value="0"/>'
ADD = (
    '<GlobalAction><VariableAction variableRef="n"><ModifyAction><Rule><AddValue value="1"/></Rule></ModifyAction>'
    "</VariableAction></GlobalAction>"
)
START = {"A": teleport(10) + speed(20)}


def times(episode, element, state):
    return [e["time"] for e in episode.events()["storyboard"] if e["element"] == element and e["state"] == state]


def motion(episode, name="A"):
    return np.array([[r[0], r[2], r[3], r[6]] for r in episode.rows() if r[1] == name])


def test_default_controller_keeps_lane_and_speed(tmp_path):
    episode = Episode(
        scenario(tmp_path, {"A": teleport(10, -2) + speed(20), "B": teleport(500, 1) + speed(5)}, end=10.0)
    ).run()
    assert episode.ended_by == "stop trigger" and episode.time == pytest.approx(10.0)
    a, b = episode.entities["A"], episode.entities["B"]
    assert (a.x, a.y, a.lane_id) == pytest.approx((210.0, -5.25, -2)) and (b.x, b.y) == pytest.approx((450.0, 1.75))
    assert abs(b.heading) == pytest.approx(math.pi) and a.road_id == "1"


@pytest.mark.parametrize(
    ("edge", "expected"), [("none", 0.0), ("rising", 3.0), ("falling", None), ("risingOrFalling", 3.0)]
)
def test_edges(tmp_path, edge, expected):
    start = trigger(time_after(0.0 if edge == "none" else 3.0, edge))
    episode = Episode(scenario(tmp_path, START, event("e", speed(10), start))).run()
    assert times(episode, "e", "running") == ([] if expected is None else [pytest.approx(expected)])


def test_falling_edge(tmp_path):
    start = trigger(time_after(3.0, "falling", rule="lessThan"))
    episode = Episode(scenario(tmp_path, START, event("e", speed(10), start))).run()
    assert times(episode, "e", "running") == [pytest.approx(3.0)]


@pytest.mark.parametrize("edge", ["none", "rising"])
def test_delay_shifts_the_condition(tmp_path, edge):
    episode = Episode(scenario(tmp_path, START, event("e", speed(10), trigger(time_after(3.0, edge, delay=1.5))))).run()
    assert times(episode, "e", "running") == [pytest.approx(4.5)]


def test_all_conditions_of_a_group_at_the_same_time(tmp_path):
    far = by_entity("A", '<TraveledDistanceCondition value="100"/>', "none")
    episode = Episode(scenario(tmp_path, START, event("e", speed(10), trigger(time_after(2.0, "none"), far)))).run()
    assert times(episode, "e", "running") == [pytest.approx(5.0, abs=0.011)]


@pytest.mark.parametrize(("rule", "expected"), [("any", 2.5), ("all", 5.0)])
def test_triggering_entities(tmp_path, rule, expected):
    far = by_entity("A B", '<TraveledDistanceCondition value="50"/>', "none", rule=rule)
    init = {"A": teleport(10) + speed(20), "B": teleport(10, -2) + speed(10)}
    episode = Episode(scenario(tmp_path, init, event("e", speed(1), trigger(far)))).run()
    assert times(episode, "e", "running") == [pytest.approx(expected, abs=0.011)]


def test_overriding_event_stops_the_other(tmp_path):
    first = event("first", speed(0, "linear", "rate", 1.0), trigger(time_after(1.0)))
    second = event("second", speed(30, "linear", "rate", 2.0), trigger(time_after(3.0)))
    seen = event("seen", set_variable("n", 1), trigger(state_is("event", "first", "stopTransition")), "parallel")
    episode = Episode(scenario(tmp_path, START, first, second, seen, variables=VARIABLE)).run()
    assert times(episode, "first", "complete") == [pytest.approx(3.0)] and times(episode, "second", "running") == [
        pytest.approx(3.0)
    ]
    assert episode.variables["n"] == 1.0
    assert times(episode, "second", "complete") == [pytest.approx(3.0 + 12.0 / 2.0, abs=0.02)]


def test_skipped_event_does_not_start(tmp_path):
    first = event("first", speed(0, "linear", "rate", 1.0), trigger(time_after(1.0)))
    second = event("second", set_variable("n", 7), trigger(time_after(3.0)), "skip")
    episode = Episode(scenario(tmp_path, START, first, second, variables=VARIABLE)).run()
    assert times(episode, "second", "running") == [] and episode.variables["n"] == 0.0


def test_skipping_uses_executions_up(tmp_path):
    first = event("first", speed(0, "linear", "rate", 1.0), trigger(time_after(1.0)))  # runs until 21 s
    seen = event("seen", set_variable("n", 1), trigger(state_is("event", "once", "skipTransition")), "parallel")
    twice = event("twice", set_variable("n", 9), trigger(time_after(2.0, "none")), "skip", count=2)
    once = event("once", set_variable("n", 7), trigger(time_after(3.0)), "skip")
    episode = Episode(scenario(tmp_path, START, first, twice, once, seen, variables=VARIABLE)).run()
    assert times(episode, "once", "complete") == [pytest.approx(3.0)] and episode.variables["n"] == 1.0
    assert times(episode, "twice", "complete") == [pytest.approx(2.01)]
    assert times(episode, "once", "running") == times(episode, "twice", "running") == []


def test_parallel_events_run_side_by_side(tmp_path):
    first = event("first", speed(10, "linear", "time", 6.0), trigger(time_after(1.0)))
    second = event("second", lane_change(-2), trigger(time_after(2.0)), "parallel")
    episode = Episode(scenario(tmp_path, START, first, second)).run()
    assert times(episode, "first", "complete") == [pytest.approx(7.0, abs=0.02)]
    assert episode.entities["A"].lane_id == -2 and episode.entities["A"].speed == pytest.approx(10.0)


def test_new_action_of_the_same_domain_ends_the_old_one(tmp_path):
    first = event("first", speed(0, "linear", "rate", 1.0), trigger(time_after(1.0)), "parallel")
    second = event("second", speed(25, "linear", "rate", 5.0), trigger(time_after(3.0)), "parallel")
    episode = Episode(scenario(tmp_path, START, first, second)).run()
    assert times(episode, "firstAction", "complete") == [pytest.approx(3.0)]
    assert episode.entities["A"].speed == pytest.approx(25.0)


@pytest.mark.parametrize("count", [1, 3])
def test_maximum_execution_count(tmp_path, count):
    often = event("e", ADD, trigger(time_after(0.0, "none")), "parallel", count)
    episode = Episode(scenario(tmp_path, START, often, variables=VARIABLE, end=2.0)).run()
    assert episode.variables["n"] == count and times(episode, "e", "complete") == [pytest.approx(0.0, abs=0.03)]


def test_a_group_runs_again(tmp_path):
    once = event("e", ADD, trigger(time_after(0.0, "none")), "parallel", 1)
    episode = Episode(scenario(tmp_path, START, once, variables=VARIABLE, end=2.0, count=4)).run()
    assert episode.variables["n"] == 4.0 and len(times(episode, "group", "complete")) == 1


def test_transitions_hold_for_one_step(tmp_path):
    first = event("first", speed(10, "linear", "time", 2.0), trigger(time_after(1.0)))
    starts = event("starts", ADD, trigger(state_is("event", "first", "startTransition", "none")), "parallel", 100)
    ends = event(
        "ends",
        set_variable("n", 50),
        trigger(state_is("action", "firstAction", "endTransition", delay=1.0)),
        "parallel",
    )
    episode = Episode(scenario(tmp_path, START, first, starts, ends, variables=VARIABLE, end=2.5)).run()
    assert episode.variables["n"] in (1.0, 2.0)
    episode = Episode(scenario(tmp_path, START, first, starts, ends, variables=VARIABLE, end=6.0)).run()
    assert episode.variables["n"] == 50.0 and times(episode, "ends", "running") == [pytest.approx(4.0, abs=0.03)]


@pytest.mark.parametrize("shape", ["linear", "sinusoidal", "cubic"])
def test_speed_over_time(tmp_path, shape):
    episode = Episode(
        scenario(tmp_path, START, event("e", speed(8, shape, "time", 5.0), trigger(time_after(2.0))), end=10.0)
    ).run()
    rows = motion(episode)
    assert rows[rows[:, 0] < 2.0, 3].tolist() == pytest.approx([20.0] * 40)
    assert rows[np.isclose(rows[:, 0], 4.5), 3] == pytest.approx([14.0], abs=0.06)  # half way
    assert rows[-1, 3] == pytest.approx(8.0)
    # every symmetric shape covers the mean speed times the duration
    gone = np.interp([7.0], rows[:, 0], rows[:, 1])[0] - np.interp([2.0], rows[:, 0], rows[:, 1])[0]
    assert gone == pytest.approx(14.0 * 5.0, abs=0.2)


def test_speed_over_distance(tmp_path):
    episode = Episode(
        scenario(tmp_path, START, event("e", speed(10, "linear", "distance", 60.0), trigger(time_after(1.0))))
    ).run()
    rows, done = motion(episode), times(episode, "eAction", "complete")[0]
    assert np.interp(done, rows[:, 0], rows[:, 1]) - 30.0 == pytest.approx(60.0, abs=0.3)


def test_speed_is_limited_by_the_performance(tmp_path):
    episode = Episode(
        scenario(tmp_path, START, event("e", speed(0, "linear", "time", 0.5), trigger(time_after(1.0))))
    ).run()
    assert times(episode, "eAction", "complete") == [pytest.approx(3.0, abs=0.03)]  # 20 m/s at 10 m/s2


@pytest.mark.parametrize("shape", ["linear", "sinusoidal", "cubic"])
def test_lane_change_over_time(tmp_path, shape):
    episode = Episode(
        scenario(tmp_path, START, event("e", lane_change(-2, shape), trigger(time_after(2.0))), end=10.0)
    ).run()
    rows = motion(episode)
    assert np.interp([2.0, 4.0, 6.1], rows[:, 0], rows[:, 2]) == pytest.approx([-1.75, -3.5, -5.25], abs=0.02)
    assert times(episode, "e", "complete") == [pytest.approx(6.0, abs=0.02)]
    assert np.hypot(*np.diff(rows[:, 1:3], axis=0).T).sum() == pytest.approx(
        200.0, abs=0.02
    )  # the way is still speed times time


def test_lane_change_over_distance(tmp_path):
    episode = Episode(
        scenario(tmp_path, START, event("e", lane_change(-2, "cubic", "distance", 50.0), trigger(time_after(1.0))))
    ).run()
    rows = motion(episode)
    assert np.interp([30.0, 55.0, 80.0], rows[:, 1], rows[:, 2]) == pytest.approx([-1.75, -3.5, -5.25], abs=0.02)


def test_stop_trigger_ends_everything_at_once(tmp_path):
    stop = trigger(by_entity("A", '<TraveledDistanceCondition value="100"/>', "none"), name="StopTrigger")
    episode = Episode(scenario(tmp_path, START, event("e", speed(10), trigger(time_after(15.0))), stop=stop)).run()
    assert episode.time == pytest.approx(5.0, abs=0.011) and not {"standby", "running"} & set(episode.states().values())


def test_end_of_road(tmp_path):
    wait = by_entity("A", '<EndOfRoadCondition duration="1.0"/>', "none")
    episode = Episode(
        scenario(tmp_path, START, event("e", set_variable("n", 1), trigger(wait)), variables=VARIABLE, length=110.0)
    ).run()
    assert times(episode, "e", "running") == [pytest.approx(6.0, abs=0.03)] and episode.entities[
        "A"
    ].x == pytest.approx(110.0)
    assert episode.entities["A"].speed == 0.0


def test_collision_is_noted(tmp_path):
    init = {"A": teleport(10) + speed(20), "B": teleport(110) + speed(0)}
    hit = by_entity("A", '<CollisionCondition><EntityRef entityRef="B"/></CollisionCondition>', "none")
    episode = Episode(
        scenario(tmp_path, init, event("e", set_variable("n", 1), trigger(hit)), variables=VARIABLE)
    ).run()
    # boxes are 4 m long and both centres 1.4 m ahead of the reference points
    assert episode.events()["collisions"] == [{"time": pytest.approx(4.8, abs=0.011), "entities": ["A", "B"]}]
    assert times(episode, "e", "running") == [pytest.approx(4.8, abs=0.021)]


def test_stepping_is_the_same_as_running(tmp_path):
    file = scenario(tmp_path, START, event("e", lane_change(-2), trigger(time_after(2.0))))
    whole, stepped = Episode(file).run(), Episode(file)
    while stepped.step(7):
        pass
    assert list(whole.rows()) == list(stepped.rows()) and whole.events() == stepped.events()
    assert "A" in repr(stepped) and "<table>" in stepped._repr_html_()


def test_signal_controllers_cycle(tmp_path):
    phases = "".join(
        f'<Phase name="{name}" duration="{seconds}"><TrafficSignalState trafficSignalId="7" state="{name}"/></Phase>'
        for name, seconds in (("red", 3.0), ("green", 2.0))
    )
    signals = f'<TrafficSignals><TrafficSignalController name="head" delay="1">{phases}</TrafficSignalController></TrafficSignals>'

    def when(kind):
        return f'<Condition name="c" delay="0" conditionEdge="rising"><ByValueCondition>{kind}</ByValueCondition></Condition>'

    green = when('<TrafficSignalCondition name="7" state="green"/>')
    red = when('<TrafficSignalControllerCondition trafficSignalControllerRef="head" phase="red"/>')
    events = event("go", ADD, trigger(green), "parallel", 100), event("halt", ADD, trigger(red), "parallel", 100)
    episode = Episode(scenario(tmp_path, START, *events, variables=VARIABLE, signals=signals, end=12.0)).run()
    assert times(episode, "go", "running") == pytest.approx([4.0, 9.0], abs=0.011)
    assert times(episode, "halt", "running") == pytest.approx([1.0, 6.0, 11.0], abs=0.011)


def test_group_state_of_a_phase_is_shown_by_all_signals_of_the_controller(tmp_path):
    phases = (
        '<Phase name="mixed" duration="3"><TrafficSignalState trafficSignalId="7" state="red"/></Phase>'
        '<Phase name="all" duration="2"><TrafficSignalGroupState state="green"/></Phase>'
    )
    signals = f'<TrafficSignals><TrafficSignalController name="{{}}">{phases}</TrafficSignalController></TrafficSignals>'
    events = [
        event(f"s{name}", ADD, trigger(f'<Condition name="c" delay="0" conditionEdge="rising"><ByValueCondition><TrafficSignalCondition '
              f'name="{name}" state="green"/></ByValueCondition></Condition>'), "parallel")
        for name in (7, 8)
    ]  # fmt: skip

    def run(controller, extra=""):
        file = scenario(tmp_path, START, *events, variables=VARIABLE, signals=signals.format(controller), end=6.0)
        road = tmp_path / "road.xodr"
        road.write_text(road.read_text().replace("</OpenDRIVE>", f"{extra}</OpenDRIVE>"))
        return Episode(file).run()

    own = '<controller id="5" name="heads"><control signalId="7" type="0"/><control signalId="8" type="0"/></controller>'
    for name in ("heads", "5"):
        episode = run(name, own)
        assert times(episode, "s7", "running") == times(episode, "s8", "running") == [pytest.approx(3.0, abs=0.011)]
    episode = run("other", own)  # only what its own phases name is known of it
    assert times(episode, "s7", "running") == [pytest.approx(3.0, abs=0.011)] and times(episode, "s8", "running") == []
    phases_alone = signals.format("x").replace('<TrafficSignalState trafficSignalId="7" state="red"/>', "")
    with pytest.raises(ScenarioError, match="no signals are known of the controller 'x'"):
        Episode(scenario(tmp_path, START, variables=VARIABLE, signals=phases_alone))


@pytest.mark.parametrize(
    ("attributes", "ends"),
    [('loop="false" animationDuration="2.5"', 3.5), ('loop="true" animationDuration="2.5"', 8.0), ("", 8.0)],
)
def test_animation_takes_its_time_and_an_endless_one_ends_when_overridden(tmp_path, attributes, ends):
    walk = (
        f'<PrivateAction><AppearanceAction><AnimationAction {attributes}><AnimationType><PedestrianAnimation motion="walking"/>'
        "</AnimationType></AnimationAction></AppearanceAction></PrivateAction>"
    )
    events = event("walk", walk, trigger(time_after(1.0))), event("next", speed(9), trigger(time_after(8.0)))
    episode = Episode(scenario(tmp_path, START, *events, end=10.0)).run()
    assert times(episode, "walk", "complete") == [pytest.approx(ends, abs=0.011)]


def profile(mode, *entries):
    rows = "".join(f'<SpeedProfileEntry time="{time}" speed="{value}"/>' for time, value in entries)
    limits = '<DynamicConstraints maxAcceleration="5" maxDeceleration="6" maxSpeed="60" maxAccelerationRate="2" maxDecelerationRate="3"/>'
    return (
        f'<PrivateAction><LongitudinalAction><SpeedProfileAction followingMode="{mode}">{limits}{rows}</SpeedProfileAction>'
        "</LongitudinalAction></PrivateAction>"
    )


def test_speed_profile_by_position(tmp_path):
    start = trigger(time_after(2.0))
    episode = Episode(
        scenario(tmp_path, START, event("e", profile("position", (4, 28), (3, 22)), start), end=12.0)
    ).run()
    rows = motion(episode)
    assert np.interp([2.0, 4.0, 6.0, 7.5, 9.0], rows[:, 0], rows[:, 3]) == pytest.approx([20, 24, 28, 25, 22], abs=0.05)


@pytest.mark.parametrize("target", [30.0, 12.0])
def test_speed_profile_with_limited_jerk(tmp_path, target):
    start = trigger(time_after(2.0))
    episode = Episode(
        scenario(tmp_path, START, event("e", profile("follow", (6, target)), start), end=12.0), every=0.01
    ).run()
    rows = motion(episode)
    assert times(episode, "e", "complete") == [pytest.approx(8.0, abs=0.03)] and rows[-1, 3] == pytest.approx(target)
    accel = np.diff(rows[:, 3]) / 0.01
    assert accel.max() < 5.01 and accel.min() > -6.01
    assert np.abs(np.diff(accel) / 0.01).max() < 3.1


def lateral_distance(system, extra="", distance=3.5):
    return (
        f'<PrivateAction><LateralAction><LateralDistanceAction entityRef="B" continuous="false" freespace="false" distance="{distance}" '
        f'displacement="leftToReferencedEntity" coordinateSystem="{system}">{extra}</LateralDistanceAction></LateralAction></PrivateAction>'
    )


BESIDE = {"A": teleport(10, -2) + speed(20), "B": teleport(10, -1) + speed(20)}


@pytest.mark.parametrize("extra", ["", '<DynamicConstraints maxAcceleration="2" maxSpeed="3"/>'])
@pytest.mark.parametrize("system", ["lane", "road"])
def test_lateral_distance(tmp_path, system, extra):
    start = trigger(time_after(1.0))
    episode = Episode(scenario(tmp_path, BESIDE, event("e", lateral_distance(system, extra), start), end=12.0)).run()
    assert episode.entities["A"].y == pytest.approx(-1.75 + 3.5, abs=0.05)
    assert len(times(episode, "e", "complete")) == 1


def test_entities_come_and_go(tmp_path):
    add = (
        '<GlobalAction><EntityAction entityRef="B"><AddEntityAction><Position><LanePosition roadId="1" laneId="-2" s="300"/></Position>'
        "</AddEntityAction></EntityAction></GlobalAction>"
    )
    delete = '<GlobalAction><EntityAction entityRef="B"><DeleteEntityAction/></EntityAction></GlobalAction>'
    events = event("come", add, trigger(time_after(2.0))), event("go", delete, trigger(time_after(5.0)))
    file = scenario(tmp_path, {**START, "B": ""}, *events, end=8.0)
    file.write_text(file.read_text().replace('<Private entityRef="B"></Private>', ""))
    episode = Episode(file).run()
    rows = [r for r in episode.rows() if r[1] == "B"]
    assert (rows[0][0], rows[-1][0]) == pytest.approx((2.05, 5.0)) and rows[0][2] == pytest.approx(300.0)


CONDITIONS = {
    "relative speed": ('<RelativeSpeedCondition entityRef="B" rule="greaterThan" value="4"/>', True),
    "speed across": ('<SpeedCondition direction="lateral" rule="greaterThan" value="1"/>', False),
    "time to collision": (
        '<TimeToCollisionCondition freespace="true" rule="lessThan" value="8" coordinateSystem="road" relativeDistanceType="longitudinal">'
        '<TimeToCollisionConditionTarget><EntityRef entityRef="B"/></TimeToCollisionConditionTarget></TimeToCollisionCondition>', True),
    "headway": ('<TimeHeadwayCondition entityRef="B" freespace="false" rule="lessThan" value="5.5" coordinateSystem="lane" '
                'relativeDistanceType="longitudinal"/>', True),
    "angle": ('<AngleCondition angleType="heading" angle="0" angleTolerance="0.1" coordinateSystem="lane"/>', True),
    "relative angle": ('<RelativeAngleCondition entityRef="B" angleType="heading" angle="1.5" angleTolerance="0.1"/>', False),
    "clearance": ('<RelativeClearanceCondition oppositeLanes="false" freeSpace="false" distanceForward="200" distanceBackward="5">'
                  '<RelativeLaneRange from="0" to="0"/></RelativeClearanceCondition>', False),
    "clearance beside": ('<RelativeClearanceCondition oppositeLanes="false" freeSpace="true" distanceForward="200" distanceBackward="5">'
                         '<RelativeLaneRange from="-1" to="-1"/></RelativeClearanceCondition>', True),
    "distance": ('<DistanceCondition freespace="false" rule="lessThan" value="45" coordinateSystem="road" '
                 'relativeDistanceType="longitudinal"><Position><RoadPosition roadId="1" s="150" t="0"/></Position>'
                 "</DistanceCondition>", True),
    "reach": ('<ReachPositionCondition tolerance="3"><Position><RelativeObjectPosition entityRef="B" dx="-50" dy="0"/></Position>'
              "</ReachPositionCondition>", True),
    "acceleration": ('<AccelerationCondition rule="greaterThan" value="5"/>', False),
    "stand still": ('<StandStillCondition duration="0.5"/>', False),
    "far away": ('<RelativeDistanceCondition entityRef="B" relativeDistanceType="euclidianDistance" freespace="true" rule="greaterThan" '
                 'value="200"/>', False),
}  # fmt: skip


@pytest.mark.parametrize("name", CONDITIONS)
def test_conditions_by_entity(tmp_path, name):
    condition, expected = CONDITIONS[name]
    init = {"A": teleport(10) + speed(20), "B": teleport(110) + speed(15)}
    start = trigger(by_entity("A", condition, "none"))
    file = scenario(tmp_path, init, event("e", set_variable("n", 1), start), variables=VARIABLE, end=12.0)
    assert Episode(file).run().variables["n"] == float(expected)


ACTIONS = {
    "override": '<PrivateAction><ControllerAction><OverrideControllerValueAction><Brake active="true"><BrakePercent value="0.5"/></Brake>'
    "</OverrideControllerValueAction></ControllerAction></PrivateAction>",
    "visibility": '<PrivateAction><VisibilityAction graphics="true" sensors="true" traffic="true"/></PrivateAction>',
    "acquire": '<PrivateAction><RoutingAction><AcquirePositionAction><Position><LanePosition roadId="1" laneId="-1" s="900"/></Position>'
    "</AcquirePositionAction></RoutingAction></PrivateAction>",
    "user": '<UserDefinedAction><CustomCommandAction type="x">y</CustomCommandAction></UserDefinedAction>',
    "offset": '<PrivateAction><LateralAction><LaneOffsetAction continuous="true"><LaneOffsetActionDynamics dynamicsShape="sinusoidal" '
    'maxLateralAcc="1"/><LaneOffsetTarget><RelativeTargetLaneOffset entityRef="B" value="0.5"/></LaneOffsetTarget></LaneOffsetAction>'
    "</LateralAction></PrivateAction>",
    "follow speed": '<PrivateAction><LongitudinalAction><SpeedAction><SpeedActionDynamics dynamicsShape="linear" dynamicsDimension="rate" '
    'value="2"/><SpeedActionTarget><RelativeTargetSpeed entityRef="B" value="1" speedTargetValueType="delta" continuous="true"/>'
    "</SpeedActionTarget></SpeedAction></LongitudinalAction></PrivateAction>",
    "distance": '<PrivateAction><LongitudinalAction><LongitudinalDistanceAction entityRef="B" distance="20" freespace="true" '
    'continuous="true" displacement="trailingReferencedEntity"><DynamicConstraints maxAcceleration="3" maxDeceleration="4" maxSpeed="40"/>'
    "</LongitudinalDistanceAction></LongitudinalAction></PrivateAction>",
}


@pytest.mark.parametrize("name", ACTIONS)
def test_other_actions(tmp_path, name):
    init = {"A": teleport(10) + speed(20), "B": teleport(110) + speed(15)}
    episode = Episode(scenario(tmp_path, init, event("e", ACTIONS[name], trigger(time_after(1.0))), end=40.0)).run()
    a, b = episode.entities["A"], episode.entities["B"]
    if name == "override":
        assert a.speed == 0.0 and a.x == pytest.approx(10 + 20 + 20 * 20 / 2 / 5, abs=0.3)
    elif name == "offset":
        assert a.y == pytest.approx(b.y + 0.5, abs=1e-3)
    elif name == "follow speed":
        assert a.speed == pytest.approx(16.0)
    elif name == "distance":
        assert b.x - a.x - 4.0 == pytest.approx(20.0, abs=0.2) and a.speed == pytest.approx(15.0, abs=0.05)
    else:
        assert a.x == pytest.approx(10 + 40 * 20, abs=0.01)


@pytest.mark.parametrize("along, x, heading", [("ds", 510.0, 0.0), ("dsLane", 490.0, math.pi)])
def test_relative_lanes_left_of_the_centre(tmp_path, along, x, heading):
    """`ds` counts along the reference line and so do angles; `dsLane` counts, and faces, as the traffic of the lane drives."""
    beside = (
        f'<PrivateAction><TeleportAction><Position><RelativeLanePosition entityRef="A" dLane="0" {along}="10"/></Position>'
        "</TeleportAction></PrivateAction>"
    )
    episode = Episode(scenario(tmp_path, {"A": teleport(500, 1) + speed(0), "B": beside + speed(10)}, end=2.0)).run()
    start = motion(episode, "B")[0]
    end = episode.entities["B"]
    assert start[1] == pytest.approx(x) and abs(end.heading) == pytest.approx(heading)
    assert end.x == pytest.approx(x + 20.0 * math.cos(heading), abs=0.2)
