"""Room for urgent lane changes: whom the changer falls in behind or passes, and who lets it in.

Emulates the documented exchange of SUMO's default model (LC2013, Erdmann 2014): a blocking leader is passed if there is way and time
for it, else followed; a blocking follower brakes if that opens the gap in time, else it goes ahead; whoever is slow and fully behind
a blocked changer stays behind it.
"""

from __future__ import annotations

from cloverleaf.algo.following import brake_gap, krauss_follow_speed, secure_gap, stop_speed
from cloverleaf.algo.jit import kernel
from cloverleaf.types.traffic import (
    ACC,
    BEHIND,
    COOPERATE,
    DECEL,
    EMERGENCY,
    HALTED,
    LENGTH,
    MIN_GAP,
    STATE,
    TAU,
    S,
    V,
)

CRAWL = 0.5  # m/s, speed below which nobody falls back any more: those beside would do the same
HASTE = 2.0  # share of the way left in which a change is to be done
FALL_BEHIND = 7.0 / 3.6  # m/s2, least braking by which a changer falls back behind the vehicle beside it
HELP = 10.0 / 3.6  # m/s, speed that a follower who lets somebody in keeps above the changer's
LONG_LANE = 200.0  # m of way left from which a follower on the left slows down for those who come after


@kernel
def safe_gap(f, follower, leader, dt):
    """Gap (m) that is safe between both even if the follower speeds up, or the leader brakes, as now for a reaction time."""
    time = max(0.0, f[follower, TAU] - dt)
    fast = f[follower, V] + time * max(0.0, f[follower, ACC])
    slow = max(0.0, f[leader, V] + time * min(0.0, f[leader, ACC]))
    return secure_gap(fast, slow, f[leader, DECEL], f[follower, DECEL], f[follower, TAU], dt)


@kernel
def slow_for(near, f, other, speed, dt):
    """Ask `other` for at most `speed` (m/s), as far as it can by comfortable braking and as it is willing to."""
    least = f[other, V] - f[other, DECEL] * dt
    if speed >= least and f[other, COOPERATE] > 0.0:
        share = min(1.0, f[other, COOPERATE])
        near.help[other] = min(near.help[other], speed * share + (1.0 - share) * max(speed, f[other, V]))


@kernel
def behind_leader(f, i, near, slot, other, gap, left, remaining, side, dt):
    """Speed (m/s) planned by an urgent changer with a leader `gap` metres ahead on the target lane; -1 if it passes the leader."""
    v, decel, tau = f[slot, V], f[slot, DECEL], f[slot, TAU]
    planned = min(v, stop_speed(left, decel, dt, dt))
    if other < 0:
        return planned
    lead = f[other, V]
    soon = max(0.0, lead - dt * max(1.0, -f[other, ACC]))
    if gap >= 0.0 and gap >= safe_gap(f, slot, other, dt):
        keep = krauss_follow_speed(
            gap + (soon - planned) * dt, v, soon, f[other, DECEL], decel, f[slot, EMERGENCY], tau, dt
        )
        keep = max(keep, v - decel * dt)
        near.help[slot] = min(near.help[slot], max(keep, CRAWL))
        return min(keep, planned)
    pass_way = max(
        0.0,
        gap + f[other, LENGTH] + f[other, MIN_GAP] + f[slot, LENGTH]
        + secure_gap(lead, v, decel, f[other, DECEL], f[other, TAU], dt),
    )  # fmt: skip
    faster = planned - lead
    if (i[other, STATE] & HALTED) != 0 or (
        faster > 0.0 and left - brake_gap(v, decel, tau, dt) >= pass_way and remaining >= pass_way / faster
    ):
        slow_for(near, f, other, lead, dt)
        return -1.0
    if gap < 0.0 and lead <= CRAWL and (f[other, S] <= f[slot, S] or other > slot):
        # who stands beside may be waiting for this very place: go on rather than wait for each other
        return planned
    target = krauss_follow_speed(
        gap + (soon - planned) * dt, v, soon, f[other, DECEL], decel, f[slot, EMERGENCY], tau, dt
    )
    target = max(target, v - decel * dt)
    if target < v:
        rate = min(decel, max(FALL_BEHIND, (v - target) / remaining))
        planned = min(planned, max(0.0, v - rate * dt))
        near.help[slot] = min(near.help[slot], max(planned, CRAWL))
    return planned


