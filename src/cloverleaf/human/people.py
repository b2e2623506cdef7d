"""People behind the wheel: the drivers of one world, their memory and their errors."""

from __future__ import annotations

import numpy as np

from cloverleaf.human.driving import decide_all, plan_all
from cloverleaf.human.lane_change import wish_all
from cloverleaf.types.traffic import ITEMS, Approaches, HumanIntents, HumanView, Mind, neutral_mind


def empty_approaches(links: int, lanes: int, capacity: int) -> Approaches:
    """No announcements."""
    items = capacity * ITEMS
    return Approaches(
        np.full(links, -1, np.int32), np.full(items, -1, np.int32), np.zeros(items, np.int32),
        np.zeros(capacity, np.int32), np.zeros((items, 10)), np.zeros(capacity), np.full(capacity, 1e9),
        np.zeros(capacity), np.zeros(capacity), np.zeros(capacity), np.zeros(capacity),
        np.full(capacity, -1, np.int32),
        np.full(lanes, -1, np.int32), np.full(capacity, -1, np.int32), np.full(capacity, -1, np.int32),
    )  # fmt: skip


def empty_intents(capacity: int) -> HumanIntents:
    """Nobody wants anything."""
    return HumanIntents(np.zeros(capacity), np.zeros(capacity, np.int32), np.zeros(capacity, np.uint8))


class Drivers:
    """Decides for all human-driven vehicles of a world; `mind` holds the perception errors of the moment."""

    def __init__(self, view: HumanView, mind: Mind | None = None) -> None:
        capacity = len(view.vehicles.active)
        self.mind = mind or neutral_mind(capacity)
        self.near = empty_approaches(len(view.roads.link_i), len(view.roads.lane_i), capacity)
        self.intents = empty_intents(capacity)

    def drive(self, view: HumanView) -> HumanIntents:
        """Announce, decide speeds, then wish for lane changes."""
        plan_all(view, self.mind, self.near)
        decide_all(view, self.mind, self.near, self.intents)
        wish_all(view, self.mind, self.near, self.intents)
        return self.intents
