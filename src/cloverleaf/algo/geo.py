"""Between metres of a map and degrees of the globe: transverse Mercator after Krüger, fourth order.

Covers PROJ's `+proj=utm` and `+proj=tmerc`; a map without a projection gets a tangent plane (transverse Mercator of
scale 1) at its origin. Source of the series: C. F. F. Karney, Transverse Mercator with an accuracy of a few nanometers
(2011), eqs. 12, 35, 36; conformal to geodetic latitude by the series in n. Error below 1 mm within 30 degrees.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.types.errors import MapError
from cloverleaf.types.state import F64

_ELLIPSOIDS = {"WGS84": 298.257223563, "GRS80": 298.257222101}
_RADIUS = 6378137.0


class Projection(NamedTuple):
    """One map's projection, as 8 numbers: see `projection`."""

    scale: float  # k0 times the rectifying radius, m
    n: float  # third flattening
    latitude0: float  # rad
    longitude0: float  # rad
    east: float  # m to add to the easting: false easting and map offset
    north: float  # m to add to the northing, counted from the equator


def projection(proj: str, offset_x: float, offset_y: float, latitude_deg: float, longitude_deg: float) -> Projection:
    """The projection of a PROJ string, or of '!' (none) a tangent plane at the origin given in degrees.

    ENU x = easting + offset_x, y = northing + offset_y. Other projections raise MapError.
    """
    words = dict((w.lstrip("+").split("=", 1) + [""])[:2] for w in proj.split() if w.startswith("+"))
    name = words.get("proj", "")
    if name == "utm":
        zone = int(words["zone"])
        lat0, lon0, k0 = 0.0, math.radians(6 * zone - 183), 0.9996
        x0, y0 = 500000.0, 1e7 if "south" in words else 0.0
    elif name == "tmerc":
        lat0, lon0 = math.radians(float(words.get("lat_0", 0))), math.radians(float(words.get("lon_0", 0)))
        k0 = float(words.get("k", words.get("k_0", 1)))
        x0, y0 = float(words.get("x_0", 0)), float(words.get("y_0", 0))
    elif not name:
        lat0, lon0, k0 = math.radians(latitude_deg), math.radians(longitude_deg), 1.0
        x0 = y0 = 0.0
        if proj in ("!", "-", ""):
            offset_x = offset_y = 0.0
    else:
        raise MapError(
            f"projection '{name}' is not supported", element="geoReference", hint="use +proj=utm or +proj=tmerc"
        )
    flattening = 1.0 / _ELLIPSOIDS.get(words.get("ellps", words.get("datum", "WGS84")), 298.257223563)
    n = flattening / (2.0 - flattening)
    radius = _RADIUS / (1 + n) * (1 + n * n / 4 + n**4 / 64)
    base = Projection(k0 * radius, n, lat0, lon0, 0.0, 0.0)
    origin = np.zeros(2)
    to_metres(base, np.array([math.degrees(lat0)]), np.array([math.degrees(lon0)]), origin[:1], origin[1:])
    return base._replace(east=x0 + offset_x, north=y0 + offset_y - float(origin[1]))


@kernel
def _multiples(xi, eta):
    """(sin, cos) of 2, 4, 6, 8 times `xi`, then (sinh, cosh) of 2, 4, 6, 8 times `eta`, by the addition theorems."""
    s1, c1, h1, g1 = math.sin(2 * xi), math.cos(2 * xi), math.sinh(2 * eta), math.cosh(2 * eta)
    s2, c2, h2, g2 = 2 * s1 * c1, 1 - 2 * s1 * s1, 2 * h1 * g1, 1 + 2 * h1 * h1
    s3, c3, h3, g3 = s1 * c2 + c1 * s2, c1 * c2 - s1 * s2, h1 * g2 + g1 * h2, g1 * g2 + h1 * h2
    s4, c4, h4, g4 = 2 * s2 * c2, 1 - 2 * s2 * s2, 2 * h2 * g2, 1 + 2 * h2 * h2
    return s1, c1, s2, c2, s3, c3, s4, c4, h1, g1, h2, g2, h3, g3, h4, g4


