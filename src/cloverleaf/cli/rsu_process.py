"""The body of `cloverleaf rsu`: doors for sensors, air and platform around a `road.unit.Unit`."""

from __future__ import annotations

import itertools
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np

from cloverleaf.cloud.live.frames import Trust, read_frame
from cloverleaf.cloud.security.own_root import UNIT, OwnRoot, make_root
from cloverleaf.cloud.security.verify import checker_of
from cloverleaf.cloud.server.uplink import Uplink
from cloverleaf.link.batches import empty, pack
from cloverleaf.link.content.content import Content
from cloverleaf.link.io.udp import UdpDoor
from cloverleaf.map.graph import BaseMap
from cloverleaf.road.controller import Controller, SimulatedController
from cloverleaf.road.controller_gb import GbAgent, GbController
from cloverleaf.road.controller_ntcip import Agent, NtcipController
from cloverleaf.road.priority import green_wave
from cloverleaf.road.signals import SignalControllers
from cloverleaf.road.spool import Spool
from cloverleaf.road.unit import Said, Unit
from cloverleaf.types.errors import CloverleafError, DecodeError
from cloverleaf.types.frames import ObjectFrame
from cloverleaf.types.messages import AwarenessBatch, MessageKind

WAVE_SPEED = 13.9
MAP_EVERY = 1.0


class _Clocked:
    """A controller behind an agent whose clock is ours."""

    def __init__(self, agent: Any, controller: Controller) -> None:
        self.agent, self.controller = agent, controller

    def status(self, t: float) -> Any:
        """Read through the seam."""
        self.agent.time = t
        return self.controller.status(t)

    def ask(self, phase: int, t: float) -> None:
        """Ask through the seam."""
        self.agent.time = t
        self.controller.ask(phase, t)


def build_controller(base_map: BaseMap, unit: int, control: str, kind: str) -> Controller:
    """The simulated controller of a unit's signal, alone or behind an adapter."""
    from cloverleaf.road.roadside import Roadside

    graph = base_map.graph
    groups = Roadside(base_map).rsu_group
    if control == "coordinated" and len(groups):
        x = [float(graph.junction_x[graph.link_junction[graph.link_signal == g]].mean()) for g in groups.tolist()]
        order = np.argsort(x)
        graph = green_wave(graph, groups[order], [x[k] for k in order.tolist()], WAVE_SPEED)
    mode = "fixed" if control == "coordinated" else control
    group = int(groups[min(unit, len(groups) - 1)]) if len(groups) else 0
    simulated = SimulatedController(SignalControllers(graph, control=mode, begin=time.time()), group)
    if kind == "ntcip":
        agent = Agent(simulated)
        return _Clocked(agent, NtcipController(agent.get, agent.put, int(graph.signal_links[group])))
    if kind == "gb":
        cabinet = GbAgent(simulated, group)
        return _Clocked(cabinet, GbController(cabinet.answer, group))
    return simulated


