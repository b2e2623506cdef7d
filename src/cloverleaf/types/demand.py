"""Who wants to travel: vehicle types, routes, trips and stops as columns.

Readers of SUMO demand and of our own flow tables produce these; the world inserts from them. Everything random about a trip
(type, speed factor, reaction time, smart or not) is drawn from streams keyed by (seed, trip row), so that arms share it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from cloverleaf.types.state import F64, I32, I64, U8, U32


class FollowModel(IntEnum):
    """Car-following law of a vehicle type."""

    KRAUSS = 0
    IDM = 1
    ACC = 2
    CACC = 3


class EmissionClass(IntEnum):
    """Which emission and energy coefficients apply."""

    NONE = 0  # pedestrians, bicycles
    PETROL_CAR = 1
    DIESEL_VAN = 2
    TRUCK = 3
    BUS = 4
    MOTORCYCLE = 5
    ELECTRIC_CAR = 6
    EBIKE = 7
    COACH = 8
    ARTICULATED_TRUCK = 9
    MOPED = 10


class Depart(IntEnum):
    """Symbolic departure attributes; a value >= 0 in `Trips.depart_*` is the number itself."""

    GIVEN = -1
    BASE = -2
    BEST = -3
    FREE = -4
    RANDOM = -5
    MAX = -6
    DESIRED = -7
    FIRST = -8
    LAST = -9
    AVERAGE = -10
    SPEED_LIMIT = -11


class VehicleTypes(NamedTuple):
    """One row per vehicle type; shape (types,)."""

    kind: I32  # state.Kind
    vclass: U32  # one bit of map.graph.VehicleClass
    model: I32  # FollowModel
    emission: I32  # EmissionClass
    length: F64  # m
    width: F64  # m
    min_gap: F64  # m
    max_speed: F64  # m/s
    accel: F64  # m/s2
    decel: F64  # m/s2, comfortable, positive
    emergency_decel: F64  # m/s2, positive
    tau: F64  # s, desired time headway
    sigma: F64  # 0..1, Krauss imperfection
    speed_factor_mean: F64
    speed_factor_dev: F64
    speed_factor_min: F64
    speed_factor_max: F64
    lc_cooperative: F64  # 0..1
    lc_assertive: F64
    lc_strategic: F64
    lc_speed_gain: F64
    lc_keep_right: F64
    persons: F64  # mean occupancy, for person delay


class Routes(NamedTuple):
    """Edge sequences in compressed form: route r is `edge[start[r]:start[r + 1]]`."""

    start: I64  # (routes + 1,)
    edge: I32  # (sum of lengths,)


class Trips(NamedTuple):
    """One row per road user who will appear, sorted by departure time; shape (trips,)."""

    depart: F64  # s, simulation time
    vtype: I32  # row of VehicleTypes
    route: I32  # row of Routes
    depart_lane: I32  # lane index or Depart code
    depart_pos: F64  # m along the lane, or Depart code; Depart.BASE if not given
    depart_speed: F64  # m/s or Depart code
    arrival_pos: F64  # m along the last lane; -1 its end
    smart: U8  # 1 if a smart car may be put here (drawn by the study)
    stop_start: I64  # (trips + 1,) into Stops


class Stops(NamedTuple):
    """Scheduled halts in the order of each trip; shape (stops,)."""

    lane: I32
    start_pos: F64  # m
    end_pos: F64  # m
    duration: F64  # s
    until: F64  # s, simulation time; -1 none
    parking: U8  # 1: stands beside the lane


class Walks(NamedTuple):
    """Pedestrians: one row per person; shape (walks,). Paths are lane sequences over sidewalks, walking areas and crossings."""

    depart: F64  # s
    path_start: I64  # (walks + 1,) into path_lane
    path_lane: I32
    speed: F64  # m/s, desired
    depart_pos: F64  # m on the first lane
    arrival_pos: F64  # m on the last lane


class Demand(NamedTuple):
    """Everything a run inserts. `trip_ids`, `type_ids`, `route_ids` are for messages and reports."""

    types: VehicleTypes
    routes: Routes
    trips: Trips
    stops: Stops
    walks: Walks
    trip_ids: tuple[str, ...]
    type_ids: tuple[str, ...]
