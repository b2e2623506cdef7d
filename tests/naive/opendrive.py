"""Slow, plain answers to questions that the OpenDRIVE kernels answer fast: positions by numerical integration of the file itself."""

from __future__ import annotations

import math

from lxml import etree
from scipy.integrate import quad
from scipy.optimize import brentq


def clothoid(k0: float, k1: float, length: float, s: float) -> tuple[float, float, float]:
    """x, y, heading after s metres of a clothoid that starts at the origin along x."""

    def theta(u: float) -> float:
        return k0 * u + 0.5 * (k1 - k0) / length * u * u

    x, _ = quad(lambda u: math.cos(theta(u)), 0.0, s, epsabs=1e-12, limit=400)
    y, _ = quad(lambda u: math.sin(theta(u)), 0.0, s, epsabs=1e-12, limit=400)
    return x, y, theta(s)


def poly_point(u: list[float], v: list[float], end: float, length: float, s: float) -> tuple[float, float, float]:
    """x, y, heading at arc length s of (U(p), V(p)), with the arc scaled to `length`."""

    def derivative(c: list[float], p: float) -> float:
        return c[1] + 2 * c[2] * p + 3 * c[3] * p * p

    def arc(p: float) -> float:
        return quad(lambda q: math.hypot(derivative(u, q), derivative(v, q)), 0.0, p, epsabs=1e-10, limit=200)[0]

    wanted = s * arc(end) / length
    p = brentq(lambda q: arc(q) - wanted, 0.0, end, xtol=1e-12) if 0.0 < wanted < arc(end) else (end if s > 0 else 0.0)
    point = [sum(c * p**i for i, c in enumerate(cs)) for cs in (u, v)]
    return point[0], point[1], math.atan2(derivative(v, p), derivative(u, p))


def last_cubic(elements: list, key: str, s: float) -> float:
    """Value at s of the last record that starts at or before it."""
    chosen = [e for e in elements if float(e.get(key)) <= s + 1e-12][-1]
    d = s - float(chosen.get(key))
    return sum(float(chosen.get(c)) * d**i for i, c in enumerate("abcd"))


def lane_xy(path: str, road_id: str, lane_id: int, s: float) -> tuple[float, float]:
    """Centre of a lane, read straight from the XML (line, arc and spiral; widths; lane offset)."""
    root = etree.parse(path).getroot()
    road = next(r for r in root.findall("road") if r.get("id") == road_id)
    geometry = [g for g in road.find("planView") if float(g.get("s")) <= s][-1]
    x, y, h = (float(geometry.get(k)) for k in ("x", "y", "hdg"))
    d, shape = s - float(geometry.get("s")), geometry[0]
    if shape.tag == "line":
        k0 = k1 = 0.0
    elif shape.tag == "arc":
        k0 = k1 = float(shape.get("curvature"))
    else:
        k0, k1 = float(shape.get("curvStart")), float(shape.get("curvEnd"))
    u, v, turn = clothoid(k0, k1, float(geometry.get("length")), d)
    x, y, h = x + u * math.cos(h) - v * math.sin(h), y + u * math.sin(h) + v * math.cos(h), h + turn
    lanes = road.find("lanes")
    section = [e for e in lanes.findall("laneSection") if float(e.get("s")) <= s][-1]
    ds = s - float(section.get("s"))
    offsets = lanes.findall("laneOffset")
    t = last_cubic(offsets, "s", s) if offsets else 0.0
    sign = 1 if lane_id > 0 else -1
    for n in range(1, abs(lane_id) + 1):
        lane = next(e for e in section.iter("lane") if int(e.get("id")) == sign * n)
        width = last_cubic(lane.findall("width"), "sOffset", ds)
        t += sign * (width if n < abs(lane_id) else 0.5 * width)
    return x - t * math.sin(h), y + t * math.cos(h)
