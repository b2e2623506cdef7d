"""Published scenarios held against recorded runs of another engine: motion within 5 cm and 0.05 m/s, events within a step."""

import json
import math
from pathlib import Path

import pytest

from cloverleaf.loop.storyboard.deviations import allowed_until, markdown, not_compared
from cloverleaf.loop.storyboard.episode import Episode
from cloverleaf.loop.storyboard.reference import compare_events, compare_motion, read_reference
from cloverleaf.types.errors import ScenarioError

SHARED = Path(__file__).parents[3] / "shared"
INDEX = SHARED / "scenarios" / "index.json"
ENTRIES = [e for e in json.loads(INDEX.read_text())["scenarios"] if e.get("oracle")] if INDEX.exists() else []
REFUSED = ("follow_ghost",)


@pytest.mark.skipif(not ENTRIES, reason="the recorded runs are not beside the checkout")
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
    until = allowed_until(name)
    far = {k: m for k, m in compare_motion(episode, reference, until).items() if not m.close}
    assert far.keys() == set(not_compared(name))
    assert compare_events(episode, reference, until) == []
    if until == math.inf:
        assert episode.time == pytest.approx(min(reference.events["end_time"], 120.0), abs=0.011)
        return
    # a deviation that does not show any more is none
    assert any(not m.close for m in compare_motion(episode, reference).values()) or compare_events(episode, reference)


def test_table_in_the_docs_is_the_one_of_the_code():
    text = (Path(__file__).parents[2] / "docs" / "explanation" / "storyboard.md").read_text()
    assert markdown() in text
