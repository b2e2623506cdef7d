"""Car following: safe speeds of Krauss, and the accelerations of IDM, IIDM, ACC and CACC, as kernels of scalars.

Units are SI. `dt` is the step; speeds apply to the whole coming step (semi-implicit Euler), so braking distances are sums over
steps, not integrals: a driver who stops within n steps covers dt * (v1 + v2 + ... + vn). Sources: Krauss 1998 (safe speed), Treiber,
Hennecke, Helbing 2000 (IDM), Treiber and Kesting 2013 (IIDM, ACC), Milanes and Shladover 2014 (ACC, CACC control laws).
"""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel

KRAUSS, IDM, ACC, CACC = 0, 1, 2, 3  # demand.FollowModel
EPS = 0.001  # m, slack that keeps exact stops on the right side of a line


@kernel
def brake_gap(speed, decel, headway, dt):
    """Distance (m) covered when braking by `decel` from the next step on, after `headway` seconds at `speed`."""
    drop = decel * dt
    steps = math.floor(speed / drop)
    return dt * (steps * speed - drop * steps * (steps + 1.0) / 2.0) + speed * headway


@kernel
def stop_speed(gap, decel, tau, dt):
    """Highest speed (m/s) from which one can stop within `gap` metres after reacting for `tau` seconds."""
    g = gap - EPS
    b = decel * dt
    if g <= 0.0:
        return 0.0
    if g <= b:
        return min(b, g / dt)
    n = math.floor(0.5 - (tau - 0.5 * math.sqrt(dt * dt + 4.0 * (dt * (2.0 * g / b - tau) + tau * tau))) / dt)
    covered = 0.5 * n * (n - 1.0) * b * dt + n * b * tau
    return n * b + (g - covered) / (n * dt + tau)


@kernel
def emergency_decel(gap, speed, leader_speed, leader_decel, decel, emergency):
    """Deceleration (m/s2) that still avoids the leader when comfortable braking does not, at most `emergency`."""
    if gap <= 0.0:
        return emergency
    leader_way = 0.5 * leader_speed * leader_speed / leader_decel
    b1 = 0.5 * speed * speed / (gap + leader_way)
    if b1 <= leader_decel:
        return min(b1, emergency)
    b2 = leader_decel + 0.5 * (speed - leader_speed) * (speed - leader_speed) / gap
    return min(b2, emergency)


@kernel
def krauss_follow_speed(gap, speed, leader_speed, leader_decel, decel, emergency, tau, dt):
    """Safe speed (m/s) behind a leader `gap` metres ahead (net of the minimum gap), Krauss with discrete braking."""
    if gap >= 0.0:
        x = stop_speed(gap + brake_gap(leader_speed, max(decel, leader_decel), 0.0, dt), decel, tau, dt)
    else:
        x = max(0.0, speed - emergency * dt)
    wanted = (speed - x) / dt
    if wanted > decel + EPS and decel != emergency:
        needed = 1.2 * emergency_decel(gap, speed, leader_speed, leader_decel, decel, emergency)
        x = max(0.0, speed - min(max(needed, decel), wanted) * dt)
    return x


@kernel
def secure_gap(speed, leader_speed, leader_decel, decel, tau, dt):
    """Gap (m, net of the minimum gap) behind a leader below which following is not safe."""
    lead = brake_gap(leader_speed, max(decel, leader_decel), 0.0, dt)
    return max(0.0, brake_gap(speed, decel, tau, dt) - lead)


@kernel
def free_speed(distance, target, decel, dt):
    """Highest speed now (m/s) that still allows to have slowed down to `target` after `distance` metres."""
    v = target * dt
    if distance < v:
        return target
    b = decel * dt * dt
    y = max(0.0, ((math.sqrt((b + 2.0 * v) * (b + 2.0 * v) + 8.0 * b * distance) - b) * 0.5 - v) / b)
    full = math.floor(y)
    exact = (full * full + full) * 0.5 * b + full * v + (v if y > full else 0.0)
    return max(0.0, distance - exact) / (full + 1.0) / dt + full * decel * dt + target


@kernel
def idm_accel(gap, speed, leader_speed, desired, accel, decel, tau):
    """IDM acceleration (m/s2); `gap` net of the minimum gap is measured from standstill distance s0 = 2 m in the interaction."""
    s0 = 2.0
    free = 1.0 - (speed / max(desired, 0.1)) ** 4
    s = max(gap + s0, 0.1)
    star = s0 + max(0.0, speed * tau + speed * (speed - leader_speed) / (2.0 * math.sqrt(accel * decel)))
    return accel * (free - (star / s) * (star / s))


