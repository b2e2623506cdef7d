"""The bus: what is sent at tick k is readable at k + 1 or later, once decoded, by those who may hear it."""

from __future__ import annotations

import numpy as np
import pytest

from cloverleaf.link.bus import Link
from cloverleaf.link.network import delay_of_percentiles
from cloverleaf.link.station import Inboxes, Outbox, Stations, empty_outbox
from cloverleaf.types.messages import (
    CLOUD_STATION,
    RSU_STATION_BASE,
    AdviceBatch,
    AwarenessBatch,
    EventBatch,
    MessageKind,
    SignalBatch,
    WireBatch,
)
from cloverleaf.types.signals import SignalCommand
from naive.link_content import PickleContent


def stations(car_x: list[float], unit_x: list[float] = (), cloud: bool = True) -> Stations:  # type: ignore[assignment]
    x, u = np.array(car_x, float), np.array(unit_x, float)
    return Stations(
        np.arange(len(x), dtype=np.int64),
        x,
        np.zeros(len(x)),
        RSU_STATION_BASE + np.arange(len(u)),
        u,
        np.zeros(len(u)),
        cloud,
    )


def awareness(who: Stations, t: float) -> AwarenessBatch:
    n = len(who.car)
    zero = np.zeros(n)
    ints = np.zeros(n, np.int32)
    return AwarenessBatch(
        who.car, zero + t, who.car_x, who.car_y, zero, zero + 10, zero, zero, zero + 4.5, zero + 1.8, ints + 1, ints
    )


def signals(who: Stations, t: float) -> SignalBatch:
    n = len(who.unit)
    start = np.arange(n + 1, dtype=np.int64) * 2
    two = np.zeros(2 * n)
    return SignalBatch(
        who.unit, np.full(n, t), np.arange(n, dtype=np.int32), start, np.tile(np.arange(2, dtype=np.int32), n),
        np.tile(np.array([3, 6], np.uint8), n), two + t + 5, two + t + 6, two + t + 7, np.tile(np.array([6, 7], np.uint8), n), two + t + 9,
    )  # fmt: skip


def advice(target: list[int], speed: float, t: float) -> AdviceBatch:
    n = len(target)
    one = np.ones(n)
    return AdviceBatch(
        np.full(n, CLOUD_STATION), one * t, np.array(target, np.int64), one * speed, one, one, one * (t + 3)
    )


def heard(inbox: Inboxes, receiver: int, kind: MessageKind) -> list[int]:
    box = inbox.cars
    part = slice(box.start[receiver], box.start[receiver + 1])
    return [int(m) for k, m in zip(box.kind[part], box.message[part]) if k == kind]


def test_cars_hear_each_other_but_not_themselves() -> None:
    who = stations([0.0, 50.0, 120.0])
    content = PickleContent()
    inbox = Link(content, radio="ideal").exchange(empty_outbox()._replace(awareness=awareness(who, 0.0)), who, 0.0)
    for r in range(3):
        senders = inbox.cars.awareness.station[heard(inbox, r, MessageKind.AWARENESS)]
        assert sorted(senders) == [s for s in range(3) if s != r]
    assert content.decoded == 3, "each message is decoded once, however many hear it"


def test_reach_ends() -> None:
    who = stations([0.0, 999.0, 1001.0])
    inbox = Link(PickleContent(), radio="ideal").exchange(
        empty_outbox()._replace(awareness=awareness(who, 0.0)), who, 0.0
    )
    assert list(inbox.cars.awareness.station[heard(inbox, 0, MessageKind.AWARENESS)]) == [1]


def test_units_and_cloud_hear_cars_and_cars_hear_units() -> None:
    who = stations([0.0, 50.0], [10.0])
    out = empty_outbox()._replace(awareness=awareness(who, 0.0), signal=signals(who, 0.0), topology=who.unit)
    inbox = Link(PickleContent(), radio="ideal").exchange(out, who, 0.0)
    assert len(inbox.units.message) == 2
    assert [int(inbox.cars.signal.station[m]) for m in heard(inbox, 1, MessageKind.SIGNAL)] == [RSU_STATION_BASE]
    assert sorted(inbox.cloud.kind) == [MessageKind.AWARENESS] * 2 + [MessageKind.SIGNAL]
    assert inbox.cars.signal.light.tolist() == [3, 6]


def test_cloud_stays_deaf_without_network() -> None:
    who = stations([0.0, 50.0], cloud=False)
    inbox = Link(PickleContent(), radio="ideal").exchange(
        empty_outbox()._replace(awareness=awareness(who, 0.0)), who, 0.0
    )
    assert len(inbox.cloud.message) == 0


