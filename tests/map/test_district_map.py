"""The built-in district: what the design promises is on it, its plans fit, its demand has ways, and its parts join."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cloverleaf.map.district import DISTRICT_MAP, DISTRICT_SIGNALS, load_district
from cloverleaf.map.graph import BaseMap, JunctionKind, LaneKind
from cloverleaf.map.opendrive.check import check_map
from cloverleaf.map.opendrive.read import read_opendrive
from cloverleaf.map.query_check import check_graph


@pytest.fixture(scope="module")
def district() -> BaseMap:
    return load_district()[0]


def test_our_own_checks_find_nothing(district: BaseMap) -> None:
    assert check_map(read_opendrive(DISTRICT_MAP)) == []
    assert check_graph(district) == []


def test_it_has_what_the_design_promises(district: BaseMap) -> None:
    g = district.graph
    kinds = [JunctionKind(k) for k in g.junction_kind]
    assert kinds.count(JunctionKind.SIGNAL) == 3
    assert kinds.count(JunctionKind.ROUNDABOUT) == 4
    assert kinds[district.junction_ids.index("P")] == JunctionKind.PRIORITY
    present = {LaneKind(k) for k in g.lane_kind}
    assert present >= {
        LaneKind.BUS,
        LaneKind.BICYCLE,
        LaneKind.SIDEWALK,
        LaneKind.CROSSING,
        LaneKind.WALKING_AREA,
        LaneKind.PARKING,
    }
    school = [
        i for i, name in enumerate(district.lane_ids) if name.startswith("BN") and g.lane_kind[i] == LaneKind.DRIVING
    ]
    assert np.allclose(g.lane_speed[school], 30 / 3.6)
    assert sum(name.startswith("stop.") for name in district.stop_ids) == 8
    assert sum(name.startswith("space.") for name in district.stop_ids) == 48
    assert g.edge_roundabout.sum() == 4


def test_ways_join_without_gaps(district: BaseMap) -> None:
    g = district.graph
    feet = (LaneKind.WALKING_AREA, LaneKind.CROSSING, LaneKind.SIDEWALK)
    for k in range(len(g.link_from)):
        if g.lane_kind[g.link_from[k]] in feet:
            continue
        onward = g.link_via[k] if g.link_via[k] >= 0 else g.link_to[k]
        a, b = g.lane_point_start[g.link_from[k] + 1] - 1, g.lane_point_start[onward]
        assert np.hypot(g.point_x[a] - g.point_x[b], g.point_y[a] - g.point_y[b]) < 0.01


def test_of_two_foes_exactly_one_yields(district: BaseMap) -> None:
    g = district.graph
    owner = np.repeat(np.arange(len(g.link_from)), np.diff(g.link_foe_start))
    normal = g.edge_internal[g.lane_edge[g.link_from[owner]]] == 0
    rule = {(int(a), int(b)): int(y) for a, b, y in zip(owner[normal], g.foe_link[normal], g.foe_yield[normal])}
    assert len(rule) > 500
    for (a, b), yields in rule.items():
        assert rule[b, a] + yields == 1
    for a, b in rule:
        assert g.link_junction[a] == g.link_junction[b]


def test_no_two_crossing_ways_are_both_fully_green(district: BaseMap) -> None:
    """Whatever shows G has no foe that shows G at the same time, and people on foot meet only vehicles that must yield."""
    g = district.graph
    owner = np.repeat(np.arange(len(g.link_from)), np.diff(g.link_foe_start))

    def light(group: int, index: int, phase: int) -> str:
        return chr(g.phase_state[g.phase_state_start[phase] + index])

    for a, b in zip(owner, g.foe_link):
        group = g.link_signal[a]
        if group < 0 or g.link_signal[b] != group:
            continue
        for phase in range(g.signal_phase_start[group], g.signal_phase_start[group + 1]):
            both = light(group, g.link_signal_index[a], phase) + light(group, g.link_signal_index[b], phase)
            assert both != "GG", (district.lane_ids[g.link_from[a]], district.lane_ids[g.link_from[b]], phase)
    for c in range(len(g.crossing_lane)):
        group, link = g.crossing_signal[c], g.crossing_link[c]
        if group < 0 or g.link_signal[link] < 0:
            continue
        for phase in range(g.signal_phase_start[group], g.signal_phase_start[group + 1]):
            both = light(group, g.crossing_signal_index[c], phase) + light(group, g.link_signal_index[link], phase)
            assert both != "GG", (district.lane_ids[g.crossing_lane[c]], district.lane_ids[g.link_from[link]], phase)


def test_every_signalised_way_gets_green(district: BaseMap) -> None:
    g = district.graph
    for k in np.flatnonzero(g.link_signal >= 0):
        group = g.link_signal[k]
        phases = range(g.signal_phase_start[group], g.signal_phase_start[group + 1])
        letters = {chr(g.phase_state[g.phase_state_start[p] + g.link_signal_index[k]]) for p in phases}
        assert letters & {"G", "g"}, district.lane_ids[g.link_from[k]]
    assert json.loads(DISTRICT_SIGNALS.read_text())["junctions"].keys() == {"A", "B", "C"}


def test_the_demand_has_ways(district: BaseMap) -> None:
    from cloverleaf.scenario.demand.flow_table import read_flow_table
    from cloverleaf.scenario.demand.sample import sample_demand

    demand = sample_demand(district, read_flow_table(district, load_district()[1]), seed=1, end=600.0)
    assert len(demand.trips.depart) > 800
    assert len(demand.walks.depart) > 80
    light = np.isin(demand.types.kind[demand.trips.vtype], [5, 6]).sum() + len(demand.walks.depart)
    assert 0.2 < light / (len(demand.trips.depart) + len(demand.walks.depart)) < 0.4
