"""Signal programs (`tlLogic`) of SUMO nets and additional files as phase columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.map.io.sumo_xml import Element, XmlSource
from cloverleaf.types.state import F64, I32, I64, U8

ACTUATED_TYPES = ("actuated", "delay_based")
UNLIMITED = 1e6
"""s, longest green of a phase with a minimum and no maximum."""


class Program(NamedTuple):
    """One program of one controller as read."""

    actuated: bool
    offset: float
    duration: list[float]
    minimum: list[float]
    maximum: list[float]
    following: list[int]
    states: list[str]
    source: XmlSource
    element: Element


class SignalTable(NamedTuple):
    """Plans of all controllers; columns as in `LaneGraph`. Fixed-time plans keep the minima and maxima of their file."""

    links: I32
    actuated: U8
    offset: F64
    phase_start: I64
    duration: F64
    minimum: F64
    maximum: F64
    following: I32
    state_start: I64
    state: U8


def read_programs(source: XmlSource, root: Element, programs: dict[str, Program]) -> None:
    """Add the programs below `root` to `programs`; a later program of the same controller replaces the earlier one."""
    for element in root.iterfind("tlLogic"):
        phases = element.findall("phase")
        if not phases:
            if element.get("programID") == "off":
                continue
            source.fail(element, "a signal program needs phases")
        actuated = element.get("type", "static") in ACTUATED_TYPES
        program = Program(actuated, source.number(element, "offset", 0.0), [], [], [], [], [], source, element)
        for phase in phases:
            _read_phase(source, phase, len(phases), program)
        programs[source.text(element, "id")] = program


def _read_phase(source: XmlSource, phase: Element, count: int, program: Program) -> None:
    duration = source.number(phase, "duration")
    minimum = source.number(phase, "minDur", duration)
    maximum = source.number(phase, "maxDur", UNLIMITED if "minDur" in phase.attrib else duration)
    if duration < 0.0 or minimum < 0.0 or maximum < minimum:
        source.fail(phase, f"durations min {minimum}, {duration}, max {maximum} contradict each other")
    state = source.text(phase, "state")
    if state.strip("ryYgGsuoO"):
        source.fail(phase, f"state '{state}' has letters other than r y g G s u o O")
    if program.states and len(state) != len(program.states[0]):
        source.fail(phase, f"state '{state}' has {len(state)} letters, the first phase {len(program.states[0])}")
    following = -1
    if phase.get("next"):
        try:
            following = int(phase.get("next").split()[0])
        except ValueError:
            following = count
        if not 0 <= following < count:
            source.fail(phase, f"next='{phase.get('next')}' is not a phase of this program", f"0 to {count - 1}")
    program.duration.append(duration)
    program.minimum.append(minimum)
    program.maximum.append(maximum)
    program.following.append(following)
    program.states.append(state.replace("Y", "y"))


def signal_table(programs: dict[str, Program]) -> SignalTable:
    """Columns of the programs in the order of `programs`."""
    phases = [(p, i) for p in programs.values() for i in range(len(p.states))]
    states = "".join(p.states[i] for p, i in phases)
    sizes = [len(p.states[i]) for p, i in phases]
    return SignalTable(
        links=np.array([len(p.states[0]) for p in programs.values()], np.int32),
        actuated=np.array([p.actuated for p in programs.values()], np.uint8),
        offset=np.array([p.offset for p in programs.values()], float),
        phase_start=np.concatenate(([0], np.cumsum([len(p.states) for p in programs.values()]))).astype(np.int64),
        duration=np.array([p.duration[i] for p, i in phases], float),
        minimum=np.array([p.minimum[i] for p, i in phases], float),
        maximum=np.array([p.maximum[i] for p, i in phases], float),
        following=np.array([p.following[i] for p, i in phases], np.int32),
        state_start=np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        state=np.frombuffer(states.encode("ascii"), np.uint8).copy(),
    )
