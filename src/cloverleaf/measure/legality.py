"""What the traffic law would say: red lights, stop lines, speed, keeping a junction clear (scalar kernels).

Light letters are those of `LaneGraph.phase_state` as ord(): r y g G u s o O.
"""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel

RED, YELLOW, RED_YELLOW = ord("r"), ord("y"), ord("u")
GREEN_MINOR, GREEN_MAJOR, GREEN_ARROW = ord("g"), ord("G"), ord("s")
BLINKING, DARK = ord("o"), ord("O")
SPEED_TOLERANCE = 2.23
"""m/s over the limit that nuPlan still scores; the planner may not use it."""


@kernel
def forbids_entry(light):
    """True if the light does not let a car that can stop cross the line."""
    return light in (RED, RED_YELLOW, YELLOW)


@kernel
def runs_red(light, before, after):
    """True if the front went over the line (m to it before and after the step, negative beyond) while the light was red."""
    return light in (RED, RED_YELLOW) and before > 0.0 and after <= 0.0


@kernel
def must_stop(speed, distance, decel, reaction):
    """True if a car can still stop before a line at `distance` m: what decides whether yellow means stop."""
    return distance - speed * reaction >= speed * speed / (2.0 * decel)


@kernel
def overspeed(speed, limit):
    """Speed above the limit, m/s."""
    return max(0.0, speed - limit)


@kernel
def rolled_stop(lowest_speed, stopped_speed):
    """True if the lowest speed within reach of a stop sign's line shows that the car did not stop."""
    return lowest_speed > stopped_speed


@kernel
def overspeed_integral(speed, limit, dt):
    """Metres driven in excess of the limit during a step; sums to the overspeed integral."""
    return overspeed(speed, limit) * dt


@kernel
def leaves_lane(offset, width, lane_width, margin):
    """True if a body of `width` m at lateral `offset` m reaches more than `margin` m over the lane's edge."""
    return abs(offset) + 0.5 * width > 0.5 * lane_width + margin


@kernel
def keeps_right_of_way(own_entry, own_exit, foe_entry, foe_exit, margin):
    """True if a car which has to give way is out of the conflict area `margin` s before the other enters, or enters it after.

    Times in s; a window of NaN (nobody comes) never conflicts.
    """
    if math.isnan(foe_entry) or math.isnan(own_entry):
        return True
    return own_exit + margin <= foe_entry or own_entry >= foe_exit
