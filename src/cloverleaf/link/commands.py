"""Wishes of the cloud to signal controllers, on their way over the field network: each takes its own time."""

from __future__ import annotations

import numpy as np

from cloverleaf.link.network import NetworkDelay, network_delay
from cloverleaf.link.station import empty_command
from cloverleaf.types.messages import RSU_STATION_BASE
from cloverleaf.types.signals import SignalCommand


class CommandsUnderWay:
    """One message per controller and tick, delayed as messages to other stations are; a controller gets them as they arrive."""

    def __init__(self, network: NetworkDelay, seed: int) -> None:
        self.network, self.seed = network, seed
        self._waiting, self._due = empty_command(), np.zeros(0)

    def exchange(self, command: SignalCommand, tick: int, t: float, until: float) -> SignalCommand:
        """Send `command` at `t` s in tick `tick`; what has arrived by `until`, in the order of arrival."""
        if len(command.group):
            delay = np.zeros(len(command.group))
            station = RSU_STATION_BASE + command.group.astype(np.int64)
            network_delay(np.int64(self.seed), station, np.int64(2 * tick + 1), *self.network, delay)
            self._due = np.append(self._due, t + delay)
            self._waiting = _join(self._waiting, command)
        if not len(self._due):
            return self._waiting
        order = np.argsort(self._due, kind="stable")
        out = _take(self._waiting, order[self._due[order] <= until])
        rest = np.flatnonzero(self._due > until)
        self._waiting, self._due = _take(self._waiting, rest), self._due[rest]
        return out


def _take(command: SignalCommand, rows: np.ndarray) -> SignalCommand:
    return SignalCommand(command.group[rows], command.phase[rows], command.time[rows])


def _join(a: SignalCommand, b: SignalCommand) -> SignalCommand:
    return SignalCommand(np.append(a.group, b.group), np.append(a.phase, b.phase), np.append(a.time, b.time))
