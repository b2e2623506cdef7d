"""Knots that make spirals and polynomials quick to evaluate: built once when a map is read.

A spiral gets points every <= 0.25 rad from which Gauss-Legendre quadrature reaches any s; a polynomial gets its
parameter and its rate at equidistant arc lengths. Where a polynomial's arc length differs from the length the file states,
s is scaled to it, so that pieces join.
"""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.types.state import F64

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_NODES, _WEIGHTS = 0.5 * (_NODES + 1.0), 0.5 * _WEIGHTS
POLY_KNOTS = 65
_FINE = 512


def spiral_knots(curvature: float, rate: float, length: float) -> F64:
    """Local (x, y) at equidistant s of a spiral that starts at the origin along x; shape (knots, 2)."""
    bend = max(abs(curvature), abs(curvature + rate * length)) * length
    n = max(1, min(math.ceil(bend / 0.25), 4096))
    s = np.linspace(0.0, length, n + 1)
    u = s[:-1, None] + _NODES * (length / n)
    theta = u * (curvature + 0.5 * rate * u)
    step = np.stack([np.cos(theta) @ _WEIGHTS, np.sin(theta) @ _WEIGHTS], axis=1) * (length / n)
    return np.concatenate([np.zeros((1, 2)), np.cumsum(step, axis=0)])


def poly_knots(coef: F64, parameter_end: float, length: float) -> F64:
    """Parameter p and dp/ds at equidistant s of (U(p), V(p)); `parameter_end` 0: until the arc is `length` long."""
    end = parameter_end or max(length, 1e-9)
    p = np.linspace(0.0, end, _FINE + 1)
    width = end / _FINE
    arc = np.concatenate([[0.0], np.cumsum(_speed(coef, p[:-1, None] + _NODES * width) @ _WEIGHTS * width)])
    scale = 1.0
    if parameter_end and arc[-1] > 0:
        scale = length / arc[-1]
    wanted = np.linspace(0.0, length / scale, POLY_KNOTS)
    value = np.interp(wanted, arc, p)
    cell = np.minimum((value / width).astype(np.int64), _FINE - 1)
    for _ in range(3):
        part = value - p[cell]
        have = arc[cell] + (_speed(coef, p[cell][:, None] + _NODES * part[:, None]) @ _WEIGHTS) * part
        value = value + (wanted - have) / np.maximum(_speed(coef, value), 1e-12)
    return np.stack([value, 1.0 / np.maximum(_speed(coef, value) * scale, 1e-12)], axis=1)


def _speed(coef: F64, p: F64) -> F64:
    du = coef[1] + p * (2 * coef[2] + p * 3 * coef[3])
    dv = coef[5] + p * (2 * coef[6] + p * 3 * coef[7])
    return np.hypot(du, dv)
