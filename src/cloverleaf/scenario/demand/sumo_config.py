"""SUMO configurations (.sumocfg): which files, from when to when, at what step."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from cloverleaf.map.census import UNSUPPORTED
from cloverleaf.map.graph import Feature
from cloverleaf.map.io.sumo_xml import XmlSource, load_xml
from cloverleaf.scenario.demand.departures import seconds
from cloverleaf.scenario.demand.notes import CONFIG_OPTIONS
from cloverleaf.types.errors import StudyError

_SHORT = {"n": "net-file", "net": "net-file", "r": "route-files", "a": "additional-files", "b": "begin", "e": "end"}


class SumoConfig(NamedTuple):
    """What a configuration names; paths are resolved against its folder."""

    path: Path
    net: Path
    routes: tuple[Path, ...]
    additional: tuple[Path, ...]
    begin: float  # s
    end: float | None  # s, None: until everyone has arrived
    step_length: float  # s
    census: tuple[Feature, ...]


def read_sumocfg(path: str | Path) -> SumoConfig:
    """Read a configuration. Raises StudyError for missing files; unknown options stand in the census as unsupported."""
    source, root = load_xml(path, StudyError, ("sumoConfiguration", "configuration"))
    options = {}
    counts: Counter[str] = Counter()
    for element in root.iter():
        if element is root or not isinstance(element.tag, str):
            continue
        if "value" not in element.attrib and "v" not in element.attrib:
            continue
        name = _SHORT.get(element.tag, element.tag)
        counts[name] += 1
        options[name] = element
    census = []
    for name in sorted(counts):
        status, note = CONFIG_OPTIONS.get(name, (UNSUPPORTED, "unknown option"))
        value = options[name].get("value", options[name].get("v", ""))
        if status == UNSUPPORTED and value.lower() in (
            "false",
            "0",
            "0.0",
            "0.00",
            "-1",
            "",
            "1.0" if name == "scale" else "",
        ):
            continue  # An option at the value that switches it off changes nothing.
        where = f"{source.path}:{options[name].sourceline or 0}" if status == UNSUPPORTED else source.path
        census.append(Feature(where, name, counts[name], status, note))
    if "net-file" not in options:
        source.fail(root, "no net-file is named")

    def files(name: str) -> tuple[Path, ...]:
        if name not in options:
            return ()
        value = options[name].get("value", options[name].get("v", ""))
        names = [part for part in value.replace(",", " ").split() if part]
        return tuple(_existing(source, options[name], Path(path).parent / part) for part in names)

    def time(name: str, default: float | None) -> float | None:
        if name not in options:
            return default
        key = "value" if "value" in options[name].attrib else "v"
        return seconds(source, options[name], key)

    nets = files("net-file")
    if len(nets) != 1:
        source.fail(options["net-file"], "exactly one net-file is needed")
    begin, end, step = time("begin", 0.0), time("end", None), time("step-length", 1.0)
    assert begin is not None and step is not None
    if end is not None and end < 0.0:
        end = None
    if begin < 0.0 or step <= 0.0 or (end is not None and end <= begin):
        source.fail(root, f"begin {begin:g} s, end {end} s and step {step:g} s contradict each other")
    return SumoConfig(
        Path(path), nets[0], files("route-files"), files("additional-files"), begin, end, step, tuple(census)
    )


def _existing(source: XmlSource, element: object, file: Path) -> Path:
    if not file.is_file():
        beside = ", ".join(sorted(p.name for p in file.parent.glob("*.xml*"))[:6]) if file.parent.is_dir() else ""
        source.fail(
            element, f"file '{file}' does not exist", f"beside it lie: {beside}" if beside else "check the path"
        )
    return file
