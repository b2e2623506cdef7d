"""What a car takes from its inbox: objects, signal timing, advice and warnings end up in its memory, stale and own content does not."""

import numpy as np
import pytest

from car.test_closed_loop import NET, Toy, first_link, pytestmark, straight  # noqa: F401
from cloverleaf.car.heard import heard
from cloverleaf.car.state import ADVICE, COUNT, EVENT_AT, SPAT_END, SPAT_LIGHT, SPAT_LINK, T_STATION, T_X, T_Y
from cloverleaf.link.station import empty_received
from cloverleaf.map.io.sumo_net import read_sumo_net
from cloverleaf.types.messages import AdviceBatch, AwarenessBatch, EventBatch, PerceptionBatch, SignalBatch
from cloverleaf.types.messages import MessageKind as K


@pytest.fixture
def toy():
    edges = straight(read_sumo_net(NET.resolve()))
    toy = Toy(edges)
    length = float(toy.map.graph.lane_length[toy.lane])
    toy.actors.x[0], toy.actors.y[0], toy.actors.heading[0] = toy.place(toy.lane, length - 60.0)
    toy.link = first_link(toy, edges)
    toy.light = ord("G")
    toy.step()
    return toy


def inbox(toy, time):
    """Station 9 30 m ahead, the car's own echo, a roadside unit that sees someone, one phase, one advice, one warning."""
    g = toy.map.graph
    one, x, y = np.ones(1), toy.actors.x[0], toy.actors.y[0]
    return empty_received(np.array([7]))._replace(
        start=np.array([0, 6]),
        kind=np.array([K.AWARENESS, K.AWARENESS, K.PERCEPTION, K.SIGNAL, K.ADVICE, K.EVENT], np.int32),
        message=np.array([0, 1, 0, 0, 0, 0], np.int32),
        delay=np.zeros(6),
        awareness=AwarenessBatch(
            np.array([9, 7]), time * np.ones(2), x + np.array([30.0, 0.0]), y * np.ones(2), np.zeros(2), np.zeros(2), np.zeros(2),
            np.zeros(2), 4.5 * np.ones(2), 1.8 * np.ones(2), np.ones(2, np.int32), np.zeros(2, np.int32),
        ),
        perception=PerceptionBatch(
            np.array([10**9]), time * one, np.array([0, 1]), np.zeros(1, np.int32), np.array([-1]), time * one, x - 40.0 * one,
            y * one, 0.0 * one, 0.0 * one, 4.5 * one, 1.8 * one, np.ones(1, np.int32), 0.3 * one,
        ),
        signal=SignalBatch(
            np.array([10**9]), time * one, g.link_signal[[toy.link]].astype(np.int32), np.array([0, 1]),
            g.link_signal_index[[toy.link]].astype(np.int32), np.full(1, 6, np.uint8), time + one, np.full(1, np.nan), time + 9.0 * one,
            np.full(1, 7, np.uint8), time + 12.0 * one,
        ),
        advice=AdviceBatch(np.array([-2]), time * one, np.array([7]), 8.5 * one, x * one, y * one, time + 20.0 * one),
        event=EventBatch(
            np.array([-2]), time * one, np.ones(1, np.int32), x * one, y * one, one, np.array([-1]), x * one, y * one, 3.0 * one
        ),
    )  # fmt: skip


def drive(toy, received):
    toy.fleet.step(toy.frames(), toy.mission(), received, toy.t)
    slot = toy.fleet._slot[7]
    return toy.fleet.memory.f[slot], toy.fleet.memory.i[slot], slot


def test_fresh_content_is_remembered(toy):
    f, i, slot = drive(toy, inbox(toy, toy.t))
    memory = toy.fleet.memory
    stations = memory.track_i[slot, : i[COUNT], T_STATION].tolist()
    assert sorted(stations) == [-1, 9]
    assert f[ADVICE] == 8.5 and f[EVENT_AT] == pytest.approx(toy.t + 3.0)
    assert i[SPAT_LINK] == toy.link and i[SPAT_LIGHT] == 6 and f[SPAT_END] == pytest.approx(toy.t + 9.0)
    k = stations.index(9)
    place = memory.track[slot, k, [T_X, T_Y]] - (toy.actors.x[0], toy.actors.y[0])
    assert place == pytest.approx((30.0, 0.0), abs=1e-6)


def test_stale_content_is_not(toy):
    f, i, _ = drive(toy, inbox(toy, toy.t - 6.0))
    assert i[COUNT] == 0 and f[ADVICE] == 0.0 and f[EVENT_AT] == 0.0 and i[SPAT_LINK] == -1


def test_tables_keep_every_row(toy):
    table = heard(inbox(toy, toy.t))
    assert len(table.object) == 3 and table.object_start.tolist() == [2, 3]
    assert table.signal.shape == (1, 7) and table.advice.shape == (1, 4) and table.event.shape == (1, 5)
