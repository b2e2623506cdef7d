"""Many worlds: the same bits in any order, chunk and thread; parameters as columns; drivers, observers, broken worlds."""

import threading

import numpy as np
import pytest

from cloverleaf.loop.storyboard.driver import (
    COMMAND_ACCEL,
    GAP,
    NEAR_SPEED,
    OWN_ACTIVE,
    OWN_SPEED,
    PRESENT_HERE,
    driver,
)
from cloverleaf.loop.storyboard.worlds import Worlds
from cloverleaf.scenario.storyboard.compile import compile_scenario
from cloverleaf.types.errors import ScenarioError
from loop.storyboard_cases import by_entity, event, lane_change, scenario, speed, teleport, time_after, trigger

PARAMETERS = (
    '<ParameterDeclaration name="Pace" parameterType="double" value="20"><ConstraintGroup><ValueConstraint rule="greaterThan" value="0"/>'
    '<ValueConstraint rule="lessThan" value="${2 * $Top}"/></ConstraintGroup></ParameterDeclaration>'
)
TOP = '<ParameterDeclaration name="Top" parameterType="double" value="30"/>'


@pytest.fixture
def compiled(tmp_path):
    near = by_entity(
        "A",
        '<RelativeDistanceCondition entityRef="B" relativeDistanceType="longitudinal" coordinateSystem="road" freespace="true" '
        'rule="lessThan" value="15"/>',
    )
    init = {"A": teleport(10) + speed("${$Pace}"), "B": teleport(120) + speed("${100 / $Pace}")}
    change = event("e", lane_change(-2), trigger(near))
    faster = event("f", speed("$Top", "cubic", "time", 3.0), trigger(time_after(4.0)), "parallel")
    return compile_scenario(scenario(tmp_path, init, change, faster, parameters=TOP + PARAMETERS, end=12.0))


def run(compiled, pace):
    worlds = Worlds(compiled, compiled.columns({"Pace": pace}, len(pace)))
    worlds.watch("A")
    worlds.run()
    return worlds.state.actor.copy(), worlds.outcome


def test_numbers_are_columns_and_names_are_not(compiled):
    assert not compiled.parameters["Pace"].structural and compiled.structural == ()
    with pytest.raises(ScenarioError, match="no parameter 'Pacee'"):
        compiled.columns({"Pacee": 1.0})


def test_same_bits_in_any_order_and_chunk(compiled):
    pace = np.linspace(12.0, 34.0, 23)
    actors, outcome = run(compiled, pace)
    shuffled = np.random.default_rng(3).permutation(len(pace))
    assert run(compiled, pace[shuffled])[0].tobytes() == actors[shuffled].tobytes()
    parts = [run(compiled, part) for part in (pace[:1], pace[1:9], pace[9:])]
    assert np.concatenate([p[0] for p in parts]).tobytes() == actors.tobytes()
    assert np.concatenate([p[1] for p in parts]).tobytes() == outcome.tobytes()
    assert len(np.unique(actors[:, 0, 0])) == len(pace)


def test_same_bits_on_two_threads_and_the_second_time(compiled):
    pace = np.linspace(12.0, 34.0, 12)
    alone = [run(compiled, half)[0].tobytes() for half in (pace[:6], pace[6:])]
    found = [b"", b""]

    def work(k):
        found[k] = run(compiled, pace[6 * k : 6 * k + 6])[0].tobytes()

    threads = [threading.Thread(target=work, args=(k,)) for k in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == alone


def test_a_case_among_others_is_the_case_alone(compiled, tmp_path):
    pace = np.array([15.0, 25.0])
    among = run(compiled, pace)[0][1]
    alone = compile_scenario(compiled.path, {"Pace": 25.0})
    worlds = Worlds(alone)
    worlds.run()
    assert worlds.state.actor[0].tobytes() == among.tobytes()


def test_broken_worlds_are_told_and_left_alone(compiled):
    columns = compiled.columns({"Pace": np.array([0.0, 20.0, 70.0])}, 3)
    assert columns.broken.tolist() == [True, False, True]
    assert "not defined" in columns.reason(0) or "violates its constraints" in columns.reason(0)
    assert "violates its constraints" in columns.reason(2) and columns.reason(1) == ""
    worlds = Worlds(compiled, columns)
    worlds.run()
    assert worlds.outcome["end"].tolist() == [0, 1, 0] and worlds.done.all()


@driver
def brake_for_leaders(own, near, memory, command):
    """Stops behind whoever is ahead."""
    memory[0] += own[OWN_ACTIVE]
    command[COMMAND_ACCEL] = 0.0
    for k in range(near.shape[0]):
        closing = own[OWN_SPEED] - near[k, NEAR_SPEED]
        if near[k, PRESENT_HERE] == 1.0 and 0.0 < near[k, GAP] < 40.0 and closing > 0.0:
            command[COMMAND_ACCEL] = -0.5 * closing * closing / max(near[k, GAP] - 2.0, 0.1)


@driver
def fastest(own, near, memory, command):
    """Keeps the highest speed."""
    memory[0] = max(memory[0], own[OWN_SPEED])


@pytest.fixture
def queue(tmp_path):
    return compile_scenario(
        scenario(tmp_path, {"A": teleport(10) + speed(20), "B": teleport(150) + speed(0)}, end=30.0)
    )


def test_without_a_driver_it_crashes_with_one_it_does_not(queue):
    blind = Worlds(queue)
    blind.watch("A")
    blind.run()
    assert blind.outcome["crash"].all() and blind.outcome["impact_speed"][0] == pytest.approx(20.0)
    driven = Worlds(queue)
    driven.drive("A", brake_for_leaders)
    driven.observe("A", fastest)
    driven.run()
    out = driven.outcome[0]
    assert not out["crash"] and 1.0 < out["min_gap"] < 6.0 and out["max_decel"] < 9.0 and out["final_speed"] < 0.5
    assert driven.observed("A")[0, 0] == pytest.approx(20.0)


def test_driver_from_outside(queue):
    worlds = Worlds(queue)
    worlds.drive("A", "external")
    while not worlds.done.all():
        own, near = worlds.view("A")
        worlds.command[:, 0, COMMAND_ACCEL] = np.where(near[:, 1, GAP] < 60.0, -6.0, 0.0)
        worlds.step()
        assert own.shape == (1, 17) and near.shape == (1, 2, 12)
    assert not worlds.outcome["crash"].any() and worlds.outcome["final_speed"][0] == 0.0


def test_unknown_entities_are_named(queue):
    with pytest.raises(ScenarioError, match="no entity 'C'"):
        Worlds(queue).drive("C")
    with pytest.raises(ScenarioError, match="out of range"):
        Worlds(queue, dt=0.0)
