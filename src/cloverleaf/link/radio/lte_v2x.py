"""LTE-V2X PC5 mode 4, packet by packet: sensing-based semi-persistent scheduling, half duplex, interference, block errors.

One subframe is 1 ms. A resource is a subframe of the period and a subchannel; every station repeats its packet on its resource until
its counter ends. When its next packet comes it selects anew, among the resources between that packet and the one after (3GPP TS 36.213
14.1.1.6, TS 36.321 5.14.1.1): drop resources that others have announced above a
threshold (3 dB more until a fifth remains), keep the fifth with the least average power over a second, draw one. NR mode 2 (`nr_v2x.py`)
runs on the same kernels: other slots, subchannels, errors and losses, and any remaining resource may be drawn.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cloverleaf.algo.jit import kernel
from cloverleaf.algo.rng import mix64, normal, stream, uniform
from cloverleaf.algo.selection import kth_smallest
from cloverleaf.link.radio.propagation import (
    BLER_RATE_05,
    BLER_RATE_07,
    BLER_SNR_DB,
    BLOCKAGE_DB,
    BLOCKAGE_SIGMA_DB,
    SENSITIVITY_DBM,
    WINNER_LOSS,
    line_of_sight,
    noise_dbm,
)
from cloverleaf.types.state import F64, I64

F32 = NDArray[np.float32]
HISTORY = 10
"""Parts of 100 ms of the second over which the received power of a resource is averaged."""
CONTROL_GAIN_DB = 6.0
"""LTE: dB that an announcement (48 bits in two blocks, code rate 0.11) stands more than the data at rate 0.7: 10 dB by capacity, less the
loss of channel estimation at so low a level. Announcements lost to interference make stations choose taken resources."""
BUSY_MW = 10.0**-9.4
"""mW: S-RSSI from which a subchannel counts as busy (TS 36.214), and from which a resource's average takes notice of a station."""
_CONTROL = np.int64(1 << 40)
_BLOCKED = np.int64(1 << 41)
FAR_M = 2000.0
"""Stations farther apart do not reach each other: 10 dB below the noise at 23 dBm."""
_MODE4 = 101
"""Purpose of the random stream."""


class Radio(NamedTuple):
    """Parameters of one configuration as the kernel reads them."""

    period: int  # slots between packets of a station: subframes of 1 ms with LTE
    subchannels: int
    keep: float  # probResourceKeep
    counter_low: int
    counter_high: int
    power_dbm: float
    noise_mw: float
    sensitivity_mw: float
    shadowing_db: float
    snr_db: F64  # support of the curves
    data_error: F64
    control_error: F64  # of announcements, at an SNR that is `control_db` higher
    overlap: float  # share of a packet's blocks that another one on the same subchannel covers
    ring_m: float  # circumference of a closed road along x, 0 for a plane
    part: int  # slots of a tenth of the sensing window
    control_db: float  # dB by which announcements need less than `control_error` says
    candidates: float  # share of the resources that must remain to draw from
    ranked: int  # 1: those with the least average power are kept (LTE mode 4); 0: any (NR mode 2)
    loss: (
        F64  # path loss: near slope and offset, far slope and offset, m of the change, least offset at 20 dB per decade
    )
    blocked: int  # 1: other vehicles block some of the pairs (TR 37.885, highway)


class Cell(NamedTuple):
    """State of all stations; n stations, R = period * subchannels resources."""

    x: F64  # (n,) m
    y: F64
    resource: I64  # (n,) slot * subchannels + subchannel
    counter: I64  # (n,) packets left on this resource
    head: I64  # (period,) first station of each slot, -1 none
    next: I64  # (n,)
    packet: I64  # (period,) first station whose packets come in each slot, -1 none
    packet_next: I64  # (n,)
    gain: F32  # (n, n) received power in mW, row = receiver
    reserved: F32  # (n, R) power in mW of the last announcement heard on a resource, 0 none
    power: F32  # (n, R, HISTORY) total power in mW heard on a resource in the last second
    busy: I64  # (n,) subchannels above -94 dBm in the running period
    clock: I64  # (1,) subframe


class Counts(NamedTuple):
    """Packets by distance bin; shape (bins,)."""

    offered: I64
    received: I64
    half_duplex: I64
    weak: I64
    fade: I64
    collision: I64