def test_network_latency_delays_by_whole_ticks() -> None:
    who = stations([0.0, 50.0])
    link = Link(PickleContent(), radio="ideal", network_latency=0.25)
    seen = {}
    for k in range(12):
        out = empty_outbox()
        if k == 0:
            out = out._replace(awareness=awareness(who, 0.0), advice=advice([1], 9.0, 0.0))
        inbox = link.exchange(out, who, k * 0.1)
        for m in range(len(inbox.cloud.message)):
            seen[("cloud", int(inbox.cloud.awareness.station[inbox.cloud.message[m]]))] = (
                k,
                float(inbox.cloud.delay[m]),
            )
        for m in heard(inbox, 1, MessageKind.ADVICE):
            seen["advice"] = (k, float(inbox.cars.advice.speed[m]))
            assert inbox.cars.delay[inbox.cars.start[1]] >= 0.175
    assert set(seen) == {("cloud", 0), ("cloud", 1), "advice"}
    assert seen["advice"][0] >= 1 and seen["advice"][1] == 9.0
    for station in (0, 1):
        k, delay = seen[("cloud", station)]
        assert k * 0.1 < delay <= (k + 1) * 0.1, "readable in the first tick after its delay"


def test_advice_reaches_only_its_target() -> None:
    who = stations([0.0, 50.0, 100.0])
    link = Link(PickleContent(), radio="ideal", network_latency=0.01)
    inbox = link.exchange(empty_outbox()._replace(advice=advice([2], 9.0, 0.0)), who, 0.0)
    assert [len(heard(inbox, r, MessageKind.ADVICE)) for r in range(3)] == [0, 0, 1]


def test_event_to_everyone_reaches_everyone_near() -> None:
    who = stations([0.0, 50.0, 5000.0])
    one = np.ones(1)
    event = EventBatch(
        np.array([CLOUD_STATION]),
        one * 0,
        np.array([1], np.int32),
        one * 0,
        one * 0,
        one * 20,
        np.array([-1]),
        one,
        one,
        one,
    )
    inbox = Link(PickleContent(), radio="ideal", network_latency=0.01).exchange(
        empty_outbox()._replace(event=event), who, 0.0
    )
    assert [len(heard(inbox, r, MessageKind.EVENT)) for r in range(3)] == [1, 1, 0]


def wish(groups: list[int], t: float) -> SignalCommand:
    return SignalCommand(np.array(groups, np.int32), np.full(len(groups), 2, np.int32), np.full(len(groups), t))


def test_signal_command_arrives_with_the_field_networks_delay() -> None:
    who = stations([])
    link = Link(
        PickleContent(), radio="ideal", network_latency=delay_of_percentiles({"p0": 250, "p100": 250, "p50": 250})
    )
    got = []
    for k in range(5):
        out = empty_outbox()._replace(command=wish([4], 0.0)) if k == 0 else empty_outbox()
        got.append(link.exchange(out, who, k * 0.1).command.group.tolist())
    assert got == [[], [], [4], [], []]


def test_each_signal_command_takes_its_own_time() -> None:
    measured = delay_of_percentiles({"p0": 40, "p50": 150, "p90": 900, "p100": 1500})
    link, groups, sent, late = Link(PickleContent(), radio="ideal", network_latency=measured), 30, 200, []
    for k in range(sent + 16):
        t = k * 0.1
        out = empty_outbox()._replace(command=wish(list(range(groups)), t)) if k < sent else empty_outbox()
        got = link.exchange(out, stations([]), t).command
        late += (t + 0.1 - got.time).tolist()
    assert len(late) == groups * sent
    for p in (0.2, 0.5, 0.8, 0.9):  # what is readable at the next tick has taken up to a tick more than its delay
        assert measured.quantile(p) - 0.01 <= np.quantile(late, p) <= measured.quantile(p) + 0.13
    assert max(late) <= 1.6 + 1e-9 and min(late) <= 0.1 + 1e-9


def run(seed: int, radio: str = "lte-v2x", cars: int = 60) -> tuple[list[bytes], Link]:
    who = stations(list(np.linspace(0, 800, cars)))
    link = Link(PickleContent(), radio=radio, seed=seed)
    digest = []
    for k in range(8):
        inbox = link.exchange(empty_outbox()._replace(awareness=awareness(who, k * 0.1)), who, k * 0.1)
        digest.append(inbox.cars.message.tobytes() + inbox.cars.start.tobytes())
    return digest, link


def test_same_seed_same_deliveries_other_seed_others() -> None:
    assert run(1)[0] == run(1)[0]
    assert run(1)[0] != run(2)[0]


