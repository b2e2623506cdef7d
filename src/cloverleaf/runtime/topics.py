"""The one table of what flows between the rooms: name, type, rate, deadline, owner. A topic is a NamedTuple of columns."""

from __future__ import annotations

from typing import Any, NamedTuple

from cloverleaf.types.errors import StudyError, nearest
from cloverleaf.types.frames import EgoFrame, FleetMission, LaneFrame, LightFrame, ObjectFrame
from cloverleaf.types.hmi import HmiBatch
from cloverleaf.types.messages import AwarenessBatch, Received
from cloverleaf.types.signals import SignalState
from cloverleaf.types.state import VehicleCommands


class Topic(NamedTuple):
    """One row. `deadline_s` is the age at which a value is too old to act upon: its sensor's latency and one period."""

    name: str
    type: type[Any]
    rate_hz: float
    deadline_s: float
    owner: str  # room that writes it; everyone may read
    meaning: str


TOPICS = (
    Topic("ego", EgoFrame, 10.0, 0.10, "world", "own motion as GNSS, inertial unit and wheels measure it"),
    Topic("objects", ObjectFrame, 10.0, 0.20, "world", "what the own sensors detect, in the car's body frame"),
    Topic("lights", LightFrame, 10.0, 0.10, "world", "the signal head that the camera watches"),
    Topic("lanes", LaneFrame, 10.0, 0.10, "world", "how far the markings that the camera sees are off"),
    Topic("mission", FleetMission, 10.0, 1.0, "world", "route and limits of the own trip"),
    Topic("inbox", Received, 10.0, 1.0, "link", "V2X messages received, verified and decoded"),
    Topic("commands", VehicleCommands, 10.0, 0.10, "car", "what is asked of the actuators"),
    Topic("awareness", AwarenessBatch, 10.0, 0.10, "car", "what the car says of itself"),
    Topic("hmi", HmiBatch, 10.0, 0.10, "car", "what its screens show"),
    Topic("signals", SignalState, 10.0, 0.10, "road", "lights as the controllers show them"),
)
BY_NAME = {topic.name: topic for topic in TOPICS}


def topic(name: str) -> Topic:
    """The row of that name. Raises StudyError naming the nearest one."""
    if name not in BY_NAME:
        raise StudyError(f"unknown topic '{name}'", element="topic", hint=nearest(name, BY_NAME))
    return BY_NAME[name]
