"""Actions: one row for each acting entity (global actions: one row)."""

from __future__ import annotations

import math
from collections.abc import Callable

from lxml import etree

from cloverleaf.scenario.openscenario.document import children, name_of
from cloverleaf.scenario.storyboard import tables as T
from cloverleaf.scenario.storyboard.builder import Builder, only_child, unsupported
from cloverleaf.scenario.storyboard.entities import controller
from cloverleaf.scenario.storyboard.numbers import Number, number
from cloverleaf.scenario.storyboard.positions import position, route, trajectory
from cloverleaf.scenario.storyboard.scope import Scope, fail
from cloverleaf.scenario.storyboard.traffic import traffic_action

SHAPES = {"step": T.STEP, "linear": T.LINEAR, "sinusoidal": T.SINUSOIDAL, "cubic": T.CUBIC}
DIMENSIONS = {"time": T.OF_TIME, "distance": T.OF_DISTANCE, "rate": T.OF_RATE}
SYSTEMS = {
    "entity": T.ENTITY_SYSTEM,
    "lane": T.LANE_SYSTEM,
    "road": T.ROAD_SYSTEM,
    "trajectory": T.TRAJECTORY_SYSTEM,
    "world": T.WORLD_SYSTEM,
}
INF = math.inf


def action_rows(b: Builder, element: etree._Element, scope: Scope, actors: list[int]) -> list[int]:
    """Rows of what an Action (or the content of Init) holds, for each of the actors."""
    name = name_of(element)
    inner = only_child(element) if name in ("GlobalAction", "PrivateAction", "Action") else element
    while name_of(inner) in ("LongitudinalAction", "LateralAction", "RoutingAction", "AppearanceAction", "TrailerAction",
                             "InfrastructureAction", "TrafficSignalAction", "GlobalAction", "PrivateAction"):  # fmt: skip
        inner = only_child(inner)
    kind = name_of(inner)
    if kind in _GLOBAL:
        return _GLOBAL[kind](b, inner, scope)
    if name_of(element) == "GlobalAction" or kind not in (*_PRIVATE, *_ACCEPTED, "ControllerAction"):
        raise unsupported(inner, kind)
    if kind in _ACCEPTED:
        return [_row(b, T.NOTHING, -1, 0)]
    if kind == "ControllerAction":
        rows = []
        for actor in actors:
            for part in children(inner):
                rows += _private(b, part, scope, actor)
        return rows
    return [r for actor in actors for r in _private(b, inner, scope, actor)]


def _private(b: Builder, element: etree._Element, scope: Scope, actor: int) -> list[int]:
    kind = name_of(element)
    if kind not in _PRIVATE:
        raise unsupported(element, kind)
    outer, b.owner = b.owner, [actor]
    try:
        return [_PRIVATE[kind](b, element, scope, actor)]
    finally:
        b.owner = outer


def _row(b: Builder, kind: int, actor: int, domain: int, **columns: int) -> int:
    row = [kind, actor, domain, -1, -1, -1, 0, 0, 0, 0, 0, 0, -1]
    for name, value in columns.items():
        row[_COLUMNS[name]] = value
    b.actions.append(row)
    return len(b.actions) - 1


_COLUMNS = {
    "slot": T.A_SLOT, "ref": T.A_REF, "position": T.A_POSITION, "shape": T.A_SHAPE, "dimension": T.A_DIMENSION, "mode": T.A_MODE,
    "system": T.A_SYSTEM, "free": T.A_FREE, "continuous": T.A_CONTINUOUS, "extra": T.A_EXTRA,
}  # fmt: skip


def _part(element: etree._Element, *names: str) -> etree._Element:
    for name in names:
        found = element.find(name)
        if found is not None:
            return found
    raise fail(element, f"{' or '.join(names)} is missing")


