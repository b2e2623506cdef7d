"""Decide: propose ways of driving on, play each forward, score it, keep the cheapest. A stop is always among them.

Longitudinal proposals: go on, go on gently, halt at each line or conflict ahead, arrive with the green, brake, brake hard. Lateral ones:
change to the neighbouring lane that the route needs or that is faster, if whoever comes there need not brake hard.
"""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.car.crosswalks import halt_for_people
from cloverleaf.car.give_up import give_up_change
from cloverleaf.car.occupy import occupy
from cloverleaf.car.path import build_path, onward_link, path_index, top_speed_at
from cloverleaf.car.roadbook import (
    FIRST_ROW,
    ROW_OFFSET,
)
from cloverleaf.car.score import TOTAL, score
from cloverleaf.car.simulate import FIRM, STRONGEST, simulate
from cloverleaf.car.state import (
    ADVICE,
    ADVICE_UNTIL,
    COST,
    HOLDS,
    LANE,
    LANE_D,
    LANE_S,
    LAST_CHANGE,
    LENGTH,
    OFF,
    POS,
    PROPOSAL,
    PROTECTION,
    RED_STOP,
    ROUTE,
    SHIFT,
    SHIFT_DONE,
    SHIFT_LENGTH,
    SPEED,
    STEPS,
    TERM,
    TOP_SPEED,
    WISH,
)  # fmt: skip
from cloverleaf.types.traffic import (
    LANE_ALLOW,
    LANE_INDEX,
    LANE_INTERNAL,
    LANE_LEFT,
    LANE_LENGTH,
    LANE_RIGHT,
    LANE_WIDTH,
    LINK_TO,
    LINK_VIA,
)  # fmt: skip

GO, GENTLE, HOLD, WITH_GREEN, BRAKE_SOFT, BRAKE_HARD, CHANGE_LEFT, CHANGE_RIGHT = range(8)
PASSENGER = 1
CHANGE_TIME = 4.0  # s, of a lane change
PAUSE = 4.0  # s between changes that the route does not need
REAR_BRAKE = 1.5  # m/s2 that a change may ask of the car behind
CREEP = 1.2  # m over the line at which a car that stands on red still stays
LEAVING_ROOM = 8.0  # m before a lane's blind end
UNSURE, CAREFUL_SPEED = 3.5, 8.0  # m, m/s: a protection level of a lane's width says no more which lane it is
EARLY = 400.0  # m before the end of an edge from which the changes of the next one are begun
AGREED_ADVICE = 0.35  # share of the limit below which an advice is not followed


@kernel
def reach_of(v):
    """How far ahead a car of this speed needs to know its path, m."""
    return 40.0 + v * 7.5


@kernel
def collect_holds(path, occ, f, i, holds):
    """Places to halt at, nearest first: lines ahead and the begin of conflicts. Returns their number."""
    half = 0.5 * f[i, LENGTH]
    count = 0
    for g in range(path.n[2]):
        if path.gate_s[g] > half + 0.2 and count < HOLDS // 2:
            holds[count] = path.gate_s[g]
            count += 1
    for r in range(occ.n[0]):
        if occ.first[r] == 0 or count >= HOLDS:
            continue
        low = math.inf
        for k in range(occ.first[r], STEPS + 1):
            low = min(low, occ.low[r, k])
        low -= 0.6
        if low <= half + 0.1:
            continue
        known = False
        for k in range(count):
            if abs(holds[k] - low) < 1.5:
                known = True
                holds[k] = min(holds[k], low)
        if not known:
            holds[count] = low
            count += 1
    # insertion sort: few entries
    for a in range(1, count):
        x = holds[a]
        b = a - 1
        while b >= 0 and holds[b] > x:
            holds[b + 1] = holds[b]
            b -= 1
        holds[b + 1] = x
    return count


@kernel
def wall_of(path, half):
    """What no proposal may pass, m: a blind end, the line of a red light (a little beyond it too, against creeping),
    a crosswalk with people on it; inf if none."""
    wall = path.halt[0]
    if path.n[3] == 1:
        # room to leave the lane from a standstill
        end = path.s[path.n[0] - 1]
        wall = min(wall, end - LEAVING_ROOM if end - LEAVING_ROOM > half + 0.5 else end)
    for g in range(path.n[2]):
        if path.gate_rule[g] & RED_STOP and path.gate_s[g] > half - CREEP:
            wall = min(wall, path.gate_s[g])
    return wall


