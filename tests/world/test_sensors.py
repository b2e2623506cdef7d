"""Sensor signals against slow twins and against what they must do: casting, occlusion, weather, Doppler, Swerling, blockage, suites."""

import math

import numpy as np
import pytest

from cloverleaf.types.errors import StudyError
from cloverleaf.types.state import Kind, empty_actors
from cloverleaf.world.sensors import camera, lidar, motion, radar, surroundings, ultrasonic
from cloverleaf.world.sensors.presets import CAMERAS, FAMILIES, LIDARS
from cloverleaf.world.sensors.rig import Rig
from cloverleaf.world.sensors.sight import visible_shares
from cloverleaf.world.sensors.suite import BUILT_IN, object_suite, read_suite, sensor_set, suite_named
from cloverleaf.world.sensors.surroundings import KIND, RCS, TOP, VX, X, Y
from cloverleaf.world.weather import PRESETS, Weather


def cars(rows):
    """Boxes of cars given as x, y, heading."""
    table = np.array([(x, y, h, 4.5, 1.8, 1.5) for x, y, h in rows], float)
    out = surroundings.building_boxes(table)
    out[:, KIND], out[:, RCS], out[:, surroundings.REFLECTANCE] = Kind.CAR, 10.0, 0.45
    return out


def naive_ray(boxes, pose, angle, slope, most):
    """March along a ray in small steps until a point lies in a box or under the ground."""
    r, step = 0.0, 0.005
    while r <= most:
        r += step
        x, y, z = pose[0] + r * math.cos(angle), pose[1] + r * math.sin(angle), pose[2] + r * slope
        if z <= 0.0:
            return r, -1
        for k, b in enumerate(boxes):
            dx, dy = x - b[0], y - b[1]
            f, q = dx * b[2] + dy * b[3], dy * b[2] - dx * b[3]
            if abs(f) <= b[4] and abs(q) <= b[5] and z <= b[TOP]:
                return r, k
    return math.inf, -2


@pytest.mark.parametrize("seed", range(4))
def test_casting_equals_marching(seed):
    r = np.random.default_rng(seed)
    boxes = surroundings.building_boxes(
        np.column_stack(
            (
                r.uniform(-18, 18, (9, 2)),
                r.uniform(0, 6, 9),
                r.uniform(1, 6, 9),
                r.uniform(0.5, 3, 9),
                r.uniform(0.2, 4, 9),
            )
        )
    )
    boxes = boxes[np.hypot(boxes[:, X], boxes[:, Y]) > 5.0]
    slopes = np.tan(np.radians([-20.0, -8.0, -3.0, 0.0, 4.0]))
    ranges, hits, cosines = np.empty((45, 5)), np.empty((45, 5), np.int64), np.empty((45, 5))
    pose, first, step = (0.3, -0.2, 1.8, 0.7), -math.pi, 2 * math.pi / 45
    lidar.cast(boxes, np.array(pose), np.array([first, step, 0.0]), slopes, 25.0, np.zeros(3), ranges, hits, cosines)
    different = 0
    for a in range(45):
        for b in range(5):
            want, who = naive_ray(boxes, pose, first + a * step + pose[3], slopes[b], 25.0)
            if who != hits[a, b] or (who != -2 and abs(want - ranges[a, b]) > 0.02):
                different += 1
    # marching may step over a corner
    assert different <= 2
    assert ((hits >= 0).sum() > 20) and ((hits == -1).sum() > 20)
    assert (cosines[hits != -2] > 0).all() and (cosines <= 1.0 + 1e-12).all()


def test_scan_rolls_with_time():
    """Seen from a moving car, a wall ahead is nearer in columns that are taken later."""
    wall = surroundings.building_boxes(np.array([[40.0, 0.0, 0.0, 1.0, 200.0, 5.0]]))
    model = LIDARS["robosense_m1"]._replace(range_sigma=0.0, dropout=0.0, reach_10=500.0)
    s = lidar.scan(model, wall, (0, 0, 1.5, 0), (20.0, 0, 0), Weather(), np.random.default_rng(1))
    mine = s.box == 0
    assert np.allclose(s.points[mine, 0], 39.5 - 20.0 * s.time[mine], atol=1e-9)


