"""Sweeps on Ray: the same bits as here. Skips without ray, which is an extra."""

import numpy as np
import pytest
from cut_in import write_suite

from cloverleaf.judge import sweep
from cloverleaf.judge.campaign import choose, judge_all
from cloverleaf.judge.suite import discover
from cloverleaf.judge.sweep import Setting

ray = pytest.importorskip("ray", reason="ray is not installed: pip install 'cloverleaf[ray]'")


@pytest.fixture
def cluster():
    context = ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    yield context.address_info["address"]
    ray.shutdown()


def test_jobs_on_ray_give_the_same_bits(tmp_path, monkeypatch, cluster):
    monkeypatch.setattr(sweep, "JOB", 8)
    chosen = choose(discover([write_suite(tmp_path)]), None)
    here = judge_all(chosen, Setting("acc_aeb", 0.02))[0]
    there = judge_all(chosen, Setting("acc_aeb", 0.02), f"ray://{cluster}")[0]
    for name, values in here.measures.items():
        assert np.array_equal(values, there.measures[name], equal_nan=values.dtype.kind == "f"), name
