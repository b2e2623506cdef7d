"""Lane changing: to stay on the route, to gain speed, to keep right, to let others in."""

from __future__ import annotations

from cloverleaf.algo.jit import kernel
from cloverleaf.types.traffic import HALTED, LANE, LANE_INDEX, LANE_INTERNAL, POS, STATE


@kernel
def wish_all(view, mind, intents):
    """Fill `intents.change` for all human drivers."""
    veh = view.vehicles
    for k in range(veh.count[0]):
        slot = veh.active[k]
        intents.change[slot] = 0
        lane = veh.i[slot, LANE]
        if lane < 0 or view.roads.lane_i[lane, LANE_INTERNAL] > 0 or veh.i[slot, STATE] >= HALTED:
            continue
        row = view.paths.pos_row[veh.i[slot, POS]] + view.roads.lane_i[lane, LANE_INDEX]
        off = view.paths.row_offset[row]
        if off != 0:
            intents.change[slot] = 1 if off > 0 else -1
