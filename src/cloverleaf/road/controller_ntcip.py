"""A controller behind objects in the manner of NTCIP 1202: channel status as bit groups to read, phase calls to write.

The adapter needs two functions, `get(names) -> values` and `put(name, value)`; an SNMP library gives them for a real cabinet. `Agent`
is the other side over any controller, for tests and the simulation. Channel n + 1 is head n; a stage is called by its number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from cloverleaf.road.controller import Controller, ControllerStatus
from cloverleaf.types.errors import DecodeError

CHANNEL_STATUS = "1.3.6.1.4.1.1206.4.2.1.8.4.1"
"""channelStatusGroupTable: column 2 reds, 3 yellows, 4 greens; then the number of the group of eight channels."""
RED, YELLOW, GREEN = 2, 3, 4
PHASE_NOW = "1.3.6.1.4.1.1206.4.2.1.20.1.0"
"""Objects from here on are our own: the stage that shows, its remaining times in 0.1 s (65535 unknown), the next one."""
MIN_LEFT, LIKELY_LEFT, MAX_LEFT, NEXT, CALL = (f"1.3.6.1.4.1.1206.4.2.1.20.{k}.0" for k in range(2, 7))
_UNKNOWN = 65_535

Get = Callable[[Sequence[str]], Sequence[int]]
Put = Callable[[str, int], None]


def _group(color: int, group: int) -> str:
    return f"{CHANNEL_STATUS}.{color}.{group}"


class NtcipController:
    """The client's side: `Controller` over `get` and `put`."""

    def __init__(self, get: Get, put: Put, heads: int) -> None:
        self.get, self.put, self.heads = get, put, heads

    def status(self, t: float) -> ControllerStatus:
        """Read everything in one request; DecodeError where the answer cannot be."""
        groups = range(1, (self.heads + 7) // 8 + 1)
        names = [_group(c, g) for g in groups for c in (RED, YELLOW, GREEN)] + [
            PHASE_NOW,
            MIN_LEFT,
            LIKELY_LEFT,
            MAX_LEFT,
            NEXT,
        ]
        values = list(self.get(names))
        if len(values) != len(names) or any(not isinstance(v, int) or v < 0 for v in values):
            raise DecodeError("the controller's answer is not one value per object")
        letters = bytearray()
        for head in range(self.heads):
            red, yellow, green = (values[3 * (head // 8) + k] >> (head % 8) & 1 for k in range(3))
            if red + yellow + green != 1:
                raise DecodeError(f"channel {head + 1} shows no colour or several")
            letters += b"r" if red else b"y" if yellow else b"G"
        phase, *left, following = values[-5:]
        least, likely, most = (math.nan if v == _UNKNOWN else t + 0.1 * v for v in left)
        return ControllerStatus(bytes(letters), phase, least, likely, most, -1 if following == 255 else following)

    def ask(self, phase: int, t: float) -> None:
        """Call a stage."""
        self.put(CALL, phase)


class Agent:
    """The cabinet's side over a controller; `time` is set by whoever runs it. Permissive greens show as greens."""

    def __init__(self, controller: Controller) -> None:
        self.controller, self.time = controller, 0.0

    def get(self, names: Sequence[str]) -> list[int]:
        """Values of objects; 0 for unknown ones."""
        status = self.controller.status(self.time)
        values = {PHASE_NOW: status.phase, NEXT: 255 if status.next_phase < 0 else status.next_phase}
        for name, end in ((MIN_LEFT, status.min_end), (LIKELY_LEFT, status.likely_end), (MAX_LEFT, status.max_end)):
            values[name] = _UNKNOWN if math.isnan(end) else min(max(round((end - self.time) * 10), 0), _UNKNOWN - 1)
        for head, letter in enumerate(status.letters.decode()):
            color = {"y": YELLOW, "G": GREEN, "g": GREEN}.get(letter, RED)
            name = _group(color, head // 8 + 1)
            values[name] = values.get(name, 0) | 1 << (head % 8)
        return [values.get(name, 0) for name in names]

    def put(self, name: str, value: int) -> None:
        """Write an object; only the call may be written."""
        if name == CALL:
            self.controller.ask(value, self.time)
