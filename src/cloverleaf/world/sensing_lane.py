"""Lane markings as a car's front camera measures them: how far its centre is off the middle of the lane it is in.

Series cameras hold about 5 cm, with an error that wanders slowly as mounting, camber and worn markings change. Inside junctions there are
no markings. Draws depend on (seed, trip, step) only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.algo.noise import bell, fold, gauss_markov
from cloverleaf.algo.rng import LANE_VIEW, normal, stream
from cloverleaf.map.graph import LaneGraph
from cloverleaf.types.frames import LaneFrame
from cloverleaf.types.state import F64, I32, I64, Actors


class LaneErrors(NamedTuple):
    """Error model of a lane camera; scalars."""

    sigma_slow: float = 0.05  # m, a first-order Gauss-Markov process
    tau: float = 10.0  # s
    sigma_white: float = 0.03  # m


@kernel
def see_lanes(marked, actors, slots, owner, slow, errors, seed, step, dt, offset):
    """Fill `offset` (n,), m left of the middle of the own lane, for the cars in rows `slots`; NaN where no lane is marked.

    owner, slow: (capacity,) whose slow error (m) is kept in a row.
    """
    for i in range(slots.shape[0]):
        row = slots[i]
        own = stream(seed, 0, actors.trip[row], LANE_VIEW)
        if owner[row] != actors.trip[row]:
            owner[row] = actors.trip[row]
            slow[row] = errors.sigma_slow * normal(own, 0)
        else:
            slow[row] = gauss_markov(slow[row], errors.sigma_slow, errors.tau, dt, bell(fold(own, step), 0))
        lane = actors.lane[row]
        offset[i] = np.nan
        if lane >= 0 and marked[lane] == 1:
            offset[i] = actors.d[row] + slow[row] + errors.sigma_white * bell(fold(own, step), 1)


class LaneCameras:
    """Lane offsets as seen by the fleet; `errors` None: the cars have no such camera."""

    def __init__(self, graph: LaneGraph, capacity: int, errors: LaneErrors | None, seed: int, dt: float) -> None:
        self._marked = (graph.edge_internal[graph.lane_edge] == 0).astype(np.uint8)
        self._owner: I64 = np.full(capacity, -1, np.int64)
        self._slow: F64 = np.zeros(capacity)
        self._errors, self._seed, self._dt = errors, int(seed), float(dt)

    def see(self, actors: Actors, slots: I32, time: float, step: int) -> LaneFrame | None:
        """Offsets of the cars in rows `slots` of Actors at `time` s, in that order; `step` counts calls."""
        if self._errors is None:
            return None
        offset, e = np.empty(len(slots)), self._errors
        see_lanes(self._marked, actors, slots, self._owner, self._slow, e, self._seed, int(step), self._dt, offset)
        claimed = float(np.hypot(e.sigma_slow, e.sigma_white))
        return LaneFrame(np.full(len(slots), float(time)), offset, np.full(len(slots), claimed))
