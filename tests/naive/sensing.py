"""Slow oracle of sight: every ray against every box, boxes as polygons."""

from __future__ import annotations

import numpy as np

from naive.boxes import corners, inside

RAYS = 7
HEIGHT = (0.0, 1.5, 3.5, 3.1, 1.5, 1.6, 1.6, 1.7, 2.6)


def hit(origin, target, polygon):
    """Share of the way origin -> target at which the polygon is first met; inf if never, 0 from inside."""
    if inside(origin, polygon):
        return 0.0
    ray, first = target - origin, np.inf
    for a, b in zip(polygon, np.roll(polygon, -1, axis=0)):
        system = np.column_stack([ray, a - b])
        if abs(np.linalg.det(system)) < 1e-12:
            continue
        t, u = np.linalg.solve(system, a - origin)
        if t >= 0 and -1e-12 <= u <= 1 + 1e-12:
            first = min(first, t)
    return first


def box(actors, i):
    return corners((actors.x[i], actors.y[i], actors.heading[i], actors.length[i], actors.width[i]))


def visible(actors, origin, own, target, height):
    """Share of the rays to `target` that no other user (except `own`) hides."""
    origin = np.asarray(origin, float)
    centre = np.array([actors.x[target], actors.y[target]])
    u = (centre - origin) / np.hypot(*(centre - origin))
    left = np.array([-u[1], u[0]])
    polygon = box(actors, target)
    half = np.abs((polygon - centre) @ left).max()
    aim = HEIGHT[actors.kind[target]] / 2
    shot = hidden = 0
    for share in np.linspace(-0.9, 0.9, RAYS):
        point = centre + share * half * left
        at = hit(origin, point, polygon)
        if np.isinf(at):
            continue
        shot += 1
        for j in np.flatnonzero(actors.kind > 0):
            if j in (own, target):
                continue
            other = hit(origin, point, box(actors, j))
            if other < at and height + (aim - height) * other / at < HEIGHT[actors.kind[j]]:
                hidden += 1
                break
    return (shot - hidden) / shot
