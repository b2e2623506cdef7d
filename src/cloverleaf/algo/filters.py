"""Small Kalman filters in scalars: position and speed on one axis, and covariance intersection of two estimates."""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel


@kernel
def predict_axis(pp, pv, vv, accel_sigma, dt):
    """Covariance (pp, pv, vv) of a constant-velocity axis after `dt`: white acceleration of deviation `accel_sigma`."""
    q = accel_sigma * accel_sigma
    h = dt * dt
    return pp + 2.0 * dt * pv + h * vv + 0.25 * h * h * q, pv + dt * vv + 0.5 * h * dt * q, vv + h * q


@kernel
def position_gain(pp, pv, variance):
    """Gains (position, speed) for a measured position of this variance."""
    s = pp + variance
    return pp / s, pv / s


@kernel
def after_position(pp, pv, vv, gain_p, gain_v):
    """Covariance after a position update with these gains."""
    return (1.0 - gain_p) * pp, (1.0 - gain_p) * pv, vv - gain_v * pv


@kernel
def intersection_weight(pp, pv, vv, qp, qv, qq):
    """Weight w of the first estimate in P^-1 = w P1^-1 + (1 - w) P2^-1 that gives the least trace (Julier, Uhlmann 1997).

    Arguments are the two symmetric 2x2 covariances. A golden-section search of 20 steps: the trace is convex in w.
    """
    low, high = 0.0, 1.0
    ratio = 0.5 * (math.sqrt(5.0) - 1.0)
    for _ in range(20):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        ap, _av, aq = intersect(pp, pv, vv, qp, qv, qq, a)
        bp, _bv, bq = intersect(pp, pv, vv, qp, qv, qq, b)
        if ap + aq < bp + bq:
            high = b
        else:
            low = a
    return 0.5 * (low + high)


@kernel
def intersect(pp, pv, vv, qp, qv, qq, w):
    """Covariance of the intersection with weight `w` of the first estimate."""
    d1 = pp * vv - pv * pv
    d2 = qp * qq - qv * qv
    ip = w * vv / d1 + (1.0 - w) * qq / d2
    iv = -w * pv / d1 - (1.0 - w) * qv / d2
    iq = w * pp / d1 + (1.0 - w) * qp / d2
    d = ip * iq - iv * iv
    return iq / d, -iv / d, ip / d
