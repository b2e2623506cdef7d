"""Cases that are already done: one small file per finished job in the output folder, so that an interrupted sweep goes on.

A job's file is named by everything that its result depends on: the scenario, its catalogs and roads, the cases, the driver's
source, step, time limit and version. Jobs with a broken case are not kept, so that a repaired file is tried again.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloverleaf import __version__
from cloverleaf.judge.results import write_atomically
from cloverleaf.scenario.openscenario.document import read

FOLDER = "cases"


def scenario_digest(scenario: Path) -> str:
    """Hash of a scenario and of the files that it names: catalogs, and the road network or its folder if a parameter names it."""
    h = hashlib.sha256(scenario.read_bytes())
    root = read(scenario)
    files: list[Path] = []
    for directory in root.iterfind("CatalogLocations//Directory"):
        folder = scenario.parent / directory.get("path", "")
        files += sorted(folder.glob("*.xosc")) if folder.is_dir() else []
    logic = root.find("RoadNetwork/LogicFile")
    if logic is not None:
        road = scenario.parent / logic.get("filepath", "")
        folder = scenario.parent / logic.get("filepath", "").partition("$")[0]
        files += [road] if road.is_file() else sorted((folder if folder.is_dir() else folder.parent).glob("*.xodr"))
    for file in files:
        h.update(file.name.encode() + file.read_bytes())
    return h.hexdigest()


def driver_digest(spec: str, driver: object) -> str:
    """Hash of a driver's source if it has one, else its name."""
    h = hashlib.sha256(f"{spec} {__version__}".encode())
    module = sys.modules.get(getattr(driver, "__module__", "") or type(driver).__module__)
    source = inspect.getsourcefile(module) if module is not None else None
    for file in filter(None, (source, spec.partition(":")[0])):
        if Path(file).is_file():
            h.update(Path(file).read_bytes())
    return h.hexdigest()


def job_key(*parts: object) -> str:
    """Name of a job: hash of its parts."""
    h = hashlib.sha256()
    for part in parts:
        h.update(part.tobytes() if isinstance(part, np.ndarray) else repr(part).encode())
        h.update(b"\0")
    return h.hexdigest()[:32]


def load(out: Path | None, key: str) -> dict[str, NDArray[Any]] | None:
    """Columns of a finished job, or None."""
    if out is None:
        return None
    try:
        with np.load(out / FOLDER / f"{key}.npz", allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, KeyError):
        return None


def save(out: Path | None, key: str, columns: Mapping[str, NDArray[Any]]) -> None:
    """Keep the columns of a finished job."""
    if out is None:
        return
    import io

    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **dict(columns))
    write_atomically(out / FOLDER / f"{key}.npz", buffer.getvalue())
