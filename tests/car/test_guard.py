"""The guard on its own: it brakes exactly when RSS says so, and each of its parameters matters."""

import math

import numpy as np
import pytest

from cloverleaf.car import guard
from cloverleaf.measure.rss import rss_longitudinal, rss_opposite
from naive import safety


@pytest.mark.parametrize("seed", range(30))
def test_limits_exactly_inside_the_rss_distance(seed):
    r = np.random.default_rng(seed)
    v, front = r.uniform(1, 25), r.uniform(0, 25)
    safe = rss_longitudinal(v, front, guard.RHO, guard.ACCEL_MAX, guard.BRAKE_MIN, guard.BRAKE_MAX)
    assert math.isinf(guard.longitudinal_limit(v, front, safe + 0.01))
    if safe > 0.02:
        assert guard.longitudinal_limit(v, front, safe - 0.01) <= 0.0
    towards = r.uniform(1, 15)
    safe = rss_opposite(v, towards, guard.RHO, guard.ACCEL_MAX, guard.BRAKE_CORRECT, guard.BRAKE_MIN)
    assert math.isinf(guard.longitudinal_limit(v, -towards, safe + 0.01))
    assert guard.longitudinal_limit(v, -towards, safe - 0.01) == -guard.BRAKE_CORRECT


@pytest.mark.parametrize("seed", range(30))
def test_the_response_avoids_a_leader_who_brakes_at_once(seed):
    """Integrated with other means: braking as told from the moment the distance becomes unsafe never touches."""
    r = np.random.default_rng(seed)
    v, front = r.uniform(2, 25), r.uniform(0, 20)
    gap = rss_longitudinal(v, front, guard.RHO, guard.ACCEL_MAX, guard.BRAKE_MIN, guard.BRAKE_MAX) - 0.01
    if gap <= 0.5:
        return
    brake = -guard.longitudinal_limit(v, front, gap)
    assert brake <= guard.BRAKE_MIN + 0.1
    own = v * guard.RHO + safety.stopping_way(v, 0.0, 0.0, max(brake, 0.1))
    assert own <= gap + safety.stopping_way(front, 0.0, 0.0, guard.BRAKE_MAX) + 0.02


def test_sideways_distance_depends_on_who_drifts():
    assert guard.sideways_unsafe(2.0, -1.0, 1.8) and guard.sideways_unsafe(-2.0, 1.0, 1.8)
    assert not guard.sideways_unsafe(3.5, -0.5, 1.8) and not guard.sideways_unsafe(2.0, 0.5, 1.8)


def test_a_standing_car_may_creep_only_with_room():
    assert guard.longitudinal_limit(0.0, 0.0, 0.1) <= 0.0
    assert math.isinf(guard.longitudinal_limit(0.0, 0.0, 2.0))
