"""One tick through all rooms on the built-in district: repeatable, silent where it must be, and never early with news."""

import numpy as np
import pytest

from cloverleaf.loop.tick import tick
from cloverleaf.study.arms import StateDigest
from cloverleaf.study.build import Run
from cloverleaf.study.config import Arm, Fleet, Link, Study
from cloverleaf.types.state import Kind

STUDY = Study(duration_s=120.0, fleet=Fleet(penetration=0.6), link=Link(security="none"))


def play(arm, seconds, seed=1):
    """A run after `seconds`, with the digest of all its states."""
    run, digest = Run(STUDY, arm, seed), StateDigest()
    for _ in range(round(seconds / STUDY.step_s)):
        now = run.tick()
        digest.add(now.actors, now.signals.light)
    return run, digest.hexdigest()


@pytest.fixture(scope="module")
def cloud():
    return play(Arm.CLOUD, 12.0)


def test_same_seed_same_digest_and_another_seed_another(cloud):
    assert play(Arm.CLOUD, 12.0)[1] == cloud[1]
    assert play(Arm.CLOUD, 12.0, seed=2)[1] != cloud[1]


def test_smart_cars_drive_and_talk(cloud):
    rooms = cloud[0].rooms
    world, link = rooms.world, rooms.link.statistics.summary()
    assert len(world.fleet) >= 5
    rows = world.fleet
    for column in (world.actors.x, world.actors.y, world.actors.speed, world.actors.heading):
        assert np.isfinite(column[rows]).all()
    assert world.actors.speed[rows].max() > 5.0
    kinds = link["by_kind"]
    assert min(kinds[k]["sent"] for k in ("awareness", "signal", "topology", "perception")) > 0
    assert link["refused"] == {}
    assert 0.8 < link["pdr"] <= 1.0


def test_nothing_is_heard_in_the_tick_in_which_it_was_said(cloud):
    rooms = cloud[0].rooms
    for _ in range(5):
        said_at = rooms.world.time
        tick(rooms)
        assert rooms.world.time > said_at
        for heard in (rooms.inbox.cars, rooms.inbox.units, rooms.inbox.cloud):
            # what the next tick will read was said at this tick at the latest, to the millisecond that the standard carries
            assert (heard.awareness.time <= said_at + 1e-3).all()
            assert (heard.delay >= 0).all()


def test_arms_without_road_are_silent_and_the_human_arm_has_no_smart_car():
    human, _ = play(Arm.HUMAN, 3.0)
    assert len(human.rooms.world.fleet) == 0
    assert human.link_statistics()["sent"] == 0
    car, _ = play(Arm.CAR, 3.0)
    assert len(car.rooms.world.fleet) > 0
    assert car.link_statistics()["sent"] == 0
    assert len(car.rooms.road.stations) == 0


def test_arms_share_people_and_departures():
    human, car = Run(STUDY, Arm.HUMAN, 3).demand, Run(STUDY, Arm.CAR, 3).demand
    assert np.array_equal(human.trips.depart, car.trips.depart)
    assert np.array_equal(human.trips.route, car.trips.route)
    assert human.trips.smart.sum() == 0
    cars = car.types.kind[car.trips.vtype] == Kind.CAR
    assert 0.5 < car.trips.smart[cars].mean() < 0.7
    assert car.trips.smart[~cars].sum() == 0


def test_the_page_is_one_page():
    import inspect

    import cloverleaf.loop.tick as page

    assert len(inspect.getsource(page).splitlines()) <= 90
    assert len(inspect.getsource(tick).splitlines()) <= 40
