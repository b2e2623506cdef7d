"""What each standard can carry of each record, as data: the table behind `link translate --table`.

A number is the quantisation step in the record's unit (0: exact), None says that the field does not travel. Tests write full records
and read them back to hold every row.
"""

from __future__ import annotations

import math
from typing import NamedTuple

FAMILIES = ("csae", "etsi", "sae")
_D = math.radians


class Carried(NamedTuple):
    """One field of a record and the step with which CSAE, ETSI and SAE carry it."""

    record: str
    field: str
    csae: float | None
    etsi: float | None
    sae: float | None
    note: str = ""


CAPABILITY: tuple[Carried, ...] = (
    Carried("Awareness", "station", 0, 0, 0, "64, 32, 32 bits; the low ones are kept"),
    Carried("Awareness", "time", 0.001, 0.001, 0.001, "known modulo 60 s, 65.536 s, 60 s"),
    Carried("Awareness", "place", 1e-7, 1e-7, 1e-7, "degrees; elevation .1, .01, .1 m"),
    Carried(
        "Awareness",
        "accuracy",
        0.05,
        0.01,
        0.05,
        "semi axes; ETSI's hold 95 %, the others one sigma: the numbers are not scaled",
    ),
    Carried("Awareness", "speed", 0.02, 0.01, 0.02),
    Carried("Awareness", "heading", _D(0.0125), _D(0.1), _D(0.0125)),
    Carried("Awareness", "accel", 0.01, 0.1, 0.01),
    Carried("Awareness", "lateral_accel", 0.01, 0.1, 0.01),
    Carried("Awareness", "yaw_rate", _D(0.01), _D(0.01), _D(0.01), "CSAE and SAE cannot say unavailable: 0 goes out"),
    Carried("Awareness", "steering_wheel", _D(1.5), _D(1.5), _D(1.5)),
    Carried("Awareness", "length", 0.01, 0.1, 0.01),
    Carried("Awareness", "width", 0.01, 0.1, 0.01, "ETSI up to 6.1 m"),
    Carried("Awareness", "height", 0.05, None, None),
    Carried(
        "Awareness", "kind", 0, 0, None, "in SAE it is part II, which is not openly specified; CSAE knows no e-bikes"
    ),
    Carried("Awareness", "roadside", None, 0, None, "roadside units send no BSM"),
    Carried("Awareness", "events", 0, None, None, "ETSI sends a DENM instead; SAE has them in part II"),
    Carried("Awareness", "lights", 0, 0, None, "ETSI has no automatic light bit; hazard is both turn signals"),
    Carried("Awareness", "siren", 0, 0, None),
    Carried("Awareness", "light_bar", 0, 0, None),
    Carried("Awareness", "path", 1e-7, 1e-7, None, "23 points, 40 points; times to 10 ms"),
    Carried(
        "SignalPhaseAndTiming",
        "time",
        0.001,
        0.001,
        0.001,
        "known modulo 60 s; in ETSI and SAE that of the first intersection",
    ),
    Carried("SignalPhaseAndTiming", "station", None, 0, None),
    Carried("SignalPhaseAndTiming", "name", 0, 0, 0),
    Carried("IntersectionSignals", "id", 0, 0, 0),
    Carried("IntersectionSignals", "region", 0, 0, 0),
    Carried("IntersectionSignals", "phases", 0, 0, 0, "CSAE 16 an intersection, the others 255; group 0 only in CSAE"),
    Carried("IntersectionSignals", "status", 0, 0, 0),
    Carried("PhaseState", "light", 0, 0, 0, "ETSI and SAE: red with yellow reads as red"),
    Carried("PhaseState", "start", 0.1, 0.1, 0.1),
    Carried("PhaseState", "min_end", 0.1, 0.1, 0.1),
    Carried("PhaseState", "likely_end", 0.1, 0.1, 0.1),
    Carried("PhaseState", "max_end", 0.1, 0.1, 0.1),
    Carried("MapMessage", "revision", 0, 0, 0),
    Carried("MapMessage", "station", None, 0, None),
    Carried("MapMessage", "part", None, 0, 0, "up to 9 parts; CSAE receivers join what they get"),
    Carried("MapIntersection", "id", 0, 0, 0),
    Carried("MapIntersection", "region", 0, 0, 0),
    Carried("MapIntersection", "place", 1e-7, 1e-7, 1e-7),
    Carried("MapIntersection", "name", 0, 0, 0),
    Carried("MapApproach", "upstream", 0, None, None, "ISO/TS 19091 has lanes around one intersection, no links"),
    Carried("MapApproach", "name", 0, None, None),
    Carried("MapApproach", "width", 0.01, None, None),
    Carried(
        "MapApproach", "speed_limit", 0.02, 0.02, 0.02, "one for the whole intersection in ETSI and SAE: the highest"
    ),
    Carried("MapLane", "id", 0, 0, 0, "numbered anew where CSAE links repeat numbers"),
    Carried("MapLane", "points", 1e-7, 2e-7, 2e-7, "31, 63, 63 points; ETSI and SAE in cm steps"),
    Carried("MapLane", "width", 0.01, 0.01, 0.01, "one for the whole intersection in ETSI and SAE: the widest"),
    Carried("MapLane", "maneuvers", 0, 0, 0),
    Carried("MapLane", "connections", 0, 0, 0, "8 (day 2) or 16, 16, 16 a lane"),
    Carried("MapLane", "speed_limit", 0.02, None, None),
    Carried("MapLane", "ingress", 0, 0, 0, "CSAE carries only lanes that lead to the node"),
    Carried("MapLane", "lane_type", 0, 0, 0, "the kind, without its attribute bits"),
    Carried("RoadInformation", "station", 0, 0, None, "64, 32 bits"),
    Carried("RoadInformation", "time", 60.0, 0.001, 60.0),
    Carried("RoadInformation", "place", 1e-7, None, None, "a DENM has the event's own position only"),
    Carried("RoadInformation", "events", 0, 0, 0, "8 a message; one DENM each"),
    Carried("RoadInformation", "signs", 0, None, None, "IVIM carries signs in ETSI"),
    Carried("RoadEvent", "id", 0, 0, None, "8, 16 bits; SAE counts its frames"),
    Carried("RoadEvent", "code", 0, None, None, "becomes the nearest cause"),
    Carried("RoadEvent", "cause", None, 0, None, "becomes the nearest event type; SAE says it in words"),
    Carried("RoadEvent", "source", 0, None, None),
    Carried("RoadEvent", "place", 1e-7, 1e-7, 1e-7),
    Carried("RoadEvent", "radius", 0.1, math.inf, 1.0, "the next larger relevance distance: 50, 100, 200, 500 m, ..."),
    Carried("RoadEvent", "start", 60.0, 0.001, 60.0),
    Carried("RoadEvent", "end", 60.0, 1.0, 60.0, "a DENM holds at most one day"),
    Carried("RoadEvent", "text", 0, None, 0),
    Carried("RoadEvent", "priority", 0, None, 0),
    Carried("RoadEvent", "confidence", 0.005, 1 / 7, None, "information quality 1 to 7"),
    Carried("RoadEvent", "path", 1e-7, 1e-7, 1e-7, "32, 40 points"),
    Carried("RoadEvent", "path_radius", 0.1, None, None),
    Carried("RoadEvent", "termination", None, 0, None, "an RSI simply stops being sent"),
    Carried("RoadEvent", "originator", None, 0, None, "whoever sends an RSI vouches for it"),
    Carried("PerceptionMessage", "station", 0, 0, None, "64, 32 bits"),
    Carried("PerceptionMessage", "time", 0.001, 0.001, None, "of an RSM: that of its newest participant"),
    Carried("PerceptionMessage", "place", 1e-7, 1e-7, None),
    Carried("PerceivedObject", "id", 0, 0, None, "16 bits"),
    Carried("PerceivedObject", "kind", 0, 0, None, "CSAE knows no e-bikes: they become bicycles"),
    Carried("PerceivedObject", "station", 0, None, None),
    Carried("PerceivedObject", "time", 0.001, 0.001, None, "ETSI within 2 s of the message"),
    Carried("PerceivedObject", "place", 1e-7, 2e-7, None, "ETSI in cm from the sender, up to 1.3 km"),
    Carried("PerceivedObject", "spread", math.inf, 0.01, None, "the next coarser of 15 classes in CSAE"),
    Carried("PerceivedObject", "speed", 0.02, 0.01, None),
    Carried("PerceivedObject", "heading", _D(0.0125), _D(0.1), None),
    Carried("PerceivedObject", "length", 0.01, 0.1, None),
    Carried("PerceivedObject", "width", 0.01, 0.1, None),
    Carried("PerceivedObject", "height", 0.05, 0.1, None),
    Carried("PerceivedObject", "source", 0, None, None),
)


