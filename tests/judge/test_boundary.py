"""Boundary search on a grid with a known boundary."""

from types import SimpleNamespace

import numpy as np

from cloverleaf.judge.boundary import pool_of, report, search


class Grid(SimpleNamespace):
    """A logical scenario of 40 x 50 x 2 cases."""

    count = 4000

    def cases(self, rows):
        return {
            "speed": (rows // 100).astype(float),
            "gap": (rows // 2 % 50).astype(float),
            "kind": np.where(rows % 2 == 0, "car", "truck"),
        }


def fails(rows):
    case = Grid().cases(rows)
    return case["gap"] < 0.8 * case["speed"] - 6.0


def ran(most):
    calls = []

    def judge(rows):
        calls.append(len(rows))
        return fails(rows)

    pool = pool_of(Grid())
    return pool, search(pool, judge, lambda: sum(calls) < most, 16), calls


def test_the_search_goes_to_the_boundary():
    pool, found, _ = ran(400)
    case = Grid().cases(pool.rows[found.run[64:]])
    distance = np.abs(case["gap"] - (0.8 * case["speed"] - 6.0))
    anywhere = Grid().cases(np.arange(4000))
    assert np.median(distance) < 0.4 * np.median(np.abs(anywhere["gap"] - (0.8 * anywhere["speed"] - 6.0)))
    assert len(np.unique(found.run)) == len(found.run) and found.out_of_time


def test_the_report_names_boundary_and_the_region_not_looked_at():
    pool, found, _ = ran(400)
    told = report(Grid(), pool, found)
    assert told["cases_run"] == len(found.run) and told["not_looked_at"]["cases"] == 4000 - len(found.run)
    for pair in [p for p in told["boundary"] if p["parameter"] == "gap"][:20]:
        edge = 0.8 * float(pair["others"]["speed"]) - 6.0
        assert float(pair["fails_at"]) < edge <= float(pair["passes_at"])
    assert told["boundary"][0]["steps_apart"] == 1
    assert told["not_looked_at"]["largest_holes"][0]["distance"] > 0


def test_with_time_for_all_nothing_is_left_out():
    pool, found, calls = ran(10**9)
    assert sorted(found.run) == list(range(4000)) and not found.out_of_time and sum(calls) == 4000
    assert found.failed.sum() == fails(np.arange(4000)).sum()
    assert report(Grid(), pool, found)["not_looked_at"]["largest_holes"] == []


def test_the_same_search_twice():
    assert np.array_equal(ran(300)[1].run, ran(300)[1].run)
