"""The import ladder: a lower room never imports a higher one, and the five sides of the loop never import each other."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "cloverleaf"
STEPS = [
    {"types"}, {"algo"}, {"map"}, {"measure"}, {"link"}, {"scenario"}, {"runtime"}, {"apps"},
    {"world", "human", "car", "road", "cloud"},
    {"loop"}, {"judge"}, {"study"}, {"cli"},
]  # fmt: skip
RANK = {room: rank for rank, step in enumerate(STEPS) for room in step}


def imported_rooms(source: str) -> set[str]:
    """Rooms that a module's import statements name, wherever in the file they stand."""
    rooms = set()
    for node in ast.walk(ast.parse(source)):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, "relative imports hide the room"
            names = [node.module] if node.module != "cloverleaf" else [f"cloverleaf.{a.name}" for a in node.names]
        rooms |= {n.split(".")[1] for n in names if n.startswith("cloverleaf.")}
    return rooms & RANK.keys()


def violation(room: str, imported: str) -> bool:
    return RANK[imported] > RANK[room] or (RANK[imported] == RANK[room] and imported != room)


@pytest.mark.parametrize("room", sorted(RANK))
def test_room_imports_only_below(room):
    for file in sorted((PACKAGE / room).rglob("*.py")):
        bad = {r for r in imported_rooms(file.read_text()) if violation(room, r)}
        assert not bad, f"{file.relative_to(PACKAGE)} imports {sorted(bad)}"


def test_every_room_is_on_the_ladder():
    rooms = {p.name for p in PACKAGE.iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert rooms == set(RANK)


def test_the_check_itself_sees_a_leak():
    assert violation("car", "world") and violation("map", "car") and not violation("loop", "car")
    assert imported_rooms("def f():\n    from cloverleaf.world import state\n") == {"world"}
