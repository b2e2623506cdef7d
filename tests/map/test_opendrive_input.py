"""Broken OpenDRIVE files end in one MapError that names file, line and element."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloverleaf.map.opendrive.check import check_map
from cloverleaf.map.opendrive.read import read_opendrive
from cloverleaf.map.query import MapQuery
from cloverleaf.types.errors import MapError

ROAD = """<OpenDRIVE>
<header revMajor="1" revMinor="6"/>
<road id="1" length="100" junction="-1">
<link></link>
<planView>
<geometry s="0" x="0" y="0" hdg="0" length="100"><line/></geometry>
</planView>
<lanes>
<laneSection s="0">
<left><lane id="1" type="driving"><width sOffset="0" a="3.5" b="0" c="0" d="0"/></lane></left>
<center><lane id="0" type="none"/></center>
<right><lane id="-1" type="driving"><width sOffset="0" a="3" b="0" c="0" d="0"/></lane></right>
</laneSection>
</lanes>
</road>
</OpenDRIVE>
"""


def _read(tmp_path: Path, text: str) -> MapQuery:
    file = tmp_path / "map.xodr"
    file.write_text(text)
    return MapQuery(read_opendrive(file))


def test_the_plain_map_reads(tmp_path: Path) -> None:
    query = _read(tmp_path, ROAD)
    assert check_map(query.drive) == []
    x, y, z, heading = query.lane_to_xyz([0], [1], [10.0], [0.5])[0, :4]
    assert (x, y, z) == (10.0, 2.25, 0.0)
    assert heading == pytest.approx(3.141592653589793)


@pytest.mark.parametrize(
    ("old", "new", "line", "element"),
    [
        ('length="100" junction', 'length="nan" junction', 3, "road"),
        ('length="100" junction', "junction", 3, "road"),
        ('x="0" y="0"', 'x="zero" y="0"', 6, "geometry"),
        ('hdg="0"', 'hdg="inf"', 6, "geometry"),
        ("<line/>", "<bezier/>", 6, "bezier"),
        ("<line/>", "", 6, "geometry"),
        ("<line/>", '<paramPoly3 aU="0"/>', 6, "paramPoly3"),
        ('type="driving"><width sOffset="0" a="3"', 'type="motor"><width sOffset="0" a="3"', 12, "lane"),
        ('<lane id="-1"', '<lane id="-2"', 12, "lane"),
        ('<lane id="-1"', '<lane id="3"', 12, "lane"),
        ("<link></link>", '<link><successor elementType="road" elementId="7" contactPoint="start"/></link>', 3, "road"),
        ("<link></link>", '<link><successor elementType="tram" elementId="7"/></link>', 4, "successor"),
        ('junction="-1"', 'junction="5"', 3, "road"),
        ('revMajor="1"', 'revMajor="2"', 2, "header"),
        ('<header revMajor="1" revMinor="6"/>', "", 1, "OpenDRIVE"),
        ("<lanes>", "<lateralProfile><shape s='0'/></lateralProfile><lanes>", 8, "shape"),
        ("</road>", "</road><junction id='4' type='virtual'/>", 15, "junction"),
        (
            "</road>",
            "</road><junction id='4'><connection incomingRoad='1' connectingRoad='2'/></junction>",
            15,
            "connection",
        ),
        ("</road>\n", "</road>\n<road id='1' length='1'/>\n", 16, "road"),
    ],
)
def test_a_broken_map_names_its_place(tmp_path: Path, old: str, new: str, line: int, element: str) -> None:
    assert old in ROAD
    with pytest.raises(MapError) as caught:
        _read(tmp_path, ROAD.replace(old, new, 1))
    assert caught.value.file.endswith("map.xodr")
    assert (caught.value.line, caught.value.element) == (line, element)


@pytest.mark.parametrize("cut", [1, 10, 200, 500])
def test_a_truncated_file_is_refused(tmp_path: Path, cut: int) -> None:
    with pytest.raises(MapError, match=r"well-formed|OpenDRIVE"):
        _read(tmp_path, ROAD[:-cut] if cut > 1 else "")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MapError, match="cannot read"):
        read_opendrive(tmp_path / "none.xodr")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('length="100"><line/>', 'length="90"><line/>', "geometry ends"),
        ('a="3" b="0"', 'a="3" b="-0.1"', "overlaps"),
    ],
)
def test_check_finds(tmp_path: Path, old: str, new: str, message: str) -> None:
    findings = check_map(_read(tmp_path, ROAD.replace(old, new, 1)).drive)
    assert any(message in f.message and f.severity == "error" for f in findings)
