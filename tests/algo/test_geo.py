"""Projection against a naive twin (numerical meridian arc, spherical limits) and published coordinates."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.naive.geo import meridian_arc, parallel_arc

from cloverleaf.algo.geo import degrees, metres, projection
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


def test_other_projections_are_refused() -> None:
    with pytest.raises(MapError, match="merc"):
        projection("+proj=merc", 0, 0, 0, 0)
