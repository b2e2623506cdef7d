"""The four reference drivers of UN R157 as one compiled decision: is it safe, and if not, how hard to brake.

| driver   | source                                                                                        |
|----------|-----------------------------------------------------------------------------------------------|
| cc_human | competent and careful human driver, UN R157 Annex 4 Appendix 3                                |
| fsm      | fuzzy safety model: Mattas et al., Accident Analysis & Prevention 148 (2020) 105794           |
| rss      | responsibility-sensitive safety: Shalev-Shwartz, Shammah, Shashua, arXiv:1708.06374           |
| reg157   | the cut-in rule of UN R157 clause 5.2.5.2                                                     |

All four keep their speed while safe and, once they have judged a situation unsafe, never accelerate again. Speeds m/s,
distances m, times s, decelerations m/s2 and positive.
"""

from __future__ import annotations

from enum import IntEnum

from cloverleaf.algo.jit import inlined, kernel


class ReferenceDriver(IntEnum):
    """Which reference driver decides."""

    CC_HUMAN = 0
    FSM = 1
    RSS = 2
    REG157 = 3


CC_HUMAN, FSM, RSS, REG157 = (int(d) for d in ReferenceDriver)

STEP = 0.1
G = 9.81
BRAKE_JERK = 12.65  # m/s3, full deceleration in 0.6 s
BRAKE_MAX = 0.774 * G
HUMAN_REACTION = 0.75
HUMAN_COASTING = 0.4
HUMAN_CRITICAL_TTC = 2.0
REG157_REACTION = 0.35
REG157_BRAKE = 6.0
REG157_LATERAL_GAP = 0.5
RSS_REACTION = 0.75
RSS_ACCEL = 3.0
RSS_BRAKE = 6.0
RSS_LATERAL_MARGIN = 0.3
RSS_LATERAL_ACCEL = 1.0
FSM_REACTION = 0.75
FSM_BRAKE_MIN = 4.0
FSM_BRAKE_MAX = 6.0
FSM_BRAKE_LEADER = 7.0
FSM_MARGIN = 2.0


@kernel
def reaction_time(driver):
    """Time from noticing danger to the first braking (s)."""
    return REG157_REACTION if driver == REG157 else HUMAN_REACTION


@kernel
def equilibrium_gap(driver, speed):
    """Bumper distance at which the driver follows a leader of the same speed (m)."""
    if driver == CC_HUMAN:
        return 2 * speed
    if driver == RSS:
        leader = max(speed - RSS_REACTION * RSS_BRAKE, 0.0)
        return (
            speed * RSS_REACTION
            + RSS_ACCEL * (RSS_REACTION * RSS_REACTION) / 2
            + (speed + RSS_REACTION * RSS_ACCEL) ** 2 / (2 * RSS_BRAKE)
            - leader * leader / (2 * RSS_BRAKE)
            + RSS_BRAKE / 2 * (RSS_REACTION * RSS_REACTION)
        )
    return (
        speed * FSM_REACTION
        + speed * speed / (2 * FSM_BRAKE_MIN)
        - speed * speed / (2 * FSM_BRAKE_LEADER)
        + FSM_MARGIN
        + FSM_MARGIN
    )


@inlined
def proactive_fuzzy(gap, v, v_leader):
    """Proactive fuzzy metric: 0 safe .. 1 unsafe if the leader brakes hard."""
    gap = gap - FSM_MARGIN
    stop = v * FSM_REACTION + v * v / (2 * FSM_BRAKE_MIN) - v_leader * v_leader / (2 * FSM_BRAKE_LEADER)
    safe = stop + FSM_MARGIN
    if gap > safe:
        return 0.0
    unsafe = v * FSM_REACTION + v * v / (2 * FSM_BRAKE_MAX) - v_leader * v_leader / (2 * FSM_BRAKE_LEADER)
    if gap < unsafe:
        return 1.0
    return (gap - safe) / (unsafe - safe)


