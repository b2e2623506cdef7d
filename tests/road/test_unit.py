"""A roadside unit on its own: adapters show the controller, priority is bounded, sensors fuse, moved ones show, nothing sent is lost."""

from __future__ import annotations

import itertools
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloverleaf.map.district import load_district
from cloverleaf.road.calibration import check
from cloverleaf.road.controller import SimulatedController
from cloverleaf.road.controller_gb import Frame, GbAgent, GbController, pack, read
from cloverleaf.road.controller_ntcip import CALL, Agent, NtcipController
from cloverleaf.road.fusion import fuse
from cloverleaf.road.priority import BUS, EMERGENCY, REST, Priority, Request, green_wave, stages_of_lanes
from cloverleaf.road.signals import SignalControllers
from cloverleaf.road.spool import Spool
from cloverleaf.road.unit import Unit
from cloverleaf.types.errors import DecodeError, InputError
from cloverleaf.types.frames import ObjectFrame
from cloverleaf.types.messages import AwarenessBatch, LightState
from cloverleaf.types.state import Kind

sys.path.insert(0, str(Path(__file__).parents[1] / "cloud"))


@pytest.fixture(scope="module")
def district():
    return load_district()[0]


def simulated(base_map, group: int = 0, control: str = "plan") -> SimulatedController:
    return SimulatedController(SignalControllers(base_map.graph, control=control), group)


def test_adapters_show_what_the_controller_shows(district) -> None:
    heads = int(district.graph.signal_links[0])
    agent, cabinet = Agent(simulated(district)), GbAgent(simulated(district), 7)
    ntcip, gb, plain = (
        NtcipController(agent.get, agent.put, heads),
        GbController(cabinet.answer, 7),
        simulated(district),
    )
    for k in range(300):
        t = 0.5 * k
        agent.time = cabinet.time = t
        a, b, c = plain.status(t), ntcip.status(t), gb.status(t)
        assert b.letters == a.letters.replace(b"g", b"G").replace(b"u", b"r") and c.letters == a.letters
        assert a.phase == b.phase == c.phase and a.next_phase == b.next_phase == c.next_phase
        for end, near, other in zip(a[2:5], b[2:5], c[2:5]):
            assert (math.isnan(end) and math.isnan(near) and math.isnan(other)) or (
                abs(end - near) <= 0.06 and abs(end - other) <= 0.06
            )


def test_a_stage_asked_for_comes_and_is_safe(district) -> None:
    cabinet = GbAgent(simulated(district), 7)
    gb = GbController(cabinet.answer, 7)
    cabinet.time = 0.0
    start = gb.status(0.0)
    wanted = next(p for p in stages_of_lanes(district.graph, 0).values() if p != start.phase)
    shown = []
    for k in range(400):
        cabinet.time = t = 0.1 * k
        gb.ask(wanted, t)
        shown.append(gb.status(t))
    assert shown[-1].phase == wanted
    for a, b in itertools.pairwise(shown):
        assert not any(x in "Gg" and y == "r" for x, y in zip(a.letters.decode(), b.letters.decode())), (
            "green never turns red at once"
        )


@given(st.integers(0, 65535), st.integers(0, 255), st.integers(0, 255), st.integers(0, 255), st.binary(max_size=200))
def test_gb_frames_round_trip(controller, sequence, kind, item, data) -> None:
    frame = Frame(controller, sequence, kind, item, data)
    assert read(pack(frame)) == frame


@given(st.binary(max_size=60))
def test_gb_frames_refuse_anything_else(data) -> None:
    with pytest.raises(DecodeError):
        read(data)


def test_broken_cabinets(district) -> None:
    heads = int(district.graph.signal_links[0])
    for values in ([], [0] * 20, [255] * 20, ["x"] * 20):
        with pytest.raises(DecodeError):
            NtcipController(lambda names, v=values: v, lambda name, value: None, heads).status(0.0)
    for answer in (b"", b"\x7e\x7d", pack(Frame(7, 9, 0x11, 1, b""))):
        with pytest.raises(DecodeError):
            GbController(lambda q, a=answer: a, 7).status(0.0)
    put: list[int] = []
    NtcipController(lambda names: [], lambda name, value: put.append(value) if name == CALL else None, heads).ask(
        3, 0.0
    )
    assert put == [3]


def test_emergency_first_then_buses_within_bounds() -> None:
    p = Priority()
    p.hear(Request(1, BUS, 2, 108.0, 100.0))
    assert p.wish(100.0, 0) == 2, "an early green for the bus"
    p.hear(Request(9, EMERGENCY, 4, 125.0, 100.0))
    assert p.wish(100.0, 0) == 4
    assert Priority().wish(0.0, 0) == -1
    held = Priority()
    shown = []
    for k in range(300):
        t = 0.1 * k
        held.hear(Request(1, BUS, 2, t + 5.0, t))  # a bus that never arrives
        shown.append(held.wish(t, 2))
    assert 90 <= shown.count(2) <= 110, "a green is prolonged by 10 s at most"
    served = Priority()
    served.hear(Request(1, BUS, 2, 1.0, 0.0))
    served.wish(0.0, 2)
    assert served.wish(4.0, 2) == -1
    served.hear(Request(2, BUS, 3, 12.0, 5.0))
    assert served.wish(5.0, 2) == -1, "the next bus does not change the order at once"
    served.hear(Request(3, BUS, 3, REST + 10.0, REST + 5.0))
    assert served.wish(REST + 5.0, 2) == 3


