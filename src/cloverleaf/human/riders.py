"""Bicycles and e-bikes on lanes that they share: where they ride, who may pass them, and how they filter to the stop line.

Riders are in the lane's list like everyone else, with a lateral offset d (left positive). Two users of one lane disturb each other
only if their widths, plus the clearance that the faster one keeps, overlap. Clearance when a car passes a rider: 1.5 m in towns
(German StVO s. 5(4), Spain, France outside towns), 1.0 m at least where there is no room by habit; riders among each other and
past standing cars 0.3-0.5 m. Desired speeds: bicycle 4-6 m/s, e-bike 5.5-7 m/s (25 km/h is the legal top in China and Europe).
Red: of 451 two-wheelers facing red at three intersections in Beijing 56 % crossed (Wu, Yao, Zhang 2012, Accid. Anal. Prev. 49), but most
of them on foot-like gaps in the crossing traffic; here RIDER_RED is only the share who go on at a fresh red.
"""

from __future__ import annotations

from cloverleaf.algo.jit import kernel

PASS_CLEARANCE = 1.5  # m, car past rider
TIGHT_CLEARANCE = 1.0  # m, where the lane leaves no more and the speed is low
TIGHT_SPEED = 8.5  # m/s, up to which the tight clearance is accepted
FILTER_CLEARANCE = 0.3  # m, rider past standing vehicles
FILTER_SPEED = 3.0  # m/s beside a queue
EDGE_CLEARANCE = 0.5  # m from the lane's edge to a rider's side
RIDER_RED = 0.35
"""Share of riders who go on when the light has just turned red."""


@kernel
def riding_offset(lane_width, width, own_lane):
    """Lateral offset (m, left positive) that a rider keeps: near the right edge, or amid a bicycle lane (`own_lane`)."""
    room = 0.5 * (lane_width - width)
    if own_lane or room <= EDGE_CLEARANCE:
        return 0.0 if own_lane else -max(room, 0.0)
    return EDGE_CLEARANCE - room


@kernel
def disturbs(d_a, width_a, d_b, width_b, clearance):
    """True if users at offsets d_a and d_b cannot be abreast with this clearance (m)."""
    return abs(d_a - d_b) < 0.5 * (width_a + width_b) + clearance


@kernel
def passing_offset(lane_width, width, d_rider, rider_width, clearance):
    """Offset at which a vehicle passes a rider on its left within the lane, or 1e9 if there is no room."""
    d = d_rider + 0.5 * (rider_width + width) + clearance
    return d if d + 0.5 * width <= 0.5 * lane_width else 1e9


@kernel
def may_pass(lane_width, width, speed, d_rider, rider_width):
    """Offset for passing a rider within the lane, 1e9 if one must stay behind: 1.5 m clear, at low speed 1.0 m."""
    wide = passing_offset(lane_width, width, d_rider, rider_width, PASS_CLEARANCE)
    if wide < 1e8 or speed > TIGHT_SPEED:
        return wide
    return passing_offset(lane_width, width, d_rider, rider_width, TIGHT_CLEARANCE)


@kernel
def filter_speed(lane_width, rider_width, d_queue, queue_width, queue_speed, desired):
    """Speed (m/s) of a rider beside a queue on the right, 0 if there is no room to filter.

    A rider filters past vehicles that stand or crawl, never past those that are as fast as itself.
    """
    room = (d_queue - 0.5 * queue_width) + 0.5 * lane_width
    if room < rider_width + 2.0 * FILTER_CLEARANCE or queue_speed >= FILTER_SPEED:
        return 0.0
    return min(desired, FILTER_SPEED)


@kernel
def filter_offset(lane_width, d_queue, queue_width):
    """Offset (m) midway between the right edge and the queue."""
    return 0.5 * ((d_queue - 0.5 * queue_width) - 0.5 * lane_width)


@kernel
def drift(d, target, speed, dt):
    """Next lateral offset on the way to `target`: at most 0.5 m/s sideways, and a quarter of the own speed."""
    step = min(0.5, 0.25 * speed) * dt
    return min(max(target, d - step), d + step)
