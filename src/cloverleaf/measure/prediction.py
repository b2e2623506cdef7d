"""How good multi-modal motion predictions are: minADE, minFDE, miss rate, Brier-minFDE and calibration.

minADE_k, minFDE_k and miss rate (2 m at the end) as in nuScenes and Argoverse (Caesar et al. 2020; Wilson et al. 2021), over the k most
probable modes; Brier-minFDE adds (1 - p)^2 of the best mode. Calibration error: mean distance between the probability of modes and the
share of cases in which they came nearest, by bins of probability, weighted by their numbers (Guo et al. 2017).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.types.state import F64

MISS = 2.0  # m
BINS = 10


class PredictionScore(NamedTuple):
    """Means over cases; m, shares."""

    cases: int
    min_ade_1: float  # of the most probable mode
    min_fde_1: float
    miss_rate_1: float
    min_ade_k: float  # of the best of k modes
    min_fde_k: float
    miss_rate_k: float
    brier_min_fde: float
    calibration_error: float


def mode_errors(modes: F64, truth: F64) -> F64:
    """Distances (n, m, t) m of modes (n, m, t, 2) from truth (n, t, 2)."""
    return np.asarray(np.hypot(*np.moveaxis(modes - truth[:, None], -1, 0)))


def calibration_error(probability: F64, won: np.ndarray) -> float:
    """Expected calibration error of probabilities (n,) of events that happened or not, `won` (n,) bool."""
    if not len(probability):
        return 0.0
    bin_of = np.minimum((probability * BINS).astype(np.int64), BINS - 1)
    count = np.bincount(bin_of, minlength=BINS)
    gap = np.abs(np.bincount(bin_of, probability, BINS) - np.bincount(bin_of, won.astype(float), BINS))
    return float(gap.sum() / count.sum())


def score_predictions(modes: F64, probability: F64, truth: F64, k: int = 6) -> PredictionScore:
    """Score predictions of n cases.

    modes: (n, m, t, 2) m, ENU, NaN for absent modes. probability: (n, m), 0 for absent modes. truth: (n, t, 2).
    """
    n, m = probability.shape
    if not n:
        return PredictionScore(0, *[float("nan")] * 8)
    order = np.argsort(-probability, axis=1, kind="stable")[:, : min(k, m)]
    row = np.arange(n)[:, None]
    p = probability[row, order]
    error = mode_errors(modes[row, order], truth)
    absent = ~np.isfinite(error).all(axis=2) | (p <= 0.0)
    ade, fde = error.mean(axis=2), error[:, :, -1]
    ade[absent], fde[absent] = np.inf, np.inf
    best = fde.argmin(axis=1)
    first = np.arange(n)
    there = ~absent
    nearest = np.zeros_like(there)
    nearest[first, best] = True
    return PredictionScore(
        n,
        float(ade[:, 0].mean()),
        float(fde[:, 0].mean()),
        float((fde[:, 0] > MISS).mean()),
        float(ade.min(axis=1).mean()),
        float(fde.min(axis=1).mean()),
        float((fde.min(axis=1) > MISS).mean()),
        float((fde[first, best] + (1.0 - p[first, best]) ** 2).mean()),
        calibration_error(p[there], nearest[there]),
    )
