"""The tables of a compiled scenario (`Program`): names of their columns and of the codes in them.

Rows refer to each other by number, -1 means none. A `slot` is a column of `value`: the numbers of the scenario, one row per world, so
that parameters may differ from world to world while the program stays the same. Standard: ASAM OpenSCENARIO XML 1.3.
"""

from __future__ import annotations

from typing import NamedTuple

from cloverleaf.types.state import I64

# `elements`: the storyboard in document order, parents before children; Init actions follow at row `init`
E_KIND, E_PARENT, E_END, E_START, E_STOP, E_PRIORITY, E_COUNT, E_ACTION, E_STEPS = range(9)
# E_END: row after the last descendant; E_COUNT: executions allowed, -1 no limit; E_STEPS: 1 some descendant action takes time
STORYBOARD, STORY, ACT, GROUP, MANEUVER, EVENT, ACTION = range(7)
OVERWRITE, SKIP, PARALLEL = range(3)

# `triggers`, `groups`: a trigger is true if a group is, a group if all its conditions are
T_BEGIN, T_END, T_EMPTY = range(3)  # T_EMPTY: value of a trigger without groups
G_BEGIN, G_END = range(2)

# `conditions`
(
    C_KIND,
    C_EDGE,
    C_RULE,
    C_SLOT,
    C_DELAY,
    C_HISTORY,
    C_BEGIN,
    C_END,
    C_ALL,
    C_REF,
    C_POSITION,
    C_MODE,
    C_SYSTEM,
    C_FREE,
) = range(14)
# C_DELAY: slot; C_HISTORY: row of delayed values; C_BEGIN..C_END: triggering entities in `members`; C_SYSTEM: coordinate system;
# C_FREE: 1 between boxes; C_REF, C_MODE: see the kinds
EDGE_NONE, EDGE_RISING, EDGE_FALLING, EDGE_BOTH = range(4)
EQUAL, GREATER, LESS, GREATER_EQUAL, LESS_EQUAL, NOT_EQUAL = range(6)
(
    TIME, TIME_OF_DAY, ELEMENT_STATE, VARIABLE, SIGNAL, SIGNAL_PHASE,  # by value
    SPEED, RELATIVE_SPEED, ACCELERATION, STAND_STILL, TRAVELED, END_OF_ROAD, OFFROAD, COLLISION,  # by entity
    HEADWAY, COLLISION_TIME, REACH, DISTANCE, RELATIVE_DISTANCE, CLEARANCE, ANGLE, RELATIVE_ANGLE, NEVER,
) = range(23)  # fmt: skip
# NEVER: a user-defined value that nobody sets
STANDBY_STATE, RUNNING_STATE, COMPLETE_STATE, START, STOP, SKIPPED, FINISH = range(7)  # C_MODE of ELEMENT_STATE
DIRECTION_ANY, LONGITUDINAL, LATERAL, VERTICAL = range(4)
ENTITY_SYSTEM, LANE_SYSTEM, ROAD_SYSTEM, TRAJECTORY_SYSTEM, WORLD_SYSTEM = range(5)
ALONG, ACROSS, STRAIGHT = range(3)  # relative distance types

# `actions`
(
    A_KIND,
    A_ACTOR,
    A_DOMAIN,
    A_SLOT,
    A_REF,
    A_POSITION,
    A_SHAPE,
    A_DIMENSION,
    A_MODE,
    A_SYSTEM,
    A_FREE,
    A_CONTINUOUS,
    A_EXTRA,
) = range(13)
LON, LAT, LON_LAT = 1, 2, 3
(
    SET_SPEED, SPEED_PROFILE, KEEP_DISTANCE, LANE_CHANGE, LANE_OFFSET, KEEP_LATERAL, TELEPORT, SYNCHRONIZE, FOLLOW, ROUTE,
    ACQUIRE, ASSIGN, ACTIVATE, OVERRIDE, ADD, DELETE, SET_VARIABLE, SIGNAL_STATE, CONNECT, DISCONNECT, SIGNAL_PHASE_SET,
    RANDOM_ROUTE, TRAFFIC, TRAFFIC_STOP, LASTING, NOTHING,
) = range(26)  # fmt: skip
# LASTING: has no effect on motion, but goes on for a time (slot, s)
STEP, LINEAR, SINUSOIDAL, CUBIC = range(4)
OF_TIME, OF_DISTANCE, OF_RATE = range(3)
ABSOLUTE, DELTA, FACTOR = range(3)  # A_MODE of SET_SPEED
ANY_SIDE, TRAILING, LEADING = range(3)  # A_MODE of KEEP_DISTANCE
LEFT, RIGHT = 1, 2  # A_MODE of KEEP_LATERAL
SET, ADD_VALUE, MULTIPLY = range(3)  # A_MODE of SET_VARIABLE

