"""CAN in and out: frames of a DBC file become VSS signals and back, on any bus of python-can (extra `can`).

Frames nobody can act upon are dropped and counted by reason: unknown identifier, wrong length, a value beyond the DBC's own bounds or
beyond what the signal can be, and an alive counter that did not move (AUTOSAR E2E profiles: a repeated frame is a stuck sender).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cloverleaf.runtime.vss import signal
from cloverleaf.types.errors import InputError, StudyError, nearest

ALIVE = "AliveCounter"
"""A signal of this name counts the frames of its message."""
OWN_DBC = Path(__file__).with_name("vehicle.dbc")


class Wire(NamedTuple):
    """One signal of a DBC message and the VSS signal that it carries; VSS value = factor * physical value."""

    message: str
    signal: str
    vss: str
    factor: float = 1.0


WIRES = (
    Wire("CAR_MOTION", "Speed", "Vehicle.Speed"),
    Wire("CAR_MOTION", "LongAccel", "Vehicle.Acceleration.Longitudinal"),
    Wire("CAR_MOTION", "YawRate", "Vehicle.AngularVelocity.Yaw"),
    Wire("CAR_COMMAND", "AccelDemand", "Vehicle.MotionManagement.Acceleration"),
    Wire("CAR_COMMAND", "WheelAngleDemand", "Vehicle.Chassis.SteeringWheel.Angle"),
    Wire("CAR_COMMAND", "IndicatorLeft", "Vehicle.Body.Lights.DirectionIndicator.Left.IsSignaling"),
    Wire("CAR_COMMAND", "IndicatorRight", "Vehicle.Body.Lights.DirectionIndicator.Right.IsSignaling"),
)
"""For `vehicle.dbc`; name your own for a DBC of your car."""


def _needs(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise StudyError(f"{name} is not installed", element="CAN", hint="pip install 'cloverleaf[can]'") from error


def open_bus(interface: str = "virtual", channel: str = "cloverleaf") -> Any:
    """A bus of python-can; `virtual` joins all that open the same channel in this process. Raises StudyError."""
    can = _needs("can")
    try:
        return can.Bus(interface=interface, channel=channel)
    except (can.CanError, OSError, ValueError) as error:
        raise StudyError(f"no bus '{channel}' by '{interface}': {error}", element="CAN") from error


def read_dbc(path: Path) -> Any:
    """The messages of a DBC file. Raises InputError."""
    cantools = _needs("cantools")
    try:
        return cantools.database.load_file(path, database_format="dbc")
    except FileNotFoundError as error:
        raise InputError("no such file", file=path) from error
    except (OSError, UnicodeDecodeError, cantools.database.Error) as error:
        raise InputError(f"not a DBC file: {error}", file=path) from error


class CanGateway:
    """Writes VSS values as CAN frames and reads frames as VSS values; `dropped` counts frames by reason."""

    def __init__(self, bus: Any, dbc: Path = OWN_DBC, wires: Iterable[Wire] = WIRES) -> None:
        self.bus, self.database = bus, read_dbc(dbc)
        self.dropped: Counter[str] = Counter()
        self._can = _needs("can")
        self._messages = {m.name: m for m in self.database.messages}
        self._by_frame = {m.frame_id: m for m in self.database.messages}
        self._wires: dict[str, list[Wire]] = {}
        self._sent: Counter[str] = Counter()
        self._heard: dict[str, int] = {}
        for wire in wires:
            message = self._messages.get(wire.message)
            if message is None:
                raise StudyError(
                    f"no message '{wire.message}'", file=dbc, element="wire", hint=nearest(wire.message, self._messages)
                )
            names = [s.name for s in message.signals]
            if wire.signal not in names:
                raise StudyError(
                    f"{wire.message} has no signal '{wire.signal}'",
                    file=dbc,
                    element="wire",
                    hint=nearest(wire.signal, names),
                )
            signal(wire.vss)
            self._wires.setdefault(wire.message, []).append(wire)

    def send(self, values: Mapping[str, float]) -> int:
        """One frame for each message all of whose wired signals are given; returns how many. Values are clipped to the DBC's bounds.

        A value that is not finite sends no frame: the receiver's timeout, not a number made up here, brings the car to a stop.
        """
        count = 0
        for name, wires in self._wires.items():
            if any(w.vss not in values for w in wires):
                continue
            if not all(math.isfinite(values[w.vss]) for w in wires):
                self.dropped["not finite"] += 1
                continue
            message, data = self._messages[name], {}
            for s in message.signals:
                data[s.name] = 0.0 if s.minimum is None else max(float(s.minimum), 0.0)
            bounds = {s.name: (s.minimum, s.maximum) for s in message.signals}
            for w in wires:
                low, high = bounds[w.signal]
                value = float(values[w.vss]) / w.factor
                data[w.signal] = min(
                    max(value, -math.inf if low is None else float(low)), math.inf if high is None else float(high)
                )
            if ALIVE in data:
                data[ALIVE] = self._sent[name] % (int(bounds[ALIVE][1] or 15) + 1)
                self._sent[name] += 1
            frame = self._can.Message(
                arbitration_id=message.frame_id,
                is_extended_id=message.is_extended_frame,
                data=message.encode(data, strict=True),
            )
            self.bus.send(frame)
            count += 1
        return count

    def receive(self, timeout: float = 0.0) -> dict[str, float]:
        """Everything that has arrived, newest value of each signal, by VSS name; waits up to `timeout` s for the first frame."""
        out: dict[str, float] = {}
        wait = timeout
        while (frame := self.bus.recv(wait)) is not None:
            wait = 0.0
            out.update(self._decode(frame))
        return out

    def _decode(self, frame: Any) -> dict[str, float]:
        message = self._by_frame.get(frame.arbitration_id)
        if message is None or frame.is_error_frame or frame.is_remote_frame:
            self.dropped["unknown"] += 1
            return {}
        if len(frame.data) != message.length:
            self.dropped["wrong length"] += 1
            return {}
        raw = message.decode(bytes(frame.data), decode_choices=False)
        if ALIVE in raw:
            count = int(raw[ALIVE])
            if self._heard.get(message.name) == count:
                self.dropped["stuck"] += 1
                return {}
            self._heard[message.name] = count
        found = {}
        bounds = {s.name: (s.minimum, s.maximum) for s in message.signals}
        for w in self._wires.get(message.name, ()):
            low, high = bounds[w.signal]
            physical, value, row = float(raw[w.signal]), float(raw[w.signal]) * w.factor, signal(w.vss)
            inside = (low is None or physical >= low) and (high is None or physical <= high)
            if not inside or not row.low <= value <= row.high:
                self.dropped["impossible"] += 1
                return {}
            found[w.vss] = value
        return found
