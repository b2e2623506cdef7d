"""Many ticks of human traffic in one compiled call: the same kernels as the tick by tick path, without Python between them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.algo.fixed_time import show_fixed_time
from cloverleaf.algo.jit import kernel
from cloverleaf.human.driving import decide_all, plan_all
from cloverleaf.human.lane_change import wish_all
from cloverleaf.human.people import Drivers
from cloverleaf.map.graph import LaneGraph
from cloverleaf.map.road_tables import signal_starts
from cloverleaf.types.state import F64, I64, U8
from cloverleaf.world.changes import change_all
from cloverleaf.world.insertion import insert_due
from cloverleaf.world.motion import move_all
from cloverleaf.world.world import World


class Plans(NamedTuple):
    """Fixed-time signal plans of all groups."""

    offset: F64
    phase_start: I64
    duration: F64
    state_start: I64
    state: U8
    starts: I64
    until: F64  # (G,) s, next change of each group


def signal_plans(graph: LaneGraph) -> Plans:
    """The net's own plans."""
    return Plans(
        graph.signal_offset.astype(np.float64), graph.signal_phase_start.astype(np.int64), graph.phase_duration,
        graph.phase_state_start.astype(np.int64), graph.phase_state, signal_starts(graph),
        np.full(len(graph.signal_links), -1e18),
    )  # fmt: skip


@kernel
def run_steps(ground, view, mind, near, intents, plans, steps, measured, tally):
    """Advance one all-human world by `steps` ticks; `tally[0]` sums the vehicle-steps."""
    g = ground
    for _ in range(steps):
        show_fixed_time(
            g.clock.time[0], plans.offset, plans.phase_start, plans.duration, plans.state_start, plans.state,
            plans.starts, g.roads.light, plans.until,
        )  # fmt: skip
        tally[0] += g.vehicles.count[0]
        plan_all(view, mind, near)
        decide_all(view, mind, near, intents)
        wish_all(view, mind, near, intents)
        move_all(
            g.vehicles, g.lists, g.roads, g.paths, g.stops, g.ledger, g.queue.free, g.clock, intents, g.scratch, measured
        )  # fmt: skip
        change_all(g.vehicles, g.lists, g.roads, g.paths, g.clock, intents)
        g.clock.step[0] += 1
        g.clock.time[0] += g.clock.time[1]
        insert_due(g.vehicles, g.lists, g.roads, g.paths, g.ledger, g.queue, g.clock.time[0], g.clock.time[1])


class Batch:
    """A world of human drivers only, advanced many ticks at a time."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.drivers = Drivers(world.view())
        self.plans = signal_plans(world.base_map.graph)
        self.tally = np.zeros(1, np.int64)

    def run(self, steps: int) -> int:
        """Advance `steps` ticks; returns the vehicle-steps done so far."""
        w, d = self.world, self.drivers
        run_steps(
            w.ground, w.view(), d.mind, d.near, d.intents, self.plans, np.int64(steps), w.measured, self.tally
        )  # fmt: skip
        return int(self.tally[0])
