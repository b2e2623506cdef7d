"""Motion on lanes: carry out the drivers' speeds, hand vehicles from lane to lane, end trips.

Everyone moves first, then those who ran over the end of their lane are handed on; so the lists stay sorted by true positions.
"""

from __future__ import annotations

from cloverleaf.algo.following import secure_gap
from cloverleaf.algo.jit import inlined, kernel
from cloverleaf.map.neighbours import enter, leader_at, leave
from cloverleaf.measure.energy import co2_g, energy_mj
from cloverleaf.types.traffic import (
    ACC,
    ARRIVAL_POS,
    BEHIND,
    CAME_BY,
    CLEAR_AT,
    CO2,
    CONT,
    CONTROL,
    CROSSING,
    DECEL,
    EMISSION,
    ENERGY_J,
    ENTRY,
    FACTOR,
    HALT_SUM,
    HALTED,
    HALTING_SPEED,
    HOLDS,
    INDEX,
    LANE,
    LANE_EDGE,
    LANE_INDEX,
    LANE_INTERNAL,
    LANE_LENGTH,
    LANE_NEXT,
    LANE_RIGHT,
    LANE_SPEED,
    LANE_WIDTH,
    LENGTH,
    LINK,
    LINK_ENTRY,
    LINK_FROM,
    LINK_JUNCTION,
    LINK_TO,
    LINK_VIA,
    LOSS,
    MIN_GAP,
    NEVER,
    ODO,
    PARKED,
    POS,
    STATE,
    STOP,
    STOP_END,
    STOP_LEFT,
    TAU,
    TRIP,
    TRIP_ARRIVAL,
    TRIP_CO2,
    TRIP_ENERGY,
    TRIP_HALT,
    TRIP_LENGTH,
    TRIP_LOSS,
    TRIP_STOPS,
    TRIP_WAIT,
    TURNING,
    V_LANE,
    V_TYPE,
    WAIT,
    WAIT_SUM,
    WAITING,
    WAITS,
    WIDTH,
    D,
    S,
    V,
)

SMART = 1
MISSED = 1.0  # m beyond a scheduled stop from which on it cannot be served any more
KERB = 0.2  # m between the road and who parks beside it
SLANT = 0.7  # m sideways per metre driven, of who turns from the wrong lane, once its tail is past the stop line
DRIFT = 1.1  # m/s, sideways speed of a lane change: 3.2 m in about 3 s


@inlined
def on_lane(veh, roads, paths, slot, lane):
    """Refresh what depends on the lane: desired top speed, way onwards and next link."""
    veh.f[slot, V_LANE] = min(roads.lane_f[lane, LANE_SPEED] * veh.f[slot, FACTOR], veh.f[slot, V_TYPE])
    if roads.lane_i[lane, LANE_INTERNAL] > 0:
        veh.i[slot, LINK] = roads.lane_i[lane, LANE_NEXT]
    else:
        row = paths.pos_row[veh.i[slot, POS]] + roads.lane_i[lane, LANE_INDEX]
        veh.i[slot, LINK] = paths.row_link[row]
        veh.f[slot, CONT] = paths.row_length[row]


@inlined
def release(veh, lists, slot):
    """The tail has left the junction."""
    if veh.i[slot, HOLDS] >= 0:
        lists.junction_count[veh.i[slot, HOLDS]] -= 1
        veh.i[slot, HOLDS] = -1
    veh.f[slot, CLEAR_AT] = NEVER


@inlined
def advance(veh, lists, roads, paths, slot, now):
    """Hand `slot`, whose front is past the end of its lane, to the next lane; False if there is none."""
    f, i = veh.f, veh.i
    lane = i[slot, LANE]
    length = roads.lane_f[lane, LANE_LENGTH]
    link = i[slot, LINK]
    if link < 0:
        f[slot, S] = length
        f[slot, V] = 0.0
        return False
    leave(veh, lists, slot)
    over = f[slot, S] - length
    lists.left_slot[lane] = slot
    lists.left_trip[lane] = i[slot, TRIP]
    lists.left_odo[lane] = f[slot, ODO] - over
    f[slot, S] = over
    via = roads.link_i[link, LINK_VIA]
    internal = roads.lane_i[lane, LANE_INTERNAL] > 0
    source = roads.link_i[link, LINK_FROM]
    if source != lane:
        # turned from the wrong lane: it starts beside the path that it takes
        f[slot, D] += (lane - source) * roads.lane_f[source, LANE_WIDTH]
        i[slot, STATE] |= TURNING
    if via >= 0:
        lane = via
        if not internal:
            release(veh, lists, slot)
            junction = roads.link_i[link, LINK_JUNCTION]
            i[slot, HOLDS] = junction
            lists.junction_count[junction] += 1
            i[slot, CROSSING] = link
            # on a path in two parts one has to give way once more before the second
            f[slot, ENTRY] = NEVER if roads.link_i[roads.lane_i[via, LANE_NEXT], LINK_VIA] >= 0 else now
        else:
            f[slot, ENTRY] = now
    else:
        lane = roads.link_i[link, LINK_TO]
        i[slot, CAME_BY] = roads.link_i[link, LINK_ENTRY]
        i[slot, CROSSING] = -1
        i[slot, POS] += 1
        f[slot, CLEAR_AT] = f[slot, ODO] - over + f[slot, LENGTH]
    on_lane(veh, roads, paths, slot, lane)
    enter(veh, lists, slot, lane)
    return True