@kernel
def advised_cap(f, i, limit, now):
    """Speed (m/s) to keep to: the own top speed, less where the position is unsure, or an advice that is worth following."""
    top = f[i, TOP_SPEED]
    if f[i, PROTECTION] > UNSURE:
        top = min(top, CAREFUL_SPEED)
    if now < f[i, ADVICE_UNTIL] and f[i, ADVICE] >= AGREED_ADVICE * limit:
        return min(top, f[i, ADVICE])
    return top


@kernel
def _add(todo, n, kind, cap, hold, brake, bias):
    """Row n of the proposals to play."""
    todo[n, 0], todo[n, 1], todo[n, 2], todo[n, 3], todo[n, 4] = kind, cap, hold, brake, bias
    return n + 1


@kernel
def play(path, occ, scratch, f, ints, i, first, end):
    """Simulate and score the proposals first..end; keep the cheapest in `best` (cost, kind, wanted acceleration, hold, cap, term)."""
    motion, cost, best, todo = scratch.motion, scratch.cost, scratch.best, scratch.todo
    for n in range(first, end):
        wanted = simulate(path, occ, motion, f, i, todo[n, 1], todo[n, 2], todo[n, 3])
        total = score(path, occ, scratch.hyp, motion, f, ints, i, cost) + todo[n, 4]
        if todo[n, 0] == ints[i, PROPOSAL]:
            total -= 0.3
        if total < best[0]:
            best[0], best[1], best[2], best[3], best[4] = total, todo[n, 0], wanted, todo[n, 2], todo[n, 1]
            term = 0
            for k in range(1, TOTAL):
                if cost[k] > cost[term]:
                    term = k
            best[5] = term


@kernel
def propose(path, occ, scratch, f, i, cap, free):
    """List what may be better than to go on at cost `free`, after row 0; returns the number of rows."""
    todo, hold, half = scratch.todo, scratch.hold, 0.5 * f[i, LENGTH]
    wall = wall_of(path, half)
    n = np.int64(1)
    if free <= 5.0 and wall == math.inf:
        return n
    count = collect_holds(path, occ, f, i, hold)
    if count > 0:
        for k in range(min(count, 4)):
            if hold[k] < wall:
                n = _add(todo, n, np.int64(HOLD), cap, hold[k], 0.0, 0.0)
        limit = top_speed_at(path, 0.0, path_index(path, 0.0, np.int64(0)))
        n = _add(todo, n, np.int64(GENTLE), min(cap, 0.6 * limit), wall, 0.0, 0.0)
        for g in range(path.n[2]):
            if path.gate_rule[g] & RED_STOP and path.gate_open[g] < 30.0 and path.gate_s[g] > 12.0 and path.n[3] == 0:
                pace = (path.gate_s[g] - half) / (path.gate_open[g] + 0.5)
                if pace > 2.5:
                    n = _add(todo, n, np.int64(WITH_GREEN), min(cap, pace), math.inf, 0.0, -0.5)
                break
    return n


@kernel
def rear_gap_ok(occ, f, i, urgent):
    """May the car enter a lane with these occupants: nobody alongside, room ahead, and those behind need not brake hard."""
    half, v = 0.5 * f[i, LENGTH], f[i, SPEED]
    accept = REAR_BRAKE + urgent
    for r in range(occ.n[0]):
        low, high, u = occ.low[r, 0], occ.high[r, 0], occ.v[r, 0]
        if low == math.inf:
            # It comes into the lane within the time of the change, beside us.
            for k in range(1, 9):
                if occ.low[r, k] < half + k * 0.25 * v and occ.high[r, k] > k * 0.25 * v - half - 2.0:
                    return False
            continue
        if low + high >= 0.0:
            gap = low - half
            closing = max(v - u, 0.0)
            # a leader that draws away makes the room itself
            own = max((0.5 - 0.3 * urgent) * v - max(u - v, 0.0), 0.0)
            if gap < 1.0 + own + closing * closing / (2.0 * 2.5):
                return False
        else:
            gap = -half - high
            closing = max(u - v, 0.0)
            if gap < 1.5 + (1.0 - 0.3 * urgent) * u + closing * closing / (2.0 * accept):
                return False
    return True