def test_order_of_cars_does_not_change_who_hears_whom() -> None:
    pairs = []
    for flip in (False, True):
        x = np.linspace(0, 800, 40)
        order = np.arange(40)[::-1] if flip else np.arange(40)
        who = stations(list(x))._replace(car=order.astype(np.int64), car_x=x[order])
        inbox = Link(PickleContent(), seed=3).exchange(empty_outbox()._replace(awareness=awareness(who, 0.0)), who, 0.0)
        box = inbox.cars
        found = set()
        for r in range(40):
            part = slice(box.start[r], box.start[r + 1])
            found |= {(int(who.car[r]), int(box.awareness.station[m])) for m in box.message[part]}
        pairs.append(found)
    assert pairs[0] == pairs[1]


def test_lossy_radio_loses_more_when_farther() -> None:
    _, link = run(5)
    s = link.statistics
    near = s.received_by_distance[:8].sum() / s.offered_by_distance[:8].sum()
    far = s.received_by_distance[24:30].sum() / s.offered_by_distance[24:30].sum()
    assert near > 0.9 and far < 0.6


def test_losses_come_in_bursts() -> None:
    """A pair that lost a message loses the next one far more often than the mean."""
    who = stations(list(np.linspace(0, 1000, 50)))
    link = Link(PickleContent(), seed=3)
    hits = []
    for k in range(20):
        box = link.exchange(empty_outbox()._replace(awareness=awareness(who, k * 0.1)), who, k * 0.1).cars
        got = np.zeros((50, 50), bool)
        receiver = np.repeat(np.arange(50), np.diff(box.start))
        got[receiver, box.awareness.station[box.message]] = True
        hits.append(got)
    far = (np.abs(who.car_x[:, None] - who.car_x[None, :]) > 350) & (
        np.abs(who.car_x[:, None] - who.car_x[None, :]) < 600
    )
    lost = ~np.stack(hits)[:, far]
    again = (lost[1:] & lost[:-1]).sum() / lost[:-1].sum()
    assert again > 1.3 * lost.mean()


def test_summary_counts() -> None:
    _, link = run(1, "ideal", cars=10)
    summary = link.statistics.summary()
    assert summary["sent"] == 80 and summary["delivered"] == 80 * 9 + 80
    assert summary["pdr"] == 1.0 and summary["by_kind"]["awareness"]["sent"] == 80
    assert 4 <= summary["latency_ms_p50"] <= 60 and summary["latency_ms_p99"] < 100


def test_undecodable_bytes_are_refused_and_counted() -> None:
    who = stations([0.0, 30.0])
    link = Link(PickleContent(), radio="ideal")
    junk = np.frombuffer(b"nonsense", np.uint8)
    one = np.ones(1)
    link.inject(
        WireBatch(
            junk,
            np.array([0, 8]),
            np.zeros(1, np.int32),
            np.array([77]),
            one,
            one,
            one,
            np.zeros(1, np.uint8),
            np.array([-1]),
        )
    )
    inbox = link.exchange(empty_outbox()._replace(awareness=awareness(who, 0.0)), who, 0.0)
    assert link.statistics.refused["undecodable"] == 1
    assert len(heard(inbox, 0, MessageKind.AWARENESS)) == 1


def test_unknown_radio_is_named() -> None:
    from cloverleaf.types.errors import StudyError

    with pytest.raises(StudyError, match="lte-v3x") as caught:
        Link(PickleContent(), radio="lte-v3x")
    assert "lte-v2x" in caught.value.hint


def test_outbox_is_optional() -> None:
    who = stations([])
    assert isinstance(empty_outbox(), Outbox)
    inbox = Link(PickleContent(), radio="ideal").exchange(empty_outbox(), who, 0.0)
    assert len(inbox.cars.message) == 0 and inbox.cars.start.tolist() == [0]


def test_a_map_in_segments_is_sent_in_as_many_messages() -> None:
    class Large(PickleContent):
        def segments(self, stations: np.ndarray) -> np.ndarray:
            return np.full(len(stations), 3, np.int64)

    who = stations([0.0], [10.0, 20.0])
    link = Link(Large(), radio="ideal")
    link.exchange(empty_outbox()._replace(topology=who.unit), who, 0.0)
    assert link.statistics.sent[MessageKind.TOPOLOGY] == 6
    assert link.wire.station.tolist() == [RSU_STATION_BASE] * 3 + [RSU_STATION_BASE + 1] * 3


def test_measured_percentiles_delay_what_the_cloud_hears() -> None:
    who = stations([0.0, 50.0])
    link = Link(
        PickleContent(), radio="ideal", network_latency=delay_of_percentiles({"p0": 40, "p90": 250, "p100": 300})
    )
    delays: list[float] = []
    for k in range(200):
        inbox = link.exchange(empty_outbox()._replace(awareness=awareness(who, 0.1 * k)), who, 0.1 * k)
        delays += inbox.cloud.delay.tolist()
    assert len(delays) > 300 and min(delays) >= 0.04 and max(delays) <= 0.3
    assert np.percentile(delays, 90) == pytest.approx(0.25, abs=0.02)
