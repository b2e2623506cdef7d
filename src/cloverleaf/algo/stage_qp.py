"""Quadratic programs with stages, as in model predictive control: Riccati recursion inside the alternating direction method (compiled).

minimise  sum_k 1/2 x_k' Q_k x_k + q_k' x_k + 1/2 u_k' R u_k + r_k' u_k
subject to x_{k+1} = A_k x_k + B_k u_k + c_k and low_k <= C_k x_{k+1} <= high_k, ulow <= u_k <= uhigh.

The equality constraints hold exactly in every iterate; the bounds are split off and enforced by ADMM (Boyd et al. 2011, section 5.2) with
one factorisation per problem and O(stages) work per iteration, warm-started (cf. Nguyen et al. 2024, "TinyMPC").
Shapes: A (N, n, n), B (N, n, m), c (N, n), Q (n, n) for stages 1 .. N-1 and QN, q (N, n) of x_1 .. x_N, R (m, m), C (N, p, n).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.types.state import F64


class StageQp(NamedTuple):
    """One problem, its workspace and its last solution, which is the next start."""

    a: F64  # (N, n, n)
    b: F64  # (N, n, m)
    c: F64  # (N, n)
    q: F64  # (N, n, n) weight of x_{k+1}
    lin: F64  # (N, n)
    r: F64  # (m, m)
    rows: F64  # (N, p, n)
    low: F64  # (N, p)
    high: F64  # (N, p)
    u_low: F64  # (N, m)
    u_high: F64  # (N, m)
    rho: F64  # (p + m,) stiffness of the split per row, inputs last
    x: F64  # (N + 1, n) solution
    u: F64  # (N, m)
    z: F64  # (N, p + m) bounded copies
    y: F64  # (N, p + m) scaled multipliers
    p: F64  # (n, n) cost to go
    p_next: F64  # (n, n)
    gain: F64  # (N, m, n)
    inverse: F64  # (N, m, m)
    closed: F64  # (N, n, n) A - B K
    grad: F64  # (N, m) feedforward
    v: F64  # (4, n) vectors of one stage


def empty_stage_qp(stages: int, n: int, m: int, p: int) -> StageQp:
    z = np.zeros
    wide = np.full((stages, p), np.inf)
    return StageQp(
        z((stages, n, n)), z((stages, n, m)), z((stages, n)), z((stages, n, n)), z((stages, n)), np.eye(m), z((stages, p, n)),
        -wide, wide.copy(), np.full((stages, m), -np.inf), np.full((stages, m), np.inf), np.ones(p + m), z((stages + 1, n)),
        z((stages, m)), z((stages, p + m)), z((stages, p + m)), z((n, n)), z((n, n)), z((stages, m, n)), z((stages, m, m)),
        z((stages, n, n)), z((stages, m)), z((4, n)),
    )  # fmt: skip


@kernel
def factorise(w, bounded, sc):
    """Backward Riccati pass: gains of every stage, and S c in `sc` (N, n); `bounded` adds the split's stiffness (else plain LQR)."""
    stages, n, _m = w.b.shape
    rows = w.rows.shape[1]
    p, s = w.p, w.p_next
    for back in range(stages):
        k = stages - 1 - back
        # s = weight of x_{k+1} + cost to go from there
        for i in range(n):
            for j in range(n):
                total = w.q[k, i, j] + (p[i, j] if back > 0 else 0.0)
                if bounded:
                    for row in range(rows):
                        total += w.rho[row] * w.rows[k, row, i] * w.rows[k, row, j]
                s[i, j] = total
        # h = B' S B + R, here for two inputs at most
        h00 = h01 = h11 = 0.0
        for i in range(n):
            sb0 = sb1 = 0.0
            for j in range(n):
                sb0 += s[i, j] * w.b[k, j, 0]
                sb1 += s[i, j] * w.b[k, j, 1]
            h00 += w.b[k, i, 0] * sb0
            h01 += w.b[k, i, 0] * sb1
            h11 += w.b[k, i, 1] * sb1
            w.v[0, i], w.v[1, i] = sb0, sb1
        h00 += w.r[0, 0] + (w.rho[rows] if bounded else 0.0)
        h11 += w.r[1, 1] + (w.rho[rows + 1] if bounded else 0.0)
        h01 += w.r[0, 1]
        det = h00 * h11 - h01 * h01
        w.inverse[k, 0, 0], w.inverse[k, 1, 1] = h11 / det, h00 / det
        w.inverse[k, 0, 1] = w.inverse[k, 1, 0] = -h01 / det
        for j in range(n):
            f0 = f1 = 0.0
            for i in range(n):
                f0 += w.v[0, i] * w.a[k, i, j]
                f1 += w.v[1, i] * w.a[k, i, j]
            w.gain[k, 0, j] = w.inverse[k, 0, 0] * f0 + w.inverse[k, 0, 1] * f1
            w.gain[k, 1, j] = w.inverse[k, 1, 0] * f0 + w.inverse[k, 1, 1] * f1
        for i in range(n):
            for j in range(n):
                w.closed[k, i, j] = w.a[k, i, j] - w.b[k, i, 0] * w.gain[k, 0, j] - w.b[k, i, 1] * w.gain[k, 1, j]
        # P = A' S (A - B K)
        for i in range(n):
            for j in range(n):
                total = 0.0
                for l in range(n):
                    total += s[i, l] * w.closed[k, l, j]
                p[i, j] = total
        for j in range(n):
            for i in range(n):
                total = 0.0
                for l in range(n):
                    total += w.a[k, l, i] * p[l, j]
                w.v[2, i] = total
            for i in range(n):
                p[i, j] = w.v[2, i]
        for i in range(n):
            total = 0.0
            for j in range(n):
                total += s[i, j] * w.c[k, j]
            sc[k, i] = total


