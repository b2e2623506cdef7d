"""The link of one world: outboxes in, real bytes over the air and the network, inboxes out.

`Link.exchange` at tick k returns what may be read at tick k + 1: messages whose delay ends within the tick; later ones wait. Each
message is encoded, signed, verified and decoded once, however many hear it. The steps: generate, encode, sign, air and
network, verify, decode, hand over.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np

from cloverleaf.link.air import Air
from cloverleaf.link.batches import BATCH_TYPES, count, empty, join, take
from cloverleaf.link.channel import addressed, keep_pairs, merge_pairs
from cloverleaf.link.commands import CommandsUnderWay
from cloverleaf.link.congestion import Density
from cloverleaf.link.generation import Generation, Rates
from cloverleaf.link.life.event_receiver import ENDS, HOLDS, EventReceiver
from cloverleaf.link.life.freshness import FreshnessFilter
from cloverleaf.link.life.living import LivingEvents
from cloverleaf.link.life.living import content as content_of
from cloverleaf.link.network import NetworkDelay, delay_of_mean, network_delay
from cloverleaf.link.overload import Pairs, relieve
from cloverleaf.link.radio.tables import radio_tables
from cloverleaf.link.security.pseudonym import Aliases, replace_ids
from cloverleaf.link.station import Inboxes, Outbox, Stations
from cloverleaf.link.statistics import Statistics
from cloverleaf.types.messages import CLOUD_STATION, RSU_STATION_BASE, EventBatch, MessageKind, Received, WireBatch
from cloverleaf.types.state import F64, I32, I64, U8


class Content(Protocol):
    """Between SI content and the standard's bytes; `link.content` implements it."""

    def encode(self, kind: int, batch: Any) -> tuple[U8, I64]:
        """Bytes of a batch (for TOPOLOGY: an array of station ids): `buffer`, `start` of shape (n + 1,)."""

    def segments(self, stations: I64) -> I64:
        """Number of messages that the map of each station is divided into; for TOPOLOGY its id stands that often in a row."""

    def decode(self, kind: int, buffer: U8, start: I64) -> tuple[Any, U8]:
        """Content of n messages and an error code each, 0 good; a bad message still has its row."""


class Security(Protocol):
    """Signs and checks; `link.security` implements it."""

    capacity: float  # verifications per second of a receiver

    def sign(self, wire: WireBatch, t: float) -> WireBatch:
        """The same messages inside signed envelopes."""

    def check(self, wire: WireBatch, t: float) -> tuple[U8, I64, U8, list[str]]:
        """Payload buffer, offsets, verdict (1 accepted) and the reasons of the refused ones."""

    def hear(self, groups: list[tuple[Pairs, I64]]) -> tuple[list[Pairs], int]:
        """Of the messages checked last, what each receiver could check as well, and how many deliveries it could not."""

    def change(self, stations: list[int]) -> None:
        """These stations change their pseudonyms."""


class _Late(NamedTuple):
    """Deliveries that wait: receiver by station id, content row in `batch` of `kind`."""

    due: F64
    receiver: I64
    kind: int
    row: I32
    delay: F64
    batch: Any


_EMPTY = {int(kind): empty(batch_type) for kind, batch_type in BATCH_TYPES.items()}
_UU_KINDS = (MessageKind.ADVICE, MessageKind.EVENT)


