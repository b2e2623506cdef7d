"""Crashed road users: they stand still until they are cleared away, and then leave the traffic without having arrived."""

from __future__ import annotations

from cloverleaf.algo.jit import kernel
from cloverleaf.map.neighbours import leave
from cloverleaf.types.traffic import INDEX, LANE, PARKED, STATE, TRIP, V
from cloverleaf.world.collision import crashed
from cloverleaf.world.motion import account, release


@kernel
def hold_wrecks(veh, actors, crashes, intents):
    """Crashed drivers stand: overrides their intents and speeds."""
    for k in range(veh.count[0]):
        slot = veh.active[k]
        if crashes.until[slot] > 0.0 and crashed(actors, crashes, slot):
            intents.speed[slot] = 0.0
            intents.change[slot] = 0
            veh.f[slot, V] = 0.0


@kernel
def clear_away(veh, lists, ledger, free, slots, count, removed):
    """Take the vehicles in `slots[:count]` off the road; their trips go to `removed` and never count as arrived."""
    i = veh.i
    gone = 0
    for k in range(count):
        slot = slots[k]
        if slot >= i.shape[0] or i[slot, TRIP] < 0:
            continue
        account(veh, ledger, slot)
        removed[gone] = i[slot, TRIP]
        gone += 1
        if (i[slot, STATE] & PARKED) == 0:
            leave(veh, lists, slot)
        release(veh, lists, slot)
        i[slot, TRIP] = -1
        i[slot, LANE] = -1
        last = veh.count[0] - 1
        at, tail = i[slot, INDEX], veh.active[last]
        veh.active[at] = tail
        i[tail, INDEX] = at
        veh.count[0] = last
        free[veh.count[1]] = slot
        veh.count[1] += 1
    return gone
