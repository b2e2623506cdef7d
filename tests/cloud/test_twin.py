"""The twin: prediction to now, one row per road user, lanes, forgetting."""

from __future__ import annotations

import numpy as np
import pytest
from toy import Traffic, crossing, inbox, spat

from cloverleaf.cloud.twin import Twin
from cloverleaf.types.messages import LightState
from naive.cloud_naive import naive_match


def test_tracks_are_predicted_to_now_and_grow_uncertain() -> None:
    twin, cars = Twin(crossing()), Traffic([0], [-100.0], speed=10.0)
    twin.ingest(inbox(cars.awareness(0.0)), 0.3)
    assert twin.tracks.x[0] == pytest.approx(-97.0) and twin.tracks.y[0] == pytest.approx(-1.75)
    young = twin.tracks.sigma[0]
    twin.ingest(inbox(), 1.2)
    assert twin.tracks.x[0] == pytest.approx(-88.0) and twin.tracks.sigma[0] > young


def test_prediction_stops_at_standstill() -> None:
    twin, cars = Twin(crossing()), Traffic([0], [-100.0], speed=2.0)
    cars.accel[:] = -4.0
    twin.ingest(inbox(cars.awareness(0.0)), 1.5)
    assert twin.tracks.x[0] == pytest.approx(-99.5) and twin.tracks.speed[0] == 0.0


def test_silent_stations_are_forgotten() -> None:
    twin, cars = Twin(crossing()), Traffic([0, 1], [-100.0, -50.0])
    twin.ingest(inbox(cars.awareness(0.0)), 0.1)
    twin.ingest(inbox(cars.awareness(1.5, np.array([1]))), 1.6)
    twin.ingest(inbox(), 2.5)
    assert twin.tracks.station.tolist() == [1]


def test_perceived_copy_of_a_connected_car_is_a_shadow() -> None:
    twin, cars = Twin(crossing()), Traffic([0, 0, 1], [-100.0, -60.0, -30.0])
    twin.ingest(inbox(cars.awareness(0.0, np.array([0])), perception=cars.perception(0.0, np.array([0, 1, 2]))), 0.1)
    tracks = twin.tracks
    assert len(tracks.x) == 4 and tracks.shadow.sum() == 1
    hidden = int(np.flatnonzero(tracks.shadow)[0])
    assert tracks.station[hidden] == -1 and abs(tracks.x[hidden] + 98.6) < 0.1


def test_old_news_does_not_replace_new() -> None:
    twin, cars = Twin(crossing()), Traffic([0], [-100.0], speed=0.0)
    twin.ingest(inbox(cars.awareness(1.0)), 1.0)
    cars.pos[:] = -200.0
    twin.ingest(inbox(cars.awareness(0.5)), 1.1)
    assert twin.tracks.x[0] == pytest.approx(-100.0)


def test_lane_match_equals_the_naive_search() -> None:
    base = crossing()
    twin = Twin(base)
    rng = np.random.default_rng(1)
    cars = Traffic(list(rng.integers(0, 4, 200)), list(rng.uniform(-300, 300, 200)))
    twin.ingest(inbox(cars.awareness(0.0)), 0.0)
    t = twin.tracks
    for i in range(200):
        lane, s = naive_match(base.graph, t.x[i], t.y[i], t.heading[i], t.length[i])
        assert (t.lane[i], pytest.approx(t.s[i])) == (lane, s)
    assert set(t.lane) == set(range(12))


def test_off_the_map_has_no_lane() -> None:
    twin, cars = Twin(crossing()), Traffic([0, 0], [-5000.0, -100.0])
    twin.ingest(inbox(cars.awareness(0.0)), 0.0)
    assert twin.tracks.lane.tolist() == [-1, 0]


def test_signal_memory_keeps_the_last_spat() -> None:
    twin = Twin(crossing())
    twin.ingest(inbox(signal=spat(5.0, 0, 0.0, True)), 5.0)
    assert twin.signals.light.tolist() == [LightState.PROTECTED_GREEN, LightState.RED] * 2
    assert twin.signals.likely_end.tolist() == [20.0, 23.0] * 2 and twin.signals.heard[0] == 5.0
