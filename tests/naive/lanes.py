"""Slow twin of the lane lists: sort all vehicles of a lane by position."""

from __future__ import annotations

import itertools

import numpy as np

from cloverleaf.types import traffic as T


def order(vehicles: T.Vehicles, lane: int) -> list[int]:
    """Slots on `lane`, the most advanced first."""
    on = [int(s) for s in vehicles.active[: vehicles.count[0]] if vehicles.i[s, T.LANE] == lane]
    return sorted((s for s in on if not vehicles.i[s, T.STATE] & T.PARKED), key=lambda s: -vehicles.f[s, T.S])


def walked(vehicles: T.Vehicles, lists: T.LaneLists, lane: int) -> list[int]:
    """Slots on `lane` as the list links them, both ways checked."""
    forward, slot, before = [], int(lists.first[lane]), -1
    while slot >= 0:
        assert vehicles.i[slot, T.AHEAD] == before
        forward.append(slot)
        before, slot = slot, int(vehicles.i[slot, T.BEHIND])
    assert lists.last[lane] == before
    return forward


def overlaps(vehicles: T.Vehicles, lists: T.LaneLists) -> list[tuple[int, int]]:
    """Pairs on one lane whose boxes overlap lengthwise."""
    bad = []
    for lane in np.nonzero(lists.first >= 0)[0]:
        slots = walked(vehicles, lists, int(lane))
        for ahead, behind in itertools.pairwise(slots):
            if vehicles.f[ahead, T.S] - vehicles.f[ahead, T.LENGTH] < vehicles.f[behind, T.S] - 1e-6:
                bad.append((ahead, behind))
    return bad
