"""What the car tells its people: the one most urgent warning, the intent, and one line that explains it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.car.plan import BRAKE_HARD, BRAKE_SOFT, CHANGE_LEFT, CHANGE_RIGHT, HOLD
from cloverleaf.car.score import CLOSE, COLLISION, RED_LIGHT, RIGHT_OF_WAY
from cloverleaf.car.state import (
    ADVICE,
    ADVICE_UNTIL,
    EVENT_AT,
    INDICATOR,
    LOST,
    PROPOSAL,
    RED_STOP,
    SPEED,
    TERM,
)
from cloverleaf.types.hmi import HmiBatch, HmiKind, Priority, empty_hmi
from cloverleaf.types.state import F64, I32, I64

_TAKE_OVER, _FORWARD, _CROSSING = (
    int(HmiKind.TAKE_OVER),
    int(HmiKind.FORWARD_COLLISION),
    int(HmiKind.INTERSECTION_COLLISION),
)
_YIELDING, _CHANGE, _RED, _ADVICE = (
    int(HmiKind.YIELDING),
    int(HmiKind.LANE_CHANGE),
    int(HmiKind.RED_LIGHT),
    int(HmiKind.SPEED_ADVICE),
)
SPEED_ADVICE, FORWARD = _ADVICE, _FORWARD
SHOWN = 1.0  # s, that a message stays


class Display(NamedTuple):
    """What each car wants to show in one tick; shape (n,), fleet order."""

    kind: I32  # HmiKind
    value: F64  # m/s of a speed advice, NaN none
    braking: F64  # m/s2 of the guard's intervention, 0 none


PROPOSALS = (
    "go on",
    "go on gently",
    "halt",
    "arrive with the green",
    "brake",
    "brake hard",
    "change left",
    "change right",
)
TERMS = ("collision", "red light", "stop sign", "right of way", "blocking", "closeness", "comfort", "progress")
INTERVENTIONS = ("", "RSS distance ahead", "RSS distance to oncoming traffic", "stopping envelope")


@kernel
def most_urgent(path, fleet, i, now):
    """HmiKind of car i: the most urgent that holds, 0 none."""
    f, ints = fleet.f, fleet.i
    proposal, term = ints[i, PROPOSAL], ints[i, TERM]
    if ints[i, LOST] == 1:
        return _TAKE_OVER
    if proposal == BRAKE_HARD:
        return _FORWARD
    if now <= f[i, EVENT_AT] < now + 5.0 or (proposal == BRAKE_SOFT and term == COLLISION):
        return _CROSSING
    if proposal == HOLD and (term in (RIGHT_OF_WAY, CLOSE)):
        return _YIELDING
    if proposal in (CHANGE_LEFT, CHANGE_RIGHT) or ints[i, INDICATOR] != 0:
        return _CHANGE
    for g in range(path.n[2]):
        if path.gate_rule[g] & RED_STOP and 0.0 < path.gate_s[g] < 4.0 * f[i, SPEED] + 10.0 and term != RED_LIGHT:
            return _RED
    if now < f[i, ADVICE_UNTIL] and math.isfinite(f[i, ADVICE]):
        return _ADVICE
    return 0


def messages(stations: I64, display: Display, t: float) -> HmiBatch:
    """The rows to present: one per car that has something to say."""
    rows = np.flatnonzero(display.kind > 0)
    out = empty_hmi(len(rows))
    kind = display.kind[rows]
    out.station[:], out.kind[:], out.value[:] = stations[rows], kind, display.value[rows]
    out.time[:], out.until[:] = t, t + SHOWN
    imminent = np.isin(kind, (_TAKE_OVER, _FORWARD, _CROSSING))
    caution = np.isin(kind, (_RED, _CHANGE))
    out.priority[:] = np.where(imminent, Priority.IMMINENT, np.where(caution, Priority.CAUTION, Priority.INFORMATION))
    out.outside[:] = kind == _YIELDING
    return out


def explain(proposal: int, term: int, cost: float, accel: float, intervention: int) -> str:
    """One line for the log: what was chosen, which term of its cost weighed most, what the guard did."""
    line = f"{PROPOSALS[proposal]} ({accel:+.1f} m/s2); most weight: {TERMS[term]}; cost {cost:.1f}"
    return line + (f"; guard: {INTERVENTIONS[intervention]}" if intervention else "")