# `positions`; slots: the three coordinates, then h, p, r (NaN where not given)
P_KIND, P_ENTITY, P_ROAD, P_ORIENT, P_SLOT, P_REF, P_MODE = range(7)
(
    AT_WORLD, AT_RELATIVE_WORLD, AT_RELATIVE_OBJECT, AT_ROAD, AT_RELATIVE_ROAD, AT_LANE, AT_RELATIVE_LANE, AT_ROUTE, AT_TRAJECTORY,
) = range(9)  # fmt: skip
NO_ORIENTATION, ABSOLUTE_ANGLES, RELATIVE_ANGLES = range(3)

# `trajectories` and their `vertices`; J_ROW..: rows of the path buffer; J_SLOT: knots or end time; J_NAME: equal for
# equal names; J_FIRST: first of the trajectories that its positions refer to, which stand before it
J_SHAPE, J_BEGIN, J_END, J_ROW, J_ROWS, J_CLOSED, J_SLOT, J_ORDER, J_NAME, J_FIRST = range(10)
POLYLINE, CLOTHOID, CLOTHOID_SPLINE, NURBS = range(4)
V_POSITION, V_SLOT = range(2)  # slots: time, then what the shape needs

# `routes`: waypoints are rows of `members` as pairs (road row, lane id or 0 ...)
R_BEGIN, R_END, R_LENGTH = range(3)

# `signals` (controllers of traffic signals) and their `phases`; F_BEGIN..F_END: pairs of `members`: signal, slot of the state it shows
X_BEGIN, X_END, X_DELAY = range(3)
F_SLOT, F_BEGIN, F_END = range(3)

# `traffic`: one row for each traffic action; its vehicles come from the entity rows D_POOL..D_POOL_END, absent until they arrive
(
    D_KIND, D_NAME, D_SLOT, D_REF, D_ROW, D_POINT, D_POINT_END, D_BODY, D_BODY_END, D_POOL, D_POOL_END, D_CONTINUOUS, D_SHAPE,
) = range(13)  # fmt: skip
SOURCE, SINK, SWARM, AREA = range(4)
# D_NAME: code of trafficName; D_REF: central entity; D_ROW: path row of the first point; D_POINT..: positions of its points in `members`,
# or its stretches of road as (road row, slot of s from and to, first and last of its lanes in `members`); D_BODY..: (slots of a vehicle's
# body, category, slot of the weight), of a sink the categories it takes, none: all
POLYGON, STRETCHES = range(2)  # D_SHAPE of an area
# slots: source radius, rate, speed; sink radius, rate; swarm inner radius, offset, semi-axes, lowest and highest speed, weights same and
# opposite
BODY_COLUMNS, STRETCH_COLUMNS = 3, 4

# `entities`
N_KIND, N_CATEGORY, N_SLOT, N_CONTROLLER, N_PRESENT, N_TRAILER, N_DRIVER = range(7)
PEDESTRIAN, VEHICLE, OBJECT = range(3)
# slots of an entity
(
    B_LENGTH, B_WIDTH, B_HEIGHT, B_X, B_Y, B_Z, B_MAX_SPEED, B_MAX_ACCEL, B_MAX_DECEL, B_WHEELBASE, B_HITCH, B_COUPLER,
) = range(12)  # fmt: skip
BODY = 12

# `controllers`
K_KIND, K_ENTITY, K_LON, K_LAT, K_SLOT = range(5)
DRIVEN, ACC, SLOPPY, AWAITED = range(4)
# DRIVEN: a system under test, until somebody drives it the default controller goes on; AWAITED: a person or program whose input never comes


class Program(NamedTuple):
    """Integer tables of one scenario; the row counts are E, K, T, G, C and so on."""

    elements: I64  # (E, 9)
    actions: I64  # (K, 13)
    triggers: I64  # (T, 3)
    groups: I64  # (G, 2)
    conditions: I64  # (C, 14)
    members: I64  # (M,)
    positions: I64  # (P, 7)
    trajectories: I64  # (J, 10)
    vertices: I64  # (V, 2)
    routes: I64  # (R, 3)
    signals: I64  # (X, 3)
    phases: I64  # (F, 3)
    traffic: I64  # (Y, 13)
    entities: I64  # (A, 7)
    controllers: I64  # (Q, 5)
    sizes: I64  # (8,) see Z_*


Z_INIT, Z_HISTORY, Z_VARIABLES, Z_PATH, Z_SIGNALS, Z_OWN, Z_WANDER, Z_DAY = range(8)
# Z_INIT: row of the first Init action; Z_PATH: rows of the path buffer; Z_OWN: entities of the scenario itself, those of traffic follow;
# Z_WANDER: 1 if somebody may choose its way at random; Z_DAY: slot of the time of day, s
