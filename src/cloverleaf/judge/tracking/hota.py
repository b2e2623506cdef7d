"""HOTA, DetA, AssA, MOTA, IDF1 of image boxes by KITTI's rules for two-dimensional tracking.

Luiten et al. 2021, "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking": HOTA_a = sqrt(DetA_a AssA_a), averaged over the
localisation thresholds a = 0.05, 0.10 ... 0.95. Results matched to neighbouring classes or hidden objects are taken out first, and
unmatched ones that are low or lie in DontCare areas; scores are not looked at, so state how results were cut.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from cloverleaf.judge.tracking.kitti import Sequence, image_overlap
from cloverleaf.types.state import F64, I64

ALPHAS = np.arange(0.05, 0.99, 0.05)
TINY = float(np.finfo(float).eps)
LEAST_HEIGHT = 25.0  # px


class Hota(NamedTuple):
    """Shares in 0..1, and identity switches at IoU 0.5."""

    hota: float
    deta: float
    assa: float
    loca: float
    mota: float
    idf1: float
    switches: int


class Cleaned(NamedTuple):
    """What counts in one frame: g objects, t results."""

    gt: I64
    result: I64
    overlap: F64  # (g, t)


def clean(truth: Sequence, result: Sequence) -> list[Cleaned]:
    """Frames with everything taken out that counts neither way."""
    frames = []
    for number in range(max([*truth.frame.tolist(), *result.frame.tolist()], default=-1) + 1):
        here = truth.frame == number
        g = np.flatnonzero(here & (truth.neighbour >= 0))
        area = np.flatnonzero(here & (truth.neighbour < 0))
        t = np.flatnonzero((result.frame == number) & (result.neighbour == 0))
        overlap = image_overlap(truth.image_box[g], result.image_box[t])
        score = np.where(overlap < 0.5 - TINY, 0.0, overlap)
        rows, columns = linear_sum_assignment(-score)
        good = score[rows, columns] > TINY
        rows, columns = rows[good], columns[good]
        other = (truth.neighbour[g] == 1) | (truth.hidden[g] == 1)
        out = np.zeros(len(t), bool)
        out[columns[other[rows]]] = True
        free = np.ones(len(t), bool)
        free[columns] = False
        box = result.image_box[t]
        low = box[:, 3] - box[:, 1] <= LEAST_HEIGHT + TINY
        inside = (image_overlap(box, truth.image_box[area], of_first=True) > 0.5 + TINY).any(axis=1)
        out |= free & (low | inside)
        frames.append(Cleaned(truth.track[g[~other]], result.track[t[~out]], overlap[~other][:, ~out]))
    return frames


def _numbered(frames: list[Cleaned]) -> tuple[list[Cleaned], int, int]:
    """The same frames with identities 0, 1, 2 ...; how many objects and tracks there are."""
    gts = {k: i for i, k in enumerate(sorted({int(v) for f in frames for v in f.gt}))}
    results = {k: i for i, k in enumerate(sorted({int(v) for f in frames for v in f.result}))}
    renamed = [
        f._replace(
            gt=np.array([gts[int(v)] for v in f.gt], np.int64),
            result=np.array([results[int(v)] for v in f.result], np.int64),
        )
        for f in frames
    ]
    return renamed, len(gts), len(results)


def _alignment(frames: list[Cleaned], n: int, m: int) -> tuple[F64, F64, F64]:
    """Jaccard alignment of every object with every track over the sequence, and their frame counts."""
    potential, of_gt, of_result = np.zeros((n, m)), np.zeros(n), np.zeros(m)
    for f in frames:
        of_gt[f.gt] += 1
        of_result[f.result] += 1
        if len(f.gt) and len(f.result):
            whole = f.overlap.sum(0)[None, :] + f.overlap.sum(1)[:, None] - f.overlap
            share = np.divide(f.overlap, whole, out=np.zeros_like(f.overlap), where=whole > TINY)
            potential[f.gt[:, None], f.result[None, :]] += share
    return potential / np.maximum(of_gt[:, None] + of_result[None, :] - potential, TINY), of_gt, of_result


def _identity(frames: list[Cleaned], n: int, m: int, of_gt: F64, of_result: F64) -> int:
    """IDTP: frames explained by the best one-to-one map of objects to tracks (Ristani et al. 2016)."""
    near = np.zeros((n, m))
    for f in frames:
        rows, columns = np.nonzero(f.overlap >= 0.5 - TINY)
        np.add.at(near, (f.gt[rows], f.result[columns]), 1)
    cost = np.zeros((n + m, n + m))
    cost[:n, m:] = cost[n:, :m] = 1e10
    cost[:n, :m] = of_gt[:, None] + of_result[None, :] - 2 * near
    cost[np.arange(n), m + np.arange(n)] = of_gt
    cost[n + np.arange(m), np.arange(m)] = of_result
    rows, columns = linear_sum_assignment(cost)
    real = (rows < n) & (columns < m)
    return int(near[rows[real], columns[real]].sum())


def _clear(frames: list[Cleaned], n: int) -> tuple[int, int]:
    """(matches, identity switches) at IoU 0.5, keeping the identities of the frame before where that is possible."""
    before = np.full(n, -1)
    ever = np.full(n, -1)
    matches = switches = 0
    for f in frames:
        if len(f.gt) == 0 or len(f.result) == 0:
            before[:] = -1
            continue
        score = 1000.0 * (f.result[None, :] == before[f.gt][:, None]) + f.overlap
        score[f.overlap < 0.5 - TINY] = 0.0
        rows, columns = linear_sum_assignment(-score)
        good = score[rows, columns] > TINY
        gt, track = f.gt[rows[good]], f.result[columns[good]]
        switches += int(((ever[gt] >= 0) & (ever[gt] != track)).sum())
        ever[gt] = track
        before[:] = -1
        before[gt] = track
        matches += len(gt)
    return matches, switches


def evaluate_hota(pairs: list[tuple[Sequence, Sequence]]) -> Hota:
    """HOTA and its kin over all (truth, result) sequences of one class."""
    k = len(ALPHAS)
    tp, fn, fp, association, place = np.zeros(k), np.zeros(k), np.zeros(k), np.zeros(k), np.zeros(k)
    objects = results = identity = matches = switches = 0
    for truth, result in pairs:
        frames, n, m = _numbered(clean(truth, result))
        alignment, of_gt, of_result = _alignment(frames, n, m)
        objects, results = objects + int(of_gt.sum()), results + int(of_result.sum())
        together = np.zeros((k, n, m))
        for f in frames:
            found = np.zeros(k)
            if len(f.gt) and len(f.result):
                rows, columns = linear_sum_assignment(-alignment[f.gt[:, None], f.result[None, :]] * f.overlap)
                value = f.overlap[rows, columns]
                for a, alpha in enumerate(ALPHAS):
                    good = value >= alpha - TINY
                    found[a] = good.sum()
                    place[a] += value[good].sum()
                    together[a, f.gt[rows[good]], f.result[columns[good]]] += 1
            tp += found
            fn += len(f.gt) - found
            fp += len(f.result) - found
        union = np.maximum(1.0, of_gt[:, None] + of_result[None, :] - together)
        association += (together * together / union).sum(axis=(1, 2))
        identity += _identity(frames, n, m, of_gt, of_result)
        m1, s1 = _clear(frames, n)
        matches, switches = matches + m1, switches + s1
    deta = tp / np.maximum(1.0, tp + fn + fp)
    assa = association / np.maximum(1.0, tp)
    mota = (matches - (results - matches) - switches) / max(objects, 1)
    return Hota(
        float(np.sqrt(deta * assa).mean()), float(deta.mean()), float(assa.mean()),
        float((np.maximum(place, 1e-10) / np.maximum(tp, 1e-10)).mean()),
        mota, 2 * identity / max(objects + results, 1), switches,
    )  # fmt: skip
