"""Each trip's account: distance, time lost, waiting, stops, energy, CO2, red lights and speeding: one kernel pass per sample.

Definitions
- time loss: sum of (1 - v / v_free) dt while v < v_free, v_free = min(limit of the lane, top speed of the vehicle); scheduled
  halts do not count.
- credit: sum of min(v / v_free, 1) dt, the time the driven metres were worth at free speed; delay is elapsed time less credit.
- waiting: time at or below 0.1 m/s outside scheduled halts.
- stops: entries below 0.1 m/s, counted again only after 2 m/s were exceeded; halts: the same without hysteresis (SUMO's
  waitingCount).
- red light: the front passes from an approach into the junction while its head was red at this sample and the one before.
- speeding: an episode above 1.1 x limit, ended below 1.05 x limit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.measure.energy import CARBON_G_PER_MJ, combustion_co2_mg_per_s, energy_mj
from cloverleaf.measure.energy import GRID_G_PER_MJ as GRID
from cloverleaf.types.demand import EmissionClass
from cloverleaf.types.state import F64, I32, I64, Kind

# columns of Journeys.f
INSERTED, LAST, DISTANCE, CREDIT, LOSS, WAITING, CO2, ENERGY, HALTED_S = range(9)
# columns of Journeys.i
LANE, HALTS, STOPS, STANDING, SLOW, SPEEDING, REDS = range(7)
# entries of Journeys.n
RED_LIGHTS, SPEEDINGS = 0, 1
BOX_S = 0  # entry of Journeys.seconds

HALT_SPEED = 0.1  # m/s
MOVING_SPEED = 2.0  # m/s
SPEEDING_FROM, SPEEDING_TO = 1.1, 1.05  # of the limit

_RED, _RED_YELLOW = ord("r"), ord("u")
_PEDESTRIAN, _NONE = int(Kind.PEDESTRIAN), int(Kind.NONE)
_ELECTRIC, _EBIKE = int(EmissionClass.ELECTRIC_CAR), int(EmissionClass.EBIKE)


class Journeys(NamedTuple):
    """Accounts by trip and by edge. `f[:, INSERTED]` is -1 for a trip that never started."""

    f: F64  # (trips, 9)
    i: I32  # (trips, 7)
    edge_loss: F64  # (edges,) s lost on the edge
    edge_entered: I64  # (edges,) vehicles that came onto the edge
    n: I64  # (2,) red lights run, speeding episodes
    seconds: F64  # (1,) vehicle-seconds standing in junction boxes


def empty_journeys(trips: int, edges: int) -> Journeys:
    """Accounts before the first tick."""
    f, i = np.zeros((trips, 9)), np.zeros((trips, 7), np.int32)
    f[:, INSERTED] = -1.0
    i[:, LANE] = -1
    return Journeys(f, i, np.zeros(edges), np.zeros(edges, np.int64), np.zeros(2, np.int64), np.zeros(1))


@kernel
def is_red(letter):
    """True for the signal letters that forbid to go (red, red and yellow)."""
    return letter in (_RED, _RED_YELLOW)


@kernel
def link_taken(site, before, now):
    """The link by which a front came from lane `before` onto lane `now`, -1 if there is none (a lane change, a jump)."""
    if site.lane_inside[now] == 1:
        return site.lane_link[now] if site.lane_inside[before] == 0 else -1
    for k in range(site.lane_link_start[before], site.lane_link_start[before + 1]):
        if site.link_to[k] == now and site.lane_inside[before] == 0:
            return k
    return -1


@kernel
def enter_lane(journeys, site, trip, before, now, light, light_before):
    """Book a change of lane: entered edges and red lights."""
    edge = site.lane_edge[now]
    if before < 0 or site.lane_edge[before] != edge:
        journeys.edge_entered[edge] += 1
    if before >= 0:
        link = link_taken(site, before, now)
        if link >= 0 and site.link_head[link] >= 0:
            head = site.link_head[link]
            if is_red(light[head]) and is_red(light_before[head]):
                journeys.n[RED_LIGHTS] += 1
                journeys.i[trip, REDS] += 1


@kernel
def burn(f, trip, emission, v, a, slope, dt):
    """Book the energy (MJ) and CO2 (g) of one step."""
    if emission == 0:
        return
    if emission in (_ELECTRIC, _EBIKE):
        used = energy_mj(emission, v, a, slope, dt)
        f[trip, ENERGY] += used
        f[trip, CO2] += used * GRID
        return
    grams = combustion_co2_mg_per_s(emission, v, a, slope) * 1e-3 * dt
    f[trip, CO2] += grams
    f[trip, ENERGY] += grams / CARBON_G_PER_MJ[emission]


@kernel
def lose_time(journeys, site, trip, lane, v, dt):
    """Book time loss, waiting and stops of one sample outside scheduled halts."""
    f, i = journeys.f, journeys.i
    free = min(site.lane_speed[lane], site.trip_max_speed[trip])
    share = min(v / free, 1.0) if free > 0.0 else 1.0
    f[trip, CREDIT] += share * dt
    lost = (1.0 - share) * dt
    f[trip, LOSS] += lost
    journeys.edge_loss[site.lane_edge[lane]] += lost
    if v <= HALT_SPEED:
        f[trip, WAITING] += dt
        if i[trip, STANDING] == 0:
            i[trip, HALTS] += 1
            i[trip, STANDING] = 1
        if i[trip, SLOW] == 0:
            i[trip, STOPS] += 1
            i[trip, SLOW] = 1
        if site.lane_box[lane] == 1:
            journeys.seconds[BOX_S] += dt
    else:
        i[trip, STANDING] = 0
        if v > MOVING_SPEED:
            i[trip, SLOW] = 0


@kernel
def watch_limit(journeys, trip, v, limit):
    """Book speeding episodes."""
    if v > SPEEDING_FROM * limit:
        if journeys.i[trip, SPEEDING] == 0:
            journeys.i[trip, SPEEDING] = 1
            journeys.n[SPEEDINGS] += 1
    elif v < SPEEDING_TO * limit:
        journeys.i[trip, SPEEDING] = 0


@kernel
def follow_journeys(actors, halted, site, light, light_before, journeys, t, dt):
    """Book one sample for every vehicle on the road; pedestrians are skipped.

    halted: (capacity,) uint8, 1 at a scheduled stop; light, light_before: signal letters now and at the sample before;
    t: s; dt: s since the sample before, for which the present state stands.
    """
    f, i = journeys.f, journeys.i
    for slot in range(actors.trip.shape[0]):
        trip = actors.trip[slot]
        kind = actors.kind[slot]
        if trip < 0 or kind in (_PEDESTRIAN, _NONE):
            continue
        lane = actors.lane[slot]
        v = abs(actors.speed[slot])
        if f[trip, INSERTED] < 0.0:
            f[trip, INSERTED] = t
        f[trip, LAST] = t
        f[trip, DISTANCE] += v * dt
        slope = 0.0
        before = i[trip, LANE]
        if lane >= 0:
            slope = site.lane_slope[lane]
            if lane != before:
                enter_lane(journeys, site, trip, before, lane, light, light_before)
            watch_limit(journeys, trip, v, site.lane_speed[lane])
        place = lane if lane >= 0 else before
        if halted[slot] == 1:
            f[trip, HALTED_S] += dt
        elif place >= 0:
            lose_time(journeys, site, trip, place, v, dt)
        burn(f, trip, site.trip_emission[trip], v, actors.accel[slot], slope, dt)
        i[trip, LANE] = place
