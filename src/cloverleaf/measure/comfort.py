"""How a drive feels: the comfort bounds of nuPlan, harsh braking and standing passengers (scalar kernels).

Bounds: nuPlan devkit (Caesar et al. 2021), all of which must hold. Jerks are differences of realised accelerations.
"""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel

LONGITUDINAL_LOW, LONGITUDINAL_HIGH = -4.05, 2.40  # m/s2
LATERAL = 4.89  # m/s2
YAW_ACCEL = 1.93  # rad/s2
YAW_RATE = 0.95  # rad/s
LONGITUDINAL_JERK = 4.13  # m/s3
JERK = 8.37  # m/s3, of the acceleration vector
STANDING_PASSENGER = 2.4  # m/s2, in buses
HARSH_BRAKE = 3.13  # m/s2 (7 mph/s)

# bits of `discomfort`
BRAKING, DRIVING, SIDEWAYS, TURNING, TWISTING, JERKING, SHAKING = 1, 2, 4, 8, 16, 32, 64


@kernel
def discomfort(accel, lateral_accel, yaw_rate, yaw_accel, jerk, lateral_jerk):
    """Which nuPlan bounds a moment breaks, as a union of bits; 0 is comfortable."""
    bits = 0
    if accel < LONGITUDINAL_LOW:
        bits |= BRAKING
    if accel > LONGITUDINAL_HIGH:
        bits |= DRIVING
    if abs(lateral_accel) > LATERAL:
        bits |= SIDEWAYS
    if abs(yaw_rate) > YAW_RATE:
        bits |= TURNING
    if abs(yaw_accel) > YAW_ACCEL:
        bits |= TWISTING
    if abs(jerk) > LONGITUDINAL_JERK:
        bits |= JERKING
    if math.sqrt(jerk * jerk + lateral_jerk * lateral_jerk) > JERK:
        bits |= SHAKING
    return bits


@kernel
def comfort_cost(accel, jerk, lateral_accel):
    """Smooth discomfort in units of its bounds (0 at rest, 1 where one bound is reached): what a planner can trade."""
    low = LONGITUDINAL_LOW if accel < 0.0 else LONGITUDINAL_HIGH
    a = accel / low
    j = jerk / LONGITUDINAL_JERK
    l = lateral_accel / LATERAL
    return a * a + j * j + l * l
