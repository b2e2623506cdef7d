"""Published scenarios held against recorded runs of another engine: motion within 5 cm and 0.05 m/s, events within a step."""

import json
from pathlib import Path

import pytest

from cloverleaf.loop.storyboard.episode import Episode
from cloverleaf.loop.storyboard.reference import compare_events, compare_motion, read_reference
from cloverleaf.types.errors import ScenarioError

SHARED = Path(__file__).parents[3] / "shared"
INDEX = SHARED / "scenarios" / "index.json"
ENTRIES = [e for e in json.loads(INDEX.read_text())["scenarios"] if e.get("oracle")] if INDEX.exists() else []
REFUSED = {
    "follow_ghost": "assigns the text 'position' to a parameter declared as double (clause ParameterDeclaration)",
    "swarm": "TrafficSwarmAction is not supported",
}
OWN_MODEL = {
    "acc-test": "an adaptive cruise control is a model of its maker (clause Controller)",
    "alks-test": "driven by the reference engine's own ALKS model",
    "alks_cut-in": "driven by the reference engine's own ALKS model",
    "alks_pedestrian": "driven by the reference engine's own ALKS model",
    "alks_r157_cut_in_quick_brake": "driven by the reference engine's own ALKS model",
    "controller_test": "a sloppy driver is random",
    "cut-in_sloppy": "a sloppy driver is random",
    "cut-in_sumo": "driven by SUMO, which was not there in the reference run",
    "sumo-test": "driven by SUMO, which was not there in the reference run",
    "follow_reference": "a controller that follows a copy of its entity, of the reference engine alone",
    "highway_driver": "a controller that changes lanes by itself, of the reference engine alone",
    "offroad_follower": "a controller of the reference engine alone",
    "parking_demo": "follows a camera of the reference engine alone",
    "trajectory-test": "time stamps of NURBS control points: the standard does not say how they interpolate",
    "scenario_runner_with_acts": "time stamps of NURBS control points: the standard does not say how they interpolate",
    "pedestrian_collision": "the rest of the last step of a trajectory",
}
"""Where the runs may differ in motion, and why the standard allows it."""
HEADINGS = ("CBFA", "CBNA")
"""RoutePosition with an Orientation, which the reference engine ignores: what is placed relative to it lies elsewhere."""

pytestmark = pytest.mark.skipif(not ENTRIES, reason="the recorded runs are not beside the checkout")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: Path(e["file"]).stem)
def test_scenario(entry):
    name, file = Path(entry["file"]).stem, SHARED / "scenarios" / entry["file"]
    if name in REFUSED:
        with pytest.raises(ScenarioError):
            Episode(file)
        return
    reference = read_reference(SHARED / entry["oracle"])
    episode = Episode(file).run()
    assert episode.ended
    if name in OWN_MODEL:
        return
    far = {k: m for k, m in compare_motion(episode, reference).items() if not m.close}
    if any(h in name for h in HEADINGS):
        far.pop("ObstructionSmall", None)
    assert far == {}
    assert compare_events(episode, reference) == []
    assert episode.time == pytest.approx(min(reference.events["end_time"], 120.0), abs=0.011)
