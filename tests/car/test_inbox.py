"""The door of messages: whatever comes in, what goes on is finite, possible, fresh and new, and the counts add up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloverleaf.car.heard import O_HEADING, O_KIND, O_LENGTH, O_SIGMA, O_SPEED, O_TIME, O_WIDTH, heard
from cloverleaf.car.inbox import InboxDoor
from cloverleaf.car.tally import Reason, Tally
from cloverleaf.link.station import empty_received
from cloverleaf.types.messages import AdviceBatch, AwarenessBatch, EventBatch, PerceptionBatch, SignalBatch
from cloverleaf.types.messages import MessageKind as K

NOW = 100.0
CARS = np.array([3, 4, 8])
NASTY = st.sampled_from(
    [0.0, -1.0, 1.5, 4.5, 30.0, 99.0, 99.5, 100.0, 100.04, 101.0, 400.0, 1e9, -1e9, np.nan, np.inf, -np.inf]
)


def column(draw, n, values=NASTY, dtype=float):
    return np.array(draw(st.lists(values, min_size=n, max_size=n)), dtype)


@st.composite
def batches(draw):
    """Batches of any content whose lists fit together."""

    def batch(made, n, start=None, rows=0):
        out, inner = [], False
        for name in made._fields:
            many = rows if inner else n
            if name == start:
                cuts = sorted(draw(st.lists(st.integers(0, rows), min_size=n - 1, max_size=n - 1))) if n else []
                out.append(np.array([0, *cuts, rows] if n else [0], np.int64))
                inner = True
            elif name in (
                "station",
                "target",
                "object_station",
                "intersection",
                "link_index",
                "kind",
                "events",
                "event",
                "object_id",
            ):
                wide = np.int64 if name in ("station", "target", "object_station") else np.int32
                out.append(column(draw, many, st.integers(-1, 9), wide))
            elif name in ("light", "next_light"):
                out.append(column(draw, many, st.integers(0, 12), np.uint8))
            else:
                out.append(column(draw, many))
        return made(*out)

    count = st.integers(0, 3)
    heard_by = []
    for _ in CARS:
        heard_by.append(draw(st.lists(st.tuples(st.sampled_from([*K, 9, -1]), st.integers(-1, 3)), max_size=6)))
    pairs = [p for mine in heard_by for p in mine]
    n, m = draw(count), draw(count)
    p = batch(PerceptionBatch, n, "object_start", draw(count) if n else 0)
    s = batch(SignalBatch, m, "phase_start", draw(count) if m else 0)
    return empty_received(CARS)._replace(
        start=np.cumsum([0, *map(len, heard_by)]).astype(np.int64),
        kind=np.array([int(k) for k, _ in pairs], np.int32),
        message=np.array([m for _, m in pairs], np.int32),
        delay=np.zeros(len(pairs)),
        awareness=batch(AwarenessBatch, draw(count)),
        perception=p,
        signal=s,
        advice=batch(AdviceBatch, draw(count)),
        event=batch(EventBatch, draw(count)),
    )


@settings(max_examples=100, deadline=None)
@given(st.lists(batches(), min_size=1, max_size=3))
def test_what_goes_on_is_sound_and_the_counts_add_up(inboxes):
    tally = Tally()
    door = InboxDoor(tally)
    for tick, inbox in enumerate(inboxes):
        before = sum(v for (name, _), v in tally.counts.items() if name == "inbox")
        now = NOW + 0.1 * tick
        made = door.admit(CARS, inbox, now)
        told, good = made.told, int(made.good.sum())
        dropped = sum(v for (name, _), v in tally.counts.items() if name == "inbox") - before
        assert good == len(told.kind) == told.start[-1] and good + dropped == len(inbox.kind)
        assert (made.good + made.dropped == np.diff(inbox.start)).all()
        o, s = told.object, told.signal
        assert np.isfinite(o).all() and np.isfinite(told.advice).all() and np.isfinite(told.event).all()
        listed = o[told.object_start[0] :]
        assert (np.abs(listed[:, [O_HEADING, O_SPEED]]) <= 80.0).all() and (listed[:, [O_LENGTH, O_WIDTH]] > 0.0).all()
        assert (
            (listed[:, O_LENGTH] <= 40.0).all() and (listed[:, O_SIGMA] >= 0.0).all() and (listed[:, O_KIND] <= 8).all()
        )
        assert (now - listed[:, O_TIME] <= 1.0).all() and (listed[:, O_TIME] - now <= 0.05).all()
        assert not np.isinf(s).any() and (now - s[:, 1] <= 1.0).all() and (s[:, 1] - now <= 0.05).all()
        assert ((told.advice[:, 2] >= 0.0) & (told.advice[:, 2] <= 80.0)).all()
        for kind, rows in ((K.AWARENESS, len(inbox.awareness.station)), (K.PERCEPTION, len(told.perception)),
                           (K.SIGNAL, len(told.signal_start) - 1), (K.ADVICE, len(told.advice)), (K.EVENT, len(told.event))):  # fmt: skip
            mine = told.message[told.kind == kind]
            assert ((mine >= 0) & (mine < rows)).all()
        assert set(told.kind.tolist()) <= {K.AWARENESS, K.PERCEPTION, K.SIGNAL, K.ADVICE, K.EVENT}
        again = door.admit(CARS, inbox, now)
        assert not again.good.any()  # nothing goes through twice


def one(time=NOW, station=9, **changes):
    """An awareness message to the first car."""
    one = np.ones(1)
    batch = AwarenessBatch(
        np.array([station]), time * one, 5.0 * one, 5.0 * one, 0.1 * one, 3.0 * one, 0.0 * one, 0.0 * one, 4.5 * one, 1.8 * one,
        np.ones(1, np.int32), np.zeros(1, np.int32),
    )  # fmt: skip
    return received(K.AWARENESS, awareness=batch._replace(**{k: v * one for k, v in changes.items()}))


def received(kind, **batch):
    return empty_received(CARS)._replace(
        start=np.array([0, 1, 1, 1]), kind=np.array([kind], np.int32), message=np.zeros(1, np.int32), delay=np.zeros(1), **batch
    )  # fmt: skip


def reasons(*inboxes, now=NOW):
    tally = Tally()
    door = InboxDoor(tally)
    for k, inbox in enumerate(inboxes):
        door.admit(CARS, inbox, now + 0.1 * k)
    return dict(tally.counts)


@pytest.mark.parametrize(
    "inboxes, reason",
    [
        ([one(x=np.nan)], Reason.BROKEN),
        ([one(speed=np.inf)], Reason.BROKEN),
        ([one(length=-4.0)], Reason.IMPOSSIBLE),
        ([one(speed=500.0)], Reason.IMPOSSIBLE),
        ([one(NOW - 1.5)], Reason.STALE),
        ([one(NOW + 1.0)], Reason.FUTURE),
        ([one(), one()], Reason.DUPLICATED),
        ([one(), one(NOW - 0.2)], Reason.OUT_OF_ORDER),
    ],
)
def test_every_reason_is_named(inboxes, reason):
    assert reasons(*inboxes) == {("inbox", reason): 1}


def test_senders_do_not_disturb_each_other():
    assert not reasons(one(), one(NOW, station=10), one(NOW + 0.1))


def test_an_unknown_size_is_typical_of_the_kind():
    door = InboxDoor(Tally())
    told = door.admit(CARS, one(length=np.nan, width=0.0), NOW).told
    assert told.object[0, [O_LENGTH, O_WIDTH]].tolist() == [4.5, 1.8]


def advice(time, speed=8.0, until=NOW + 20.0):
    one = np.ones(1)
    return received(
        K.ADVICE, advice=AdviceBatch(np.array([-2]), time * one, np.array([3]), speed * one, one, one, until * one)
    )


def test_older_advice_never_replaces_newer():
    assert reasons(advice(NOW), advice(NOW - 0.5)) == {("inbox", "out of order"): 1}
    assert reasons(advice(NOW, np.inf)) == {("inbox", "broken"): 1}
    assert reasons(advice(NOW, np.nan)) == {("inbox", "empty"): 1}
    assert reasons(advice(NOW, until=NOW - 1.0)) == {("inbox", "stale"): 1}


def timing(time, light=3):
    one = np.ones(1)
    return received(K.SIGNAL, signal=SignalBatch(
        np.array([10**9]), time * one, np.zeros(1, np.int32), np.array([0, 1]), np.zeros(1, np.int32), np.full(1, light, np.uint8),
        one, np.full(1, np.nan), (time + 9.0) * one, np.full(1, 6, np.uint8), (time + 12.0) * one,
    ))  # fmt: skip


def test_timing_from_the_future_does_not_block_that_of_now():
    tally = Tally()
    door = InboxDoor(tally)
    assert door.admit(CARS, timing(NOW + 50.0), NOW).good[0] == 0
    assert door.admit(CARS, timing(NOW + 0.1), NOW + 0.1).good[0] == 1
    assert tally.counts == {("inbox", "future"): 1}


def test_bad_objects_leave_their_message_alone():
    three = np.ones(3)
    p = PerceptionBatch(
        np.array([10**9]), np.full(1, NOW), np.array([0, 3]), np.arange(3, dtype=np.int32), np.full(3, -1), NOW * three,
        np.array([1.0, np.nan, 3.0]), three, 0 * three, three, 4.5 * three, 1.8 * three, np.ones(3, np.int32), 0.3 * three,
    )  # fmt: skip
    tally = Tally()
    told = InboxDoor(tally).admit(CARS, received(K.PERCEPTION, perception=p), NOW).told
    assert told.object[:, 2].tolist() == [1.0, 3.0] and told.object_start.tolist() == [0, 2]
    assert tally.counts == {("inbox content", "broken"): 1} and tally.of(3) == tally.counts and not tally.of(4)


def test_an_inbox_that_does_not_fit_together_is_not_read():
    inbox = one()._replace(start=np.array([0, 7, 1, 1]))
    assert reasons(inbox) == {("inbox", "lost"): 3}


def test_cars_keep_their_memory_when_others_come_and_go():
    door = InboxDoor(Tally())
    assert door.admit(CARS, one(), NOW).good[0] == 1
    fleet = np.array([5, 8, 3, 12, 13, 14, 15])
    made = door.admit(fleet, one(), NOW + 0.1)
    assert not made.good.any() and made.dropped.tolist() == [0, 0, 1, 0, 0, 0, 0]
    assert len(heard(one()).object) == 1
