"""What the parts of the compiler share: the tables under construction, the names, the catalogs and the map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from lxml import etree

from cloverleaf.map.query import MapQuery
from cloverleaf.scenario.openscenario.catalogs import catalog_entries
from cloverleaf.scenario.openscenario.document import OWNER, read
from cloverleaf.scenario.storyboard import tables as T
from cloverleaf.scenario.storyboard.numbers import Number, Numbers, number
from cloverleaf.scenario.storyboard.scope import Scope, fail
from cloverleaf.types.errors import ScenarioError, nearest
from cloverleaf.types.state import I64


class Builder:
    """Tables as lists of rows, and the look-ups of the compiler."""

    def __init__(self, root: etree._Element, path: Path, road: MapQuery | None, scope: Scope) -> None:
        self.root, self.path, self.map, self.scope = root, path, road, scope
        self.numbers = Numbers()
        self.elements: list[list[int]] = []
        self.element_names: list[str] = []
        self.element_paths: list[str] = []
        self.actions: list[list[int]] = []
        self.triggers: list[list[int]] = []
        self.groups: list[list[int]] = []
        self.conditions: list[list[int]] = []
        self.condition_names: list[str] = []
        self.members: list[int] = []
        self.positions: list[list[int]] = []
        self.trajectories: list[list[int]] = []
        self.trajectory_names: list[str] = []
        self.vertices: list[list[int]] = []
        self.routes: list[list[int]] = []
        self.entities: list[list[int]] = []
        self.entity_row: dict[str, int] = {}
        self.selections: dict[str, list[int]] = {}
        self.controllers: list[list[int]] = []
        self.controller_row: dict[tuple[int, str], int] = {}
        self.variables: dict[str, tuple[int, str]] = {}  # name -> index, type
        self.texts: list[str] = [""]
        self.signals: dict[str, int] = {}
        self.signal_controllers: dict[str, int] = {}
        self.phase_names: list[list[str]] = []
        self.signal_rows: list[list[int]] = []
        self.phases: list[list[int]] = []
        self.traffic: list[list[int]] = []
        self.traffic_pools: list[
            tuple[str, int]
        ] = []  # of each row of `traffic`: name of its vehicles, their greatest number
        self.traffic_names: list[str] = []
        self.traffic_stops: list[tuple[etree._Element, int]] = []
        self.pending_states: list[tuple[int, etree._Element, Scope]] = []
        self.histories = 0
        self.path_rows = 0
        self.owner: Sequence[int] = ()
        self.catalogs: Mapping[str, list[Path]] = {}
        self._entries: dict[str, dict[str, etree._Element]] = {}

    def entity(self, element: etree._Element, scope: Scope, name: str = "entityRef") -> int:
        """Row of the entity that an attribute names."""
        raw = element.get(name, "")
        if raw == OWNER and "owner" not in scope.values:
            if len(self.owner) != 1:
                raise fail(element, "the acting entity is not unique here", "name the entity")
            return self.owner[0]
        text = scope.text(element, name)
        if text not in self.entity_row:
            hint = nearest(text, self.entity_row) if self.entity_row else "the scenario declares no entity"
            raise fail(element, f"entity '{text}' does not exist", hint)
        return self.entity_row[text]

    def entities_of(self, element: etree._Element, scope: Scope, name: str = "entityRef") -> list[int]:
        """Rows of an entity or of the members of a selection."""
        raw = element.get(name, "")
        if raw == OWNER and "owner" not in scope.values:
            return list(self.owner)
        text = scope.text(element, name)
        return self.selections[text] if text in self.selections else [self.entity(element, scope, name)]

    def catalog(self, reference: etree._Element, scope: Scope) -> tuple[etree._Element, Scope]:
        """The entry of a catalog and the scope inside it."""
        name, entry = scope.text(reference, "catalogName"), scope.text(reference, "entryName")
        if name not in self.catalogs:
            hint = nearest(name, self.catalogs) if self.catalogs else "see CatalogLocations"
            raise fail(reference, f"catalog '{name}' does not exist", hint)
        if name not in self._entries:
            self._entries[name] = {k: v for file in self.catalogs[name] for k, v in catalog_entries(read(file)).items()}
        if entry not in self._entries[name]:
            raise fail(reference, f"catalog '{name}' has no entry '{entry}'", nearest(entry, self._entries[name]))
        found = self._entries[name][entry]
        return found, scope.child(found, reference)

    def inline_or_catalog(
        self, parent: etree._Element, scope: Scope, *names: str
    ) -> tuple[etree._Element, Scope] | None:
        """A child of one of these names, or the catalog entry that stands in for it; None if neither is there."""
        for name in names:
            found = parent.find(name)
            if found is not None:
                return found, scope.child(found)
        reference = parent.find("CatalogReference")
        return None if reference is None else self.catalog(reference, scope)

    def road(self, element: etree._Element, scope: Scope) -> int:
        """Row of the road that `roadId` names."""
        name = scope.text(element, "roadId")
        if self.map is None:
            raise fail(element, "the scenario has no road network", "name it in RoadNetwork/LogicFile")
        if name not in self.map.road_row:
            raise fail(element, f"road '{name}' does not exist", nearest(name, self.map.road_row))
        return self.map.road_row[name]

    def slots(self, *numbers: Number | float) -> int:
        """Slots for numbers, the first of them."""
        return self.numbers.add(*numbers)

    def numbers_of(self, element: etree._Element | None, scope: Scope, **defaults: float) -> list[Number]:
        """Attributes of one element, by name, with their defaults."""
        return [number(element, name, scope, default) for name, default in defaults.items()]

    def text_code(self, text: str) -> int:
        """A number for a text; texts are renumbered in alphabetical order at the end."""
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text)

    def signal(self, name: str) -> int:
        """Index of the state of a traffic signal."""
        return self.signals.setdefault(name, len(self.signals))

    def program(self, init: int, own: int) -> T.Program:
        """All tables as arrays; `own`: number of entities without those of traffic."""

        def table(rows: Sequence[Sequence[int]], columns: int) -> I64:
            return np.array(rows, np.int64).reshape(-1, columns)

        sizes = [0] * 8
        sizes[T.Z_INIT], sizes[T.Z_HISTORY], sizes[T.Z_VARIABLES] = init, self.histories, len(self.variables)
        sizes[T.Z_PATH], sizes[T.Z_SIGNALS], sizes[T.Z_OWN] = self.path_rows, len(self.signals), own
        sizes[T.Z_WANDER] = int(bool(self.traffic) or any(a[T.A_KIND] == T.RANDOM_ROUTE for a in self.actions))
        return T.Program(
            elements=table(self.elements, 9),
            actions=table(self.actions, 13),
            triggers=table(self.triggers, 3),
            groups=table(self.groups, 2),
            conditions=table(self.conditions, 14),
            members=np.array(self.members, np.int64),
            positions=table(self.positions, 7),
            trajectories=table(self.trajectories, 10),
            vertices=table(self.vertices, 2),
            routes=table(self.routes, 3),
            signals=table(self.signal_rows, 3),
            phases=table(self.phases, 3),
            traffic=table(self.traffic, 13),
            entities=table(self.entities, 7),
            controllers=table(self.controllers, 5),
            sizes=np.array(sizes, np.int64),
        )


def only_child(element: etree._Element) -> etree._Element:
    """The first child element. Raises ScenarioError if there is none."""
    for child in element:
        if isinstance(child.tag, str):
            return child
    raise fail(element, "is empty")


def unsupported(element: etree._Element, what: str, hint: str = "") -> ScenarioError:
    """An error that names what is not supported."""
    return fail(element, f"{what} is not supported", hint)
