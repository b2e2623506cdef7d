"""`cloverleaf bench lidar`: objects from real lidar scans, time per frame, and recall where a scan has labels."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np


def run(data: Path | None) -> None:
    """Print a line per scan found in `data` or `data`/tracking/lidar, then the matches with labels."""
    from cloverleaf.car.perceive.ground import TOLERANCE
    from cloverleaf.car.perceive.lidar import O_CLASS, detect
    from cloverleaf.judge.lidar import FOUND, match_labels, read_points, sensor_from_camera

    folder = data / "tracking" / "lidar" if data and (data / "tracking" / "lidar").is_dir() else data
    scans = sorted(folder.rglob("*.bin*")) if folder else []
    if not scans:
        print("scans: name their folder (KITTI .bin or .bin.gz) by --data")
        return
    detect(read_points(scans[0]))
    print(f"{'scan':<16}{'points':>8}{'ground':>8}{'objects':>9}{'people':>8}{'cars':>6}{'cyclists':>10}{'ms':>7}")
    matches = []
    for path in scans:
        points = read_points(path)
        spent = []
        for _ in range(5):
            begin = time.process_time()
            scan = detect(points)
            spent.append(1e3 * (time.process_time() - begin))
        kinds = np.bincount(scan.objects[:, O_CLASS].astype(int), minlength=4)
        share = float((scan.above <= TOLERANCE).mean())
        name = path.name.split(".")[0]
        print(
            f"{name:<16}{len(points):>8}{share:>8.2f}{len(scan.objects):>9}{kinds[1]:>8}{kinds[2]:>6}{kinds[3]:>10}"
            f"{np.median(spent):>7.1f}"
        )
        labels, calibration = path.parent / f"{name}_gt.txt", path.parent / f"{name}_calib.txt"
        if labels.is_file() and calibration.is_file():
            matches += match_labels(points, scan.objects, labels, sensor_from_camera(calibration))
    if matches:
        off = np.array([m.off for m in matches])
        found = [m for m in matches if m.off <= FOUND]
        recall = f"recall within {FOUND:.0f} m {np.mean(off <= FOUND):.2f}, within 0.5 m {np.mean(off <= 0.5):.2f}"
        errors = (
            f"position {np.median([m.off for m in found]):.2f} m, size {np.median([m.size_off for m in found]):.2f} m, "
            f"heading {np.degrees(np.median([m.heading_off for m in found])):.0f} deg"
        )
        print(f"labelled objects {len(matches)}: {recall}; median error of the found: {errors}")
