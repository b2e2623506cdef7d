"""Roadside units: SPAT content, tracks, recognition of announced cars, commands of the cloud."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.naive.road import NaiveTracker, head_change

from cloverleaf.map.io.sumo_net import read_sumo_net
from cloverleaf.road.broadcast import LIGHTS
from cloverleaf.road.roadside import Roadside
from cloverleaf.road.tracker import empty_tracks, track
from cloverleaf.types.errors import StudyError
from cloverleaf.types.frames import ObjectFrame
from cloverleaf.types.messages import RSU_STATION_BASE, AwarenessBatch, LightState, MessageKind, Received
from cloverleaf.types.signals import SignalCommand

NETS = Path(__file__).parents[3] / "shared" / "nets"
CROSS = NETS / "micro" / "signal_4leg" / "signal_4leg.net.xml"

pytestmark = pytest.mark.skipif(not CROSS.exists(), reason="the nets of ../shared are not here")

NO_WISH = SignalCommand(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0))


def _frame(objects=(), units=1, t=0.0):
    """Detections of unit 0: tuples (x, y, vx, vy, kind) in the unit's frame."""
    n = len(objects)
    cols = np.array(objects, float).reshape(n, 5).T
    start = np.array([0] + [n] * units, np.int64)
    return ObjectFrame(
        start, np.full(n, t), cols[0], cols[1], np.arctan2(cols[3], cols[2]), cols[2], cols[3], np.full(n, 4.5), np.full(n, 1.8),
        cols[4].astype(np.int32), np.full(n, 0.3), np.ones(n),
    )  # fmt: skip


