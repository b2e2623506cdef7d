"""ASAM's own OpenDRIVE checker beside ours: its report read, a checker that fails, and the real one where it is installed."""

import shutil
from pathlib import Path

import pytest
from lxml import etree

from cloverleaf.map.opendrive.check import Finding
from cloverleaf.map.opendrive.quality import COMMAND, quality_checker, read_report

REPORT = """<CheckerResults version="1.0.0"><CheckerBundle name="xodrBundle"><Checker status="completed" checkerId="c">
<Issue issueId="0" description=" a lane is missing " level="1" ruleUID="asam.net:xodr:1.4.0:lane.links"><Locations>
<FileLocation column="0" row="17"/></Locations></Issue><Issue issueId="1" description="odd" level="3" ruleUID=""/>
</Checker></CheckerBundle></CheckerResults>"""
EXPECTED = [Finding("error", 17, "lane.links", "a lane is missing"), Finding("warning", 0, "asam", "odd")]

MAP = """<?xml version="1.0"?>
<OpenDRIVE><header revMajor="1" revMinor="7"/>
<road name="" length="{length}" id="1" junction="-1">
<planView><geometry s="0" x="0" y="0" hdg="0" length="100"><line/></geometry></planView>
<lanes><laneSection s="0"><center><lane id="0" type="none" level="false"/></center>
<right><lane id="-1" type="driving" level="false"><width sOffset="0" a="3.5" b="0" c="0" d="0"/></lane></right>
</laneSection></lanes></road></OpenDRIVE>"""


def test_report_is_read():
    assert read_report(etree.fromstring(REPORT)) == EXPECTED


def install(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    command = folder / COMMAND
    command.write_text("#!/bin/sh\n" + script)
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_checker_is_called_with_the_map_and_its_report_taken(tmp_path, monkeypatch):
    map_file = tmp_path / "road.xodr"
    map_file.write_text(MAP.format(length=100))
    (tmp_path / "report.xml").write_text(REPORT)
    # the report goes where the configuration says, and only if it names the map
    script = f'grep -q "{map_file}" "$2" && cp {tmp_path}/report.xml "$(dirname "$2")/result.xqar"\n'
    install(tmp_path, script, monkeypatch)
    assert quality_checker(map_file) == EXPECTED


def test_checker_that_fails_is_a_warning(tmp_path, monkeypatch):
    install(tmp_path, "exit 7\n", monkeypatch)
    (found,) = quality_checker(tmp_path / "road.xodr")
    assert (found.severity, found.element) == ("warning", COMMAND) and "failed" in found.message


def test_nothing_without_the_checker(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert quality_checker(tmp_path / "road.xodr") == []


@pytest.mark.skipif(shutil.which(COMMAND) is None, reason="asam-qc-opendrive is not installed")
def test_real_checker(tmp_path):
    map_file = tmp_path / "road.xodr"
    map_file.write_text(MAP.format(length=100))
    assert [f for f in quality_checker(map_file) if f.severity == "error"] == []
    map_file.write_text(MAP.format(length="long"))
    found = quality_checker(map_file)
    assert any(f.severity == "error" and f.line == 3 for f in found)
