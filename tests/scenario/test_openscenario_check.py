"""`scenario check` against the published parser suite, three scenario suites and hostile files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cloverleaf.cli.main import main
from cloverleaf.scenario.openscenario.check import check_file
from cloverleaf.scenario.openscenario.schema import schema

SHARED = Path(__file__).parents[3] / "shared" / "scenarios"
INDEX = SHARED / "parser" / "index.json"
FILES = json.loads(INDEX.read_text())["files"] if INDEX.exists() else []
LICENCE_LINES = 18
"""The suite's tests count lines of files that lacked the licence comment; malformed files are reported by such lines."""
INJECTED = {
    "testInteger": "wrongInteger", "testUnsignedInt": "wrong", "testDateTime": "wrong", "testUnsignedShort": "wrong",
    "testBoolean": "wrong", "testDouble": "wrong",
}  # fmt: skip
KNOWN = {
    "ControllerCatalog.xosc": "declares FollowMode as double with the value 'time'",
    "HWManeuvers.xosc": "uses $AccRate without declaring it",
    "follow_ghost.xosc": "assigns the text 'position' to a parameter declared as double",
}


def expected_lines(entry):
    return {e["line"] for t in entry["tests"] for e in t["errors"]}


@pytest.mark.skipif(not FILES, reason="the parser suite is not beside the checkout")
@pytest.mark.parametrize("entry", [f for f in FILES if f["verdict"] == "good"], ids=lambda e: e["file"])
def test_good_files_are_accepted(entry):
    assert check_file(SHARED / "parser" / "res" / entry["file"]).problems == []


@pytest.mark.skipif(not FILES, reason="the parser suite is not beside the checkout")
@pytest.mark.parametrize("entry", [f for f in FILES if f["verdict"] == "bad"], ids=lambda e: e["file"])
def test_bad_files_are_refused_at_the_right_line(entry):
    injected = INJECTED if "Injected" in entry["file"] else {}
    report = check_file(SHARED / "parser" / "res" / entry["file"], injected)
    found = {p.line for p in report.problems}
    want = {line + (LICENCE_LINES if entry["kind"] == "malformed XML" else 0) for line in expected_lines(entry)}
    assert found
    assert not want or want & found, (sorted(want), sorted(found))
    assert report.broken == (entry["kind"] == "malformed XML")


@pytest.mark.parametrize("suite", ["alks", "ncap", "esmini"])
def test_published_suites_are_accepted(suite):
    if not (SHARED / suite).exists():
        pytest.skip("the scenario suites are not beside the checkout")
    files = sorted((SHARED / suite).rglob("*.xosc"))
    refused = {f.name for f in files if check_file(f).problems}
    assert refused == KNOWN.keys() & {f.name for f in files}


def test_schema_is_closed():
    known = schema().types
    assert {kind for t in known.values() for kind in t.children.values()} <= known.keys()


def scenario(body):
    return (
        '<?xml version="1.0"?>\n<OpenSCENARIO>\n'
        '<FileHeader revMajor="1" revMinor="3" date="2026-01-01T00:00:00" description="" author=""/>\n'
        + body
        + "</OpenSCENARIO>\n"
    )


FRAME = "<CatalogLocations/><RoadNetwork/>\n<Entities>{}</Entities>\n<Storyboard><Init><Actions>{}</Actions></Init></Storyboard>\n"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("<OpenSCENARIO><FileHeader>", 1, "not well-formed"),
        ("", 1, "not well-formed"),
        ("<Other/>", 1, "not an OpenSCENARIO file"),
        (scenario(FRAME.format("<ScenarioObjekt/>", "")), 5, "is not allowed in Entities"),
        (scenario(FRAME.format("", '<Private entityRef="Ghost"><PrivateAction/></Private>')), 6, "entity 'Ghost' does not exist"),
        (scenario('<ParameterDeclarations><ParameterDeclaration name="a" parameterType="double" value="${1/0}"/>'
                  "</ParameterDeclarations>" + FRAME.format("", "")), 4, "division by zero"),
        (scenario('<ParameterDeclarations><ParameterDeclaration name="a" parameterType="double" value="$b"/>'
                  '<ParameterDeclaration name="b" parameterType="double" value="$a"/></ParameterDeclarations>'
                  + FRAME.format("", "")), 4, "parameter 'a': '$b' leads back to 'a'"),
        (scenario('<ParameterDeclarations><ParameterDeclaration name="a" parameterType="double" value="${2 * $b}"/>'
                  '<ParameterDeclaration name="b" parameterType="double" value="1"/></ParameterDeclarations>'
                  + FRAME.format("", "")), 4, "parameter 'a': '$b' is declared after it"),
        (scenario(FRAME.format("", "")).replace('revMinor="3"', 'revMinor="INF"'), 3, "is not of type UnsignedShort"),
        (scenario(FRAME.format("", "")).replace('revMinor="3"', 'revMinor="7"'), 3, "OpenSCENARIO 1.7 is not known"),
        ('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>\n'
         "<OpenSCENARIO>&b;</OpenSCENARIO>", 2, "elements are incomplete"),
    ],
)  # fmt: skip
def test_hostile_and_wrong_files(tmp_path, text, line, message):
    file = tmp_path / "x.xosc"
    file.write_text(text)
    problems = check_file(file).problems
    assert any(p.line == line and message in p.message for p in problems), problems


def test_a_parameter_may_be_declared_with_its_dollar(tmp_path):
    declared = (
        '<ParameterDeclarations><ParameterDeclaration name="$a" parameterType="double" value="1"/>'
        '<ParameterDeclaration name="b" parameterType="double" value="$a"/></ParameterDeclarations>'
    )
    file = tmp_path / "x.xosc"
    file.write_text(scenario(declared + FRAME.format("", "")))
    assert not any("declared" in p.message for p in check_file(file).problems)
    assert not any("parameter" in p.message for p in check_file(file, {"a": "2"}).problems)


