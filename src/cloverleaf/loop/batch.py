"""Many ticks of human traffic in one compiled call: the same kernels as the tick by tick path, without Python between them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.algo.signal_control import ControlMode, SignalMemory, SignalPlan, step_signals
from cloverleaf.human.driving import decide_all, plan_all
from cloverleaf.human.lane_change import wish_all
from cloverleaf.human.people import Drivers
from cloverleaf.map.graph import LaneGraph
from cloverleaf.map.loops import read_loops
from cloverleaf.map.signal_tables import detector_position, signal_memory, signal_plan
from cloverleaf.types.state import F64, I32
from cloverleaf.types.traffic import NEVER
from cloverleaf.world.changes import change_all
from cloverleaf.world.insertion import insert_due
from cloverleaf.world.motion import move_all
from cloverleaf.world.world import World


class Lights(NamedTuple):
    """The net's own signal control: plans, controllers, and the loops that prolong greens."""

    plan: SignalPlan
    memory: SignalMemory
    lanes: I32  # lanes whose loops an actuated group reads
    position: F64  # (L,) m
    clear_time: F64  # (L,) s
    waiting: F64  # (L,) stays 0: no plan of a net is free to choose by counts


def own_lights(graph: LaneGraph, time: float) -> Lights:
    """Controllers as the map says (fixed or actuated), where their plan is at `time` (s)."""
    plan = signal_plan(graph)
    memory = signal_memory(graph, plan, None, time)
    position = detector_position(graph, plan)
    needed = np.zeros(len(position), bool)
    for group in np.flatnonzero(memory.mode == ControlMode.ACTUATED):
        phases = plan.phase_start[group : group + 2]
        needed[plan.lane[plan.lane_start[phases[0]] : plan.lane_start[phases[1]]]] = True
    lanes = np.flatnonzero(needed & (position >= 0.0)).astype(np.int32)
    return Lights(plan, memory, lanes, position, np.full(len(position), -NEVER), np.zeros(len(position)))


@kernel
def show_lights(ground, lights):
    """Let the controllers look at their loops and show the lights of this moment."""
    time, step = ground.clock.time[0], ground.clock.time[1]
    if lights.lanes.shape[0] > 0:
        read_loops(
            ground.vehicles, ground.lists, ground.roads, lights.lanes, lights.position, time, step, lights.clear_time
        )
    step_signals(lights.plan, lights.memory, lights.clear_time, lights.waiting, time)
    for head in range(lights.memory.light.shape[0]):
        ground.roads.light[head] = lights.memory.light[head]


@kernel
def run_steps(ground, view, mind, near, intents, lights, steps, measured, tally):
    """Advance one all-human world by `steps` ticks; `tally[0]` sums the vehicle-steps."""
    g = ground
    for _ in range(steps):
        show_lights(g, lights)
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
        self.lights = own_lights(world.base_map.graph, world.time)
        self.tally = np.zeros(1, np.int64)

    def run(self, steps: int) -> int:
        """Advance `steps` ticks; returns the vehicle-steps done so far."""
        w, d = self.world, self.drivers
        run_steps(
            w.ground, w.view(), d.mind, d.near, d.intents, self.lights, np.int64(steps), w.measured, self.tally
        )  # fmt: skip
        return int(self.tally[0])
