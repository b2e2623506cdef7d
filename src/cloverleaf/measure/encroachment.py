"""Post-encroachment time where paths cross: how soon one vehicle enters the area that another has just left.

Every conflict area of the map lies on an internal lane, with a counterpart on the crossing path. A vehicle is in an area from
the moment its front passes the begin to the moment its rear passes the end (both interpolated within the step; the rear is
followed by distance driven, also on later lanes). PET = entry of the second minus exit of the first; if the first is still
inside when the second enters, PET is 0. An episode is a pair of vehicles with PET < 1 s, counted once. Places where paths only
merge are left to the time to collision.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.types.state import F64, I32, I64, Kind

PET_LIMIT = 1.0  # s

_PEDESTRIAN = int(Kind.PEDESTRIAN)
# entries of Encroachment.n
EVENTS, TAILS, LOST = range(3)


class Encroachment(NamedTuple):
    """Memory of the conflict areas (A) and of vehicles (trips) that cross them."""

    left_at: F64  # (A,) s, when the last one left
    left_trip: I32  # (A,) and who it was
    inside: I32  # (A,) vehicles within
    last_in: I32  # (A,) who entered last
    lane: I32  # (trips,) lane a tick ago
    front: F64  # (trips,) position there
    odo: F64  # (trips,) m driven
    step: F64  # (trips,) m driven in this step
    seen: F64  # (trips,) s, when last on the road
    foe: I32  # (trips,) the trip of the last counted episode
    tail_trip: I32  # (tails,) vehicles whose front has left an area but whose rear has not
    tail_area: I32
    tail_odo: F64  # odometer at which the rear will have left
    n: I64  # (3,) episodes, tails in use, tails that found no room
    smallest: F64  # (1,) s


def empty_encroachment(areas: int, trips: int) -> Encroachment:
    """Before the first tick."""
    tails = max(64, min(4 * areas, 65536))
    ints = [np.full(n, -1, np.int32) for n in (areas, trips, trips, tails, tails)]
    return Encroachment(
        np.full(areas, -1e9),
        ints[0],
        np.zeros(areas, np.int32),
        np.full(areas, -1, np.int32),
        ints[1],
        np.zeros(trips),
        np.zeros(trips),
        np.zeros(trips),
        np.full(trips, -1e9),
        ints[2],
        ints[3],
        ints[4],
        np.zeros(tails),
        np.zeros(3, np.int64),
        np.full(1, np.inf),
    )


@kernel
def enter_area(e, site, trip, area, t):
    """The front of `trip` has come into `area` at time t: compare with the crossing path."""
    e.inside[area] += 1
    e.last_in[area] = trip
    other = site.area_other[area]
    if other < 0:
        return
    if e.inside[other] > 0:
        foe, pet = e.last_in[other], 0.0
    else:
        foe, pet = e.left_trip[other], t - e.left_at[other]
    if foe >= 0 and foe != trip and pet < PET_LIMIT:
        e.smallest[0] = min(e.smallest[0], pet)
        if e.foe[trip] != foe and e.foe[foe] != trip:
            e.n[EVENTS] += 1
        e.foe[trip] = foe


@kernel
def leave_area(e, trip, area, t):
    """The rear of `trip` has left `area` at time t."""
    e.inside[area] = max(0, e.inside[area] - 1)
    e.left_at[area] = t
    e.left_trip[area] = trip


@kernel
def await_tail(e, trip, area, odo):
    """Remember that `trip` leaves `area` when its odometer reads `odo`."""
    k = e.n[TAILS]
    if k == e.tail_trip.shape[0]:
        e.n[LOST] += 1
        return
    e.tail_trip[k], e.tail_area[k], e.tail_odo[k] = trip, area, odo
    e.n[TAILS] = k + 1


@kernel
def release_tails(e, t, dt):
    """Let go of the areas whose vehicle's rear passed their end in this step, or whose vehicle is gone."""
    k = 0
    while k < e.n[TAILS]:
        trip = e.tail_trip[k]
        over = e.odo[trip] - e.tail_odo[k]
        if over >= 0.0 or e.seen[trip] < t:
            late = dt * min(1.0, over / e.step[trip]) if over > 0.0 and e.step[trip] > 0.0 else 0.0
            leave_area(e, trip, e.tail_area[k], t - late)
            last = e.n[TAILS] - 1
            e.tail_trip[k], e.tail_area[k], e.tail_odo[k] = e.tail_trip[last], e.tail_area[last], e.tail_odo[last]
            e.n[TAILS] = last
        else:
            k += 1


@kernel
def pass_areas(e, site, trip, lane, before, now, length, t, dt):
    """Book the areas of `lane` whose begin or end the front passed between positions `before` and `now` (m)."""
    moved = e.step[trip]
    for area in range(site.area_start[lane], site.area_start[lane + 1]):
        begin = site.area_begin[area]
        if before < begin <= now:
            late = dt * min(1.0, (now - begin) / moved) if moved > 0.0 else 0.0
            enter_area(e, site, trip, area, t - late)
            await_tail(e, trip, area, e.odo[trip] + (site.area_end[area] - now) + length)


@kernel
def encroach(actors, site, e, t, dt):
    """Book one step of all vehicles. t: time at the end of the step, s; dt: step, s. To be called every step.

    Returns how many vehicles are on the road (int64).
    """
    vehicles = 0
    for slot in range(actors.trip.shape[0]):
        trip = actors.trip[slot]
        if trip >= 0 and actors.kind[slot] != _PEDESTRIAN:
            e.step[trip] = abs(actors.speed[slot]) * dt
            e.odo[trip] += e.step[trip]
            e.seen[trip] = t
            vehicles += 1
    release_tails(e, t, dt)
    for slot in range(actors.trip.shape[0]):
        trip = np.int32(actors.trip[slot])
        lane = actors.lane[slot]
        if trip < 0 or lane < 0 or actors.kind[slot] == _PEDESTRIAN:
            continue
        if site.lane_inside[lane] == 1:
            before = e.front[trip] if e.lane[trip] == lane else -1.0
            pass_areas(e, site, trip, lane, before, actors.s[slot], actors.length[slot], t, dt)
        e.lane[trip] = lane
        e.front[trip] = actors.s[slot]
    return vehicles
