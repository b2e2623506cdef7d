"""No V2X at all: the link of the arms before roadside units exist. Same face as `Link`, nothing is ever heard."""

from __future__ import annotations

from cloverleaf.link.station import Inboxes, Outbox, Stations, empty_inboxes
from cloverleaf.link.statistics import Statistics


class Silence:
    """A link over which nothing travels."""

    def __init__(self) -> None:
        self.statistics = Statistics()

    def exchange(self, out: Outbox, stations: Stations, t: float) -> Inboxes:
        """Drop everything; every inbox is empty."""
        return empty_inboxes(stations)
