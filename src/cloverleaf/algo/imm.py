"""Interacting multiple models of planar motion: constant velocity and constant turn rate and acceleration, in scalars and 6 x 6 tables.

State (x, y, vx, vy, a, w): position m, velocity m/s in a fixed plane, acceleration along the velocity m/s2, turn rate of the velocity
rad/s. Model 0 (CV) holds a = w = 0 with a prior spread, model 1 (CTRA) lets them walk. Blom, Bar-Shalom 1988; CTRA with Cartesian
velocity: Schubert et al. 2008, integrated by the trapezium rule. `mean` is (2, 6), `cov` (2, 6, 6), `share` (2,) probabilities.
"""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel

STATES = 6
SLOW = 0.5
"""m/s below which a velocity has no direction to turn or accelerate along."""
# noise table: columns of `noise`
CV_ACCEL, CTRA_ACCEL, JERK, TURN, ACCEL_PRIOR, TURN_PRIOR, STAY = range(7)


@kernel
def mix(mean, cov, share, stay, old_mean, old_cov):
    """Mix the models before prediction: each keeps itself with probability `stay`. old_*: scratch of the same shapes."""
    for m in range(2):
        for r in range(STATES):
            old_mean[m, r] = mean[m, r]
            for c in range(STATES):
                old_cov[m, r, c] = cov[m, r, c]
    s0, s1 = share[0], share[1]
    for m in range(2):
        own = stay * (s0 if m == 0 else s1)
        other = (1.0 - stay) * (s1 if m == 0 else s0)
        whole = own + other
        wo = own / whole
        wx = 1.0 - wo
        x = 1 - m
        for r in range(STATES):
            mean[m, r] = wo * old_mean[m, r] + wx * old_mean[x, r]
        for r in range(STATES):
            dr = old_mean[m, r] - old_mean[x, r]
            for c in range(STATES):
                dc = old_mean[m, c] - old_mean[x, c]
                cov[m, r, c] = wo * old_cov[m, r, c] + wx * old_cov[x, r, c] + wo * wx * dr * dc
        share[m] = whole


@kernel
def _transition(mean, turning, dt, f):
    """Move a mean ahead by dt and fill the Jacobian f (6, 6)."""
    for r in range(STATES):
        for c in range(STATES):
            f[r, c] = 1.0 if r == c else 0.0
    vx, vy = mean[2], mean[3]
    speed = math.sqrt(vx * vx + vy * vy)
    if not turning or speed < SLOW:
        mean[0] += vx * dt
        mean[1] += vy * dt
        f[0, 2] = f[1, 3] = dt
        if not turning:
            mean[4] = mean[5] = 0.0
        return
    a, w = mean[4], mean[5]
    stretch = max(1.0 + a * dt / speed, 0.0)
    c, s = math.cos(w * dt), math.sin(w * dt)
    tx, ty = c * vx - s * vy, s * vx + c * vy
    nx, ny = stretch * tx, stretch * ty
    fall = -a * dt / (speed * speed * speed) if stretch > 0.0 else 0.0
    f[2, 2] = stretch * c + tx * fall * vx
    f[2, 3] = -stretch * s + tx * fall * vy
    f[3, 2] = stretch * s + ty * fall * vx
    f[3, 3] = stretch * c + ty * fall * vy
    f[2, 4], f[3, 4] = tx * dt / speed, ty * dt / speed
    f[2, 5], f[3, 5] = -ny * dt, nx * dt
    for axis in range(2):
        f[axis, 2] = 0.5 * dt * (f[2 + axis, 2] + (1.0 if axis == 0 else 0.0))
        f[axis, 3] = 0.5 * dt * (f[2 + axis, 3] + (1.0 if axis == 1 else 0.0))
        f[axis, 4] = 0.5 * dt * f[2 + axis, 4]
        f[axis, 5] = 0.5 * dt * f[2 + axis, 5]
    mean[0] += 0.5 * dt * (vx + nx)
    mean[1] += 0.5 * dt * (vy + ny)
    mean[2], mean[3] = nx, ny


@kernel
def predict(mean, cov, share, dt, noise, old_mean, old_cov):
    """Carry both models `dt` s ahead, mixed first. noise: the seven figures named above this function's module constants."""
    mix(mean, cov, share, noise[STAY], old_mean, old_cov)
    for m in range(2):
        f = old_cov[1]
        _transition(mean[m], m == 1, dt, f)
        # The product with the Jacobian, left then right, through old_cov[0]: its first two columns and last two rows are those of the unit.
        for r in range(STATES):
            for c in range(STATES):
                total = cov[m, r, c] if r < 2 or r >= 4 else 0.0
                if r < 4:
                    for k in range(2, STATES):
                        total += f[r, k] * cov[m, k, c]
                old_cov[0, r, c] = total
        for r in range(STATES):
            for c in range(STATES):
                total = old_cov[0, r, c] if c < 2 or c >= 4 else 0.0
                if c < 4:
                    for k in range(2, STATES):
                        total += old_cov[0, r, k] * f[c, k]
                cov[m, r, c] = total
        q = noise[CV_ACCEL] if m == 0 else noise[CTRA_ACCEL]
        q *= q
        for axis in range(2):
            cov[m, axis, axis] += 0.25 * dt * dt * dt * dt * q
            cov[m, axis, 2 + axis] += 0.5 * dt * dt * dt * q
            cov[m, 2 + axis, axis] += 0.5 * dt * dt * dt * q
            cov[m, 2 + axis, 2 + axis] += dt * dt * q
        if m == 0:
            for r in range(STATES):
                for k in range(4, STATES):
                    cov[0, r, k] = cov[0, k, r] = 0.0
            cov[0, 4, 4] = noise[ACCEL_PRIOR] * noise[ACCEL_PRIOR]
            cov[0, 5, 5] = noise[TURN_PRIOR] * noise[TURN_PRIOR]
        else:
            cov[1, 4, 4] += noise[JERK] * noise[JERK] * dt
            cov[1, 5, 5] += noise[TURN] * noise[TURN] * dt


