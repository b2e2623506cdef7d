"""Signal heads as the world shows them."""

from __future__ import annotations

from typing import NamedTuple

from cloverleaf.types.state import F64, I32, I64, U8


class SignalState(NamedTuple):
    """Current lights of all signal groups; head i of group g is `light[start[g] + i]`."""

    start: I64  # (groups + 1,)
    light: U8  # ord() of r y g G u s o O as in LaneGraph.phase_state
    phase: I32  # (groups,) current phase index within the group
    since: F64  # (groups,) s, time at which the phase began


class SignalTiming(NamedTuple):
    """What the controller knows of its own future, for SPAT; shape (groups,) unless said."""

    min_end: F64  # s
    likely_end: F64
    max_end: F64
    next_phase: I32


class SignalCommand(NamedTuple):
    """Wish of the cloud to signal controllers: serve `phase` of `group` next; shape (n,)."""

    group: I32
    phase: I32
    time: F64
