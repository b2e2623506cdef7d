"""A SUMO net by the book: links, foes and conflict areas straight from the XML, with loops and no cleverness."""

from __future__ import annotations

import gzip
import math
from itertools import pairwise
from pathlib import Path

from lxml import etree


def parse(path: Path):
    data = path.read_bytes()
    return etree.fromstring(gzip.decompress(data) if path.suffix == ".gz" else data)


def foe_pairs(root) -> set[tuple[tuple, tuple, bool]]:
    """(link, foe, gives way) with links as (from lane id, to lane id), of requests between vehicle links."""
    normal = {e.get("id") for e in root.iterfind("edge") if e.get("function") in (None, "normal")}
    by_last_via: dict[str, tuple] = {}
    inner = {
        (c.get("from"), c.get("fromLane")): c for c in root.iterfind("connection") if c.get("from").startswith(":")
    }
    lanes = {e.get("id"): [lane.get("id") for lane in e.iterfind("lane")] for e in root.iterfind("edge")}
    where = {lane: (edge, str(i)) for edge, ids in lanes.items() for i, lane in enumerate(ids)}
    for c in root.iterfind("connection"):
        if c.get("from") not in normal or c.get("via") is None:
            continue
        last = c.get("via")
        while inner[where[last]].get("via"):
            last = inner[where[last]].get("via")
        name = (lanes[c.get("from")][int(c.get("fromLane"))], lanes[c.get("to")][int(c.get("toLane"))])
        by_last_via[last] = name
    found = set()
    for junction in root.iterfind("junction"):
        requests = junction.findall("request")
        ways = junction.get("intLanes").split()
        for i, request in enumerate(requests):
            for j in range(len(requests)):
                if ways[i] not in by_last_via or ways[j] not in by_last_via:
                    continue
                foes, response = request.get("foes")[-1 - j], request.get("response")[-1 - j]
                if foes == "1":
                    found.add((by_last_via[ways[i]], by_last_via[ways[j]], response == "1"))
    return found


def conflict_area(own, other, clearance: float, step: float = 0.25):
    """(begin, end) of polyline `own` [(x, y, s)] within `clearance` of `other`, None where never; samples as the kernel does."""

    def distance(x, y):
        best = math.inf
        for (ax, ay, _), (bx, by, _) in pairwise(other):
            length2 = (bx - ax) ** 2 + (by - ay) ** 2
            t = 0.0 if length2 == 0 else max(0.0, min(1.0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length2))
            best = min(best, math.dist((x, y), (ax + t * (bx - ax), ay + t * (by - ay))))
        return best

    inside = []
    for (ax, ay, a_s), (bx, by, b_s) in pairwise(own):
        n = max(1, math.ceil(math.dist((ax, ay), (bx, by)) / step))
        for k in range(n + 1):
            f = k / n
            if distance(ax + f * (bx - ax), ay + f * (by - ay)) <= clearance:
                inside.append(a_s + f * (b_s - a_s))
    return (min(inside), max(inside)) if inside else None


def shortest(turns: dict[int, list[tuple[int, float]]], edge_cost: dict[int, float], source: int, goal: int) -> float:
    """Cost from the start of `source` to the start of `goal` by repeated relaxation (Bellman-Ford)."""
    cost = {source: 0.0}
    for _ in range(len(edge_cost)):
        changed = False
        for edge in list(cost):
            for to, turn in turns.get(edge, ()):
                new = cost[edge] + edge_cost[edge] + turn
                if new < cost.get(to, math.inf) - 1e-12:
                    cost[to], changed = new, True
        if not changed:
            break
    return cost.get(goal, math.inf)
