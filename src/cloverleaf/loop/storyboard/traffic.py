"""Traffic actions at work: sources, sinks, swarms and areas bring vehicles and take them away; each drives by itself.

Standard: clause 6.10 leaves the vehicles' behaviour to the engine. Here they keep their lane, follow by the improved IDM (Treiber and
Kesting 2013) at the lane's limit, or at their first speed where the map knows none, and choose their way at random at junctions. One that
has come to the end of the map is gone.
"""

from __future__ import annotations

import math

from cloverleaf.algo.following import iidm_accel
from cloverleaf.algo.jit import kernel
from cloverleaf.loop.storyboard.arrival import (
    ANY_WAY,
    BESIDE,
    OTHER_WAY,
    SAME_WAY,
    URBAN,
    arrive,
    draw,
    draw_body,
    has_room,
    in_polygon,
    lane_across_road,
    near_point,
    put_on_lane,
    starting_speed,
    take_body,
    traffic_column,
)
from cloverleaf.loop.storyboard.distance import facing, free_gap, lane_gap, road_extent
from cloverleaf.loop.storyboard.glide import advance
from cloverleaf.loop.storyboard.layout import settle
from cloverleaf.loop.storyboard.routing import delete_entity
from cloverleaf.loop.storyboard.state import (
    AT_END,
    BODY_KIND,
    DESIRED,
    DT,
    HEADING,
    LANE,
    MAX_ACCEL,
    MAX_DECEL,
    MAX_SPEED,
    MOVED,
    PRESENT,
    PX,
    PY,
    ROAD,
    ROW,
    SPEED,
    TIME,
    VX,
    VY,
    Y_COUNT,
    Y_FILLED,
    Y_SINCE,
    S,
    X,
    Y,
)
from cloverleaf.map.opendrive.lanes import lane_row
from cloverleaf.scenario.storyboard import tables as T

AT_FIRST, LATER = 30, 4  # places tried for a vehicle: when an action starts, and in every step after
RIM = 0.8  # share of a swarm's axes outside of which vehicles arrive later, so that they come from afar
SIGHT = 150.0  # m ahead
ACCEL, DECEL, TIME_GAP = 2.0, 4.0, 1.5  # m/s2, m/s2, s


@kernel
def start_traffic(p, v, m, g, n, clock, a, path, variable, k):
    """Begin a traffic action: work its positions out and let it run; once it runs, it begins anew."""
    spare, row = p.entities.shape[0], p.traffic[k, T.D_ROW]
    if row >= 0:
        for q in range(p.traffic[k, T.D_POINT], p.traffic[k, T.D_POINT_END]):
            settle(p, v, m, g, n, a, path, p.members[q], spare)
            path[row, PX], path[row, PY] = a[spare, X], a[spare, Y]
            row += 1
    at = traffic_column(p, k)
    variable[at + Y_SINCE], variable[at + Y_COUNT], variable[at + Y_FILLED] = clock[TIME], 0.0, 0.0


@kernel
def stop_traffic(p, variable, name):
    """End the traffic actions of a name, or all (-1): nothing arrives or leaves by them any more; who is there drives on."""
    for k in range(p.traffic.shape[0]):
        if name < 0 or p.traffic[k, T.D_NAME] == name:
            variable[traffic_column(p, k) + Y_SINCE] = -1.0


@kernel
def step_traffic(p, v, m, g, n, limit, clock, a, path, variable):
    """Vehicles at the end of the map go; then every action that runs takes and brings what is due."""
    for i in range(p.sizes[T.Z_OWN], p.entities.shape[0]):
        if a[i, PRESENT] == 1.0 and a[i, AT_END] == 1.0:
            delete_entity(a, i)
    for k in range(p.traffic.shape[0]):
        at = traffic_column(p, k)
        if variable[at + Y_SINCE] < 0.0:
            continue
        kind = p.traffic[k, T.D_KIND]
        if kind == T.SOURCE:
            slot = p.traffic[k, T.D_SLOT]
            due = 1.0 + math.floor((clock[TIME] - variable[at + Y_SINCE]) * v[slot + 1] + 1e-9)
            if v[slot + 1] > 0.0 and variable[at + Y_COUNT] < due:
                _try(p, v, m, g, n, limit, clock, a, path, variable, k, LATER)
        elif kind == T.SINK:
            _sink(p, v, clock, a, path, variable, k)
        else:
            _keep_number(p, v, m, g, n, limit, clock, a, path, variable, k)


