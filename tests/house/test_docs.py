"""The reference pages build from the source, and the links of the written pages lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_reference_pages_cover_every_room(tmp_path):
    subprocess.run([sys.executable, ROOT / "docs" / "build.py", tmp_path], check=True, capture_output=True, timeout=600)
    rooms = {p.name for p in (ROOT / "src" / "cloverleaf").iterdir() if (p / "__init__.py").is_file()}
    assert {p.stem for p in tmp_path.glob("*.md")} == rooms
    state = (tmp_path / "types.md").read_text()
    assert "### `class Actors`" in state and "m, front bumper" not in state.split("### `class Actors`")[0]
    assert "- `speed: F64` m/s along the heading" in state


def test_paths_named_in_the_written_pages_exist():
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        if "reference" in page.parts:
            continue
        for name in re.findall(r"`((?:src|docs|examples|tests)/[\w./-]+)`", page.read_text()):
            assert (ROOT / name).exists(), f"{page.name} names {name}"
        for name in re.findall(r"`((?:world|human|car|road|link|cloud|loop|study)/\w+\.py)`", page.read_text()):
            assert (ROOT / "src" / "cloverleaf" / name).exists(), f"{page.name} names {name}"
