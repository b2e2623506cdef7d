"""Security on the bus: signed traffic passes, attacks are refused and counted, overload drops the harmless first."""

from __future__ import annotations

import numpy as np
import pytest
from test_bus import awareness, heard, signals, stations

from cloverleaf.link.bus import Link
from cloverleaf.link.overload import Pairs, relieve
from cloverleaf.link.security import sm2
from cloverleaf.link.security.bus_security import BusSecurity, bus_security
from cloverleaf.link.security.schedule import urgency
from cloverleaf.link.station import empty_outbox
from cloverleaf.types.errors import StudyError
from cloverleaf.types.messages import RSU_STATION_BASE, AwarenessBatch, MessageKind, WireBatch
from naive.link_content import PickleContent
from naive.urgent import naive_urgency

NAMES = ["p256", pytest.param("sm2", marks=pytest.mark.skipif(not sm2.available(), reason="needs OpenSSL's SM2"))]


@pytest.mark.parametrize("name", NAMES)
def test_signed_traffic_passes_and_costs_bytes(name: str) -> None:
    who = stations([0.0, 50.0], [10.0])
    link = Link(PickleContent(), radio="ideal", security=bus_security(name, "csae_day2"))
    plain = Link(PickleContent(), radio="ideal")
    for k in range(3):
        out = empty_outbox()._replace(
            awareness=awareness(who, k * 0.1), signal=signals(who, k * 0.1), topology=who.unit
        )
        inbox = link.exchange(out, who, k * 0.1)
        plain.exchange(out, who, k * 0.1)
        assert len(heard(inbox, 0, MessageKind.AWARENESS)) == 1 and len(heard(inbox, 0, MessageKind.SIGNAL)) == 1
    assert not link.statistics.refused
    extra = (link.statistics.bytes.sum() - plain.statistics.bytes.sum()) / link.statistics.sent.sum()
    assert 90 < extra < 250


def test_security_none_is_nothing() -> None:
    assert bus_security("none", "etsi") is None
    with pytest.raises(StudyError) as caught:
        bus_security("p265", "etsi")
    assert "p256" in caught.value.hint


def shift(wire: WireBatch, rows: list[int]) -> WireBatch:
    """The messages `rows` of a wire batch."""
    parts = [wire.buffer[wire.start[i] : wire.start[i + 1]] for i in rows]
    start = np.concatenate(([0], np.cumsum([len(p) for p in parts])))
    return WireBatch(np.concatenate(parts), start, *[column[rows] for column in wire[2:]])


def test_replay_tampering_and_impersonation_are_refused() -> None:
    who = stations([0.0, 50.0], [10.0])
    security = BusSecurity("p256", "csae_day2")
    link = Link(PickleContent(), radio="ideal", security=security)
    link.exchange(empty_outbox()._replace(awareness=awareness(who, 0.0)), who, 0.0)
    assert link.wire is not None
    old = shift(link.wire, [0])
    link.inject(old)
    tampered = shift(link.wire, [1])
    tampered = tampered._replace(buffer=tampered.buffer.copy())
    tampered.buffer[20] ^= 1
    link.inject(tampered)
    # A car's ticket does not permit SPAT: what it signs as one is refused.
    payload = PickleContent().encode(MessageKind.SIGNAL, signals(who, 0.1))[0].tobytes()
    forged = np.frombuffer(security.signer(1).sign(payload, 3619, 0.1 + security.offset), np.uint8)
    link.inject(
        old._replace(buffer=forged, start=np.array([0, len(forged)]), kind=np.array([MessageKind.SIGNAL], np.int32))
    )
    inbox = link.exchange(empty_outbox()._replace(awareness=awareness(who, 0.1)), who, 0.1)
    assert dict(link.statistics.refused) == {"replayed": 1, "bad_signature": 1, "wrong_permission": 1}
    assert len(heard(inbox, 1, MessageKind.AWARENESS)) == 1 and not heard(inbox, 1, MessageKind.SIGNAL)
    assert RSU_STATION_BASE in who.unit


def test_pseudonyms_change() -> None:
    who = stations([0.0, 50.0])
    security = BusSecurity("p256", "csae_day2", pseudonyms=3, change_every=0.25)
    link = Link(PickleContent(), radio="ideal", security=security)
    used = set()
    for k in range(9):
        link.exchange(empty_outbox()._replace(awareness=awareness(who, k * 0.1)), who, k * 0.1)
        used.add(security.signer(0).ticket.certificate.hashed_id)
    assert len(used) == 3 and not link.statistics.refused


def test_urgency_matches_the_naive_one() -> None:
    rng = np.random.default_rng(2)
    for _ in range(300):
        dx, dy, vx, vy = rng.uniform(-200, 200, 2).tolist() + rng.uniform(-30, 30, 2).tolist()
        assert urgency(dx, dy, vx, vy) == pytest.approx(naive_urgency(dx, dy, vx, vy), abs=0.06)