def _limits(b: Builder, element: etree._Element, scope: Scope) -> list[Number]:
    """DynamicConstraints; absent ones do not limit (clause "DynamicConstraints")."""
    holder = element.find("DynamicConstraints")
    return b.numbers_of(
        holder,
        scope,
        maxAcceleration=INF,
        maxDeceleration=INF,
        maxSpeed=INF,
        maxAccelerationRate=INF,
        maxDecelerationRate=INF,
    )


def _speed(b: Builder, e: etree._Element, scope: Scope, actor: int) -> int:
    dynamics, target = _part(e, "SpeedActionDynamics"), only_child(_part(e, "SpeedActionTarget"))
    slot = b.slots(number(target, "value", scope), number(dynamics, "value", scope, 0.0))
    shape = scope.choice(dynamics, "dynamicsShape", SHAPES)
    dimension = scope.choice(dynamics, "dynamicsDimension", DIMENSIONS)
    columns = {"slot": slot, "shape": shape, "dimension": dimension}
    if name_of(target) == "RelativeTargetSpeed":
        mode = scope.choice(target, "speedTargetValueType", {"delta": T.DELTA, "factor": T.FACTOR})
        columns |= {"ref": b.entity(target, scope), "mode": mode, "continuous": int(scope.flag(target, "continuous"))}
    return _row(b, T.SET_SPEED, actor, T.LON, **columns)


def _speed_profile(b: Builder, e: etree._Element, scope: Scope, actor: int) -> int:
    entries = [x for x in children(e) if name_of(x) == "SpeedProfileEntry"]
    numbers = [n for x in entries for n in b.numbers_of(x, scope, speed=0.0, time=math.nan)]
    slot = b.slots(*_limits(b, e, scope), *numbers)
    ref = b.entity(e, scope) if e.get("entityRef") else -1
    follow = scope.choice(e, "followingMode", {"position": 0, "follow": 1})
    return _row(b, T.SPEED_PROFILE, actor, T.LON, slot=slot, ref=ref, mode=follow, extra=len(entries))


def _keep_distance(b: Builder, e: etree._Element, scope: Scope, actor: int) -> int:
    if ("distance" in e.attrib) == ("timeGap" in e.attrib):
        raise fail(e, "either distance or timeGap is needed")
    slot = b.slots(number(e, "distance", scope), number(e, "timeGap", scope), *_limits(b, e, scope))
    side = {"any": T.ANY_SIDE, "trailingReferencedEntity": T.TRAILING, "leadingReferencedEntity": T.LEADING}
    chosen = scope.choice(e, "displacement", side, "trailingReferencedEntity")
    return _row(
        b, T.KEEP_DISTANCE, actor, T.LON, slot=slot, ref=b.entity(e, scope), mode=chosen,
        system=scope.choice(e, "coordinateSystem", SYSTEMS, "entity"), free=int(scope.flag(e, "freespace")),
        continuous=int(scope.flag(e, "continuous")),
    )  # fmt: skip


def _lane_change(b: Builder, e: etree._Element, scope: Scope, actor: int) -> int:
    dynamics, target = _part(e, "LaneChangeActionDynamics"), only_child(_part(e, "LaneChangeTarget"))
    slot = b.slots(
        number(target, "value", scope), number(dynamics, "value", scope, 0.0), number(e, "targetLaneOffset", scope, 0.0)
    )
    ref = b.entity(target, scope) if name_of(target) == "RelativeTargetLane" else -1
    return _row(
        b, T.LANE_CHANGE, actor, T.LAT, slot=slot, ref=ref, shape=scope.choice(dynamics, "dynamicsShape", SHAPES),
        dimension=scope.choice(dynamics, "dynamicsDimension", DIMENSIONS),
    )  # fmt: skip


def _lane_offset(b: Builder, e: etree._Element, scope: Scope, actor: int) -> int:
    dynamics, target = _part(e, "LaneOffsetActionDynamics"), only_child(_part(e, "LaneOffsetTarget"))
    slot = b.slots(number(target, "value", scope), number(dynamics, "maxLateralAcc", scope, INF))
    ref = b.entity(target, scope) if name_of(target) == "RelativeTargetLaneOffset" else -1
    return _row(
        b, T.LANE_OFFSET, actor, T.LAT, slot=slot, ref=ref, shape=scope.choice(dynamics, "dynamicsShape", SHAPES),
        continuous=int(scope.flag(e, "continuous")),
    )  # fmt: skip


