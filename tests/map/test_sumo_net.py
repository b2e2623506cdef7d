"""SUMO nets: counts, links, right of way, plans and geometry against the XML itself."""

from __future__ import annotations

import math
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tests.naive import sumo_net as naive

from cloverleaf.map.census import require_supported
from cloverleaf.map.conflict import conflict_areas
from cloverleaf.map.graph import JunctionKind, LaneKind, VehicleClass
from cloverleaf.map.io.sumo_classes import permission_bits
from cloverleaf.map.io.sumo_net import read_sumo_net
from cloverleaf.map.summary import summarize
from cloverleaf.types.errors import MapError

NETS = Path(__file__).parents[3] / "shared" / "nets"
ALL = sorted(NETS.rglob("*.net.xml*"))

pytestmark = pytest.mark.skipif(not ALL, reason="the nets of ../shared are not here")


@pytest.fixture(scope="module", params=ALL, ids=lambda p: p.parent.name)
def net(request):
    return read_sumo_net(request.param), naive.parse(request.param)


def test_counts_follow_the_xml(net):
    base, root = net
    g = base.graph
    assert len(base.lane_ids) == len(root.findall("edge/lane")) == len(g.lane_edge)
    assert len(base.edge_ids) == len(root.findall("edge"))
    assert len(g.link_from) == len(root.findall("connection"))
    assert len(base.junction_ids) == sum(j.get("type") != "internal" for j in root.iterfind("junction"))
    assert len(base.signal_ids) == len({t.get("id") for t in root.iterfind("tlLogic")})
    assert (np.diff(g.edge_lane_start) >= 1).all() and g.edge_lane_start[-1] == len(g.lane_edge)


def test_lanes_carry_their_values(net):
    base, root = net
    g = base.graph
    row = {name: i for i, name in enumerate(base.lane_ids)}
    for lane in root.iterfind("edge/lane"):
        i = row[lane.get("id")]
        points = [tuple(map(float, p.split(","))) for p in lane.get("shape").split()]
        declared, drawn = float(lane.get("length")), sum(math.dist(p[:2], q[:2]) for p, q in pairwise(points))
        too_long = drawn > 1.0 and declared > 1.25 * drawn  # a queue would not fit on the drawing
        assert g.lane_length[i] == pytest.approx(drawn if too_long else declared, abs=0 if not too_long else 1e-9)
        assert g.lane_speed[i] == float(lane.get("speed"))
        mine = slice(g.lane_point_start[i], g.lane_point_start[i + 1])
        assert [(x, y) for x, y in zip(g.point_x[mine], g.point_y[mine])] == [p[:2] for p in points]
        assert g.point_s[mine][0] == 0.0 and g.point_s[mine][-1] == g.lane_length[i]
    left = np.flatnonzero(g.lane_left >= 0)
    assert (g.lane_right[g.lane_left[left]] == left).all() and (
        g.lane_edge[g.lane_left[left]] == g.lane_edge[left]
    ).all()


def test_links_lead_where_the_connections_lead(net):
    base, root = net
    g = base.graph
    lanes = {e.get("id"): [lane.get("id") for lane in e.iterfind("lane")] for e in root.iterfind("edge")}
    named = sorted((lanes[c.get("from")][int(c.get("fromLane"))], lanes[c.get("to")][int(c.get("toLane"))], c.get("via") or "")
                   for c in root.iterfind("connection"))  # fmt: skip
    read = sorted(
        (base.lane_ids[a], base.lane_ids[b], base.lane_ids[v] if v >= 0 else "")
        for a, b, v in zip(g.link_from, g.link_to, g.link_via)
    )
    assert read == named
    assert (np.diff(g.link_from) >= 0).all()
    for k in np.flatnonzero(g.edge_internal[g.lane_edge[g.link_from]] == 0):
        lane, length = g.link_via[k], 0.0
        while lane >= 0:
            assert g.lane_internal_link[lane] == k
            length += g.lane_length[lane]
            onward = g.lane_link_start[lane]
            assert g.link_to[onward] == g.link_to[k]
            lane = g.link_via[onward]
        assert g.link_length[k] == pytest.approx(length)


def test_foes_are_those_of_the_requests(net):
    base, root = net
    g = base.graph
    owner = np.repeat(np.arange(len(g.link_from)), np.diff(g.link_foe_start))
    normal = g.edge_internal[g.lane_edge[g.link_from]] == 0
    name = [(base.lane_ids[a], base.lane_ids[b]) for a, b in zip(g.link_from, g.link_to)]
    read = {(name[k], name[f], bool(y)) for k, f, y in zip(owner, g.foe_link, g.foe_yield) if normal[k]}
    expected = naive.foe_pairs(root)
    assert expected <= read
    # What goes beyond the requests are merges into one lane, and the other half of one-sided requests.
    sides = {(a, b) for a, b, _ in expected} | {(b, a) for a, b, _ in expected}
    assert all((a, b) in sides or a[1] == b[1] for a, b, _ in read)
    pairs = {(k, f) for k, f in zip(owner, g.foe_link) if normal[k]}
    assert (pairs and all((f, k) in pairs for k, f in pairs)) or not expected


