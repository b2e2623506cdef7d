"""One tick of direct communication (PC5): cars and roadside units talk, cars and roadside units listen."""

from __future__ import annotations

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.algo.rng import CHANNEL, stream
from cloverleaf.link.channel import BINS, CAUSES, Losses, Receivers, Senders, broadcast, prepare
from cloverleaf.link.radio.tables import RadioTables
from cloverleaf.link.station import Stations
from cloverleaf.link.statistics import Statistics
from cloverleaf.types.messages import RSU_STATION_BASE, MessageKind, WireBatch
from cloverleaf.types.state import F64, I32, I64

_Group = tuple[I64, I32, F64]


@kernel
def station_keys(seed, station, key):
    """Random stream of every station: writes `key`, uint64 (n,)."""
    for i in range(len(station)):
        key[i] = stream(seed, 0, station[i], CHANNEL)


class _Memory:
    """Busy ratio by station, dense: cars by id, units by id - RSU_STATION_BASE; grows on demand."""

    def __init__(self) -> None:
        self._value = np.zeros(256)

    def read(self, index: I64) -> F64:
        top = int(index.max()) if len(index) else 0
        if top >= len(self._value):
            self._value = np.append(self._value, np.zeros(max(top + 1, 2 * len(self._value)) - len(self._value)))
        return self._value[index]

    def write(self, index: I64, value: F64) -> None:
        self._value[index] = value


class Air:
    """The direct channel of one world; keeps the busy ratio that each station hears."""

    def __init__(self, tables: RadioTables, seed: int, step: float) -> None:
        self.tables, self.seed, self.step = tables, np.int64(seed), step
        self.car_busy = np.zeros(0)
        self.airtime = 0.0  # s of the whole channel that an awareness message of the last tick took, in the mean
        self._cars, self._units = _Memory(), _Memory()
        self._message = np.zeros(4096, np.int32)
        self._delay = np.zeros(4096)

    def exchange(
        self, wire: WireBatch, direct: I64, size: I64, stations: Stations, tick: int, t: float, statistics: Statistics
    ) -> tuple[_Group, _Group]:
        """Deliver the messages `direct` of `wire`: `(start, message, delay)` for cars and for units."""
        car_busy = self._cars.read(stations.car)
        unit_index = stations.unit - RSU_STATION_BASE
        unit_busy = self._units.read(unit_index)
        order = direct[np.argsort(wire.x[direct], kind="stable")]
        sender = wire.station[order]
        tables = self.tables
        subchannels = np.ceil(size[order] / tables.subchannel_bytes)
        unit = sender >= RSU_STATION_BASE
        busy = np.zeros(len(order))
        busy[~unit] = self._cars.read(sender[~unit])
        busy[unit] = self._units.read(sender[unit] - RSU_STATION_BASE)
        x, y = wire.x[order], wire.y[order]
        cell, epoch = np.zeros((2, len(order)), np.int64)
        key = np.zeros(len(order), np.uint64)
        access = np.zeros(len(order))
        prepare(
            self.seed,
            sender,
            x,
            y,
            np.float64(t),
            tables.access_min,
            tables.access_max,
            tables.reservation,
            cell,
            key,
            epoch,
            access,
        )
        own = wire.kind[order] == MessageKind.AWARENESS
        if own.any():
            self.airtime = float(subchannels[own].mean()) / tables.resources
        load = subchannels / (tables.resources * self.step)
        tx = Senders(
            x,
            y,
            sender,
            order.astype(np.int32),
            wire.kind[order],
            load,
            busy,
            cell,
            key,
            epoch,
            access,
        )
        losses = Losses(np.zeros(len(CAUSES), np.int64), np.zeros(BINS, np.int64), np.zeros(BINS, np.int64))
        cars = self._listen(tx, stations.car, stations.car_x, stations.car_y, car_busy, tick, losses)
        units = self._listen(tx, stations.unit, stations.unit_x, stations.unit_y, unit_busy, tick, losses)
        self._cars.write(stations.car, car_busy)
        self._units.write(unit_index, unit_busy)
        self.car_busy = car_busy
        statistics.count_air(losses, car_busy)
        return cars, units

    def _listen(self, tx: Senders, station: I64, x: F64, y: F64, busy: F64, tick: int, losses: Losses) -> _Group:
        key = np.zeros(len(station), np.uint64)
        station_keys(self.seed, station, key)
        rate = np.full(len(station), 1.0 / self.step if self.step > 0.1 else 10.0)
        before = busy.copy()
        scratch = np.zeros(len(tx.x), np.int64), np.zeros(len(tx.x))
        start = np.zeros(len(station) + 1, np.int64)
        while True:
            rx = Receivers(x, y, station, rate, busy, key)
            counted = Losses(*[np.zeros_like(c) for c in losses])
            n = broadcast(self.tables, tx, rx, np.int64(tick), start, self._message, self._delay, counted, *scratch)
            if n <= len(self._message):
                break
            self._message, self._delay = np.zeros(2 * n, np.int32), np.zeros(2 * n)
            busy[:] = before
        for total, tick_count in zip(losses, counted):
            total += tick_count
        return start, self._message[:n].copy(), self._delay[:n].copy()
