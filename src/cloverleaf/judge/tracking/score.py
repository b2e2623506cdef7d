"""From told objects or result files to the figures of one class: pairs of label and result sequences, cut by mean score."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from cloverleaf.car.perceive.kitti import Told
from cloverleaf.judge.tracking.kitti import Sequence

Pair = tuple[Sequence, Sequence]


def as_sequence(told: Iterable[Told]) -> Sequence:
    """What a tracker told, in the form that the evaluators take."""
    rows = list(told)
    zero = np.zeros(len(rows), np.int64)
    return Sequence(
        np.array([t.frame for t in rows], np.int64),
        np.array([t.track for t in rows], np.int64),
        zero,
        zero,
        np.array([t.image_box for t in rows]).reshape(-1, 4),
        np.array([t.body for t in rows]).reshape(-1, 7),
        np.array([t.score for t in rows], float),
    )


def cut(pairs: list[Pair], least: float) -> list[Pair]:
    """The same with only those tracks whose mean score is at least `least`."""
    kept = []
    for truth, result in pairs:
        _, track = np.unique(result.track, return_inverse=True)
        mean = np.bincount(track, result.score) / np.maximum(np.bincount(track), 1) if len(track) else np.zeros(0)
        keep = mean[track] >= least if len(track) else np.zeros(0, bool)
        kept.append((truth, Sequence._make(column[keep] for column in result)))
    return kept
