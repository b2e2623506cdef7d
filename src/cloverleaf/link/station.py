"""Who takes part in the link, what they hand over at a tick, and what they get."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.link.batches import empty
from cloverleaf.types.messages import (
    AdviceBatch,
    AwarenessBatch,
    EventBatch,
    PerceptionBatch,
    Received,
    SignalBatch,
)
from cloverleaf.types.signals import SignalCommand
from cloverleaf.types.state import F64, I64


class Stations(NamedTuple):
    """Antennas of this tick; cars in fleet order, roadside units in their own. Ids are unique; positions ENU metres."""

    car: I64  # (cars,) station ids
    car_x: F64
    car_y: F64
    unit: I64  # (units,) station ids of roadside units
    unit_x: F64
    unit_y: F64
    cloud: bool  # True: a cloud platform is connected over the network


class Outbox(NamedTuple):
    """Everything handed over at one tick. `topology` names the units that offer their MAP message."""

    awareness: AwarenessBatch
    signal: SignalBatch
    perception: PerceptionBatch
    advice: AdviceBatch
    event: EventBatch
    topology: I64  # (n,) station ids
    command: SignalCommand  # cloud to signal controllers, over the field network


class Inboxes(NamedTuple):
    """What may be read at the next tick; receivers in the order of `Stations`."""

    cars: Received
    units: Received
    cloud: Received
    command: SignalCommand


def empty_command() -> SignalCommand:
    """No wish."""
    return SignalCommand(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0))


def empty_outbox() -> Outbox:
    """Nobody says anything; use `_replace` to fill in what there is."""
    return Outbox(
        empty(AwarenessBatch),
        empty(SignalBatch),
        empty(PerceptionBatch),
        empty(AdviceBatch),
        empty(EventBatch),
        np.zeros(0, np.int64),
        empty_command(),
    )


def empty_received(receivers: I64) -> Received:
    """Receivers who heard nothing."""
    return Received(
        receivers,
        np.zeros(len(receivers) + 1, np.int64),
        np.zeros(0, np.int32),
        np.zeros(0, np.int32),
        np.zeros(0),
        empty(AwarenessBatch),
        empty(SignalBatch),
        empty(PerceptionBatch),
        empty(AdviceBatch),
        empty(EventBatch),
    )


def empty_inboxes(stations: Stations) -> Inboxes:
    """The inboxes of the first tick."""
    return Inboxes(
        empty_received(stations.car),
        empty_received(stations.unit),
        empty_received(np.array([-2], np.int64)),
        empty_command(),
    )
