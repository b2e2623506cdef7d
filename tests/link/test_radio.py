"""The radio: propagation, scheduling, loss tables, and the published delivery curves."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloverleaf.link.channel import keep_pairs, merge_pairs
from cloverleaf.link.radio.lte_v2x import Mode4, Radio, highway, radio, select
from cloverleaf.link.radio.nr_v2x import nr_radio
from cloverleaf.link.radio.propagation import BLER_RATE_07, path_loss, path_loss_db, propagation_loss, sensed_share
from cloverleaf.link.radio.tables import lte_v2x_tables, radio_tables
from naive.radio_naive import naive_deliver, naive_path_loss, naive_select

CURVES = Path(__file__).resolve().parents[2].parent / "shared" / "v2x" / "radio"
needs_curves = pytest.mark.skipif(not CURVES.is_dir(), reason="needs ../shared/v2x/radio")


def published(name: str, column: str) -> dict[tuple[float, ...], np.ndarray]:
    """Curves by (density, rate, power, subchannels), over distance in steps of 25 m."""
    out: dict[tuple[float, ...], list[float]] = defaultdict(list)
    with open(CURVES / name) as file:
        for row in csv.DictReader(file):
            key = tuple(float(row[k]) for k in ("density_veh_per_m", "rate_hz", "tx_power_dbm", "subchannels"))
            out[key].append(float(row[column]))
    return {k: np.array(v) for k, v in out.items()}


def test_path_loss_is_the_formula() -> None:
    for d in [0.0, 1.0, 3.0, 50.0, 177.0, 177.6, 300.0, 2000.0]:
        assert path_loss_db(d) == pytest.approx(naive_path_loss(d)) == pytest.approx(float(path_loss(np.array(d))))


def test_weak_and_faded_shares_match_the_published_parts() -> None:
    """Spot values of the paper's analytical parts for 20 dBm."""
    d = np.array([250.0, 300.0, 400.0, 500.0])
    weak = 1 - sensed_share(d, 20.0)
    assert weak * (1 - 0.01) == pytest.approx([0.000117, 0.004333, 0.167918, 0.625414], abs=2e-4)
    fade = propagation_loss(d, 20.0, 10, BLER_RATE_07) * (1 - weak) * 0.99
    assert fade == pytest.approx([0.000342, 0.001263, 0.005304, 0.004253], abs=4e-4)


def test_selection_follows_the_three_steps() -> None:
    rng = np.random.default_rng(3)
    air = Mode4(radio(10.0, 20.0, 2), np.linspace(0, 300, 3), np.zeros(3))
    for trial in range(20):
        count = 200
        air.cell.reserved[0] = np.where(rng.random(count) < rng.uniform(0, 1), rng.exponential(1e-7, count), 0).astype(
            np.float32
        )
        air.cell.power[0] = np.where(rng.random((count, 10)) < 0.5, rng.exponential(1e-8, (count, 10)), 0).astype(
            np.float32
        )
        allowed = naive_select(
            100,
            2,
            int(air.cell.resource[0]) // 2,
            air.cell.reserved[0],
            air.cell.power[0],
            air.radio.sensitivity_mw * 0.01,
        )
        drawn = {
            int(
                select(
                    air.radio,
                    air.cell,
                    np.int64(0),
                    np.uint64(trial * 7919 + k),
                    np.int64(4 * k),
                    np.zeros(count),
                    np.zeros(count),
                )
            )
            for k in range(300)
        }
        assert drawn <= allowed and len(drawn) > 0.6 * min(len(allowed), 40)


