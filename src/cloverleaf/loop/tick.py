"""One tick, on one page: world -> human, car, road -> link -> cloud -> world.

Read this first. Five rooms that never import each other meet here, and only through plain data and bytes:
what a car knows came through its sensors or over the link, never from the truth. A message handed to the link at tick k is
readable at tick k + 1 or later, so the order of the actors cannot matter.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cloverleaf.car.fleet import Fleet
from cloverleaf.car.supervised import SupervisedFleet
from cloverleaf.cloud.platform import Cloud
from cloverleaf.human.population import People
from cloverleaf.link.bus import Link
from cloverleaf.link.silence import Silence
from cloverleaf.link.station import Inboxes, Outbox, Stations, empty_inboxes, empty_outbox
from cloverleaf.loop.driven import DrivenFleet
from cloverleaf.road.roadside import Roadside
from cloverleaf.types.hmi import HmiBatch, empty_hmi
from cloverleaf.types.signals import SignalState
from cloverleaf.world.scene import Scene


@dataclass
class Rooms:
    """The five rooms of one world, and what lies between two of its ticks."""

    world: Scene
    people: People
    fleet: Fleet | SupervisedFleet | DrivenFleet  # bare, with supervised sensors, with a person at the wheel of one car
    road: Roadside
    link: Link | Silence
    cloud: Cloud
    connected: bool  # True: a cloud platform is reachable
    inbox: Inboxes = field(init=False)  # heard during the last tick
    down: Outbox = field(init=False)  # what the cloud said after the last tick
    hmi: HmiBatch = field(init=False)  # what the screens show
    signals: SignalState = field(init=False)  # lights of the last tick

    def __post_init__(self) -> None:
        self.inbox, self.down, self.hmi = empty_inboxes(self.stations()), empty_outbox(), empty_hmi()
        self.signals = self.road.signals(self.world.time)

    def stations(self) -> Stations:
        """Antennas: the fleet and the roadside units, where they are now."""
        w, rows = self.world, self.world.fleet
        return Stations(
            w.stations, w.actors.x[rows], w.actors.y[rows], self.road.stations, self.road.rsu_x, self.road.rsu_y, self.connected
        )  # fmt: skip


def tick(rooms: Rooms) -> None:
    """Advance one world by one step."""
    world, road, t = rooms.world, rooms.road, rooms.world.time

    # 1 sense: truth becomes sensor frames, with their noise, gaps and delay
    frames = world.sense(np.column_stack((road.rsu_x, road.rsu_y)), rooms.signals)
    # 2 human: everyone behind a wheel or on foot decides
    intents = rooms.people.drive(world.view(), rooms.hmi)
    # 3 car: locate, perceive, fuse, predict, plan, guard, control
    commands, awareness, rooms.hmi = rooms.fleet.step(frames, world.mission(), rooms.inbox.cars, t)
    # 4 road: perceive, control the signals, say what they will do
    said = road.step(frames.roadside, rooms.inbox.units, rooms.inbox.command, t, world.loops())
    # 5 link: encode, sign, send, lose, delay, verify, decode
    out = rooms.down._replace(awareness=awareness, signal=said.spat, perception=said.perception, topology=said.topology)
    rooms.inbox = rooms.link.exchange(out, rooms.stations(), t)
    # 6 cloud: twin, services, advice; it leaves with the next exchange
    advice, event, command = rooms.cloud.step(rooms.inbox.cloud, t)
    rooms.down = empty_outbox()._replace(advice=advice, event=event, command=command)
    # 7 world: everything moves
    rooms.signals = said.signals
    world.step(intents, commands, said.signals)
