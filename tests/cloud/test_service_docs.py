"""The services of the page `docs/how-to/cloud-services.md` do what the page says."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from test_engine import NOW, toy
from toy import Traffic

from cloverleaf.cloud.live.runner import Runner
from cloverleaf.cloud.live.tiers import Flows, Tier
from cloverleaf.cloud.live.twin import LiveTwin
from cloverleaf.types.state import Kind

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "cloud-services.md"


def documented() -> dict:
    names: dict = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(block, names)
    return names


def twin(positions: list[float], speeds: list[float], kinds: list[Kind]) -> LiveTwin:
    found = LiveTwin(toy())
    cars = Traffic([0] * len(positions), positions)
    batch = cars.awareness(NOW)._replace(speed=np.array(speeds), kind=np.array([int(k) for k in kinds], np.int32))
    found.hear(batch, np.zeros(len(positions), np.int64), NOW)
    found.look(NOW)
    return found


def answers(service, world, tier: Tier, t: float = NOW):
    runner = Runner(toy(), [service(toy())], world, tier)
    (pair,) = runner.run(t)
    return pair[1]


def test_school_zone() -> None:
    kinds = [Kind.PEDESTRIAN, Kind.CAR, Kind.CAR, Kind.CAR]
    world = twin([-20.0, -60.0, -70.0, -200.0], [1.0, 14.0, 5.0, 14.0], kinds)
    advice = answers(documented()["SchoolZone"], world, Tier.EDGE).advice
    assert advice.target.tolist() == [1] and abs(advice.speed[0] - 30 / 3.6) < 1e-9
    assert answers(documented()["SchoolZone"], twin([-60.0], [14.0], [Kind.CAR]), Tier.EDGE).advice is None


def test_queue_warning() -> None:
    world = twin([-20.0, -27.0, -34.0, -150.0, -290.0], [0.0, 0.0, 0.0, 14.0, 5.0], [Kind.CAR] * 5)
    event = answers(documented()["QueueWarning"], world, Tier.REGION).event
    assert event.target.tolist() == [3] and 5.0 < event.time_to_conflict[0] < 10.0
    assert not len(
        answers(
            documented()["QueueWarning"], twin([-20.0, -150.0], [0.0, 14.0], [Kind.CAR] * 2), Tier.REGION
        ).event.target
    )


def test_slow_lanes_sees_flows_only() -> None:
    graph = toy().graph
    speed = np.full(len(graph.lane_length), 14.0)
    speed[2] = 2.0
    world = SimpleNamespace(
        graph=graph, flows=Flows(np.full(len(speed), 5), speed, NOW - 60.0), tracks="not for the centre"
    )
    service = documented()["SlowLanes"](toy())
    runner = Runner(toy(), [service], world, Tier.CENTRE)
    runner.run(NOW)
    assert service.slow.tolist() == [2] and runner.page()["slow_lanes"]["runs"] == 1
