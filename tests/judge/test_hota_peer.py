"""HOTA and its kin against TrackEval, the public evaluator, on made-up sequences (its Python: CLOVERLEAF_TRACKEVAL_PYTHON)."""

import numpy as np
import pytest

from cloverleaf.cli.peers import find_peer, run_peer
from cloverleaf.judge.tracking.hota import evaluate_hota
from cloverleaf.judge.tracking.kitti import read_objects

PYTHON = find_peer("trackeval", "CLOVERLEAF_TRACKEVAL_PYTHON")
PEER = """
np.float, np.int = float, int
import contextlib, io
import trackeval
root = str(inputs['root'])
quiet = {'PRINT_CONFIG': False}
with contextlib.redirect_stdout(io.StringIO()):
    data = trackeval.datasets.Kitti2DBox({'GT_FOLDER': root + '/gt', 'TRACKERS_FOLDER': root + '/tr', 'CLASSES_TO_EVAL': ['car'], **quiet})
    keys = ('PRINT_RESULTS', 'TIME_PROGRESS', 'OUTPUT_SUMMARY', 'OUTPUT_DETAILED', 'PLOT_CURVES', 'OUTPUT_EMPTY_CLASSES')
    judge = trackeval.Evaluator({**dict.fromkeys(keys, False), **quiet})
    m = trackeval.metrics
    found, _ = judge.evaluate([data], [m.HOTA(), m.CLEAR(quiet), m.Identity(quiet)])
x = found['Kitti2DBox']['T']['COMBINED_SEQ']['car']
h = x['HOTA']
outputs['figures'] = np.array([h['HOTA'].mean(), h['DetA'].mean(), h['AssA'].mean(), h['LocA'].mean(), x['CLEAR']['MOTA'],
                               x['Identity']['IDF1'], x['CLEAR']['IDSW']])
"""


def write_sequence(r, label, result):
    """Cars, vans and areas that do not count; results with misses, false ones, changed names and shaken boxes."""
    truth, told = [], []
    box = r.uniform([50, 100], [1100, 250], (8, 2))
    size = r.uniform([20, 15], [120, 90], (8, 2))
    speed = r.normal(0, 4, (8, 2))
    names = {t: t for t in range(8)}
    for f in range(30):
        box += speed
        for t in range(8):
            kind = "Van" if t == 7 else "Car"
            occluded = 3 if (t == 6 and f > 20) else 0
            a, b = box[t], box[t] + size[t]
            rest = "1.5 1.6 4.0 1.0 1.6 20.0 0.1"
            truth.append(f"{f} {t} {kind} 0 {occluded} 0.0 {a[0]:.2f} {a[1]:.2f} {b[0]:.2f} {b[1]:.2f} {rest}")
            if r.random() < 0.05:
                names[t] = 100 * (f + 1) + t
            if r.random() < 0.85:
                a2, b2 = a + r.normal(0, 3, 2), b + r.normal(0, 3, 2)
                told.append(
                    f"{f} {names[t]} Car 0 0 0.0 {a2[0]:.2f} {a2[1]:.2f} {b2[0]:.2f} {b2[1]:.2f} {rest} {r.random():.3f}"
                )
        truth.append(f"{f} -1 DontCare -1 -1 -10 600.0 100.0 700.0 200.0 -1 -1 -1 -1000 -1000 -1000 -10")
        for k in range(r.integers(0, 3)):
            a = r.uniform([50, 100], [1100, 250])
            told.append(
                f"{f} {9000 + 10 * f + k} Car 0 0 0.0 {a[0]:.2f} {a[1]:.2f} {a[0] + 50:.2f} {a[1] + 40:.2f} {rest} 0.5"
            )
    label.write_text("\n".join(truth) + "\n")
    result.write_text("\n".join(told) + "\n")


@pytest.mark.skipif(
    PYTHON is None, reason="TrackEval is not installed: CLOVERLEAF_TRACKEVAL_PYTHON may name a Python with it"
)
def test_equals_trackeval(tmp_path):
    r = np.random.default_rng(7)
    (tmp_path / "gt" / "label_02").mkdir(parents=True)
    (tmp_path / "tr" / "T" / "data").mkdir(parents=True)
    lines, pairs = [], []
    for name in ("0000", "0001"):
        label, result = tmp_path / "gt" / "label_02" / f"{name}.txt", tmp_path / "tr" / "T" / "data" / f"{name}.txt"
        write_sequence(r, label, result)
        lines.append(f"{name} empty 000000 000030")
        pairs.append((read_objects(label, "Car"), read_objects(result, "Car", result=True)))
    (tmp_path / "gt" / "evaluate_tracking.seqmap.training").write_text("\n".join(lines) + "\n")
    theirs = run_peer(PYTHON, PEER, {"root": str(tmp_path)})["figures"]
    assert np.array(evaluate_hota(pairs)) == pytest.approx(theirs, abs=1e-12)
    assert 0.3 < theirs[0] < 0.95
