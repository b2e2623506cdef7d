"""What drivers see and what they ask for: the tables through which `human/` and `world/` meet.

`human/` decides from a `HumanView` and fills `HumanIntents`; `world/` owns every other column and carries intents out. Vehicle
state is packed in two blocks (one row per vehicle slot, one column per constant below) because a row then is a few cache lines
and a kernel has few arguments. Names of columns are the constants; units are given beside them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cloverleaf.types.state import F64, I32, I64, U8

U64 = NDArray[np.uint64]

# columns of `Vehicles.f` (float64)
S = 0  # m, front bumper on the lane
V = 1  # m/s
LENGTH = 2  # m
MIN_GAP = 3  # m
V_LANE = 4  # m/s, desired top speed on the current lane: limit * speed factor, at most the type's top speed
ACCEL = 5  # m/s2, ability
DECEL = 6  # m/s2, comfortable, positive
EMERGENCY = 7  # m/s2, positive
TAU = 8  # s
SIGMA = 9  # Krauss imperfection
FACTOR = 10  # speed factor of this driver
V_TYPE = 11  # m/s, top speed of the type
ODO = 12  # m driven since insertion
ACC = 13  # m/s2, realised in the last step
WAIT = 14  # s since the speed was last above 0.1 m/s
D = 15  # m, lateral offset from the centre line, left positive
ENTRY = 16  # s, time of entering the conflict area of the present junction; 1e18 if not inside
LC_STRATEGIC = 17  # how far ahead changes that the route needs are prepared, 1 neutral
LC_GAIN = 18  # weight of the wish for more speed
LAST_CHANGE = 19  # s, time of the last lane change
CONT = 20  # m that can be driven from the start of this lane without a lane change
LOSS = 21  # s, time loss so far
WAIT_SUM = 22  # s, waiting so far
STOP_LEFT = 23  # s of the present halt that remain
WIDTH = 24  # m
CO2 = 25  # g
ENERGY_J = 26  # J
DEPARTED = 27  # s
ARRIVAL_POS = 28  # m on the last lane
COOPERATE = 29  # 0..1, willingness to let others change in
ASSERT = 30  # lane-change assertiveness, 1 neutral
LC_KEEP = 31  # weight of the wish to keep right
CLEAR_AT = 32  # m, ODO at which the tail leaves the junction in HOLDS
IMPATIENCE = 33  # 0..1, of the driver at junctions, before waiting adds to it
HALT_SUM = 34  # s at scheduled stops so far
F_COLUMNS = 40

# columns of `Vehicles.i` (int32)
LANE = 0
AHEAD = 1  # slot of the next vehicle on the same lane, -1 none
BEHIND = 2
POS = 3  # row of Paths.pos_*: where on its path the vehicle is
LINK = 4  # link by which the vehicle will leave its lane; -1: the path ends here or this lane does not lead on
CROSSING = 5  # entry link of the junction being crossed; -1 on normal lanes
MODEL = 6  # demand.FollowModel
TRIP = 7
STOP = 8  # next row of Stops, -1 none
STOP_END = 9  # row after the trip's last stop
CONTROL = 10  # state.Control
KIND = 11  # state.Kind
VCLASS = 12  # one bit
WAITS = 13  # number of halts (transitions to waiting)
STATE = 14  # bit 0 waiting now, bit 1 halted at a scheduled stop, bit 2 beside the lane (parking), bit 3 turning from the wrong lane
EMISSION = 15
CAME_BY = 16  # entry link of the junction crossed last, -1 none
HOLDS = 17  # junction counted as occupied by this vehicle until its tail has left, -1 none
INDEX = 18  # own place in Vehicles.active
VTYPE = 19  # row of VehicleTypes
I_COLUMNS = 20

WAITING, HALTED, PARKED, TURNING = 1, 2, 4, 8
NEVER = 1e18
HALTING_SPEED = 0.1  # m/s, at or below which a vehicle counts as waiting

# columns of `Mind.f` (float64): a driver's perception errors, neutral when errors are off
ATTENTIVE = 0  # 1 looks at the road, 0 does not and keeps the speed
GAP_FACTOR = 1  # perceived gap to a leader / true gap, neutral 1
ACCEPT_FACTOR = 2  # perceived time gap of crossing traffic / true one, neutral 1; > 1 is risky
RUN_RED = 3  # 1 does not notice the red or yellow light ahead
RUN_YIELD = 4  # 1 does not notice that the link ahead has to yield
BRAKE_FACTOR = 5  # share of the needed deceleration actually applied, neutral 1
MIND_COLUMNS = 6


class Vehicles(NamedTuple):
    """All vehicles of one world; free rows have lane -1."""

    f: F64  # (capacity, F_COLUMNS)
    i: I32  # (capacity, I_COLUMNS)
    key: U64  # (capacity,) random stream of the driver
    active: I32  # (capacity,) slots in use: active[:count[0]]
    count: I64  # (4,) vehicles on the road, free slots, arrived, highest slot used + 1


class LaneLists(NamedTuple):
    """Who is on which lane: doubly linked lists through Vehicles.i[:, AHEAD/BEHIND]."""

    first: I32  # (L,) most advanced vehicle, -1 none
    last: I32  # (L,) rearmost vehicle
    left_slot: I32  # (L,) vehicle whose front left the lane last; its tail may still be on it
    left_trip: I32  # (L,) and its trip, to notice a slot used again
    left_odo: F64  # (L,) its ODO when the front was at the lane's end
    junction_count: I32  # (J,) vehicles with their front inside the junction, or that left it last and may hang over
    fill: F64  # (L,) m, lengths of the vehicles on the lane with their minimum gaps


# columns of `Roads.lane_f`
LANE_LENGTH, LANE_SPEED, LANE_WIDTH, LANE_SKEW, LANE_SHIFT_BEGIN, LANE_SHIFT_END = range(
    6
)  # the last three: m, see map/skew.py
# columns of `Roads.lane_i`
(
    LANE_EDGE, LANE_INDEX, LANE_LEFT, LANE_RIGHT, LANE_INTERNAL, LANE_NEXT, LANE_ALLOW,
    LANE_CLASH,  # first row of Roads.clash_*
    LANE_CLASH_END,
    LANE_INTO,  # first row of Roads.into
    LANE_INTO_END,
) = range(11)  # fmt: skip
LANE_COLUMNS, LINK_COLUMNS, FOE_COLUMNS = 11, 16, 4  # whoever appends columns begins here
# columns of `Roads.link_f`
LINK_LENGTH, LINK_VISIBILITY, LINK_LINE = (
    0,
    1,
    2,
)  # line: m before the lane's end where one waits clear of others' paths
# columns of `Roads.link_i`
(
    LINK_FROM,
    LINK_TO,
    LINK_VIA,
    LINK_JUNCTION,
    LINK_LIGHT,
    LINK_STATE,
    LINK_CONT,
    LINK_CLEAR,
    LINK_FOES,
    LINK_FOES_END,
    LINK_ENTRY,
    LINK_FREE,
    LINK_WATCHED,
    LINK_ROUNDABOUT,
    LINK_DIRECTION,
    LINK_CROSSINGS,
) = range(16)
# columns of `Roads.foe_i` and `Roads.foe_f`
FOE_LINK, FOE_YIELD, FOE_LANE, FOE_MERGE = 0, 1, 2, 3
FOE_BEGIN, FOE_END, FOE_OTHER_BEGIN, FOE_OTHER_END = 0, 1, 2, 3
# columns of `Roads.clash_i` and `Roads.clash_f`
CLASH_LANE, CLASH_ALONG = 0, 1
CLASH_BEGIN, CLASH_END, CLASH_OTHER_BEGIN, CLASH_OTHER_END = 0, 1, 2, 3


class Roads(NamedTuple):
    """The lane graph repacked for the driving kernels; static during a run."""

    lane_f: F64  # (L, 6)
    lane_i: I32  # (L, 11)
    link_f: F64  # (K, 4)
    link_i: I32  # (K, 16)
    foe_f: (
        F64  # (F, 4) begin and end of the conflict: own, from the start of our path in the junction; other, on its lane
    )
    foe_i: I32  # (F, 4)
    clash_f: F64  # (C, 4) where a lane and another one that is not its continuation share room, m on each
    clash_i: I32  # (C, 2)
    into: I32  # links that lead from normal lanes into each lane
    light: U8  # (heads,) current signal letters


class Paths(NamedTuple):
    """Routes resolved to lanes: position p of a path is one edge; its lanes are rows `pos_row[p] + lane index`."""

    start: I64  # (paths + 1,) into pos_*
    pos_edge: I32
    pos_row: I32
    pos_last: U8  # 1 on the last edge of the path
    pos_route: I32  # index within Routes row, for Actors.route_pos
    row_link: I32  # best link onwards from this lane, -1 none
    row_length: F64  # m drivable without a lane change from the start of this lane, capped
    row_offset: I32  # lanes to the nearest best lane, left positive
    trip_path: I32  # (trips,)


class Approaches(NamedTuple):
    """Announcements of vehicles to the links ahead, made anew each step by the drivers."""

    head: I32  # (K,) first item of each link, -1 none
    next: I32  # (items,) next item at the same link
    link: I32  # (items,)
    count: I32  # (capacity,) items of each vehicle; item j of slot i has number i * ITEMS + j
    f: F64  # (items, 10)
    end: F64  # (capacity,) m/s, speed if all links ahead are open
    help: F64  # (capacity,) m/s, speed that lets a lane changer in, or that a changer needs to fit in; 1e9 none
    gain: F64  # (capacity,) lane-change memory: wish for more speed, > 0 to the left
    keep: F64  # (capacity,) lane-change memory: wish to keep right, < 0
    look: F64  # (capacity,) m/s, lane-change memory: speed that sets how far ahead the driver prepares
    ahead: F64  # (capacity,) m, lengths with minimum gaps of those ahead on the same lane
    owner: I32  # (capacity,) trip to which the memories of this slot belong
    hang: I32  # (L,) first lane changer whose body still hangs over each lane, -1 none
    hang_next: I32  # (capacity,) next one over the same lane
    hang_lane: I32  # (capacity,) lane that this changer hangs over, -1 none


ITEMS = 4
V_PASS, V_WAIT, REQUEST, ARRIVE, ARRIVE_SPEED, LEAVE, LEAVE_SPEED, BRAKE_SPEED, DISTANCE, WAITED = range(10)


class Mind(NamedTuple):
    """Perception errors of the drivers, by vehicle slot."""

    f: F64  # (capacity, MIND_COLUMNS)


class Ledger(NamedTuple):
    """What became of each trip; shape (trips, LEDGER_COLUMNS), NaN where it has not happened."""

    f: F64


# columns of `Ledger.f`
(
    TRIP_DEPART,  # s, when it entered the road
    TRIP_ARRIVAL,  # s
    TRIP_DELAY,  # s waited before entering
    TRIP_LOSS,  # s
    TRIP_WAIT,  # s at 0.1 m/s or less, scheduled halts excluded
    TRIP_STOPS,  # transitions to waiting
    TRIP_LENGTH,  # m driven
    TRIP_CO2,  # g
    TRIP_ENERGY,  # J
    TRIP_HALT,  # s at scheduled stops
) = range(10)
LEDGER_COLUMNS = 10


class Clock(NamedTuple):
    """Time as arrays, so that kernels keep one signature."""

    time: F64  # (2,) s: simulation time, step length
    step: I64  # (1,) steps done


class HumanView(NamedTuple):
    """Everything a driver may see; treat as read-only."""

    vehicles: Vehicles
    lists: LaneLists
    roads: Roads
    paths: Paths
    clock: Clock
    stop_lane: I32
    stop_end: F64
    crossing_block: F64  # (K,) m from the start of the link's path to the nearest person on foot to yield to; 1e18 none


class HumanIntents(NamedTuple):
    """What drivers want for the coming step, by vehicle slot."""

    speed: F64  # (capacity,) m/s at the end of the step
    change: I32  # (capacity,) lanes to move: -1 right, 0, +1 left
    urgent: U8  # (capacity,) a change that the route needs finds no gap: 1 to the left, 2 to the right, else 0


def neutral_mind(capacity: int) -> Mind:
    """Drivers without errors."""
    f = np.ones((capacity, MIND_COLUMNS))
    f[:, RUN_RED] = 0.0
    f[:, RUN_YIELD] = 0.0
    return Mind(f)
