"""Peers of the benchmarks that live in a Python of their own: found by an environment variable, talked to through files or JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np

from cloverleaf.types.errors import StudyError


def find_peer(module: str, variable: str) -> str | None:
    """The Python that can import `module`: the one named by the environment variable, or this one; None if there is none."""
    named = os.environ.get(variable)
    if named:
        if not Path(named).is_file():
            raise StudyError(f"no such program: {named}", element=variable)
        return named
    return sys.executable if util.find_spec(module) is not None else None


def run_peer(python: str, script: str, arrays: dict[str, Any], timeout: float = 580.0) -> dict[str, Any]:
    """Run `script` with `inputs` (what was in `arrays`) defined; returns the arrays that it left in its dict `outputs`."""
    with tempfile.TemporaryDirectory() as folder:
        given, taken = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(given, **arrays)
        head = f"import numpy as np\ninputs = dict(np.load({str(given)!r}))\noutputs = {{}}\n"
        tail = f"\nnp.savez({str(taken)!r}, **outputs)\n"
        _execute(python, head + script + tail, timeout)
        if not taken.is_file():
            raise StudyError("the peer left no result", hint=f"tried {python}")
        return dict(np.load(taken))


def ask_peer(python: str, script: str, values: dict[str, Any], timeout: float = 580.0) -> dict[str, Any]:
    """As `run_peer` for numbers and text, as JSON: that Python needs no numpy."""
    head = f"import json\ninputs = json.loads({json.dumps(values)!r})\noutputs = {{}}\n"
    said = _execute(python, head + script + "\nprint(json.dumps(outputs))\n", timeout)
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found


def _execute(python: str, script: str, timeout: float) -> str:
    """What `script` prints in that Python, which sees none of our packages."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [python, "-W", "ignore", "-c", script], capture_output=True, text=True, timeout=timeout, env=environment
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise StudyError(f"the peer failed: {last}", hint=f"tried {python}")
    return done.stdout
