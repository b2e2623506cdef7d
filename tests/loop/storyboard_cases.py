"""Small scenarios for tests: a straight road of two lanes each way, cars on it, and events given as fragments of XML."""

from pathlib import Path

ROAD = """<?xml version="1.0"?>
<OpenDRIVE><header revMajor="1" revMinor="6"/>
<road name="" length="{length}" id="1" junction="-1"><planView><geometry s="0" x="0" y="0" hdg="0" length="{length}"><line/></geometry>
</planView><lanes><laneSection s="0">
<left>{left}</left><center><lane id="0" type="none" level="false"/></center><right>{right}</right>
</laneSection></lanes></road></OpenDRIVE>"""
LANE = '<lane id="{}" type="driving" level="false"><width sOffset="0" a="3.5" b="0" c="0" d="0"/></lane>'
HEAD = '<FileHeader revMajor="1" revMinor="3" date="2026-01-01T00:00:00" description="" author=""/>'
CAR = """<ScenarioObject name="{name}"><Vehicle name="car" vehicleCategory="car"><BoundingBox><Center x="1.4" y="0" z="0.8"/>
<Dimensions length="4.0" width="2.0" height="1.5"/></BoundingBox><Performance maxSpeed="70" maxAcceleration="10" maxDeceleration="10"/>
<Axles><FrontAxle maxSteering="0.5" wheelDiameter="0.6" trackWidth="1.6" positionX="2.8" positionZ="0.3"/>
<RearAxle maxSteering="0" wheelDiameter="0.6" trackWidth="1.6" positionX="0" positionZ="0.3"/></Axles></Vehicle></ScenarioObject>"""


def teleport(s: float, lane: int = -1) -> str:
    return (
        f'<PrivateAction><TeleportAction><Position><LanePosition roadId="1" laneId="{lane}" s="{s}"/></Position></TeleportAction>'
        "</PrivateAction>"
    )


def speed(value: object, shape: str = "step", dimension: str = "time", over: float = 0.0) -> str:
    return (
        f'<PrivateAction><LongitudinalAction><SpeedAction><SpeedActionDynamics dynamicsShape="{shape}" '
        f'dynamicsDimension="{dimension}" value="{over}"/><SpeedActionTarget><AbsoluteTargetSpeed value="{value}"/>'
        "</SpeedActionTarget></SpeedAction></LongitudinalAction></PrivateAction>"
    )


def lane_change(target: int, shape: str = "sinusoidal", dimension: str = "time", over: float = 4.0) -> str:
    return (
        f'<PrivateAction><LateralAction><LaneChangeAction><LaneChangeActionDynamics dynamicsShape="{shape}" '
        f'dynamicsDimension="{dimension}" value="{over}"/><LaneChangeTarget><AbsoluteTargetLane value="{target}"/>'
        "</LaneChangeTarget></LaneChangeAction></LateralAction></PrivateAction>"
    )


def set_variable(name: str, value: object) -> str:
    return f'<GlobalAction><VariableAction variableRef="{name}"><SetAction value="{value}"/></VariableAction></GlobalAction>'


def time_after(value: object, edge: str = "rising", delay: float = 0.0, rule: str = "greaterOrEqual") -> str:
    return (
        f'<Condition name="t{value}" delay="{delay}" conditionEdge="{edge}"><ByValueCondition>'
        f'<SimulationTimeCondition value="{value}" rule="{rule}"/></ByValueCondition></Condition>'
    )


def state_is(kind: str, name: str, state: str, edge: str = "rising", delay: float = 0.0) -> str:
    return (
        f'<Condition name="{name}-{state}" delay="{delay}" conditionEdge="{edge}"><ByValueCondition><StoryboardElementStateCondition '
        f'storyboardElementType="{kind}" storyboardElementRef="{name}" state="{state}"/></ByValueCondition></Condition>'
    )


def by_entity(name: str, condition: str, edge: str = "rising", delay: float = 0.0, rule: str = "any") -> str:
    refs = "".join(f'<EntityRef entityRef="{n}"/>' for n in name.split())
    return (
        f'<Condition name="by-{name}" delay="{delay}" conditionEdge="{edge}"><ByEntityCondition><TriggeringEntities '
        f'triggeringEntitiesRule="{rule}">{refs}</TriggeringEntities><EntityCondition>{condition}</EntityCondition>'
        "</ByEntityCondition></Condition>"
    )


def trigger(*conditions: str, name: str = "StartTrigger") -> str:
    return f"<{name}><ConditionGroup>{''.join(conditions)}</ConditionGroup></{name}>"


def event(name: str, action: str, start: str, priority: str = "override", count: int = 1) -> str:
    actions = action if action.startswith("<Action") else f'<Action name="{name}Action">{action}</Action>'
    return f'<Event name="{name}" priority="{priority}" maximumExecutionCount="{count}">{actions}{start}</Event>'


def scenario(folder: Path, init: dict[str, str], *events: str, actor: str = "A", variables: str = "", parameters: str = "",
             end: float = 20.0, length: float = 2000.0, count: int = 1, stop: str = "", signals: str = "") -> Path:  # fmt: skip
    """Write map and scenario; `init`: entity -> its Init actions. All events stand in one maneuver of one act."""
    road = ROAD.format(
        length=length, left="".join(LANE.format(i) for i in (2, 1)), right="".join(LANE.format(i) for i in (-1, -2))
    )
    (folder / "road.xodr").write_text(road)
    stop = stop or trigger(time_after(end, "none"), name="StopTrigger")
    entities = "".join(CAR.format(name=n) for n in init)
    actions = "".join(f'<Private entityRef="{n}">{a}</Private>' for n, a in init.items())
    maneuver = f'<Maneuver name="maneuver">{"".join(events)}</Maneuver>' if events else ""
    text = (
        f'<?xml version="1.0"?>\n<OpenSCENARIO>{HEAD}<ParameterDeclarations>{parameters}</ParameterDeclarations>'
        f"<VariableDeclarations>{variables}</VariableDeclarations><CatalogLocations/>"
        f'<RoadNetwork><LogicFile filepath="road.xodr"/>{signals}</RoadNetwork><Entities>{entities}</Entities><Storyboard>'
        f'<Init><Actions>{actions}</Actions></Init><Story name="story"><Act name="act"><ManeuverGroup name="group" '
        f'maximumExecutionCount="{count}"><Actors selectTriggeringEntities="false"><EntityRef entityRef="{actor}"/></Actors>{maneuver}'
        f"</ManeuverGroup><StartTrigger/></Act></Story>{stop}</Storyboard></OpenSCENARIO>"
    )
    file = folder / "case.xosc"
    file.write_text(text)
    return file
