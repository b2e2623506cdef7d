"""Signal controllers: against the naive twin, against SUMO, and the rules that must never break."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from lxml import etree
from tests.naive.signals import Controller, Phase

from cloverleaf.algo.signal_control import ControlMode, enter_phase, predict_end, set_mode, step_signals
from cloverleaf.map.district import load_district
from cloverleaf.map.io.sumo_net import read_sumo_net
from cloverleaf.map.signal_tables import detector_position, signal_memory, signal_plan

NETS = Path(__file__).parents[3] / "shared" / "nets"
HAMBURG = NETS / "tavf_hamburg" / "network.net.xml.gz"
CROSS = NETS / "micro" / "signal_4leg" / "signal_4leg.net.xml"

pytestmark = pytest.mark.skipif(not HAMBURG.exists(), reason="the nets of ../shared are not here")


@pytest.fixture(
    scope="module",
    params=[HAMBURG, NETS / "resco_cologne8" / "cologne8.net.xml.gz", CROSS],
    ids=lambda p: p.parent.name,
)
def graph(request):
    return read_sumo_net(request.param).graph


def _twins(g, plan, memory, t):
    names = {int(m): m.name.lower() for m in ControlMode}
    twins = []
    for group in range(len(g.signal_links)):
        phases = []
        for p in range(plan.phase_start[group], plan.phase_start[group + 1]):
            lanes = plan.lane[plan.lane_start[p] : plan.lane_start[p + 1]].tolist()
            rows = slice(plan.move_start[p], plan.move_start[p + 1])
            moves = list(zip(plan.move_in[rows].tolist(), plan.move_out[rows].tolist(), plan.move_share[rows].tolist()))
            state = bytes(plan.state[plan.state_start[p] : plan.state_start[p + 1]]).decode()
            phases.append(
                Phase(plan.duration[p], plan.minimum[p], plan.maximum[p], state, int(plan.following[p]), lanes, moves)
            )
        twins.append(
            Controller(
                phases,
                names[int(memory.mode[group])],
                g.signal_offset[group],
                t,
                plan.yellow[group],
                plan.all_red[group],
                plan.crossing[plan.head_start[group] : plan.head_start[group + 1]].tolist(),
            )
        )
    return twins


@pytest.mark.parametrize(
    "mode", [ControlMode.FIXED, ControlMode.ACTUATED, ControlMode.PRESSURE, ControlMode.COMMAND, None]
)
@pytest.mark.parametrize("step", [0.1, 1.0])
def test_kernel_equals_the_naive_controllers(graph, mode, step):
    g, plan = graph, signal_plan(graph)
    groups = len(g.signal_links)
    begin = 25.0
    memory = signal_memory(g, plan, None if mode is None else np.full(groups, mode, np.int32), begin)
    twins = _twins(g, plan, memory, begin)
    rng = np.random.default_rng(11)
    clear, count = np.full(len(g.lane_length), -1e18), np.zeros(len(g.lane_length))
    shown = set()
    for k in range(1, int(240.0 / step)):
        t = begin + k * step
        hit = rng.random(len(clear)) < 0.15 * step
        clear[hit] = t
        if k % max(1, round(3.0 / step)) == 0:
            count = rng.integers(0, 9, len(count)).astype(float)
            for group in range(groups):
                memory.wanted[group] = twins[group].wanted = int(
                    rng.integers(-1, plan.phase_start[group + 1] - plan.phase_start[group])
                )
        step_signals(plan, memory, clear, count, t)
        for group in range(groups):
            light = bytes(memory.light[plan.head_start[group] : plan.head_start[group + 1]]).decode()
            assert light == twins[group].step(clear, count, t), (group, t)
            assert memory.phase[group] == twins[group].index
            shown.add((group, light))
    assert len(shown) > 2 * groups


def _run(g, mode, seconds=600.0, step=0.5, seed=3):
    """Lights over time of all groups, switching modes and wishes at random where `mode` is None."""
    plan = signal_plan(g)
    groups = len(g.signal_links)
    memory = signal_memory(g, plan, np.full(groups, 0 if mode is None else mode, np.int32), 0.0)
    rng = np.random.default_rng(seed)
    clear, rows = np.full(len(g.lane_length), -1e18), []
    for k in range(int(seconds / step)):
        t = k * step
        clear[rng.random(len(clear)) < 0.1] = t
        count = rng.integers(0, 9, len(clear)).astype(float)
        for group in range(groups):
            if mode is None and rng.random() < 0.02:
                set_mode(plan, memory, group, int(rng.integers(0, 4)), t)
            if rng.random() < 0.05:
                memory.wanted[group] = int(rng.integers(-1, plan.phase_start[group + 1] - plan.phase_start[group]))
        step_signals(plan, memory, clear, count, t)
        rows.append(memory.light.copy())
    return plan, np.array(rows), step


@pytest.mark.parametrize("mode", [ControlMode.PRESSURE, ControlMode.COMMAND, None])
def test_yellow_always_lies_between_green_and_red(graph, mode):
    plan, light, step = _run(graph, mode)
    green = np.isin(light, list(b"Gg"))
    red = light == ord("r")
    drops = np.argwhere(green[:-1] & red[1:])
    # Some plans of the nets themselves go from green to red at once (their own letters say so); free choice never does.
    own = set()
    for group in range(len(plan.head_start) - 1):
        first, end = int(plan.phase_start[group]), int(plan.phase_start[group + 1])
        for p in range(first, end):
            after = first + (int(plan.following[p]) if plan.following[p] >= 0 else (p - first + 1) % (end - first))
            for i in range(int(plan.head_start[group + 1] - plan.head_start[group])):
                if plan.state[plan.state_start[p] + i] in b"Gg" and plan.state[plan.state_start[after] + i] == ord("r"):
                    own.add(int(plan.head_start[group]) + i)
    assert all(int(head) in own for _, head in drops)
    if mode is not None:
        assert len(drops) == 0
    begins = np.argwhere(green[:-1] & (light[1:] == ord("y")))
    assert len(begins) > 10
    for k, head in begins[:200]:
        group = int(np.searchsorted(plan.head_start, head, side="right") - 1)
        length = 0
        while k + 1 + length < len(light) and light[k + 1 + length, head] == ord("y"):
            length += 1
        if k + 1 + length < len(light) and mode is not None:
            assert length * step >= plan.yellow[group] - step


@pytest.mark.parametrize("mode", list(ControlMode) + [None])
def test_no_two_heads_are_green_together_unless_the_plan_has_them_so(graph, mode):
    plan, light, _ = _run(graph, mode)
    moving = np.isin(light, list(b"Ggy"))
    for group in range(len(plan.head_start) - 1):
        states = [
            np.isin(plan.state[plan.state_start[p] : plan.state_start[p + 1]], list(b"Ggy"))
            for p in range(plan.phase_start[group], plan.phase_start[group + 1])
        ]
        together = np.any([np.outer(s, s) for s in states], axis=0)
        shown = moving[:, plan.head_start[group] : plan.head_start[group + 1]].astype(int)
        assert not ((shown.T @ shown > 0) & ~together).any()


@pytest.mark.parametrize("mode", [ControlMode.PRESSURE, ControlMode.COMMAND])
def test_minimum_green_is_kept(graph, mode):
    plan, light, step = _run(graph, mode)
    green = np.isin(light, list(b"Gg"))
    for head in range(green.shape[1]):
        edges = np.flatnonzero(np.diff(green[:, head].astype(int)))
        group = int(np.searchsorted(plan.head_start, head, side="right") - 1)
        for a, b in pairwise(edges):
            if green[b, head] and a > 200:  # after the plan's own phase at the begin
                assert (b - a) * step >= plan.min_green[group] - step


@pytest.mark.parametrize("mode", [ControlMode.PRESSURE, ControlMode.COMMAND])
def test_people_have_left_the_crosswalk_before_anybody_else_gets_green(mode):
    plan, light, step = _run(load_district()[0].graph, mode)
    assert plan.crossing.any(), "the district has crosswalks with signals"
    green, ends = np.isin(light, list(b"Gg")), 0
    for head in np.flatnonzero(plan.crossing > 0.0):
        group = int(np.searchsorted(plan.head_start, head, side="right") - 1)
        mine = slice(int(plan.head_start[group]), int(plan.head_start[group + 1]))
        for k in np.flatnonzero(green[200:-1, head] & ~green[201:, head]) + 201:
            fresh = green[k:, mine] & ~green[k - 1, mine]  # others that were not green beside these walkers
            first = np.flatnonzero(fresh.any(axis=1))
            if len(first):
                ends += 1
                assert first[0] * step >= plan.crossing[head] - 1.5 * step
    assert ends


def test_predicted_ends_come_true(graph):
    g, plan = graph, signal_plan(graph)
    groups = len(g.signal_links)
    for mode in (ControlMode.FIXED, ControlMode.ACTUATED):
        memory = signal_memory(g, plan, np.full(groups, mode, np.int32), 0.0)
        clear, rng, promised = np.full(len(g.lane_length), -1e18), np.random.default_rng(5), {}
        for k in range(400):
            t = float(k)
            before = memory.phase.copy()
            clear[rng.random(len(clear)) < 0.2] = t
            step_signals(plan, memory, clear, clear * 0.0, t)
            for group in range(groups):
                if memory.phase[group] != before[group] and group in promised:
                    least, most = promised[group]
                    assert least - 1.0 - 1e-6 <= memory.since[group] <= most + 1.0 + 1e-6
                least, likely, most, _ = predict_end(plan, memory, group, t)
                assert t - 1e-6 <= least <= most and least - 1e-6 <= likely <= most + 1e-6
                promised[group] = (least, most)


def _sumo() -> str | None:
    found = shutil.which("sumo")
    spec = importlib.util.find_spec("sumo")
    if found is None and spec is not None and spec.submodule_search_locations:
        path = Path(next(iter(spec.submodule_search_locations))) / "bin" / "sumo"
        found = str(path) if path.exists() else None
    return found


@pytest.mark.skipif(_sumo() is None, reason="SUMO is not installed (extra [sumo])")
@pytest.mark.parametrize("level", ["low", "high"])
def test_green_durations_are_those_of_sumo(tmp_path, level):
    """Each green of an actuated run of SUMO, decided again by our controller from the same vehicles, lasts as long."""
    text = re.search(r"<tlLogic.*?</tlLogic>", CROSS.read_text(), re.S).group(0).replace("static", "actuated")
    text = re.sub(r'(state="[Gr]*[Gg][Ggr]*")/>', r'\1 minDur="5" maxDur="45"/>', text).replace(
        'programID="0"', 'programID="a"'
    )
    assert text.count("minDur") == 2
    tls = tmp_path / "tls.add.xml"
    event = f'<timedEvent type="SaveTLSStates" source="c" dest="{tmp_path}/states.xml"/>'
    tls.write_text(f"<additional>{text}{event}</additional>")
    command = [
        _sumo(),
        "-n",
        CROSS,
        "-r",
        CROSS.parent / f"{level}.rou.xml",
        "-a",
        tls,
        "-e",
        "600",
        "--step-length",
        "1",
    ]
    command += ["--fcd-output", tmp_path / "fcd.xml", "--no-step-log", "-W"]
    subprocess.run([str(c) for c in command], check=True, capture_output=True, timeout=600)

    base = read_sumo_net(CROSS, [str(_without_events(tls, tmp_path))])
    g, plan = base.graph, signal_plan(base.graph)
    loop = detector_position(g, plan)
    lane_row = {name: i for i, name in enumerate(base.lane_ids)}
    history, clear = {}, np.full(len(g.lane_length), -1e18)
    for moment in etree.parse(tmp_path / "fcd.xml").getroot():
        t = float(moment.get("time")) + 1.0  # what the controller knows in the next step
        for v in moment:
            lane, front, speed = lane_row[v.get("lane")], float(v.get("pos")), float(v.get("speed"))
            if 0.0 <= loop[lane] <= front and front - 5.0 - speed <= loop[lane]:
                clear[lane] = max(
                    clear[lane], t if front - 5.0 <= loop[lane] else t + 1.0 - (front - 5.0 - loop[lane]) / speed - 1.0
                )
        history[t] = clear.copy()
    states = [(float(s.get("time")), int(s.get("phase"))) for s in etree.parse(tmp_path / "states.xml").getroot()]
    memory = signal_memory(g, plan, None, 0.0)
    begin, equal, total = 0, 0, 0
    for k in range(1, len(states)):
        if states[k][1] == states[k - 1][1]:
            continue
        (start, phase), length = states[begin], states[k][0] - states[begin][0]
        begin = k
        if not plan.is_stage[phase] or start == 0.0:
            continue
        enter_phase(plan, memory, 0, phase, start)
        t = start
        while memory.phase[0] == phase:
            t += 1.0
            step_signals(plan, memory, history.get(t, clear), np.zeros(len(clear)), t)
        total += 1
        equal += t - start == length
    assert total > 15 and equal >= 0.95 * total


def _without_events(path: Path, folder: Path) -> Path:
    out = folder / "plan.add.xml"
    out.write_text(re.sub(r"<timedEvent[^>]*/>", "", path.read_text()))
    return out