def test_weather_and_range_cost_echoes():
    boxes = cars([(x, 6.0 * k - 12.0, 0.0) for k, x in enumerate((10, 25, 45, 70, 100))])

    def count(name):
        s = lidar.scan(
            LIDARS["velodyne_hdl64e"], boxes, (0, 0, 1.73, 0), (0, 0, 0), PRESETS[name], np.random.default_rng(1)
        )
        return [int((s.box == k).sum()) for k in range(5)], int((s.box == -2).sum())

    clear, fog = count("clear"), count("fog")
    assert clear[0] == sorted(clear[0], reverse=True) and clear[1] == 0
    assert fog[0][0] > 0.5 * clear[0][0] and fog[0][3] < 0.2 * max(clear[0][3], 5) and fog[1] > 100
    assert 0 <= count("heavy_rain")[1] < fog[1]


def test_our_own_detector_finds_what_was_cast():
    """The scan is one that `car/perceive/lidar.py` can use; boxes come out where cars stand."""
    from cloverleaf.car.perceive.lidar import CAR, O_CLASS, O_X, O_Y, detect

    truth = [(12.0, 3.5, 0.1), (12.0, -7.0, 3.0), (20.0, 9.0, 0.0), (-9.0, 5.0, 0.3)]
    s = lidar.scan(
        LIDARS["velodyne_hdl64e"], cars(truth), (0, 0, 1.73, 0), (0, 0, 0), Weather(), np.random.default_rng(1)
    )
    found = detect(s.points, 1.73).objects
    found = found[found[:, O_CLASS] == CAR]
    off = [min(math.hypot(x - f[O_X], y - f[O_Y]) for f in found) for x, y, _ in truth]
    assert max(off) < 0.6 and len(found) == 4


def test_what_is_hidden_is_not_seen():
    share = visible_shares(
        cars([(10, 0, 0), (20, 0, 0), (20, 8, 0), (60, 0, 0)]), (0, 0, 1.2, 0), math.radians(120), 50.0
    )
    assert share[0] > 0.95 and share[1] == 0.0 and share[2] > 0.9 and share[3] == 0.0


def test_radar_doppler_fading_and_false_detections():
    boxes = cars([(60.0, 0.0, 0.0)])
    boxes[:, VX] = 5.0
    model = radar.RadarModel(math.radians(18), 250.0, 0.1, 0.002, 0.05, clutter=0.0)
    r = np.random.default_rng(1)
    looks = [radar.look(model, boxes, (0, 0, 0.5, 0), (15.0, 0, 0), r) for _ in range(200)]
    speeds = np.concatenate([d.doppler for d in looks])
    assert abs(speeds.mean() + 10.0) < 0.02 and abs(speeds.std() - 0.05) < 0.01
    places = np.concatenate([d.x for d in looks])
    assert abs(places.mean() - 57.75) < 0.2
    # at its own reach half of the looks at one point of 10 dBsm are heard
    far = cars([(252.2, 0.0, 0.0)])
    single = [
        len(radar.look(model._replace(reach=250.0, field=0.5), far, (0, 0, 0.5, 0), (0, 0, 0), r).x) > 0
        for _ in range(400)
    ]
    assert 0.25 < np.mean(single) < 0.75
    noisy = [radar.look(model._replace(clutter=3.0), boxes[:0], (0, 0, 0.5, 0), (15.0, 0, 0), r) for _ in range(200)]
    assert abs(np.mean([len(d.x) for d in noisy]) - 3.0) < 0.4 and all((d.source == radar.CLUTTER).all() for d in noisy)


def test_radar_sees_below_vehicles_and_mirrors_at_walls():
    boxes = np.vstack(
        (cars([(20, 0, 0), (32, 0, 0)]), surroundings.building_boxes(np.array([[30.0, 12.0, 0.0, 60.0, 6.0, 10.0]])))
    )
    boxes[:2, VX] = 8.0
    model, r = radar.RadarModel(math.radians(90), 150.0, 0.1, 0.002, 0.05, clutter=0.0), np.random.default_rng(1)
    looks = [radar.look(model, boxes, (0, 0, 0.5, 0), (10, 0, 0), r) for _ in range(200)]
    below = sum((d.source == radar.UNDERNEATH).any() for d in looks)
    assert 30 < below < 150
    ghosts = np.concatenate([d.y[d.source == radar.MIRROR] for d in looks])
    assert len(ghosts) > 5 and abs(np.median(ghosts) - 18.0) < 1.5  # the wall's face is 9 m to the left