def test_conflict_areas_lie_on_their_lanes(net):
    g = net[0].graph
    for lane, begin, end in (
        (g.foe_own_lane, g.foe_own_begin, g.foe_own_end),
        (g.foe_other_lane, g.foe_other_begin, g.foe_other_end),
    ):
        known = lane >= 0
        assert (begin[known] <= end[known]).all() and (begin[known] >= 0).all()
        assert (end[known] <= g.lane_length[lane[known]] + 1e-6).all()
        assert (g.lane_kind[lane[known]] == LaneKind.INTERNAL).all()
    owner = np.repeat(np.arange(len(g.link_from)), np.diff(g.link_foe_start))
    merge = (g.link_to[owner] == g.link_to[g.foe_link]) & (g.foe_own_lane >= 0)
    last = g.lane_internal_link[g.foe_own_lane[merge]] >= 0
    assert last.all()
    reaches = g.foe_own_end[merge] >= g.lane_length[g.foe_own_lane[merge]] - 0.3
    assert reaches.mean() > 0.95 if merge.any() else True


def test_conflict_kernel_equals_the_naive_search(net):
    g = net[0].graph
    rng = np.random.default_rng(7)
    known = np.flatnonzero(g.foe_own_lane >= 0)
    for n in rng.choice(known, min(12, len(known)), replace=False) if len(known) else ():
        a, b = g.foe_own_lane[n], g.foe_other_lane[n]
        line = [
            list(
                zip(*(c[g.lane_point_start[i] : g.lane_point_start[i + 1]] for c in (g.point_x, g.point_y, g.point_s)))
            )
            for i in (a, b)
        ]
        for clearance in (1.0, 2.7):
            got = conflict_areas(g.lane_point_start, g.point_x, g.point_y, g.point_s, np.array([a], np.int32),
                                 np.array([b], np.int32), np.array([clearance]))[0]  # fmt: skip
            want = naive.conflict_area(line[0], line[1], clearance)
            assert (got[0] > got[1]) == (want is None)
            if want:
                assert got[:2] == pytest.approx(want, abs=1e-6)


def test_plans_follow_the_xml(net):
    base, root = net
    g = base.graph
    last = {t.get("id"): t for t in root.iterfind("tlLogic")}
    for group, name in enumerate(base.signal_ids):
        rows = range(g.signal_phase_start[group], g.signal_phase_start[group + 1])
        phases = last[name].findall("phase")
        assert len(rows) == len(phases) and g.signal_actuated[group] == (last[name].get("type") == "actuated")
        for p, phase in zip(rows, phases):
            letters = bytes(g.phase_state[g.phase_state_start[p] : g.phase_state_start[p + 1]]).decode()
            assert letters == phase.get("state") and len(letters) == g.signal_links[group]
            assert g.phase_duration[p] == float(phase.get("duration"))
            assert g.phase_min[p] == float(phase.get("minDur", phase.get("duration"))) <= g.phase_max[p]


def test_nothing_in_the_nets_is_unsupported(net):
    base, _ = net
    assert require_supported(base.census) == ()
    facts = summarize(base)
    assert facts["lanes"] and facts["links"] == len(base.graph.link_from)


def test_hamburg_loads_within_a_second():
    read_sumo_net(NETS / "tavf_hamburg/network.net.xml.gz")
    best = min(_timed(NETS / "tavf_hamburg/network.net.xml.gz") for _ in range(3))
    assert best < 1.0


def _timed(path):
    begin = time.process_time()
    read_sumo_net(path)
    return time.process_time() - begin


def test_additional_files_replace_programs_and_add_stops():
    folder = NETS / "bologna_pasubio"
    plain = read_sumo_net(folder / "pasubio_buslanes.net.xml.gz")
    files = [folder / f"pasubio_{n}.add.xml" for n in ("bus_stops", "tls", "detectors")]
    full = read_sumo_net(folder / "pasubio_buslanes.net.xml.gz", files)
    assert full.signal_ids == plain.signal_ids and len(full.graph.phase_duration) == 114 != len(
        plain.graph.phase_duration
    )
    assert len(full.stop_ids) == 25
    detectors = [row for row in full.census if row.element == "e1Detector"]
    assert detectors[0].status == "ignored" and detectors[0].count == 64
    assert require_supported(full.census) == ()


def test_crossing_has_priority_over_both_directions():
    base = read_sumo_net(NETS / "micro/ped_crossing/ped_crossing.net.xml")
    g = base.graph
    assert [base.lane_ids[c] for c in g.crossing_lane] == [":m_c0_0"] * 2
    assert sorted(base.lane_ids[g.link_from[k]] for k in g.crossing_link) == ["em_1", "wm_1"]
    assert (g.crossing_has_priority == 1).all() and (g.crossing_signal == -1).all()
    assert g.crossing_link_begin == pytest.approx([0.0, 0.0]) and g.crossing_link_end == pytest.approx([4.0, 4.0])


def test_roundabout_and_junction_kinds():
    base = read_sumo_net(NETS / "micro/roundabout/roundabout.net.xml")
    assert base.graph.edge_roundabout.sum() == 4
    assert (base.graph.junction_kind == JunctionKind.ROUNDABOUT).sum() == 4


def test_permissions():
    assert permission_bits(None, None) == VehicleClass.ALL
    assert permission_bits("bus taxi", None) == VehicleClass.BUS | VehicleClass.TAXI
    assert not permission_bits(None, "pedestrian bus") & (VehicleClass.PEDESTRIAN | VehicleClass.BUS)
    assert permission_bits(None, "all") == 0
    with pytest.raises(KeyError):
        permission_bits("buss", None)


def test_unsupported_stops_unless_allowed(tmp_path):
    source = (NETS / "micro/signal_4leg/signal_4leg.net.xml").read_text()
    path = tmp_path / "left.net.xml"
    path.write_text(source.replace("<net ", '<net lefthand="true" ', 1))
    base = read_sumo_net(path)
    with pytest.raises(MapError, match=r"left\.net\.xml:\d+:net@lefthand: not supported"):
        require_supported(base.census)
    assert [row.element for row in require_supported(base.census, allow=("net@lefthand",))] == ["net@lefthand"]
