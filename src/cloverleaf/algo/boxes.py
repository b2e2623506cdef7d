"""Oriented boxes: overlap, signed gap, swept contact (compiled, scalar in, scalars out).

A box is (x, y, heading, length, width): centre in metres, heading in radians, length along the heading. Touching boxes overlap.
The separating-axis theorem for two rectangles needs the four axes of their sides only (Gottschalk, Lin, Manocha 1996, "OBBTree").
"""

from __future__ import annotations

import math

from cloverleaf.algo.jit import kernel


@kernel
def point_in_box(px, py, x, y, heading, length, width):
    """True if the point lies in the box or on its edge."""
    c, s = math.cos(heading), math.sin(heading)
    dx, dy = px - x, py - y
    return abs(dx * c + dy * s) <= 0.5 * length and abs(dy * c - dx * s) <= 0.5 * width


@kernel
def box_corner(index, x, y, heading, length, width):
    """Corner 0..3 of a box, anticlockwise from front left: (x, y)."""
    forward = 0.5 * length if index == 0 or index == 3 else -0.5 * length
    left = 0.5 * width if index <= 1 else -0.5 * width
    c, s = math.cos(heading), math.sin(heading)
    return x + forward * c - left * s, y + forward * s + left * c


@kernel
def axis_gaps(dx, dy, ca, sa, hla, hwa, cb, sb, hlb, hwb):
    """Gaps between the shadows of boxes a and b on the four side axes (a forward, a left, b forward, b left), m.

    (dx, dy) leads from a's centre to b's; c and s are cosine and sine of the headings; hl and hw half length and half width.
    A positive gap separates the boxes.
    """
    c = abs(ca * cb + sa * sb)
    s = abs(ca * sb - sa * cb)
    return (
        abs(dx * ca + dy * sa) - hla - (hlb * c + hwb * s),
        abs(dy * ca - dx * sa) - hwa - (hlb * s + hwb * c),
        abs(dx * cb + dy * sb) - hlb - (hla * c + hwa * s),
        abs(dy * cb - dx * sb) - hwb - (hla * s + hwa * c),
    )


@kernel
def boxes_overlap(ax, ay, ah, al, aw, bx, by, bh, bl, bw):
    """True if boxes a and b share a point."""
    dx, dy = bx - ax, by - ay
    reach = 0.5 * (math.sqrt(al * al + aw * aw) + math.sqrt(bl * bl + bw * bw))
    if dx * dx + dy * dy > reach * reach:
        return False
    g0, g1, g2, g3 = axis_gaps(
        dx, dy, math.cos(ah), math.sin(ah), 0.5 * al, 0.5 * aw, math.cos(bh), math.sin(bh), 0.5 * bl, 0.5 * bw
    )
    return g0 <= 0.0 and g1 <= 0.0 and g2 <= 0.0 and g3 <= 0.0


@kernel
def point_box_distance(px, py, x, y, c, s, half_length, half_width):
    """Distance from a point to a box, 0 inside; c and s are cosine and sine of the box's heading."""
    dx, dy = px - x, py - y
    outside_x = max(abs(dx * c + dy * s) - half_length, 0.0)
    outside_y = max(abs(dy * c - dx * s) - half_width, 0.0)
    return math.sqrt(outside_x * outside_x + outside_y * outside_y)


@kernel
def box_gap(ax, ay, ah, al, aw, bx, by, bh, bl, bw):
    """Signed gap of two boxes, m: their distance if apart, else minus the shortest shift that would part them.

    The distance of two separate rectangles is always taken at a corner of one of them.
    """
    ca, sa, cb, sb = math.cos(ah), math.sin(ah), math.cos(bh), math.sin(bh)
    hla, hwa, hlb, hwb = 0.5 * al, 0.5 * aw, 0.5 * bl, 0.5 * bw
    g0, g1, g2, g3 = axis_gaps(bx - ax, by - ay, ca, sa, hla, hwa, cb, sb, hlb, hwb)
    deepest = max(max(g0, g1), max(g2, g3))
    if deepest <= 0.0:
        return deepest
    nearest = math.inf
    for i in range(4):
        px, py = box_corner(i, bx, by, bh, bl, bw)
        nearest = min(nearest, point_box_distance(px, py, ax, ay, ca, sa, hla, hwa))
        px, py = box_corner(i, ax, ay, ah, al, aw)
        nearest = min(nearest, point_box_distance(px, py, bx, by, cb, sb, hlb, hwb))
    return nearest


@kernel
def _axis_contact(offset, speed, reach, low, high):
    """Narrow the time window [low, high] to when abs(offset + speed t) <= reach; an empty window has low > high."""
    if abs(speed) < 1e-12:
        if abs(offset) > reach:
            return math.inf, -math.inf
        return low, high
    first = (-reach - offset) / speed
    second = (reach - offset) / speed
    return max(low, min(first, second)), min(high, max(first, second))


@kernel
def swept_contact(ax, ay, ah, al, aw, avx, avy, bx, by, bh, bl, bw, bvx, bvy, horizon):
    """First time in [0, horizon] s at which the boxes touch while both move straight on without turning; inf if never.

    Exact: on each side axis the shadows overlap during one time window, and the boxes touch where all four windows meet.
    """
    ca, sa, cb, sb = math.cos(ah), math.sin(ah), math.cos(bh), math.sin(bh)
    hla, hwa, hlb, hwb = 0.5 * al, 0.5 * aw, 0.5 * bl, 0.5 * bw
    dx, dy, vx, vy = bx - ax, by - ay, bvx - avx, bvy - avy
    c, s = abs(ca * cb + sa * sb), abs(ca * sb - sa * cb)
    low, high = _axis_contact(dx * ca + dy * sa, vx * ca + vy * sa, hla + hlb * c + hwb * s, 0.0, horizon)
    low, high = _axis_contact(dy * ca - dx * sa, vy * ca - vx * sa, hwa + hlb * s + hwb * c, low, high)
    low, high = _axis_contact(dx * cb + dy * sb, vx * cb + vy * sb, hlb + hla * c + hwa * s, low, high)
    low, high = _axis_contact(dy * cb - dx * sb, vy * cb - vx * sb, hwb + hla * s + hwa * c, low, high)
    return low if low <= high else math.inf


@kernel
def ray_box(px, py, rx, ry, x, y, c, s, half_length, half_width):
    """Distance along the unit ray (rx, ry) from a point to a box: 0 from inside, inf on a miss. c, s: cosine, sine of the heading."""
    dx, dy = x - px, y - py
    low, high = _axis_contact(-(dx * c + dy * s), rx * c + ry * s, half_length, 0.0, math.inf)
    low, high = _axis_contact(-(dy * c - dx * s), ry * c - rx * s, half_width, low, high)
    return low if low <= high else math.inf