@kernel
def before_follower(f, near, slot, other, gap, left, remaining, side, planned, dt):
    """Ask the follower `other` on the target lane, `gap` metres behind, to brake if that makes room in time, else to go ahead."""
    v, vb, brake = f[slot, V], f[other, V], f[other, DECEL]
    if gap >= 0.0 and gap >= safe_gap(f, other, slot, dt):
        safe = krauss_follow_speed(
            gap + (planned - vb) * dt, vb, planned, f[slot, DECEL], brake, f[other, EMERGENCY], f[other, TAU], dt
        )
        slow_for(near, f, other, safe, dt)
        return
    soon, later = max(0.0, vb - brake * dt), max(0.0, vb - brake)
    faster = planned - later
    after = gap + faster
    need = secure_gap(later, planned, f[slot, DECEL], brake, f[other, TAU], dt)
    if after > 0.0 and after >= need:
        safe = krauss_follow_speed(
            gap + planned * dt, vb, planned, f[slot, DECEL], brake, f[other, EMERGENCY], f[other, TAU], dt
        )
        safe = krauss_follow_speed(
            gap + (planned - max(soon, safe)) * dt, vb, planned, f[slot, DECEL], brake, f[other, EMERGENCY],
            f[other, TAU], dt,
        )  # fmt: skip
        slow_for(near, f, other, max(soon, safe), dt)
    elif faster > 0.0 and faster * remaining > need - after:
        slow_for(near, f, other, soon, dt)
    elif vb > v and (side < 0 or left > LONG_LANE) and (vb - v) / brake < remaining:
        # those who come after will be slow enough to help
        slow_for(near, f, other, max(soon, v + HELP), dt)
    else:
        pass_way = max(
            0.0,
            gap + f[slot, LENGTH] + f[slot, MIN_GAP] + f[other, LENGTH]
            + secure_gap(v, max(vb, v + HELP), brake, f[slot, DECEL], f[slot, TAU], dt),
        )  # fmt: skip
        own = max(max(vb, v + HELP) - pass_way / remaining, v - f[slot, DECEL] * dt)
        near.help[slot] = min(near.help[slot], max(own, CRAWL))


@kernel
def ask_for_room(f, i, near, slot, side, ahead, gap_ahead, behind, gap_behind, left, lanes, look, dt):
    """An urgent changer without a gap: find its place among those on the target lane. `left` (m) of way, `lanes` to cross."""
    remaining = max(dt, left / max(look, 0.001) / lanes / HASTE)
    planned = behind_leader(f, i, near, slot, ahead, gap_ahead, left, remaining, side, dt)
    if behind < 0:
        return
    if planned >= 0.0:
        before_follower(f, near, slot, behind, gap_behind, left, remaining, side, planned, dt)
    gap = gap_behind
    while behind >= 0 and gap <= 0.0:
        # who is beside cannot make room and has to pass; the next one can
        behind = i[behind, BEHIND]
        if behind >= 0:
            gap = f[slot, S] - f[slot, LENGTH] - f[behind, S] - f[behind, MIN_GAP]
    if behind >= 0 and f[behind, V] < f[behind, DECEL]:
        speed = krauss_follow_speed(
            gap, f[behind, V], f[slot, V], f[slot, DECEL], f[behind, DECEL], f[behind, EMERGENCY], f[behind, TAU], dt
        )
        slow_for(near, f, behind, speed, dt)
