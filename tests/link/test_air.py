"""What the air delivers, beside one receiver and one sender at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cloverleaf.algo.rng import CHANNEL, mix64, stream, uniform
from cloverleaf.link.channel import BINS, CAUSES, Losses, Receivers, Senders, broadcast, prepare
from cloverleaf.link.radio.tables import RadioTables, radio_tables
from cloverleaf.link.statistics import Statistics

ODD = np.uint64(0xD6E8FEB86659FD93)


def crowd(rng: np.random.Generator, tables: RadioTables, n: int, r: int) -> tuple[Senders, Receivers]:
    """Senders sorted by x and receivers on 2 km x 300 m, some of them the same stations."""
    x, y = np.sort(rng.uniform(0, 2000, n)), rng.uniform(0, 300, n)
    x[1], y[1] = x[0], y[0]  # two at one place
    station = rng.permutation(n + 20)[:n].astype(np.int64)
    cell, epoch, key, delay = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.uint64), np.zeros(n)
    prepare(
        np.int64(3),
        station,
        x,
        y,
        7.3,
        tables.access_min,
        tables.access_max,
        tables.reservation,
        cell,
        key,
        epoch,
        delay,
    )
    message, kind = rng.permutation(n).astype(np.int32), rng.integers(0, 6, n).astype(np.int32)
    tx = Senders(x, y, station, message, kind, rng.uniform(0, 0.02, n), rng.uniform(0, 0.9, n), cell, key, epoch, delay)
    listener = np.append(station[: r // 2], np.arange(1000, 1000 + r - r // 2))
    rx_x, rx_y = np.append(x[: r // 2], rng.uniform(-1500, 3500, r - r // 2)), rng.uniform(0, 300, r)
    keys = np.array([stream(np.int64(3), np.int64(0), np.int64(s), np.int64(CHANNEL)) for s in listener], np.uint64)
    return tx, Receivers(rx_x, rx_y, listener, rng.uniform(0, 50, r), rng.uniform(0, 0.9, r), keys)


def naive(tables: RadioTables, tx: Senders, rx: Receivers, tick: int) -> tuple[list[list[int]], Losses, np.ndarray]:
    """Messages that each receiver gets, the losses, and the busy ratios."""
    losses = Losses(np.zeros(len(CAUSES), np.int64), np.zeros(BINS, np.int64), np.zeros(BINS, np.int64))
    rows = np.arange(len(tables.weak)) * tables.distance_step
    got, busy = [], []
    for r in range(len(rx.x)):
        mine, load = [], 0.0
        with np.errstate(over="ignore"):
            own_key = rx.key[r] * ODD
        here = math.floor(rx.x[r] * 0.04) * 73856093 + math.floor(rx.y[r] * 0.04) * 19349663
        silent = tables.half_duplex * rx.rate[r]
        for i in range(len(tx.x)):
            d = math.hypot(tx.x[i] - rx.x[r], tx.y[i] - rx.y[r])
            if d > tables.reach or tx.station[i] == rx.station[r]:
                continue
            weak, fade = np.interp(d, rows, tables.weak), np.interp(d, rows, tables.fade)
            level = 0.5 * (tx.busy[i] + rx.busy[r])
            hit = np.interp(d, rows, [np.interp(level, tables.loads, row) for row in tables.collide])
            load += tx.load[i] * (1.0 - weak)
            losses.offered[min(int(d / 25.0), BINS - 1)] += 1
            pair = np.uint64(mix64(tx.key[i] ^ own_key))
            u = uniform(pair, np.int64((1 << 20) + tx.epoch[i]))
            if u < silent:
                losses.cause[0] += 1
            elif uniform(pair, np.int64(tx.cell[i] * 3 + here)) < weak:
                losses.cause[1] += 1
            elif u < silent + (1.0 - silent) * hit:
                losses.cause[2] += 1
            elif uniform(pair, np.int64(-4 * tick - (int(tx.kind[i]) & 3))) < fade:
                losses.cause[3] += 1
            else:
                losses.received[min(int(d / 25.0), BINS - 1)] += 1
                mine.append(int(tx.message[i]))
        got.append(mine)
        busy.append(rx.busy[r] + 0.2 * (load - rx.busy[r]))
    return got, losses, np.array(busy)


@pytest.mark.parametrize("radio", ["ideal", "lte-v2x", "nr-v2x"])
def test_deliveries_and_losses_beside_one_pair_at_a_time(radio: str) -> None:
    tables, rng, total = radio_tables(radio), np.random.default_rng(4), np.zeros(len(CAUSES), np.int64)
    for tick in range(3):
        tx, rx = crowd(rng, tables, 90, 30)
        want, lost, busy = naive(tables, tx, rx, tick)
        scratch = np.zeros(90, np.int64), np.zeros(90)
        start, message, delay = np.zeros(31, np.int64), np.zeros(3000, np.int32), np.zeros(3000)
        counted = Losses(*[np.zeros_like(c) for c in lost])
        n = broadcast(tables, tx, rx, np.int64(tick), start, message, delay, counted, *scratch)
        assert [message[start[r] : start[r + 1]].tolist() for r in range(30)] == want and n == start[-1]
        due = dict(zip(tx.message.tolist(), tx.delay.tolist()))
        assert delay[:n].tolist() == [due[m] for m in message[:n].tolist()]
        for ours, theirs in zip(counted, lost):
            assert ours.tolist() == theirs.tolist()
        np.testing.assert_allclose(rx.busy, busy, rtol=0, atol=1e-12)
        total += counted.cause
    assert radio == "ideal" or (total > 0).all()


def test_where_the_room_ends_the_pairs_are_still_counted() -> None:
    tables, rng = radio_tables("ideal"), np.random.default_rng(5)
    tx, rx = crowd(rng, tables, 40, 10)
    scratch, zero = (np.zeros(40, np.int64), np.zeros(40)), np.zeros
    few, many = zero(7, np.int32), zero(400, np.int32)
    counts = []
    for message in (few, many):
        losses = Losses(zero(len(CAUSES), np.int64), zero(BINS, np.int64), zero(BINS, np.int64))
        room = rx._replace(busy=rx.busy.copy())
        counts.append(
            broadcast(tables, tx, room, np.int64(0), zero(11, np.int64), message, zero(len(message)), losses, *scratch)
        )
    assert counts[0] == counts[1] > 7 and few.tolist() == many[:7].tolist()


def test_deliveries_are_counted_by_kind_and_delay() -> None:
    rng, counted = np.random.default_rng(6), Statistics()
    kind, delay = (
        rng.integers(0, 6, 500).astype(np.int32),
        np.append(rng.uniform(0, 0.2, 490), rng.uniform(1.9, 9.0, 10)),
    )
    counted.count_delivered(kind, delay)
    counted.count_delivered(kind[:7], delay[:7])
    both, ms = np.append(kind, kind[:7]), (np.append(delay, delay[:7]) * 1000.0).astype(int)
    assert counted.delivered.tolist() == [int((both == k).sum()) for k in range(len(counted.delivered))]
    last = len(counted.delay_ms) - 1
    assert counted.delay_ms[:last].tolist() == [int((ms == k).sum()) for k in range(last)]
    assert counted.delay_ms[last] == (ms >= last).sum() > 0
