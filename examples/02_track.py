"""Track made-up detections: two cars that cross, seen with noise, misses and false alarms."""

import math

import numpy as np

from cloverleaf.car.perceive import tracks as T
from cloverleaf.car.perceive.tracker import Tracker

r = np.random.default_rng(0)
tracker = Tracker(T.Tuning(sigma=0.3, sigma_per_m=0.0))

for step in range(50):
    t = 0.1 * step
    cars = [(-25 + 10 * t, 1.0, 0.0), (0.5, 25 - 10 * t, -math.pi / 2)]
    seen = [car for car in cars if r.random() < 0.9] + [(*r.uniform(-40, 40, 2), 0.0)]  # the last one is not there
    frame = np.zeros((len(seen), T.DETECTION))
    for row, (x, y, heading) in zip(frame, seen, strict=True):
        row[:7] = x + r.normal(0, 0.2), y + r.normal(0, 0.2), 0.8, heading, 4.5, 1.8, 1.5
        row[T.D_SCORE] = r.uniform(0.6, 1.0)
    frame[-1, T.D_SCORE] = r.uniform(0.0, 0.6)
    tracker.step(frame, t)

f, ints = tracker.tracks.f, tracker.tracks.i
for k in tracker.told():
    print(
        f"track {ints[k, T.ID]}: at ({f[k, T.X]:.1f}, {f[k, T.Y]:.1f}) m, going ({f[k, T.VX]:.1f}, {f[k, T.VY]:.1f}) m/s"
    )