def radio(
    rate_hz: float = 10.0, power_dbm: float = 20.0, subchannels: int = 4, shadowing_db: float = 3.0, ring_m: float = 0.0
) -> Radio:
    """A configuration on 10 MHz; `rate_hz` 10, 20 or 50 packets/s of 190 bytes."""
    blocks, curve = (10, BLER_RATE_07) if subchannels >= 4 else (12, BLER_RATE_05)
    low, high = {10.0: (5, 15), 20.0: (10, 30), 50.0: (25, 75)}[float(rate_hz)]
    return Radio(
        int(1000 / rate_hz), subchannels, 0.0, low, high, power_dbm,
        10.0 ** (noise_dbm(blocks) / 10.0), 10.0 ** (SENSITIVITY_DBM / 10.0), shadowing_db,
        BLER_SNR_DB, curve, BLER_RATE_07, blocks * subchannels / 50.0, ring_m, 100, CONTROL_GAIN_DB, 0.2, 1, WINNER_LOSS, 0,
    )  # fmt: skip


@kernel
def _error(snr, error, level):
    """Error rate at an SNR of `level` dB: linear between the points."""
    if level <= snr[0]:
        return error[0]
    last = len(snr) - 1
    for i in range(last):
        if level <= snr[i + 1]:
            return error[i] + (error[i + 1] - error[i]) * (level - snr[i]) / (snr[i + 1] - snr[i])
    return error[last]


@kernel
def _distance(cell: Cell, ring_m, r, s):
    """m between two stations, the shorter way round where the road is closed."""
    dx = math.fabs(cell.x[r] - cell.x[s])
    if ring_m > 0.0:
        dx = min(dx, ring_m - dx)
    return math.hypot(dx, cell.y[r] - cell.y[s])


@kernel
def _path_loss(loss, distance):
    """Path loss in dB at `distance` m with the coefficients of `Radio.loss`."""
    d = math.log10(max(distance, 3.0))
    value = loss[0] * d + loss[1]
    if distance >= loss[4]:
        value = loss[2] * d + loss[3]
    return max(value, 20.0 * d + loss[5])


@kernel
def update_gains(radio: Radio, cell: Cell, seed, epoch, first, last):
    """Received powers of receivers first..last-1 from all: path loss and shadowing of the pair in this `epoch`."""
    n = len(cell.x)
    gain = cell.gain
    for r in range(first, last):
        for s in range(n):
            d = _distance(cell, radio.ring_m, r, s)
            if d > FAR_M or r == s:
                gain[r, s] = np.float32(0.0)
                continue
            if first <= s < r:
                gain[r, s] = gain[s, r]
                continue
            low, high = min(r, s), max(r, s)
            z = normal(mix64(seed + np.uint64(low) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(high)), epoch)
            level = radio.power_dbm - _path_loss(radio.loss, d) + radio.shadowing_db * z
            if radio.blocked != 0:
                own = mix64(seed ^ (np.uint64(low) * np.uint64(0xD6E8FEB86659FD93) + np.uint64(high)))
                if uniform(own, _BLOCKED) > line_of_sight(d):
                    level -= max(BLOCKAGE_DB + BLOCKAGE_SIGMA_DB * normal(own, _BLOCKED + 1), 0.0)
            gain[r, s] = np.float32(10.0 ** (0.1 * level))


@kernel
def select(radio: Radio, cell: Cell, station, key, draw, average, sorted_average):
    """A new resource for `station`: exclusion, ranking and the random draw number `draw` of stream `key`."""
    count = radio.period * radio.subchannels
    own_slot = cell.resource[station] // radio.subchannels
    enough = max(int(radio.candidates * count), 1)
    threshold = radio.sensitivity_mw * 0.01
    left = 0
    for _ in range(40):
        left = 0
        for q in range(count):
            if q // radio.subchannels != own_slot and cell.reserved[station, q] <= threshold:
                left += 1
        if left >= enough:
            break
        threshold *= 1.9952623149688795
    n = 0
    for q in range(count):
        average[q] = -1.0
        if q // radio.subchannels != own_slot and cell.reserved[station, q] <= threshold:
            total = 0.0
            for h in range(10):
                total += cell.power[station, q, h]
            average[q] = total
            sorted_average[n] = total
            n += 1
    if radio.ranked == 0:
        pick = int(uniform(key, draw) * n)
        for q in range(count):
            if average[q] >= 0.0:
                if pick == 0:
                    return q
                pick -= 1
    limit = kth_smallest(sorted_average, n, min(enough, n) - 1)
    below = 0
    equal = 0
    for q in range(count):
        if average[q] >= 0.0:
            if average[q] < limit:
                below += 1
            elif average[q] == limit:
                equal += 1
    pick = int(uniform(key, draw) * min(enough, n))
    # Those below the limit are all in the list; of the equal ones any, so spread the rest of the draw over them.
    if pick < below:
        for q in range(count):
            if average[q] >= 0.0 and average[q] < limit:
                if pick == 0:
                    return q
                pick -= 1
    pick = int(uniform(key, draw + 1) * equal)
    for q in range(count):
        if average[q] == limit:
            if pick == 0:
                return q
            pick -= 1
    return cell.resource[station]


