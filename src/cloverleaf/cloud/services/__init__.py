"""Cloud services: small objects that read the twin and answer with advice, warnings or wishes for signals.

A service declares how old data may be for its purpose (`deadline`, s); the platform hides older tracks from it. Built-in ones and
those of other packages (entry-point group `cloverleaf.services`) are found by name.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, NamedTuple, Protocol

from cloverleaf.cloud.twin import Twin
from cloverleaf.types.errors import PluginError, nearest
from cloverleaf.types.messages import AdviceBatch, EventBatch
from cloverleaf.types.signals import SignalCommand

BUILT_IN = {
    "glosa": "cloverleaf.cloud.services.glosa:Glosa",
    "collision_warning": "cloverleaf.cloud.services.collision_warning:CollisionWarning",
    "signal_control": "cloverleaf.cloud.services.signal_control:SignalControl",
}


class Answer(NamedTuple):
    """What one service wants to be sent; None for nothing."""

    advice: AdviceBatch | None = None
    event: EventBatch | None = None
    command: SignalCommand | None = None


class Service(Protocol):
    """One service over one map: constructed with the base map."""

    name: str
    deadline: float  # s: older data are of no use to it
    interval: float  # s between two runs

    def step(self, twin: Twin, t: float) -> Answer:
        """Answer at time `t` s from the twin's tracks and lights."""


def service_class(name: str) -> Any:
    """The class of a service.

    Raises:
        PluginError: no such service, or the name is taken twice.
    """
    found = [e for e in entry_points(group="cloverleaf.services") if e.name == name]
    if name in BUILT_IN and not found:
        module, _, attribute = BUILT_IN[name].partition(":")
        return getattr(import_module(module), attribute)
    if len(found) + (name in BUILT_IN) > 1:
        raise PluginError(f"service '{name}' is registered more than once", hint="uninstall one of the packages")
    if not found:
        known = [*BUILT_IN, *(e.name for e in entry_points(group="cloverleaf.services"))]
        raise PluginError(f"unknown service '{name}'", element="cloud.services", hint=nearest(name, known))
    return found[0].load()
