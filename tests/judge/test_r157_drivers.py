"""Verdicts of the R157 reference drivers against the published tool's grids, and the properties that must hold anywhere."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from cloverleaf.judge.r157.drivers import ReferenceDriver
from cloverleaf.judge.r157.suite import FAMILIES, evaluate
from cloverleaf.types.errors import StudyError

SHARED = Path(__file__).parents[3] / "shared" / "r157"
MODELS = {"CC_human_driver": ReferenceDriver.CC_HUMAN, "FSM": ReferenceDriver.FSM, "RSS": ReferenceDriver.RSS,
          "Reg157": ReferenceDriver.REG157}  # fmt: skip
GRID_SIZES = {"cut_in_high_speed": 14_040, "cut_in_low_speed": 15_930, "cut_out": 5_850, "car_following": 1_121}


def oracle(family, model):
    path = SHARED / f"{family}.csv.gz"
    if not path.exists():
        pytest.skip("the published grids are not beside the checkout")
    with gzip.open(path, "rt") as file:
        rows = [r for r in csv.DictReader(file) if r["model"] == model]
    return {k: np.array([float(r[k] or "nan") for r in rows]) for k in rows[0] if k != "model"}


DEFINED = [(f, m) for f in FAMILIES for m in MODELS if MODELS[m] in FAMILIES[f].drivers]


@pytest.mark.parametrize(("family", "model"), DEFINED)
def test_every_verdict_and_measure_of_the_grid(family, model):
    driver = MODELS[model]
    want = oracle(family, model)
    got = evaluate(family, driver, want)
    for key in {"crash", "crash_type", "crash_of_lead"} & got.keys():
        assert np.array_equal(got[key], want[key]), key
    for key in {"min_ttc_s", "initial_distance_m", "speed_difference_at_impact", "pfs", "cfs"} & got.keys():
        scale = np.maximum(1.0, np.abs(want[key]))
        assert np.nanmax(np.abs(got[key] - want[key]) / scale) < 1e-5, key
    quick = evaluate(family, driver, want, full=False)
    assert np.array_equal(quick["crash"], got["crash"]), "leaving early must not change a verdict"


@pytest.mark.parametrize("family", FAMILIES)
def test_full_grids_have_the_published_size(family):
    grid = FAMILIES[family].grid()
    assert {len(c) for c in grid.values()} == {GRID_SIZES[family]}
    assert tuple(grid) == FAMILIES[family].parameters


def test_no_lateral_motion_no_crash():
    cases = FAMILIES["cut_in_low_speed"].grid()
    still = {k: v[cases["lat_vel_mps"] == 0] for k, v in cases.items()}
    for driver in ReferenceDriver:
        assert not evaluate("cut_in_low_speed", driver, still)["crash"].any()


def test_unknown_family_and_missing_column_are_refused():
    with pytest.raises(StudyError, match="unknown R157 family"):
        evaluate("cut_inn", ReferenceDriver.FSM, {})
    with pytest.raises(StudyError, match="lack the column"):
        evaluate("cut_out", ReferenceDriver.FSM, {"speed_kmh": np.ones(1)})
    with pytest.raises(StudyError, match="not defined"):
        evaluate("cut_out", ReferenceDriver.REG157, dict.fromkeys(FAMILIES["cut_out"].parameters, np.ones(1)))


PUBLISHED_CRASHES = {
    "cut_in_high_speed": (3552, 1649, 1491, 2869),
    "cut_in_low_speed": (3728, 901, 880, 2252),
    "cut_out": (848, 980, 936),
    "car_following": (0, 0, 21),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_leaving_early_keeps_every_verdict_of_the_full_grid(family):
    grid = FAMILIES[family].grid()
    for driver, crashes in zip(FAMILIES[family].drivers, PUBLISHED_CRASHES[family]):
        whole, quick = (evaluate(family, driver, grid, full) for full in (True, False))
        for key in {"crash", "crash_type", "crash_of_lead", "speed_difference_at_impact"} & whole.keys():
            assert np.array_equal(whole[key], quick[key]), (driver.name, key)
        assert whole["crash"].sum() == crashes