def test_camera_projects_as_a_pinhole_and_misses_as_it_should():
    model = CAMERAS["front_52"]._replace(box_sigma=0.0)
    left, top, right, bottom = camera.project(model, cars([(30.0, 0.0, 0.0)])[0], (0, 0, 1.4, 0))
    near = 30.0 - 2.25
    assert right - left == pytest.approx(model.focal * 1.8 / near) and bottom - 480 == pytest.approx(
        model.focal * 1.4 / near
    )
    assert top - 480 == pytest.approx(-model.focal * 0.1 / near, abs=1.0)

    def recall(x, weather="clear", rows=None):
        boxes = rows if rows is not None else cars([(x, 0.0, 0.0)])
        who, air, eye = np.arange(len(boxes)), PRESETS[weather], CAMERAS["front_52"]
        pictures = [
            camera.picture(eye, boxes, (0, 0, 1.4, 0), who, air, 1, 2, 40 * k, np.random.default_rng(k))
            for k in range(200)
        ]
        return np.mean([(p.source == 0).any() for p in pictures])

    assert recall(20.0) > 0.95 > recall(75.0) > recall(110.0)
    assert recall(60.0, "fog") < 0.7 * recall(60.0)
    person = cars([(25.0, 0.0, 0.0)])
    person[:, KIND], person[:, 4], person[:, 5], person[:, TOP] = Kind.PEDESTRIAN, 0.3, 0.3, 1.7
    assert recall(0, "night", person) < recall(0, "clear", person) - 0.1
    half = np.vstack((cars([(30.0, 0.0, 0.0)]), cars([(15.0, 1.1, 0.0)])))
    assert recall(0, rows=half) < recall(30.0)
    cuts = [
        camera.picture(
            model, cars([(4.0, 2.0, 0.0)]), (0, 0, 1.4, 0), np.arange(1), Weather(), 1, 2, k, np.random.default_rng(1)
        )
        for k in range(0, 40, 4)
    ]
    cut = next(c for c in cuts if len(c.source))
    assert cut.truncated[0] > 0.2


def test_misses_come_in_runs():
    boxes, who = cars([(88.0, 0.0, 0.0)]), np.arange(1)
    seen = [
        len(
            camera.picture(
                CAMERAS["front_52"], boxes, (0, 0, 1.4, 0), who, Weather(), 1, 2, k, np.random.default_rng(k)
            ).source
        )
        for k in range(400)
    ]
    changes = np.abs(np.diff(seen)).sum()
    assert 0.1 < np.mean(seen) < 0.9 and changes < 0.25 * 400


def test_ultrasonic():
    model, r = FAMILIES["ultrasonic"].presets["parking"], np.random.default_rng(1)
    d = [ultrasonic.ping(model, cars([(4.0, 0.0, 0.0)]), (0, 0, 0.5, 0), r) for _ in range(50)]
    assert abs(np.mean(d) - 1.75) < 0.02 and math.isnan(
        ultrasonic.ping(model, cars([(9.0, 0.0, 0.0)]), (0, 0, 0.5, 0), r)
    )


def test_imu_and_wheel_drift_as_their_sheets_say():
    r = np.random.default_rng(1)
    ends = []
    for _ in range(200):
        imu = motion.Imu(motion.ImuModel(), r)
        ends.append(sum(imu.sample(0.0, 0.0, 0.01)[1] for _ in range(1000)) * 0.01)
    assert abs(np.std(ends) / (0.003 * 10.0) - 1.0) < 0.2  # ten seconds of bias outweigh the noise
    wheel = motion.Wheel(motion.WheelModel(scale_error=0.0, slip=0.0), r)
    v = [wheel.sample(7.3, 0.0, 0.02) for _ in range(500)]
    assert abs(np.mean(v) - 7.3) < 0.01 and len(np.unique(v)) == 2  # whole teeth


def test_gnss_is_worse_across_a_canyon_and_without_sky_there_is_no_fix():
    r = np.random.default_rng(3)
    canyon = surroundings.building_boxes(np.array([[0.0, s * 12.0, 0.0, 300.0, 8.0, 25.0] for s in (-1, 1)]))
    errors = {}
    for name, walls in (("open", canyon[:0]), ("canyon", canyon)):
        fixes = [
            f
            for _ in range(12)
            for g in [motion.Gnss(motion.GnssModel(), r)]
            for f in [g.fix(0, 0, walls, 5.0) for _ in range(20)]
            if f
        ]
        errors[name] = np.array([(f.x, f.y, f.satellites) for f in fixes])
    rms = {k: np.sqrt((v[:, :2] ** 2).mean(0)) for k, v in errors.items()}
    assert rms["open"].max() < 1.0 and rms["canyon"][1] > 2.0 * rms["open"][1] and rms["canyon"][1] > rms["canyon"][0]
    yard = [
        [6.0, 0.0, 0.0, 2.0, 20.0, 80.0],
        [-6.0, 0.0, 0.0, 2.0, 20.0, 80.0],
        [0.0, 6.0, 0.0, 20.0, 2.0, 80.0],
        [0.0, -6.0, 0.0, 20.0, 2.0, 80.0],
    ]
    box = surroundings.building_boxes(np.array(yard))
    blind = motion.Gnss(motion.GnssModel(tracked=0.0), r)
    assert blind.fix(0, 0, box, 0.1) is None


