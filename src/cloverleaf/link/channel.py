"""The air between stations: who receives which message, when, and what is lost to which cause.

Losses come from the tables of a radio by distance and load, but not as independent coins: shadowing belongs to a pair of
places (cells of 25 m), collision and half duplex to a reservation of the sender (about 1 s), so that losses come in bursts.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.algo.rng import CHANNEL, mix64, stream, uniform
from cloverleaf.link.radio.tables import RadioTables
from cloverleaf.types.state import F64, I32, I64

CAUSES = ("half_duplex", "weak", "collision", "fade")
"""Why a message in reach was not received, in the order of `Losses.cause`."""
BIN_M = 25.0
BINS = 40
_EPOCHS = np.int64(1 << 20)
_FIRST, _SECOND, _THIRD = np.int64(0), np.int64(1), np.int64(2)
_ODD = np.uint64(0xD6E8FEB86659FD93)


class Senders(NamedTuple):
    """Messages on the air at one tick, sorted by `x`; shape (n,)."""

    x: F64
    y: F64
    station: I64
    message: I32  # index among the messages of the tick
    kind: I32  # MessageKind
    load: F64  # share of the channel's resources that its stream of messages takes
    busy: F64  # channel busy ratio at the sender
    cell: I64  # the 25 m cell that it sends from
    key: np.ndarray  # uint64, the sender's random stream
    epoch: I64  # number of the sender's current reservation
    delay: F64  # s from generation to the air


class Receivers(NamedTuple):
    """Antennas that listen; shape (r,)."""

    x: F64
    y: F64
    station: I64
    rate: F64  # messages/s that the receiver itself sends
    busy: F64  # in: busy ratio last tick; out: this tick
    key: np.ndarray  # uint64


class Losses(NamedTuple):
    """Counts of one tick over pairs of sender and receiver."""

    cause: I64  # (4,) see CAUSES
    offered: I64  # (BINS,) messages in reach by distance
    received: I64  # (BINS,)


@kernel
def _cell(x, y):
    """Number of the 25 m cell around a point."""
    return np.int64(math.floor(x * 0.04)) * np.int64(73856093) + np.int64(math.floor(y * 0.04)) * np.int64(19349663)


@kernel
def prepare(seed, station, x, y, t, access_min, access_max, reservation, cell, key, epoch, delay):
    """Place, random stream, current reservation and access delay of each sender: writes `cell`, `key`, `epoch`, `delay`, shape (n,)."""
    for i in range(len(station)):
        k = stream(seed, 0, station[i], CHANNEL)
        cell[i] = _cell(x[i], y[i])
        key[i] = k
        epoch[i] = np.int64(math.floor(t / reservation + uniform(k, _FIRST)))
        delay[i] = access_min + (access_max - access_min) * uniform(k, _EPOCHS + epoch[i])


@kernel
def _collision(collide, loads, at, part, busy):
    """Collision probability between rows `at` and `at + 1` (share `part`) of a table at a busy ratio."""
    last = len(loads) - 1
    j = 0
    while j < last - 1 and loads[j + 1] < busy:
        j += 1
    span = loads[j + 1] - loads[j]
    q = min(max((busy - loads[j]) / span, 0.0), 1.0)
    low = collide[at, j] * (1.0 - q) + collide[at, j + 1] * q
    high = collide[at + 1, j] * (1.0 - q) + collide[at + 1, j + 1] * q
    return low * (1.0 - part) + high * part


@kernel
def _first_at_least(values, bound):
    """First index of sorted `values` with value >= bound."""
    low, high = 0, len(values)
    while low < high:
        mid = (low + high) // 2
        if values[mid] < bound:
            low = mid + 1
        else:
            high = mid
    return low


@kernel
def broadcast(
    tables: RadioTables, tx: Senders, rx: Receivers, tick, start, message, delay, losses: Losses, near, apart
):
    """Deliver every message to every receiver in reach that does not lose it.

    Writes the pairs receiver by receiver: receiver r holds `message[start[r]:start[r + 1]]` and `delay`. Returns the number of
    pairs; if that exceeds the capacity of `message`, only the first ones were written and the caller repeats with more room.
    `near` (int64) and `apart` (float64) are scratch of shape (n,): what a receiver has in reach, and then what of it is loud enough.
    The two loops that pick these out count instead of branching, because most of their branches cannot be predicted.
    """
    n = 0
    room = len(message)
    last_row = len(tables.weak) - 2
    deaf, quiet = 0, 0
    for r in range(len(rx.x)):
        start[r] = n
        load = 0.0
        own, x, y = rx.station[r], rx.x[r], rx.y[r]
        here = _cell(x, y)
        key, busy = rx.key[r] * _ODD, rx.busy[r]
        silent = tables.half_duplex * rx.rate[r]
        inside = 0
        for i in range(_first_at_least(tx.x, x - tables.reach), len(tx.x)):
            dx = tx.x[i] - x
            if dx > tables.reach:
                break
            dy = tx.y[i] - y
            d2 = dx * dx + dy * dy
            near[inside] = i
            apart[inside] = d2
            inside += (not d2 > tables.reach * tables.reach) & (tx.station[i] != own)
        loud = 0
        for k in range(inside):
            i, d = near[k], math.sqrt(apart[k])
            row = min(int(d / tables.distance_step), last_row)
            part = min(d / tables.distance_step - row, 1.0)
            weak = tables.weak[row] * (1.0 - part) + tables.weak[row + 1] * part
            load += tx.load[i] * (1.0 - weak)
            losses.offered[min(int(d / BIN_M), BINS - 1)] += 1
            pair = mix64(tx.key[i] ^ key)
            speaks = uniform(pair, _EPOCHS + tx.epoch[i]) < silent
            below = (not speaks) & (uniform(pair, tx.cell[i] * np.int64(3) + here) < weak)
            deaf += speaks
            quiet += below
            near[loud] = i
            apart[loud] = d
            loud += not (speaks | below)
        for k in range(loud):
            i, d = near[k], apart[k]
            row = min(int(d / tables.distance_step), last_row)
            part = min(d / tables.distance_step - row, 1.0)
            pair = mix64(tx.key[i] ^ key)
            hit = _collision(tables.collide, tables.loads, row, part, 0.5 * (tx.busy[i] + busy))
            if uniform(pair, _EPOCHS + tx.epoch[i]) < silent + (1.0 - silent) * hit:
                losses.cause[2] += 1
                continue
            fade = tables.fade[row] * (1.0 - part) + tables.fade[row + 1] * part
            if fade > 0.0 and uniform(pair, -tick * np.int64(4) - np.int64(tx.kind[i] & 3)) < fade:
                losses.cause[3] += 1
                continue
            losses.received[min(int(d / BIN_M), BINS - 1)] += 1
            if n < room:
                message[n] = tx.message[i]
                delay[n] = tx.delay[i]
            n += 1
        # Exponential memory of one second at ten ticks a second.
        rx.busy[r] = busy + 0.2 * (load - busy)
    losses.cause[0] += deaf
    losses.cause[1] += quiet
    start[len(rx.x)] = n
    return n


@kernel
def addressed(target, x, y, reach, station, sx, sy, receiver, message):
    """Pairs of network messages and receivers: by target id, or within `reach[i]` m of (x, y) where the target is -1.

    Writes `receiver`, `message` (capacity given by their length) and returns the number of pairs.
    """
    n = 0
    for i in range(len(target)):
        for r in range(len(station)):
            if target[i] >= 0:
                hit = station[r] == target[i]
            else:
                dx, dy = sx[r] - x[i], sy[r] - y[i]
                hit = dx * dx + dy * dy <= reach[i] * reach[i]
            if hit:
                if n < len(receiver):
                    receiver[n] = r
                    message[n] = i
                n += 1
    return n


@kernel
def keep_pairs(
    wanted, limit, start, message, delay, out_start, out_message, out_delay, late_receiver, late_message, late_delay
):
    """Split pairs: those of refused messages (`wanted[m] == 0`) vanish, those later than `limit` s go to the late lists.

    Returns the number of late pairs; `out_start[-1]` counts the others.
    """
    n = 0
    late = 0
    for r in range(len(start) - 1):
        out_start[r] = n
        for p in range(start[r], start[r + 1]):
            m = message[p]
            if wanted[m] == 0:
                continue
            if delay[p] > limit:
                late_receiver[late] = r
                late_message[late] = m
                late_delay[late] = delay[p]
                late += 1
            else:
                out_message[n] = m
                out_delay[n] = delay[p]
                n += 1
    out_start[len(start) - 1] = n
    return late


@kernel
def merge_pairs(start, message, delay, extra_receiver, extra_message, extra_delay, out_start, out_message, out_delay):
    """Pairs sorted by receiver plus `extra` ones in any order: each receiver's list, extras last."""
    receivers = len(start) - 1
    for r in range(receivers + 1):
        out_start[r] = 0
    for e in range(len(extra_receiver)):
        out_start[extra_receiver[e] + 1] += 1
    for r in range(receivers):
        out_start[r + 1] += out_start[r] + start[r + 1] - start[r]
    for r in range(receivers):
        at = out_start[r]
        for p in range(start[r], start[r + 1]):
            out_message[at] = message[p]
            out_delay[at] = delay[p]
            at += 1
        out_start[r] = at  # where the next extra goes
    for e in range(len(extra_receiver)):
        r = extra_receiver[e]
        out_message[out_start[r]] = extra_message[e]
        out_delay[out_start[r]] = extra_delay[e]
        out_start[r] += 1
    for r in range(receivers, 0, -1):
        out_start[r] = out_start[r - 1]
    out_start[0] = 0
