"""Lists of what a step has to look at, against walks over the whole storyboard in every step."""

import numpy as np
import pytest

from cloverleaf.loop.storyboard.state import (
    EVENTS,
    LIST_COUNT,
    LIST_ROWS,
    LIST_STAMP,
    LOGGED,
    RUNNING,
    STANDBY,
    STATE,
)
from cloverleaf.loop.storyboard.worlds import Worlds
from cloverleaf.scenario.storyboard import tables as T
from cloverleaf.scenario.storyboard.compile import compile_scenario
from loop.storyboard_cases import (
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

START = {"A": teleport(50) + speed(20), "B": teleport(200) + speed(12, "linear", "time", 5.0)}
VARIABLE = '<VariableDeclaration name="n" variableType="double" value="0"/>'
ADD = (
    '<GlobalAction><VariableAction variableRef="n"><ModifyAction><Rule><AddValue value="1"/></Rule></ModifyAction></VariableAction>'
    "</GlobalAction>"
)
CASES = {
    "overriding": (
        event("first", speed(5, "linear", "time", 4.0), trigger(time_after(1.0))),
        event("second", lane_change(-2), trigger(time_after(2.0))),
        event("third", speed(9, "cubic", "time", 2.0), trigger(time_after(2.0)), "skip"),
    ),
    "often": (
        event("often", ADD, trigger(time_after(0.5, "none")), "parallel", 7),
        event("after", speed(8, "sinusoidal", "time", 1.0), trigger(state_is("event", "often", "completeState")), "parallel", 2),
    ),
    "transitions": (
        event("first", speed(10, "linear", "time", 2.0), trigger(time_after(1.0)), "parallel"),
        event("starts", ADD, trigger(state_is("event", "first", "startTransition", "none")), "parallel", 100),
        event("ends", set_variable("n", 50), trigger(state_is("action", "firstAction", "endTransition", delay=1.0)), "parallel"),
    ),
}  # fmt: skip


def walk(elements, init, state):
    """What a walk over the storyboard in document order finds: rows asked, and actions that run."""
    asked, running, e = [], [k for k in range(init, len(elements)) if state[k] == RUNNING], 0
    while e < init:
        if state[e] == STANDBY or (state[e] == RUNNING and elements[e, T.E_STOP] >= 0):
            asked.append(e)
        e = e + 1 if state[e] == RUNNING and elements[e, T.E_KIND] < T.EVENT else elements[e, T.E_END]
    e = 0
    while e < init:
        if state[e] != RUNNING:
            e = elements[e, T.E_END]
            continue
        if elements[e, T.E_KIND] == T.ACTION:
            running.append(e)
        e += 1
    return asked, running


@pytest.fixture(params=CASES)
def compiled(request, tmp_path):
    return compile_scenario(scenario(tmp_path, START, *CASES[request.param], variables=VARIABLE, end=8.0, count=2))


def rows(listed):
    return listed[LIST_ROWS : LIST_ROWS + listed[LIST_COUNT]].tolist()


def test_a_list_that_is_kept_is_what_a_walk_finds(compiled):
    worlds = Worlds(compiled)
    elements, init, kept = compiled.program.elements, int(compiled.program.sizes[T.Z_INIT]), 0
    while worlds.step():
        state, clock = worlds.state.element[0, :, STATE], worlds.state.clock[0]
        asked, running = walk(elements, init, state)
        if worlds.state.asked[0, LIST_STAMP] == clock[EVENTS]:
            assert rows(worlds.state.asked[0]) == asked
            kept += 1
        if worlds.state.running[0, LIST_STAMP] == clock[EVENTS]:
            assert rows(worlds.state.running[0]) == running
    assert kept > 500  # most steps change nothing


def test_same_bits_as_with_new_lists_in_every_step(compiled):
    kept, anew = Worlds(compiled, log=500), Worlds(compiled, log=500)
    kept.run()
    while anew.step():
        anew.state.asked[:, LIST_STAMP] = anew.state.running[:, LIST_STAMP] = -1
    assert kept.state.clock[0, LOGGED] > 20
    for name in ("clock", "actor", "element", "condition", "variable", "log"):
        assert np.array_equal(getattr(kept.state, name), getattr(anew.state, name), equal_nan=True), name


def test_worlds_brought_back_to_their_start_do_not_remember(compiled):
    worlds = Worlds(compiled, log=500)
    worlds.run()
    first = worlds.state.log.copy()
    worlds.begin()
    worlds.run()
    assert np.array_equal(worlds.state.log, first)
