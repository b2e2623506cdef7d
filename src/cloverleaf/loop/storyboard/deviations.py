"""Where runs differ from those of the reference engine, with the clause of the standard that says why; printed by the bench.

Clauses are those of ASAM OpenSCENARIO XML 1.3; those with a number were read in its public text (publications.pages.asam.net), class names
stand for their entries in its class reference.
"""

from __future__ import annotations

import math
from typing import NamedTuple


class Deviation(NamedTuple):
    """One difference. `scenarios`: published files it shows in, each with the time (s) from which on runs may differ by it; `entities`: the
    only ones whose motion may, and no event; none: all."""

    subject: str
    here: str
    reference: str
    clause: str
    scenarios: dict[str, float]
    entities: tuple[str, ...] = ()


DEVIATIONS = (
    Deviation(
        "RoutePosition with an Orientation",
        "the orientation applies, relative to the road or lane (not to the route); what is placed beside the entity follows",
        "ignored",
        "RoutePosition.orientation: relative to the s and t coordinates of the road or lane; missing: h = p = r = 0",
        {"NCAP_AEB_VRU_CBFA_2023": 0.0},
        ("ObstructionSmall",),
    ),
    Deviation(
        "free-space time headway while boxes begin to overlap lengthwise",
        "the distance of boxes that overlap is 0, so the headway is 0 s",
        "greater than 0.1 s from the moment they overlap",
        "6.4 Distances, figure 15; TimeHeadwayCondition",
        {"cut-in_sumo": 19.96},
    ),
    Deviation(
        "way through a junction of an entity without a route",
        "the straightest; of equal ones the right one, the left one in left-hand traffic",
        "drawn at random",
        "6.8.1 Default route: straight on at junctions, ambiguities solved by the side on which traffic keeps",
        {"sumo-test": 25.52},
    ),
    Deviation(
        "traffic of SUMO",
        "not run: the file that the controller names is the reference engine's own",
        "not run either (built without SUMO)",
        "6.6 Controllers: how they work is not specified",
        {},
    ),
    Deviation(
        "speed along the last piece of a clothoid spline, and the acceleration where pieces meet",
        "the entity's speed; no jump",
        "up to half as fast again as the speed that it reports; a jump that conditions on braking see",
        "FollowTrajectoryAction, TimeReference.none: speed is left to longitudinal actions",
        {"parking_demo": 16.5},
    ),
    Deviation(
        "LightStateAction with flashing lights",
        "ends at once",
        "ends when the next light action of the entity starts",
        "7.5.2 Completing an action: it assigns no control strategy",
        {"parking_demo": 16.5},
    ),
    Deviation(
        "times of NURBS control points",
        "linear between the places where they draw the curve most, sampled every metre",
        "the same on its own samples",
        "open: ControlPoint.time does not say how it holds between control points",
        {"trajectory-test": 11.98},
    ),
    Deviation(
        "dsLane",
        "along the centre line of the lane",
        "along the reference line of the road",
        "RelativeLanePosition.dsLane",
        {"scenario_runner_with_acts": 9.63},
    ),
    Deviation(
        "AssignControllerAction",
        "ends at once",
        "ends when another controller is assigned",
        "Annex A, table of private actions: immediately, takes no simulation time",
        {"controller_test": 2.0},
    ),
    Deviation(
        "ALKS, sloppy, highway and other controllers of the reference engine",
        "a sloppy driver draws from streams of its own; controllers under test leave the entity to the default controller until a driver is"
        " given; ACC is an improved IDM",
        "models of its own, the sloppy driver with its random generator",
        "6.6 Controllers: how they work is not specified; 6.6.1: the default controller does what actions say",
        {"alks_r157_cut_in_quick_brake": 0.0, "cut-in_sloppy": 0.0, "highway_driver": 0.0},
    ),
    Deviation(
        "parameter of the wrong type",
        "an error with the line",
        "a warning; the text is used",
        "ParameterDeclaration.parameterType; ParameterAssignment",
        {"follow_ghost": 0.0},
    ),
    Deviation(
        "traffic actions",
        "a vehicle appears where a draw from the seed's stream puts it, and follows by the improved IDM",
        "draws and vehicles of its own",
        "6.10 Traffic simulation: behaviour is left to the engine",
        {"swarm": math.inf},
    ),
    Deviation(
        "event overridden by another",
        "stopTransition, then complete",
        "endTransition; may run again if executions are left",
        "8.4.2.2 Event priority: complete with stopTransition, whatever executions are left",
        {},
    ),
    Deviation(
        "event skipped",
        "counts as an execution; complete with skipTransition once they are used up",
        "waits for its trigger again",
        "8.4.2.1 Execution count; 8.4.2.2 Event priority",
        {},
    ),
    Deviation(
        "action overridden in its domain",
        "stopTransition",
        "endTransition",
        "7.5.1 Conflicting actions: as if a stop trigger were issued",
        {},
    ),
    Deviation(
        "conditions of a group",
        "all are evaluated in every step, so that edges are seen",
        "the rest is skipped once one is false",
        "ConditionGroup; ConditionEdge",
        {},
    ),
    Deviation(
        "state conditions looked at for the first time",
        "only transitions of the step before count",
        "all transitions since the start count",
        "StoryboardElementStateCondition",
        {},
    ),
    Deviation(
        "FollowTrajectoryAction without timing",
        "lateral domain only: a speed action does not end it",
        "both domains",
        "7.5.1 Conflicting actions; TimeReference.none",
        {},
    ),
    Deviation(
        "relative distance without relativeDistanceType",
        "1.0 alongRoute=\"true\": along the road; else straight",
        "straight",
        "RelativeDistanceType; alongRoute of 1.0",
        {},
    ),
    Deviation(
        "SynchronizeAction, master on a trajectory",
        "its speed along the trajectory counts",
        "its speed along the axis of the road below it",
        "SynchronizeAction",
        {},
    ),
    Deviation(
        "pitch and roll of an Orientation on a road, lane or route",
        "those of the road's surface",
        "those given",
        "RoadPosition, LanePosition, RelativeRoadPosition: undefined, given by the road surface",
        {},
    ),
    Deviation(
        "LongitudinalDistanceAction within constraints",
        "a critically damped spring within constraints and performance",
        "the same",
        "open: DynamicConstraints bound the motion, they do not say which it is",
        {},
    ),
    Deviation(
        "SpeedProfileAction in mode follow",
        "ramps of the acceleration, tangent to the lines between the entries",
        "the same",
        "open: FollowingMode.follow is up to the controller",
        {},
    ),
)  # fmt: skip


def allowed_until(scenario: str) -> float:
    """Time (s) up to which a published scenario has to agree with the reference run; inf: to its end."""
    found = (d.scenarios[scenario] for d in DEVIATIONS if scenario in d.scenarios and not d.entities)
    return min(found, default=math.inf)


def not_compared(scenario: str) -> tuple[str, ...]:
    """Entities of a published scenario whose motion is not compared."""
    return tuple(name for d in DEVIATIONS if scenario in d.scenarios for name in d.entities)


def of_scenario(scenario: str) -> list[Deviation]:
    """The differences that show in a scenario."""
    return [d for d in DEVIATIONS if scenario in d.scenarios]


def markdown() -> str:
    """The table as the docs have it."""
    lines = ["| subject | here | esmini | clause | shows in |", "|---|---|---|---|---|"]
    lines += [f"| {d.subject} | {d.here} | {d.reference} | {d.clause} | {', '.join(d.scenarios)} |" for d in DEVIATIONS]
    return "\n".join(lines)
