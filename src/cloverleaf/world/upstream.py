"""Who comes from upstream: whether a place near the start of a lane may be taken."""

from __future__ import annotations

from cloverleaf.algo.following import secure_gap
from cloverleaf.algo.jit import kernel
from cloverleaf.types.traffic import (
    DECEL,
    LANE_INTO,
    LANE_INTO_END,
    LANE_LENGTH,
    LANE_NEXT,
    LINK,
    LINK_FROM,
    LINK_LENGTH,
    LINK_VIA,
    MIN_GAP,
    TAU,
    S,
    V,
)


@kernel
def room_upstream(veh, lists, roads, lane, back, speed, decel, slot, dt):
    """True if no vehicle coming from upstream, `slot` aside, would run into a tail at `back` (m on `lane`, negative before it)."""
    for k in range(roads.lane_i[lane, LANE_INTO], roads.lane_i[lane, LANE_INTO_END]):
        link = roads.into[k]
        way = back
        inner = roads.link_i[link, LINK_VIA]
        if inner >= 0:
            way += roads.link_f[link, LINK_LENGTH]
            other = -1
            offset = roads.link_f[link, LINK_LENGTH]
            while inner >= 0:
                if lists.first[inner] >= 0 and lists.first[inner] != slot:
                    other = lists.first[inner]
                    gone = offset - veh.f[other, S]
                offset -= roads.lane_f[inner, LANE_LENGTH]
                inner = roads.link_i[roads.lane_i[inner, LANE_NEXT], LINK_VIA]
            if other >= 0:
                gap = back + gone - veh.f[other, MIN_GAP]
                need = secure_gap(veh.f[other, V], speed, decel, veh.f[other, DECEL], veh.f[other, TAU], dt)
                if gap < need:
                    return False
                continue
        source = roads.link_i[link, LINK_FROM]
        other = lists.first[source]
        if other >= 0 and veh.i[other, LINK] == link:
            gap = way + roads.lane_f[source, LANE_LENGTH] - veh.f[other, S] - veh.f[other, MIN_GAP]
            need = secure_gap(veh.f[other, V], speed, decel, veh.f[other, DECEL], veh.f[other, TAU], dt)
            if gap < need:
                return False
    return True
