"""Recorded object detections in KITTI's camera frame: read them, track them, write KITTI tracking result files.

Detection line (comma or blank separated): frame, class (1 pedestrian, 2 car, 3 cyclist), image box x1 y1 x2 y2 (px), score, height, width,
length (m), x, y, z of the bottom centre in the rectified camera frame (m), rotation about y, alpha (rad). Tracking runs in a frame
x forward, y left, z up at the camera; without ego poses that frame moves with the car.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cloverleaf.car.perceive import tracks as T
from cloverleaf.car.perceive.camera import Camera, fit
from cloverleaf.car.perceive.tracker import Tracker
from cloverleaf.types.errors import InputError
from cloverleaf.types.state import F64

PERIOD = 0.1  # s
EDGE = 20.0  # px
LEAST_AHEAD = 4.0  # m
BODY = [T.X, T.Y, T.Z, T.HEADING, T.LENGTH, T.WIDTH, T.HEIGHT]
TUNINGS = {
    "Car": T.Tuning(score_middle=1.0, score_scale=1.5),
    "Pedestrian": T.Tuning(score_middle=1.0, score_scale=1.5),
    "Cyclist": T.Tuning(score_middle=2.0, score_scale=1.5),
}
"""For PointRCNN's scores (logits)."""
KINDS = {"Pedestrian": 1, "Car": 2, "Cyclist": 3}
COLUMNS = 15


class Recording(NamedTuple):
    """Detections of one class in one sequence, sorted by frame; n rows."""

    frame: F64  # (n,)
    detection: F64  # (n, DETECTION)
    image_box: F64  # (n, 4) px
    dropped: int  # lines left out because their numbers are not finite


class Told(NamedTuple):
    """One object of one frame that the tracker tells."""

    frame: int
    track: int
    image_box: tuple[float, float, float, float]
    body: tuple[float, ...]  # x, y, z, heading, length, width, height in the tracking frame
    score: float


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", file=path) from error


def read_detections(path: Path, kind: str) -> Recording:
    """Detections of class `kind`; lines of other classes are left out, lines with NaN or infinite numbers dropped and counted."""
    rows = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        fields = line.replace(",", " ").split()
        if not fields:
            continue
        if len(fields) != COLUMNS:
            raise InputError(f"{len(fields)} columns, not {COLUMNS}", file=path, line=number)
        try:
            rows.append([float(v) for v in fields])
        except ValueError as error:
            raise InputError(str(error), file=path, line=number) from error
    table = np.array(rows).reshape(-1, COLUMNS)
    good = np.isfinite(table).all(axis=1) & (table[:, 0] >= 0)
    mine = table[good & (table[:, 1] == KINDS[kind])]
    mine = mine[np.argsort(mine[:, 0], kind="stable")]
    detection = np.zeros((len(mine), T.DETECTION))
    h, w, length, x, y, z, ry = mine[:, 7:14].T
    detection[:, : T.D_SCORE] = np.stack([z, -x, -(y - 0.5 * h), -ry - 0.5 * math.pi, length, w, h], axis=1)
    detection[:, T.D_SCORE] = mine[:, 6]
    return Recording(mine[:, 0], detection, mine[:, 2:6], int((~good).sum()))


def fit_camera(recording: Recording) -> Camera:
    """The camera that took a recording, from its own pairs of image boxes and bodies."""
    return fit(recording.detection[:, : T.D_SCORE], recording.image_box)


