"""RSS distances against a published number and against integration of the two cars' motions."""

import math

import numpy as np
import pytest

from cloverleaf.measure.rss import RssParameters, rss_brake, rss_lateral, rss_longitudinal, rss_opposite
from naive import safety


def test_published_example():
    assert rss_longitudinal(25.0, 20.0, 1.0, 3.5, 4.0, 8.0) == pytest.approx(103.28, abs=5e-3)


@pytest.mark.parametrize("seed", range(20))
def test_equals_the_motions_integrated(seed):
    r = np.random.default_rng(seed)
    rear, front = r.uniform(0, 35, 2)
    rho, accel, low, high = r.uniform(0.1, 2), r.uniform(0, 4), r.uniform(2, 6), r.uniform(6, 10)
    assert rss_longitudinal(rear, front, rho, accel, low, high) == pytest.approx(
        safety.longitudinal(rear, front, rho, accel, low, high), abs=0.02
    )
    assert rss_opposite(rear, front, rho, accel, 3.0, low) == pytest.approx(
        safety.opposite(rear, front, rho, accel, 3.0, low), abs=0.02
    )
    left, right = r.uniform(-2, 2, 2)
    assert rss_lateral(left, right, rho, 0.2, 0.8, 0.1) == pytest.approx(
        safety.lateral(left, right, rho, 0.2, 0.8, 0.1), abs=5e-3
    )


def test_lateral_is_symmetric_and_grows_when_closing():
    p = RssParameters()
    a = rss_lateral(-1.0, 0.5, p.rho, p.lateral_accel, p.lateral_brake, p.lateral_margin)
    b = rss_lateral(-0.5, 1.0, p.rho, p.lateral_accel, p.lateral_brake, p.lateral_margin)
    assert a == pytest.approx(b)
    assert a > rss_lateral(0.0, 0.0, p.rho, p.lateral_accel, p.lateral_brake, p.lateral_margin) > p.lateral_margin
    assert rss_lateral(2.0, -2.0, 0.1, 0.2, 0.8, 0.1) == pytest.approx(0.1)


def test_proper_response_just_avoids_the_leader():
    gap, v, lead, rho = 20.0, 15.0, 10.0, 0.3
    brake = rss_brake(v, lead, gap, rho, 8.0)
    way = v * rho + v * v / (2 * brake)
    assert way == pytest.approx(gap + lead * lead / 16.0)
    assert math.isinf(rss_brake(15.0, 0.0, 4.0, 0.3, 8.0))
    assert rss_brake(0.0, 0.0, 1.0, 0.3, 8.0) == 0.0
