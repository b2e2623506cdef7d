"""Right before left: drivers who all wait for the one on their right sort it out by who has stood longest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cloverleaf.cli.bench_traffic import load
from cloverleaf.loop.batch import Batch
from cloverleaf.types import traffic as T
from cloverleaf.world.world import World

CASE = Path(__file__).parents[3] / "shared" / "nets" / "micro" / "right_before_left_4leg" / "low.sumocfg"


@pytest.mark.skipif(not CASE.is_file(), reason="shared traffic nets are not beside the checkout")
@pytest.mark.parametrize("step", [1.0, 0.5])
def test_nobody_waits_for_ever(step: float) -> None:
    setup, base_map, demand = load(CASE, 1)
    batch = Batch(World(base_map, demand, seed=1, step=step, begin=setup.begin))
    batch.run(round(setup.end / step))
    ledger, v = batch.world.ledger(), batch.world.ground.vehicles
    entered = int((~np.isnan(ledger[:, T.TRIP_DEPART])).sum())
    assert entered > 400
    assert int((~np.isnan(ledger[:, T.TRIP_ARRIVAL])).sum()) > 0.95 * entered
    assert not v.count[0] or v.f[v.active[: v.count[0]], T.WAIT].max() < 60.0
