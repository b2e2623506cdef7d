"""The three scenario families of UN R157's performance models, each as one kernel over arrays of concrete cases.

Step 0.1 s, explicit Euler (new speed first, then position with the new speed), positions are box centres, a crash is an overlap in
both directions. Every kernel leaves a case as soon as its verdict cannot change any more; with `full = 1` it goes on to
the end, because the smallest time to collision and the largest fuzzy metrics need the whole course. The reference drivers never
accelerate, so a gap that the present closing speed cannot use up in the time left stays open.
"""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel
from cloverleaf.judge.r157.drivers import FSM, STEP, equilibrium_gap, judge_safety, react, reaction_time

STEPS = 350
LENGTH = 4.3
WIDTH = 1.9
SIDE_GAP = 1.6  # between the sides at the start of a cut-in
RUN_IN_ACCEL = 1.5  # m/s2, build-up of the lateral speed before the cut-in proper
WANDERING = 0.375  # m, lateral offset of the leader at which a cut-out is perceived
STANDING_LENGTH = 5.0  # m, of the vehicle uncovered by a cut-out
TTC_CAP = 4.0
HALF_LENGTH = LENGTH / 2
HALF_WIDTH = WIDTH / 2
CRASH_SIDE, CRASH_REAR = 1, 2
CERTAIN = 1e-6  # m, more than all rounding of a course


@kernel
def planar_ttc(dx, dy_abs, v, v_other, v_lateral):
    """Time until both axes overlap at constant speed, capped at 4 s (the definition of the published grids).

    An axis without closing speed counts as 4 s; an object passed and left behind counts as 10 s.
    """
    ahead = dx - HALF_LENGTH - HALF_LENGTH
    side = dy_abs - HALF_WIDTH - HALF_WIDTH
    closing = v - v_other
    lon = min(ahead / closing, TTC_CAP) if closing != 0.0 else (TTC_CAP if ahead > 0 else -math.inf)
    if closing < 0:
        lon = TTC_CAP
    if ahead < -LENGTH - LENGTH:
        lon = 10.0
    elif ahead <= 0 and ahead > -LENGTH - LENGTH:
        lon = 0.0
    approach = -v_lateral
    if approach == 0:
        approach = 0.001
    lat = min(side / approach, TTC_CAP)
    if side < 0:
        lat = 0.0
    return max(lon, lat)