def _keep_lateral(b: Builder, e: etree._Element, scope: Scope, actor: int) -> int:
    slot = b.slots(number(e, "distance", scope, 0.0), *_limits(b, e, scope))
    side = {"any": 0, "leftToReferencedEntity": T.LEFT, "rightToReferencedEntity": T.RIGHT}
    return _row(
        b, T.KEEP_LATERAL, actor, T.LAT, slot=slot, ref=b.entity(e, scope), mode=scope.choice(e, "displacement", side, "any"),
        system=scope.choice(e, "coordinateSystem", SYSTEMS, "lane"), free=int(scope.flag(e, "freespace")),
        continuous=int(scope.flag(e, "continuous")),
    )  # fmt: skip


def _teleport(b: Builder, e: etree._Element, scope: Scope, actor: int) -> int:
    return _row(b, T.TELEPORT, actor, T.LON_LAT, position=position(b, _part(e, "Position"), scope))


def _synchronize(b: Builder, e: etree._Element, scope: Scope, actor: int) -> int:
    master = position(b, _part(e, "TargetPositionMaster"), scope)
    own = position(b, _part(e, "TargetPosition"), scope)
    final = e.find("FinalSpeed")
    speed, mode, steady, kind = Number(math.nan), -1, Number(math.nan), 0
    if final is not None:
        form = only_child(final)
        speed = number(form, "value", scope)
        mode = T.ABSOLUTE
        if name_of(form) == "RelativeSpeedToMaster":
            mode = scope.choice(form, "speedTargetValueType", {"delta": T.DELTA, "factor": T.FACTOR})
        for name, code, attribute in (
            ("TargetDistanceSteadyState", 1, "distance"),
            ("TargetTimeSteadyState", 2, "time"),
        ):
            state = form.find(name)
            if state is not None:
                steady, kind = number(state, attribute, scope), code
    slot = b.slots(speed, steady, *b.numbers_of(e, scope, targetToleranceMaster=0.0, targetTolerance=0.0))
    return _row(
        b, T.SYNCHRONIZE, actor, T.LON, slot=slot, ref=b.entity(e, scope, "masterEntityRef"), position=own, extra=master,
        mode=mode + 1, shape=kind,
    )  # fmt: skip


def _follow(b: Builder, e: etree._Element, scope: Scope, actor: int) -> int:
    holder = e.find("TrajectoryRef")
    found = b.inline_or_catalog(holder if holder is not None else e, scope, "Trajectory")
    if found is None:
        raise fail(e, "names no trajectory")
    timing = e.find("TimeReference/Timing")
    mode = e.find("TrajectoryFollowingMode")
    following = scope.choice(mode, "followingMode", {"position": 0, "follow": 1}) if mode is not None else 0
    values = b.numbers_of(timing, scope, scale=1.0, offset=0.0)
    slot = b.slots(*values, number(e, "initialDistanceOffset", scope, 0.0))
    reference = 0
    if timing is not None:
        reference = 1 + scope.choice(timing, "domainAbsoluteRelative", {"relative": 0, "absolute": 1})
    return _row(
        b, T.FOLLOW, actor, T.LON_LAT if reference else T.LAT, slot=slot, ref=trajectory(b, *found), mode=following, dimension=reference
    )  # fmt: skip


def _assign_route(b: Builder, e: etree._Element, scope: Scope, actor: int) -> int:
    found = b.inline_or_catalog(e, scope, "Route")
    if found is None:
        raise fail(e, "names no route")
    return _row(b, T.ROUTE, actor, 0, ref=route(b, *found))