@kernel
def combined(mean, cov, share, r):
    """(mean, variance) of state r over both models."""
    d = mean[0, r] - mean[1, r]
    return (
        share[0] * mean[0, r] + share[1] * mean[1, r],
        share[0] * cov[0, r, r] + share[1] * cov[1, r, r] + share[0] * share[1] * d * d,
    )


@kernel
def position_distance(mean, cov, share, x, y, rxx, rxy, ryy):
    """Squared Mahalanobis distance of a measured position with covariance r to the combined prediction."""
    px, pxx = combined(mean, cov, share, 0)
    py, pyy = combined(mean, cov, share, 1)
    cross = share[0] * share[1] * (mean[0, 0] - mean[1, 0]) * (mean[0, 1] - mean[1, 1])
    pxy = share[0] * cov[0, 0, 1] + share[1] * cov[1, 0, 1] + cross
    sxx, sxy, syy = pxx + rxx, pxy + rxy, pyy + ryy
    dx, dy = x - px, y - py
    return (syy * dx * dx - 2.0 * sxy * dx * dy + sxx * dy * dy) / (sxx * syy - sxy * sxy)


@kernel
def combined_ahead(mean, share, dt):
    """(x, y, vx, vy, a, w) over both models, carried `dt` s ahead as model 1 does; no velocity turns or reverses below SLOW."""
    s0, s1 = share[0], share[1]
    x, y = s0 * mean[0, 0] + s1 * mean[1, 0], s0 * mean[0, 1] + s1 * mean[1, 1]
    vx, vy = s0 * mean[0, 2] + s1 * mean[1, 2], s0 * mean[0, 3] + s1 * mean[1, 3]
    a, w = s0 * mean[0, 4] + s1 * mean[1, 4], s0 * mean[0, 5] + s1 * mean[1, 5]
    speed = math.sqrt(vx * vx + vy * vy)
    if speed < SLOW:
        return x + vx * dt, y + vy * dt, vx, vy, a, 0.0
    stretch = max(1.0 + a * dt / speed, 0.0)
    c, s = stretch * math.cos(w * dt), stretch * math.sin(w * dt)
    nx, ny = c * vx - s * vy, s * vx + c * vy
    return x + 0.5 * dt * (vx + nx), y + 0.5 * dt * (vy + ny), nx, ny, a, w


@kernel
def take(mean, cov, m, state, value, variance, gain):
    """Take a measured value of one state into model m; returns its log likelihood, short of a constant. gain: scratch (6,)."""
    s = cov[m, state, state] + variance
    off = value - mean[m, state]
    for r in range(STATES):
        gain[r] = cov[m, r, state] / s
    for r in range(STATES):
        mean[m, r] += gain[r] * off
        for c in range(r + 1):
            cov[m, r, c] -= gain[r] * gain[c] * s
            cov[m, c, r] = cov[m, r, c]
    return -0.5 * (off * off / s + math.log(s))


@kernel
def weigh(share, log0, log1):
    """Shares of the models after these log likelihoods; neither falls below 0.01."""
    top = max(log0, log1)
    w0, w1 = share[0] * math.exp(log0 - top), share[1] * math.exp(log1 - top)
    share[0] = min(max(w0 / (w0 + w1), 0.01), 0.99)
    share[1] = 1.0 - share[0]


@kernel
def update(mean, cov, share, x, y, variance, gain):
    """Take a measured position, `variance` m2 per axis, into both models and weigh them by their likelihoods. gain: scratch (6,)."""
    log0 = take(mean, cov, 0, 0, x, variance, gain) + take(mean, cov, 0, 1, y, variance, gain)
    log1 = take(mean, cov, 1, 0, x, variance, gain) + take(mean, cov, 1, 1, y, variance, gain)
    weigh(share, log0, log1)


@kernel
def update_moving(mean, cov, share, x, y, vx, vy, variance, speed_variance, gain):
    """The same for a measured position and velocity (m2/s2 per axis)."""
    log0 = take(mean, cov, 0, 0, x, variance, gain) + take(mean, cov, 0, 1, y, variance, gain)
    log1 = take(mean, cov, 1, 0, x, variance, gain) + take(mean, cov, 1, 1, y, variance, gain)
    log0 += take(mean, cov, 0, 2, vx, speed_variance, gain) + take(mean, cov, 0, 3, vy, speed_variance, gain)
    log1 += take(mean, cov, 1, 2, vx, speed_variance, gain) + take(mean, cov, 1, 3, vy, speed_variance, gain)
    weigh(share, log0, log1)


@kernel
def intersect(mean, cov, x, y, vx, vy, variance, speed_variance, w, gain):
    """Covariance intersection of both models with a position and velocity of unknown correlation, weight `w` of the models.

    An intersection is the update with both covariances divided by their weights (Julier, Uhlmann 1997); acceleration and turn rate, which
    the other estimate does not have, keep their variances. The shares stay.
    """
    wide = 1.0 / math.sqrt(w)
    for m in range(2):
        for r in range(STATES):
            for c in range(STATES):
                cov[m, r, c] *= (wide if r < 4 else 1.0) * (wide if c < 4 else 1.0)
        take(mean, cov, m, 0, x, variance / (1.0 - w), gain)
        take(mean, cov, m, 1, y, variance / (1.0 - w), gain)
        take(mean, cov, m, 2, vx, speed_variance / (1.0 - w), gain)
        take(mean, cov, m, 3, vy, speed_variance / (1.0 - w), gain)
