"""A roadside unit's process signs what it says, believes signed vehicles only, and a platform that trusts its root believes it."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloverleaf.cli.rsu_process import Process, build_controller
from cloverleaf.cloud.broker import Broker
from cloverleaf.cloud.live.engine import Engine
from cloverleaf.cloud.live.frames import Frame, Trust
from cloverleaf.cloud.security.verify import FrameChecker, read_trust
from cloverleaf.cloud.server.load import Generator, Load
from cloverleaf.cloud.server.load_keys import leave_trust
from cloverleaf.link.batches import pack
from cloverleaf.map.district import load_district
from cloverleaf.road.unit import Unit
from cloverleaf.types.messages import MessageKind

pytestmark = pytest.mark.usefixtures("compiled")


class Ether:
    """An air to hear from: what it is given is heard once."""

    def __init__(self) -> None:
        self.waiting: list[bytes] = []

    def receive(self) -> list[bytes]:
        out, self.waiting = self.waiting, []
        return out


def test_a_unit_signs_and_believes_the_signed(tmp_path: Path) -> None:
    base_map, broker = load_district()[0], Broker(tmp_path / "broker", mqtt=-1)
    leave_trust(tmp_path / "trust")
    broker.start()
    try:
        unit = Unit(base_map, 0, build_controller(base_map, 0, "plan", "simulated"))
        process = Process(unit, broker.url, "csae_day2", tmp_path, security="p256")
        sent: list[tuple[Any, ...]] = []
        process.uplink.send = lambda *told: sent.append(told)  # type: ignore[method-assign]
        process.air = ether = Ether()  # type: ignore[assignment]
        cars = Generator(Load("", "", vehicles=5, trust=int(Trust.SIGNED)), base_map)
        for k in range(12):
            now = time.time()
            heard = cars.frame(np.arange(5), now)
            raw, at = heard.buffer.tobytes(), heard.start.tolist()
            ether.waiting = [raw[a:b] for a, b in itertools.pairwise(at)]
            if k == 3:  # a changed one, an unsigned one, noise
                ether.waiting += [raw[: at[1] - 1] + bytes([raw[at[1] - 1] ^ 1]), b"\x00" * 40, b"\xff" * 90]
            process.step(now)
        process.close()
    finally:
        broker.stop()
    assert process.counts["refused"] == 3 and process.counts["heard"] == 60 and process.counts["undecodable"] == 0
    roots = [*read_trust(tmp_path / "keys"), *read_trust(tmp_path / "trust")]
    engine = Engine(base_map, checker=FrameChecker("p256", roots))
    stranger = FrameChecker("p256", read_trust(tmp_path / "trust"))
    told = []
    for k, (kind, trust, buffer, start, _, _, now) in enumerate(sent):
        assert (trust == Trust.SIGNED).all()
        told += kind.tolist()
        own = np.flatnonzero(kind != MessageKind.AWARENESS)
        raw, at = buffer.tobytes(), start.tolist()
        for i in own.tolist():
            assert stranger.check(*pack([raw[at[i] : at[i + 1]]]), int(kind[i]), now)[2][0] in ("untrusted_issuer", "unknown_certificate")
        engine.add("road.rsu0", Frame("csae_day2", -1, 1, k, now, kind, trust, buffer, start))
        engine.cycle(now)
    assert {int(MessageKind.SIGNAL), int(MessageKind.TOPOLOGY), int(MessageKind.AWARENESS)} <= set(told)
    assert engine.counts.totals == {"accepted": len(told)} and engine.intake.verified == len(told)
    assert len(engine.snapshot(now).heads) and len(engine.snapshot(now).rows) == 5
    assert (tmp_path / "keys" / "p256.key").stat().st_mode & 0o77 == 0
