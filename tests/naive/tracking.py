"""Slow, obvious twins of the filters and the assignment: matrices instead of scalars, sorting instead of rounds."""

import numpy as np


def predict(covariance, sigma, dt):
    """Covariance of (position, speed) after dt under white acceleration."""
    f = np.array([[1.0, dt], [0.0, 1.0]])
    g = np.array([[0.5 * dt * dt], [dt]])
    return f @ covariance @ f.T + g @ g.T * sigma**2


def update(covariance, variance):
    """(gain, covariance) after measuring the position."""
    h = np.array([[1.0, 0.0]])
    s = h @ covariance @ h.T + variance
    gain = covariance @ h.T / s
    return gain[:, 0], (np.eye(2) - gain @ h) @ covariance


def intersection(p, q, steps=2000):
    """Covariance intersection of covariances p, q: the weight of least trace by trying many."""
    best = None
    for w in np.linspace(0.0, 1.0, steps + 1)[1:-1]:
        c = np.linalg.inv(w * np.linalg.inv(p) + (1 - w) * np.linalg.inv(q))
        if best is None or np.trace(c) < np.trace(best):
            best = c
    return best


def greedy(cost, gate):
    """Pairs by increasing cost below the gate."""
    order = sorted((cost[r, c], r, c) for r in range(cost.shape[0]) for c in range(cost.shape[1]) if cost[r, c] < gate)
    rows, columns = {}, {}
    for _, r, c in order:
        if r not in rows and c not in columns:
            rows[r], columns[c] = c, r
    return rows