@kernel
def cut_in_case(driver, ego, other, gap0, v_lat, full):
    """One cut-in. ego, other: m/s; gap0: bumper distance (m); v_lat: lateral speed (m/s, >= 0) towards the ego.

    Returns (crash type 0 none / 1 side / 2 rear-end, min TTC s, proactive, critical fuzzy maxima). The last three only if full.
    """
    v_end = -v_lat
    run_in = int(math.ceil(v_lat / (RUN_IN_ACCEL / 10))) if v_lat > 0 else 0
    y_start = SIDE_GAP + WIDTH
    moving = int(10 * y_start // v_lat + 1) if v_lat > 0 else 0
    x_start = gap0 + LENGTH
    total = STEPS + run_in
    v, v_prev = ego, ego
    x = 0.0
    for _ in range(run_in):
        x += -ego / 10
    waiting, brake = reaction_time(driver), 0.0
    crash, min_ttc, pfs_max, cfs_max = 0, math.inf, 0.0, 0.0
    ended = False
    sum_x, sum_y = 0.0, 0.0
    nominal_sum = 0.0
    for i in range(total + 1):
        if i < run_in:
            x_other, y, v_y = 0.0, 0.0, i * -(RUN_IN_ACCEL / 10)
            for m in range(run_in - 1, i - 1, -1):
                x_other += -other / 10
                y += -(m * -(RUN_IN_ACCEL / 10)) / 10
            x_other += x_start
            y += y_start
        elif i == run_in:
            x_other, y, v_y = x_start, y_start, v_end
        else:
            k = i - run_in - 1
            v_y = v_end if k < moving else 0.0
            sum_x += other
            sum_y += v_y
            x_other = sum_x / 10 + x_start
            y = sum_y / 10 + y_start
            nominal_sum += ego
        dx = x_other - x
        dy = abs(0.0 - y)
        if full == 1:
            min_ttc = min(min_ttc, planar_ttc(dx, dy, v, other, v_y))
        if i == total:
            break
        if ended:
            # the case is over for the driver: the rest of the course is the undisturbed one
            v_prev = v
            v = ego
            if i + 1 > run_in:
                x = (nominal_sum + ego) / 10
            else:
                x = x + ego / 10
            continue
        gap_lateral = dy - HALF_WIDTH - HALF_WIDTH
        gap = abs(dx) - HALF_LENGTH - HALF_LENGTH
        clearance = abs(dx) + HALF_LENGTH + HALF_LENGTH
        now_safe, ended, cfs, pfs = judge_safety(
            driver, 0, dx, gap, gap_lateral, clearance, v, other, v_y, (v - v_prev) * 10
        )
        v_new = v
        if not now_safe:
            v_new, waiting, brake = react(driver, v, waiting, brake, cfs, pfs)
        x_new = x + v_new / 10
        if crash == 0 and gap_lateral < 0 and gap < 0:
            crash = CRASH_SIDE if dx < 0 else CRASH_REAR
        if driver == FSM and not ended:
            cfs_max = max(cfs_max, cfs)
            pfs_max = max(pfs_max, pfs)
        v_prev, v, x = v, v_new, x_new
        if full == 0:
            passed = dx < 0 and gap > 0 and v >= other
            opening = dx > 0 and gap > 0 and v <= other
            stays_beside = i > run_in + moving and gap_lateral > 0
            ahead = 1.0 if dx > 0 else -1.0
            stays_open = gap > max(ahead * (v - other) * ((total - i) * STEP), 0.0) + CERTAIN
            if crash != 0 or ended or passed or opening or stays_beside or stays_open:
                break
    return crash, min_ttc, pfs_max, cfs_max


@kernel
def cut_out_case(driver, speed, uncovered, v_lat, full):
    """One cut-out. speed: of ego and leader (m/s); uncovered: distance of the standing vehicle ahead of the leader (m);
    v_lat: leader's lateral speed (m/s, negative).

    Returns (crash, leader crashed, following distance m, proactive, critical fuzzy at first perception).
    """
    gap0 = equilibrium_gap(driver, speed)
    x_leader0 = gap0 + LENGTH
    x_standing = x_leader0 + uncovered + LENGTH
    moving = int(10 * 4.0 // abs(v_lat) + 1)
    v, v_prev = speed, speed
    x = speed / 10
    sum_x, sum_y = 0.0, 0.0
    nominal = speed
    waiting, brake = reaction_time(driver), 0.0
    crash, leader_crash, perceived = False, False, False
    pfs_first, cfs_first, pfs, cfs = 0.0, 0.0, 0.0, 0.0
    x_leader, y_leader, v_y, gap = 0.0, 0.0, 0.0, 0.0
    for i in range(STEPS - 1):
        if not leader_crash:
            v_y = v_lat if i < moving else 0.0
            sum_x += speed
            sum_y += v_y
            x_leader = sum_x / 10 + x_leader0
            y_leader = sum_y / 10 + 4.0 - 4.0
            overlap_y = abs(0.0 - y_leader) - HALF_WIDTH - HALF_WIDTH < 0
            if overlap_y and abs(x_standing - x_leader) - STANDING_LENGTH / 2 - HALF_LENGTH < 0:
                leader_crash = True
                v_y = 0.0
        acts = leader_crash or y_leader < -WANDERING
        v_new = v
        if acts:
            x_object = x_leader if leader_crash else x_standing
            y_object = y_leader if leader_crash else 0.0
            half = HALF_LENGTH if leader_crash else STANDING_LENGTH / 2
            dx = x_object - x
            gap = abs(dx) - HALF_LENGTH - half
            gap_lateral = abs(0.0 - y_object) - HALF_WIDTH - HALF_WIDTH
            safe, _, cfs, pfs = judge_safety(
                driver, 1, dx, gap, gap_lateral, abs(dx) + HALF_LENGTH + half, v, 0.0, 0.0, (v - v_prev) * 10
            )
            if not safe:
                v_new, waiting, brake = react(driver, v, waiting, brake, cfs, pfs)
            if gap_lateral < 0 and gap < 0:
                crash = True
            if leader_crash:
                cfs_first, pfs_first = 0.0, 0.0
            elif not perceived:
                perceived, cfs_first, pfs_first = True, cfs, pfs
        if v == 0 or crash:
            break
        cleared = leader_crash or y_leader < -WIDTH - WANDERING
        if full == 0 and cleared and gap > v * ((STEPS - 1 - i) * STEP) + CERTAIN:
            break
        nominal += speed
        x = x + v_new / 10 if acts else nominal / 10
        v_prev, v = v, v_new
    return crash, leader_crash, gap0, pfs_first, cfs_first


@kernel
def car_following_case(driver, speed, leader_brake, full):
    """The leader brakes at once with `leader_brake` (m/s2) from `speed` (m/s).

    Returns (crash, following distance m, speed difference at impact m/s, proactive, critical fuzzy maxima).
    """
    gap0 = equilibrium_gap(driver, speed)
    x_leader0 = gap0 + LENGTH
    v, v_prev = speed, speed
    x = speed / 10
    sum_x = 0.0
    waiting, brake = reaction_time(driver), 0.0
    crash, difference, pfs_max, cfs_max = False, 0.0, 0.0, 0.0
    for i in range(STEPS - 1):
        v_leader = max(speed - i * leader_brake / 10, 0.0)
        sum_x += v_leader
        dx = sum_x / 10 + x_leader0 - x
        gap = abs(dx) - HALF_LENGTH - HALF_LENGTH
        safe, _, cfs, pfs = judge_safety(
            driver, 1, dx, gap, -WIDTH, abs(dx) + LENGTH, v, v_leader, 0.0, (v - v_prev) * 10
        )
        v_new = v
        if not safe:
            v_new, waiting, brake = react(driver, v, waiting, brake, cfs, pfs)
        pfs_max = max(pfs_max, pfs)
        cfs_max = max(cfs_max, cfs)
        if gap < 0:
            crash, difference = True, v - v_leader
        if v == 0 or crash:
            break
        # the last gap judged is that of step STEPS - 2
        if full == 0 and dx > 0 and gap > v * ((STEPS - 1 - i) * STEP) + CERTAIN:
            break
        x = x + v_new / 10
        v_prev, v = v, v_new
    return crash, gap0, difference, pfs_max, cfs_max


@kernel
def cut_in_cases(driver, ego, other, gap0, v_lat, full, crash, min_ttc, pfs, cfs):
    """`cut_in_case` for arrays of shape (cases,); writes the last four."""
    for i in range(ego.shape[0]):
        crash[i], min_ttc[i], pfs[i], cfs[i] = cut_in_case(driver, ego[i], other[i], gap0[i], v_lat[i], full)


@kernel
def cut_out_cases(driver, speed, uncovered, v_lat, full, crash, leader_crash, gap0, pfs, cfs):
    """`cut_out_case` for arrays of shape (cases,); writes the last five."""
    for i in range(speed.shape[0]):
        crash[i], leader_crash[i], gap0[i], pfs[i], cfs[i] = cut_out_case(
            driver, speed[i], uncovered[i], v_lat[i], full
        )


@kernel
def car_following_cases(driver, speed, leader_brake, full, crash, gap0, difference, pfs, cfs):
    """`car_following_case` for arrays of shape (cases,); writes the last five."""
    for i in range(speed.shape[0]):
        crash[i], gap0[i], difference[i], pfs[i], cfs[i] = car_following_case(driver, speed[i], leader_brake[i], full)
