"""The storyboard flattened: stories, acts, groups, maneuvers, events and actions in document order, then the Init actions."""

from __future__ import annotations

from lxml import etree

from cloverleaf.scenario.openscenario.document import children, name_of
from cloverleaf.scenario.storyboard import tables as T
from cloverleaf.scenario.storyboard.actions import action_rows
from cloverleaf.scenario.storyboard.builder import Builder, only_child
from cloverleaf.scenario.storyboard.conditions import trigger, triggering_entities
from cloverleaf.scenario.storyboard.scope import Scope, fail
from cloverleaf.types.errors import nearest

PRIORITIES = {"overwrite": T.OVERWRITE, "override": T.OVERWRITE, "skip": T.SKIP, "parallel": T.PARALLEL}
TYPES = {
    "story": T.STORY,
    "act": T.ACT,
    "maneuverGroup": T.GROUP,
    "maneuver": T.MANEUVER,
    "event": T.EVENT,
    "action": T.ACTION,
}
KIND_NAMES = ("storyboard", *TYPES)


def compile_storyboard(b: Builder, element: etree._Element, scope: Scope) -> int:
    """Fill the element table; returns the row of the first Init action."""
    root = _add(b, T.STORYBOARD, -1, "")
    b.elements[root][T.E_STOP] = trigger(b, element.find("StopTrigger"), scope, False)
    for story in element.iterfind("Story"):
        _story(b, story, scope, root)
    b.elements[root][T.E_END] = len(b.elements)
    init = len(b.elements)
    block = element.find("Init/Actions")
    for part in children(block) if block is not None else []:
        _init(b, part, scope)
    _resolve_states(b, init)
    _absent_at_first(b, init)
    return init


def _add(b: Builder, kind: int, parent: int, name: str) -> int:
    row = len(b.elements)
    b.elements.append([kind, parent, row + 1, -1, -1, 0, -1, -1, 0])
    b.element_names.append(name)
    above = b.element_paths[parent] if parent >= 0 else ""
    b.element_paths.append(f"{above}::{name}" if above else name)
    return row


def _close(b: Builder, row: int) -> None:
    b.elements[row][T.E_END] = len(b.elements)


def _story(b: Builder, element: etree._Element, scope: Scope, root: int) -> None:
    inner = scope.child(element)
    row = _add(b, T.STORY, root, inner.text(element, "name"))
    for act in element.iterfind("Act"):
        _act(b, act, inner, row)
    _close(b, row)


def _act(b: Builder, element: etree._Element, scope: Scope, parent: int) -> None:
    row = _add(b, T.ACT, parent, scope.text(element, "name"))
    start = trigger(b, element.find("StartTrigger"), scope, True)
    b.elements[row][T.E_START] = start
    b.elements[row][T.E_STOP] = trigger(b, element.find("StopTrigger"), scope, False)
    for group in element.iterfind("ManeuverGroup"):
        _group(b, group, scope, row)
    _close(b, row)


def _group(b: Builder, element: etree._Element, scope: Scope, parent: int) -> None:
    row = _add(b, T.GROUP, parent, scope.text(element, "name"))
    b.elements[row][T.E_COUNT] = int(float(scope.text(element, "maximumExecutionCount", "1")))
    actors = element.find("Actors")
    listed = children(actors) if actors is not None else []
    b.owner = [m for e in listed for m in b.entities_of(e, scope)]
    chosen = actors is not None and scope.flag(actors, "selectTriggeringEntities")
    for part in children(element):
        if name_of(part) == "Maneuver":
            _maneuver(b, part, scope.child(part), row, chosen)
        elif name_of(part) == "CatalogReference":
            found, inner = b.catalog(part, scope)
            _maneuver(b, found, inner, row, chosen)
    b.owner = ()
    _close(b, row)


def _maneuver(b: Builder, element: etree._Element, scope: Scope, parent: int, chosen: bool) -> None:
    row = _add(b, T.MANEUVER, parent, scope.text(element, "name"))
    for event in element.iterfind("Event"):
        _event(b, event, scope, row, chosen)
    _close(b, row)


def _event(b: Builder, element: etree._Element, scope: Scope, parent: int, chosen: bool) -> None:
    row = _add(b, T.EVENT, parent, scope.text(element, "name"))
    own = b.elements[row]
    own[T.E_COUNT] = int(float(scope.text(element, "maximumExecutionCount", "1")))
    own[T.E_PRIORITY] = scope.choice(element, "priority", PRIORITIES)
    own[T.E_START] = trigger(b, element.find("StartTrigger"), scope, True)
    if own[T.E_START] < 0:  # starts with its maneuver, by way of standby
        b.triggers.append([0, 0, 1])
        own[T.E_START] = len(b.triggers) - 1
    actors = list(b.owner)
    if chosen:
        actors += [m for m in triggering_entities(b, own[T.E_START]) if m not in actors]
        if len(b.entities) > 50:
            raise fail(element, "selectTriggeringEntities with more than 50 entities is not supported")
    for action in element.iterfind("Action"):
        name = scope.text(action, "name")
        for k in action_rows(b, action, scope, actors):
            at = _add(b, T.ACTION, row, name)
            b.elements[at][T.E_ACTION] = k
            # bit 1: acts only if its entity fired the trigger
            b.elements[at][T.E_PRIORITY] = int(
                chosen and b.actions[k][T.A_ACTOR] not in b.owner and b.actions[k][T.A_ACTOR] >= 0
            )
    _close(b, row)


def _init(b: Builder, part: etree._Element, scope: Scope) -> None:
    if name_of(part) == "Private":
        rows = b.entities_of(part, scope)
        actions = [
            (k, name_of(only_child(action))) for action in children(part) for k in action_rows(b, action, scope, rows)
        ]
    else:
        actions = [(k, name_of(only_child(part))) for k in action_rows(b, part, scope, [])]
    who = "" if name_of(part) != "Private" else f"{scope.text(part, 'entityRef')} "
    for k, tag in actions:
        at = _add(b, T.ACTION, -1, f"Init {who}{tag}")
        b.elements[at][T.E_ACTION] = k


def _absent_at_first(b: Builder, init: int) -> None:
    """An entity that the story adds, and that Init says nothing of, is not there before."""
    begun = {b.actions[e[T.E_ACTION]][T.A_ACTOR] for e in b.elements[init:] if e[T.E_ACTION] >= 0}
    for e in b.elements[:init]:
        action = b.actions[e[T.E_ACTION]] if e[T.E_ACTION] >= 0 else None
        if action is not None and action[T.A_KIND] == T.ADD and action[T.A_ACTOR] not in begun:
            b.entities[action[T.A_ACTOR]][T.N_PRESENT] = 0


def _resolve_states(b: Builder, init: int) -> None:
    """Numbers of the elements that StoryboardElementState conditions name, by name or by a path of names."""
    found = []
    for _, element, scope in b.pending_states:
        kind = TYPES[scope.text(element, "storyboardElementType")]
        name = scope.text(element, "storyboardElementRef")
        rows = [r for r in range(init) if b.elements[r][T.E_KIND] == kind]
        matches = [r for r in rows if b.element_paths[r] == name or b.element_paths[r].endswith("::" + name)]
        if not matches:
            hint = nearest(name, [b.element_names[r] for r in rows]) if rows else ""
            raise fail(element, f"{KIND_NAMES[kind]} '{name}' does not exist", hint)
        found.append(matches[0])
    for condition in b.conditions:
        if condition[T.C_KIND] == T.ELEMENT_STATE:
            condition[T.C_REF] = found[condition[T.C_REF]]