@pytest.mark.parametrize("parameters", [radio(10.0, 20.0, 2), radio(20.0, 20.0, 4), nr_radio()])
def test_a_station_sends_each_packet_once_also_where_it_moves(parameters: Radio) -> None:
    """Between two packets' arrivals lies one transmission: a new choice makes a station neither faster nor slower."""
    n, period = 12, parameters.period
    air = Mode4(parameters, np.linspace(0, 300, n), np.zeros(n), seed=4)
    due, moved = np.zeros(n, int), np.zeros(n, int)
    for slot in range(period):
        s = air.cell.packet[slot]
        while s >= 0:
            due[s] = slot
            s = air.cell.packet_next[s]
    sent: list[list[int]] = [[] for _ in range(n)]
    for now in range(40 * period):
        for s in np.flatnonzero(air.cell.resource // parameters.subchannels == now % period):
            sent[s].append(now)
        before = air.cell.resource.copy()
        air.run(1)
        for s in np.flatnonzero(before != air.cell.resource):
            assert now % period == due[s], "chosen when the packet comes"
            moved[s] += 1
    assert (moved > 0).all()
    for s in range(n):
        per_packet = np.bincount([(t - due[s] - 1) // period for t in sent[s] if t > due[s]])
        assert (per_packet[:-1] == 1).all()


def test_sensing_avoids_neighbours_better_than_chance() -> None:
    air = highway(radio(10.0, 20.0, 4), 0.1, 1.0, length=2000.0, warm_up=2.0)
    counts = air.counts
    near = slice(1, 5)
    assert counts.collision[near].sum() / counts.offered[near].sum() < 0.02
    assert counts.half_duplex.sum() / counts.offered.sum() == pytest.approx(0.009, abs=0.002)
    total = counts.received + counts.half_duplex + counts.weak + counts.fade + counts.collision
    assert (total == counts.offered).all()
    assert 0.2 < air.busy_ratio().mean() < 0.45


@needs_curves
@pytest.mark.slow
def test_published_curves_packet_by_packet() -> None:
    """Some of the configurations, the hardest among them; `cloverleaf bench radio` tells all. Nothing in the model is fitted to them."""
    curves = published("pdr_lte_v2x_mode4.csv", "pdr_simulation")
    for key in [(0.1, 10.0, 20.0, 4.0), (0.2, 20.0, 20.0, 4.0), (0.3, 10.0, 20.0, 2.0)]:
        counts = highway(radio(key[1], key[2], int(key[3])), key[0], 3.0).counts
        ratio = counts.received / counts.offered
        assert np.abs(ratio - curves[key])[1:].max() < 0.03, key


@needs_curves
def test_published_curves_by_table() -> None:
    """What the bus looks up: the tables at the load of each configuration with four subchannels."""
    curves = published("pdr_lte_v2x_mode4.csv", "pdr_simulation")
    road = np.arange(-1500.0, 1500.0)
    checked = 0
    for (density, rate, power, subchannels), curve in curves.items():
        if subchannels != 4:
            continue
        tables = lte_v2x_tables(power)
        load = density * sensed_share(np.abs(road), power).sum() * rate / tables.resources
        rows = np.arange(21)
        hit = np.array([np.interp(load, tables.loads, tables.collide[r]) for r in rows])
        silent = tables.half_duplex * rate
        ratio = (1 - silent) * (1 - tables.weak[rows]) * (1 - hit) * (1 - tables.fade[rows])
        error = np.abs(ratio - curve)[1:20].max()
        assert error < 0.05, (density, rate, power, error)
        checked += 1
    assert checked == 5


@pytest.mark.parametrize("name", ["ideal", "lte-v2x", "nr-v2x"])
def test_tables_are_probabilities_and_grow(name: str) -> None:
    t = radio_tables(name)
    for table in (t.weak, t.fade, t.collide):
        assert (table >= 0).all() and (table <= 1).all()
    assert (np.diff(t.weak) >= -1e-12).all() and (np.diff(t.loads) > 0).all()
    assert len(t.weak) == len(t.fade) == len(t.collide) and (len(t.weak) - 1) * t.distance_step >= t.reach
    assert 0 < t.access_min <= t.access_max <= 0.1


@settings(deadline=None)
@given(st.data())
def test_pairs_are_split_and_merged_like_lists(data: st.DataObject) -> None:
    receivers, messages = data.draw(st.integers(0, 6)), 5
    counts = data.draw(st.lists(st.integers(0, 5), min_size=receivers, max_size=receivers))
    start = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    n = int(start[-1])
    message = np.array(data.draw(st.lists(st.integers(0, messages - 1), min_size=n, max_size=n)), np.int32)
    delay = np.array(data.draw(st.lists(st.sampled_from([0.01, 0.09, 0.1, 0.3]), min_size=n, max_size=n)), float)
    wanted = np.array(data.draw(st.lists(st.integers(0, 1), min_size=messages, max_size=messages)), np.uint8)
    out = (np.zeros_like(start), np.zeros(n, np.int32), np.zeros(n))
    held = (np.zeros(n, np.int32), np.zeros(n, np.int32), np.zeros(n))
    late = keep_pairs(wanted, np.float64(0.0999), start, message, delay, *out, *held)
    kept, expected_late = naive_deliver(start.tolist(), message.tolist(), delay.tolist(), wanted.tolist(), 0.0999)
    assert [list(zip(out[1][a:b].tolist(), out[2][a:b].tolist())) for a, b in zip(out[0], out[0][1:])] == kept
    assert list(zip(*(column[:late].tolist() for column in held))) == expected_late
    total = int(out[0][-1]) + late
    whole = (np.zeros_like(start), np.zeros(total, np.int32), np.zeros(total))
    merge_pairs(out[0], out[1][: out[0][-1]], out[2][: out[0][-1]], *(c[:late] for c in held), *whole)
    for r in range(receivers):
        extra = [(m, d) for q, m, d in expected_late if q == r]
        part = slice(whole[0][r], whole[0][r + 1])
        assert list(zip(whole[1][part].tolist(), whole[2][part].tolist())) == kept[r] + extra
