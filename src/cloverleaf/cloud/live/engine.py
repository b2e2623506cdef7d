"""One shard's work without IO: frames in; twin, edge services; advisories as frames and snapshots out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from cloverleaf.cloud.live import table as tb
from cloverleaf.cloud.live.chatter import Chatter
from cloverleaf.cloud.live.counts import Counts
from cloverleaf.cloud.live.frames import Frame, Trust, pack_frame
from cloverleaf.cloud.live.intake import Checker, Intake, joined
from cloverleaf.cloud.live.runner import Runner
from cloverleaf.cloud.live.snapshot import SAID, Mark, Snapshot, heads_of, rows_of
from cloverleaf.cloud.live.tiers import Tier
from cloverleaf.cloud.live.tiles import tile_of
from cloverleaf.cloud.live.twin import LiveTwin
from cloverleaf.cloud.services import Answer
from cloverleaf.link.life.event_sender import AFTER
from cloverleaf.link.life.living import LivingEvents, living
from cloverleaf.map.graph import BaseMap
from cloverleaf.types.messages import CLOUD_STATION, AdviceBatch, EventBatch, MessageKind
from cloverleaf.types.state import I64

AGAIN = 0.1
"""s before the same station is told the same kind of thing again."""
TOLD_FOR = 2.0
WARNING, ADVICE = 0, 1


class Signer(Protocol):
    """Signs what goes out; `cloud/security/own_root.py` implements it."""

    def sign(self, message: bytes, kind: int, standard: str, now: float) -> bytes:
        """The signed message; `now` s since 1970."""


class Down(NamedTuple):
    """Messages for the stations behind one source."""

    source: str
    data: bytes
    messages: int
    stations: I64


class Engine:
    """The twin of `tiles` (None: everywhere) and its edge services."""

    def __init__(
        self,
        base_map: BaseMap,
        services: Sequence[Any] = ("collision_warning",),
        *,
        shard: int = 0,
        tiles: set[int] | None = None,
        checker: Checker | None = None,
        secret: bytes | None = None,
        epoch: int = 0,
        signer: Signer | None = None,
    ) -> None:
        self.counts = Counts()
        self.twin = LiveTwin(base_map, room=4096, secret=secret)
        self.intake = Intake(base_map, self.counts, checker)
        self.runner = Runner(base_map, services, self.twin, Tier.EDGE)
        self.signer = signer
        self.chatter = Chatter()
        g = base_map.graph
        last = g.lane_point_start[g.link_from[g.link_signal >= 0] + 1] - 1
        self._lights = {
            int(s): (float(g.point_x[p]), float(g.point_y[p])) for s, p in zip(g.link_signal[g.link_signal >= 0], last)
        }
        self.shard, self._epoch, self._sequence = shard, epoch, 0
        self.tiles = None if tiles is None else np.array(sorted(tiles), np.int64)
        self._echo: dict[str, int] = {}  # source -> first sequence taken over in this cycle
        self._told: dict[tuple[int, int], float] = {}  # (station, what) -> when
        self._warned: dict[tuple[int, int], tuple[int, float, float]] = {}  # (station, event) -> number, first time, last time
        self._events = 0
        self._by_handle: dict[int, int] = {}
        self.said = np.zeros(0, SAID)
        """Advisories of the last cycle."""

    def add(self, source: str, frame: Frame) -> bool:
        """Queue one frame."""
        fresh = self.intake.add(source, frame)
        if fresh:
            self._echo.setdefault(source, frame.sequence)
        return fresh

    def cycle(self, now: float) -> list[Down]:
        """Take over what was queued, run the edge services, and return what is to be said."""
        heard = self.intake.open(now)
        if heard.awareness:
            batch, source = joined(heard.awareness)
            self.chatter.note(MessageKind.AWARENESS, 0, batch.x, batch.y)
            rows = self.twin.hear(batch, source, now)
            for reason, code in (("rate", tb.TOO_OFTEN), ("out_of_order", tb.OLDER)):
                for k, n in zip(*np.unique(source[rows == code], return_counts=True)):
                    self.counts.refuse(self.intake.sources[k], reason, int(n))
        if heard.perception:
            seen, source = joined(heard.perception)
            self.chatter.note(MessageKind.PERCEPTION, 0, seen.x, seen.y)
            self.twin.see(seen, source, now)
        for signal in heard.signal:
            self.twin.lights(signal)
            place = np.array(
                [self._lights.get(int(s), (np.nan, np.nan)) for s in signal.intersection.tolist()]
            ).reshape(-1, 2)
            self.chatter.note(MessageKind.SIGNAL, 0, place[:, 0], place[:, 1])
        self.twin.look(now)
        answers = [a for _, a in self.runner.run(now, eager=bool(heard.awareness or heard.perception))]
        downs = self.tell(answers, now)
        self._echo.clear()
        return downs

    def owned(self) -> np.ndarray:
        """Which tracks lie on this shard's own tiles, bool of shape (n,)."""
        tracks = self.twin.tracks
        if self.tiles is None:
            return np.ones(len(tracks.x), bool)
        return np.isin(tile_of(tracks.x, tracks.y), self.tiles)

    def tell(self, answers: Sequence[Answer], now: float) -> list[Down]:
        """Advisories of services as messages to the sources of the stations concerned; repeats within `AGAIN` s are left out."""
        warnings = [a.event for a in answers if a.event is not None and len(a.event.target)]
        advice = [a.advice for a in answers if a.advice is not None and len(a.advice.target)]
        parts: dict[str, list[tuple[int, bytes, int]]] = {}
        said = []
        for kind, what, batches in ((MessageKind.EVENT, WARNING, warnings), (MessageKind.ADVICE, ADVICE, advice)):
            for batch in batches:
                rows = self._fresh(batch.target, what, now)
                if len(rows):
                    batch = type(batch)(*[c[rows] for c in batch])  # type: ignore[arg-type]
                    self._encode(int(kind), self._alive(batch, now) if isinstance(batch, EventBatch) else batch, parts, now)
                    at = [self.twin.row_of(s) for s in batch.target.tolist()]
                    self.chatter.note(int(kind), 1, self.twin.f[at, tb.X], self.twin.f[at, tb.Y])
                    said.append(self._records(what, batch))
        self.said = np.concatenate(said) if said else np.zeros(0, SAID)
        return [self._frame(source, rows, now) for source, rows in parts.items()]

    def station_of(self, handle: int, now: float) -> int:
        """The connected station behind a handle, -1 if there is none."""
        names = self.twin.handles(now)
        row = self._by_handle.get(handle, -1)
        if not (0 <= row < len(names) and names[row] == handle):
            self._by_handle = {int(h): r for r, h in enumerate(names.tolist())}
            row = self._by_handle.get(handle, -1)
        return int(self.twin.whole[row, tb.STATION]) if row >= 0 and self.twin.whole[row, tb.SECOND] < 0 else -1

    def snapshot(self, now: float) -> Snapshot:
        """This shard's own rows and all lights it knows, at `now`."""
        twin = self.twin
        tracks = twin.look(now)
        n = len(tracks.x)
        marks = np.zeros(n, np.uint8)
        for (station, what), when in list(self._told.items()):
            if now - when > TOLD_FOR:
                del self._told[station, what]
                continue
            row = twin.row_of(station)
            if row >= 0:
                marks[row] |= int(Mark.WARNED if what == WARNING else Mark.ADVISED)
        rows = rows_of(
            tracks,
            twin.handles(now),
            self.intake.tenants(twin.whole[:n, tb.SOURCE]),
            twin.whole[:n, tb.FLAGS],
            marks,
            now,
        )
        return Snapshot(now, self.shard, rows[self.owned()], heads_of(twin.signals))

    def _fresh(self, target: I64, what: int, now: float) -> np.ndarray:
        """Rows of `target` that are owned here and were not told `what` just now."""
        rows = []
        for i, station in enumerate(target.tolist()):
            key = (station, what)
            if now - self._told.get(key, -1e18) < AGAIN:
                continue
            row = self.twin.row_of(station)
            if row < 0 or not self._owns(row):
                continue
            self._told[key] = now
            rows.append(i)
        return np.array(rows, np.int64)

    def _owns(self, row: int) -> bool:
        if self.tiles is None:
            return True
        tile = tile_of(self.twin.f[row, tb.X : tb.X + 1], self.twin.f[row, tb.Y : tb.Y + 1])
        return bool(np.isin(tile, self.tiles)[0])

    def _alive(self, batch: EventBatch, now: float) -> LivingEvents:
        """The warnings with their lives: what a station is told again within `TOLD_FOR` s is the same event and keeps its number."""
        numbers, starts = [], []
        for key in zip(batch.target.tolist(), batch.event.tolist()):
            number, start, last = self._warned.get(key, (0, now, -np.inf))
            if now - last > TOLD_FOR:
                number, start = self._events, now
                self._events += 1
            self._warned[key] = (number, start, now)
            numbers.append(number)
            starts.append(start)
        self._warned = {k: v for k, v in self._warned.items() if now - v[2] <= TOLD_FOR}
        end = batch.time + np.maximum(batch.time_to_conflict, 0.0) + AFTER
        return living(batch, np.array(numbers, np.int64), np.array(starts), end)

    def _encode(self, kind: int, batch: Any, parts: dict[str, list[tuple[int, bytes, int]]], now: float) -> None:
        source = np.array([self.twin.whole[self.twin.row_of(s), tb.SOURCE] for s in batch.target.tolist()], np.int64)
        standard = np.array([self.intake.standards[s] for s in source.tolist()])
        for name in np.unique(standard).tolist():
            rows = np.flatnonzero(standard == name)
            buffer, start = self.intake.content(name).encode(kind, type(batch)(*[c[rows] for c in batch]))
            raw, at = buffer.tobytes(), start.tolist()
            for i, row in enumerate(rows.tolist()):
                where = parts.setdefault(self.intake.sources[source[row]], [])
                one = raw[at[i] : at[i + 1]]
                if self.signer is not None:
                    one = self.signer.sign(one, kind, name, now)
                where.append((kind, one, int(batch.target[row])))

    def _frame(self, source: str, rows: list[tuple[int, bytes, int]], now: float) -> Down:
        self._sequence += 1
        size = [len(raw) for _, raw, _ in rows]
        start = np.concatenate(([0], np.cumsum(size))).astype(np.int64)
        n = len(rows)
        stations = np.array([s for _, _, s in rows], np.int64)
        frame = Frame(
            self.intake.standards[self.intake.number(source)], self._echo.get(source, -1), self._epoch, self._sequence, now,
            np.array([k for k, _, _ in rows], np.uint8), np.full(n, int(Trust.SIGNED if self.signer else Trust.UNSIGNED), np.uint8),
            np.frombuffer(b"".join(raw for _, raw, _ in rows), np.uint8), start, 0, stations,
        )  # fmt: skip
        return Down(source, pack_frame(frame), n, stations)

    def _records(self, what: int, batch: EventBatch | AdviceBatch) -> np.ndarray:
        out = np.zeros(len(batch.target), SAID)
        out["time"], out["what"] = batch.time, what
        names = self.twin.handles(float(batch.time[0]))
        out["handle"] = [names[self.twin.row_of(s)] for s in batch.target.tolist()]
        if isinstance(batch, EventBatch):
            out["code"], out["x"], out["y"], out["radius"] = batch.event, batch.x, batch.y, batch.radius
            out["value"], out["life"] = batch.time_to_conflict, TOLD_FOR
        else:
            out["x"], out["y"], out["value"] = batch.speed_until_x, batch.speed_until_y, batch.speed
            out["life"] = batch.valid_until - batch.time
        return out


def answer_of(records: np.ndarray, station: I64, now: float) -> Answer:
    """Answer of a service that runs elsewhere: `SAID` records with the stations behind their handles."""
    code, what = records["code"].astype(np.int32), records["what"]
    x, y, radius, value, life = (records[c].astype(float) for c in ("x", "y", "radius", "value", "life"))
    sender, time = np.full(len(records), CLOUD_STATION, np.int64), np.full(len(records), now)
    event = EventBatch(sender, time, code, x, y, radius, station, x, y, value)
    advice = AdviceBatch(sender, time, station, value, x, y, now + life)
    return Answer(
        event=EventBatch(*[c[what == WARNING] for c in event]), advice=AdviceBatch(*[c[what == ADVICE] for c in advice])
    )