def test_green_wave_meets_a_platoon(district) -> None:
    g = district.graph
    groups, way = np.array([0, 1, 2]), [0.0, 300.0, 700.0]
    waved = green_wave(g, groups, way, 12.5)
    for group, d in zip(groups, way):
        first, end = g.signal_phase_start[group], g.signal_phase_start[group + 1]
        cycle = g.phase_duration[first:end].sum()
        assert (waved.signal_offset[group] - waved.signal_offset[0] - d / 12.5) % cycle == pytest.approx(0.0, abs=1e-6)


def detections(x, y, sigma: float, kind: int = 1) -> ObjectFrame:
    n = len(x)
    full = lambda v: np.full(n, float(v))  # noqa: E731
    return ObjectFrame(
        np.array([0, n]), full(0), np.array(x, float), np.array(y, float), full(0), full(5), full(0), full(4.5), full(1.8),
        np.full(n, kind, np.int32), full(sigma), full(1.0 - sigma),
    )  # fmt: skip


def test_two_sensors_are_one_list() -> None:
    one = fuse([detections([0, 20], [0, 0], 0.2), detections([0.5, 60.0], [0.1, 0.0], 0.4, kind=2)])
    assert len(one.x) == 3 and one.x[0] == pytest.approx(0.1, abs=1e-6) and one.sigma[0] < 0.2 and one.kind[0] == 1
    assert len(fuse([detections([], [], 0.1), detections([1], [1], 0.1)]).x) == 1
    two = fuse([detections([0, 1], [0, 0], 0.1), detections([0.2, 1.2], [0, 0], 0.1)])
    assert len(two.x) == 2, "each joins one"


def test_a_moved_sensor_is_noticed() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.uniform(-80, 80, 200), rng.uniform(-80, 80, 200)
    noise = lambda: rng.normal(0, 0.3, 200)  # noqa: E731
    good = check(x + noise(), y + noise(), x, y, 0.0, 0.0)
    assert good is not None and good.fits and good.residual < 0.6
    a = math.radians(2.0)
    turned = check(
        x * math.cos(a) - y * math.sin(a) + noise(), x * math.sin(a) + y * math.cos(a) + noise(), x, y, 0.0, 0.0
    )
    assert turned is not None and not turned.fits and turned.turn == pytest.approx(-a, abs=0.005)
    shifted = check(x + 1.5 + noise(), y + noise(), x, y, 0.0, 0.0)
    assert shifted is not None and not shifted.fits and shifted.shift_x == pytest.approx(-1.5, abs=0.15)
    assert check(x[:5], y[:5], x[:5], y[:5], 0.0, 0.0) is None


def test_what_waits_survives_a_restart_and_keeps_its_order(tmp_path) -> None:
    spool = Spool(tmp_path, most_bytes=50)
    for k in range(8):
        spool.put(bytes([k]) * 10)
    assert len(spool) == 5 and spool.dropped == 3
    again = Spool(tmp_path, most_bytes=50)
    got = []
    while len(again):
        got.append((again.first() or b"?")[0])
        again.done()
    assert got == [3, 4, 5, 6, 7]


def awareness(x: float, y: float, heading: float, kind: Kind, t: float) -> AwarenessBatch:
    one = np.ones(1)
    return AwarenessBatch(
        np.array([77]), one * t, one * x, one * y, one * heading, one * 8.0, 0 * one, 0 * one, one * 12, one * 2.5,
        np.array([int(kind)], np.int32), np.zeros(1, np.int32),
    )  # fmt: skip


def test_a_unit_tells_perceives_and_gives_way_to_an_ambulance(district) -> None:
    g = district.graph
    unit = Unit(district, 0, simulated(district))
    lane, phase = next(
        (k, p) for k, p in stages_of_lanes(g, unit.group).items() if p != unit.controller.status(0.0).phase
    )
    end = int(g.lane_point_start[lane + 1]) - 1
    seen = detections([g.point_x[end] - unit.x], [g.point_y[end] - unit.y], 0.3)
    for k in range(600):
        t = 0.1 * k
        ambulance = awareness(g.point_x[end], g.point_y[end], g.point_heading[end], Kind.EMERGENCY, t)
        said = unit.step(t, {"cam": seen._replace(time=np.array([t]))}, ambulance)
        if unit.status is not None and unit.status.phase == phase and unit.status.letters.count(b"y") == 0 and k > 50:
            break
    assert unit.status is not None and unit.status.phase == phase and t < 40.0
    assert len(said.spat.light) == g.signal_links[unit.group] and LightState.PROTECTED_GREEN in said.spat.light
    assert said.perception.object_start[-1] == 1 and said.topology.tolist() == [unit.station]


def test_a_silent_cabinet_does_not_silence_the_unit(district) -> None:
    unit = Unit(district, 1, GbController(lambda q: b"", 7))
    said = unit.step(1.0, {}, awareness(0, 0, 0, Kind.CAR, 1.0))
    assert "DecodeError" in unit.trouble and not len(said.spat.light)
    with pytest.raises(InputError):
        Unit(district, 99, simulated(district))