def track_recording(recording: Recording, tuning: T.Tuning, frames: int, first_id: int = 1) -> Iterator[Told]:
    """Run one tracker over frames 0 .. frames - 1 and yield what it tells in each, causally.

    An object that was not detected in this frame is told where its track predicts it, unless its predicted image box reaches the left
    or right edge of the image or it is nearly beside the camera: it has then probably left the view.
    """
    tracker = Tracker(tuning)
    tracker.tracks.n[1] = first_id
    camera = fit_camera(recording)
    start = np.searchsorted(recording.frame, np.arange(frames))
    end = np.searchsorted(recording.frame, np.arange(frames), side="right")
    f, ints = tracker.tracks.f, tracker.tracks.i
    for number in range(frames):
        a = int(start[number])
        tracker.step(recording.detection[a : int(end[number])], number * PERIOD)
        for k in tracker.told():
            body = f[k, BODY]
            if ints[k, T.DETECTED] >= 0:
                box = recording.image_box[a + ints[k, T.DETECTED]]
            elif body[0] < LEAST_AHEAD:
                continue
            else:
                box = camera.image_boxes(body[None, :])[0]
                if box[0] < EDGE or box[2] > camera.width - EDGE:
                    continue
            x1, y1, x2, y2 = box.tolist()
            yield Told(number, int(ints[k, T.ID]), (x1, y1, x2, y2), tuple(body.tolist()), float(f[k, T.SCORE]))


def result_line(kind: str, told: Told) -> str:
    """One line of a KITTI tracking result file, with the score as last column."""
    x, y, z, heading, length, width, height = told.body
    ry = -heading - 0.5 * math.pi
    ry -= 2.0 * math.pi * math.floor((ry + math.pi) / (2.0 * math.pi))
    alpha = ry - math.atan2(-y, x)
    alpha -= 2.0 * math.pi * math.floor((alpha + math.pi) / (2.0 * math.pi))
    numbers = (alpha, *told.image_box, height, width, length, -y, 0.5 * height - z, x, ry, told.score)
    return f"{told.frame} {told.track} {kind} 0 0 " + " ".join(f"{v:.6f}" for v in numbers)


def find_recordings(folder: Path) -> dict[str, dict[str, Path]]:
    """Class -> sequence -> detection file: every `<class>/<seq>.txt[.gz]` in or below a folder, else `<seq>.txt[.gz]` in it."""
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(folder.rglob("*.txt*")):
        kind = {name.lower(): name for name in KINDS}.get(path.parent.name.lower())
        if kind is None or not path.name.endswith((".txt", ".txt.gz")):
            continue
        name = path.name.split(".")[0]
        if name in found.setdefault(kind, {}):
            raise InputError(f"{kind} {name} is there twice: also {found[kind][name]}", file=path)
        found[kind][name] = path
    if not found:
        # No folders of classes: the class column tells them apart.
        direct = {p.name.split(".")[0]: p for p in sorted(folder.glob("*.txt*")) if p.name.split(".")[0].isdigit()}
        found = {kind: direct for kind in KINDS if direct}
    if not found:
        raise InputError(
            "no detections found", file=folder, hint=f"expected <sequence>.txt or .txt.gz in {'/ '.join(KINDS)}/"
        )
    return found


def read_seqmap(path: Path) -> dict[str, int]:
    """Number of frames of each sequence: lines `name empty first frames`."""
    counts = {}
    for number, line in enumerate(_text(path).splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 4 or not (fields[2].isdigit() and fields[3].isdigit()):
            raise InputError("expected: name empty first frames", file=path, line=number)
        counts[fields[0]] = int(fields[3])
    return counts


def frames_of(recordings: Iterable[Recording], known: int) -> int:
    """Frames of a sequence: what the map says, or up to the last detection."""
    return max(known, *(int(r.frame[-1]) + 1 if len(r.frame) else 0 for r in recordings))


def write_results(path: Path, recordings: dict[str, Recording], frames: int, min_score: float | None = None) -> int:
    """Track every class of one sequence and write one result file, sorted by frame; returns the number of lines."""
    lines: list[tuple[int, str]] = []
    next_id = 1
    for kind, recording in recordings.items():
        told = list(track_recording(recording, TUNINGS[kind], frames, next_id))
        next_id = max([next_id, *(t.track + 1 for t in told)])
        if min_score is not None:
            scores: dict[int, list[float]] = {}
            for t in told:
                scores.setdefault(t.track, []).append(t.score)
            told = [t for t in told if sum(scores[t.track]) >= min_score * len(scores[t.track])]
        lines += [(t.frame, result_line(kind, t)) for t in told]
    lines.sort(key=lambda pair: pair[0])
    path.write_text("".join(f"{line}\n" for _, line in lines), encoding="utf-8")
    return len(lines)