def test_overload_keeps_the_threat_and_the_lights() -> None:
    """A crowd of 60 that drives away, one far car that comes on fast, one light: room for ten."""
    n = 62
    who = stations([0.0] * n)
    batch = awareness(who, 0.0)
    x = np.concatenate(([0.0], np.linspace(20, 80, n - 2), [150.0]))
    speed = np.concatenate(([0.0], np.full(n - 2, 5.0), [30.0]))
    heading = np.concatenate((np.zeros(n - 1), [np.pi]))
    batch = batch._replace(x=x, speed=speed, heading=heading, station=np.arange(n))
    wire = WireBatch(
        np.zeros(0, np.uint8), np.zeros(n + 2, np.int64), np.array([0] * n + [1], np.int32), np.append(np.arange(n), RSU_STATION_BASE),
        np.append(x, 500.0), np.zeros(n + 1), np.zeros(n + 1), np.zeros(n + 1, np.uint8), np.full(n + 1, -1),
    )  # fmt: skip
    heard_by_first = np.arange(1, n + 1, dtype=np.int32)
    pairs = Pairs(np.array([0, n]), heard_by_first, np.zeros(n))
    row = np.append(np.arange(n), 0).astype(np.int32)
    kept, given_up = relieve(pairs, np.array([0]), wire, row, batch, 10)
    assert len(kept.message) == 10 and given_up == n - 10
    assert n - 1 in kept.message, "the one that comes on fast"
    assert n in kept.message, "the light"
    assert set(range(1, 8)) <= set(kept.message.tolist()), "then the nearest"


def crowd(n: int, seed: int) -> tuple[Pairs, WireBatch, np.ndarray, AwarenessBatch]:
    """A car and what it hears: `n` senders around it, every twentieth on a course that meets its own within 6 s, at any place in
    the list; and an event and a light among them."""
    rng = np.random.default_rng(seed)
    angle, distance = rng.uniform(0, 2 * np.pi, n), rng.uniform(10, 400, n)
    x, y = distance * np.cos(angle), distance * np.sin(angle)
    heading, speed = rng.uniform(0, 2 * np.pi, n), rng.uniform(0, 20, n)
    threat = rng.permutation(n) % 20 == 0
    seconds = rng.uniform(1.0, 6.0, n)
    own = np.array([15.0, 0.0])
    vx = np.where(threat, own[0] - x / seconds, speed * np.cos(heading))
    vy = np.where(threat, own[1] - y / seconds, speed * np.sin(heading))
    x, y, vx, vy = (np.concatenate(([v], column)) for v, column in zip((0.0, 0.0, 15.0, 0.0), (x, y, vx, vy)))
    batch = awareness(stations([0.0] * (n + 1)), 0.0)
    batch = batch._replace(x=x, y=y, speed=np.hypot(vx, vy), heading=np.arctan2(vy, vx), station=np.arange(n + 1))
    kind = np.array([MessageKind.AWARENESS] * (n + 1) + [MessageKind.EVENT, MessageKind.SIGNAL], np.int32)
    wire = WireBatch(
        np.zeros(0, np.uint8), np.zeros(n + 4, np.int64), kind, np.append(np.arange(n + 1), [RSU_STATION_BASE] * 2),
        np.append(x, [300.0, 300.0]), np.append(y, [0.0, 0.0]), np.zeros(n + 3), np.zeros(n + 3, np.uint8), np.full(n + 3, -1),
    )  # fmt: skip
    heard = rng.permutation(np.arange(1, n + 3)).astype(np.int32)
    wanted = np.concatenate((np.flatnonzero(threat) + 1, [n + 1, n + 2]))
    return Pairs(np.array([0, n + 2]), heard, np.zeros(n + 2)), wire, wanted, batch


@pytest.mark.parametrize("seed", range(20))
def test_nothing_worth_a_warning_is_missed_under_fivefold_overload(seed: int) -> None:
    pairs, wire, wanted, batch = crowd(998, seed)
    row = np.concatenate((np.arange(999), [0, 0])).astype(np.int32)
    kept, given_up = relieve(pairs, np.array([0]), wire, row, batch, 200)
    assert len(kept.message) == 200 and given_up == 800
    assert set(wanted.tolist()) <= set(kept.message.tolist())


def test_equally_urgent_messages_do_not_push_out_a_more_urgent_one() -> None:
    """Forty standing cars at one distance come first in the list, the one that comes on is the last."""
    n = 42
    batch = awareness(stations([0.0] * n), 0.0)
    x = np.concatenate(([0.0], np.full(n - 2, 30.0), [60.0]))
    speed, heading = np.concatenate((np.zeros(n - 1), [25.0])), np.concatenate((np.zeros(n - 1), [np.pi]))
    batch = batch._replace(x=x, speed=speed, heading=heading, station=np.arange(n))
    wire = WireBatch(
        np.zeros(0, np.uint8), np.zeros(n + 1, np.int64), np.zeros(n, np.int32), np.arange(n), x, np.zeros(n), np.zeros(n),
        np.zeros(n, np.uint8), np.full(n, -1),
    )  # fmt: skip
    pairs = Pairs(np.array([0, n - 1]), np.arange(1, n, dtype=np.int32), np.zeros(n - 1))
    kept, _ = relieve(pairs, np.array([0]), wire, np.arange(n, dtype=np.int32), batch, 8)
    assert len(kept.message) == 8 and n - 1 in kept.message
