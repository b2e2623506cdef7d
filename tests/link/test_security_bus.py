"""Security on the bus: signed traffic passes, attacks are refused and counted, overload drops the harmless first."""

from __future__ import annotations

import numpy as np
import pytest
from test_bus import awareness, heard, signals, stations

from cloverleaf.link.bus import Link
from cloverleaf.link.overload import Pairs, relieve
from cloverleaf.link.security import sm2
from cloverleaf.link.security.bus_security import BusSecurity, bus_security
from cloverleaf.link.security.certificate import Circle, issue
from cloverleaf.link.security.envelope import Header, seal, to_be_signed
from cloverleaf.link.security.pseudonym import Aliases, ChangePolicy
from cloverleaf.link.security.schedule import urgency
from cloverleaf.link.security.signer import simulated_authority
from cloverleaf.link.security.station import SecureStation
from cloverleaf.link.security.verifier import Verifier
from cloverleaf.link.station import Stations, empty_outbox
from cloverleaf.types.errors import StudyError
from cloverleaf.types.messages import (
    CLOUD_STATION,
    RSU_STATION_BASE,
    AwarenessBatch,
    EventBatch,
    MessageKind,
    WireBatch,
)
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


def test_pseudonyms_change_on_the_air_and_in_the_certificate() -> None:
    """After 2 s every half second: another id in the bytes, another certificate, silence between; receivers see the same station."""
    who = stations([0.0, 50.0])
    policy = ChangePolicy(first_m=(0.0, 0.0), later_s=(0.5, 0.5), silence_s=(0.15, 0.15))
    security = BusSecurity("p256", "csae_day2", pseudonyms=3)
    link = Link(PickleContent(), radio="ideal", security=security, aliases=Aliases(1, policy))
    used, shown, heard_at = set(), set(), []
    for k in range(20):
        inbox = link.exchange(empty_outbox()._replace(awareness=awareness(who, k * 0.1)), who, k * 0.1)
        used.add(security.signer(0).ticket.certificate.hashed_id)
        shown.add(int(link.aliases.shown(np.array([0]))[0]))
        mine = heard(inbox, 1, MessageKind.AWARENESS)
        heard_at.append(len(mine))
        assert all(inbox.cars.awareness.station[m] == 0 for m in mine)
    assert len(used) == len(shown) == link.statistics.pseudonym_changes // 2 == 3, "the first change comes at once"
    assert heard_at.count(0) >= 4 and link.statistics.silent == 2 * heard_at.count(0) and not link.statistics.refused


def crossing(seed: int) -> tuple[Link, BusSecurity, list[Stations]]:
    """Three cars of which the last arrives within reach at tick 5; over the ideal radio."""
    security = BusSecurity("p256", "csae_day2", seed=seed)
    ways = [stations([0.0, 50.0, 5000.0 if k < 5 else 100.0]) for k in range(12)]
    return Link(PickleContent(), radio="ideal", security=security), security, ways


def test_who_does_not_know_a_certificate_asks_for_it_and_gets_it() -> None:
    link, _, ways = crossing(0)
    lost, sizes = [], []
    for k, who in enumerate(ways):
        before = link.statistics.unknown
        link.exchange(empty_outbox()._replace(awareness=awareness(who, k * 0.1)), who, k * 0.1)
        lost.append(link.statistics.unknown - before)
        sizes.append(np.diff(link.wire.start).tolist())
    # at tick 5 all meet: four deliveries between old and new neighbours are lost, the requests go out at 6, the answers at 7
    assert lost == [0] * 5 + [4, 4] + [0] * 5
    grown = [b - a for a, b in zip(sizes[5], sizes[7])]
    assert min(grown) > 80, "the certificates came along"


