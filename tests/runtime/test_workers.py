"""Workers end with a parent that is killed: nothing goes on computing for nobody."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

STORY = """
import os, sys, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from cloverleaf.runtime.workers import end_with_parent

def work(folder):
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(60.0)

if __name__ == "__main__":
    with ProcessPoolExecutor(2, get_context(sys.argv[2]), end_with_parent) as pool:
        list(pool.map(work, [sys.argv[1]] * 2))
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes through /proc")
@pytest.mark.parametrize("start", ["spawn", "fork"])
def test_workers_of_a_killed_parent_end(tmp_path, start):
    story, marks = tmp_path / "story.py", tmp_path / "marks"
    story.write_text(STORY)
    marks.mkdir()
    parent = subprocess.Popen([sys.executable, str(story), str(marks), start])
    try:
        end = time.monotonic() + 60.0
        while len(os.listdir(marks)) < 2 and time.monotonic() < end:
            time.sleep(0.05)
        workers = [int(name) for name in os.listdir(marks)]
        assert len(workers) == 2 and all(map(alive, workers))
    finally:
        parent.kill()
        parent.wait()
    end = time.monotonic() + 30.0
    while any(map(alive, workers)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(alive, workers))
