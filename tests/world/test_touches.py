"""Nobody touches anybody where nobody errs: whole runs of single junctions, watched every half second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cloverleaf.cli.bench_collisions import EVERY, Watch
from cloverleaf.cli.bench_traffic import load
from cloverleaf.loop.batch import Batch
from cloverleaf.map.road_tables import signal_starts
from cloverleaf.types import traffic as T
from cloverleaf.world.world import World

MICRO = Path(__file__).parents[3] / "shared" / "nets" / "micro"
STEP = 0.1
pytestmark = pytest.mark.skipif(not MICRO.is_dir(), reason="shared micro nets are not beside the checkout")


@pytest.mark.parametrize("case", ["signal_4leg/mid", "signal_4leg/high", "priority_4leg/high", "roundabout/high"])
def test_junction_is_driven_without_a_touch(case: str) -> None:
    setup, base_map, demand = load(MICRO / f"{case}.sumocfg", 1)
    world = World(base_map, demand, seed=1, step=STEP, begin=setup.begin, measured=False)
    batch, seen = Batch(world), Watch(world)
    start, light = signal_starts(base_map.graph), world.ground.roads.light
    for _ in range(round(3600.0 / EVERY)):
        batch.run(round(EVERY / STEP))
        seen.look(start, light)
    assert not seen.contacts
    assert (~np.isnan(world.ledger()[:, T.TRIP_ARRIVAL])).sum() > 1000
