"""What all people of a world see and want: drivers and those on foot together."""

from __future__ import annotations

from typing import NamedTuple

from cloverleaf.types.traffic import HumanIntents, HumanView
from cloverleaf.types.walking import WalkIntents, WalkView


class PeopleView(NamedTuple):
    """Everything that people may see of the world; treat as read-only."""

    drivers: HumanView
    walkers: WalkView


class PeopleIntents(NamedTuple):
    """What people want for the coming step."""

    drivers: HumanIntents
    walkers: WalkIntents