@kernel
def _sink(p, v, clock, a, path, variable, k):
    """Take vehicles of traffic within the radius, at most as many as the rate allows."""
    slot, at, row = p.traffic[k, T.D_SLOT], traffic_column(p, k), p.traffic[k, T.D_ROW]
    radius, rate = v[slot], v[slot + 1]
    for i in range(p.sizes[T.Z_OWN], p.entities.shape[0]):
        if a[i, PRESENT] == 0.0:
            continue
        dx, dy = a[i, X] - path[row, PX], a[i, Y] - path[row, PY]
        if dx * dx + dy * dy > radius * radius:
            continue
        wanted = p.traffic[k, T.D_BODY] == p.traffic[k, T.D_BODY_END]
        for q in range(p.traffic[k, T.D_BODY], p.traffic[k, T.D_BODY_END]):
            if p.members[q] == int(a[i, BODY_KIND]):
                wanted = True
        # Y_FILLED: from when on the rate allows the next one
        if wanted and clock[TIME] >= variable[at + Y_FILLED] - 1e-9 and rate > 0.0:
            delete_entity(a, i)
            variable[at + Y_COUNT] += 1.0
            variable[at + Y_FILLED] = clock[TIME] + 1.0 / rate


@kernel
def _keep_number(p, v, m, g, n, limit, clock, a, path, variable, k):
    """A swarm or an area: who has left it goes, and others come while there are fewer than asked for."""
    at, first, last = traffic_column(p, k), p.traffic[k, T.D_POOL], p.traffic[k, T.D_POOL_END]
    if p.traffic[k, T.D_KIND] == T.SWARM and a[p.traffic[k, T.D_REF], PRESENT] == 0.0:
        return
    fresh = variable[at + Y_FILLED] == 0.0
    if not fresh and p.traffic[k, T.D_CONTINUOUS] == 0:
        return
    there = 0
    for i in range(first, last):
        if a[i, PRESENT] == 1.0:
            if _inside(p, v, a, path, k, i, 0.0):
                there += 1
            else:
                delete_entity(a, i)
    if fresh:
        for _ in range(last - first - there):
            _try(p, v, m, g, n, limit, clock, a, path, variable, k, AT_FIRST)
        variable[at + Y_FILLED] = 1.0
    elif there < last - first:
        _try(p, v, m, g, n, limit, clock, a, path, variable, k, LATER)


@kernel
def _inside(p, v, a, path, k, i, rim):
    """True if row i is in the region of a swarm or an area; `rim`: share of a swarm's axes that is left out."""
    if p.traffic[k, T.D_KIND] == T.SWARM:
        slot, c = p.traffic[k, T.D_SLOT], p.traffic[k, T.D_REF]
        dx, dy = a[i, X] - a[c, X], a[i, Y] - a[c, Y]
        cosine, sine = math.cos(a[c, HEADING]), math.sin(a[c, HEADING])
        x = (dx * cosine + dy * sine - v[slot + 1]) / max(v[slot + 2], 1e-9)
        y = (dy * cosine - dx * sine) / max(v[slot + 3], 1e-9)
        return rim * rim <= x * x + y * y <= 1.0
    if p.traffic[k, T.D_SHAPE] == T.POLYGON:
        begin = p.traffic[k, T.D_ROW]
        end = begin + p.traffic[k, T.D_POINT_END] - p.traffic[k, T.D_POINT]
        return in_polygon(path, begin, end, a[i, X], a[i, Y])
    for q in range(p.traffic[k, T.D_POINT], p.traffic[k, T.D_POINT_END], T.STRETCH_COLUMNS):
        slot = p.members[q + 1]
        if a[i, ROAD] == p.members[q] and v[slot] <= a[i, S] <= v[slot + 1]:
            return True
    return False