def _acquire(b: Builder, e: etree._Element, scope: Scope, actor: int) -> int:
    target = position(b, _part(e, "Position"), scope)
    b.members.append(target)
    b.routes.append([len(b.members) - 1, len(b.members), 0])
    return _row(b, T.ACQUIRE, actor, 0, ref=len(b.routes) - 1)


def _random_route(b: Builder, e: etree._Element, scope: Scope, actor: int) -> int:
    if b.map is None:
        raise fail(e, "a random route needs a road network", "name it in RoadNetwork/LogicFile")
    return _row(b, T.RANDOM_ROUTE, actor, 0)


def _assign(b: Builder, e: etree._Element, scope: Scope, actor: int) -> int:
    row = controller(b, actor, e, scope)
    mode = 2 * int(scope.flag(e, "activateLateral")) + int(scope.flag(e, "activateLongitudinal"))
    return _row(b, T.ASSIGN, actor, 0, ref=row, mode=mode)


def _activate(b: Builder, e: etree._Element, scope: Scope, actor: int) -> int:
    modes = {"": 0, "false": 1, "0": 1, "true": 2, "1": 2}
    lon, lat = (scope.choice(e, name, modes, "") for name in ("longitudinal", "lateral"))
    name = scope.text(e, "objectControllerRef", scope.text(e, "controllerRef", ""))
    ref = -1
    if name:
        if (actor, name) not in b.controller_row:
            raise fail(e, f"controller '{name}' is not assigned to the entity")
        ref = b.controller_row[actor, name]
    return _row(b, T.ACTIVATE, actor, 0, ref=ref, mode=lon, shape=lat)


def _override(b: Builder, e: etree._Element, scope: Scope, actor: int) -> int:
    """Pedals and wheel of a controlled vehicle; throttle and brake act on its speed through its performance."""
    slots: list[float | Number] = []
    for name in ("Throttle", "Brake", "SteeringWheel"):
        part = e.find(name)
        if part is None:
            slots += [math.nan, math.nan]
            continue
        holder = part.find("BrakePercent") if part.find("BrakePercent") is not None else part
        slots += [float(scope.flag(part, "active")), number(holder, "value", scope, 0.0)]
    return _row(b, T.OVERRIDE, actor, 0, slot=b.slots(*slots))


def _animation(b: Builder, e: etree._Element, scope: Scope, actor: int) -> int:
    """Nothing that moves an entity, but it takes its time: endless in a loop and for what a pedestrian does, else `animationDuration`
    (Annex A); an animation of unknown length ends at once."""
    length = number(e, "animationDuration", scope)
    endless = scope.flag(e, "loop") or (
        math.isnan(length.value) and e.find("AnimationType/PedestrianAnimation") is not None
    )
    return _row(b, T.LASTING, actor, 0, slot=b.slots(INF if endless else 0.0 if math.isnan(length.value) else length))


def _connect(b: Builder, e: etree._Element, scope: Scope, actor: int) -> int:
    return _row(b, T.CONNECT, actor, 0, ref=b.entity(e, scope, "trailerRef"))


def _disconnect(b: Builder, e: etree._Element, scope: Scope, actor: int) -> int:
    return _row(b, T.DISCONNECT, actor, 0)


_PRIVATE: dict[str, Callable[[Builder, etree._Element, Scope, int], int]] = {
    "SpeedAction": _speed,
    "SpeedProfileAction": _speed_profile,
    "LongitudinalDistanceAction": _keep_distance,
    "LaneChangeAction": _lane_change,
    "LaneOffsetAction": _lane_offset,
    "LateralDistanceAction": _keep_lateral,
    "TeleportAction": _teleport,
    "SynchronizeAction": _synchronize,
    "FollowTrajectoryAction": _follow,
    "AssignRouteAction": _assign_route,
    "AcquirePositionAction": _acquire,
    "RandomRouteAction": _random_route,
    "AssignControllerAction": _assign,
    "ActivateControllerAction": _activate,
    "OverrideControllerValueAction": _override,
    "AnimationAction": _animation,
    "ConnectTrailerAction": _connect,
    "DisconnectTrailerAction": _disconnect,
}


