"""Slow twins of what drivers and the world ask about bodies, gaps and free ways: all vehicles are looked at, motion is stepped through."""

from __future__ import annotations

import math

from tests.naive.following import braking_way

from cloverleaf.types import traffic as T


def on_lane(veh, lane):
    """Slots on `lane`, in no order."""
    used = veh.active[: veh.count[0]].tolist()
    return [k for k in used if veh.i[k, T.LANE] == lane and not veh.i[k, T.STATE] & T.PARKED]


def hangs_over(veh, lane, towards, s, length, width, distance):
    """True if any box on `lane`, moved sideways by its offset, overlaps a box from `s` - `length` to `s` by more than 0.4 m."""
    for k in on_lane(veh, lane):
        f = veh.f[k]
        apart = distance - towards * f[T.D] - 0.5 * (width + f[T.WIDTH])
        if f[T.S] >= s - length and f[T.S] - f[T.LENGTH] <= s and apart < -0.4:
            return True
    return False


def driven(distance, speed, accel, top, step=1e-3):
    """Least time (s) over `distance` metres, driven in small steps with full acceleration."""
    time = 0.0
    while distance > 0.0:
        speed = max(speed, min(top, speed + accel * step))
        if speed <= 0.1 and accel <= 0.0:
            return time + distance / 0.1
        distance -= speed * step
        time += step
    return time


def tail_beyond(veh, lists, lane):
    """m from the end of `lane` to the tail of who left it last, inf if it has gone."""
    slot = lists.left_slot[lane]
    gone = slot < 0 or veh.i[slot, T.TRIP] != lists.left_trip[lane]
    return math.inf if gone else veh.f[slot, T.ODO] - veh.f[slot, T.LENGTH] - lists.left_odo[lane]


def way_is_free(veh, lists, roads, slot, off):
    """True if who stands at the end of its lane can slant over `off` lanes before anybody comes: 0.7 m sideways per metre."""
    own = veh.f[slot]
    lane = veh.i[slot, T.LANE]
    slant = abs(off) * roads.lane_f[lane, T.LANE_WIDTH] / 0.7
    way = roads.lane_f[lane, T.LANE_LENGTH] - own[T.S] + own[T.LENGTH] + slant
    across = driven(way, own[T.V], own[T.ACCEL], own[T.V_LANE])
    lanes = [lane + k for k in (range(1, off + 1) if off > 0 else range(-1, off - 1, -1))]
    heads = {k: max(on_lane(veh, k), key=lambda other: veh.f[other, T.S], default=-1) for k in lanes}
    for k, head in heads.items():
        if head >= 0 and veh.i[head, T.LINK] >= 0 and roads.lane_f[k, T.LANE_LENGTH] - veh.f[head, T.S] < 25.0:
            return False
    if own[T.WAIT] >= 40.0:
        return True
    if any(tail_beyond(veh, lists, k) < own[T.LENGTH] + slant + own[T.MIN_GAP] for k in (lane, *lanes)):
        return False
    comers = []
    for k, head in heads.items():
        length = roads.lane_f[k, T.LANE_LENGTH]
        if head >= 0:
            if veh.i[head, T.LINK] >= 0:
                comers.append((length - veh.f[head, T.S], head))
            continue
        for link in range(len(roads.link_i)):
            source = roads.link_i[link, T.LINK_FROM]
            if roads.link_i[link, T.LINK_TO] != k or roads.lane_i[source, T.LANE_INTERNAL]:
                continue
            head = max(on_lane(veh, source), key=lambda other: veh.f[other, T.S], default=-1)
            if head >= 0 and veh.i[head, T.LINK] == link:
                comers.append(
                    (
                        length
                        + roads.link_f[link, T.LINK_LENGTH]
                        + roads.lane_f[source, T.LANE_LENGTH]
                        - veh.f[head, T.S],
                        head,
                    )
                )
    return all(driven(w, veh.f[k, T.V], veh.f[k, T.ACCEL], veh.f[k, T.V_LANE]) >= across for w, k in comers)


def blocks(own, foe, first, merge, zipper, own_decel, foe_decel, dt):
    """True if a patient driver lets the announced `foe` go first; both are (arrival, leaving, speed then, speed later, speed if it brakes).

    `first` breaks a tie at a zipper, where only who arrives later waits, but looks 16 s ahead.
    """
    gap = 16.0 if zipper else 1.0
    if zipper and (own[0] < foe[0] or (own[0] == foe[0] and first)):
        return False

    def runs_into(behind, behind_decel, ahead, ahead_decel):
        return braking_way(behind, behind_decel, 0.0, dt) > braking_way(ahead, ahead_decel, 0.0, dt) + 1e-9

    if foe[1] < own[0]:  # the foe is gone before
        return merge and (own[0] - foe[1] < gap or runs_into(own[2], own_decel, foe[3], foe_decel))
    if foe[0] > own[1] + gap:  # the foe comes after
        return merge and runs_into(foe[4], foe_decel, own[3], own_decel)
    return True


def pose(graph, lanes, s, length, offset):
    """Centre and heading (x, y, rad) of a box with its front `s` metres along the last of the connected `lanes` that it drove along."""
    points = []
    for lane in lanes:
        rows = slice(graph.lane_point_start[lane], graph.lane_point_start[lane + 1])
        points.append((graph.point_x[rows], graph.point_y[rows], graph.point_s[rows]))

    def at(x, y, along, where):
        k = max((j for j in range(len(along) - 1) if along[j] <= where), default=0)
        t = (where - along[k]) / (along[k + 1] - along[k])
        return x[k] + t * (x[k + 1] - x[k]), y[k] + t * (y[k + 1] - y[k])

    front = at(*points[-1], s)
    rear, k = s - length, len(lanes) - 1
    while rear < 0.0 and k > 0:
        k -= 1
        rear += graph.lane_length[lanes[k]]
    back = at(*points[k], rear)
    heading = math.atan2(front[1] - back[1], front[0] - back[0])
    c, n = math.cos(heading), math.sin(heading)
    return front[0] - 0.5 * length * c - offset * n, front[1] - 0.5 * length * n + offset * c, heading