@kernel
def _try(p, v, m, g, n, limit, clock, a, path, variable, k, tries):
    """Look for a place for one more vehicle of action k, and let it arrive."""
    here, slot, kind = p.entities.shape[0], p.traffic[k, T.D_SLOT], p.traffic[k, T.D_KIND]
    take_body(p, v, a, here, draw_body(p, v, k, draw(p, clock, variable, k)))
    asked, way = math.nan, ANY_WAY
    if kind == T.SOURCE:
        asked = v[slot + 2]
    elif kind == T.SWARM:
        low, high = v[slot + 4], v[slot + 5]
        asked = low + (high - low) * draw(p, clock, variable, k)
        same = v[slot + 6] / (v[slot + 6] + v[slot + 7])
        if same != 0.5:
            way = SAME_WAY if draw(p, clock, variable, k) < same else OTHER_WAY
    for _ in range(tries):
        if not _draw_place(p, v, m, g, clock, a, path, variable, k, here, way):
            continue
        speed = starting_speed(limit, a, here, asked)
        if has_room(p, m, n, a, here, speed):
            if arrive(p, a, k, here, speed):
                variable[traffic_column(p, k) + Y_COUNT] += 1.0
            return


@kernel
def _draw_place(p, v, m, g, clock, a, path, variable, k, here, way):
    """Put row `here` somewhere in the region of action k; False if what was drawn is no place for a vehicle."""
    slot, kind, row = p.traffic[k, T.D_SLOT], p.traffic[k, T.D_KIND], p.traffic[k, T.D_ROW]
    u, w, chance = draw(p, clock, variable, k), draw(p, clock, variable, k), draw(p, clock, variable, k)
    if kind == T.SOURCE:
        radius, x, y = v[slot] * math.sqrt(u), path[row, PX], path[row, PY]
        x, y = x + radius * math.cos(2.0 * math.pi * w), y + radius * math.sin(2.0 * math.pi * w)
        return near_point(m, g, a, here, x, y, chance, way, 0.0, 1)
    if kind == T.SWARM:
        c = p.traffic[k, T.D_REF]
        share = math.sqrt(u)
        x = v[slot + 1] + v[slot + 2] * share * math.cos(2.0 * math.pi * w)
        y = v[slot + 3] * share * math.sin(2.0 * math.pi * w)
        cosine, sine = math.cos(a[c, HEADING]), math.sin(a[c, HEADING])
        x, y = a[c, X] + x * cosine - y * sine, a[c, Y] + x * sine + y * cosine
        if not near_point(m, g, a, here, x, y, chance, way, a[c, HEADING], 0):
            return False
        dx, dy = a[here, X] - a[c, X], a[here, Y] - a[c, Y]
        if dx * dx + dy * dy < v[slot] * v[slot]:
            return False
        rim = RIM if variable[traffic_column(p, k) + Y_FILLED] == 1.0 else 0.0
        return _inside(p, v, a, path, k, here, rim)
    if p.traffic[k, T.D_SHAPE] == T.STRETCHES:
        return _on_stretches(p, v, m, a, k, here, u, chance)
    end = row + p.traffic[k, T.D_POINT_END] - p.traffic[k, T.D_POINT]
    low_x, high_x, low_y, high_y = math.inf, -math.inf, math.inf, -math.inf
    for q in range(row, end):
        low_x, high_x = min(low_x, path[q, PX]), max(high_x, path[q, PX])
        low_y, high_y = min(low_y, path[q, PY]), max(high_y, path[q, PY])
    x, y = low_x + u * (high_x - low_x), low_y + w * (high_y - low_y)
    return near_point(m, g, a, here, x, y, chance, way, 0.0, 0) and _inside(p, v, a, path, k, here, 0.0)


