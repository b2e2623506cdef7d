"""Projection against a naive twin (numerical meridian arc, spherical limits) and published coordinates."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.naive.geo import meridian_arc, parallel_arc

from cloverleaf.algo.geo import convergence, degrees, metres, projection
from cloverleaf.types.errors import MapError


def test_round_trip() -> None:
    rng = np.random.default_rng(1)
    for p in (projection("+proj=utm +zone=50", -500000, -3400000, 0, 0), projection("!", 0, 0, 39.9, 116.4)):
        x, y = rng.uniform(-20000, 20000, 500), rng.uniform(-20000, 20000, 500)
        lat, lon, _ = degrees(p, x, y)
        bx, by = metres(p, lat, lon)
        np.testing.assert_allclose(bx, x, atol=1e-6)
        np.testing.assert_allclose(by, y, atol=1e-6)


@pytest.mark.parametrize("latitude", [-60.0, 0.0, 31.2, 52.0])
def test_arcs_of_the_tangent_plane(latitude: float) -> None:
    p = projection("!", 0, 0, latitude, 10.0)
    x, y = metres(p, np.array([latitude + 0.01, latitude]), np.array([10.0, 10.01]))
    assert y[0] == pytest.approx(meridian_arc(latitude, latitude + 0.01), abs=1e-6) and abs(x[0]) < 1e-9
    assert x[1] == pytest.approx(parallel_arc(latitude, 0.01), abs=1e-3)


def test_utm_known_point() -> None:
    """The central meridian at the equator, and the arc to 45 degrees times 0.9996."""
    p = projection("+proj=utm +zone=33", 0, 0, 0, 0)
    x, y = metres(p, np.array([0.0, 45.0]), np.array([15.0, 15.0]))
    np.testing.assert_allclose(x, 500000.0, atol=1e-6)
    assert y[1] == pytest.approx(0.9996 * meridian_arc(0.0, 45.0), abs=1e-3)


def test_convergence_turns_with_the_meridian() -> None:
    p = projection("+proj=utm +zone=33", 0, 0, 0, 0)
    x, y = metres(p, np.array([48.0]), np.array([17.0]))
    _, _, convergence = degrees(p, x, y)
    nx, ny = metres(p, np.array([48.0001]), np.array([17.0]))
    assert convergence[0] == pytest.approx(-math.atan2(nx[0] - x[0], ny[0] - y[0]), abs=2e-5)


def test_convergence_from_degrees_is_that_from_metres() -> None:
    rng = np.random.default_rng(2)
    for p in (projection("+proj=utm +zone=50 +south", -500000, 7e6, 0, 0), projection("!", 0, 0, 39.9, 116.4)):
        x, y = rng.uniform(-300000, 300000, 500), rng.uniform(-300000, 300000, 500)
        latitude, longitude, turned = degrees(p, x, y)
        np.testing.assert_allclose(convergence(p, latitude, longitude), turned, rtol=0, atol=1e-12)


@pytest.mark.parametrize("latitude", [-77.0, 0.3, 52.0])
def test_series_term_by_term(latitude: float) -> None:
    """The forward series with every sine and cosine for itself."""
    p = projection("!", 0, 0, latitude, 10.0)
    rng = np.random.default_rng(3)
    lat, lon = latitude + rng.uniform(-3, 3, 200), 10.0 + rng.uniform(-6, 6, 200)
    n = p.n
    a = (
        n / 2 - 2 * n**2 / 3 + 5 * n**3 / 16 + 41 * n**4 / 180, 13 * n**2 / 48 - 3 * n**3 / 5 + 557 * n**4 / 1440,
        61 * n**3 / 240 - 103 * n**4 / 140, 49561 * n**4 / 161280,
    )  # fmt: skip
    e, s, d = 2 * np.sqrt(n) / (1 + n), np.sin(np.radians(lat)), np.radians(lon) - p.longitude0
    t = np.sinh(np.arctanh(s) - e * np.arctanh(e * s))
    xi, eta = np.arctan2(t, np.cos(d)), np.arctanh(np.sin(d) / np.sqrt(1 + t * t))
    north = xi + sum(a[k] * np.sin(2 * (k + 1) * xi) * np.cosh(2 * (k + 1) * eta) for k in range(4))
    east = eta + sum(a[k] * np.cos(2 * (k + 1) * xi) * np.sinh(2 * (k + 1) * eta) for k in range(4))
    x, y = metres(p, lat, lon)
    np.testing.assert_allclose(x, p.scale * east + p.east, rtol=0, atol=1e-8)
    np.testing.assert_allclose(y, p.scale * north + p.north, rtol=0, atol=1e-8)


def test_other_projections_are_refused() -> None:
    with pytest.raises(MapError, match="merc"):
        projection("+proj=merc", 0, 0, 0, 0)
