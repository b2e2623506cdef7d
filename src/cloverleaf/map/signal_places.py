"""Where the signals of a map stand: one place per signal group, at which its roadside unit stands too."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.map.graph import LaneGraph
from cloverleaf.types.state import F64, I32


class SignalPlaces(NamedTuple):
    """Signal groups that govern a link, in order, shape (U,); x, y: mean position of their junctions, m, ENU."""

    group: I32
    x: F64
    y: F64


def signal_places(graph: LaneGraph) -> SignalPlaces:
    """The places of all signal groups that govern a link."""
    groups = np.unique(graph.link_signal[graph.link_signal >= 0]).astype(np.int32)
    x, y = np.zeros(len(groups)), np.zeros(len(groups))
    for u, group in enumerate(groups):
        nodes = np.unique(graph.link_junction[graph.link_signal == group])
        nodes = nodes[nodes >= 0]
        x[u], y[u] = graph.junction_x[nodes].mean(), graph.junction_y[nodes].mean()
    return SignalPlaces(groups, x, y)