def test_peers_behave_like_secure_stations() -> None:
    """The same meeting between three whole stations, each with its own verifier: the same deliveries are lost."""
    _, security, ways = crossing(0)
    now = security.offset
    each = []
    for car in range(3):
        verifier = Verifier([security.authority.root])
        verifier.learn(security.authority.authority)
        each.append(SecureStation(security.signer(car), verifier, [security.authority.authority]))
    lost = []
    for k, who in enumerate(ways):
        sent = [s.sign(bytes([i, k]), 111, now + k * 0.1) for i, s in enumerate(each)]
        missed = 0
        for r, station in enumerate(each):
            for s, data in enumerate(sent):
                if s != r and abs(who.car_x[r] - who.car_x[s]) <= 1000.0:
                    missed += station.receive(data, (111,), now + k * 0.1) is None
        lost.append(missed)
    assert lost == [0] * 5 + [4, 4] + [0] * 5


def test_revoked_stations_are_refused() -> None:
    who = stations([0.0, 50.0])
    security = BusSecurity("p256", "csae_day2")
    link = Link(PickleContent(), radio="ideal", security=security)
    for k in range(4):
        if k == 2:
            security.revoke([0], 0.2)
        inbox = link.exchange(empty_outbox()._replace(awareness=awareness(who, k * 0.1)), who, k * 0.1)
        assert len(heard(inbox, 1, MessageKind.AWARENESS)) == (k < 2)
        assert len(heard(inbox, 0, MessageKind.AWARENESS)) == 1
    assert dict(link.statistics.refused) == {"revoked": 2}


def test_a_share_of_the_cars_may_be_revoked_from_the_start() -> None:
    who = stations(np.linspace(0.0, 500.0, 60).tolist())
    link = Link(
        PickleContent(), radio="ideal", security=BusSecurity("p256", "etsi", revoked_share=0.3, seed=2), standard="etsi"
    )
    link.exchange(empty_outbox()._replace(awareness=awareness(who, 0.0)), who, 0.0)
    assert 8 <= link.statistics.refused["revoked"] <= 28


HOSTILE = {
    "certificate_expired": dict(start=-400 * 3600, hours=100),
    "certificate_not_yet_valid": dict(start=3600, hours=100),
    "out_of_region": dict(regions=(Circle(10.0, 10.0, 500.0),)),
    "wrong_permission": dict(permissions={37: b""}),
    "untrusted_issuer": dict(stranger=True),
    "message_expired": dict(age=30.0),
    "from_the_future": dict(age=-30.0),
}


def hostile(
    security: BusSecurity,
    payload: bytes,
    *,
    start: int = 0,
    hours: int = 100,
    regions: tuple = (),
    permissions: dict | None = None,
    stranger: bool = False,
    age: float = 0.0,
) -> bytes:
    """A message with a certificate that is wrong in one way, signed with its own key."""
    begin, key = int(security.offset) + start, security.algorithm.generate(0xBAD)
    home = security.authority
    if stranger:
        home = simulated_authority(security.algorithm, int(security.offset) - 7200)
    wide = home._replace(start=begin, hours=hours)
    issuer = home.authority
    if start < -3600:  # an authority that was there then: the ticket must fail by its own time
        old_root = security.authority.root
        issuer = issue(security.algorithm, old_root, security.algorithm.generate(0xC10BE4), security.algorithm.generate(0x1EAF),
                       name="old", start=begin, hours=hours, permissions={}, issues=True)  # fmt: skip
        security.verifier._issuers[issuer.hashed_id] = issuer
    certificate = issue(security.algorithm, issuer, wide.key, key, name="", start=begin, hours=hours,
                        permissions=permissions or {111: b""}, regions=regions)  # fmt: skip
    signed = to_be_signed(payload, Header(111, round((security.offset + 0.1 - age) * 1e6)))
    return seal(signed, certificate, security.algorithm.sign(key, signed, certificate.coer), attach=True)


@pytest.mark.parametrize("reason", HOSTILE)
def test_every_kind_of_hostile_message_has_its_own_reason(reason: str) -> None:
    who = stations([0.0, 50.0])
    security = BusSecurity("p256", "csae_day2", place=(31.0, 121.0))
    link = Link(PickleContent(), radio="ideal", security=security)
    link.exchange(empty_outbox()._replace(awareness=awareness(who, 0.0)), who, 0.0)
    payload = PickleContent().encode(MessageKind.AWARENESS, awareness(who, 0.1))[0].tobytes()
    data = np.frombuffer(hostile(security, payload, **HOSTILE[reason]), np.uint8)
    link.inject(shift(link.wire, [0])._replace(buffer=data, start=np.array([0, len(data)])))
    link.exchange(empty_outbox()._replace(awareness=awareness(who, 0.1)), who, 0.1)
    assert dict(link.statistics.refused) == {reason: 1}


