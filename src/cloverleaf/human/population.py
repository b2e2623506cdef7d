"""All people of one world: drivers with their errors. The loop talks to them here."""

from __future__ import annotations

from cloverleaf.human.errors import DriverErrors
from cloverleaf.human.people import Drivers
from cloverleaf.types.hmi import HmiBatch
from cloverleaf.types.traffic import HumanIntents, HumanView


class People:
    """Decides for everyone who is human. errors: `published` rates, or `none`."""

    def __init__(self, view: HumanView, *, errors: str = "published") -> None:
        self.errors = DriverErrors(view, errors)
        self.drivers = Drivers(view, self.errors.mind)

    def drive(self, view: HumanView, hmi: HmiBatch) -> HumanIntents:
        """One tick: what screens say reaches the drivers, moods move on, everyone decides."""
        self.errors.advance(view, hmi)
        return self.drivers.drive(view)