@kernel
def forward(p, latitude, longitude):  # type: ignore[no-untyped-def]
    """(x, y) m of a point in rad."""
    n = p.n
    n2, n3, n4 = n * n, n * n * n, n * n * n * n
    a1 = n / 2 - 2 * n2 / 3 + 5 * n3 / 16 + 41 * n4 / 180
    a2 = 13 * n2 / 48 - 3 * n3 / 5 + 557 * n4 / 1440
    a3 = 61 * n3 / 240 - 103 * n4 / 140
    a4 = 49561 * n4 / 161280
    e = 2 * math.sqrt(n) / (1 + n)
    s = math.sin(latitude)
    t = math.sinh(math.atanh(s) - e * math.atanh(e * s))
    d = longitude - p.longitude0
    xi = math.atan2(t, math.cos(d))
    eta = math.atanh(math.sin(d) / math.sqrt(1 + t * t))
    s1, c1, s2, c2, s3, c3, s4, c4, h1, g1, h2, g2, h3, g3, h4, g4 = _multiples(xi, eta)
    north = xi + a1 * s1 * g1 + a2 * s2 * g2 + a3 * s3 * g3 + a4 * s4 * g4
    east = eta + a1 * c1 * h1 + a2 * c2 * h2 + a3 * c3 * h3 + a4 * c4 * h4
    return p.scale * east + p.east, p.scale * north + p.north


@kernel
def inverse(p, x, y):  # type: ignore[no-untyped-def]
    """(latitude, longitude, convergence) in rad of a point in metres.

    The convergence is the angle by which grid north lies clockwise of true north.
    """
    n = p.n
    n2, n3, n4 = n * n, n * n * n, n * n * n * n
    b1 = n / 2 - 2 * n2 / 3 + 37 * n3 / 96 - n4 / 360
    b2 = n2 / 48 + n3 / 15 - 437 * n4 / 1440
    b3 = 17 * n3 / 480 - 37 * n4 / 840
    b4 = 4397 * n4 / 161280
    d1 = 2 * n - 2 * n2 / 3 - 2 * n3 + 116 * n4 / 45
    d2 = 7 * n2 / 3 - 8 * n3 / 5 - 227 * n4 / 45
    d3 = 56 * n3 / 15 - 136 * n4 / 35
    d4 = 4279 * n4 / 630
    xi = (y - p.north) / p.scale
    eta = (x - p.east) / p.scale
    s1, c1, s2, c2, s3, c3, s4, c4, h1, g1, h2, g2, h3, g3, h4, g4 = _multiples(xi, eta)
    u = xi - b1 * s1 * g1 - b2 * s2 * g2 - b3 * s3 * g3 - b4 * s4 * g4
    v = eta - b1 * c1 * h1 - b2 * c2 * h2 - b3 * c3 * h3 - b4 * c4 * h4
    t = math.sinh(v)
    c = math.asin(math.sin(u) / math.sqrt(1 + t * t))
    d = math.atan2(t, math.cos(u))
    s1, c1 = math.sin(2 * c), math.cos(2 * c)
    s2, c2 = 2 * s1 * c1, 1 - 2 * s1 * s1
    latitude = c + d1 * s1 + d2 * s2 + d3 * (s1 * c2 + c1 * s2) + d4 * 2 * s2 * c2
    return latitude, p.longitude0 + d, math.atan(math.tan(d) * math.sin(latitude))  # within 0.002 deg


@kernel
def to_metres(p, latitude, longitude, x, y):  # type: ignore[no-untyped-def]
    """Points in degrees, shape (n,), to ENU metres in `x`, `y`."""
    for i in range(len(latitude)):
        a, b = forward(p, math.radians(latitude[i]), math.radians(longitude[i]))
        x[i] = a
        y[i] = b


@kernel
def to_degrees(p, x, y, latitude, longitude, convergence):  # type: ignore[no-untyped-def]
    """ENU metres, shape (n,), to degrees in `latitude`, `longitude`, and the convergence in rad."""
    for i in range(len(x)):
        a, b, c = inverse(p, x[i], y[i])
        latitude[i] = math.degrees(a)
        longitude[i] = math.degrees(b)
        convergence[i] = c


def degrees(p: Projection, x: F64, y: F64) -> tuple[F64, F64, F64]:
    """ENU metres, shape (n,), to (latitude deg, longitude deg, convergence rad)."""
    latitude, longitude, convergence = np.empty(len(x)), np.empty(len(x)), np.empty(len(x))
    to_degrees(p, np.ascontiguousarray(x, float), np.ascontiguousarray(y, float), latitude, longitude, convergence)
    return latitude, longitude, convergence


def metres(p: Projection, latitude: F64, longitude: F64) -> tuple[F64, F64]:
    """Degrees, shape (n,), to ENU metres."""
    x, y = np.empty(len(latitude)), np.empty(len(latitude))
    to_metres(p, np.ascontiguousarray(latitude, float), np.ascontiguousarray(longitude, float), x, y)
    return x, y


def convergence(p: Projection, latitude: F64, longitude: F64) -> F64:
    """The angle in rad by which grid north lies clockwise of true north at points in degrees, shape (n,): as `degrees` gives it."""
    return np.arctan(np.tan(np.radians(longitude) - p.longitude0) * np.sin(np.radians(latitude)))
