"""The whole car, recorded in the district and replayed from the file: identical to the last bit, and a fault shows at once."""

import pytest

from cloverleaf.car.fleet import Fleet
from cloverleaf.car.supervised import SupervisedFleet
from cloverleaf.runtime.faults import Fault, FaultKind, Injector
from cloverleaf.runtime.record import Recorder, entries
from cloverleaf.runtime.replay import replay
from cloverleaf.study.build import Run
from cloverleaf.study.config import Arm, Study
from cloverleaf.types.frames import SensorFrames

INPUTS = ("ego", "objects", "lights", "lanes", "mission", "inbox")
OUTPUTS = ("commands", "awareness", "hmi")


@pytest.fixture(scope="module")
def run():
    return Run(Study(duration_s=600.0), Arm.ROAD, 1)


@pytest.fixture(scope="module")
def log(run, tmp_path_factory):
    """12 s of the district as the cars live it."""
    path = tmp_path_factory.mktemp("log") / "cars.mcap"
    fleet = run.rooms.fleet
    with Recorder(path) as recorder:

        class Recorded:
            def step(self, frames, mission, inbox, t):
                for name, value in zip(
                    INPUTS, (frames.ego, frames.objects, frames.lights, frames.lanes, mission, inbox), strict=True
                ):
                    recorder.write(name, t, value)
                answer = fleet.step(frames, mission, inbox, t)
                for name, value in zip(OUTPUTS, answer, strict=True):
                    recorder.write(name, t, value)
                return answer

        run.rooms.fleet = Recorded()
        for _ in range(120):
            run.tick()
    return path


def component(run, faults=()):
    fleet = SupervisedFleet(Fleet(run.base_map, run.demand.routes, step=run.step), Injector(faults))

    def cars(values, t):
        frames = SensorFrames(values["ego"], values["objects"], values["objects"], values["lights"], values["lanes"])
        return dict(zip(OUTPUTS, fleet.step(frames, values["mission"], values["inbox"], t), strict=True))

    return cars


def test_replay_is_identical(run, log):
    assert sum(len(e.value.accel) for e in entries(log) if e.topic == "commands") > 300
    assert replay(entries(log), component(run), INPUTS, OUTPUTS) is None


def test_a_fault_in_the_replay_shows(run, log):
    late = Fault("objects", FaultKind.DELAYED, 8.0, amount=0.5)
    found = replay(entries(log), component(run, (late,)), INPUTS, OUTPUTS)
    assert found is not None and 8.0 <= found.time <= 9.5