def _inbox(stations, cars=()):
    """Everyone hears all announcements: tuples (station, x, y, heading, speed, time)."""
    n = len(cars)
    cols = np.array(cars, float).reshape(n, 6).T
    zero, i32 = np.zeros(n), np.zeros(n, np.int32)
    awareness = AwarenessBatch(
        cols[0].astype(np.int64),
        cols[5],
        cols[1],
        cols[2],
        cols[3],
        cols[4],
        zero,
        zero,
        zero + 4.5,
        zero + 1.8,
        i32 + 1,
        i32,
    )
    pairs = n * len(stations)
    return Received(
        stations, np.arange(len(stations) + 1, dtype=np.int64) * n, np.full(pairs, MessageKind.AWARENESS, np.int32),
        np.tile(np.arange(n, dtype=np.int32), len(stations)), np.zeros(pairs), awareness, None, None, None, None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def cross():
    return read_sumo_net(CROSS)


def test_units_stand_at_the_signals():
    base = read_sumo_net(NETS / "tavf_hamburg" / "network.net.xml.gz")
    road = Roadside(base)
    assert len(road.stations) == 43 and (road.stations == RSU_STATION_BASE + np.arange(43)).all()
    one = int(np.flatnonzero(road.rsu_group == base.signal_ids.index("121"))[0])
    junction = base.junction_ids.index("121")
    assert (road.rsu_x[one], road.rsu_y[one]) == (base.graph.junction_x[junction], base.graph.junction_y[junction])
    assert len(Roadside(base, units="none").stations) == 0
    with pytest.raises(StudyError, match="'actuatd' does not exist"):
        Roadside(base, control="actuatd")


def test_spat_of_a_fixed_plan_tells_the_future_exactly(cross):
    road, g = Roadside(cross), cross.graph
    states = [bytes(g.phase_state[a:b]).decode() for a, b in zip(g.phase_state_start[:-1], g.phase_state_start[1:])]
    durations = g.phase_duration.tolist()
    for k in range(1000):
        t = k * 0.25
        said = road.step(_frame(), _inbox(road.stations), NO_WISH, t)
        index = int(said.signals.phase[0])
        remaining = said.signals.since[0] + durations[index] - t
        assert bytes(said.signals.light).decode() == states[index]
        for head in range(len(states[0])):
            wait, after, end = head_change(states, durations, index, remaining, head)
            assert said.spat.light[head] == LIGHTS[ord(states[index][head])]
            for column in (said.spat.min_end, said.spat.likely_end, said.spat.max_end):
                assert column[head] == pytest.approx(t + wait)
            assert said.spat.next_light[head] == LIGHTS[ord(after)] and said.spat.next_end[head] == pytest.approx(
                t + end
            )


def test_spat_in_free_choice_promises_only_what_it_keeps(cross):
    road = Roadside(cross, control="max_pressure")
    rng = np.random.default_rng(4)
    promised, kept = {}, 0
    for k in range(1500):
        t = k * 0.2
        road._count = rng.integers(0, 9, len(cross.lane_ids)).astype(float)
        road._counted = t
        said = road.step(_frame(), _inbox(road.stations), NO_WISH, t)
        for head, light in enumerate(said.spat.light):
            if head in promised and promised[head][0] != light:
                _, least, following = promised[head]
                assert t >= least - 1e-6
                if following:
                    assert light == following
                kept += 1
            promised[head] = (light, said.spat.min_end[head], said.spat.next_light[head])
    assert kept > 50


def test_tracks_equal_the_naive_tracker():
    rng = np.random.default_rng(9)
    tracks, naive = empty_tracks(1), NaiveTracker()
    objects = [(rng.uniform(-60, 60, 2), rng.normal(0, 6, 2), int(rng.choice([1, 3, 7]))) for _ in range(25)]
    for k in range(120):
        t = k * 0.1
        seen = [
            (*(p + v * t + rng.normal(0, 0.3, 2)), *(v + rng.normal(0, 0.3, 2)), kind)
            for p, v, kind in objects
            if rng.random() > 0.2
        ]
        frame = _frame(seen, t=t)
        track(tracks, frame, np.zeros(1), np.zeros(1), t)
        naive.step([{"time": t, "x": o[0], "y": o[1], "vx": o[2], "vy": o[3], "kind": o[4]} for o in seen], t)
        mine = {int(i): slot for slot, i in enumerate(tracks.id[0]) if i}
        assert sorted(mine) == sorted(k["id"] for k in naive.tracks)
        for other in naive.tracks:
            slot = mine[other["id"]]
            assert slot == other["slot"]
            assert (tracks.x[0, slot], tracks.y[0, slot]) == pytest.approx((other["x"], other["y"]), abs=1e-9)
            assert (tracks.vx[0, slot], tracks.hits[0, slot]) == pytest.approx((other["vx"], other["hits"]), abs=1e-9)


def test_a_track_keeps_its_id_and_gets_better_than_its_detections():
    rng = np.random.default_rng(3)
    tracks, errors, raw, ids = empty_tracks(1), [], [], set()
    for k in range(200):
        t, x = k * 0.1, -80.0 + 10.0 * k * 0.1
        noisy = x + rng.normal(0, 0.5)
        track(tracks, _frame([(noisy, rng.normal(0, 0.5), 10.0, 0.0, 1)], t=t), np.zeros(1), np.zeros(1), t)
        ids.add(int(tracks.id[0, 0]))
        if k > 20:
            errors.append(tracks.x[0, 0] - x)
            raw.append(noisy - x)
    assert ids == {1} and np.std(errors) < 0.85 * np.std(raw)


def test_shared_objects_name_the_station_that_announced_itself(cross):
    road = Roadside(cross)
    x0, y0 = float(road.rsu_x[0]), float(road.rsu_y[0])
    for k in range(6):
        t = k * 0.1
        seen = [(-30.0 + t * 8, -1.6, 8.0, 0.0, 1), (0.0, 25.0 - t, 0.0, -1.0, 7)]
        cars = [(77, x0 - 30.0 + t * 8 + 0.4, y0 - 1.3, 0.0, 8.0, t), (78, x0 + 60.0, y0, 0.0, 8.0, t)]
        said = road.step(_frame(seen, t=t), _inbox(road.stations, cars), NO_WISH, t)
    p = said.perception
    assert p.object_station.tolist() == [77, -1] and p.kind.tolist() == [1, 7]
    assert p.x == pytest.approx([x0 - 26.0, x0], abs=0.3) and p.speed == pytest.approx([8.0, 1.0], abs=0.3)
    assert p.object_start.tolist() == [0, 2] and (p.object_id > 0).all()


def test_vehicles_are_counted_on_their_lanes(cross):
    road, g = Roadside(cross), cross.graph
    lane = cross.lane_ids.index("wc_0")
    a = g.lane_point_start[lane]
    x, y = g.point_x[a + 1] - 20.0 - road.rsu_x[0], g.point_y[a] - road.rsu_y[0]
    for k in range(4):
        road.perception.step(
            _frame([(x, y, 0.5, 0.0, 1), (x, y + 3.0, 1.0, 0.0, 7)], t=k * 0.1), _inbox(road.stations), k * 0.1
        )
    count = road.perception.lane_counts()
    assert count[lane] == 1.0 and count.sum() == 1.0


def test_a_wish_that_a_newer_one_overtook_is_ignored(cross):
    def phase_after(made: list[float]) -> int:
        """The phase at the end, where wishes for phases 2 and 0 by turns were made at these moments."""
        road = Roadside(cross)
        for k in range(140):
            t = k * 0.5
            wish = NO_WISH
            if k >= 100:
                both = np.zeros(2, np.int32)
                wish = SignalCommand(both, np.array([2, 0], np.int32), t + np.array(made))
            state = road.step(_frame(), _inbox(road.stations), wish, t).signals
        return int(state.phase[0])

    assert phase_after([0.0, -0.1]) == 2 and phase_after([-0.1, 0.0]) == 0


def test_wishes_of_the_cloud_are_served_and_forgotten(cross):
    road = Roadside(cross)
    stages = np.flatnonzero(road.controllers.plan.is_stage)
    assert stages.tolist() == [0, 2]

    def run(t, phase):
        wish = (
            SignalCommand(np.array([0], np.int32), np.array([phase], np.int32), np.array([t]))
            if phase is not None
            else NO_WISH
        )
        return road.step(_frame(), _inbox(road.stations), wish, t).signals

    for k in range(130):
        assert run(k * 0.5, 0).phase[0] == 0  # its own plan would have left at 42 s
    for k in range(130, 150):
        state = run(k * 0.5, 2)
    assert state.phase[0] == 2
    for k in range(150, 190):
        state = run(k * 0.5, 1)  # a yellow is no stage: not a wish, and the cloud falls silent
    assert road.controllers.memory.mode[0] == road.controllers.own_mode[0]
    lights = {bytes(run(k * 0.5, None).light) for k in range(190, 400)}
    assert len(lights) == 4  # the plan runs again


def test_actuated_control_of_a_fixed_plan_follows_the_loops(cross):
    road = Roadside(cross, control="actuated")
    loops = np.full(len(cross.lane_ids), -1e18)
    west = [cross.lane_ids.index(n) for n in ("wc_0", "wc_1", "ec_0", "ec_1")]
    shown = []
    for k in range(600):
        loops[west] = k * 0.5
        shown.append(int(road.step(_frame(), _inbox(road.stations), NO_WISH, k * 0.5, loops).signals.phase[0]))
    shown = np.array(shown)
    assert (shown == 2).mean() > 0.7 and (shown == 0).mean() < 0.15


def test_lights_map_to_the_standard():
    assert [LIGHTS[ord(c)] for c in "rygGuO"] == [
        LightState.RED, LightState.YELLOW, LightState.PERMISSIVE_GREEN, LightState.PROTECTED_GREEN, LightState.RED, LightState.DARK,
    ]  # fmt: skip
