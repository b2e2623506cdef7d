"""The cloud control platform of one world, in process: ingest, twin, services.

`Cloud.step` sees only what the link delivered. Delays to and from the cloud are the link's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cloverleaf.cloud.services import Answer, Service, service_class
from cloverleaf.cloud.twin import Twin
from cloverleaf.map.graph import BaseMap
from cloverleaf.types.messages import AdviceBatch, EventBatch, Received
from cloverleaf.types.signals import SignalCommand

SERVICES = ("glosa", "collision_warning", "signal_control")


class Cloud:
    """Twin and services over one base map.

    Args:
        base_map: the map that all parties share.
        services: names of services; built-in ones or those of installed packages.

    Raises:
        PluginError: an unknown service.
    """

    def __init__(self, base_map: BaseMap, services: Sequence[str | Service] = SERVICES) -> None:
        self.twin = Twin(base_map)
        self.services: list[Service] = [service_class(s)(base_map) if isinstance(s, str) else s for s in services]
        self._next = [0.0] * len(self.services)

    def step(self, inbox: Received, t: float) -> tuple[AdviceBatch, EventBatch, SignalCommand]:
        """Take over the inbox and run the services that are due at `t` s."""
        self.twin.ingest(inbox, t)
        answers: list[Answer] = []
        everything = self.twin.tracks
        for i, service in enumerate(self.services):
            if t < self._next[i] - 1e-6:
                continue
            self._next[i] = t + service.interval
            fresh = t - everything.time <= service.deadline
            if not fresh.all():
                columns: list[Any] = [column[fresh] for column in everything]
                self.twin.tracks = type(everything)(*columns)
            answers.append(service.step(self.twin, t))
            self.twin.tracks = everything
        return (
            _join(AdviceBatch, [a.advice for a in answers]),
            _join(EventBatch, [a.event for a in answers]),
            _join(SignalCommand, [a.command for a in answers]),
        )


_INTEGERS = {"station": "i8", "target": "i8", "event": "i4", "group": "i4", "phase": "i4"}


def _join(kind: Any, parts: Sequence[Any]) -> Any:
    given = [p for p in parts if p is not None]
    if not given:
        return kind(*[np.zeros(0, _INTEGERS.get(f, "f8")) for f in kind._fields])
    return given[0] if len(given) == 1 else kind(*[np.concatenate(columns) for columns in zip(*given)])