@kernel
def _move(cell: Cell, subchannels, station, resource):
    """Put `station` on another resource: unlink it from its slot's list, link it into the new one."""
    old = cell.resource[station] // subchannels
    if cell.head[old] == station:
        cell.head[old] = cell.next[station]
    else:
        at = cell.head[old]
        while cell.next[at] != station:
            at = cell.next[at]
        cell.next[at] = cell.next[station]
    slot = resource // subchannels
    cell.next[station] = cell.head[slot]
    cell.head[slot] = station
    cell.resource[station] = resource


@kernel
def _listen(radio: Radio, cell: Cell, slot, ring, sending, senders, key, total, counts: Counts, bin_m, reach):
    """All receivers of one subframe: receive, count losses by cause, remember announcements and powers."""
    n = len(cell.x)
    subchannels = radio.subchannels
    now = cell.clock[0]
    for r in range(n):
        own = cell.resource[r] // subchannels == slot
        base = slot * subchannels
        for c in range(subchannels):
            total[c] = 0.0
            if not own:
                cell.reserved[r, base + c] = np.float32(0.0)
                if now % radio.part < radio.period:
                    cell.power[r, base + c, ring] = np.float32(0.0)
        for a in range(senders):
            signal = cell.gain[r, sending[a]]
            total[cell.resource[sending[a]] - base] += signal
            if not own and signal > BUSY_MW:
                cell.power[r, cell.resource[sending[a]], ring] += signal
        if not own:
            for c in range(subchannels):
                if total[c] > BUSY_MW:
                    cell.busy[r] += 1
        for a in range(senders):
            s = sending[a]
            if s == r:
                continue
            d = _distance(cell, radio.ring_m, r, s)
            place = int(d / bin_m + 0.5)
            counted = d <= reach and place < len(counts.offered)
            signal = cell.gain[r, s]
            if counted:
                counts.offered[place] += 1
            if own:
                if counted:
                    counts.half_duplex[place] += 1
                continue
            if signal < radio.sensitivity_mw:
                if counted:
                    counts.weak[place] += 1
                continue
            q = cell.resource[s]
            others = max(total[q - base] - signal, 0.0)
            pair = mix64(key ^ (np.uint64(r) * np.uint64(0xD6E8FEB86659FD93) + np.uint64(s)))
            if cell.counter[s] > 1 and signal > cell.reserved[r, q]:
                level = 10.0 * math.log10(signal / (radio.noise_mw + others)) + radio.control_db
                if uniform(pair, now + _CONTROL) >= _error(radio.snr_db, radio.control_error, level):
                    cell.reserved[r, q] = np.float32(signal)
            if not counted:
                continue
            level = 10.0 * math.log10(signal / (radio.noise_mw + radio.overlap * others))
            u = uniform(pair, now)
            if u >= _error(radio.snr_db, radio.data_error, level):
                counts.received[place] += 1
            elif u < _error(radio.snr_db, radio.data_error, 10.0 * math.log10(signal / radio.noise_mw)):
                counts.fade[place] += 1
            else:
                counts.collision[place] += 1