@inlined
def critical_fuzzy(gap, v, v_leader, accel):
    """Critical fuzzy metric: 0 safe .. 1 unsafe at the present motion."""
    if v <= v_leader:
        return 0.0
    a = max(accel, -FSM_BRAKE_MIN)
    v_new = v + FSM_REACTION * a
    if v_new < v_leader:
        safe = (v - v_leader) ** 2 / abs(accel * 2)
        return 1.0 if gap < safe else 0.0
    reaction_path = (v + a * FSM_REACTION / 2 - v_leader) * FSM_REACTION
    closing = v + a * FSM_REACTION - v_leader
    safe = reaction_path + closing * closing / (FSM_BRAKE_MIN * 2)
    if gap > safe:
        return 0.0
    unsafe = reaction_path + closing * closing / (FSM_BRAKE_MAX * 2)
    if gap < unsafe:
        return 1.0
    return (gap - safe) / (unsafe - safe)


@kernel
def rss_safe(gap, gap_lateral, v, v_leader, v_lateral):
    """True unless both the longitudinal and the lateral distance are below the RSS minimum."""
    v_after = v + RSS_REACTION * RSS_ACCEL
    longitudinal = (
        v * RSS_REACTION
        + RSS_ACCEL * (RSS_REACTION * RSS_REACTION) / 2
        + v_after * v_after / (2 * RSS_BRAKE)
        - v_leader * v_leader / (2 * RSS_BRAKE)
    )
    if gap < longitudinal:
        u = abs(v_lateral)
        u_after = u + RSS_LATERAL_ACCEL * RSS_REACTION
        lateral = (
            RSS_LATERAL_MARGIN
            + abs((2 * u + RSS_LATERAL_ACCEL * RSS_REACTION) * RSS_REACTION / 2)
            + u_after * u_after / (2 * RSS_LATERAL_ACCEL)
        )
        return not gap_lateral < lateral
    return True


@inlined
def judge_safety(driver, follows, dx, gap, gap_lateral, clearance, v, v_leader, v_lateral, accel):
    """Is the situation safe for this driver?

    driver: ReferenceDriver. follows: 1 in car following and cut-out, 0 in cut-in. dx: leader's centre ahead of ours. gap: bumper
    distance. gap_lateral: distance of the sides, negative when overlapping. clearance: dx plus both half lengths. v_lateral:
    leader's, negative towards us. accel: our own in the last step.
    Returns (safe, case_over, critical fuzzy metric, proactive fuzzy metric).
    """
    if driver == CC_HUMAN and follows == 1:
        return False, False, 0.0, 0.0
    if dx < 0:
        return True, False, 0.0, 0.0
    if driver == CC_HUMAN:
        if gap_lateral > 0:
            return True, False, 0.0, 0.0
        large = abs(abs(gap) / (v - v_leader)) > HUMAN_CRITICAL_TTC
        return large, large, 0.0, 0.0
    if driver == REG157:
        if follows == 1:
            return False, False, 0.0, 0.0
        if gap_lateral > REG157_LATERAL_GAP:
            return True, False, 0.0, 0.0
        closing = v - v_leader
        limit = closing / (2 * REG157_BRAKE) + REG157_REACTION + 0.1
        return abs(gap / closing) > limit, False, 0.0, 0.0
    if driver == RSS:
        return rss_safe(gap, gap_lateral, v, v_leader, v_lateral), False, 0.0, 0.0
    if gap_lateral > 0:
        if -v_lateral > 0:
            if gap_lateral / -v_lateral > clearance / (v - v_leader) + 0.1:
                return True, False, 0.0, 0.0
        else:
            return True, False, 0.0, 0.0
    critical = critical_fuzzy(gap, v, v_leader, accel)
    proactive = proactive_fuzzy(gap, v, v_leader)
    return critical + proactive == 0, False, critical, proactive


@inlined
def react(driver, v, waiting, brake, critical, proactive):
    """One step of evasive braking. waiting: reaction time left; brake: deceleration reached so far.

    Returns (new speed, waiting, brake).
    """
    if waiting > 0:
        waiting -= STEP
        if driver == CC_HUMAN:
            return v - HUMAN_COASTING / 10, waiting, HUMAN_COASTING
        return v, waiting, brake
    if driver == REG157:
        return max(v - REG157_BRAKE / 10, 0.0), waiting, brake
    brake = min(brake + BRAKE_JERK / 10, BRAKE_MAX)
    if driver == FSM:
        demand = proactive * FSM_BRAKE_MIN
        if critical > 0:
            demand = critical * (FSM_BRAKE_MAX - FSM_BRAKE_MIN) + FSM_BRAKE_MIN
        brake = min(brake, demand)
    return max(v - brake / 10, 0.0), waiting, brake