@inlined
def account(veh, ledger, slot):
    """Write the running sums of `slot` into the row of its trip."""
    row = veh.i[slot, TRIP]
    f = veh.f
    ledger.f[row, TRIP_LOSS] = f[slot, LOSS]
    ledger.f[row, TRIP_WAIT] = f[slot, WAIT_SUM]
    ledger.f[row, TRIP_STOPS] = float(veh.i[slot, WAITS])
    ledger.f[row, TRIP_LENGTH] = f[slot, ODO]
    ledger.f[row, TRIP_CO2] = f[slot, CO2]
    ledger.f[row, TRIP_ENERGY] = f[slot, ENERGY_J]
    ledger.f[row, TRIP_HALT] = f[slot, HALT_SUM]


@inlined
def arrive(veh, lists, ledger, free, slot, now):
    """End the trip of `slot` and free its row."""
    i = veh.i
    account(veh, ledger, slot)
    ledger.f[i[slot, TRIP], TRIP_ARRIVAL] = now
    if (i[slot, STATE] & PARKED) == 0:
        leave(veh, lists, slot)
    release(veh, lists, slot)
    i[slot, TRIP] = -1
    i[slot, LANE] = -1
    count = veh.count[0] - 1
    at = i[slot, INDEX]
    tail = veh.active[count]
    veh.active[at] = tail
    i[tail, INDEX] = at
    veh.count[0] = count
    free[veh.count[1]] = slot
    veh.count[1] += 1
    veh.count[2] += 1


@inlined
def drift(f, slot, goal, step):
    """One step of `step` metres sideways towards the offset `goal` (m)."""
    off = f[slot, D] - goal
    if off != 0.0:
        f[slot, D] = f[slot, D] - step if off > step else (f[slot, D] + step if off < -step else goal)


@inlined
def beside_road(f, roads, slot, lane):
    """Offset (m) at which `slot` stands to the right of the road, when it parks; 0 where other lanes lie between."""
    if roads.lane_i[lane, LANE_RIGHT] >= 0:
        return 0.0
    return -0.5 * (roads.lane_f[lane, LANE_WIDTH] + f[slot, WIDTH]) - KERB


@inlined
def may_pull_out(veh, lists, roads, slot, dt):
    """True if a vehicle beside the road has room on its lane and nobody there would have to brake hard."""
    f, i = veh.f, veh.i
    lane = i[slot, LANE]
    ahead = leader_at(veh, lists, lane, roads.lane_f[lane, LANE_LENGTH], f[slot, S])
    if ahead >= 0 and f[ahead, S] - f[ahead, LENGTH] - f[slot, S] < f[slot, MIN_GAP]:
        return False
    behind = lists.first[lane] if ahead < 0 else i[ahead, BEHIND]
    if behind < 0:
        return True
    need = secure_gap(f[behind, V], 0.0, f[slot, DECEL], f[behind, DECEL], f[behind, TAU], dt)
    return f[slot, S] - f[slot, LENGTH] - f[behind, S] - f[behind, MIN_GAP] >= need


