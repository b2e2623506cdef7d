"""Of each word the planner sees at least one metric not at all: nothing that a car imports can compute it."""

from __future__ import annotations

import ast
from pathlib import Path

import cloverleaf
from cloverleaf.measure.definitions import METRICS, WORDS

PACKAGE = Path(cloverleaf.__file__).parent
COMPUTED_BY = {
    "pet_below_1s_per_1000km": "encroachment",
    "person_delay_s": "observer",
    "delay_p95_s": "observer",
    "worst_approach_delay_s": "journey",
    "co2_g_per_km": "energy",
    "co2_kg": "energy",
    "energy_mj_per_km": "energy",
    "energy_mj": "energy",
    "imposed_braking_per_km": "exposure",
    "yield_rate": "courtesy",
    "box_blocking_s": "journey",
}
"""Module of `measure/` without which the hidden metric cannot be had."""


def _reached(start: list[Path]) -> set[Path]:
    """All files of the package that `start` imports, directly or not."""
    found, left = set(start), list(start)
    while left:
        for node in ast.walk(ast.parse(left.pop().read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cloverleaf"):
                names = [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
            elif isinstance(node, ast.Import):
                names = [a.name for a in node.names if a.name.startswith("cloverleaf")]
            else:
                continue
            for name in names:
                path = PACKAGE.joinpath(*name.split(".")[1:])
                for file in (path.with_suffix(".py"), path / "__init__.py"):
                    if file.is_file() and file not in found:
                        found.add(file)
                        left.append(file)
    return found


def test_every_word_has_a_metric_that_no_planner_sees():
    hidden = {m.name: m.word for m in METRICS if m.hidden}
    assert set(hidden.values()) == set(WORDS)
    assert set(hidden) == set(COMPUTED_BY)
    for room, parts in {"car": ["car"], "car with its services": ["car", "apps", "cloud/services", "road"]}.items():
        files = _reached([f for part in parts for f in sorted((PACKAGE / part).rglob("*.py"))])
        seen = {f.stem for f in files if f.parent == PACKAGE / "measure"}
        assert len(files) > 20 and (room != "car" or "comfort" in seen)
        assert not {name: module for name, module in COMPUTED_BY.items() if module in seen}
