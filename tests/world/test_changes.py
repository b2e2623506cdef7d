"""Lane changes carried out: a body that still hangs over its old lane touches nobody there, however unevenly the lanes are drawn."""

from pathlib import Path

import numpy as np
import pytest
from tests.naive.following import braking_way
from tests.naive.tiny_net import GOOD

from cloverleaf.map.io.sumo_net import read_sumo_net
from cloverleaf.map.neighbours import empty_lists, enter
from cloverleaf.map.road_tables import road_tables
from cloverleaf.types import traffic as T
from cloverleaf.world.changes import gaps_hold, needed_gap
from cloverleaf.world.world import empty_vehicles

SHIFT = 6.0  # m that the left lane begins before the right one; both end level
UNEVEN = GOOD.replace(
    """<lane id="a_0" index="0" speed="10" length="98" shape="0,0 98,0"/>""",
    """<lane id="a_0" index="0" speed="10" length="98" shape="6,-3 98,-3"/>
<lane id="a_1" index="1" speed="10" length="98" shape="0,0 98,0"/>""",
)


def _fits(tmp_path: Path, own: str, other: str, at: float, neighbour: float) -> bool:
    """Whether a car standing at `at` on `own` may change to the empty lane `other` with a car standing at `neighbour` on `own`."""
    (tmp_path / "uneven.net.xml").write_text(UNEVEN)
    base_map = read_sumo_net(tmp_path / "uneven.net.xml")
    graph, roads = base_map.graph, road_tables(base_map.graph)
    vehicles, lists = empty_vehicles(2), empty_lists(len(graph.lane_edge), len(graph.junction_x))
    vehicles.f[:, [T.LENGTH, T.WIDTH, T.MIN_GAP, T.DECEL, T.TAU, T.ASSERT]] = 4.0, 1.8, 1.0, 4.5, 1.0, 1.0
    vehicles.i[:, T.TRIP], vehicles.i[:, T.STATE] = (0, 1), 0
    for slot, s in enumerate((at, neighbour)):
        vehicles.f[slot, T.S] = s
        enter(vehicles, lists, slot, base_map.lane_ids.index(own))
    return bool(gaps_hold(vehicles, lists, roads, 0, base_map.lane_ids.index(other), 0.1))


@pytest.mark.parametrize("at", [20.0, 40.0, 60.0, 80.0])
def test_changer_that_lands_beside_another_place_has_room_there(tmp_path: Path, at: float) -> None:
    shift = SHIFT * (1.0 - at / 98.0)
    for gap in np.arange(1.1, 9.0, 0.7):
        # to the right the body lands further on, towards the car ahead; to the left further back, towards the car behind
        assert _fits(tmp_path, "a_1", "a_0", at, at + 4.0 + gap) == (shift <= 1.0 or gap >= shift + 0.5)
        assert _fits(tmp_path, "a_0", "a_1", at, at - 4.0 - gap) == (shift <= 1.0 or gap >= shift + 1.0)
        # and away from the other one it lands clear
        assert _fits(tmp_path, "a_0", "a_1", at, at + 4.0 + gap)
        assert _fits(tmp_path, "a_1", "a_0", at, at - 4.0 - gap)


@pytest.mark.parametrize("speed", [3.0, 8.0, 13.9, 25.0])
def test_nobody_is_so_eager_that_hard_braking_would_not_do(speed: float) -> None:
    f = np.zeros((2, T.F_COLUMNS))
    f[:, [T.DECEL, T.EMERGENCY, T.TAU]] = 4.5, 9.0, 1.0
    f[0, T.V] = speed  # slot 1 stands ahead
    calm, eager, most = (needed_gap(f, 0, 1, wish, 0.1) for wish in (1.0, 1.5, 1000.0))
    assert calm == pytest.approx(braking_way(speed, 4.5, 1.0, 0.1))
    assert eager == pytest.approx(calm / 1.5)
    assert most == pytest.approx(braking_way(speed, 9.0, 0.1, 0.1))
    assert needed_gap(f, 1, 0, 1000.0, 0.1) == 0.0