def test_a_controller_is_assigned_and_overridden_in_one_action_as_in_edition_1_0(tmp_path):
    car = (
        '<ScenarioObject name="Ego"><MiscObject name="m" miscObjectCategory="none" mass="1"><BoundingBox><Center x="0" y="0" z="0"/>'
        '<Dimensions width="1" length="1" height="1"/></BoundingBox><Properties/></MiscObject></ScenarioObject>'
    )
    assign = '<AssignControllerAction><Controller name="c"><Properties/></Controller></AssignControllerAction>'
    override = '<OverrideControllerValueAction><Throttle value="0" active="false"/></OverrideControllerValueAction>'
    for parts, good in ((assign + override, True), (override, True), (assign + assign, False), ("", False)):
        action = f'<Private entityRef="Ego"><PrivateAction><ControllerAction>{parts}</ControllerAction></PrivateAction></Private>'
        file = tmp_path / "x.xosc"
        file.write_text(scenario(FRAME.format(car, action)))
        assert (not any("incomplete" in p.message for p in check_file(file).problems)) is good, parts


def test_every_truncation_of_a_good_file_is_refused(tmp_path):
    whole = scenario(FRAME.format("", ""))
    file = tmp_path / "x.xosc"
    file.write_text(whole)
    assert check_file(file).problems == []
    for end in range(0, len(whole) - 2, 7):
        file.write_text(whole[:end])
        assert check_file(file).broken


PARAMETERS = "<ParameterDeclarations>{}</ParameterDeclarations>"
DOUBLE = '<ParameterDeclaration name="{}" parameterType="double" value="{}"/>'
CATALOG = '<CatalogLocations><VehicleCatalog><Directory path="cars"/></VehicleCatalog></CatalogLocations><RoadNetwork/>'
FROM_CATALOG = '<ScenarioObject name="A"><CatalogReference catalogName="c" entryName="e"/></ScenarioObject>'
GHOST = (
    '<Private entityRef="Ghost"><PrivateAction><TeleportAction><Position><WorldPosition x="0" y="0"/></Position></TeleportAction>'
    "</PrivateAction></Private>"
)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (scenario(FRAME.format("", ""))[:200], 6, "not well-formed"),
        (scenario(FRAME.format("", "")).replace('revMinor="3"', 'revMinor="7"'), "3:FileHeader", "OpenSCENARIO 1.7 is not known"),
        (scenario(FRAME.format(FROM_CATALOG, "").replace("<CatalogLocations/><RoadNetwork/>", CATALOG)), "4:VehicleCatalog",
         "'cars' does not exist"),
        (scenario(FRAME.format("", "").replace("<RoadNetwork/>", '<RoadNetwork><LogicFile filepath="a.xodr"/></RoadNetwork>')),
         "4:LogicFile", "road network 'a.xodr' does not exist"),
        (scenario(PARAMETERS.format(DOUBLE.format("a", "$b") + DOUBLE.format("b", "$a")) + FRAME.format("", "")),
         "4:ParameterDeclaration", "leads back to"),
        (scenario(PARAMETERS.format(DOUBLE.format("a", "${1/0}")) + FRAME.format("", "")), "4:ParameterDeclaration", "division by zero"),
        (scenario(FRAME.format("", GHOST)), "6:Private", "entity 'Ghost' does not exist"),
    ],
    ids=["truncated", "version", "catalog", "map", "cycle", "zero", "entity"],
)  # fmt: skip
def test_a_run_ends_with_one_line_that_names_the_place(tmp_path, capsys, monkeypatch, text, place, message):
    file = tmp_path / "x.xosc"
    file.write_text(text)
    monkeypatch.setattr(sys, "argv", ["cloverleaf", "trace", str(file)])
    with pytest.raises(SystemExit, match="2"):
        main()
    told = capsys.readouterr()
    lines = told.err.splitlines()
    assert told.out == "" and lines[0].startswith(f"error: {file}:{place}:") and message in lines[0]
    assert len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("hint: "))


def test_an_unknown_version_is_wrong_even_where_files_are_missing_and_a_draft_is_a_note(tmp_path):
    file = tmp_path / "x.xosc"
    for version, supported in (("7", False), ("0", True)):
        text = scenario(FRAME.format("", "").replace("<RoadNetwork/>", '<RoadNetwork><LogicFile filepath="a.xodr"/></RoadNetwork>'))
        file.write_text(text.replace('revMajor="1"', f'revMajor="{version}"'))
        report = check_file(file)
        told = report.missing if supported else report.problems
        assert report.supported is supported and any("is not known" in p.message for p in told)


def test_command_line(tmp_path):
    (tmp_path / "good.xosc").write_text(scenario(FRAME.format("", "")))
    run = [sys.executable, "-m", "cloverleaf", "scenario", "check"]
    done = subprocess.run([*run, str(tmp_path), "--json"], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0
    assert [r["supported"] for r in json.loads(done.stdout)] == [True]
    (tmp_path / "wrong.xosc").write_text(scenario(FRAME.format("<Wrong/>", "")))
    assert subprocess.run([*run, str(tmp_path)], capture_output=True, timeout=600).returncode == 1
    (tmp_path / "broken.xosc").write_text("<OpenSCENARIO>")
    done = subprocess.run([*run, str(tmp_path)], capture_output=True, text=True, timeout=600)
    assert done.returncode == 2 and "broken.xosc:1" in done.stdout
    assert subprocess.run([*run, str(tmp_path / "none.xosc")], capture_output=True, timeout=600).returncode == 2
