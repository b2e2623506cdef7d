"""SUMO's `vType` and `vTypeDistribution` as rows of `VehicleTypes`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cloverleaf.map.io.sumo_xml import Element, XmlSource
from cloverleaf.scenario.demand.vehicle_classes import CLASS_DEFAULTS, DEFAULT_TYPES, DESIRED_SPEED
from cloverleaf.types.demand import EmissionClass, FollowModel, VehicleTypes
from cloverleaf.types.errors import nearest
from cloverleaf.types.state import F64, I32, Kind

FOLLOW_MODELS = {
    "Krauss": FollowModel.KRAUSS, "KraussOrig1": FollowModel.KRAUSS, "KraussPS": FollowModel.KRAUSS,
    "PWag2009": FollowModel.KRAUSS, "BKerner": FollowModel.KRAUSS, "SmartSK": FollowModel.KRAUSS, "Daniel1": FollowModel.KRAUSS,
    "Wiedemann": FollowModel.KRAUSS, "W99": FollowModel.KRAUSS, "KraussX": FollowModel.KRAUSS,
    "IDM": FollowModel.IDM, "IDMM": FollowModel.IDM, "EIDM": FollowModel.IDM, "ACC": FollowModel.ACC, "CACC": FollowModel.CACC,
}  # fmt: skip
EXACT_MODELS = ("Krauss", "IDM", "ACC", "CACC")
"""The other names of `FOLLOW_MODELS` are approximated by their nearest relative."""


class TypeRow(NamedTuple):
    """One row of `VehicleTypes`, its fields in the same order."""

    kind: int
    vclass: int
    model: int
    emission: int
    length: float
    width: float
    min_gap: float
    max_speed: float
    accel: float
    decel: float
    emergency_decel: float
    tau: float
    sigma: float
    speed_factor_mean: float
    speed_factor_dev: float
    speed_factor_min: float
    speed_factor_max: float
    lc_cooperative: float
    lc_assertive: float
    lc_strategic: float
    lc_speed_gain: float
    lc_keep_right: float
    persons: float


class Choice(NamedTuple):
    """One of several rows (of types, of routes) by probability; `cumulative` ends at 1."""

    rows: I32
    cumulative: F64

    def pick(self, draw: float) -> int:
        """The row for a uniform draw in [0, 1)."""
        at = int(np.searchsorted(self.cumulative, draw, side="right"))
        return int(self.rows[min(at, len(self.rows) - 1)])


def single(row: int) -> Choice:
    """A choice of one."""
    return Choice(np.array([row], np.int32), np.ones(1))


def weighted(rows: list[int], weights: list[float]) -> Choice:
    """A choice by weights >= 0 with a positive sum."""
    total = np.cumsum(np.array(weights, float))
    return Choice(np.array(rows, np.int32), total / total[-1])


class TypeBook:
    """All vehicle types of a run by name; types and distributions share one name space."""

    def __init__(self) -> None:
        self.rows: list[TypeRow] = []
        self.ids: list[str] = []
        self.choices: dict[str, Choice] = {}

    def add(self, name: str, row: TypeRow) -> int:
        """Add a type; returns its row."""
        self.rows.append(row)
        self.ids.append(name)
        self.choices[name] = single(len(self.rows) - 1)
        return len(self.rows) - 1

    def read(self, source: XmlSource, root: Element) -> None:
        """Add every vType and vTypeDistribution below `root`."""
        for element in root.iterfind("vType"):
            self._read_type(source, element)
        for element in root.iterfind("vTypeDistribution"):
            name = source.text(element, "id")
            rows, weights = [], []
            for child in element.iterfind("vType"):
                rows.append(self._read_type(source, child))
                weights.append(source.number(child, "probability", 1.0))
            if not rows:
                rows, weights = self._referenced(source, element)
            if not rows or min(weights) < 0.0 or sum(weights) <= 0.0:
                source.fail(element, "a distribution needs types with probabilities >= 0 and a positive sum")
            self.choices[name] = weighted(rows, weights)

    def find(self, source: XmlSource, element: Element, name: str) -> Choice:
        """The type or distribution `name`; defaults come into being when first named."""
        if name not in self.choices and name in DEFAULT_TYPES:
            self.add(name, class_row(DEFAULT_TYPES[name]))
        choice = self.choices.get(name)
        if choice is None:
            source.fail(
                element, f"vehicle type '{name}' does not exist", nearest(name, [*self.choices, *DEFAULT_TYPES])
            )
        return choice

    def table(self) -> VehicleTypes:
        """All types as columns."""
        return type_table(self.rows)

    def _referenced(self, source: XmlSource, element: Element) -> tuple[list[int], list[float]]:
        names = element.get("vTypes", "").split()
        choices = [self.find(source, element, name) for name in names]
        given = element.get("probabilities")
        try:
            weights = [float(p) for p in given.split()] if given else [1.0] * len(names)
        except ValueError:
            weights = []
        if len(weights) != len(names):
            source.fail(element, f"{len(names)} types with probabilities '{given}'")
        return [int(c.rows[0]) for c in choices], weights

    def _read_type(self, source: XmlSource, element: Element) -> int:
        name = source.text(element, "id")
        if name in self.choices and name not in DEFAULT_TYPES:
            source.fail(element, "this vehicle type is defined twice")
        vclass = element.get("vClass", "passenger")
        if vclass not in CLASS_DEFAULTS:
            source.fail(element, f"vClass '{vclass}' is not supported", nearest(vclass, CLASS_DEFAULTS))
        return self.add(name, _overridden(source, element, class_row(vclass)))


def class_row(vclass: str) -> TypeRow:
    """A type with all defaults of its class. Source: `vehicle_classes`."""
    d = CLASS_DEFAULTS[vclass]
    return TypeRow(
        kind=int(d.kind), vclass=int(d.vclass), model=int(FollowModel.KRAUSS), emission=int(d.emission), length=d.length,
        width=d.width, min_gap=d.min_gap, max_speed=DESIRED_SPEED.get(vclass, d.max_speed), accel=d.accel, decel=d.decel,
        emergency_decel=d.emergency_decel, tau=1.0, sigma=0.5, speed_factor_mean=1.0, speed_factor_dev=d.speed_dev,
        speed_factor_min=0.2, speed_factor_max=2.0, lc_cooperative=1.0, lc_assertive=1.0, lc_strategic=1.0, lc_speed_gain=1.0,
        lc_keep_right=1.0, persons=d.persons,
    )  # fmt: skip


def type_table(rows: list[TypeRow]) -> VehicleTypes:
    """Rows as columns with the dtypes of the schema."""
    kinds: dict[str, Any] = {"kind": np.int32, "vclass": np.uint32, "model": np.int32, "emission": np.int32}
    columns = {name: [row[i] for row in rows] for i, name in enumerate(TypeRow._fields)}
    return VehicleTypes(*(np.array(columns[name], kinds.get(name, np.float64)) for name in VehicleTypes._fields))


_NUMBERS = {
    "length": "length", "width": "width", "minGap": "min_gap", "accel": "accel", "decel": "decel", "tau": "tau",
    "sigma": "sigma", "emergencyDecel": "emergency_decel", "lcCooperative": "lc_cooperative", "lcAssertive": "lc_assertive",
    "lcStrategic": "lc_strategic", "lcSpeedGain": "lc_speed_gain", "lcKeepRight": "lc_keep_right",
}  # fmt: skip
_POSITIVE = ("length", "width", "accel", "decel", "emergencyDecel", "tau", "maxSpeed", "lcAssertive")


def _overridden(source: XmlSource, element: Element, row: TypeRow) -> TypeRow:
    values: dict[str, float] = {}
    for attribute, field in _NUMBERS.items():
        if attribute in element.attrib:
            values[field] = source.number(element, attribute)
    for attribute in ("maxSpeed", "desiredMaxSpeed"):
        # The class's desired speed stays the cap of bicycles and pedestrians where the type only gives a technical maximum.
        if attribute in element.attrib:
            speed = source.number(element, attribute)
            wish = row.max_speed if row.kind in (Kind.BICYCLE, Kind.PEDESTRIAN) else speed
            values["max_speed"] = min(speed, wish) if attribute == "maxSpeed" else speed
    for attribute in _POSITIVE:
        if attribute in element.attrib and source.number(element, attribute) <= 0.0:
            source.fail(element, f"{attribute}='{element.get(attribute)}' must be greater than 0")
    if "decel" in values and "emergencyDecel" not in element.attrib:
        values["emergency_decel"] = max(values["decel"], row.emergency_decel)
    values.update(_speed_factor(source, element, row))
    model = element.get("carFollowModel", "Krauss")
    if model not in FOLLOW_MODELS:
        source.fail(element, f"carFollowModel '{model}' is not supported", nearest(model, FOLLOW_MODELS))
    values["model"] = int(FOLLOW_MODELS[model])
    if "emissionClass" in element.attrib:
        values["emission"] = int(emission_class(element.get("emissionClass"), row))
    return row._replace(**values)  # type: ignore[arg-type]


def _speed_factor(source: XmlSource, element: Element, row: TypeRow) -> dict[str, float]:
    """Mean, deviation and bounds from speedFactor ('1.1', 'norm(1,0.1)', 'normc(1,0.1,0.2,2)') and speedDev."""
    mean, dev, low, high = row.speed_factor_mean, row.speed_factor_dev, row.speed_factor_min, row.speed_factor_max
    text = element.get("speedFactor")
    if text is not None:
        name, _, inner = text.partition("(")
        try:
            if inner:
                numbers = [float(v) for v in inner.rstrip(") ").split(",")]
                if (
                    name.strip() not in ("norm", "normc")
                    or not 1 <= len(numbers) <= 4
                    or not np.isfinite(numbers).all()
                ):
                    raise ValueError
                mean, dev, low, high = (numbers + [0.0, 0.01, 100.0][len(numbers) - 1 :])[:4]
            else:
                mean = float(text)
        except ValueError:
            source.fail(
                element,
                f"speedFactor='{text}' is not understood",
                "a number, norm(mean,dev) or normc(mean,dev,min,max)",
            )
    dev = source.number(element, "speedDev", dev)
    if not 0.0 < mean < 100.0 or dev < 0.0 or low > high:
        source.fail(element, f"speedFactor='{text}' speedDev='{dev:g}' is impossible")
    return {"speed_factor_mean": mean, "speed_factor_dev": dev, "speed_factor_min": low, "speed_factor_max": high}


def emission_class(name: str, row: TypeRow) -> EmissionClass:
    """Nearest of our classes for a SUMO emission class name such as 'HBEFA4/PC_petrol_Euro-4' or 'Zero/default'."""
    lowered = name.lower()
    if "zero" in lowered or "energy" in lowered or "bev" in lowered:
        if row.kind in (Kind.BICYCLE, Kind.PEDESTRIAN):
            return EmissionClass.NONE
        return EmissionClass.EBIKE if row.kind == Kind.MOTORCYCLE else EmissionClass.ELECTRIC_CAR
    for part, found in (
        ("coach", EmissionClass.COACH), ("bus", EmissionClass.BUS), ("hdv", EmissionClass.TRUCK), ("rt_", EmissionClass.TRUCK),
        ("tt_", EmissionClass.TRUCK), ("lcv", EmissionClass.DIESEL_VAN), ("ldv", EmissionClass.DIESEL_VAN),
        ("mc_", EmissionClass.MOTORCYCLE), ("moped", EmissionClass.MOTORCYCLE), ("diesel", EmissionClass.DIESEL_VAN),
        ("pc", EmissionClass.PETROL_CAR), ("p_", EmissionClass.PETROL_CAR),
    ):  # fmt: skip
        if part in lowered:
            return found
    return EmissionClass(row.emission)