@kernel
def _sweep(w, bounded, sc):
    """One solution of the equality-constrained problem: feedforward backwards, then the states forwards. sc: (N, n) of S c."""
    stages, n, _m = w.b.shape
    rows = w.rows.shape[1]
    ahead, here = w.v[0], w.v[1]
    for i in range(n):
        ahead[i] = 0.0
    for back in range(stages):
        k = stages - 1 - back
        for i in range(n):
            here[i] = ahead[i] + w.lin[k, i]
        if bounded:
            for row in range(rows):
                pull = w.rho[row] * (w.y[k, row] - w.z[k, row])
                if pull != 0.0:
                    for i in range(n):
                        here[i] += w.rows[k, row, i] * pull
        for i in range(n):
            here[i] += sc[k, i]
        g0 = w.rho[rows] * (w.y[k, rows] - w.z[k, rows]) if bounded else 0.0
        g1 = w.rho[rows + 1] * (w.y[k, rows + 1] - w.z[k, rows + 1]) if bounded else 0.0
        a0, a1 = g0, g1
        for i in range(n):
            a0 += w.b[k, i, 0] * here[i]
            a1 += w.b[k, i, 1] * here[i]
        w.grad[k, 0] = w.inverse[k, 0, 0] * a0 + w.inverse[k, 0, 1] * a1
        w.grad[k, 1] = w.inverse[k, 1, 0] * a0 + w.inverse[k, 1, 1] * a1
        for i in range(n):
            total = 0.0
            for j in range(n):
                total += w.closed[k, j, i] * here[j]
            ahead[i] = total - w.gain[k, 0, i] * g0 - w.gain[k, 1, i] * g1
    for k in range(stages):
        u0, u1 = -w.grad[k, 0], -w.grad[k, 1]
        for i in range(n):
            u0 -= w.gain[k, 0, i] * w.x[k, i]
            u1 -= w.gain[k, 1, i] * w.x[k, i]
        w.u[k, 0], w.u[k, 1] = u0, u1
        for i in range(n):
            total = w.c[k, i] + w.b[k, i, 0] * u0 + w.b[k, i, 1] * u1
            for j in range(n):
                total += w.a[k, i, j] * w.x[k, j]
            w.x[k + 1, i] = total


@kernel
def solve(w, sc, iterations, tolerance, bounded):
    """Solve from x[0]; the start is what z and y hold. Two inputs. Returns (iterations done, largest violation of a bound).

    sc: scratch (N, n). Stops when bounds hold within `tolerance` (in the rows' own units) and the copies have settled.
    """
    stages, n, m = w.b.shape
    rows = w.rows.shape[1]
    factorise(w, bounded, sc)
    worst = 0.0
    for done in range(iterations):
        _sweep(w, bounded, sc)
        worst = moved = 0.0
        for k in range(stages):
            for row in range(rows + m):
                if row < rows:
                    value, low, high = 0.0, w.low[k, row], w.high[k, row]
                    for i in range(n):
                        value += w.rows[k, row, i] * w.x[k + 1, i]
                else:
                    value, low, high = w.u[k, row - rows], w.u_low[k, row - rows], w.u_high[k, row - rows]
                worst = max(worst, max(low - value, value - high))
                copy = min(max(value + w.y[k, row], low), high)
                moved = max(moved, abs(copy - w.z[k, row]))
                w.y[k, row] += value - copy
                w.z[k, row] = copy
        if not bounded or (worst <= tolerance and moved <= tolerance):
            return done + 1, worst
    return iterations, worst


@kernel
def shift(w):
    """Move the bounded copies and multipliers one stage ahead: the start of the next problem."""
    stages, rows = w.z.shape
    for k in range(stages - 1):
        for row in range(rows):
            w.z[k, row] = w.z[k + 1, row]
            w.y[k, row] = w.y[k + 1, row]
