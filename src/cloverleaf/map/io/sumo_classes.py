"""SUMO's vehicle classes as bits of `VehicleClass`, and what their permissions make of a lane."""

from __future__ import annotations

from functools import lru_cache

from cloverleaf.map.graph import LaneKind, VehicleClass

V = VehicleClass

CLASS_BITS: dict[str, VehicleClass] = {
    "passenger": V.PASSENGER, "truck": V.TRUCK, "bus": V.BUS, "bicycle": V.BICYCLE, "pedestrian": V.PEDESTRIAN,
    "motorcycle": V.MOTORCYCLE, "emergency": V.EMERGENCY, "delivery": V.DELIVERY, "taxi": V.TAXI, "coach": V.COACH,
    "trailer": V.TRAILER, "moped": V.MOPED, "evehicle": V.EVEHICLE, "authority": V.AUTHORITY, "army": V.AUTHORITY,
    "private": V.PRIVATE, "vip": V.PRIVATE, "hov": V.HOV, "custom1": V.CUSTOM1, "custom2": V.CUSTOM2,
    "tram": V.RAIL, "rail_urban": V.RAIL, "rail": V.RAIL, "rail_electric": V.RAIL, "rail_fast": V.RAIL, "subway": V.RAIL,
    "cable_car": V.RAIL, "ship": V.OTHER, "container": V.OTHER, "aircraft": V.OTHER, "wheelchair": V.OTHER,
    "scooter": V.OTHER, "drone": V.OTHER,
}  # fmt: skip
"""`ignoring` is not a permission: a vehicle of that class carries all bits."""


@lru_cache(maxsize=4096)
def permission_bits(allow: str | None, disallow: str | None) -> int:
    """Union of bits that may use a lane. Unknown names raise KeyError. Classes that share a bit: one allowed is enough."""
    if allow is not None and "all" in allow.split():
        return int(V.ALL)
    if allow:
        names = set(allow.split())
        for name in names:
            CLASS_BITS[name]
    elif disallow:
        banned = set(disallow.split())
        for name in banned - {"all", "ignoring"}:
            CLASS_BITS[name]
        names = set() if "all" in banned else set(CLASS_BITS) - banned
    else:
        return int(V.ALL)
    bits = 0
    for name in names:
        bits |= int(CLASS_BITS[name])
    return bits


@lru_cache(maxsize=4096)
def lane_kind(function: str, allow: int) -> LaneKind:
    """Kind of a lane from the function of its edge and its permission bits."""
    if function == "internal":
        return LaneKind.INTERNAL
    if function == "crossing":
        return LaneKind.CROSSING
    if function == "walkingarea":
        return LaneKind.WALKING_AREA
    if allow == 0:
        return LaneKind.SHOULDER
    if allow == V.PEDESTRIAN:
        return LaneKind.SIDEWALK
    if allow & V.BICYCLE and not allow & ~int(V.BICYCLE | V.PEDESTRIAN | V.OTHER | V.MOPED):
        return LaneKind.BICYCLE
    if allow & V.BUS and not allow & int(V.PASSENGER | V.TRUCK | V.DELIVERY | V.PRIVATE):
        return LaneKind.BUS
    return LaneKind.DRIVING