@inlined
def halt(veh, lists, roads, paths, stops, slot, now, dt):
    """Scheduled halts: begin one where the vehicle stands within it, end it when its time is over."""
    f, i = veh.f, veh.i
    stop = i[slot, STOP]
    if (i[slot, STATE] & HALTED) != 0:
        f[slot, STOP_LEFT] -= dt
        f[slot, HALT_SUM] += dt
        lane = i[slot, LANE]
        if (
            stops.parking[stop] > 0
            and (i[slot, STATE] & PARKED) == 0
            and roads.lane_i[lane, LANE_RIGHT] < 0
            and f[slot, D] <= beside_road(f, roads, slot, lane)
        ):
            i[slot, STATE] |= PARKED
            leave(veh, lists, slot)
        if f[slot, STOP_LEFT] <= 1e-9 and ((i[slot, STATE] & PARKED) == 0 or may_pull_out(veh, lists, roads, slot, dt)):
            parked = (i[slot, STATE] & PARKED) != 0
            i[slot, STATE] &= ~(HALTED | PARKED)
            i[slot, STOP] = stop + 1 if stop + 1 < i[slot, STOP_END] else -1
            i[slot, POS] += 1
            on_lane(veh, roads, paths, slot, lane)
            if parked:
                enter(veh, lists, slot, lane)
    elif (
        f[slot, S] > stops.end_pos[stop] + MISSED
        and roads.lane_i[stops.lane[stop], LANE_EDGE] == roads.lane_i[i[slot, LANE], LANE_EDGE]
    ):
        # driven past on another lane: the next one then
        i[slot, STOP] = stop + 1 if stop + 1 < i[slot, STOP_END] else -1
        i[slot, POS] += 1
        on_lane(veh, roads, paths, slot, i[slot, LANE])
    elif stops.lane[stop] == i[slot, LANE] and f[slot, V] <= HALTING_SPEED and f[slot, S] >= stops.start_pos[stop]:
        i[slot, STATE] |= HALTED
        f[slot, STOP_LEFT] = max(stops.duration[stop], stops.until[stop] - now)


@inlined
def move_one(veh, roads, slot, speed, dt, measured):
    """New speed, position and sums of one lane-bound vehicle."""
    f, i = veh.f, veh.i
    v = f[slot, V]
    accel = (speed - v) / dt
    if (i[slot, STATE] & HALTED) == 0:
        top = f[slot, V_LANE]
        f[slot, LOSS] += dt * (top - speed) / top
        if speed <= HALTING_SPEED:
            f[slot, WAIT] += dt
            f[slot, WAIT_SUM] += dt
            if (i[slot, STATE] & WAITING) == 0:
                i[slot, STATE] |= WAITING
                i[slot, WAITS] += 1
        else:
            f[slot, WAIT] = 0.0
            i[slot, STATE] &= ~WAITING
    if measured > 0:
        f[slot, CO2] += co2_g(i[slot, EMISSION], speed, accel, 0.0, dt)
        f[slot, ENERGY_J] += 1e6 * energy_mj(i[slot, EMISSION], speed, accel, 0.0, dt)
    f[slot, V] = speed
    f[slot, ACC] = accel
    f[slot, S] += speed * dt
    f[slot, ODO] += speed * dt


@kernel
def move_all(veh, lists, roads, paths, stops, ledger, free, clock, intents, scratch, measured):
    """One step of all lane-bound vehicles. `scratch` (capacity,) int32; `measured` 1 to sum CO2 and energy."""
    f, i = veh.f, veh.i
    dt = clock.time[1]
    now = clock.time[0] + dt
    moved = 0
    for k in range(veh.count[0]):
        slot = veh.active[k]
        if i[slot, CONTROL] != SMART:
            move_one(veh, roads, slot, intents.speed[slot], dt, measured)
        goal = 0.0
        if i[slot, STOP] >= 0:
            if (i[slot, STATE] & HALTED) != 0 and stops.parking[i[slot, STOP]] > 0:
                goal = beside_road(f, roads, slot, i[slot, LANE])
            halt(veh, lists, roads, paths, stops, slot, now, dt)
        if f[slot, D] != goal and i[slot, CONTROL] != SMART:
            if (i[slot, STATE] & TURNING) == 0:
                drift(f, slot, goal, DRIFT * dt)
            elif f[slot, S] > f[slot, LENGTH] or roads.lane_i[i[slot, LANE], LANE_INTERNAL] == 0:
                drift(f, slot, goal, max(DRIFT, SLANT * f[slot, V]) * dt)
                if f[slot, D] == goal:
                    i[slot, STATE] &= ~TURNING
        if f[slot, ODO] >= f[slot, CLEAR_AT]:
            release(veh, lists, slot)
        lane = i[slot, LANE]
        if lane < 0:
            continue
        if f[slot, S] > roads.lane_f[lane, LANE_LENGTH] or (
            f[slot, S] > f[slot, ARRIVAL_POS] - 0.1
            and paths.pos_last[i[slot, POS]] == 1
            and roads.lane_i[lane, LANE_INTERNAL] == 0
        ):
            scratch[moved] = slot
            moved += 1
    for k in range(moved):
        slot = scratch[k]
        while True:
            lane = i[slot, LANE]
            if paths.pos_last[i[slot, POS]] == 1 and roads.lane_i[lane, LANE_INTERNAL] == 0:
                if f[slot, S] > min(f[slot, ARRIVAL_POS], roads.lane_f[lane, LANE_LENGTH]) - 0.1:
                    arrive(veh, lists, ledger, free, slot, now)
                break
            if f[slot, S] <= roads.lane_f[lane, LANE_LENGTH]:
                break
            if not advance(veh, lists, roads, paths, slot, now):
                break
