"""The services' effect on a toy crossing: fewer stops, shorter waits, a crash avoided; and silence where nothing is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from toy import ORDER, YELLOW, Traffic, crossing, inbox, spat

from cloverleaf.apps.codes import Warn
from cloverleaf.cloud.platform import Cloud
from cloverleaf.types.errors import PluginError
from cloverleaf.types.messages import LightState
from cloverleaf.types.state import Kind

FIXED = [20.0, 3.0, 20.0, 3.0]


def phase_at(t: float) -> tuple[int, float]:
    """Phase of the fixed plan and the time it began."""
    start = 46.0 * (t // 46.0)
    for phase, length in enumerate(FIXED):
        if t < start + length - 1e-9:
            return phase, start
        start += length
    raise AssertionError


def drive(advised: bool) -> Traffic:
    """Platoon from the west that meets a red which lasts until 23 s."""
    cars = Traffic([1] * 4, [-200.0, -230.0, -260.0, -290.0])
    cloud = Cloud(crossing(), ["glosa"])
    for k in range(600):
        t = k * 0.1
        phase, since = phase_at(t)
        advice = cloud.step(inbox(cars.awareness(t), spat(t, phase, since, True)), t)[0]
        if advised:
            cars.cap[cars.pos > -10.0] = 15.0
            cars.cap[advice.target] = advice.speed
        cars.move(ORDER[phase])
    return cars


def test_glosa_saves_the_stops() -> None:
    plain, advised = drive(False), drive(True)
    assert plain.stops.sum() >= 2, "without advice the platoon stops at the red"
    assert advised.stops.sum() == 0
    assert advised.pos.min() > 100.0, "and nobody is held back for good"
    assert advised.wait.sum() < 0.2 * plain.wait.sum()


def glosa_once(position: float, light_t: float, now: float, speed: float = 14.0) -> list[float]:
    cars = Traffic([1], [position], speed)
    phase, since = phase_at(light_t)
    return (
        Cloud(crossing(), ["glosa"])
        .step(inbox(cars.awareness(now), spat(light_t, phase, since, True)), now)[0]
        .speed.tolist()
    )


def test_glosa_is_silent_on_stale_spat_and_impossible_speeds() -> None:
    assert glosa_once(-210.0, 5.0, 5.0) != []
    assert glosa_once(-210.0, 5.0, 7.0) == [], "SPAT older than 1.5 s"
    assert glosa_once(-30.0, 1.0, 1.0) == [], "20 m in 22 s would be a crawl"


def test_glosa_counts_the_queue() -> None:
    cars = Traffic([1, 1, 1, 1], [-200.0, -14.0, -21.0, -28.0])
    cars.speed[1:] = 0.0
    alone = glosa_once(-200.0, 5.0, 5.0)[0]
    phase, since = phase_at(5.0)
    advice = Cloud(crossing(), ["glosa"]).step(inbox(cars.awareness(5.0), spat(5.0, phase, since, True)), 5.0)[0]
    behind = float(advice.speed[advice.target == 0][0])
    assert behind < alone - 1.0


def signal_run(controlled: bool, perceived: bool) -> float:
    """Mean wait at a crossing whose demand is nearly all from the west."""
    rng = np.random.default_rng(4)
    main = np.cumsum(rng.exponential(34.0, 45)) * -1.0 - 60.0
    arms = [0] * 45 + [1, 3]
    cars = Traffic(arms, [*main, -250.0, -900.0])
    cloud = Cloud(crossing(), ["signal_control"])
    phase, since, wish = 0, 0.0, 0
    for k in range(1500):
        t = k * 0.1
        inside = np.flatnonzero((cars.pos > -300.0) & (cars.pos < 300.0))
        light = spat(t, phase, since, False)
        if perceived:
            box = inbox(cars.awareness(t, inside[::4]), light, cars.perception(t, inside[cars.pos[inside] > -130.0]))
        else:
            box = inbox(cars.awareness(t, inside), light)
        command = cloud.step(box, t)[2]
        if len(command.group):
            assert command.group.tolist() == [0] and command.phase[0] in (0, 2)
            wish = int(command.phase[0])
        if phase % 2 == 1:
            if t - since >= YELLOW:
                phase, since = (phase + 1) % 4, t
        elif (wish != phase and t - since >= 5.0) if controlled else t - since >= 20.0:
            phase, since = phase + 1, t
        cars.move(ORDER[phase])
    assert cars.pos[-2:].min() > 0.0, "the minor road is served too"
    return float(cars.wait.mean())


@pytest.mark.parametrize("perceived", [False, True])
def test_max_pressure_shortens_waiting(perceived: bool) -> None:
    assert signal_run(True, perceived) < 0.6 * signal_run(False, perceived)


def test_cyclists_who_wait_are_served() -> None:
    """Three of them at the red of the minor road, nobody else far and wide."""
    cars = Traffic([1, 1, 1], [-13.5, -15.5, -17.5], 0.0)
    cloud, wish = Cloud(crossing(), ["signal_control"]), -1
    for k in range(250):
        t = k * 0.1
        seen = cars.perception(t, np.arange(3))
        seen = seen._replace(kind=np.full(3, int(Kind.BICYCLE), np.int32))
        command = cloud.step(inbox(None, spat(t, 0, 0.0, False), seen), t)[2]
        if len(command.group):
            wish = int(command.phase[0])
    assert wish == 2


def test_signal_control_leaves_a_silent_controller_alone() -> None:
    cars = Traffic([0, 1], [-30.0, -40.0])
    assert len(Cloud(crossing(), ["signal_control"]).step(inbox(cars.awareness(0.0)), 0.0)[2].group) == 0


def crash_run(warned: bool, signal: str = "----") -> tuple[bool, int]:
    """Two cars meet at right angles, nobody looks; returns (crashed, warnings)."""
    cars = Traffic([0, 1], [-70.0, -70.0], 15.0)
    cloud = Cloud(crossing(signal=False), ["collision_warning"])
    crashed, warnings = False, 0
    braking = np.zeros(2, bool)
    for k in range(120):
        t = k * 0.1
        event = cloud.step(inbox(cars.awareness(t)), t)[1]
        warnings += len(event.target)
        assert (event.event == Warn.INTERSECTION_COLLISION).all()
        if warned:
            braking[event.target] = True
        cars.cap = np.where(braking, 0.0, 15.0)
        cars.move(signal)
        x, y, _ = cars.xy()
        crashed |= bool(np.hypot(x[0] - x[1], y[0] - y[1]) < 3.0)
    return crashed, warnings


def test_warning_prevents_the_crash() -> None:
    assert crash_run(False)[0] is True
    assert crash_run(True)[0] is False


def test_only_the_one_who_must_give_way_is_warned_in_time() -> None:
    cars = Traffic([0, 1], [-60.0, -60.0], 15.0)
    event = Cloud(crossing(signal=False), ["collision_warning"]).step(inbox(cars.awareness(0.0)), 0.0)[1]
    assert event.target.tolist() == [1], "east-west has priority"
    assert 2.5 < event.time_to_conflict[0] < 4.5 and np.hypot(event.x[0], event.y[0]) < 5.0


def silent(cars: Traffic, signal: bool = False, phase: int = 0) -> bool:
    light = spat(0.0, phase, 0.0, True) if signal else None
    return not len(
        Cloud(crossing(signal), ["collision_warning"]).step(inbox(cars.awareness(0.0), light), 0.0)[1].target
    )


def test_silent_cases() -> None:
    stopped = Traffic([0, 1], [-60.0, -14.0], 15.0)
    stopped.speed[1] = 0.0
    assert silent(stopped), "the other waits at its line"
    assert silent(Traffic([0, 1], [40.0, -40.0], 15.0)), "the other has cleared"
    braking = Traffic([0, 1], [-60.0, -60.0], 15.0)
    braking.accel[1] = -3.0
    assert silent(braking), "it brakes already"
    assert silent(Traffic([0, 2], [-60.0, -60.0], 15.0)), "opposite directions do not cross"
    assert silent(Traffic([0, 1], [-60.0, -200.0], 15.0)), "far away"


def test_red_light_runner_endangers_the_green() -> None:
    running = Traffic([0, 1], [-25.0, -28.0], 15.0)
    batch = Cloud(crossing(), ["collision_warning"]).step(inbox(running.awareness(0.0), spat(0.0, 0, 0.0, True)), 0.0)[
        1
    ]
    assert sorted(batch.target.tolist()) == [0, 1], "too late to stop: the one with the green is warned as well"
    assert silent(Traffic([0, 1], [-60.0, -90.0], 15.0), signal=True), "far enough to stop comfortably at the red"


def test_unknown_service_names_the_nearest() -> None:
    with pytest.raises(PluginError) as caught:
        Cloud(crossing(), ["gloss"])
    assert "glosa" in caught.value.hint


def test_deadline_hides_old_data() -> None:
    cloud = Cloud(crossing(signal=False), ["collision_warning"])
    cars = Traffic([0, 1], [-69.0, -69.0], 15.0)
    cloud.twin.ingest(inbox(cars.awareness(0.0)), 0.0)
    assert len(cloud.step(inbox(), 0.3)[1].target) == 1
    assert len(cloud.step(inbox(), 0.5)[1].target) == 0, "older than the service's deadline"
    assert LightState.RED == 3
