"""Builds one world of one arm and seed out of the five rooms: which leaf is at work is decided here and nowhere else."""

from __future__ import annotations

from typing import Any

from cloverleaf.car.fleet import Fleet
from cloverleaf.car.supervised import SupervisedFleet
from cloverleaf.cloud.platform import Cloud
from cloverleaf.human.population import People
from cloverleaf.link.bus import Link
from cloverleaf.link.content.content import Content
from cloverleaf.link.io.bus_capture import capture_of
from cloverleaf.link.network import delay_of_percentiles
from cloverleaf.link.security.bus_security import bus_security
from cloverleaf.link.security.pseudonym import Aliases
from cloverleaf.link.silence import Silence
from cloverleaf.loop.tick import Rooms, tick
from cloverleaf.map.graph import BaseMap
from cloverleaf.road.roadside import Roadside
from cloverleaf.study.arms import Tick
from cloverleaf.study.config import Arm, Study
from cloverleaf.study.inputs import draw_demand, read_inputs
from cloverleaf.types.demand import Demand
from cloverleaf.world.scene import Scene
from cloverleaf.world.sensors.suite import sensor_set, suite_named

TICKETS = 20
"""Tickets of a car that changes its pseudonyms."""


def _link(study: Study, arm: Arm, base_map: BaseMap, road: Roadside, seed: int) -> Link | Silence:
    if "road" not in arm.leaves:
        return Silence()
    link, percentiles = study.link, study.cloud.latency_percentiles_ms
    return Link(
        Content(base_map, link.standard, units=road.rsu_group),
        standard=link.standard,
        radio=link.radio,
        step=study.step_s,
        network_latency=delay_of_percentiles(dict(percentiles)) if percentiles else study.cloud.latency_ms / 1000.0,
        security=bus_security(
            link.security,
            link.standard,
            pseudonyms=TICKETS if link.pseudonyms else 1,
            place=(base_map.geo.origin_lat_deg, base_map.geo.origin_lon_deg),
            revoked_share=link.revoked_share,
            seed=seed,
        ),
        seed=seed,
        power_dbm=link.power_dbm,
        subchannels=link.subchannels,
        congestion=link.congestion,
        aliases=Aliases(seed) if link.pseudonyms else None,
    )


def build_rooms(study: Study, arm: Arm, seed: int, base_map: BaseMap, demand: Demand) -> Rooms:
    """The rooms of one world, before its first tick."""
    leaves = arm.leaves
    carried = study.fleet.sensors
    sensors = None if carried == "series" else sensor_set(suite_named(carried), study.step_s)
    world = Scene(base_map, demand, seed=seed, step=study.step_s, begin=study.begin_s, sensors=sensors)
    with_units = "road" in leaves and study.road.units == "signals"
    road = Roadside(
        base_map,
        control=study.road.control if "road" in leaves else study.road.baseline,
        units="signals" if with_units else "none",
        begin=study.begin_s,
    )
    return Rooms(
        world=world,
        people=People(base_map, world.view(), seed=seed, errors=study.human.errors),
        fleet=SupervisedFleet(Fleet(base_map, demand.routes, step=study.step_s)),
        road=road,
        link=_link(study, arm, base_map, road, seed),
        cloud=Cloud(base_map, study.cloud.services if "cloud" in leaves else ()),
        connected="cloud" in leaves,
    )


class Run:
    """One world that ticks; the `Loop` of `study.arms`."""

    def __init__(self, study: Study, arm: Arm, seed: int) -> None:
        self.base_map = read_inputs(study).base_map
        self.demand = draw_demand(study, arm, seed)
        self.rooms = build_rooms(study, arm, seed, self.base_map, self.demand)
        self.begin, self.step = study.begin_s, study.step_s
        self.collisions = self.rooms.world.collisions
        recorded = study.link.pcap and (arm, seed) == (study.arms[-1], study.seeds[0])
        self.capture = capture_of(self.rooms.link, study.link.pcap) if recorded and study.link.pcap else None

    def tick(self) -> Tick:
        """Advance one step."""
        tick(self.rooms)
        if self.capture is not None:
            self.capture.write(self.rooms.link)
        world = self.rooms.world
        return Tick(world.time, world.actors, self.rooms.signals, world.halted(), world.removed)

    def link_statistics(self) -> dict[str, Any]:
        """The `link` part of summary.json."""
        return self.rooms.link.statistics.summary()


def build_run(study: Study, arm: Arm, seed: int) -> Run:
    """The factory that `run_study` calls in its processes."""
    return Run(study, arm, seed)


FACTORY = f"{__name__}:build_run"
"""Name of the factory, for other processes."""