def test_junk_and_stale_messages_without_security_have_reasons_too() -> None:
    who = stations([0.0, 50.0])
    link = Link(PickleContent(), radio="ideal")
    link.exchange(empty_outbox()._replace(awareness=awareness(who, 0.0)), who, 0.0)
    first = shift(link.wire, [0])
    for k, age in ((1, 0.0), (2, 20.0), (3, -20.0)):
        late = PickleContent().encode(MessageKind.AWARENESS, awareness(stations([0.0]), k * 0.1 - age))
        link.inject(first if k == 1 else first._replace(buffer=late[0], start=late[1]))
        link.exchange(empty_outbox()._replace(awareness=awareness(who, k * 0.1)), who, k * 0.1)
    link.inject(first._replace(buffer=np.frombuffer(b"nonsense", np.uint8), start=np.array([0, 8])))
    link.exchange(empty_outbox(), who, 0.4)
    assert dict(link.statistics.refused) == {"out of order": 1, "stale": 1, "future": 1, "undecodable": 1}


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


@pytest.mark.parametrize("name", NAMES)
def test_in_the_loop_fivefold_overload_costs_no_warning(name: str) -> None:
    """A car among sixty signing ones of which three are on a course that meets its own, a light and a warning of the cloud; it can check
    a fifth of what it hears."""
    n, seconds = 60, np.array([2.0, 3.0, 5.0])
    security = BusSecurity(name, "csae_day2")
    security.capacity = 10.0 * (n + 1) / 5.0
    link = Link(PickleContent(), radio="ideal", security=security, network_latency=0.001)
    rng = np.random.default_rng(4)
    x, y = np.zeros(n), np.zeros(n)
    vx, vy = np.zeros(n), np.zeros(n)
    vx[0] = 15.0
    x[1:4] = 15.0 * seconds + np.array([60.0, 0.0, -40.0])  # each arrives where the first will be
    y[1:4] = np.array([0.0, 90.0, -120.0])
    vx[1:4], vy[1:4] = np.array([-30.0, 0.0, 8.0]), np.array([0.0, -30.0, 24.0])
    x[4:], y[4:] = rng.uniform(-300.0, -60.0, n - 4), rng.uniform(-40.0, 40.0, n - 4)
    vx[4:] = -rng.uniform(5.0, 15.0, n - 4)  # the rest drives away behind it
    for k in range(5):
        t = 0.1 * k
        who = stations([0.0] * n, [200.0])._replace(car_x=x + vx * t, car_y=y + vy * t)
        own = awareness(who, t)._replace(x=x + vx * t, y=y + vy * t, speed=np.hypot(vx, vy), heading=np.arctan2(vy, vx))
        out = empty_outbox()._replace(awareness=own, signal=signals(who, t), event=warning(t))
        inbox = link.exchange(out, who, t)
        senders = inbox.cars.awareness.station[heard(inbox, 0, MessageKind.AWARENESS)].tolist()
        assert {1, 2, 3} <= set(senders), "those that meet it"
        assert len(heard(inbox, 0, MessageKind.SIGNAL)) == len(heard(inbox, 0, MessageKind.EVENT)) == 1
        assert len(senders) + 2 <= security.capacity * 0.1 + 1e-9
    assert link.statistics.summary()["deferred"] > 0.7 * 5 * n * n and not link.statistics.refused


def warning(t: float) -> EventBatch:
    one = np.ones(1)
    return EventBatch(
        np.array([CLOUD_STATION]),
        one * t,
        np.array([2], np.int32),
        one * 50,
        one * 0,
        one * 20,
        np.array([0]),
        one * 50,
        one * 0,
        one * 3,
    )
