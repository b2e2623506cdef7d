"""`cloverleaf bench rss`: safe distances beside the ad-rss library on random states with every field set."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from cloverleaf.cli.peers import find_peer, run_peer
from cloverleaf.measure.rss_pair import COLUMNS, rss_distances
from cloverleaf.types.state import F64

STATES, BAR = 100_000, 1e-6
MODULE, VARIABLE = "ad_rss", "CLOVERLEAF_AD_RSS_PYTHON"

PEER = """
import time
import ad_rss
rss, ph = ad_rss.rss, ad_rss.physics

def side(row):
    o = rss.core.RelativeObjectState()
    o.object_type = rss.world.ObjectType.OtherVehicle
    s = o.structured_object_state
    v = s.velocity
    v.speed_lon_min, v.speed_lon_max = ph.Speed(row[0]), ph.Speed(row[1])
    v.speed_lat_min, v.speed_lat_max = ph.Speed(row[2]), ph.Speed(row[3])
    s.has_priority, s.is_in_correct_lane = False, True
    s.distance_to_enter_intersection = s.distance_to_leave_intersection = ph.Distance(1000.0)
    d = o.dynamics
    d.response_time = ph.Duration(row[4])
    lon, lat = d.alpha_lon, d.alpha_lat
    lon.accel_max, lon.brake_max = ph.Acceleration(row[5]), ph.Acceleration(-row[6])
    lon.brake_min, lon.brake_min_correct = ph.Acceleration(-row[7]), ph.Acceleration(-row[8])
    lat.accel_max, lat.brake_min = ph.Acceleration(row[9]), ph.Acceleration(-row[10])
    d.lateral_fluctuation_margin = ph.Distance(row[11])
    d.min_longitudinal_safety_distance = ph.Distance(row[12])
    d.max_speed_on_acceleration = ph.Speed(row[13])
    u = d.unstructured_settings
    u.pedestrian_turning_radius, u.drive_away_max_angle = ph.Distance(2.0), ph.Angle(2.4)
    u.vehicle_yaw_rate_change, u.vehicle_min_radius = ph.AngularAcceleration(0.3), ph.Distance(3.5)
    u.vehicle_trajectory_calculation_step = ph.Duration(0.2)
    for name in dir(u):
        if name.endswith('_steps'):
            setattr(u, name, 1)
    z = o.unstructured_object_state
    z.yaw, z.yaw_rate, z.steering_angle = ph.Angle(0.0), ph.AngularVelocity(0.0), ph.Angle(0.0)
    z.center_point = ph.Distance2D()
    z.center_point.x = z.center_point.y = ph.Distance(0.0)
    z.dimension.length, z.dimension.width = ph.Distance(4.5), ph.Distance(1.8)
    z.speed_range.minimum, z.speed_range.maximum = ph.Speed(row[0]), ph.Speed(row[1])
    return o

f = rss.structured
a, b = inputs['a'], inputs['b']
out = np.full((len(a), 3), np.nan)
spent = 0.0
d = ph.Distance(0.0)
for k in range(len(a)):
    left, right = side(a[k].tolist()), side(b[k].tolist())
    start = time.process_time()
    if f.calculateSafeLongitudinalDistanceSameDirection(left, right, d):
        out[k, 0] = d.mDistance
    if f.calculateSafeLongitudinalDistanceOppositeDirection(left, right, d):
        out[k, 1] = d.mDistance
    if f.calculateSafeLateralDistance(left, right, d):
        out[k, 2] = d.mDistance
    spent += time.process_time() - start
outputs['distances'], outputs['seconds'] = out, np.array(spent)
"""


def random_sides(count: int, seed: int) -> F64:
    """One side of `count` random pairs, (count, COLUMNS) as in `measure/rss_pair.py`, within the library's valid ranges."""
    r = np.random.default_rng(seed)
    rows = np.zeros((count, COLUMNS))
    lon = np.sort(r.uniform(0.0, 60.0, (count, 2)), axis=1)
    lat = np.sort(r.uniform(-4.0, 4.0, (count, 2)), axis=1)
    standing = r.random(count) < 0.05
    lon[standing] = 0.0
    rows[:, :2], rows[:, 2:4] = lon, lat
    rows[:, 4] = r.uniform(0.1, 3.0, count)
    rows[:, 5] = r.uniform(0.1, 6.0, count)
    rows[:, 6] = r.uniform(6.0, 10.0, count)
    rows[:, 7] = r.uniform(3.0, 6.0, count)
    rows[:, 8] = r.uniform(1.0, 3.0, count)
    rows[:, 9] = r.uniform(0.05, 1.0, count)
    rows[:, 10] = r.uniform(0.1, 2.0, count)
    rows[:, 11] = r.uniform(0.0, 0.5, count)
    rows[:, 12] = r.uniform(0.0, 3.0, count)
    rows[:, 13] = r.uniform(10.0, 70.0, count)
    return rows


def compare(python: str, count: int = STATES) -> dict[str, Any]:
    """Largest differences (m) and rates of both on the same pairs."""
    a, b = random_sides(count, 1), random_sides(count, 2)
    ours = rss_distances(a, b)
    start = time.process_time()
    rss_distances(a, b)
    spent = time.process_time() - start
    theirs = run_peer(python, PEER, {"a": a, "b": b})
    off = abs(ours - theirs["distances"])
    return {
        "states": count,
        "answered": int(np.isfinite(theirs["distances"]).all(axis=1).sum()),
        "same_way_m": float(np.nanmax(off[:, 0])),
        "meeting_m": float(np.nanmax(off[:, 1])),
        "side_by_side_m": float(np.nanmax(off[:, 2])),
        "ours_per_s": count / max(spent, 1e-9),
        "peer_per_s": count / float(theirs["seconds"]),
    }


def run() -> None:
    """Print the row."""
    python = find_peer(MODULE, VARIABLE)
    if python is None:
        print(f"ad-rss is not installed: pip install ad-rss==5.0.0 in a Python of its own and name that by {VARIABLE}")
        return
    row = compare(python)
    worst = max(row["same_way_m"], row["meeting_m"], row["side_by_side_m"])
    verdict = "within the bar" if worst <= BAR and row["answered"] == row["states"] else "outside the bar"
    print("   ".join(f"{k} {v:,.4g}" if isinstance(v, float) else f"{k} {v:,}" for k, v in row.items()))
    print(f"largest difference {worst:.2e} m, bar {BAR:.0e} m: {verdict}")
