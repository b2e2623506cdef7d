"""The picture of the arms is what its committed measurements draw, and a summary turns into those."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def _module():
    spec = importlib.util.spec_from_file_location("draw_arms", DOCS / "draw_arms.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(not (DOCS / "figures" / "arms.json").exists(), reason="no measured figures are committed yet")
def test_the_committed_picture_is_drawn_from_the_committed_figures():
    data = json.loads((DOCS / "figures" / "arms.json").read_text(encoding="utf-8"))
    assert (DOCS / "figures" / "arms.svg").read_text(encoding="utf-8") == _module().draw(data)
    assert data["seeds"] >= 5 and data["machine"]["cores"] >= 1 and len(data["digest"]) == 64


def test_figures_come_from_the_summary_with_their_intervals(tmp_path):
    cell = {"mean": 2.0, "unit": "s"}
    change = {"relative": -0.2, "relative_ci95": [-0.3, -0.1], "verdict": "better"}
    module = _module()
    names = [(word, name) for word, name, _ in module.SHOWN]
    summary = {
        "study": {"name": "d", "arms": ["human", "cloud"], "seeds": [1, 2], "duration_s": 300.0, "fleet": {"penetration": 0.3}},
        "arms": {"human": {word: {n: cell for w, n in names if w == word} for word, _ in names}},
        "differences": {"cloud": {"human": {name: change for _, name in names}}},
        "performance": {"wall_s": 9.0},
        "digest": "0" * 64,
    }  # fmt: skip
    data = module.measured(summary)
    assert data["command"] == "cloverleaf run --duration 300 --seeds 2 --arms human,cloud"
    assert data["rows"][0]["human"] == 2.0 and data["rows"][0]["change"]["cloud"]["ci95"] == [-0.3, -0.1]
    assert module.draw(data).count("-20 %") >= len(names)
    with pytest.raises(KeyError):
        module.measured({**summary, "differences": {}})
