"""Tune the tracker by cross-validation: for every sequence, the tuning that is best on all the others is judged on it.

    python tools/tracking/cross_validate.py DIR [--kind Car]

DIR holds `det_pointrcnn/<class>/<seq>.txt[.gz]`, `label/<seq>.txt[.gz]` and `seqmap.txt`. A tuning's worth on its
training sequences is HOTA plus MOTA of tracks with mean score >= 3.24. Printed: the choice per fold, and the figures of
all held-out results together.
"""

import argparse
import itertools
from collections import Counter
from pathlib import Path

from cloverleaf.car.perceive.kitti import TUNINGS, read_detections, read_seqmap, track_recording
from cloverleaf.car.perceive.tracks import Tuning
from cloverleaf.judge.tracking.clear import evaluate_clear
from cloverleaf.judge.tracking.hota import evaluate_hota
from cloverleaf.judge.tracking.kitti import find_sequences, read_objects
from cloverleaf.judge.tracking.score import as_sequence, cut

CUT = 3.24
GRID = {
    "score_middle": (0.5, 1.0, 2.0),
    "sigma": (0.1, 0.15, 0.25),
    "miss": (0.35, 0.5, 1.0),
    "overlap_weight": (0.5, 0.7),
}

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=Path)
parser.add_argument("--kind", default="Car", choices=sorted(TUNINGS))
arguments = parser.parse_args()
frames = read_seqmap(arguments.folder / "seqmap.txt")
found = find_sequences(arguments.folder / "det_pointrcnn" / arguments.kind)
labels = find_sequences(arguments.folder / "label")
recordings = {s: read_detections(path, arguments.kind) for s, path in found.items()}
truths = {s: read_objects(labels[s], arguments.kind) for s in found}

tunings = []
for values in itertools.product(*GRID.values()):
    tunings.append(Tuning(**{"score_scale": 1.5, **dict(zip(GRID, values, strict=True))}))
results = [
    {s: as_sequence(track_recording(recordings[s], tuning, frames[s])) for s in recordings} for tuning in tunings
]


def worth(row: dict, sequences: list[str]) -> float:
    figures = evaluate_hota(cut([(truths[s], row[s]) for s in sequences], CUT))
    return figures.hota + figures.mota


held_out, chosen = [], Counter()
for left in recordings:
    others = [s for s in recordings if s != left]
    best = max(range(len(tunings)), key=lambda k: worth(results[k], others))
    chosen[best] += 1
    held_out.append((truths[left], results[best][left]))
    print(left, {name: getattr(tunings[best], name) for name in GRID}, flush=True)
averages, image = evaluate_clear(held_out), evaluate_hota(cut(held_out, CUT))
print(f"held out: sAMOTA {averages.samota:.4f}  MOTA {averages.best.mota:.4f}  HOTA (score >= {CUT}) {image.hota:.4f}")
best = max(range(len(tunings)), key=lambda k: worth(results[k], list(recordings)))
print("best on all:", {name: getattr(tunings[best], name) for name in GRID})
