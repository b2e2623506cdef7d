"""Vehicle classes and the values a vehicle type of that class has where the file gives none.

Figures: SUMO 1.28 read through its interface (`vehicletype.*` of an empty type of each class). `persons`, the mean
occupancy for person delay, is not SUMO's: 1.5 in cars (about the European average), 20 in buses and 30 in coaches, assumed.
"""

from __future__ import annotations

from typing import NamedTuple

from cloverleaf.map.graph import VehicleClass
from cloverleaf.types.demand import EmissionClass
from cloverleaf.types.state import Kind

V, K, E = VehicleClass, Kind, EmissionClass


class ClassDefaults(NamedTuple):
    """Columns as in `VehicleTypes`; m, m/s, m/s2."""

    vclass: VehicleClass
    kind: Kind
    emission: EmissionClass
    length: float
    width: float
    min_gap: float
    accel: float
    decel: float
    emergency_decel: float
    max_speed: float
    speed_dev: float
    persons: float


_CAR = (5.0, 1.8, 2.5, 2.6, 4.5, 9.0, 55.556)
_VAN = (6.5, 2.16, 2.5, 2.6, 4.5, 9.0, 55.556)

CLASS_DEFAULTS: dict[str, ClassDefaults] = {
    "passenger": ClassDefaults(V.PASSENGER, K.CAR, E.PETROL_CAR, *_CAR, 0.1, 1.5),
    "private": ClassDefaults(V.PRIVATE, K.CAR, E.PETROL_CAR, *_CAR, 0.1, 1.5),
    "vip": ClassDefaults(V.PRIVATE, K.CAR, E.PETROL_CAR, *_CAR, 0.1, 1.5),
    "hov": ClassDefaults(V.HOV, K.CAR, E.PETROL_CAR, *_CAR, 0.1, 2.5),
    "taxi": ClassDefaults(V.TAXI, K.CAR, E.PETROL_CAR, *_CAR, 0.05, 1.5),
    "evehicle": ClassDefaults(V.EVEHICLE, K.CAR, E.ELECTRIC_CAR, *_CAR, 0.1, 1.5),
    "authority": ClassDefaults(V.AUTHORITY, K.CAR, E.PETROL_CAR, *_CAR, 0.0, 1.5),
    "army": ClassDefaults(V.AUTHORITY, K.CAR, E.PETROL_CAR, *_CAR, 0.0, 1.5),
    "custom1": ClassDefaults(V.CUSTOM1, K.CAR, E.PETROL_CAR, *_CAR, 0.1, 1.5),
    "custom2": ClassDefaults(V.CUSTOM2, K.CAR, E.PETROL_CAR, *_CAR, 0.1, 1.5),
    "ignoring": ClassDefaults(V.ALL, K.CAR, E.PETROL_CAR, *_CAR, 0.0, 1.5),
    "emergency": ClassDefaults(V.EMERGENCY, K.EMERGENCY, E.DIESEL_VAN, *_VAN, 0.0, 2.0),
    "delivery": ClassDefaults(V.DELIVERY, K.CAR, E.DIESEL_VAN, *_VAN, 0.05, 1.0),
    "truck": ClassDefaults(V.TRUCK, K.TRUCK, E.TRUCK, 7.1, 2.4, 2.5, 1.3, 4.0, 7.0, 36.111, 0.05, 1.0),
    "trailer": ClassDefaults(V.TRAILER, K.TRUCK, E.TRUCK, 16.5, 2.55, 2.5, 1.1, 4.0, 7.0, 36.111, 0.05, 1.0),
    "bus": ClassDefaults(V.BUS, K.BUS, E.BUS, 12.0, 2.5, 2.5, 1.2, 4.0, 7.0, 27.778, 0.0, 20.0),
    "coach": ClassDefaults(V.COACH, K.BUS, E.COACH, 14.0, 2.6, 2.5, 2.0, 4.0, 7.0, 27.778, 0.05, 30.0),
    "motorcycle": ClassDefaults(
        V.MOTORCYCLE, K.MOTORCYCLE, E.MOTORCYCLE, 2.2, 0.9, 2.5, 6.0, 10.0, 10.0, 55.556, 0.1, 1.0
    ),
    "moped": ClassDefaults(V.MOPED, K.MOTORCYCLE, E.MOTORCYCLE, 2.1, 0.78, 2.5, 1.1, 7.0, 10.0, 16.667, 0.1, 1.0),
    "bicycle": ClassDefaults(V.BICYCLE, K.BICYCLE, E.NONE, 1.6, 0.65, 0.5, 1.2, 3.0, 7.0, 13.889, 0.1, 1.0),
    "pedestrian": ClassDefaults(
        V.PEDESTRIAN, K.PEDESTRIAN, E.NONE, 0.215, 0.478, 0.25, 1.5, 2.0, 5.0, 10.439, 0.1, 1.0
    ),
}

DESIRED_SPEED = {"bicycle": 20.0 / 3.6, "pedestrian": 5.0 / 3.6}
"""m/s that a class wants where the limit allows more (SUMO's `desiredMaxSpeed` defaults)."""

DEFAULT_TYPES = {
    "DEFAULT_VEHTYPE": "passenger",
    "DEFAULT_PEDTYPE": "pedestrian",
    "DEFAULT_BIKETYPE": "bicycle",
    "DEFAULT_TAXITYPE": "taxi",
}
"""Types that exist without being defined, with their class."""