class Link:
    """V2X of one world.

    Args:
        content: encoder and decoder of one standard.
        standard: e.g. "csae_day2", "etsi"; decides the generation rules.
        radio: "ideal", "lte-v2x" or "nr-v2x".
        step: length of a tick, s.
        network_latency: one-way delay to and from the cloud: a mean in s, or a distribution.
        security: None for unsigned messages.
        seed: of the random streams.
        power_dbm, subchannels: of the radio; the LTE pool has 2 or 4 subchannels.
        congestion: a rule of `congestion.CONTROLS`, or "auto" for that of the standard.
        aliases: pseudonyms of the cars; None keeps every id as it is.
    """

    def __init__(
        self,
        content: Content,
        *,
        standard: str = "csae_day2",
        radio: str = "lte-v2x",
        step: float = 0.1,
        network_latency: float | NetworkDelay = 0.04,
        security: Security | None = None,
        seed: int = 0,
        rates: Rates | None = None,
        power_dbm: float = 23.0,
        subchannels: int = 4,
        congestion: str = "auto",
        aliases: Aliases | None = None,
    ) -> None:
        self.content, self.security, self.aliases = content, security, aliases
        self.network = network_latency if isinstance(network_latency, NetworkDelay) else delay_of_mean(network_latency)
        self.step, self.seed = step, seed
        self.generation = Generation(standard, rates, congestion=congestion, step=step)
        self.freshness, self.events = FreshnessFilter(), EventReceiver()
        self.air = Air(radio_tables(radio, power_dbm, subchannels), seed, step)
        self.statistics = Statistics(events=self.events.counts)
        self.plain: WireBatch | None = None  # the last tick's own messages before they were signed
        self.wire: WireBatch | None = None  # the last tick's messages as they were on the air, for recorders
        self._late: list[_Late] = []
        self._commands = CommandsUnderWay(self.network, seed)
        self._injected: list[WireBatch] = []

    def inject(self, wire: WireBatch) -> None:
        """Put foreign bytes on the air at the next exchange (attacks, recorded traffic, gateways)."""
        self._injected.append(wire)

    def exchange(self, out: Outbox, stations: Stations, t: float) -> Inboxes:
        """One tick at time `t` in s; see the module's first lines."""
        tick = int(round(t / self.step))
        wire = self._generate(out, stations, t)
        self.plain = wire
        if self.security is not None:
            wire = self.security.sign(wire, t)
        for foreign in self._injected:
            wire = _append(wire, foreign)
        self._injected.clear()
        self.wire = wire
        size = np.diff(wire.start)
        self.statistics.count_sent(wire.kind, size)

        direct = np.flatnonzero(wire.uu == 0)
        heard = self.air.exchange(wire, direct, size, stations, tick, t, self.statistics)
        cars, units = Pairs(*heard[0]), Pairs(*heard[1])
        self._control(cars, wire, stations)
        cars = self._add_network(cars, wire, stations, tick)

        accepted, batches, row = self._open(wire, t)
        if self.security is not None:
            (cars, units), unknown = self.security.hear([(cars, stations.car), (units, stations.unit)])
            self.statistics.unknown += unknown
            capacity = max(int(self.security.capacity * self.step), 1)
            cars, dropped = relieve(cars, stations.car, wire, row, batches[MessageKind.AWARENESS], capacity)
            self.statistics.deferred += dropped
        limit = self.step - 1e-9
        inbox = [
            self._hand_over(pairs, ids, accepted, wire.kind, row, batches, t, limit)
            for pairs, ids in (
                (cars, stations.car),
                (units, stations.unit),
                (self._uplink(wire, stations, tick), np.array([CLOUD_STATION])),
            )
        ]
        self._forget(t)
        arrived = self._commands.exchange(out.command, tick, t, t + self.step)
        return Inboxes(inbox[0], inbox[1], inbox[2], arrived)

    def _generate(self, out: Outbox, stations: Stations, t: float) -> WireBatch:
        """Apply the generation rules and encode what is due."""
        rule = self.generation
        if self.aliases is not None and count(out.awareness):
            out = self._fall_silent(out, t)
        offers: list[tuple[int, Any, U8]] = []
        if count(out.awareness):
            offers.append((MessageKind.AWARENESS, out.awareness, rule.awareness(out.awareness, t)))
        if count(out.signal):
            offers.append((MessageKind.SIGNAL, out.signal, rule.signal(out.signal, t)))
        if len(out.topology):
            offers.append((MessageKind.TOPOLOGY, out.topology, rule.topology(out.topology, RSU_STATION_BASE, t)))
        if count(out.perception):
            shared = rule.perception(out.perception, RSU_STATION_BASE, t)
            offers.append((MessageKind.PERCEPTION, shared, np.ones(count(shared), np.uint8)))
        if count(out.advice):
            offers.append((MessageKind.ADVICE, out.advice, rule.advice(out.advice, t)))
        events = rule.event(out.event, t)
        if count(events):
            offers.append((MessageKind.EVENT, events, np.ones(count(events), np.uint8)))
        parts = []
        for kind, batch, due in offers:
            if not due.all():
                rows = np.flatnonzero(due)
                batch = batch[rows] if kind == MessageKind.TOPOLOGY else take(batch, rows)
            if (len(batch) if kind == MessageKind.TOPOLOGY else count(batch)) == 0:
                continue
            parts.append(self._encode(kind, batch, stations, t))
        if not parts:
            return _no_wire()
        wire = parts[0]
        for part in parts[1:]:
            wire = _append(wire, part)
        return wire

    def _fall_silent(self, out: Outbox, t: float) -> Outbox:
        """Cars change their pseudonyms; those between an old one and a new one say nothing."""
        own = out.awareness
        assert self.aliases is not None
        silent, changed = self.aliases.step(own.station, own.x, own.y, t)
        self.statistics.pseudonym_changes += len(changed)
        if changed and self.security is not None:
            self.security.change(changed)
        if not silent.any():
            return out
        self.statistics.silent += int(silent.sum())
        mute = np.isin(out.perception.station, own.station[silent])
        return out._replace(
            awareness=take(own, np.flatnonzero(~silent)), perception=take(out.perception, np.flatnonzero(~mute))
        )

    def _control(self, cars: Pairs, wire: WireBatch, stations: Stations) -> None:
        """Tell congestion control what the cars heard."""
        rule, n = self.generation.congestion, len(stations.car)
        near = np.zeros(n)
        if rule.name == "density" and len(cars.message):
            receiver = np.repeat(np.arange(n), np.diff(cars.start))
            m = cars.message
            apart = np.hypot(wire.x[m] - stations.car_x[receiver], wire.y[m] - stations.car_y[receiver])
            close = (apart <= Density().range_m) & (wire.kind[m] == MessageKind.AWARENESS)
            near = np.bincount(receiver[close], minlength=n).astype(float)
        rule.hear(stations.car, self.air.car_busy, near, self.air.airtime)

    def _encode(self, kind: int, batch: Any, stations: Stations, t: float) -> WireBatch:
        shown = batch
        if kind == MessageKind.TOPOLOGY:
            shown = batch = np.repeat(batch, self.content.segments(batch))
        elif self.aliases is not None:
            shown = replace_ids(batch, self.aliases.shown)
        buffer, start = self.content.encode(kind, shown)
        n = len(start) - 1
        station = batch if kind == MessageKind.TOPOLOGY else batch.station
        if kind == MessageKind.AWARENESS:
            x, y = batch.x, batch.y
        elif kind in _UU_KINDS:
            x, y = (batch.x, batch.y) if kind == MessageKind.EVENT else (batch.speed_until_x, batch.speed_until_y)
        else:
            at = np.searchsorted(stations.unit, station)
            at = np.minimum(at, len(stations.unit) - 1)
            x, y = stations.unit_x[at], stations.unit_y[at]
        network = kind in _UU_KINDS
        target = batch.target if network else np.full(n, -1, np.int64)
        return WireBatch(
            buffer,
            start,
            np.full(n, kind, np.int32),
            station,
            x,
            y,
            np.full(n, t),
            np.full(n, network, np.uint8),
            target,
        )

    def _uplink(self, wire: WireBatch, stations: Stations, tick: int) -> Pairs:
        """What the cloud gets: every message of cars and units, over the network."""
        if not stations.cloud:
            return Pairs(np.zeros(2, np.int64), np.zeros(0, np.int32), np.zeros(0))
        message = np.flatnonzero((wire.uu == 0) & (wire.kind != MessageKind.TOPOLOGY)).astype(np.int32)
        delay = np.zeros(len(message))
        network_delay(np.int64(self.seed), wire.station[message], np.int64(2 * tick), *self.network, delay)
        return Pairs(np.array([0, len(message)], np.int64), message, delay)

    def _add_network(self, cars: Pairs, wire: WireBatch, stations: Stations, tick: int) -> Pairs:
        """Add messages of the cloud to the cars' lists."""
        network = np.flatnonzero(wire.uu)
        if not len(network) or not len(stations.car):
            return cars
        receiver, message = np.zeros(4 * len(network) + 64, np.int32), np.zeros(4 * len(network) + 64, np.int32)
        reach = np.full(len(network), 1000.0)
        while True:
            n = addressed(
                wire.target[network], wire.x[network], wire.y[network], reach, stations.car, stations.car_x, stations.car_y,
                receiver, message,
            )  # fmt: skip
            if n <= len(receiver):
                break
            receiver, message = np.zeros(n, np.int32), np.zeros(n, np.int32)
        receiver, message = receiver[:n], network[message[:n]].astype(np.int32)
        delay = np.zeros(n)
        network_delay(np.int64(self.seed), wire.target[message], np.int64(2 * tick + 1), *self.network, delay)
        total = len(cars.message) + n
        merged = Pairs(np.zeros_like(cars.start), np.zeros(total, np.int32), np.zeros(total))
        merge_pairs(cars.start, cars.message, cars.delay, receiver, message, delay, *merged)
        return merged

    def _open(self, wire: WireBatch, t: float) -> tuple[U8, dict[int, Any], I32]:
        """Verify and decode every message once: verdict per message, content per kind, row of a message in its batch."""
        n = len(wire.kind)
        accepted = np.ones(n, np.uint8)
        buffer, start = wire.buffer, wire.start
        if self.security is not None and n:
            buffer, start, accepted, reasons = self.security.check(wire, t)
            self.statistics.refused.update(reasons)
        batches: dict[int, Any] = dict(_EMPTY)
        row = np.zeros(n, np.int32)
        for kind in np.unique(wire.kind).tolist():
            rows = np.flatnonzero((wire.kind == kind) & (accepted != 0))
            if kind == MessageKind.TOPOLOGY or not len(rows):
                continue
            part, offsets = _slice(buffer, start, rows)
            batch, error = self.content.decode(kind, part, offsets)
            batches[kind] = batch if self.aliases is None else replace_ids(batch, self.aliases.real)
            row[rows] = np.arange(len(rows), dtype=np.int32)
            if error.any():
                accepted[rows[error != 0]] = 0
                self.statistics.refused["undecodable"] += int(np.count_nonzero(error))
            if kind == MessageKind.EVENT:
                batches[kind] = self._judge_events(batches[kind], rows, accepted, t)
            else:
                self._refuse_stale(kind, batches[kind], rows, accepted, t)
        accepted[wire.kind == MessageKind.TOPOLOGY] = 0  # maps are known; the message counts as load and bytes
        return accepted, batches, row

    def _judge_events(self, heard: LivingEvents, rows: np.ndarray, accepted: U8, t: float) -> EventBatch:
        """What applications read of events; those that are over are not handed on. `rows` of `accepted` hold the batch."""
        good = rows[accepted[rows] != 0]
        for row, news in zip(good.tolist(), self.events.hear(take(heard, np.flatnonzero(accepted[rows])), t)):
            if news in HOLDS:
                continue
            accepted[row] = 0
            if news not in ENDS:
                self.statistics.refused[news.value] += 1
        return content_of(heard, t)

    def _refuse_stale(self, kind: int, batch: Any, rows: np.ndarray, accepted: U8, t: float) -> None:
        """Leave aside duplicates and messages that are too old, out of order or ahead of time; `rows` of `accepted` hold the batch."""
        good = np.flatnonzero(accepted[rows])
        sender = batch.station[good]
        if kind == MessageKind.SIGNAL:  # a unit may serve several intersections
            sender = sender * np.int64(65536) + batch.intersection[good]
        elif kind == MessageKind.ADVICE:
            sender = sender * np.int64(1 << 33) + batch.target[good]
        fresh, verdicts = self.freshness.check(MessageKind(kind), sender, batch.time[good], t)
        if verdicts:
            accepted[rows[good[fresh == 0]]] = 0
            self.statistics.refused.update(verdict.value for verdict in verdicts)

    def _hand_over(
        self,
        pairs: Pairs,
        ids: I64,
        accepted: U8,
        kind: I32,
        row: I32,
        batches: dict[int, Any],
        t: float,
        limit: float,
    ) -> Received:
        """Accepted messages whose delay has ended become readable; the others wait."""
        room = len(pairs.message)
        now = Pairs(np.empty_like(pairs.start), np.empty(room, np.int32), np.empty(room))
        late_receiver, late_message, late_delay = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room)
        late = keep_pairs(accepted, limit, *pairs, *now, late_receiver, late_message, late_delay)
        kept = int(now.start[-1])
        message = now.message[:kept]
        kinds, rows = kind[message], row[message]
        start, delay = now.start, now.delay[:kept]
        if late:
            self._hold(late_receiver[:late], late_message[:late], late_delay[:late], ids, kind, row, batches, t)
        if self._late and len(ids):
            start, kinds, rows, delay, batches = self._release(ids, start, kinds, rows, delay, batches, t + limit)
        self.statistics.count_delivered(kinds, delay)
        return Received(ids, start, kinds, rows, delay, *[batches[k] for k in BATCH_TYPES])

    def _hold(
        self, receiver: I32, message: I32, delay: F64, ids: I64, kind: I32, row: I32, batches: dict[int, Any], t: float
    ) -> None:
        for k in np.unique(kind[message]):
            mine = np.flatnonzero(kind[message] == k)
            rows, index = np.unique(row[message[mine]], return_inverse=True)
            content = take(batches[int(k)], rows)
            self._late.append(
                _Late(t + delay[mine], ids[receiver[mine]], int(k), index.astype(np.int32), delay[mine], content)
            )

    def _release(
        self, ids: I64, start: I64, kinds: I32, rows: I32, delay: F64, batches: dict[int, Any], until: float
    ) -> tuple[I64, I32, I32, F64, dict[int, Any]]:
        """Add waiting deliveries that are due to a group's lists."""
        batches = dict(batches)
        order = np.argsort(ids, kind="stable")
        extra: list[tuple[Any, int, Any, F64]] = []
        waiting: list[_Late] = []
        for held in self._late:
            at = np.minimum(np.searchsorted(ids, held.receiver, sorter=order), len(ids) - 1)
            place = order[at]
            due = (held.due <= until) & (ids[place] == held.receiver)
            hit = np.flatnonzero(due)
            if not len(hit):
                waiting.append(held)
                continue
            shift = count(batches[held.kind])
            batches[held.kind] = join([batches[held.kind], held.batch])
            extra.append((place[hit], held.kind, shift + held.row[hit], held.delay[hit]))
            rest = np.flatnonzero(~due)
            if len(rest):
                waiting.append(
                    held._replace(
                        due=held.due[rest], receiver=held.receiver[rest], row=held.row[rest], delay=held.delay[rest]
                    )
                )
        self._late = waiting
        if not extra:
            return start, kinds, rows, delay, batches
        where, late_row, late_delay = (np.concatenate([e[k] for e in extra]) for k in (0, 2, 3))
        late_kind = np.concatenate([np.full(len(e[0]), e[1]) for e in extra])
        total = len(kinds) + len(where)
        all_kinds, all_rows = np.append(kinds, late_kind), np.append(rows, late_row)
        merged = Pairs(np.zeros_like(start), np.zeros(total, np.int32), np.zeros(total))
        own = np.arange(len(kinds), dtype=np.int32)
        foreign = np.arange(len(kinds), total, dtype=np.int32)
        merge_pairs(start, own, delay, where.astype(np.int32), foreign, late_delay.astype(np.float64), *merged)
        return (
            merged.start,
            all_kinds[merged.message].astype(np.int32),
            all_rows[merged.message].astype(np.int32),
            merged.delay,
            batches,
        )

    def _forget(self, t: float) -> None:
        """Drop deliveries whose receiver is gone for more than a second."""
        if self._late:
            self._late = [held for held in self._late if held.due.max() > t - 1.0]


def _no_wire() -> WireBatch:
    zero = np.zeros(0)
    ids = np.zeros(0, np.int64)
    return WireBatch(
        np.zeros(0, np.uint8),
        np.zeros(1, np.int64),
        np.zeros(0, np.int32),
        ids,
        zero,
        zero,
        zero,
        np.zeros(0, np.uint8),
        ids,
    )


def _append(first: WireBatch, second: WireBatch) -> WireBatch:
    """Two wire batches as one."""
    columns = [np.concatenate([a, b]) for a, b in zip(first, second)]
    columns[1] = np.concatenate([first.start, second.start[1:] - second.start[0] + first.start[-1]])
    return WireBatch(*columns)


def _slice(buffer: U8, start: I64, rows: np.ndarray) -> tuple[U8, I64]:
    """Buffer and offsets of some messages; no copy where the rows are consecutive."""
    low, high = int(rows[0]), int(rows[-1]) + 1
    if high - low == len(rows):
        return buffer[start[low] : start[high]], start[low : high + 1] - start[low]
    size = start[rows + 1] - start[rows]
    offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(size, out=offsets[1:])
    index = np.repeat(start[rows] - offsets[:-1], size) + np.arange(offsets[-1])
    return buffer[index], offsets
