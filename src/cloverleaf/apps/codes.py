"""Event codes of the applications: what an `EventBatch.event` means, and how a receiver should take it."""

from __future__ import annotations

from enum import IntEnum


class Warn(IntEnum):
    """Applications of T/CSAE 53 that warn; the number is the application's row in the standard's list."""

    FORWARD_COLLISION = 1
    INTERSECTION_COLLISION = 2
    LEFT_TURN = 3
    EMERGENCY_BRAKE = 6
    ABNORMAL_VEHICLE = 7
    HAZARDOUS_LOCATION = 9
    SPEED_LIMIT = 10
    RED_LIGHT_VIOLATION = 11
    VULNERABLE_ROAD_USER = 12
    TRAFFIC_JAM = 15
    EMERGENCY_VEHICLE = 16