@kernel
def changes_later(book, route, pos, lane):
    """Lanes to change (left positive) on the edge after this one for who goes on there from `lane`; 0 if it does not lead on."""
    link = onward_link(book, route, pos, lane)
    for _ in range(4):
        if link < 0:
            return 0
        if book.link_i[link, LINK_VIA] < 0:
            break
        link = onward_link(book, route, pos, np.int64(book.link_i[link, LINK_VIA]))
    at = book.pos_start[route] + pos + 1
    to = book.link_i[link, LINK_TO]
    return book.row_i[book.pos[at, FIRST_ROW] + book.lane_i[to, LANE_INDEX], ROW_OFFSET]


@kernel
def wanted_side(book, fleet, i, now):
    """Which lane change is wanted: (side, urgency 0..1, needed by the route)."""
    f, ints = fleet.f, fleet.i
    lane = ints[i, LANE]
    if book.lane_i[lane, LANE_INTERNAL] > 0 or f[i, SHIFT] != 0.0:
        return 0, 0.0, 0
    row = book.pos[book.pos_start[ints[i, ROUTE]] + ints[i, POS], FIRST_ROW] + book.lane_i[lane, LANE_INDEX]
    offset = book.row_i[row, ROW_OFFSET]
    if offset != 0:
        rest = book.row_f[row] - f[i, LANE_S]
        need = 30.0 + abs(offset) * (30.0 + 7.0 * f[i, SPEED])
        # Early enough, but not kilometres ahead.
        if rest < 3.0 * need + 150.0:
            return (1 if offset > 0 else -1), min(max(1.5 - rest / max(need, 1.0), 0.0), 1.0), 1
        return 0, 0.0, 0
    # what the next edge will ask for is done on this one where it can be: there may be little room left
    later = changes_later(book, ints[i, ROUTE], ints[i, POS], lane)
    if later == 0 or book.lane_f[lane, LANE_LENGTH] - f[i, LANE_S] > EARLY:
        return 0, 0.0, 0
    side = 1 if later > 0 else -1
    other = np.int64(book.lane_i[lane, LANE_LEFT] if side > 0 else book.lane_i[lane, LANE_RIGHT])
    if other < 0 or (book.lane_i[other, LANE_ALLOW] & PASSENGER) == 0 or book.row_i[row + side, ROW_OFFSET] != 0:
        return 0, 0.0, 0
    better = abs(changes_later(book, ints[i, ROUTE], ints[i, POS], other)) < abs(later)
    return (side, 0.0, 1) if better else (0, 0.0, 0)


@kernel
def faster_side(book, fleet, occ, i, now):
    """Side of a lane with as good a way on, if the leader here holds the car up; 0 none."""
    f, ints = fleet.f, fleet.i
    lane = ints[i, LANE]
    if (
        book.lane_i[lane, LANE_INTERNAL] > 0
        or f[i, SHIFT] != 0.0
        or now - f[i, LAST_CHANGE] < PAUSE
        or f[i, SPEED] < 3.0
    ):
        return 0
    top = min(book.lane_f[lane, 1], f[i, TOP_SPEED])
    slow = False
    for r in range(occ.n[0]):
        low = occ.low[r, 0]
        if low < 12.0 + 2.5 * f[i, SPEED] and low > 0.0 and occ.v[r, 0] < 0.75 * top:
            slow = True
    if not slow:
        return 0
    base = book.pos[book.pos_start[ints[i, ROUTE]] + ints[i, POS], FIRST_ROW]
    for side in (1, -1):
        other = book.lane_i[lane, LANE_LEFT] if side > 0 else book.lane_i[lane, LANE_RIGHT]
        if other < 0 or (book.lane_i[other, LANE_ALLOW] & PASSENGER) == 0:
            continue
        row = base + book.lane_i[other, LANE_INDEX]
        if book.row_i[row, ROW_OFFSET] == 0 and book.row_f[row] - f[i, LANE_S] > 150.0:
            return side
    return 0