@kernel
def _on_stretches(p, v, m, a, k, here, u, chance):
    """Put row `here` on the stretches of road of an area, evenly by length; on one of the lanes that the stretch names, if it does."""
    begin, end = p.traffic[k, T.D_POINT], p.traffic[k, T.D_POINT_END]
    rest = 0.0
    for q in range(begin, end, T.STRETCH_COLUMNS):
        rest += u * (v[p.members[q + 1] + 1] - v[p.members[q + 1]])
    for q in range(begin, end, T.STRETCH_COLUMNS):
        slot = p.members[q + 1]
        length = v[slot + 1] - v[slot]
        if rest > length and q + T.STRETCH_COLUMNS < end:
            rest -= length
            continue
        road, s, lanes = p.members[q], v[slot] + min(rest, length), p.members[q + 3] - p.members[q + 2]
        if lanes == 0:
            row = lane_across_road(m, road, s, chance, ANY_WAY, 0.0)
        else:
            row = lane_row(m, road, p.members[p.members[q + 2] + min(int(chance * lanes), lanes - 1)], s)
        if row >= 0:
            put_on_lane(m, a, here, row, s)
        return row >= 0
    return False


@kernel
def leader(p, m, n, a, i):
    """Gap (m, inf: nobody) to whoever drives or stands ahead on the way of actor i, and its speed along that way (m/s)."""
    f = facing(a, i)
    cosine, sine = math.cos(a[i, HEADING]), math.sin(a[i, HEADING])
    ci, li, si, wi = road_extent(a, i)
    gap, speed = math.inf, 0.0
    for k in range(p.entities.shape[0]):
        if k == i or a[k, PRESENT] == 0.0:
            continue
        if a[k, ROAD] == a[i, ROAD]:
            if f * (a[k, S] - a[i, S]) <= 0.0 or abs(a[k, LANE] - a[i, LANE]) > 1.0:
                continue
        else:
            dx, dy = a[k, X] - a[i, X], a[k, Y] - a[i, Y]
            if dx * dx + dy * dy > SIGHT * SIGHT or dx * cosine + dy * sine <= -SIGHT * 0.5:
                continue
        ds, dt = lane_gap(m, n, a, i, k)
        if not 0.0 < ds < SIGHT:
            continue
        ck, lk, sk, wk = road_extent(a, k)
        if abs(free_gap(wi + wk, dt + f * (sk - si))) > BESIDE:
            continue
        ahead = free_gap(li + lk, ds + f * (ck - ci))
        if 0.0 <= ahead < gap:
            gap = ahead
            speed = a[k, VX] * cosine + a[k, VY] * sine
    return gap, speed


@kernel
def drive_traffic(p, m, n, limit, clock, a, i):
    """One step of a vehicle of traffic: its speed by who is ahead, then on along its lane."""
    row = int(a[i, ROW])
    wanted = limit[row] if row >= 0 and not math.isnan(limit[row]) else a[i, DESIRED]
    wanted = min(wanted if wanted > 0.0 else URBAN, a[i, MAX_SPEED])
    gap, speed = leader(p, m, n, a, i)
    if not gap < math.inf:
        gap, speed = 1e4, max(wanted, a[i, SPEED])
    accel = iidm_accel(
        gap, a[i, SPEED], speed, wanted, min(a[i, MAX_ACCEL], ACCEL), min(a[i, MAX_DECEL], DECEL), TIME_GAP, 2.0
    )
    a[i, SPEED] = max(a[i, SPEED] + max(accel, -a[i, MAX_DECEL]) * clock[DT], 0.0)
    advance(m, n, a, i, a[i, SPEED] * clock[DT])
    a[i, MOVED] = 1.0
