"""A tiled map is copies of the small one: every column of copy k is the original's, moved and renumbered."""

import sys
from pathlib import Path

import numpy as np

from cloverleaf.map.tiled import tiled

sys.path.insert(0, str(Path(__file__).parents[1] / "cloud"))
from toy import crossing


def test_copies_are_complete_and_apart() -> None:
    base = crossing()
    many = tiled(base, 3, 2)
    g, h = base.graph, many.graph
    n, k = len(g.lane_edge), len(g.link_from)
    assert len(h.lane_edge) == 6 * n and len(h.link_from) == 6 * k and len(many.lane_ids) == 6 * n
    for copy in range(6):
        own = slice(copy * k, (copy + 1) * k)
        assert np.array_equal(h.link_from[own], g.link_from + copy * n)
        assert np.array_equal(h.link_via[own][g.link_via < 0], g.link_via[g.link_via < 0])
        assert np.array_equal(h.link_signal[own], np.where(g.link_signal >= 0, g.link_signal + copy, -1))
        foes = h.foe_link[h.link_foe_start[own.start] : h.link_foe_start[own.start + 1]]
        assert np.array_equal(foes, g.foe_link[: g.link_foe_start[1]] + copy * k)
    lane = 4 * n + 2  # third lane of copy (1, 1)
    a, b = h.lane_point_start[lane], g.lane_point_start[2]
    assert (
        h.point_x[a] - g.point_x[b] == np.ptp(g.point_x) + 50.0
        and h.point_y[a] - g.point_y[b] == np.ptp(g.point_y) + 50.0
    )
    assert many.lane_ids[lane] == "1.1/2"
    assert len(h.phase_state_start) == 6 * (len(g.phase_state_start) - 1) + 1 and h.phase_state_start[-1] == len(
        h.phase_state
    )
