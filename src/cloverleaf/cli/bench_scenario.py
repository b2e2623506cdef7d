"""Scenarios against recorded reference runs, and the engine's speed: the `scenario` and `engine` rows of `cloverleaf bench`."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import typer

if TYPE_CHECKING:
    from cloverleaf.loop.storyboard.deviations import Deviation

TARGETS = {3: 10e6, 20: 5e6, 50: 2e6}  # actor-steps per second and core
HIGHWAY_RATIO = 500  # at 50 vehicles
WORLDS, SECONDS = 64, 40.0


def run(data: Path | None) -> None:
    """Pass counts per suite: run to their own end, motion within 5 cm and 0.05 m/s, events within one step; then every deviation."""
    from cloverleaf.loop.storyboard.deviations import DEVIATIONS, of_scenario
    from cloverleaf.loop.storyboard.episode import Episode
    from cloverleaf.loop.storyboard.reference import compare_events, compare_motion, read_reference
    from cloverleaf.types.errors import CloverleafError, StudyError

    index = data / "scenarios" / "index.json" if data is not None else None
    if data is None or index is None or not index.is_file():
        raise StudyError(
            "no recorded reference runs", file=data or "", element="--data", hint="a folder with scenarios/ and oracle/"
        )
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    started = time.process_time()
    for entry in json.loads(index.read_text(encoding="utf-8"))["scenarios"]:
        if not entry.get("oracle"):
            continue
        count, name = counts[entry["suite"]], Path(entry["file"]).stem
        count["scenarios"] += 1
        try:
            reference = read_reference(data / entry["oracle"])
            episode = Episode(data / "scenarios" / entry["file"]).run()
        except CloverleafError as error:
            typer.echo(f"  {name}: {error}{_why(of_scenario(name))}")
            continue
        count["ran"] += 1
        motion, events = compare_motion(episode, reference), compare_events(episode, reference)
        far = [
            f"{k} {m.distance:.2f} m, {m.speed:.2f} m/s from {m.since:.2f} s" for k, m in motion.items() if not m.close
        ]
        count["entities"] += len(motion)
        count["entities_close"] += len(motion) - len(far)
        count["motion_close"] += not far
        count["events_close"] += not events
        if far or events:
            typer.echo(f"  {name}: " + "; ".join([*far, *events[:1]]) + _why(of_scenario(name)))
    for suite, count in counts.items():
        typer.echo(f"{suite:<8}" + "   ".join(f"{k} {v}" for k, v in count.items()))
    typer.echo(f"{time.process_time() - started:.1f} s of processor time")
    typer.echo("deviations: subject | here | the reference | clause of ASAM OpenSCENARIO XML 1.3")
    for d in DEVIATIONS:
        typer.echo(f"  {d.subject} | {d.here} | {d.reference} | {d.clause}")


def _why(found: list[Deviation]) -> str:
    return "".join(f"\n    {d.subject}: {d.clause}" for d in found) or "\n    not explained"


SCENARIO = """<?xml version="1.0"?>
<OpenSCENARIO>
 <FileHeader revMajor="1" revMinor="3" date="2026-01-01T00:00:00" description="many actors" author="Cloverleaf"/>
 <ParameterDeclarations><ParameterDeclaration name="Pace" parameterType="double" value="1.0"/></ParameterDeclarations>
 <CatalogLocations/>
 <RoadNetwork><LogicFile filepath="{road}"/></RoadNetwork>
 <Entities>{entities}</Entities>
 <Storyboard><Init><Actions>{init}</Actions></Init>
  <Story name="story"><Act name="act">{groups}<StartTrigger/></Act></Story>
  <StopTrigger><ConditionGroup><Condition name="end" delay="0" conditionEdge="none"><ByValueCondition>
   <SimulationTimeCondition value="1000" rule="greaterThan"/></ByValueCondition></Condition></ConditionGroup></StopTrigger>
 </Storyboard>