def world_of_two():
    actors = empty_actors(4)
    for row, (x, kind) in enumerate(((0.0, Kind.CAR), (20.0, Kind.CAR))):
        actors.trip[row], actors.kind[row], actors.x[row] = 7 + row, kind, x
        actors.length[row], actors.width[row], actors.speed[row] = 4.5, 1.8, 10.0
    return actors


def test_a_rig_keeps_rates_and_latencies_and_repeats_itself():
    still = surroundings.index_boxes(surroundings.building_boxes(np.array([[40.0, 12.0, 0.0, 30.0, 6.0, 10.0]])))

    def run():
        rig, actors = Rig(BUILT_IN["pilot"], still, 7, seed=3), world_of_two()
        return [reading for k in range(50) for reading in rig.step(actors, k * 0.01)]

    a, b = run(), run()
    count = {name: sum(r.sensor == name for r in a) for name in ("front_lidar", "imu", "eye", "gnss")}
    assert count["imu"] == 49  # the last one is still under way
    assert count["front_lidar"] == 5 and count["gnss"] == 4 and 13 <= count["eye"] <= 15
    assert all(r.delivered >= r.time for r in a)
    assert len(a) == len(b)
    for p, q in zip(a, b, strict=True):
        assert p[:3] == q[:3]
        for u, v in zip(*(v if isinstance(v, tuple) else (v,) for v in (p.value, q.value)), strict=True):
            assert np.array_equal(u, v, equal_nan=True) if not isinstance(u, int) else u == v
    lidar_seen = next(r.value for r in a if r.sensor == "front_lidar")
    assert (lidar_seen.box == 0).sum() > 50


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_built_in_suites_make_object_lists(name):
    suite = object_suite(BUILT_IN[name], 0.1)
    assert suite.reach > 80.0 and suite.latency_steps >= 1
    assert sensor_set(BUILT_IN[name], 0.1).ego.sigma_xy < 0.5


def test_suite_files(tmp_path):
    good = tmp_path / "good.yaml"
    good.write_text(
        "name: mine\nsensors:\n  - {name: a, type: lidar, preset: velodyne_vlp16, z: 1.8}\n  - {name: g, type: gnss, preset: rtk}\n"
    )
    assert suite_named("good.yaml", tmp_path).sensors[0].rate == 10.0
    bad = tmp_path / "bad.yaml"
    for text, words, line in (
        ("sensors:\n  - {name: a, type: lidar, preset: velodyne_vlp16, hight: 2}\n", "Extra inputs", 2),
        ("sensors:\n  - {name: a, type: lidar, preset: vlp16}\n", "no lidar 'vlp16'", 0),
        ("sensors:\n  - {name: a, type: sonar, preset: x}\n", "Input should be", 2),
        ("sensors: []\n", "at least 1", 1),
        (
            "sensors:\n  - {name: a, type: wheel, preset: abs_48}\n  - {name: a, type: wheel, preset: abs_48}\n",
            "two sensors",
            0,
        ),
        ("sensors: [\n", "not YAML", 0),
        ("- a\n", "expected keys", 0),
    ):
        bad.write_text(text)
        with pytest.raises(StudyError, match=words) as caught:
            read_suite(bad)
        assert not line or caught.value.line == line
    with pytest.raises(StudyError, match="no sensor suite"):
        suite_named("robottaxi")
    with pytest.raises(StudyError, match="sees nobody"):
        object_suite(read_suite(good).model_copy(update={"sensors": read_suite(good).sensors[1:]}), 0.1)


def test_street_fronts_and_kerbs_keep_off_the_lanes():
    from cloverleaf.study.config import Study
    from cloverleaf.study.inputs import read_inputs

    graph = read_inputs(Study()).base_map.graph
    fronts = surroundings.street_front_boxes(graph)
    assert len(fronts) > 5 and len(surroundings.kerb_boxes(graph)) > 50
    points = np.column_stack((graph.point_x, graph.point_y))
    for b in fronts:
        d = points - b[[X, Y]]
        inside = (np.abs(d @ b[[2, 3]]) < b[4]) & (np.abs(d @ np.array([-b[3], b[2]])) < b[5])
        assert not inside.any()
