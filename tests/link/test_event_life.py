"""Events from new to forgotten: at the sender, over the standards' bytes, at the receiver, and in the loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
from test_bus import heard, stations

from cloverleaf.link.bus import Link
from cloverleaf.link.content.content import Content
from cloverleaf.link.life.event_receiver import EventReceiver, News
from cloverleaf.link.life.event_sender import AFTER, GIVEN_UP, VALIDITY, EventSender
from cloverleaf.link.life.living import CANCELLED, NEGATED, LivingEvents
from cloverleaf.link.messages import decode
from cloverleaf.link.station import empty_outbox
from cloverleaf.map.graph import BaseMap, GeoReference
from cloverleaf.types.messages import CLOUD_STATION, EventBatch, MessageKind, WireBatch

GEO = GeoReference("+proj=tmerc +lat_0=31.2 +lon_0=121.4 +ellps=WGS84", 0.0, 0.0, 31.2, 121.4)
NOWHERE = BaseMap(None, (), (), (), (), (), GEO, "", ())  # type: ignore[arg-type]


def offer(
    t: float, x: float = 5.0, ahead: float = math.nan, target: int = -1, station: int = 7, code: int = 9
) -> EventBatch:
    one = np.ones(1)
    return EventBatch(
        np.array([station]), one * t, np.array([code], np.int32), one * x, one * 6, one * 20, np.array([target]), one * x,
        one * 6, one * ahead,
    )  # fmt: skip


NOTHING = EventBatch(*[column[:0] for column in offer(0.0)])


class Ears:
    """A receiver that hears everything over the bytes of a standard."""

    def __init__(self, standard: str, interval: float = 0.5) -> None:
        self.made, self.sender = Content(NOWHERE, standard), EventSender(interval, standard == "etsi")
        self.receiver = EventReceiver()

    def over_the_air(self, events: LivingEvents, t: float) -> LivingEvents:
        buffer, start = self.made.encode(MessageKind.EVENT, events)
        self.made.frame.now = t
        back, error = self.made.decode(MessageKind.EVENT, buffer, start)
        assert not error.any()
        return back

    def hear(self, offered: EventBatch, t: float) -> list[News]:
        sent = self.sender.due(offered, t)
        return self.receiver.hear(self.over_the_air(sent, t), t) if len(sent.station) else []


def test_a_denm_from_new_to_cancelled() -> None:
    ears = Ears("etsi")
    assert ears.hear(offer(0.0), 0.0) == [News.NEW] and ears.hear(offer(0.0), 0.4) == []
    assert ears.hear(offer(0.0), 0.5) == [News.REPEATED], "an application that offers the same row repeats it"
    assert ears.hear(offer(1.0), 1.0) == [News.UPDATED], "its time is renewed"
    assert ears.hear(offer(1.5, x=9.0), 1.5) == [News.UPDATED] and ears.receiver.active(1.5) == {(7, 0)}
    quiet = [ears.hear(NOTHING, 1.6 + 0.1 * k) for k in range(19)]
    assert quiet == [[]] * 19
    gone = 1.5 + GIVEN_UP + 0.1
    assert ears.hear(NOTHING, gone) == [News.CANCELLED] and not ears.receiver.active(gone)
    assert ears.hear(NOTHING, gone + 1.0) == [News.CANCELLED], "late comers hear of the end"
    assert EventReceiver().hear(ears.over_the_air(ears.sender.due(NOTHING, gone + 2.0), gone), gone + 2.0) == [
        News.CANCELLED
    ]
    assert ears.hear(offer(9.0), 9.0) == [News.NEW, News.CANCELLED], "the same again is another event"
    assert ears.receiver.active(9.0) == {(7, 1)}
    assert ears.sender.due(NOTHING, 8.0 + VALIDITY).number.tolist() == [1], "the first would be over by now anyway"
    assert not len(ears.sender.due(NOTHING, 10.0 + VALIDITY).number)


def test_a_warning_of_a_conflict_ends_by_itself() -> None:
    for standard in ("etsi", "csae_day1"):
        ears = Ears(standard)
        assert ears.hear(offer(0.0, ahead=3.0, target=4), 0.0) == [News.NEW]
        assert [ears.hear(NOTHING, 0.5 * k) for k in range(1, 30)] == [[]] * 29, "no cancellation"
        assert ears.receiver.active(4.9) and not ears.receiver.active(3.0 + AFTER + 60.0)
    ears = Ears("etsi")
    ears.hear(offer(0.0, ahead=3.0), 0.0)
    assert not ears.receiver.active(3.0 + AFTER + 0.01), "to the second"


def test_one_event_is_not_another() -> None:
    sender = EventSender(0.1, True)
    rows = [
        offer(0.0),
        offer(0.0, x=200.0),
        offer(0.0, code=10),
        offer(0.0, station=8),
        offer(0.0, ahead=1.0, target=3),
    ]
    everything = EventBatch(*[np.concatenate(c) for c in zip(*rows)])
    first = sender.due(everything, 0.0)
    assert first.number.tolist() == [0, 1, 2, 0, 3]
    moved = [
        offer(0.1, x=12.0),
        offer(0.1, x=205.0),
        offer(0.1, code=10),
        offer(0.1, station=8),
        offer(0.1, x=90.0, ahead=1.0, target=3),
    ]
    again = sender.due(EventBatch(*[np.concatenate(c) for c in zip(*moved[::-1])]), 0.1)
    assert again.number.tolist() == [3, 0, 2, 1, 0] and (again.start == 0.0).all()


def test_only_newer_references_count_and_clocks_may_not_run_ahead() -> None:
    ears = Ears("etsi", 0.1)
    first = ears.over_the_air(ears.sender.due(offer(0.0), 0.0), 0.0)
    second = ears.over_the_air(ears.sender.due(offer(1.0), 1.0), 1.0)
    assert [ears.receiver.hear(m, 1.1)[0] for m in (second, first, second)] == [News.NEW, News.STALE, News.REPEATED]
    assert ears.receiver.hear(second._replace(time=np.array([60.0])), 1.2) == [News.FUTURE]
    assert ears.receiver.hear(second._replace(end=np.array([1.1])), 1.2) == [News.EXPIRED]
    assert ears.receiver.counts == {
        "new": 1,
        "stale event": 1,
        "repeated": 1,
        "event from the future": 1,
        "expired event": 1,
    }


def test_others_negate_and_only_the_originator_cancels() -> None:
    ears = Ears("etsi")
    sent = ears.sender.due(offer(0.0), 0.0)
    assert ears.receiver.hear(ears.over_the_air(sent, 0.0), 0.0) == [News.NEW]
    later, other = sent._replace(time=np.array([1.0])), np.array([8])
    end = {k: np.array([k], np.uint8) for k in (CANCELLED, NEGATED)}
    forged = later._replace(station=other, termination=end[CANCELLED])
    own = later._replace(termination=end[NEGATED])
    for wrong in (forged, own):
        assert ears.receiver.hear(ears.over_the_air(wrong, 1.0), 1.0) == [News.NOT_ENTITLED] and ears.receiver.active(
            1.0
        )
    negated = later._replace(station=other, termination=end[NEGATED])
    assert ears.receiver.hear(ears.over_the_air(negated, 1.0), 1.0) == [News.NEGATED] and not ears.receiver.active(1.0)
    assert ears.receiver.hear(ears.over_the_air(sent, 1.1), 1.1) == [News.STALE], (
        "what was said before does not come back"
    )


def test_roadside_information_ends_by_silence_or_its_end() -> None:
    receiver, made = EventReceiver(silence=3.0), Content(NOWHERE, "csae_day1")
    sent = EventSender(0.1, False).due(offer(0.0), 0.0)

    def read(events: LivingEvents, t: float) -> LivingEvents:
        made.frame.now = t
        return made.decode(MessageKind.EVENT, *made.encode(MessageKind.EVENT, events))[0]._replace(
            time=np.array([np.nan])
        )

    assert [receiver.hear(read(sent, k), k)[0] for k in range(3)] == [News.NEW, News.REPEATED, News.REPEATED]
    changed = read(sent._replace(event=np.array([10], np.int32)), 3.0)
    assert receiver.hear(changed, 3.0) == [News.UPDATED] and receiver.active(5.9) and not receiver.active(6.1)
    assert receiver.hear(changed, 7.0) == [News.NEW] and receiver.hear(changed, VALIDITY + 61.0) == [News.EXPIRED]


@pytest.mark.parametrize("standard", ["csae_day1", "csae_day2", "etsi", "sae"])
def test_in_the_loop_an_event_keeps_its_number_and_ends(standard: str) -> None:
    """As others read it from the wire: one number and one start, a newer time with every change, an end; and the loop counts its life."""
    who = stations([0.0, 50.0])
    link = Link(Content(NOWHERE, standard), standard=standard, radio="ideal", network_latency=0.01)
    seen, told = [], []
    for k in range(40):
        t = 0.1 * k
        moment = 2.0 if k < 5 else 3.0  # after half a second the conflict is predicted for later
        out = empty_outbox()
        if k < 10:
            batch = offer(t, ahead=moment - t, target=1, station=CLOUD_STATION)
            out = out._replace(event=batch)
        inbox = link.exchange(out, who, t)
        told.append(len(heard(inbox, 1, MessageKind.EVENT)))
        for i in np.flatnonzero(link.wire.kind == MessageKind.EVENT):
            data = link.wire.buffer[link.wire.start[i] : link.wire.start[i + 1]].tobytes()
            name = "denm" if standard == "etsi" else "rsi"
            edition = "csae_day2" if standard == "sae" else standard
            seen.append(decode(edition, name, data, link.content.frame.clock + t).events[0])
    assert {(e.id, e.start) for e in seen} == {(0, seen[0].start)} and told == [1] * 10 + [0] * 30
    step = 1.0 if standard == "etsi" else 60.0
    assert 3.0 + AFTER <= seen[-1].end - link.content.frame.clock <= 3.0 + AFTER + step
    assert link.statistics.summary()["events"]["new"] == 1
    assert sum(link.statistics.summary()["events"].values()) == 10


def inject(link: Link, events: LivingEvents) -> None:
    buffer, start = link.content.encode(MessageKind.EVENT, events)
    one, everyone = np.ones(1), np.array([-1])
    link.inject(
        WireBatch(buffer, start, np.array([MessageKind.EVENT], np.int32), np.array([8]), one, one, one, np.ones(1, np.uint8), everyone)
    )  # fmt: skip


def test_in_the_loop_hazards_are_cancelled_and_forgeries_refused() -> None:
    who = stations([0.0, 50.0])
    link = Link(Content(NOWHERE, "etsi"), standard="etsi", radio="ideal", network_latency=0.01)
    twin = EventSender(0.1, True)
    told = []
    for k in range(45):
        t = 0.1 * k
        out = empty_outbox()._replace(event=offer(t, station=CLOUD_STATION)) if k < 10 else empty_outbox()
        if k < 10:
            copy = twin.due(offer(t, station=CLOUD_STATION), t)
        if k == 12:
            inject(
                link,
                copy._replace(station=np.array([8]), time=np.array([t]), termination=np.array([CANCELLED], np.uint8)),
            )
        if k == 13:
            inject(link, copy._replace(time=np.array([0.2])))
        if k == 14:
            inject(link, copy._replace(time=np.array([t + 30.0])))
        if k == 15:
            inject(link, copy._replace(start=np.array([-90.0]), end=np.array([-30.0])))
        told.append(len(heard(link.exchange(out, who, t), 0, MessageKind.EVENT)))
    assert told == [1] * 10 + [0] * 35
    assert dict(link.statistics.refused) == {
        "not entitled to end the event": 1, "stale event": 1, "event from the future": 1, "expired event": 1,
    }  # fmt: skip
    counts = link.statistics.summary()["events"]
    assert (
        counts["new"] == 1 and counts["cancelled"] == 2 and counts["new"] + counts["updated"] + counts["repeated"] == 10
    )
