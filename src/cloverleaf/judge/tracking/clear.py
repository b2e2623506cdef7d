"""CLEAR MOT over all recall levels: sAMOTA, AMOTA and the best MOTA of a tracker on KITTI sequences.

Protocol of Weng et al. 2020, "3D Multi-Object Tracking: A Baseline and New Evaluation Metrics": tracks are cut by their mean score at 40
recall levels r; at each, sMOTA = min(1, max(0, 1 - (FP + FN + IDS - (1 - r) n) / (r n))). Objects are matched in every frame anew by
the sum of 3D IoU, at or above a least IoU. Neighbouring classes, hidden objects, low boxes and DontCare areas count neither way.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from cloverleaf.algo.overlap import iou_table
from cloverleaf.judge.tracking.kitti import Sequence, image_overlap
from cloverleaf.types.state import F64, I64

LEVELS = 40
LEAST_HEIGHT = 25.0  # px
FAR = 1e9


class Clear(NamedTuple):
    """Counts at one score threshold."""

    mota: float
    motp: float
    switches: int
    fragments: int
    false: int
    missed: int
    matched: int
    objects: int
    threshold: float


class Averages(NamedTuple):
    """Means over the recall levels, and the counts at the threshold of best MOTA."""

    samota: float
    amota: float
    amotp: float
    best: Clear


class Frame(NamedTuple):
    """One frame, ready to be matched at any threshold: g objects, t results."""

    gt: I64  # (g,) index of the trajectory
    ignored: I64  # (g,) 1: does not count
    result: I64  # (t,) index of the track
    cost: F64  # (g, t) 1 - IoU, FAR below the least
    discounted: I64  # (t,) 1: does not count as false if unmatched


def prepare(truth: Sequence, result: Sequence, least_iou: float) -> tuple[list[Frame], F64, int]:
    """Frames of one sequence, the mean score of each track, and the number of trajectories."""
    real = truth.neighbour >= 0
    _, trajectory = np.unique(truth.track[real], return_inverse=True)
    tracks, track = np.unique(result.track, return_inverse=True)
    score = np.bincount(track, result.score, len(tracks)) / np.maximum(np.bincount(track, minlength=len(tracks)), 1)
    frames = []
    last = max([*truth.frame.tolist(), *result.frame.tolist()], default=-1)
    where = np.flatnonzero(real)
    for number in range(last + 1):
        at = (truth.frame[where] == number).nonzero()[0]
        g, t = where[at], np.flatnonzero(result.frame == number)
        area = np.flatnonzero((truth.frame == number) & ~real)
        cost = 1.0 - iou_table(truth.body[g], result.body[t])
        cost[cost > 1.0 - least_iou] = FAR
        box = result.image_box[t]
        aside = (abs(box[:, 3] - box[:, 1]) <= LEAST_HEIGHT) | (result.neighbour[t] == 1)
        if len(area) and len(t):
            aside |= (image_overlap(box, truth.image_box[area], of_first=True) > 0.5).any(axis=1)
        ignored = ((truth.neighbour[g] == 1) | (truth.hidden[g] == 1)).astype(np.int64)
        frames.append(Frame(trajectory[at], ignored, track[t], cost, aside.astype(np.int64)))
    return frames, score, int(trajectory.max()) + 1 if len(trajectory) else 0


def switches_and_fragments(tracks: list[int], ignored: list[int]) -> tuple[int, int]:
    """Identity switches and fragments of one trajectory: its track per frame (-1 none), and 1 where it does not count."""
    switches = fragments = 0
    if all(ignored) or all(t < 0 for t in tracks):
        return 0, 0
    last = tracks[0]
    for f in range(1, len(tracks)):
        if ignored[f]:
            last = -1
            continue
        if last != tracks[f] and last >= 0 and tracks[f] >= 0 and tracks[f - 1] >= 0:
            switches += 1
        end = f == len(tracks) - 1
        if tracks[f - 1] != tracks[f] and last >= 0 and tracks[f] >= 0 and (end or tracks[f + 1] >= 0):
            fragments += 1
        if tracks[f] >= 0:
            last = tracks[f]
    return switches, fragments


def count(sequences: list[tuple[list[Frame], F64, int]], threshold: float) -> tuple[Clear, list[float], int]:
    """Counts with all tracks of mean score >= threshold; also the scores of matched results and matched + missed."""
    tp = fp = fn = objects = ignored_tp = switches = fragments = 0
    quality, scores = 0.0, []
    for frames, score, trajectories in sequences:
        history: list[list[int]] = [[] for _ in range(trajectories)]
        skip: list[list[int]] = [[] for _ in range(trajectories)]
        for frame in frames:
            kept = np.flatnonzero(score[frame.result] >= threshold)
            cost = frame.cost[:, kept]
            rows, columns = linear_sum_assignment(cost)
            to = np.full(len(frame.gt), -1)
            good = cost[rows, columns] < FAR
            rows, columns = rows[good], columns[good]
            to[rows] = columns
            matched = np.zeros(len(kept), bool)
            matched[columns] = True
            quality += float((1.0 - cost[rows, columns]).sum())
            scores += score[frame.result[kept[columns]]].tolist()
            hidden = frame.ignored == 1
            tp += len(rows)
            ignored_tp += int(hidden[rows].sum())
            fn += int(((to < 0) & ~hidden).sum())
            objects += int((~hidden).sum())
            fp += int((~matched & (frame.discounted[kept] == 0)).sum())
            for g, target in enumerate(frame.gt):
                history[target].append(int(frame.result[kept[to[g]]]) if to[g] >= 0 else -1)
                skip[target].append(int(hidden[g]))
        for line, ignored in zip(history, skip, strict=True):
            s, f = switches_and_fragments(line, ignored)
            switches, fragments = switches + s, fragments + f
    mota = 1.0 - (fn + fp + switches) / objects if objects else -np.inf
    row = Clear(mota, quality / tp if tp else 0.0, switches, fragments, fp, fn, tp, objects, threshold)
    return row, scores, tp + fn


def thresholds(scores: list[float], total: int) -> tuple[list[float], list[float]]:
    """Scores at which recall reaches 1/40, 2/40, ...: (thresholds, recalls)."""
    ordered = sorted(scores, reverse=True)
    current, cuts, recalls = 0.0, [], []
    for i, score in enumerate(ordered):
        left = (i + 1) / total
        last = i == len(ordered) - 1
        right = left if last else (i + 2) / total
        if right - current < current - left and not last:
            continue
        cuts.append(score)
        recalls.append(current)
        current += 1.0 / LEVELS
    return cuts[1:], recalls[1:]


def evaluate_clear(pairs: list[tuple[Sequence, Sequence]], least_iou: float = 0.25) -> Averages:
    """sAMOTA, AMOTA, AMOTP and the best MOTA of (truth, result) sequences of one class."""
    sequences = [prepare(truth, result, least_iou) for truth, result in pairs]
    best, scores, total = count(sequences, -np.inf)
    samota = amota = amotp = 0.0
    cuts, recalls = thresholds(scores, total) if total else ([], [])
    found = None
    for cut, recall in zip(cuts, recalls, strict=True):
        row, _, _ = count(sequences, cut)
        wrong = row.missed + row.false + row.switches
        samota += min(1.0, max(0.0, 1.0 - (wrong - (1.0 - recall) * row.objects) / (recall * row.objects)))
        amota += row.mota
        amotp += row.motp
        if row.mota > (found.mota if found else 0.0):
            found = row
    return Averages(samota / LEVELS, amota / LEVELS, amotp / LEVELS, found or best)
