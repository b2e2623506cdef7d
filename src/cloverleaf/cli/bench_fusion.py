"""`cloverleaf bench fusion`: what messages add to a car's own sensors: recall of hidden road users, and how much earlier they are known."""

from __future__ import annotations

from typing import Any

import numpy as np

from cloverleaf.car.state import COUNT, T_SEEN, T_TOLD, T_TRUST, T_X, T_Y
from cloverleaf.car.supervised import SupervisedFleet
from cloverleaf.study.build import Run
from cloverleaf.study.config import Arm, Fleet, Study
from cloverleaf.types.state import Kind

WARM_UP_S, MEASURED_S, EVERY = 60.0, 60.0, 2  # ticks between two looks
REACH, NEAR = 80.0, 3.0  # m around the car, m between a track and the road user that it is
SEEN, CONFIRMED = 1.0, 0.45  # s, trust
LONGEST = 20.0  # s of lead beyond which two encounters are meant


def collect(arm: Arm, penetration: float, seed: int = 1) -> dict[str, Any]:
    """One run: counts of hidden users and of those known all the same, leads in s of messages over own sight."""
    run = Run(Study(duration_s=WARM_UP_S + MEASURED_S + 1.0, fleet=Fleet(penetration=penetration)), arm, seed)
    fleet = run.rooms.fleet
    assert isinstance(fleet, SupervisedFleet)
    hidden = {False: 0, True: 0}
    known = {False: 0, True: 0}
    first_told: dict[tuple[int, int], float] = {}
    first_seen: dict[tuple[int, int], float] = {}
    for k in range(round((WARM_UP_S + MEASURED_S) / run.step)):
        run.tick()
        t = run.rooms.world.time
        if t < WARM_UP_S or k % EVERY:
            continue
        a, memory = run.rooms.world.actors, fleet.fleet.memory
        alive = np.flatnonzero(a.kind > 0)
        place = np.column_stack((a.x[alive], a.y[alive]))
        for station, row in zip(run.rooms.world.stations, run.rooms.world.fleet):
            slot = fleet.fleet.slot(int(station))
            if slot is None:
                continue
            track = memory.track[slot, : memory.i[slot, COUNT]]
            near = np.flatnonzero((np.hypot(*(place - (a.x[row], a.y[row])).T) < REACH) & (alive != row))
            if not len(near):
                continue
            off = (
                np.hypot(*np.moveaxis(place[near][:, None] - track[None][:, :, [T_X, T_Y]], -1, 0))
                if len(track)
                else np.full((len(near), 1), np.inf)
            )
            match = off.argmin(1)
            for n, m, distance in zip(alive[near], match, off.min(1)):
                is_there = distance < NEAR
                sighted = is_there and track[m, T_SEEN] < SEEN
                told = is_there and track[m, T_TOLD] < SEEN and track[m, T_TRUST] > CONFIRMED
                pair = int(station), int(a.trip[n])
                if sighted:
                    first_seen.setdefault(pair, t)
                if told:
                    first_told.setdefault(pair, t)
                if not sighted:
                    person = bool(a.kind[n] == Kind.PEDESTRIAN)
                    hidden[person] += 1
                    known[person] += bool(is_there and track[m, T_TRUST] > CONFIRMED)
    lead = np.array([seen - first_told[p] for p, seen in first_seen.items() if p in first_told])
    lead = lead[(lead > -LONGEST) & (lead < LONGEST)]
    return {"hidden": hidden, "known": known, "lead": np.maximum(lead, 0.0)}


def run() -> list[dict[str, Any]]:
    """Own sensors alone, with roadside units and equipped cars, at two shares of smart cars."""
    rows = []
    for penetration in (0.3, 0.6):
        for name, arm in (("own sensors", Arm.CAR), ("and messages", Arm.ROAD)):
            got = collect(arm, penetration)
            hidden, known, lead = got["hidden"], got["known"], got["lead"]
            rows.append(
                {
                    "smart_share": penetration,
                    "with": name,
                    "hidden_cases": sum(hidden.values()),
                    "recall_of_hidden": sum(known.values()) / max(sum(hidden.values()), 1),
                    "recall_of_hidden_people": known[True] / max(hidden[True], 1),
                    "known_before_seen_share": float((lead > 0).mean()) if len(lead) else 0.0,
                    "lead_s_mean_of_these": float(lead[lead > 0].mean()) if (lead > 0).any() else 0.0,
                }
            )
    return rows
