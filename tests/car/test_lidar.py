"""Lidar perception: kernels against their twins, made-up scenes, and a labelled real scan where one lies beside the project."""

import math
from pathlib import Path

import numpy as np
import pytest

from cloverleaf.car.perceive import ground as G
from cloverleaf.car.perceive import lidar as L
from cloverleaf.car.perceive.clusters import cluster
from cloverleaf.car.perceive.fitting import complete, fit_rectangle
from cloverleaf.judge.lidar import match_labels, read_points, sensor_from_camera
from cloverleaf.types.errors import InputError
from naive import perceiving

FRAME = Path(__file__).resolve().parents[3] / "shared" / "tracking" / "lidar" / "zhulf0804"


def road(r, slope=0.0):
    """Points of a road around the sensor, rising ahead by `slope`."""
    a, d = r.uniform(-math.pi, math.pi, 20000), 3.0 + 50.0 * r.random(20000) ** 2
    x, y = d * np.cos(a), d * np.sin(a)
    return np.stack([x, y, -1.73 + slope * np.maximum(x, 0) + r.normal(0, 0.02, 20000)], 1)


def sides(r, x, y, heading, length, width, height, lift=-1.73, count=300):
    """Points on the two sides of a body that face the sensor."""
    c, s = math.cos(heading), math.sin(heading)
    u, v = -(x * c + y * s), -(y * c - x * s)
    along = np.stack([r.uniform(-length / 2, length / 2, count), np.full(count, math.copysign(width / 2, v))], 1)
    across = np.stack([np.full(count, math.copysign(length / 2, u)), r.uniform(-width / 2, width / 2, count)], 1)
    flat = np.vstack([along, across]) + r.normal(0, 0.02, (2 * count, 2))
    return np.stack(
        [
            x + flat[:, 0] * c - flat[:, 1] * s,
            y + flat[:, 0] * s + flat[:, 1] * c,
            lift + r.uniform(0.0, height, 2 * count),
        ],
        1,
    )


@pytest.mark.parametrize("slope", [0.0, 0.08, -0.06])
def test_roads_are_ground_and_bodies_are_not(slope):
    r = np.random.default_rng(0)
    ground, car = road(r, slope), sides(r, 18, 4, 0.3, 4.3, 1.8, 1.5, -1.73 + slope * 18)
    above = G.height_above_ground(np.vstack([ground, car]))
    assert (above[: len(ground)] < G.TOLERANCE).mean() > 0.99
    assert (above[len(ground) :] > G.TOLERANCE).mean() > 0.75


def test_ground_equals_its_twin():
    r = np.random.default_rng(1)
    points = np.vstack([road(r, 0.05)[:1500], sides(r, 10, 2, 0.5, 4, 2, 1.5, count=100)])
    assert G.height_above_ground(points) == pytest.approx(perceiving.ground_height(points, 1.73, G))


@pytest.mark.parametrize("seed", range(4))
def test_clusters_equal_flooding(seed):
    r = np.random.default_rng(seed)
    points = r.uniform(-30, 30, (400, 2)) * r.choice([0.1, 1.0, 3.0], (400, 1))
    used = (r.random(400) < 0.8).astype(np.int64)
    label, count = cluster(points, used)
    groups = {frozenset(np.flatnonzero(label == c).tolist()) for c in range(count)}
    assert groups == perceiving.connected(points, used)


@pytest.mark.parametrize("seed", range(8))
def test_rectangles_equal_their_twin_and_the_truth(seed):
    r = np.random.default_rng(seed)
    heading = r.uniform(-1.5, 1.5)
    points = sides(r, 12, r.uniform(-8, 8), heading, 4.4, 1.8, 1.5)
    out = np.zeros(5)
    fit_rectangle(points, np.arange(len(points)), 0, len(points), out)
    _, direction, area = perceiving.closest_rectangle(points)
    assert out[3] * out[4] == pytest.approx(area) and math.cos(2 * (out[2] - direction)) ** 2 == pytest.approx(1.0)
    off = (out[2] - heading + math.pi / 4) % (math.pi / 2) - math.pi / 4
    assert abs(off) < math.radians(3.0)
    assert out[3] == pytest.approx(4.4, abs=0.25) and out[4] == pytest.approx(1.8, abs=0.25)


def test_completion_grows_away_from_the_sensor():
    out = np.array([10.0, 3.0, 0.0, 1.0, 1.6])
    complete(out, 4.0, 1.6)
    assert out.tolist() == [11.5, 3.0, 0.0, 4.0, 1.6]
    complete(out, 2.0, 2.0)
    assert out[3] == 4.0 and out[4] == 2.0 and out[1] == pytest.approx(3.2)


def test_a_scene_is_found_with_its_classes():
    r = np.random.default_rng(5)
    parts = [road(r), sides(r, 15, 3, 0.2, 4.3, 1.8, 1.5), sides(r, 12, -5, 0.0, 0.6, 0.5, 1.75, count=60)]
    parts.append(sides(r, 20, -9, 0.9, 1.8, 0.6, 1.7, count=80))
    scan = L.detect(np.vstack(parts))
    for x, y, kind in ((15, 3, L.CAR), (12, -5, L.PEDESTRIAN), (20, -9, L.CYCLIST)):
        away = np.hypot(scan.objects[:, L.O_X] - x, scan.objects[:, L.O_Y] - y)
        k = int(np.argmin(away))
        assert away[k] < 0.5 and scan.objects[k, L.O_CLASS] == kind
    assert len(scan.objects) <= 5


def test_empty_and_broken_scans(tmp_path):
    assert len(L.detect(np.zeros((0, 4))).objects) == 0
    points = np.full((50, 4), np.nan)
    points[:10] = [1e9, 0, 0, 0]
    assert len(L.detect(points).objects) == 0
    with pytest.raises(ValueError, match="shape"):
        L.detect(np.zeros((5, 2)))
    (tmp_path / "a.bin").write_bytes(b"123")
    with pytest.raises(InputError, match=r"a\.bin: 3 bytes"):
        read_points(tmp_path / "a.bin")


@pytest.mark.skipif(not FRAME.is_dir(), reason="no labelled lidar scan beside the project")
def test_recall_on_a_labelled_scan():
    points = read_points(FRAME / "000134.bin.gz")
    scan = L.detect(points)
    matches = match_labels(
        points, scan.objects, FRAME / "000134_gt.txt", sensor_from_camera(FRAME / "000134_calib.txt")
    )
    off = np.array([m.off for m in matches])
    assert len(matches) == 15 and (off < 2.0).mean() > 0.85 and np.median(off) < 0.4
    assert scan.objects.shape[0] < 120
