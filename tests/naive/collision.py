"""Slow oracle of world/collision: every pair, polygons, sets of junctions."""

from __future__ import annotations

from naive import boxes


def core(actors, row, side, end):
    """Box of a row as it counts for contact."""
    length, width = actors.length[row], actors.width[row]
    if actors.control[row] == 0 and actors.kind[row] not in (5, 6, 7):
        length, width = max(length - 2 * end, length / 2), max(width - 2 * side, 0.3 * width)
    return actors.x[row], actors.y[row], actors.heading[row], length, width


def pairs(actors, rules, side=0.25, end=0.1):
    """Set of (low row, high row) whose cores touch, whoever crashed before."""
    rows = [i for i in range(len(actors.kind)) if actors.kind[i] > 0]
    found = set()
    for i in rows:
        for j in rows:
            if i >= j or (actors.speed[i] == 0 and actors.speed[j] == 0):
                continue
            if actors.kind[i] == actors.kind[j] == 7:
                continue
            if apart(rules, actors.lane[i], actors.lane[j]):
                continue
            if boxes.overlap(core(actors, i, side, end), core(actors, j, side, end)):
                found.add((i, j))
    return found


def apart(rules, a, b):
    """True if the lanes are known to have neither edge nor junction in common."""
    if a < 0 or b < 0 or rules.lane_edge[a] == rules.lane_edge[b]:
        return False
    ends = [{int(r[lane]) for r in (rules.lane_junction_a, rules.lane_junction_b)} - {-1} for lane in (a, b)]
    return bool(ends[0]) and bool(ends[1]) and not ends[0] & ends[1]
