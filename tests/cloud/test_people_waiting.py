"""Network control counts people at crosswalks: against a plain loop, on the built-in district."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.cloud.services.signal_control import SignalControl, people_waiting
from cloverleaf.cloud.twin import Tracks
from cloverleaf.map.district import load_district
from cloverleaf.map.graph import LaneKind
from cloverleaf.types.state import Kind


def _tracks(x, y, speed, wait, kind, shadow) -> Tracks:
    n = len(x)
    zero = np.zeros(n)
    return Tracks(
        np.full(n, -1, np.int64), zero, x, y, zero, speed, zero, zero, zero + 0.5, zero + 0.5, zero, wait,
        kind.astype(np.int32), shadow.astype(np.uint8), np.full(n, -1, np.int32), zero,
    )  # fmt: skip


def test_people_count_for_the_phases_that_let_them_walk():
    graph = load_district()[0].graph
    service, rng = SignalControl(load_district()[0]), np.random.default_rng(4)
    crossings = {
        int(graph.link_to[k])
        for k in np.flatnonzero(graph.link_signal >= 0)
        if graph.lane_kind[graph.link_to[k]] == LaneKind.CROSSING
    }
    ends = [
        (float(graph.point_x[p]), float(graph.point_y[p]), lane)
        for lane in sorted(crossings)
        for p in (graph.lane_point_start[lane], graph.lane_point_start[lane + 1] - 1)
    ]
    near = rng.integers(0, len(ends), 80)
    x = np.array([ends[e][0] for e in near]) + rng.uniform(-6.0, 6.0, 80)
    y = np.array([ends[e][1] for e in near]) + rng.uniform(-6.0, 6.0, 80)
    speed, wait = rng.choice([0.0, 0.3, 1.3], 80), rng.uniform(0.0, 150.0, 80)
    kind, shadow = rng.choice([int(Kind.PEDESTRIAN), int(Kind.CAR)], 80), rng.choice([0, 0, 0, 1], 80)
    phases = len(graph.phase_duration)
    got = people_waiting(_tracks(x, y, speed, wait, kind, shadow), service.walks, phases)

    expected = [0.0] * phases
    for i in range(80):
        if kind[i] != Kind.PEDESTRIAN or shadow[i] or speed[i] >= 0.6:
            continue
        distance, lane = min((math.dist((x[i], y[i]), end[:2]), end[2]) for end in ends)
        if distance >= 5.0:
            continue
        for g in range(len(graph.signal_links)):
            for p in range(graph.signal_phase_start[g], graph.signal_phase_start[g + 1]):
                letters = bytes(graph.phase_state[graph.phase_state_start[p] : graph.phase_state_start[p + 1]]).decode()
                heads = {
                    int(graph.link_signal_index[k])
                    for k in range(len(graph.link_to))
                    if graph.link_signal[k] == g and graph.link_to[k] == lane
                }
                if any(letters[h] in "Gg" for h in heads):
                    expected[p] += 0.5 * (1.0 + min(wait[i], 120.0) / 20.0)
    np.testing.assert_allclose(got, expected, rtol=1e-12)
    assert got.max() > 0.0 and service.walk_phase.any() and not service.walk_phase.all()


def test_people_never_get_green_in_the_middle_of_a_stage():
    base_map = load_district()[0]
    service = SignalControl(base_map)
    first = int(base_map.graph.signal_phase_start[0])
    walking, driving, across = first, first + 1, first + 7  # with walkers, the same without, the other road
    assert service._keeps_all(0, driving, walking) and not service._keeps_all(0, walking, driving)
    assert not service._keeps_all(0, driving, across)
    service.current[0], service.since[0] = driving, 0.0
    pressure = np.zeros(len(base_map.graph.phase_duration))
    pressure[[walking, driving]] = 30.0, 3.0
    assert service._choose(0, pressure, 20.0) == driving  # those who turn are on their way
    pressure[across] = 5.0
    assert service._choose(0, pressure, 20.0) == driving  # gains less than a change costs
    pressure[across] = 6.5
    assert service._choose(0, pressure, 20.0) == across
    service.current[0] = across
    assert service._choose(0, pressure, 20.0) == walking
