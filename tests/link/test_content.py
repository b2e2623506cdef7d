"""SI content through real bytes and back: every field within its quantisation step, in every standard."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cloverleaf.link.content.content import Content
from cloverleaf.link.content.frame import bearing, enu_heading, frame_of
from cloverleaf.link.life.living import CANCELLED, GOES_ON, NEGATED, living
from cloverleaf.map.graph import GeoReference
from cloverleaf.types.messages import (
    RSU_STATION_BASE,
    AdviceBatch,
    AwarenessBatch,
    EventBatch,
    MessageKind,
    PerceptionBatch,
    SignalBatch,
)

PLANE = GeoReference("!", 0.0, 0.0, 31.2, 121.4)
UTM = GeoReference("+proj=utm +zone=32 +ellps=WGS84 +datum=WGS84 +units=m", -350000.0, -5640000.0, 0.0, 0.0)
STANDARDS = ("csae_day1", "csae_day2", "etsi", "sae")
N = 40


def content(standard: str, geo: GeoReference = PLANE) -> Content:
    return Content(SimpleNamespace(geo=geo), standard)  # type: ignore[arg-type]


def close(a: Any, b: Any, steps: dict[str, float], skip: tuple[str, ...] = ()) -> None:
    """Every column of `b` within half a step of `a`; columns without a step are equal."""
    for name in a._fields:
        if name in skip:
            continue
        u, v = np.asarray(getattr(a, name), float), np.asarray(getattr(b, name), float)
        np.testing.assert_allclose(u, v, rtol=0, atol=0.51 * steps.get(name, 1e-6), equal_nan=True, err_msg=name)
        assert getattr(a, name).dtype == getattr(b, name).dtype, name


def awareness(rng: np.random.Generator, n: int = N) -> AwarenessBatch:
    u = rng.uniform
    return AwarenessBatch(
        rng.integers(0, 1 << 31, n), np.full(n, 59.9), u(0, 5000, n), u(0, 5000, n), u(-3.1, 3.1, n), u(0, 40, n),
        u(-9, 4, n), u(-0.5, 0.5, n), u(3, 18, n), u(1.5, 2.5, n), rng.choice([1, 2, 3, 4, 6, 7, 8], n).astype(np.int32),
        np.where(rng.random(n) < 0.3, rng.integers(0, 8192, n), 0).astype(np.int32),
    )  # fmt: skip


def signals(rng: np.random.Generator) -> SignalBatch:
    count = rng.integers(1, 40, N)
    start = np.concatenate(([0], np.cumsum(count)))
    k = int(start[-1])

    def end(low: int, high: int) -> np.ndarray:
        return np.where(rng.random(k) < 0.2, np.nan, 60.0 + rng.integers(low, high, k) / 10)

    index = np.concatenate([np.arange(c) for c in count]).astype(np.int32)
    return SignalBatch(
        RSU_STATION_BASE + np.arange(N), np.full(N, 60.0), rng.integers(0, 99, N).astype(np.int32), start, index,
        rng.integers(0, 9, k).astype(np.uint8), end(0, 50), end(0, 500), end(0, 900), rng.integers(0, 9, k).astype(np.uint8),
        end(500, 900),
    )  # fmt: skip


def perception(rng: np.random.Generator, most: int) -> PerceptionBatch:
    count = rng.integers(0, most + 1, N)
    count[3] = 0
    start = np.concatenate(([0], np.cumsum(count)))
    m = int(start[-1])
    station = np.where(rng.random(m) < 0.3, rng.integers(0, 1 << 40, m), -1)
    return PerceptionBatch(
        RSU_STATION_BASE + np.arange(N), np.full(N, 59.95), start, rng.integers(0, 1000, m).astype(np.int32), station,
        60.0 - rng.integers(1, 5, m) * 0.1, rng.uniform(0, 900, m), rng.uniform(0, 900, m), rng.uniform(-3, 3, m),
        rng.uniform(0, 30, m), rng.uniform(1, 18, m), rng.uniform(0.5, 2.5, m),
        rng.choice([1, 2, 3, 4, 6, 7, 8], m).astype(np.int32), rng.uniform(0.1, 3, m),
    )  # fmt: skip


def there_and_back(made: Content, kind: MessageKind, batch: Any) -> Any:
    buffer, start = made.encode(kind, batch)
    back, error = made.decode(kind, buffer, start)
    assert not error.any()
    return back


@pytest.mark.parametrize("geo", [PLANE, UTM], ids=["plane", "utm"])
@pytest.mark.parametrize("standard", STANDARDS)
def test_awareness(standard: str, geo: GeoReference) -> None:
    batch = awareness(np.random.default_rng(1))
    back = there_and_back(content(standard, geo), MessageKind.AWARENESS, batch)
    etsi = standard == "etsi"
    steps = {"x": 0.012, "y": 0.012, "heading": 0.0018 if etsi else 0.00022, "speed": 0.02, "accel": 0.1 if etsi else 0.01,
             "yaw_rate": 0.000176, "length": 0.1 if etsi else 0.01, "width": 0.1 if etsi else 0.01}  # fmt: skip
    lost = {"etsi": ("events",), "sae": ("events", "kind")}
    close(batch, back, steps, lost.get(standard, ()))


@pytest.mark.parametrize("standard", STANDARDS)
def test_unavailable_is_nan(standard: str) -> None:
    batch = awareness(np.random.default_rng(2), 3)
    batch.speed[1] = batch.accel[1] = batch.heading[1] = np.nan
    back = there_and_back(content(standard), MessageKind.AWARENESS, batch)
    for column in (back.speed, back.accel, back.heading):
        assert np.isnan(column).tolist() == [False, True, False]


@pytest.mark.parametrize("standard", STANDARDS)
def test_signal(standard: str) -> None:
    batch = signals(np.random.default_rng(3))
    close(batch, there_and_back(content(standard), MessageKind.SIGNAL, batch), {})


@pytest.mark.parametrize("standard", STANDARDS)
def test_perception(standard: str) -> None:
    batch = perception(np.random.default_rng(4), 16 if standard == "csae_day1" else 40)
    back = there_and_back(content(standard), MessageKind.PERCEPTION, batch)
    etsi = standard == "etsi"
    steps = {"x": 0.024, "y": 0.024, "heading": 0.0018 if etsi else 0.00022, "speed": 0.02, "length": 0.1, "width": 0.1,
             "sigma": 0.01}  # fmt: skip
    close(batch, back, steps, ("object_station",) if etsi else ("time", "sigma"))
    if not etsi:
        assert (back.sigma >= batch.sigma * (1 - 1e-6)).all() and (back.sigma <= batch.sigma * 2.6).all()


def test_day1_keeps_the_first_sixteen() -> None:
    batch = perception(np.random.default_rng(4), 40)
    back = there_and_back(content("csae_day1"), MessageKind.PERCEPTION, batch)
    assert np.diff(back.object_start).tolist() == np.minimum(np.diff(batch.object_start), 16).tolist()


@pytest.mark.parametrize("standard", STANDARDS)
def test_advice_and_event(standard: str) -> None:
    rng, made = np.random.default_rng(5), content(standard)
    u = rng.uniform
    speed = np.where(rng.random(N) < 0.2, np.nan, u(0, 20, N))
    advice = AdviceBatch(
        np.full(N, -2), np.full(N, 60.0), np.arange(N), speed, u(0, 900, N), u(0, 900, N), 60 + u(0, 30, N)
    )
    back = there_and_back(made, MessageKind.ADVICE, advice)
    close(advice, back, {"speed": 0.02, "speed_until_x": 0.012, "speed_until_y": 0.012, "valid_until": 0.01})
    event = EventBatch(
        np.full(N, 5), np.full(N, 60.2), rng.integers(0, 20, N).astype(np.int32), u(0, 900, N), u(0, 900, N), u(10, 200, N),
        np.where(rng.random(N) < 0.5, -1, 7), u(0, 900, N), u(0, 900, N), u(0, 9, N),
    )  # fmt: skip
    begin = np.full(N, 58.0)
    event = living(event, np.arange(N) + 250, begin, begin + u(3, 90, N))
    lost = ("radius", "target", "time_to_conflict") if standard == "etsi" else ()
    steps = dict.fromkeys(("x", "y", "conflict_x", "conflict_y"), 0.012) | {"radius": 0.1, "time_to_conflict": 0.01}
    back = there_and_back(made, MessageKind.EVENT, event)
    close(
        event._replace(number=event.number & (0xFFFF if standard == "etsi" else 0xFF)),
        back,
        steps,
        (*lost, "start", "end"),
    )
    later, before = back.end - event.end, event.start - back.start
    step = 1.0 if standard == "etsi" else 60.0
    assert (later > -1e-3).all() and (later <= step).all() and (before > -1e-3).all() and (before <= step).all()


def test_a_denm_that_ends_an_event_says_which() -> None:
    made, n, zero = content("etsi"), 3, np.zeros(3)
    event = EventBatch(
        np.full(n, 5), zero + 60, np.arange(n, dtype=np.int32), zero, zero, zero + 20, np.full(n, -1), zero, zero, zero
    )
    over = np.array([GOES_ON, CANCELLED, NEGATED], np.uint8)
    sent = living(event, np.arange(n), zero + 50, zero + 90, over)._replace(originator=np.array([5, 5, -2]))
    back = there_and_back(made, MessageKind.EVENT, sent)
    assert back.termination.tolist() == over.tolist() and back.originator.tolist() == [5, 5, -2]
    assert back.number.tolist() == [0, 1, 2] and back.event.tolist() == [0, -1, -1]


@pytest.mark.parametrize("standard", STANDARDS)
def test_damaged_bytes_never_raise(standard: str) -> None:
    """Noise and flipped bits in every kind: a row each, and errors instead of exceptions."""
    rng, made = np.random.default_rng(6), content(standard)
    for kind, batch in (
        (MessageKind.AWARENESS, awareness(rng)),
        (MessageKind.SIGNAL, signals(rng)),
        (MessageKind.PERCEPTION, perception(rng, 16)),
    ):
        buffer, start = made.encode(kind, batch)
        for _ in range(20):
            damaged = buffer.copy()
            at = rng.integers(0, len(damaged), 60)
            damaged[at] ^= (1 << rng.integers(0, 8, 60)).astype(np.uint8)
            back, error = made.decode(kind, damaged, start)
            assert len(error) == len(back.time) == N
        noise = rng.integers(0, 256, len(buffer)).astype(np.uint8)
        back, error = made.decode(kind, noise, start)
        assert len(error) == len(back.time) == N


def test_times_wrap_at_the_minute_and_the_hour() -> None:
    frame = frame_of(PLANE)
    for now in (59.99, 60.0, 3599.95, 3600.02, 86399.99):
        frame.now = now
        t = np.array([now - 0.3, now, now - 5.0])
        np.testing.assert_allclose(frame.unphase(frame.phase(t, 1e-3, 60_000), 1e-3, 60_000), t, atol=6e-4)
        np.testing.assert_allclose(frame.from_its_short(frame.its_time(t) & 0xFFFF), t, atol=6e-4)
        ahead = np.array([now + 90.0])
        np.testing.assert_allclose(frame.unphase(frame.phase(ahead, 0.1, 36_000), 0.1, 36_000), ahead, atol=0.051)


def test_bearing_is_clockwise_from_north() -> None:
    zero = np.zeros(4)
    heading = np.array([0.0, np.pi / 2, np.pi, -np.pi / 2])
    np.testing.assert_allclose(bearing(heading, zero), [90, 0, 270, 180], atol=1e-9)
    np.testing.assert_allclose(enu_heading(bearing(heading, zero), zero), heading, atol=1e-9)
