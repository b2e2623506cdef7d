"""The lane camera: small errors that last, no markings in junctions, the same draws for the same car."""

import numpy as np

from cloverleaf.map.district import load_district
from cloverleaf.types.state import empty_actors
from cloverleaf.world.sensing_lane import LaneCameras, LaneErrors

ERRORS = LaneErrors()


def looks(seed=1, errors=ERRORS, count=400):
    """(count, 2) offsets seen by two cars, 0.3 m left and 0.4 m right, the second one in a junction in the second half."""
    base_map, _ = load_district()
    g = base_map.graph
    inside = g.edge_internal[g.lane_edge] == 1
    plain, internal = int(np.flatnonzero(~inside)[5]), int(np.flatnonzero(inside)[0])
    actors = empty_actors(8)
    rows = np.array([2, 5], np.int32)
    actors.trip[rows], actors.lane[rows], actors.d[rows] = (11, 12), plain, (0.3, -0.4)
    cameras, out = LaneCameras(g, 8, errors, seed, 0.1), []
    for k in range(count):
        if k == count // 2:
            actors.lane[5] = internal
        frame = cameras.see(actors, rows, 0.1 * k, k)
        out.append(frame.offset.copy())
        assert (frame.time == 0.1 * k).all()
    return np.array(out), frame


def test_offsets_are_the_truth_with_small_lasting_errors():
    runs = [looks(seed)[0] for seed in range(40)]
    off = np.concatenate([r[:, 0] for r in runs]) - 0.3
    claimed = looks()[1].sigma[0]
    assert abs(off.mean()) < 0.02 and abs(off.std() / claimed - 1.0) < 0.15
    early, late = np.array([r[:199, 0] - 0.3 for r in runs]).ravel(), np.array([r[1:200, 0] - 0.3 for r in runs]).ravel()
    assert 0.5 < np.corrcoef(early, late)[0, 1] < 0.85, "partly the same error from look to look"


def test_junctions_have_no_markings():
    offset, _ = looks()
    assert np.isfinite(offset[:200]).all() and np.isnan(offset[200:, 1]).all() and np.isfinite(offset[200:, 0]).all()


def test_draws_depend_on_seed_and_car_only():
    assert np.array_equal(looks(3)[0], looks(3)[0], equal_nan=True)
    assert not np.array_equal(looks(3)[0], looks(4)[0], equal_nan=True)


def test_without_errors_it_is_the_truth_and_without_camera_nothing():
    offset, _ = looks(errors=LaneErrors(0.0, 10.0, 0.0))
    assert (offset[:, 0] == 0.3).all()
    base_map, _ = load_district()
    assert LaneCameras(base_map.graph, 8, None, 1, 0.1).see(empty_actors(8), np.zeros(0, np.int32), 0.0, 0) is None
