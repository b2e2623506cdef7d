"""Broken demand: SUMO files, configurations and flow tables; one error with file, line and element each."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.naive.tiny_net import GOOD as NET

from cloverleaf.map.census import require_supported
from cloverleaf.map.io.sumo_net import read_sumo_net
from cloverleaf.scenario.demand.flow_table import TYPES, read_flow_table
from cloverleaf.scenario.demand.sample import sample_demand
from cloverleaf.scenario.demand.sumo_config import read_sumocfg
from cloverleaf.scenario.demand.sumo_routes import read_sumo_routes
from cloverleaf.types.errors import CloverleafError, DemandError, StudyError

ROUTES = """<routes>
<vType id="car" vClass="passenger" accel="2.0" speedFactor="normc(1,0.1,0.2,2)"/>
<vTypeDistribution id="mix"><vType id="x" probability="0.7"/><vType id="y" probability="0.3" vClass="truck"/></vTypeDistribution>
<route id="r" edges="a b"/>
<vehicle id="v" type="car" route="r" depart="1"/>
<trip id="t" type="mix" from="a" to="b" depart="0:00:02" departLane="best" departSpeed="max" arrivalPos="-10"/>
<flow id="f" type="mix" from="a" to="b" begin="0" end="60" vehsPerHour="360"/>
<flow id="p" route="r" begin="0" end="60" period="exp(0.5)"/>
<vehicle id="s" route="r" depart="5"><stop lane="b_0" startPos="10" endPos="20" duration="7"/></vehicle>
</routes>
"""

CASES = [
    ('edges="a b"', 'edges="a c"', r":4:route r: edge 'c' does not exist"),
    ('edges="a b"', 'edges="b a"', r"r\.rou\.xml:\d+:\S+: the route is broken after 'b' at 'a'"),
    ('route="r" depart="1"', 'route="q" depart="1"', r":5:vehicle v: route 'q' does not exist"),
    ('type="car" route', 'type="caar" route', r":5:vehicle v: vehicle type 'caar' does not exist"),
    ('from="a" to="b" depart', 'from="b" to="a" depart', r":6:t: no way leads from 'b' to 'a'"),
    ('depart="1"', 'depart="nan"', r":5:vehicle v: attribute depart='nan' is not a finite number"),
    ('depart="0:00:02"', 'depart="0:xx:02"', r":6:trip t: depart='0:xx:02' is not a time"),
    ('departLane="best"', 'departLane="bst"', r":6:trip t: departLane='bst' is not supported"),
    ('departLane="best"', 'departLane="4"', r":6:t: edge 'a' has no lane 4"),
    ('vehsPerHour="360"', 'vehsPerHour="-1"', r":7:flow f: vehsPerHour='-1' is negative"),
    ('vehsPerHour="360"', "", r":7:flow f: a flow needs period"),
    ('begin="0" end="60" vehs', 'begin="90" end="60" vehs', r":7:flow f: a flow from 90 s to 60 s"),
    ("exp(0.5)", "exp(-2)", r":8:flow p: period='exp\(-2\)' is not exp"),
    ('accel="2.0"', 'accel="0"', r":2:vType car: accel='0' must be greater"),
    ('vClass="truck"', 'vClass="truk"', r":3:vType y: vClass 'truk' is not supported"),
    ("normc(1,0.1,0.2,2)", "gauss(1)", r":2:vType car: speedFactor='gauss\(1\)' is not understood"),
    ('lane="b_0"', 'lane="b_1"', r":9:stop: lane 'b_1' does not exist"),
    ('endPos="20"', 'endPos="200"', r":9:stop: endPos='200' is off its lane"),
    (' duration="7"', "", r":9:stop: a stop needs 'duration' or 'until'"),
    ('id="t" type', 'id="v" type', r":6:trip v: this id is used twice"),
    ("</routes>", "", r"not well-formed XML"),
]


def _demand(tmp_path, text, seed=1):
    net, routes = tmp_path / "x.net.xml", tmp_path / "r.rou.xml"
    net.write_text(NET)
    routes.write_text(text)
    base = read_sumo_net(net)
    plan = read_sumo_routes(base, [routes])
    return plan, sample_demand(base, plan, seed=seed, end=60.0)


def test_the_good_demand_is_good(tmp_path):
    plan, demand = _demand(tmp_path, ROUTES)
    ids = list(demand.trip_ids)
    t = demand.trips
    assert require_supported(plan.census, error=DemandError) == ()
    assert sum(i.startswith("f.") for i in ids) == 6 and t.depart[[ids.index("v"), ids.index("t")]].tolist() == [
        1.0,
        2.0,
    ]
    assert t.arrival_pos[ids.index("t")] == 88.0 and t.arrival_pos[ids.index("v")] == -1.0
    stop = demand.trips.stop_start[ids.index("s")]
    assert (demand.stops.start_pos[stop], demand.stops.end_pos[stop], demand.stops.duration[stop]) == (10.0, 20.0, 7.0)
    assert sum(i.startswith("p.") for i in ids) == pytest.approx(30, abs=20)


@pytest.mark.parametrize(("old", "new", "message"), CASES, ids=[c[1][:24] or c[0][:20] for c in CASES])
def test_faults_are_named(tmp_path, old, new, message):
    assert old in ROUTES
    with pytest.raises(DemandError) as caught:
        _demand(tmp_path, ROUTES.replace(old, new, 1))
    assert re.search(message, str(caught.value)), str(caught.value)


def test_what_would_change_the_result_stops(tmp_path):
    plan, _ = _demand(tmp_path, ROUTES.replace('duration="7"', 'duration="7" triggered="person"'))
    with pytest.raises(DemandError, match="stop@triggered"):
        require_supported(plan.census, error=DemandError)
    require_supported(plan.census, allow=("stop@triggered",), error=DemandError)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_raises_only_our_errors(tmp_path, data):
    text = ROUTES
    for _ in range(data.draw(st.integers(1, 2))):
        values = re.findall(r'"([^"]*)"', text)
        old = data.draw(st.sampled_from(values)) if values else "x"
        new = data.draw(
            st.sampled_from(["", "nan", "inf", "-5", "a", "a b", "b", "0", "1e400", "exp()", "norm()", "::", "max"])
        )
        text = text.replace(f'"{old}"', f'"{new}"', 1)
        if data.draw(st.integers(0, 5)) == 0:
            text = text[: data.draw(st.integers(1, len(text)))]
    try:
        _demand(tmp_path, text)
    except CloverleafError as error:
        assert str(error)


def _config(tmp_path, body):
    (tmp_path / "x.net.xml").write_text(NET)
    (tmp_path / "r.rou.xml").write_text(ROUTES)
    path = tmp_path / "run.sumocfg"
    path.write_text(f"<configuration>{body}</configuration>")
    return path


def test_configurations(tmp_path):
    good = '<input><net-file value="x.net.xml"/><route-files value="r.rou.xml"/></input><time><end value="0:10:00"/></time>'
    cfg = read_sumocfg(_config(tmp_path, good))
    assert (cfg.begin, cfg.end, cfg.step_length) == (0.0, 600.0, 1.0) and cfg.routes == (tmp_path / "r.rou.xml",)
    for body, message in (
        (good.replace("x.net", "y.net"), "y.net.xml' does not exist"),
        (good.replace("0:10:00", "-5") + '<begin value="x"/>', "not a finite number"),
        (good.replace("net-file", "net-fil"), "no net-file is named"),
        (good + '<begin value="900"/>', "contradict each other"),
    ):
        with pytest.raises(StudyError, match=message):
            read_sumocfg(_config(tmp_path, body))
    with pytest.raises(StudyError, match=r"run\.sumocfg:1:lateral-resolution: not supported"):
        require_supported(
            read_sumocfg(_config(tmp_path, good + '<lateral-resolution value="0.8"/>')).census, error=StudyError
        )


TABLE = "from,to,begin,end,veh_per_h,types\na,b,0,600,720,car:0.5 ebike:0.5\n"


def test_flow_table(tmp_path):
    net, table = tmp_path / "x.net.xml", tmp_path / "flows.csv"
    net.write_text(NET)
    base = read_sumo_net(net)
    table.write_text(TABLE)
    demand = sample_demand(base, read_flow_table(base, table), seed=3)
    assert len(demand.trips.depart) == pytest.approx(120, abs=45)
    assert np.bincount(demand.trips.vtype).min() > 30 and set(demand.type_ids) == {"car", "ebike"}
    other = tmp_path / "flows.yaml"
    other.write_text("flows:\n- {from: a, to: b, begin: 0, end: 600, veh_per_h: 720, types: {car: 0.5, ebike: 0.5}}\n")
    twin = sample_demand(base, read_flow_table(base, other), seed=3)
    assert (twin.trips.depart == demand.trips.depart).all() and (twin.trips.vtype == demand.trips.vtype).all()
    for old, new, message in (
        ("a,b,0", "a,zz,0", r":2:row 1: edge 'zz' does not exist"),
        ("720", "lots", r":2:row 1: veh_per_h='lots' is not a number"),
        ("720", "-3", r":2:row 1: veh_per_h='-3' is impossible"),
        ("car:0.5", "cra:0.5", r":2:row 1: type 'cra' does not exist"),
        ("veh_per_h", "veh", r":1: column 'veh_per_h' is missing"),
        ("0,600", "700,600", r"before it begins"),
        ("car:0.5", "pedestrian:0.5", r"people on foot"),
    ):
        table.write_text(TABLE.replace(old, new, 1))
        with pytest.raises(DemandError, match=message):
            read_flow_table(base, table)
    assert all(row.length > 0 for row in TYPES.values())