@kernel
def prepare_change(book, fleet, scratch, i, side, urgency, needed):
    """Look at the neighbouring lane and lay the lateral profile onto it; returns that lane, or -1 if there is no room or no lane."""
    f, ints = fleet.f, fleet.i
    lane = ints[i, LANE]
    other = np.int64(book.lane_i[lane, LANE_LEFT] if side > 0 else book.lane_i[lane, LANE_RIGHT])
    if other < 0 or (book.lane_i[other, LANE_ALLOW] & PASSENGER) == 0:
        return np.int64(-1)
    s = f[i, LANE_S] * book.lane_f[other, LANE_LENGTH] / book.lane_f[lane, LANE_LENGTH]
    rest = book.lane_f[other, LANE_LENGTH] - s
    if rest < 8.0 or (needed == 0 and rest < 50.0):
        return np.int64(-1)
    apart = 0.5 * (book.lane_f[lane, LANE_WIDTH] + book.lane_f[other, LANE_WIDTH])
    build_path(
        book, scratch.change, ints[i, ROUTE], ints[i, POS], other, s, 60.0, reach_of(f[i, SPEED]), f[i, TOP_SPEED]
    )
    halt_for_people(book, scratch.change, fleet, i, other, s)
    # First as if already there: who is beside and behind?
    f[i, SHIFT], f[i, OFF] = 0.0, 0.0
    occupy(scratch.change, scratch.hyp, scratch.occ_change, f, i, np.int64(1))
    if not rear_gap_ok(scratch.occ_change, f, i, urgency):
        return np.int64(-1)
    f[i, SHIFT] = f[i, LANE_D] - side * apart
    f[i, SHIFT_DONE] = 0.0
    room = 0.8 * rest - (LEAVING_ROOM if scratch.change.n[3] == 1 else 0.0)  # another change begins before a blind end
    f[i, SHIFT_LENGTH] = max(12.0, min(CHANGE_TIME * f[i, SPEED], room))
    occupy(scratch.change, scratch.hyp, scratch.occ_change, f, i, np.int64(0))
    return other


@kernel
def decide(book, fleet, scratch, i, now):
    """Choose for car i on `scratch.keep` (built, lights ruled, foes predicted). Returns the wanted acceleration, m/s2.

    If a lane change is chosen, the planning lane and the lateral profile are switched.
    """
    f, ints = fleet.f, fleet.i
    best, todo = scratch.best, scratch.todo
    best[0] = math.inf
    path, occ = scratch.keep, scratch.occ
    occupy(path, scratch.hyp, occ, f, i, np.int64(0))
    halt_for_people(book, path, fleet, i, ints[i, LANE], f[i, LANE_S])
    cap = advised_cap(f, i, path.limit[0], now)
    wall = wall_of(path, 0.5 * f[i, LENGTH])
    side, urgency, needed = wanted_side(book, fleet, i, now)
    if side == 0:
        side = faster_side(book, fleet, occ, i, now)
    ints[i, WISH] = side
    keep_shift, keep_done, keep_length, keep_off = f[i, SHIFT], f[i, SHIFT_DONE], f[i, SHIFT_LENGTH], f[i, OFF]
    # Stages: go on; what else the lane offers; brakes; the change of lanes.
    end = _add(todo, np.int64(0), np.int64(GO), cap, wall, 0.0, 0.0)
    first = np.int64(0)
    other, kind = np.int64(-1), np.int64(CHANGE_LEFT if side > 0 else CHANGE_RIGHT)
    for stage in range(4):
        if stage == 1:
            first, end = np.int64(1), propose(path, occ, scratch, f, i, cap, best[0])
        elif stage == 2:
            first, end = np.int64(0), np.int64(0)
            if best[0] > 50.0:
                end = _add(todo, end, np.int64(BRAKE_SOFT), cap, wall, FIRM, 0.0)
                end = _add(todo, end, np.int64(BRAKE_HARD), cap, wall, STRONGEST, 0.0)
        elif stage == 3:
            if side == 0 or now - f[i, LAST_CHANGE] <= 1.0:
                break
            other = prepare_change(book, fleet, scratch, i, side, urgency, needed)
            if other < 0:
                break
            path, occ = scratch.change, scratch.occ_change
            bias = -4.0 - 10.0 * urgency if needed == 1 else 1.5
            first, end = (
                np.int64(0),
                _add(todo, np.int64(0), kind, f[i, TOP_SPEED], wall_of(path, 0.5 * f[i, LENGTH]), 0.0, bias),
            )
        play(path, occ, scratch, f, ints, i, first, end)
    if other >= 0 and np.int64(best[1]) == kind:
        f[i, LANE_S] *= book.lane_f[other, LANE_LENGTH] / book.lane_f[ints[i, LANE], LANE_LENGTH]
        ints[i, LANE] = other
        f[i, LANE_D] = f[i, SHIFT]
        f[i, LAST_CHANGE] = now
    else:
        f[i, SHIFT], f[i, SHIFT_DONE], f[i, SHIFT_LENGTH], f[i, OFF] = keep_shift, keep_done, keep_length, keep_off
        give_up_change(book, fleet, scratch, i, now)
    ints[i, PROPOSAL], ints[i, TERM] = np.int64(best[1]), np.int64(best[5])
    f[i, COST] = best[0]
    return best[2]
