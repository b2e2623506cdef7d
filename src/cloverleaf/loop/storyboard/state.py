"""What changes while a scenario runs: columns of actors, storyboard elements and conditions, for every world.

Whole numbers are stored as floats beside the others, so that a world is a few rows of one type. NaN stands for "not known" or "never".
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.scenario.storyboard import tables as T
from cloverleaf.types.state import F64, I64

# columns of `clock`
TIME, DT, ENDED, TICK, EVENTS, EVENTS_BEFORE, LOGGED, SEED = range(8)
# EVENTS counts transitions, EVENTS_BEFORE their number at the start of the step before; LOGGED: rows of `log` used; SEED:
# of random numbers, the same for a case wherever it stands

# columns of `actor`
(
    X, Y, Z, HEADING, PITCH, ROLL,  # reference point (rear axle of vehicles); m, rad
    SPEED, ACCEL, VX, VY, VZ, AX, AY,  # m/s along the heading, m/s2, velocity and acceleration over the last step
    ROAD, LANE, ROW, S, OFFSET, T_ROAD, TURN,  # road row (-1 off the map), lane id and row, m; TURN: heading against the direction of +s
    ODOMETER, PRESENT, STILL_SINCE, OFFROAD_SINCE, END_SINCE,  # m; s
    MOVED, STEERED, AT_END,  # in this step: moved along, moved across by an action; at the end of its road
    LON_CONTROL, LAT_CONTROL, CONTROLLER,  # rows of controllers, -1 the default one
    PATH_ACTION, PATH_S, PATH_ROW,  # element row of the trajectory action that leads, -1 none; m; row reached in the path buffer
    GOAL_ROUTE, GOAL_POINT, GOAL_ROAD,  # route, its next waypoint and that one's road; -1 none
    TOW, TRAILER,  # entity rows, -1 none
    LENGTH, WIDTH, BOX_X, BOX_Y, REACH, MAX_SPEED, MAX_ACCEL, MAX_DECEL, LIMIT,  # LIMIT: nan
    TOUCHED, TOUCHED_BY,  # time of the first collision, entity row
    OLD_X, OLD_Y, OLD_Z, OLD_SPEED, DESIRED, THROTTLE, BRAKE, WHEEL, M0, M1,
    G_LOW, G_HIGH, G_S, G_X, G_Y, G_Z, G_RADIUS, G_HEADING, G_CURVATURE, G_SLOPE, G_SCALE, G_NONE, G_ROW, G_SKIP_LOW, G_SKIP_HIGH,
    G_WIDTH, DIR_OF, DIR_X, DIR_Y,
    WANDERS, CHOICES, CHANCE,  # 1 on a random way; choices made so far; draw in [0, 1) for the next one, NaN: to be drawn
    BODY_KIND,  # category of the vehicle that a row of traffic stands for
) = range(83)  # fmt: skip
ACTOR = 83
# REACH: from the reference point to any corner, at most, m; M*: of a controller; G_*: the stretch in closed form that the actor is on,
# see `glide.py`; DIR_*: cosine and sine of the heading DIR_OF
SPARE = 3
"""Rows after the entities that hold positions while they are worked out."""

# columns of `element`
STATE, COUNT, FIRED, STARTED_AT, STOPPED_AT, SKIPPED_AT, FINISHED_AT, W0, W1, W2, W3, W4, W5, W6, W7, W8, W9 = range(17)
# COUNT: executions; *_AT: number of the latest transition of that kind; FIRED: bits of triggering entities; W*: an action's own
ELEMENT = 17
WAITING, STANDBY, RUNNING, COMPLETE = range(4)

# columns of `condition`
LAST, KNOWN, SEEN_EVENT, SEEN_TICK, MASK, VALUE = range(6)
CONDITION = 6

# columns of `path`: one straight or spiral piece of a trajectory from its start
PX, PY, PZ, PH, PK, PDK, PLEN, PS, PT, PSLOPE, PFIXED, PV, PA = range(13)  # PFIXED: heading of the entity there,
# NaN if free; PV, PA: speed and acceleration along the piece by its time stamps
PATH = 13
DELAYS = 32  # remembered changes of a delayed condition

# columns of `asked` and `running`, see `awake.py`
LIST_STAMP, LIST_COUNT, LIST_ROWS = range(3)  # EVENTS when it was listed, -1 never; rows listed; the first of them

# columns of `variable` for each row of `traffic`
Y_SINCE, Y_COUNT, Y_DRAWS, Y_FILLED = range(4)
# Y_SINCE: start (s), -1 not running; Y_COUNT: vehicles brought or taken; Y_DRAWS: random numbers used; Y_FILLED: 1 once it has been filled
TRAFFIC = 4

# columns of `log`
L_TIME, L_ELEMENT, L_STATE, L_TRANSITION = range(4)
LOG_CONDITION = -1.0  # L_STATE of a row about a condition that became true


class State(NamedTuple):
    """Arrays over W worlds."""

    clock: F64  # (W, 8)
    actor: F64  # (W, A + SPARE, ACTOR)
    element: F64  # (W, E, ELEMENT)
    condition: F64  # (W, C, CONDITION)
    asked: I64  # (W, E + 2) elements whose triggers are asked
    running: I64  # (W, E + 2) actions that run
    delayed: F64  # (W, D, 2 * DELAYS + 1) times, values, count
    variable: F64  # (W, V) variables, states of traffic signals, phase and its start (s) of every signal controller, columns Y_* of traffic
    path: F64  # (W, R, PATH)
    scratch: F64  # (W, 64)
    command: F64  # (W, A, 2) acceleration and curvature asked from outside
    memory: F64  # (W, A, M) of drivers
    log: F64  # (W, L, 4)


def new_state(program: T.Program, worlds: int, memory: int = 8, log: int = 0) -> State:
    """Empty arrays; the kernel `start_world` fills them."""
    sizes, entities = program.sizes, len(program.entities)

    def zeros(*shape: int) -> F64:
        return np.zeros((worlds, *shape))

    return State(
        clock=zeros(8),
        actor=zeros(entities + SPARE, ACTOR),
        element=zeros(len(program.elements), ELEMENT),
        condition=zeros(len(program.conditions), CONDITION),
        asked=np.full((worlds, len(program.elements) + LIST_ROWS), -1, np.int64),
        running=np.full((worlds, len(program.elements) + LIST_ROWS), -1, np.int64),
        delayed=zeros(int(sizes[T.Z_HISTORY]), 2 * DELAYS + 1),
        variable=zeros(
            int(sizes[T.Z_VARIABLES] + sizes[T.Z_SIGNALS]) + 2 * len(program.signals) + TRAFFIC * len(program.traffic)
        ),
        path=zeros(int(sizes[T.Z_PATH]), PATH),
        scratch=zeros(64),
        command=np.full((worlds, entities, 2), np.nan),
        memory=zeros(entities, memory),
        log=zeros(log, 4),
    )