class Lost(NamedTuple):
    """What a translation does to one field."""

    record: str
    field: str
    effect: str  # lost, or coarser: the step
    note: str


def lost(source: str, target: str) -> list[Lost]:
    """Fields that the family `source` carries and `target` does not, or carries more coarsely."""
    rows = []
    for c in CAPABILITY:
        before, after = getattr(c, source), getattr(c, target)
        if before is None:
            continue
        if after is None:
            rows.append(Lost(c.record, c.field, "lost", c.note))
        elif after > before:
            step = f"coarser: step {after:g} instead of {before:g}" if math.isfinite(after) else "coarser: classes"
            rows.append(Lost(c.record, c.field, step, c.note))
    return rows


def step_of(record: str, field: str, family: str) -> float | None:
    """Quantisation step of a field in a family of standards, None if it does not travel; KeyError for unknown fields."""
    for c in CAPABILITY:
        if (c.record, c.field) == (record, field):
            step: float | None = getattr(c, family)
            return step
    raise KeyError(f"{record}.{field}")


def carries(record: type, field: str, family: str) -> bool:
    """Whether a family has a place for a field of a record's type (or of the one it is a form of); fields that hold records have one."""
    names = {kind.__name__ for kind in record.__mro__}
    return all(getattr(c, family) is not None for c in CAPABILITY if c.record in names and c.field == field)