def _entity_action(b: Builder, e: etree._Element, scope: Scope) -> list[int]:
    actor, inner = b.entity(e, scope), only_child(e)
    if name_of(inner) == "DeleteEntityAction":
        return [_row(b, T.DELETE, actor, 0)]
    return [_row(b, T.ADD, actor, 0, position=position(b, _part(inner, "Position"), scope))]


def _set_variable(b: Builder, e: etree._Element, scope: Scope) -> list[int]:
    name = e.get("variableRef", e.get("parameterRef", "")).lstrip("$")
    if name not in b.variables:
        raise fail(e, f"variable '{name}' is not declared")
    index, kind = b.variables[name]
    form = _part(e, "SetAction", "ModifyAction")
    if name_of(form) == "SetAction":
        return [_row(b, T.SET_VARIABLE, -1, 0, ref=index, mode=T.SET, slot=value_slot(b, form, scope, kind))]
    rule = only_child(_part(form, "Rule"))
    mode = T.ADD_VALUE if name_of(rule) == "AddValue" else T.MULTIPLY
    return [_row(b, T.SET_VARIABLE, -1, 0, ref=index, mode=mode, slot=b.slots(number(rule, "value", scope)))]


def value_slot(b: Builder, element: etree._Element, scope: Scope, kind: str) -> int:
    """Slot of the `value` attribute, read as a variable's type: numbers as they are, truth values 0 and 1, texts by their code."""
    if kind.lower() == "boolean":
        return b.slots(float(scope.flag(element, "value")))
    if kind.lower() in ("string", "datetime"):
        return text_slot(b, scope.text(element, "value"))
    return b.slots(number(element, "value", scope))


def text_slot(b: Builder, text: str) -> int:
    """Slot that will hold the code of a text."""
    b.text_code(text)
    slot = b.slots(0.0)
    b.numbers.rows[slot] = Number(0.0, text, "text")
    return slot


def _signal_state(b: Builder, e: etree._Element, scope: Scope) -> list[int]:
    signal = b.signal(scope.text(e, "name"))
    return [_row(b, T.SIGNAL_STATE, -1, 0, ref=signal, slot=text_slot(b, scope.text(e, "state")))]


def _signal_phase(b: Builder, e: etree._Element, scope: Scope) -> list[int]:
    name, phase = scope.text(e, "trafficSignalControllerRef"), scope.text(e, "phase")
    if name not in b.signal_controllers:
        raise fail(e, f"traffic signal controller '{name}' does not exist")
    row = b.signal_controllers[name]
    names = b.phase_names[row]
    if phase not in names:
        raise fail(e, f"traffic signal controller '{name}' has no phase '{phase}'")
    return [_row(b, T.SIGNAL_PHASE_SET, -1, 0, ref=row, mode=names.index(phase))]


def _environment(b: Builder, e: etree._Element, scope: Scope) -> list[int]:
    if e.find("CatalogReference") is not None:
        b.catalog(_part(e, "CatalogReference"), scope)
    return [_row(b, T.NOTHING, -1, 0)]


def _traffic(b: Builder, e: etree._Element, scope: Scope) -> list[int]:
    kind, ref = traffic_action(b, e, scope)
    return [_row(b, kind, -1, 0, ref=ref)]


_GLOBAL: dict[str, Callable[[Builder, etree._Element, Scope], list[int]]] = {
    "EntityAction": _entity_action,
    "VariableAction": _set_variable,
    "ParameterAction": _set_variable,
    "TrafficSignalStateAction": _signal_state,
    "TrafficSignalControllerAction": _signal_phase,
    "EnvironmentAction": _environment,
    "TrafficAction": _traffic,
}
_ACCEPTED = (
    "UserDefinedAction", "SetMonitorAction", "VisibilityAction", "LightStateAction", "CustomCommandAction"
)  # fmt: skip
"""Actions without an effect on motion: they start and end at once."""
