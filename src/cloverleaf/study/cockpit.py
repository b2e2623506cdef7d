"""The loop in real time with one car to drive: what the cockpit page shows, and where its pedals go.

The pictures are what a windscreen shows, so they come from the truth; warnings, advice and the countdown of the light are what the car
itself has worked out from its sensors and from the messages it received.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from cloverleaf.car.state import SPAT_END, SPAT_LINK
from cloverleaf.cloud.api.stream import pack_json, pack_lights, pack_objects
from cloverleaf.cloud.live.snapshot import HEAD, ROW, Mark
from cloverleaf.human.cockpit import Controls
from cloverleaf.loop.driven import DrivenFleet
from cloverleaf.loop.tick import tick
from cloverleaf.road.broadcast import LIGHTS
from cloverleaf.study.build import Run
from cloverleaf.study.config import Arm, Study
from cloverleaf.types.hmi import HmiKind, Priority
from cloverleaf.types.state import Control

COCKPIT = 7
"""Kind of the cockpit's own frame, beside those of `cloud.api.stream`."""
SIGHT = 250.0  # m
MOST = 2000
PATIENCE = 600
"""Ticks that the start waits for a car to drive."""


class Place(NamedTuple):
    """Where the driven car is; m, rad, m/s."""

    row: int
    x: float
    y: float
    heading: float
    speed: float


class Drive:
    """One world of the cloud arm. Call `tick` every `step` seconds, hand `controls` over in between."""

    def __init__(self, study: Study, seed: int = 1) -> None:
        self.run = Run(study, Arm.CLOUD, seed)
        rooms = self.run.rooms
        assert not isinstance(rooms.fleet, DrivenFleet)
        self.fleet = rooms.fleet = DrivenFleet(rooms.fleet)
        self.step, self.trips = study.step_s, 0
        for _ in range(PATIENCE):
            if self.fleet.station >= 0:
                break
            self.tick()

    def tick(self) -> None:
        """Advance the world; a driver whose car has arrived sits down in another one."""
        tick(self.run.rooms)
        world = self.run.rooms.world
        if self.fleet.station not in world.stations:
            moving = world.stations[world.actors.speed[world.fleet] > 1.0]
            if len(moving):
                self.trips += 1
                self.fleet.enter(int(moving[-1]))
            else:
                self.fleet.station = -1

    def control(self, controls: Controls) -> None:
        """What hands and feet do from the next tick on."""
        self.fleet.controls = controls

    def place(self) -> Place | None:
        """The driven car; None before there is one."""
        world = self.run.rooms.world
        at = np.flatnonzero(world.stations == self.fleet.station)
        if not len(at):
            return None
        a, row = world.actors, int(world.fleet[at[0]])
        return Place(row, float(a.x[row]), float(a.y[row]), float(a.heading[row]), float(a.speed[row]))

    def pictures(self) -> list[bytes]:
        """Frames for the page: road users in sight, lights, and the instruments."""
        place, t = self.place(), self.run.rooms.world.time
        if place is None:
            return [pack_json(COCKPIT, {"time": t, "waiting": True}, t)]
        return [
            pack_objects(self._in_sight(place), t, MOST),
            pack_lights(self._heads(), t),
            pack_json(COCKPIT, self.instruments(place), t),
        ]

    def _in_sight(self, place: Place) -> np.ndarray:
        a = self.run.rooms.world.actors
        rows = np.flatnonzero((a.kind > 0) & (np.hypot(a.x - place.x, a.y - place.y) < SIGHT))
        out = np.zeros(len(rows), ROW)
        out["handle"] = a.trip[rows] + 1
        for name in ("x", "y", "heading", "speed", "accel", "length", "width", "kind"):
            out[name] = getattr(a, name)[rows]
        out["marks"] = np.where(a.control[rows] == Control.SMART, int(Mark.SMART), 0)
        return out

    def _heads(self) -> np.ndarray:
        signals = self.run.rooms.signals
        groups = np.repeat(np.arange(len(signals.start) - 1), np.diff(signals.start))
        out = np.zeros(len(groups), HEAD)
        out["group"], out["index"] = groups, np.arange(len(groups)) - signals.start[groups]
        out["light"], out["end"] = LIGHTS[signals.light], np.nan
        return out

    def instruments(self, place: Place) -> dict[str, Any]:
        """The cluster: speed, limit, who drives, warnings, the next light, advice."""
        world, cockpit = self.run.rooms.world, self.fleet.cockpit
        t, lane = world.time, int(world.actors.lane[place.row])
        warnings, advice = self._warnings()
        return {
            "time": t,
            "x": place.x,
            "y": place.y,
            "heading": place.heading,
            "speed": place.speed,
            "speed_limit": float(self.run.base_map.graph.lane_speed[lane]) if lane >= 0 else None,
            "automation": cockpit.automation.name.lower(),
            "take_over_s": cockpit.take_over_s(t),
            "warnings": warnings,
            "signal": self._signal(place, t),
            "advice_speed": advice,
            "trip": self.trips,
        }

    def _warnings(self) -> tuple[list[dict[str, Any]], float | None]:
        hmi, advice, out = self.fleet.hmi, None, []
        if hmi is None:
            return [], None
        for kind, priority, value in zip(hmi.kind.tolist(), hmi.priority.tolist(), hmi.value.tolist()):
            if kind == HmiKind.SPEED_ADVICE:
                advice = value if math.isfinite(value) else None
            elif priority >= Priority.CAUTION:
                out.append({"kind": HmiKind(kind).name, "priority": priority, "text": "", "value": None})
        return out, advice

    def _signal(self, place: Place, t: float) -> dict[str, Any] | None:
        """The light ahead that the car's SPAT messages tell of."""
        memory = self.fleet.remembered(self.fleet.station)
        if memory is None or memory[1][SPAT_LINK] < 0:
            return None
        f, g, link = memory[0], self.run.base_map.graph, int(memory[1][SPAT_LINK])
        group, stop = int(g.link_signal[link]), int(g.lane_point_start[g.link_from[link] + 1]) - 1
        if group < 0:
            return None
        signals = self.run.rooms.signals
        letter = signals.light[signals.start[group] + g.link_signal_index[link]]
        left = float(f[SPAT_END]) - t
        distance = math.hypot(g.point_x[stop] - place.x, g.point_y[stop] - place.y)
        return {"light": int(LIGHTS[letter]), "countdown": left if 0.0 < left < 1e4 else None, "distance": distance}
