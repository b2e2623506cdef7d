"""The bus over the standards' real bytes: what is said arrives, within the wire's resolution, signed or not."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from test_bus import advice, awareness, heard, stations

from cloverleaf.link.bus import Link
from cloverleaf.link.content.content import Content
from cloverleaf.link.security.bus_security import bus_security
from cloverleaf.link.station import Outbox, Stations, empty_outbox
from cloverleaf.map.graph import GeoReference
from cloverleaf.types.messages import CLOUD_STATION, RSU_STATION_BASE, EventBatch, MessageKind

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cloud"))
from toy import Traffic, crossing, spat

GEO = GeoReference("+proj=tmerc +lat_0=31.2 +lon_0=121.4 +ellps=WGS84", 0.0, 0.0, 31.2, 121.4)


def say_everything(who: Stations, t: float) -> Outbox:
    one = np.ones(1)
    event = EventBatch(
        np.array([CLOUD_STATION]), one * t, np.array([2], np.int32), one * 5, one * 6, one * 20, np.array([1]), one * 5, one * 6,
        one * 3,
    )  # fmt: skip
    cars = Traffic([0, 1], [-40.0, -60.0])
    return empty_outbox()._replace(
        awareness=awareness(who, t), signal=spat(t, 0, t - 2.0, True), perception=cars.perception(t, np.array([0, 1])),
        advice=advice([1], 9.0, t), event=event, topology=who.unit,
    )  # fmt: skip


@pytest.mark.parametrize("standard", ["csae_day1", "csae_day2", "etsi"])
@pytest.mark.parametrize("security", ["none", "p256"])
def test_everything_said_arrives(standard: str, security: str) -> None:
    base = crossing()._replace(geo=GEO)
    who = stations([0.0, 50.0, 100.0], [0.0])
    link = Link(
        Content(base, standard), standard=standard, radio="ideal", network_latency=0.01,
        security=bus_security(security, standard),
    )  # fmt: skip
    inbox = link.exchange(say_everything(who, 3.0), who, 3.0)
    for kind in (
        MessageKind.AWARENESS,
        MessageKind.SIGNAL,
        MessageKind.PERCEPTION,
        MessageKind.ADVICE,
        MessageKind.EVENT,
    ):
        assert len(heard(inbox, 1, kind)) >= (2 if kind == MessageKind.AWARENESS else 1), kind.name
    cars, rows = inbox.cars, heard(inbox, 1, MessageKind.AWARENESS)
    batch = cars.awareness
    assert sorted(batch.station[rows]) == [0, 2]
    for row in rows:
        assert batch.x[row] == pytest.approx(who.car_x[batch.station[row]], abs=0.03) and batch.y[row] == pytest.approx(
            0.0, abs=0.03
        )
        assert batch.speed[row] == pytest.approx(10.0, abs=0.02) and batch.time[row] == pytest.approx(3.0, abs=2e-3)
    assert cars.signal.station.tolist() == [RSU_STATION_BASE] and set(cars.signal.light) == {3, 6}
    assert cars.advice.speed[heard(inbox, 1, MessageKind.ADVICE)[0]] == pytest.approx(9.0, abs=0.05)
    event = heard(inbox, 1, MessageKind.EVENT)[0]
    assert cars.event.event[event] == 2 and cars.event.x[event] == pytest.approx(5.0, abs=0.1)
    assert cars.perception.x.tolist() == pytest.approx([-40.0, 1.75], abs=0.1)
    assert not link.statistics.refused
    assert {MessageKind(int(k)) for k in inbox.cloud.kind} == {
        MessageKind.AWARENESS,
        MessageKind.SIGNAL,
        MessageKind.PERCEPTION,
    }
