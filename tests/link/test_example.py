"""The example of this room runs as written."""

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "03_messages.py"


def test_example_runs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLE], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=600
    )
    assert (
        done.stdout.count("bytes") == 3
        and "lost: events" in done.stdout
        and (tmp_path / "example.pcap").stat().st_size > 100
    )
