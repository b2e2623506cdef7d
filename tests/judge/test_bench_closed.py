"""The long closed-loop bench goes on where it was stopped: a run is kept whole, and only for the study and the code it came from."""

import numpy as np

from cloverleaf.cli import bench_closed
from cloverleaf.study.config import Study


def test_a_run_is_made_once_and_kept(tmp_path, monkeypatch):
    made = []

    def one_run(name, study, seed):
        made.append((name, seed))
        return name, seed, np.arange(10.0) + 0.1 * seed, [f"fault of {name}"]

    monkeypatch.setattr(bench_closed, "one_run", one_run)
    study = Study(duration_s=60.0, seeds=(1,))
    first = bench_closed.kept_run(tmp_path, "district", study, 3)
    again = bench_closed.kept_run(tmp_path, "district", study, 3)
    assert made == [("district", 3)]
    assert again[:2] == first[:2] and (again[2] == first[2]).all() and again[3] == first[3] == ["fault of district"]
    bench_closed.kept_run(tmp_path, "district", study, 4)
    bench_closed.kept_run(tmp_path, "district", study.model_copy(update={"duration_s": 61.0}), 3)
    assert len(made) == 3 and len(list(tmp_path.glob("*.json"))) == 3 and not list(tmp_path.glob("*.part"))


def test_a_run_that_was_cut_off_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(bench_closed, "one_run", lambda name, study, seed: (name, seed, np.ones(10), []))
    study = Study(duration_s=60.0, seeds=(1,))
    bench_closed.kept_run(tmp_path, "district", study, 1)
    (file,) = tmp_path.glob("*.json")
    file.rename(file.with_suffix(".part"))  # as an interrupted writer leaves it
    assert (bench_closed.kept_run(tmp_path, "district", study, 1)[2] == 1.0).all()


def test_code_that_changed_begins_anew(tmp_path, monkeypatch):
    (tmp_path / "a.py").write_text("x = 1")
    monkeypatch.setattr(bench_closed, "PACKAGE_ROOT", tmp_path)
    study = Study(duration_s=60.0, seeds=(1,))
    before = bench_closed.stamp(study)
    assert bench_closed.stamp(study) == before
    (tmp_path / "a.py").write_text("x = 2")
    assert bench_closed.stamp(study) != before
