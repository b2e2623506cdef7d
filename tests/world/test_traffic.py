"""Traffic on real nets: lists stay sorted, nobody overlaps, tick by tick equals the batch, results lie near SUMO's."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.naive.lanes import order, overlaps, walked

from cloverleaf.cli.bench_traffic import load, summary
from cloverleaf.loop.batch import Batch
from cloverleaf.map.loops import Loops
from cloverleaf.road.signals import SignalControllers
from cloverleaf.types import traffic as T
from cloverleaf.world.world import World

SHARED = Path(__file__).parents[3] / "shared"
COLOGNE = SHARED / "nets" / "resco_cologne8" / "run.sumocfg"
pytestmark = pytest.mark.skipif(not COLOGNE.is_file(), reason="shared traffic nets are not beside the checkout")


@pytest.fixture(scope="module")
def cologne() -> tuple[Any, Any, Any]:
    return load(COLOGNE, 1)


def _batch(data: tuple[Any, Any, Any], step: float, seed: int = 1) -> Batch:
    setup, base_map, demand = data
    return Batch(World(base_map, demand, seed=seed, step=step, begin=setup.begin))


def _digest(world: World) -> str:
    v = world.ground.vehicles
    rows = np.sort(v.active[: v.count[0]])
    return hashlib.sha256(v.f[rows].tobytes() + v.i[rows].tobytes() + world.ledger().tobytes()).hexdigest()


def test_lists_are_sorted_and_nobody_overlaps(cologne: tuple[Any, Any, Any]) -> None:
    batch = _batch(cologne, 0.1)
    g = batch.world.ground
    for _ in range(60):
        batch.run(100)
        for lane in np.nonzero(g.lists.first >= 0)[0]:
            assert walked(g.vehicles, g.lists, int(lane)) == order(g.vehicles, int(lane))
        assert not overlaps(g.vehicles, g.lists)
    assert g.vehicles.count[0] > 20


def test_ticks_equal_the_batch(cologne: tuple[Any, Any, Any]) -> None:
    fused, single = _batch(cologne, 1.0), _batch(cologne, 1.0)
    fused.run(300)
    world, drivers, graph = single.world, single.drivers, cologne[1].graph
    roads, loops = SignalControllers(graph, begin=world.time), Loops(graph)
    for _ in range(300):
        world.show(roads.step(world.time, loops.read(world.view()), np.zeros(len(graph.lane_length))))
        world.step(drivers.drive(world.view()))
    assert _digest(fused.world) == _digest(world)


def test_two_threads_give_the_same_digests(cologne: tuple[Any, Any, Any]) -> None:
    def run(seed: int) -> str:
        batch = _batch(cologne, 1.0, seed)
        batch.run(400)
        return _digest(batch.world)

    alone = [run(seed) for seed in (1, 2)]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(run, (1, 2))) == alone
    assert alone[0] != alone[1]


@pytest.mark.parametrize(("step", "loss_bound"), [(1.0, 0.10), (0.1, 0.10)])
def test_cologne_lies_near_sumo(cologne: tuple[Any, Any, Any], step: float, loss_bound: float) -> None:
    batch = _batch(cologne, step)
    batch.run(round(3600 / step))
    ours = summary(batch.world.ledger())
    record = json.loads((SHARED / "oracle" / "sumo" / "resco_cologne8.json").read_text())
    theirs = record["results"][f"step_length_{step}"]["summary"]
    assert ours["arrived"] == pytest.approx(theirs["arrived"]["mean"], rel=0.03)
    assert ours["timeLoss_s"] == pytest.approx(theirs["timeLoss_s"]["mean"], rel=loss_bound)
    assert ours["CO2_g"] == pytest.approx(theirs["CO2_g"]["mean"], rel=0.10)
    v = batch.world.ground.vehicles
    assert v.f[v.active[: v.count[0]], T.WAIT].max() < 200.0  # nobody is stuck
