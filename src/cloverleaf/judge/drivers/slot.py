"""What a driver under test sees and answers, once a step, and the decorator that turns a function into one.

A driver is `drive(own, near, memory, command)` on float64 arrays: `own` (OWN,), `near` (entities, NEAR) with one row per entity
of the scenario (the own row and absent entities have PRESENT 0), `memory` (any length, zero at start) which is the driver's own, and
`command` (2,), which it fills. It is called through a pointer, so a new driver does not recompile the engine.
An observer is the same function: it is called after the motion and may write its memory alone.

Frame: along and left of the own lane at the own position. SI units.
"""

from __future__ import annotations

import numba

from cloverleaf.algo.pointer import pointer

# columns of `own`
(
    TIME,  # s since the scenario's start
    DT,  # s
    X,  # m, reference point
    Y,
    HEADING,  # rad
    SPEED,  # m/s
    ACCEL,  # m/s2, real, of the last step
    LENGTH,  # m
    WIDTH,
    DESIRED,  # m/s, speed that the storyboard asks for
    S,  # m along the road
    OFFSET,  # m left of the lane's centre
    LANE_WIDTH,  # m
    LIMIT,  # m/s, NaN unknown
    CURVATURE,  # 1/m of the lane, left positive
    OWN_LATERAL,  # m/s across the lane
    ACTIVE,  # 1 once the entity is the driver's, 0 while the storyboard still moves it
) = range(17)
OWN = 17

# columns of `near`
(
    PRESENT,  # 1 or 0
    GAP,  # m, bumper to bumper along the road; negative overlapping or behind, NaN on no connected road
    DX,  # m, box centre ahead of ours
    DY,  # m, box centre left of ours
    NEAR_SPEED,  # m/s along our lane
    LAT_SPEED,  # m/s, left positive
    NEAR_ACCEL,  # m/s2 along our lane
    NEAR_LENGTH,  # m, extent along our lane
    NEAR_WIDTH,  # m, extent across our lane
    LANES,  # lanes to the left of ours, 0 same lane, NaN none
    KIND,  # 0 vehicle, 1 pedestrian, 2 other
    BESIDE,  # m between the sides, 0 where they overlap, negative to the right
) = range(12)
NEAR = 12

# columns of `command`
ASK, STEER = range(2)  # acceleration, m/s2; curvature, 1/m, NaN: the default lateral control keeps the lane
COMMAND = 2
MEMORY = 8  # default length of `memory`

_VECTOR = numba.types.float64[::1]
SIGNATURE = numba.types.void(_VECTOR, numba.types.float64[:, ::1], _VECTOR, _VECTOR)


driver = pointer(SIGNATURE)
"""Decorator: a function as a driver or observer, a pointer of one fixed signature, cached on disk like a kernel."""
