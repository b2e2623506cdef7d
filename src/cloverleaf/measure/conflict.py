"""How close two road users came: headway, time to collision, post-encroachment, needed deceleration (scalar kernels).

NaN means undefined (nobody ahead, no closing speed, no encounter), never 0. Definitions: Hayward 1972 (TTC), Allen et al. 1978
(PET), Minderhoud and Bovy 2001 (TET, TIT), Cooper and Ferguson 1976 (DRAC); MTTC as in Ozbay et al. 2008.
"""

from __future__ import annotations

import math

from cloverleaf.algo.boxes import swept_contact
from cloverleaf.algo.jit import kernel

TTC_HORIZON = 5.0
"""s; contacts of straight-moving boxes are sought this far ahead."""


@kernel
def time_headway(gap, speed):
    """Bumper gap over own speed, s."""
    return gap / speed if speed > 0.0 else math.nan


@kernel
def time_to_collision(gap, speed, leader_speed):
    """Time until the bumper gap is used up at constant speeds, s; 0 once the gap is gone."""
    closing = speed - leader_speed
    if gap <= 0.0:
        return 0.0
    return gap / closing if closing > 0.0 else math.nan


@kernel
def modified_ttc(gap, speed, leader_speed, accel, leader_accel):
    """Smallest positive time at which the gap is used up at constant accelerations, s."""
    if gap <= 0.0:
        return 0.0
    closing = speed - leader_speed
    rate = 0.5 * (accel - leader_accel)
    if abs(rate) < 1e-9:
        return gap / closing if closing > 0.0 else math.nan
    root = closing * closing + 4.0 * rate * gap
    if root < 0.0:
        return math.nan
    # The stable form of the quadratic's roots avoids the difference of near-equal numbers.
    q = -0.5 * (closing + math.copysign(math.sqrt(root), closing))
    first = q / rate
    second = -gap / q if q != 0.0 else math.nan
    best = math.nan
    if first > 0.0:
        best = first
    if second > 0.0 and not second >= best:
        best = second
    return best


@kernel
def box_ttc(ax, ay, ah, al, aw, a_speed, bx, by, bh, bl, bw, b_speed):
    """Time until two boxes touch at constant velocity and heading, s; NaN if not within TTC_HORIZON; 0 if they touch now."""
    t = swept_contact(
        ax, ay, ah, al, aw, a_speed * math.cos(ah), a_speed * math.sin(ah),
        bx, by, bh, bl, bw, b_speed * math.cos(bh), b_speed * math.sin(bh), TTC_HORIZON,
    )  # fmt: skip
    return t if t <= TTC_HORIZON else math.nan


@kernel
def required_decel(gap, speed, leader_speed):
    """DRAC: constant deceleration that just avoids a leader of constant speed, m/s2; inf once the gap is gone, NaN if not closing."""
    closing = speed - leader_speed
    if closing <= 0.0:
        return math.nan
    return closing * closing / (2.0 * gap) if gap > 0.0 else math.inf


@kernel
def post_encroachment(first_exit, second_entry):
    """PET: second user's entry minus first user's exit of the conflict area, s; negative if they were inside together."""
    return second_entry - first_exit


@kernel
def exposed_time(ttc, threshold, dt):
    """One step's share of TET (s) and TIT (dimensionless): (dt, (1/TTC - 1/threshold) dt) while 0 < TTC < threshold."""
    if ttc > 0.0 and ttc < threshold:
        return dt, (1.0 / ttc - 1.0 / threshold) * dt
    return 0.0, 0.0
