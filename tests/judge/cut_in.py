"""A small cut-in written by us: straight road of three lanes, an ego with a controller, a car that changes into its lane."""

HEAD = '<FileHeader revMajor="1" revMinor="3" date="2026-01-01T00:00:00" description="{}" author="us"/>'
CAR = (
    '<Vehicle name="{name}" vehicleCategory="car"><ParameterDeclarations/>'
    '<BoundingBox><Center x="1.4" y="0" z="0.75"/><Dimensions width="1.8" length="4.5" height="1.5"/></BoundingBox>'
    '<Performance maxSpeed="70" maxAcceleration="10" maxDeceleration="10"/><Axles>'
    '<FrontAxle maxSteering="0.5" wheelDiameter="0.6" trackWidth="1.6" positionX="2.8" positionZ="0.3"/>'
    '<RearAxle maxSteering="0" wheelDiameter="0.6" trackWidth="1.6" positionX="0" positionZ="0.3"/></Axles><Properties/></Vehicle>'
)


def road():
    """OpenDRIVE: 1.5 km straight, two lanes to the right."""
    lane = '<lane id="{}" type="driving" level="false"><width sOffset="0" a="3.5" b="0" c="0" d="0"/></lane>'
    return (
        '<?xml version="1.0"?><OpenDRIVE><header revMajor="1" revMinor="6"/><road id="0" length="1500" junction="-1">'
        '<planView><geometry s="0" x="0" y="0" hdg="0" length="1500"><line/></geometry></planView><lanes><laneSection s="0">'
        f'<center><lane id="0" type="none"/></center><right>{lane.format(-1)}{lane.format(-2)}</right>'
        "</laneSection></lanes></road></OpenDRIVE>"
    )


def _start(entity, lane, s, speed):
    return (
        f'<Private entityRef="{entity}"><PrivateAction><TeleportAction><Position><LanePosition roadId="0" laneId="{lane}" s="{s}"/>'
        "</Position></TeleportAction></PrivateAction><PrivateAction><LongitudinalAction><SpeedAction>"
        '<SpeedActionDynamics dynamicsShape="step" dynamicsDimension="time" value="0"/><SpeedActionTarget>'
        f'<AbsoluteTargetSpeed value="{speed}"/></SpeedActionTarget></SpeedAction></LongitudinalAction></PrivateAction></Private>'
    )


def scenario(description="ALKS cut-in"):
    """OpenSCENARIO with parameters `speed` (m/s), `gap` (m), `slower` (m/s) and `ratio`, which divides."""
    parameters = (("speed", 15, 50), ("gap", 20, 200), ("slower", 5, 40), ("ratio", 1, 10))
    declared = "".join(
        f'<ParameterDeclaration name="{n}" parameterType="double" value="{v}"><ConstraintGroup>'
        f'<ValueConstraint rule="lessThan" value="{top}"/></ConstraintGroup></ParameterDeclaration>'
        for n, v, top in parameters
    )
    trigger = (
        '<ConditionGroup><Condition name="{}" delay="0" conditionEdge="none"><ByValueCondition>'
        '<SimulationTimeCondition value="{}" rule="greaterThan"/></ByValueCondition></Condition></ConditionGroup>'
    )
    change = (
        '<PrivateAction><LateralAction><LaneChangeAction><LaneChangeActionDynamics dynamicsShape="sinusoidal" value="3" '
        'dynamicsDimension="time"/><LaneChangeTarget><AbsoluteTargetLane value="-2"/></LaneChangeTarget></LaneChangeAction>'
        "</LateralAction></PrivateAction>"
    )
    return (
        f"<OpenSCENARIO>{HEAD.format(description)}<ParameterDeclarations>{declared}</ParameterDeclarations><CatalogLocations/>"
        '<RoadNetwork><LogicFile filepath="road.xodr"/></RoadNetwork><Entities>'
        f'<ScenarioObject name="Ego">{CAR.format(name="ego")}</ScenarioObject>'
        f'<ScenarioObject name="Other">{CAR.format(name="other")}</ScenarioObject></Entities><Storyboard><Init><Actions>'
        f"{_start('Ego', -2, 50, '$speed')}{_start('Other', -1, '${50 + $gap}', '${$speed - $slower / $ratio}')}</Actions></Init>"
        '<Story name="s"><Act name="a"><ManeuverGroup name="g" maximumExecutionCount="1"><Actors selectTriggeringEntities="false">'
        '<EntityRef entityRef="Other"/></Actors><Maneuver name="m"><Event name="e" priority="override"><Action name="cut">'
        f"{change}</Action><StartTrigger>{trigger.format('go', 1)}</StartTrigger></Event></Maneuver></ManeuverGroup>"
        f"<StartTrigger>{trigger.format('begin', 0)}</StartTrigger></Act></Story>"
        f"<StopTrigger>{trigger.format('end', 12)}</StopTrigger></Storyboard></OpenSCENARIO>"
    )


def variation(**axes):
    """Distribution over `name=(low, high, step)`."""
    rows = "".join(
        f'<DeterministicSingleParameterDistribution parameterName="{n}"><DistributionRange stepWidth="{step}">'
        f'<Range lowerLimit="{low}" upperLimit="{high}"/></DistributionRange></DeterministicSingleParameterDistribution>'
        for n, (low, high, step) in axes.items()
    )
    return (
        f'<OpenSCENARIO>{HEAD.format("cases of the cut-in")}<ParameterValueDistribution><ScenarioFile filepath="cut_in.xosc"/>'
        f"<Deterministic>{rows}</Deterministic></ParameterValueDistribution></OpenSCENARIO>"
    )


def write_suite(folder, **axes):
    """Road, scenario and variation in a folder; returns the variation's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "road.xodr").write_text(road())
    (folder / "cut_in.xosc").write_text(scenario())
    (folder / "cut_in_cases.xosc").write_text(variation(**(axes or {"gap": (5, 45, 5), "slower": (2, 10, 4)})))
    return folder / "cut_in_cases.xosc"