</OpenSCENARIO>
"""


def many_actors(road: Path, count: int, events: int) -> str:
    """A scenario of `count` cars in a row on the longest road of a map, with speed changes and lane offsets by time and by distance."""
    from cloverleaf.map.query import MapQuery

    query = MapQuery.read(road)
    longest = int(query.tables.road_length.argmax())
    name, length = query.drive.road_ids[longest], float(query.tables.road_length[longest])
    middle = query.lane_to_xyz(longest, [-1, -2, -3, -4, 1], length / 2, 0.0)[:, 0]
    lane = (-1, -2, -3, -4, 1)[int(np.flatnonzero(~np.isnan(middle))[0])]
    box = (
        '<BoundingBox><Center x="1.4" y="0" z="0.9"/><Dimensions length="4.5" width="1.8" height="1.5"/></BoundingBox>'
    )
    axles = '<Axles><FrontAxle maxSteering="0.5" wheelDiameter="0.6" trackWidth="1.6" positionX="2.7" positionZ="0.3"/>' \
            '<RearAxle maxSteering="0" wheelDiameter="0.6" trackWidth="1.6" positionX="0" positionZ="0.3"/></Axles>'  # fmt: skip
    entities, init, groups = [], [], []
    gap = min(12.0, 0.6 * length / count)
    for i in range(count):
        s = 5.0 + i * gap if lane < 0 else length - 5.0 - i * gap
        entities.append(
            f'<ScenarioObject name="car{i}"><Vehicle name="car" vehicleCategory="car">{box}'
            f'<Performance maxSpeed="60" maxAcceleration="8" maxDeceleration="10"/>{axles}</Vehicle></ScenarioObject>'
        )
        init.append(
            f'<Private entityRef="car{i}"><PrivateAction><TeleportAction><Position><LanePosition roadId="{name}" laneId="{lane}" s="{s}"/>'
            f"</Position></TeleportAction></PrivateAction><PrivateAction><LongitudinalAction><SpeedAction>"
            f'<SpeedActionDynamics dynamicsShape="step" dynamicsDimension="time" value="0"/><SpeedActionTarget>'
            f'<AbsoluteTargetSpeed value="${{$Pace * {2 + 0.02 * i}}}"/></SpeedActionTarget></SpeedAction></LongitudinalAction>'
            f"</PrivateAction></Private>"
        )
        own = range(i, events, count)
        rows = "".join(_event(k, i, count) for k in own)
        if rows:
            groups.append(
                f'<ManeuverGroup name="group{i}" maximumExecutionCount="1"><Actors selectTriggeringEntities="false"><EntityRef '
                f'entityRef="car{i}"/></Actors><Maneuver name="maneuver{i}">{rows}</Maneuver></ManeuverGroup>'
            )
    return SCENARIO.format(road=road, entities="".join(entities), init="".join(init), groups="".join(groups))


def _event(k: int, actor: int, count: int) -> str:
    """One event: every other one by time with a speed action, the others by the distance to the car ahead with a lane offset."""
    if k % 2 == 0 or count == 1:
        condition = (
            f'<ByValueCondition><SimulationTimeCondition value="{2 + 0.5 * k}" rule="greaterThan"/></ByValueCondition>'
        )
        action = (
            '<LongitudinalAction><SpeedAction><SpeedActionDynamics dynamicsShape="sinusoidal" dynamicsDimension="time" value="6"/>'
            f'<SpeedActionTarget><AbsoluteTargetSpeed value="${{$Pace * {3 + 0.01 * k}}}"/></SpeedActionTarget></SpeedAction>'
            "</LongitudinalAction>"
        )
    else:
        condition = (
            f'<ByEntityCondition><TriggeringEntities triggeringEntitiesRule="any"><EntityRef entityRef="car{actor}"/></TriggeringEntities>'
            f'<EntityCondition><RelativeDistanceCondition entityRef="car{(actor + 1) % count}" relativeDistanceType="longitudinal" '
            f'coordinateSystem="road" freespace="true" rule="lessThan" value="3"/></EntityCondition></ByEntityCondition>'
        )
        action = (
            '<LateralAction><LaneOffsetAction continuous="false"><LaneOffsetActionDynamics dynamicsShape="cubic" maxLateralAcc="0.5"/>'
            '<LaneOffsetTarget><AbsoluteTargetLaneOffset value="0.4"/></LaneOffsetTarget></LaneOffsetAction></LateralAction>'
        )
    return (
        f'<Event name="event{k}" priority="override"><Action name="action{k}"><PrivateAction>{action}</PrivateAction></Action>'
        f'<StartTrigger><ConditionGroup><Condition name="when{k}" delay="0" conditionEdge="rising">{condition}</Condition></ConditionGroup>'
        f"</StartTrigger></Event>"
    )


def measure(road: Path, count: int, events: int, folder: Path, worlds: int = WORLDS) -> dict[str, Any]:
    """Actor-steps per second of processor time of one thread, worlds run one after the other to the same time."""
    from cloverleaf.loop.storyboard.worlds import Worlds
    from cloverleaf.scenario.storyboard.compile import compile_scenario

    file = folder / f"many_{count}.xosc"
    file.write_text(many_actors(road.resolve(), count, events), encoding="utf-8")
    compiled = compile_scenario(file)
    many = Worlds(compiled, compiled.columns({"Pace": np.linspace(0.8, 1.2, worlds)}, worlds))
    many.step(10)
    many.begin()
    begun = time.thread_time()
    steps = many.run(SECONDS)
    spent = time.thread_time() - begun
    return {
        "actors": count,
        "events": events,
        "worlds": worlds,
        "actor_steps_per_s": steps / spent,
        "bar": TARGETS[count],
    }


def run_engine(data: Path | None) -> None:
    """Actor-steps per second and core with 3, 20 and 50 actors on a real map; highway-env at 50 vehicles where it is installed."""
    from cloverleaf.cli.bench_highway import ESMINI_PUBLISHED, VARIABLE

    found = engine_figures(data)
    for row in found["rows"]:
        met = "met" if row["actor_steps_per_s"] >= row["bar"] else "missed"
        typer.echo(
            f"actors {row['actors']:>3}   events {row['events']:>3}   {row['actor_steps_per_s'] / 1e6:6.2f} M actor-steps/s and core   "
            f"bar {row['bar'] / 1e6:.0f} M: {met}   map {found['map']}"
        )
    most = found["rows"][-1]["actor_steps_per_s"]
    typer.echo(
        f"esmini, default controller, {ESMINI_PUBLISHED / 1e3:.0f} k agent-steps/s: {most / ESMINI_PUBLISHED:.0f}x"
    )
    if found["highway_env"] is None:
        typer.echo(f"  highway-env left out: not installed; {VARIABLE} names the Python that has it")
        return
    ratio = most / found["highway_env"]
    typer.echo(
        f"highway-env, 50 vehicles, {found['highway_env'] / 1e3:.2f} k agent-steps/s: {ratio:,.0f}x   "
        f"bar {HIGHWAY_RATIO}x: {'met' if ratio >= HIGHWAY_RATIO else 'missed'}"
    )


def engine_figures(data: Path | None) -> dict[str, Any]:
    """What `run_engine` prints, as numbers: rows of `measure`, the map's name, highway-env's rate (None without it)."""
    import tempfile

    from cloverleaf.cli.bench_highway import ESMINI_PUBLISHED, rate
    from cloverleaf.map.district import DISTRICT_MAP

    road = data / "maps" / "carla" / "Town04.xodr" if data is not None else Path(DISTRICT_MAP)
    road = road if road.is_file() else Path(DISTRICT_MAP)
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(road, count, events, Path(folder)) for count, events in ((3, 6), (20, 40), (50, 60))]
    return {"map": road.name, "rows": rows, "highway_env": rate(), "esmini": ESMINI_PUBLISHED}
