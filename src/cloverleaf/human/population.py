"""All people of one world: drivers with their errors, and those on foot. The loop talks to them here."""

from __future__ import annotations

from cloverleaf.human.errors import DriverErrors
from cloverleaf.human.pedestrians import Pedestrians
from cloverleaf.human.people import Drivers
from cloverleaf.map.graph import BaseMap
from cloverleaf.types.hmi import HmiBatch
from cloverleaf.types.people import PeopleIntents, PeopleView


class People:
    """Decides for everyone who is human. errors: `published` rates, or `none`; seed: of those on foot."""

    def __init__(self, base_map: BaseMap, view: PeopleView, *, seed: int = 0, errors: str = "published") -> None:
        self.errors = DriverErrors(view.drivers, errors)
        self.drivers = Drivers(view.drivers, self.errors.mind)
        self.walkers = Pedestrians(base_map, view.walkers, seed)

    def drive(self, view: PeopleView, hmi: HmiBatch) -> PeopleIntents:
        """One tick: people on foot decide first, so that drivers see whom to let go; then moods move on and drivers decide."""
        walks = self.walkers.decide(view.drivers, view.walkers, view.drivers.crossing_block)
        self.errors.advance(view.drivers, hmi)
        return PeopleIntents(self.drivers.drive(view.drivers), walks)
