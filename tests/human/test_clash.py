"""Room shared by lanes: the kernel beside its slow twin in real traffic, and one order among those who come."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.naive import clash as naive

from cloverleaf.cli.bench_traffic import load
from cloverleaf.human.clash import FREE, clash_speed, goes_first
from cloverleaf.loop.batch import Batch
from cloverleaf.types import traffic as T
from cloverleaf.world.world import World

COLOGNE = Path(__file__).parents[3] / "shared" / "nets" / "resco_cologne8" / "run.sumocfg"


@pytest.mark.skipif(not COLOGNE.is_file(), reason="shared traffic nets are not beside the checkout")
@pytest.mark.parametrize("step", [0.1, 1.0])
def test_kernel_equals_its_slow_twin_in_traffic(step: float) -> None:
    setup, base_map, demand = load(COLOGNE, 1)
    batch = Batch(World(base_map, demand, seed=1, step=step, begin=setup.begin, measured=False))
    g = batch.world.ground
    veh, lists, roads = g.vehicles, g.lists, g.roads
    bound = 0
    for _ in range(250):
        batch.run(round(4.0 / step))
        for slot in veh.active[: veh.count[0]].tolist():
            lane, link = veh.i[slot, T.LANE], veh.i[slot, T.LINK]
            ways = [(lane, -veh.f[slot, T.S])]
            if link >= 0 and roads.link_i[link, T.LINK_VIA] >= 0:
                ways.append((roads.link_i[link, T.LINK_VIA], roads.lane_f[lane, T.LANE_LENGTH] - veh.f[slot, T.S]))
            for path, ahead in ways:
                fast = clash_speed(veh, lists, roads, slot, path, ahead, step)
                slow = naive.clash_speed(veh, lists, roads, slot, path, ahead, step)
                assert fast == pytest.approx(min(slow, FREE), abs=1e-3)  # m/s
                bound += fast < FREE
    assert bound > 200


@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_of_two_who_come_never_both_let_the_other_go_first(dt: float) -> None:
    rng = np.random.default_rng(1)
    f = np.zeros((2, T.F_COLUMNS))
    yielded = np.zeros(2, int)
    for _ in range(4000):
        f[:, T.V], f[:, T.DECEL] = rng.uniform(0.0, 14.0, 2) * rng.integers(0, 2, 2), rng.uniform(2.0, 5.0, 2)
        ways = rng.uniform(0.1, 40.0, 2) if rng.random() < 0.8 else np.full(2, rng.uniform(0.1, 40.0))
        room = rng.uniform(3.0, 15.0)
        one = goes_first(f, 0, 1, ways[0], ways[1], room, dt)
        two = goes_first(f, 1, 0, ways[1], ways[0], room, dt)
        assert one == naive.yields(f[0], f[1], ways[0], ways[1], room, True, dt)
        assert two == naive.yields(f[1], f[0], ways[1], ways[0], room, False, dt)
        assert not (one and two)
        yielded += one, two
    assert yielded.min() > 50
