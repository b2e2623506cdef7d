"""Lane changes carried out: a wish becomes true only if the gaps are still there after everyone has moved."""

from __future__ import annotations

from cloverleaf.algo.following import secure_gap
from cloverleaf.algo.jit import kernel
from cloverleaf.map.bodies import hangs_over
from cloverleaf.map.neighbours import enter, leader_at, leave, left_behind, overhang
from cloverleaf.map.skew import shift_between
from cloverleaf.types.traffic import (
    AHEAD,
    ASSERT,
    BEHIND,
    CAME_BY,
    DECEL,
    EMERGENCY,
    HALTED,
    HOLDS,
    LANE,
    LANE_ALLOW,
    LANE_INTERNAL,
    LANE_LEFT,
    LANE_LENGTH,
    LANE_RIGHT,
    LANE_SKEW,
    LANE_WIDTH,
    LAST_CHANGE,
    LENGTH,
    LINK_JUNCTION,
    MIN_GAP,
    STATE,
    TAU,
    VCLASS,
    WAIT,
    WIDTH,
    D,
    S,
    V,
)
from cloverleaf.world.motion import on_lane
from cloverleaf.world.turns import turn_from_wrong_lane
from cloverleaf.world.upstream import room_upstream

STUCK_TIME = 20.0  # s of waiting after which a driver turns from the wrong lane
ACROSS = 0.8  # m beside the centre line from which on a lane change is not yet over
TAIL_ROOM = 6.0  # m to the tail of who has just left the lane, below which a change would end beside it
TOUCH = 0.5  # m kept in length to bodies that hang over
EAGER_TIME = 20.0  # s of waiting after which half of the safe gap is accepted


@kernel
def needed_gap(f, follower, leader, eager, dt):
    """Gap (m) kept between both: the safe one divided by how eager the changer is, but enough for the hardest braking."""
    v, lead = f[follower, V], f[leader, V]
    safe = secure_gap(v, lead, f[leader, DECEL], f[follower, DECEL], f[follower, TAU], dt)
    hard = f[follower, EMERGENCY]
    return max(safe / eager, secure_gap(v, lead, hard, hard, dt, dt))


@kernel
def clear_where_it_was(veh, lists, roads, slot, lane, dt):
    """True if the body, which still hangs over its old lane, touches nobody there although the same position of `lane` lies elsewhere."""
    f, i = veh.f, veh.i
    own, s = i[slot, LANE], f[slot, S]
    shift, rest = shift_between(roads, own, lane, s), roads.lane_f[lane, LANE_SKEW]
    forward, back = max(0.0, -shift) + rest, max(0.0, shift) + rest
    ahead, behind = i[slot, AHEAD], i[slot, BEHIND]
    if forward > 0.0 and ahead >= 0 and f[ahead, S] - f[ahead, LENGTH] - s < forward + TOUCH:
        return False
    if back <= 0.0:
        return True
    if behind >= 0:
        return s - f[slot, LENGTH] - f[behind, S] >= back + f[behind, MIN_GAP]
    return room_upstream(veh, lists, roads, own, s - f[slot, LENGTH] - back, f[slot, V], f[slot, DECEL], slot, dt)


@kernel
def gaps_hold(veh, lists, roads, slot, lane, dt):
    """True if `slot` fits on `lane` beside it: room and safe braking for itself and for the new follower."""
    f, i = veh.f, veh.i
    s, v = f[slot, S], f[slot, V]
    eager = f[slot, ASSERT] * (1.0 + f[slot, WAIT] / EAGER_TIME)
    least = -0.7 * f[slot, MIN_GAP] * min(1.0, f[slot, WAIT] / EAGER_TIME)
    own = i[slot, LANE]
    if i[slot, AHEAD] < 0 and roads.lane_f[own, LANE_LENGTH] - s + left_behind(veh, lists, own) < TAIL_ROOM:
        # in the junction just ahead there is somebody whom the body would still be behind
        return False
    ahead = leader_at(veh, lists, lane, roads.lane_f[lane, LANE_LENGTH], s)
    behind = lists.first[lane] if ahead < 0 else i[ahead, BEHIND]
    if ahead >= 0:
        gap = f[ahead, S] - f[ahead, LENGTH] - s - f[slot, MIN_GAP]
        if gap < least + needed_gap(f, slot, ahead, eager, dt):
            return False
    else:
        back, other = overhang(veh, lists, lane, roads.lane_f[lane, LANE_LENGTH])
        if other >= 0 and other != slot and back - s < f[slot, MIN_GAP]:
            return False
    if behind >= 0:
        gap = s - f[slot, LENGTH] - f[behind, S] - f[behind, MIN_GAP]
        if gap < least + needed_gap(f, behind, slot, eager, dt):
            return False
    elif not room_upstream(veh, lists, roads, lane, s - f[slot, LENGTH], v, f[slot, DECEL], slot, dt):
        return False
    if s < f[slot, LENGTH]:
        # the tail swings over the junction behind: only if nobody else is in it
        came = i[slot, CAME_BY]
        if came < 0:
            return False
        junction = roads.link_i[came, LINK_JUNCTION]
        if lists.junction_count[junction] > (1 if i[slot, HOLDS] == junction else 0):
            return False
    if not clear_where_it_was(veh, lists, roads, slot, lane, dt):
        return False
    left = roads.lane_i[own, LANE_LEFT] == lane
    far = roads.lane_i[lane, LANE_LEFT] if left else roads.lane_i[lane, LANE_RIGHT]
    width = 0.5 * (roads.lane_f[far, LANE_WIDTH] + roads.lane_f[lane, LANE_WIDTH]) if far >= 0 else 0.0
    return not hangs_over(
        veh, lists, roads, far, -1.0 if left else 1.0, s + TOUCH, f[slot, LENGTH] + 2.0 * TOUCH, f[slot, WIDTH], width
    )


@kernel
def change_all(veh, lists, roads, paths, clock, intents):
    """Carry out the lane-change wishes in `intents.change`, one after the other in the order of the active list."""
    f, i = veh.f, veh.i
    for k in range(veh.count[0]):
        slot = veh.active[k]
        wish = intents.change[slot]
        if wish == 0:
            if f[slot, WAIT] > STUCK_TIME and intents.urgent[slot] > 0 and i[slot, STATE] < HALTED:
                turn_from_wrong_lane(veh, lists, roads, paths, slot)
            continue
        intents.change[slot] = 0
        lane = i[slot, LANE]
        if f[slot, D] > ACROSS or f[slot, D] < -ACROSS:
            # one lane after the other
            continue
        if lane < 0 or i[slot, STATE] >= HALTED or roads.lane_i[lane, LANE_INTERNAL] > 0:
            continue
        target = roads.lane_i[lane, LANE_LEFT] if wish > 0 else roads.lane_i[lane, LANE_RIGHT]
        if target < 0 or (roads.lane_i[target, LANE_ALLOW] & i[slot, VCLASS]) == 0:
            continue
        if f[slot, S] < f[slot, LENGTH] * 0.5 or f[slot, S] >= roads.lane_f[target, LANE_LENGTH]:
            continue
        if not gaps_hold(veh, lists, roads, slot, target, clock.time[1]):
            continue
        leave(veh, lists, slot)
        width = 0.5 * (roads.lane_f[lane, LANE_WIDTH] + roads.lane_f[target, LANE_WIDTH])
        f[slot, D] -= width if wish > 0 else -width
        f[slot, LAST_CHANGE] = clock.time[0]
        on_lane(veh, roads, paths, slot, target)
        enter(veh, lists, slot, target)