@kernel
def advance(
    radio: Radio, cell: Cell, key, subframes, bin_m, reach, sending, total, average, sorted_average, counts: Counts
):
    """Run so many slots. Scratch: `sending` (n,), `total` (subchannels,), `average`, `sorted_average` (R,)."""
    for _ in range(subframes):
        now = cell.clock[0]
        slot = now % radio.period
        senders = 0
        at = cell.head[slot]
        while at >= 0:
            sending[senders] = at
            senders += 1
            at = cell.next[at]
        _listen(radio, cell, slot, (now // radio.part) % HISTORY, sending, senders, key, total, counts, bin_m, reach)
        for a in range(senders):
            cell.counter[sending[a]] -= 1
        s = cell.packet[slot]
        while s >= 0:
            if cell.counter[s] <= 0:
                own = mix64(key + np.uint64(s) * np.uint64(0x9E3779B97F4A7C15))
                span = radio.counter_high - radio.counter_low + 1
                cell.counter[s] = radio.counter_low + int(uniform(own, 4 * now) * span)
                if uniform(own, 4 * now + 1) >= radio.keep:
                    _move(cell, radio.subchannels, s, select(radio, cell, s, own, 4 * now + 2, average, sorted_average))
            s = cell.packet_next[s]
        cell.clock[0] = now + 1


def _chain(slot: I64, head: I64, following: I64) -> None:
    """Link the stations of each slot into a list."""
    for s in range(len(slot)):
        following[s] = head[slot[s]]
        head[slot[s]] = s


class Mode4:
    """Stations at (x, y) m that broadcast periodically over mode 4; `counts` collects deliveries by distance.

    Distance bins are centred on multiples of `bin_m`; pairs farther than `reach` are not counted (they still interfere).
    """

    def __init__(
        self, parameters: Radio, x: F64, y: F64, seed: int = 0, bin_m: float = 25.0, reach: float = 500.0
    ) -> None:
        n, resources = len(x), parameters.period * parameters.subchannels
        self.radio, self.bin_m, self.reach = parameters, bin_m, reach
        rng = np.random.default_rng(seed)
        start = rng.integers(0, resources, n)
        self.cell = Cell(
            x.astype(float).copy(), y.astype(float).copy(), np.zeros(n, np.int64),
            rng.integers(1, parameters.counter_high + 1, n), np.full(parameters.period, -1, np.int64),
            np.full(n, -1, np.int64), np.full(parameters.period, -1, np.int64), np.full(n, -1, np.int64),
            np.zeros((n, n), np.float32), np.zeros((n, resources), np.float32),
            np.zeros((n, resources, HISTORY), np.float32), np.zeros(n, np.int64), np.zeros(1, np.int64),
        )  # fmt: skip
        self.cell.resource[:] = start
        _chain(start // parameters.subchannels, self.cell.head, self.cell.next)
        _chain(rng.integers(0, parameters.period, n), self.cell.packet, self.cell.packet_next)
        self._key = np.uint64(stream(np.int64(seed), np.int64(0), np.int64(0), np.int64(_MODE4)))
        self._scratch = (
            np.zeros(n, np.int64),
            np.zeros(parameters.subchannels),
            np.zeros(resources),
            np.zeros(resources),
        )
        self._row = 0
        self.refresh(0)
        self.reset_counts()

    def reset_counts(self) -> None:
        """Forget deliveries so far (after warming up)."""
        bins = int(self.reach / self.bin_m) + 1
        self.counts = Counts(*[np.zeros(bins, np.int64) for _ in Counts._fields])

    def refresh(self, epoch: int, first: int = 0, last: int | None = None) -> None:
        """Received powers of some receivers from positions as they are; `epoch` numbers the shadowing."""
        n = len(self.cell.x)
        update_gains(
            self.radio, self.cell, self._key, np.int64(epoch), np.int64(first), np.int64(n if last is None else last)
        )

    def run(self, slots: int) -> None:
        """Advance the air by so many slots (ms with LTE) with stations where they are."""
        advance(
            self.radio, self.cell, self._key, np.int64(slots), np.float64(self.bin_m), np.float64(self.reach),
            *self._scratch, self.counts,
        )  # fmt: skip

    def busy_ratio(self) -> F64:
        """Share of busy subchannels that each station heard since the last call; shape (n,)."""
        elapsed = max(int(self.cell.clock[0]) - self._row, 1)
        self._row = int(self.cell.clock[0])
        ratio = self.cell.busy / (elapsed * self.radio.subchannels)
        self.cell.busy[:] = 0
        return ratio


def highway(
    parameters: Radio, density: float, seconds: float, *, length: float = 4000.0, warm_up: float = 3.0, seed: int = 0,
    speed: float = 19.4, reach: float = 500.0,
) -> Mode4:  # fmt: skip
    """Vehicles at `density` per m on a closed road, half of them in each direction, measured after `warm_up` s."""
    rng = np.random.default_rng(seed)
    n = int(round(density * length))
    start = (np.arange(n) + rng.uniform(-0.5, 0.5, n)) * length / n
    direction = np.where(rng.permutation(n) % 2 == 0, speed, -speed)
    air = Mode4(parameters._replace(ring_m=length), start, np.zeros(n), seed=seed, reach=reach)
    for k in range(int((warm_up + seconds) * 10)):
        air.cell.x[:] = (start + direction * 0.1 * k) % length
        air.refresh(k)
        if k == int(warm_up * 10):
            air.reset_counts()
        air.run(parameters.part)
    return air