class Process:
    """A unit and its doors."""

    def __init__(
        self,
        unit: Unit,
        broker: str,
        standard: str,
        data: Path,
        sensors: int = 0,
        air: int = 0,
        radio: int = 0,
        security: str = "none",
    ) -> None:
        self.unit, self.standard = unit, standard
        self.signer: OwnRoot | None = None
        if security != "none":
            make_root(data / "keys", security, "unit")
            self.signer = OwnRoot(data / "keys", security, "unit", UNIT, attach=False)
        self.checker = checker_of(security, data / "trust")
        self._trust = int(Trust.UNSIGNED if self.signer is None else Trust.SIGNED)
        self.content = Content(unit.base_map, standard, clock=0.0, units=unit.groups)
        self.spool = Spool(data / "waiting")
        self.name = f"rsu{unit.number}"
        self.uplink = Uplink(broker, "road", self.name, standard, spool=self.spool)
        self.uplink.listen(f"v2x.down.road.{self.name}", self._down)
        self.uplink.listen(f"v2x.command.{unit.group}", self._command)
        self.sensors = UdpDoor(listen=("127.0.0.1", sensors)) if sensors else None
        self.air = UdpDoor(listen=("127.0.0.1", air)) if air else None
        self.radio = UdpDoor(peer=("127.0.0.1", radio)) if radio else None
        self.counts = {
            "steps": 0,
            "heard": 0,
            "undecodable": 0,
            "refused": 0,
            "detections": 0,
            "bad_detections": 0,
            "advisories": 0,
            "wishes": 0,
        }
        self._map_at = 0.0

    def _down(self, subject: str, data: bytes) -> None:
        """Advisories for those who are near: onto the air."""
        try:
            frame = read_frame(data)
        except DecodeError:
            return
        raw, at = frame.buffer.tobytes(), frame.start.tolist()
        for a, b in itertools.pairwise(at):
            self.counts["advisories"] += 1
            if self.radio is not None:
                self.radio.send_one(raw[a:b])

    def _command(self, subject: str, data: bytes) -> None:
        try:
            self.unit.wish(int(json.loads(data)["phase"]), time.time())
            self.counts["wishes"] += 1
        except (ValueError, KeyError, TypeError):
            return

    def step(self, now: float) -> None:
        """Take in what came, step the unit, say what it says."""
        self.counts["steps"] += 1
        raw, plain = self._checked(self.air.receive() if self.air is not None else [], now)
        said = self.unit.step(now, self._detections(now), self._heard(plain, now))
        self._say(said, raw, now)

    def _checked(self, raw: list[bytes], now: float) -> tuple[list[bytes], list[bytes]]:
        """What was heard and may be believed, as it came and without its envelopes."""
        if self.checker is None or not raw:
            return raw, raw
        buffer, start, reasons = self.checker.check(*pack(raw), int(MessageKind.AWARENESS), now)
        inner, at = buffer.tobytes(), start.tolist()
        good = [i for i, reason in enumerate(reasons) if not reason]
        self.counts["refused"] += len(raw) - len(good)
        return [raw[i] for i in good], [inner[at[i] : at[i + 1]] for i in good]

    def _heard(self, raw: list[bytes], now: float) -> AwarenessBatch:
        if not raw:
            return empty(AwarenessBatch)
        self.content.frame.now = now
        try:
            batch, error = self.content.decode(MessageKind.AWARENESS, *pack(raw))
        except CloverleafError:
            self.counts["undecodable"] += len(raw)
            return empty(AwarenessBatch)
        good = np.flatnonzero((error == 0) & np.isfinite(batch.x))
        self.counts["heard"] += len(good)
        self.counts["undecodable"] += len(raw) - len(good)
        return AwarenessBatch._make(c[good] for c in batch)

    def _detections(self, now: float) -> dict[str, ObjectFrame]:
        """The newest word of every sensor."""
        out: dict[str, ObjectFrame] = {}
        for datagram in self.sensors.receive() if self.sensors is not None else []:
            try:
                told = json.loads(datagram)
                rows = np.array(told["objects"], float).reshape(-1, 9)
                if not np.isfinite(rows).all() or np.abs(rows[:, :2]).max(initial=0.0) > 1000.0:
                    raise ValueError
                name = str(told["sensor"])[:40]
            except (ValueError, KeyError, TypeError):
                self.counts["bad_detections"] += 1
                continue
            self.counts["detections"] += len(rows)
            n = len(rows)
            x, y, heading, vx, vy, length, width, kind, sigma = rows.T
            out[name] = ObjectFrame(
                np.array([0, n], np.int64),
                np.full(n, now),
                x,
                y,
                heading,
                vx,
                vy,
                length,
                width,
                kind.astype(np.int32),
                sigma,
                np.full(n, 0.9),
            )
        return out

    def _say(self, said: Said, heard: list[bytes], now: float) -> None:
        parts: list[bytes] = []
        kinds: list[int] = []

        def add(kind: int, batch: Any) -> None:
            buffer, start = self.content.encode(kind, batch)
            raw = buffer.tobytes()
            for a, b in itertools.pairwise(start.tolist()):
                one = raw[a:b]
                parts.append(one if self.signer is None else self.signer.sign(one, int(kind), self.standard, now))
            kinds.extend([int(kind)] * (len(start) - 1))

        if len(said.spat.light):
            add(MessageKind.SIGNAL, said.spat)
        if len(said.perception.station) and said.perception.object_start[-1]:
            add(MessageKind.PERCEPTION, said.perception)
        if now - self._map_at >= MAP_EVERY:
            self._map_at = now
            add(MessageKind.TOPOLOGY, np.repeat(said.topology, self.content.segments(said.topology)))
        if self.radio is not None:
            for p in parts:
                self.radio.send_one(p)
        up = parts + heard  # the platform gets what the unit says, and what it hears
        kinds += [int(MessageKind.AWARENESS)] * len(heard)
        if up:
            n = len(up)
            place = (np.full(n, self.unit.x), np.full(n, self.unit.y))
            trust = np.full(n, self._trust, np.uint8)
            self.uplink.send(np.array(kinds, np.uint8), trust, *pack(up), *place, now)

    def page(self) -> dict[str, Any]:
        """Health of the unit."""
        status, unit = self.unit.status, self.unit
        moved = {n: c._asdict() for n, c in unit.calibration.items() if not c.fits}
        problems = [f"sensor {n} has moved" for n in moved] + ([f"controller: {unit.trouble}"] if unit.trouble else [])
        problems += ["the platform is away"] if len(self.spool) else []
        return {
            **self.counts, "unit": unit.number, "stage": status.phase if status else None, "waiting": len(self.spool),
            "dropped": self.spool.dropped, "sent": self.uplink.sent, "acknowledged": self.uplink.acknowledged,
            "calibration": {n: round(math.hypot(c.shift_x, c.shift_y), 3) for n, c in unit.calibration.items()}, "problems": problems,
        }  # fmt: skip

    def tell_health(self, now: float) -> None:
        """To the platform's health page."""
        page = {"role": self.name, "time": now, **self.page()}
        self.uplink.tell(f"v2x.health.{self.name}", json.dumps(page, default=str).encode())

    def close(self) -> None:
        """Say goodbye."""
        self.uplink.close()