@kernel
def iidm_accel(gap, speed, leader_speed, desired, accel, decel, tau, s0):
    """Improved IDM (no overreaction near the desired speed); `gap` is the full bumper distance, m."""
    s = max(gap, 0.1)
    z = (s0 + max(0.0, speed * tau + speed * (speed - leader_speed) / (2.0 * math.sqrt(accel * decel)))) / s
    if speed <= desired:
        free = accel * (1.0 - (speed / max(desired, 0.1)) ** 4)
        if z >= 1.0:
            return accel * (1.0 - z * z)
        if free <= 1e-9:
            return 0.0
        return free * (1.0 - z ** (2.0 * accel / free))
    free = -decel * (1.0 - (desired / speed) ** (accel * 4.0 / decel))
    if z >= 1.0:
        return free + accel * (1.0 - z * z)
    return free


@kernel
def cah_accel(gap, speed, leader_speed, leader_accel, accel):
    """Constant-acceleration heuristic (m/s2): the leader keeps its acceleration, no safety margin beyond that."""
    s = max(gap, 0.1)
    al = min(leader_accel, accel)
    closing = max(speed - leader_speed, 0.0)
    vl = speed - closing
    if vl * closing < -2.0 * s * al and vl * vl - 2.0 * s * al > 1e-9:
        return speed * speed * al / (vl * vl - 2.0 * s * al)
    return al - closing * closing / (2.0 * s)


@kernel
def kesting_acc_accel(gap, speed, leader_speed, leader_accel, desired, accel, decel, tau, s0, coolness):
    """ACC of Kesting and Treiber: IIDM, softened by the constant-acceleration heuristic with weight `coolness`."""
    a = iidm_accel(gap, speed, leader_speed, desired, accel, decel, tau, s0)
    c = cah_accel(gap, speed, leader_speed, leader_accel, accel)
    if a >= c:
        return a
    return (1.0 - coolness) * a + coolness * (c + decel * math.tanh((a - c) / decel))


@kernel
def acc_accel(gap, speed, leader_speed, desired, tau, min_gap):
    """ACC law of Milanes and Shladover: speed control far away, gap control near; `gap` net of the minimum gap, m."""
    speed_control = -0.4 * (speed - desired)
    if gap > 120.0:
        return speed_control
    error = gap + min_gap - tau * speed - min_gap
    closing = leader_speed - speed
    if abs(error) < 0.2 and abs(closing) < 0.1:
        control = 0.23 * error + 0.07 * closing
    elif error < 0.0:
        control = 0.23 * error + 0.8 * closing
    else:
        control = 0.04 * error + 0.8 * closing
    return min(speed_control, control)


@kernel
def cacc_speed(gap, speed, accel_now, leader_speed, desired, tau, dt):
    """CACC law of Milanes and Shladover as next speed (m/s): gains by gap error e and its rate."""
    e = gap - tau * speed
    rate = leader_speed - speed + tau * accel_now
    if 0.0 < e < 0.2 and abs(leader_speed - speed) < 0.1:
        nxt = speed + 0.45 * e + 0.0125 * rate
    elif e < 0.0:
        nxt = speed + 0.45 * e + 0.05 * rate
    else:
        nxt = speed + 0.005 * e + 0.05 * rate
    return min(nxt, speed - 0.4 * (speed - desired) * dt) if gap > 100.0 else min(nxt, desired)


@kernel
def follow_speed(
    model, gap, speed, accel_now, leader_speed, leader_decel, leader_model, desired, accel, decel, emergency, tau, dt
):
    """Next speed (m/s) wanted behind a leader, by the law `model` (demand.FollowModel); `gap` net of the minimum gap, m."""
    safe = krauss_follow_speed(gap, speed, leader_speed, leader_decel, decel, emergency, tau, dt)
    if model == KRAUSS:
        return safe
    if model == IDM:
        nxt = speed
        sub = max(1.0, math.floor(dt / 0.25 + 0.5))
        h = dt / sub
        g = gap
        k = 0.0
        while k < sub:
            a = idm_accel(g, nxt, leader_speed, desired, accel, decel, tau)
            nxt = max(0.0, nxt + max(a, -emergency) * h)
            g -= max(0.0, h * (nxt - leader_speed))
            k += 1.0
        return nxt
    if model == CACC and leader_model == CACC:
        return max(0.0, min(cacc_speed(gap, speed, accel_now, leader_speed, desired, tau, dt), safe + 2.0))
    headway = tau if model == ACC else 1.0
    return max(0.0, min(speed + acc_accel(gap, speed, leader_speed, desired, headway, 2.0) * dt, safe + 2.0))


@kernel
def arrival_time(distance, speed, arrival_speed, accel, decel):
    """Least time (s) to cover `distance`, changing from `speed` to `arrival_speed` and holding the faster of both."""
    rate = accel if arrival_speed >= speed else -decel
    time = (arrival_speed - speed) / rate
    way = time * (arrival_speed + speed) * 0.5
    return time + max(0.0, distance - way) / max(speed, arrival_speed, 0.1)


@kernel
def speed_after(distance, speed, accel, top):
    """Speed (m/s) after accelerating over `distance` metres, at most `top`."""
    return max(0.0, min(top, math.sqrt(max(0.0, 2.0 * distance * accel + speed * speed))))
