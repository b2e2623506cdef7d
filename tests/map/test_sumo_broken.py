"""Broken SUMO nets: one error that names file, line and element - never another exception, never silence."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.naive.tiny_net import GOOD

from cloverleaf.map.io.sumo_net import read_sumo_net
from cloverleaf.types.errors import CloverleafError, MapError

CASES = [
    (
        'to="b" fromLane="0" toLane="0" via',
        'to="bb" fromLane="0" toLane="0" via',
        r":12:connection: edge to='bb' does not exist",
    ),
    ('via=":m_0_0"', 'via=":m_9_0"', r":12:connection: lane via=':m_9_0' does not exist"),
    ('tl="m"', 'tl="mm"', r":12:connection: tlLogic 'mm' does not exist"),
    ('toLane="0" via', 'toLane="3" via', r":12:connection: edge 'b' has no lane 3"),
    ('linkIndex="0"', 'linkIndex="7"', r"states have 1 letters"),
    ('state="y"', 'state="x"', r":6:phase: state 'x' has letters other"),
    ('state="y"', 'state="yy"', r":6:phase: state 'yy' has 2 letters"),
    (
        'length="98" shape="0,0',
        'length="nan" shape="0,0',
        r":4:lane a_0: attribute length='nan' is not a finite number",
    ),
    ('length="98" shape="0,0', 'length="-1" shape="0,0', r":4:lane a_0: length -1"),
    ('shape="0,0 98,0"', 'shape="0,0"', r":4:lane a_0: shape '0,0' has fewer than two points"),
    ('shape="0,0 98,0"', 'shape="0,0 98;0"', r":4:lane a_0: shape point '98;0'"),
    ('from="w"', 'from="ww"', r":4:edge a: junction 'ww' does not exist"),
    ('type="traffic_light"', 'type="traffic_lights"', r":8:junction m: junction type 'traffic_lights' is unknown"),
    ('response="0"', 'response="00"', r":9:request: response='00' is not a string of 1 bits"),
    ('<edge id="b"', '<edge id="a"', r":5:edge a: this edge is defined twice"),
    ("</net>", "", r":\d+: not well-formed XML"),
    ("<net ", "<nets ", r"not well-formed XML"),
]


def _write(tmp_path, text):
    path = tmp_path / "x.net.xml"
    path.write_text(text)
    return path


def test_the_good_net_is_good(tmp_path):
    base = read_sumo_net(_write(tmp_path, GOOD))
    assert base.lane_ids == (":m_0_0", "a_0", "b_0") and base.signal_ids == ("m",)


def test_a_choice_of_next_phases_is_listed(tmp_path):
    base = read_sumo_net(_write(tmp_path, GOOD.replace('state="y"', 'state="y" next="0 1"')))
    assert [row.status for row in base.census if row.element == "phase@next=several"] == ["approximated"]


@pytest.mark.parametrize(("old", "new", "message"), CASES, ids=[c[1][:24] for c in CASES])
def test_faults_are_named(tmp_path, old, new, message):
    assert old in GOOD
    with pytest.raises(MapError) as caught:
        read_sumo_net(_write(tmp_path, GOOD.replace(old, new, 1)))
    assert re.search(message, str(caught.value)), str(caught.value)
    assert "x.net.xml" in str(caught.value)


def test_hints_name_the_nearest(tmp_path):
    with pytest.raises(MapError) as caught:
        read_sumo_net(
            _write(tmp_path, GOOD.replace('tl="m"', 'tl="n"').replace('id="m" type="static"', 'id="nn" type="static"'))
        )
    assert caught.value.hint == "did you mean 'nn'?"
    with pytest.raises(MapError, match="no such file"):
        read_sumo_net(tmp_path / "missing.net.xml")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_raises_only_our_errors(tmp_path, data):
    text = GOOD
    for _ in range(data.draw(st.integers(1, 3))):
        kind = data.draw(st.sampled_from(["cut", "delete", "value", "swap"]))
        at = data.draw(st.integers(0, len(text) - 1))
        if kind == "cut":
            text = text[:at] or "<"
        elif kind == "delete":
            text = text[:at] + text[at + data.draw(st.integers(1, 30)) :]
        elif kind == "swap":
            text = text[:at] + data.draw(st.sampled_from(['"', "<", "9", "-", "é", "\x7f"])) + text[at + 1 :]
        else:
            values = re.findall(r'"([^"]*)"', text)
            if values:
                old = data.draw(st.sampled_from(values))
                text = text.replace(
                    f'"{old}"', f'"{data.draw(st.sampled_from(["", "nan", "1e999", "-5", "a", "0 0", "x,y"]))}"', 1
                )
        if not text:
            text = "<"
    try:
        read_sumo_net(_write(tmp_path, text))
    except CloverleafError as error:
        assert "x.net.xml" in str(error)
