"""All metrics of a run from its recorded history, the slow and obvious way: whole trajectories, plain loops, no shared code."""

import math
from collections import defaultdict
from itertools import pairwise

import numpy as np

from cloverleaf.types.state import Kind
from naive import energy

CARS = lambda r: r["kind"] not in (Kind.PEDESTRIAN, 0)  # noqa: E731


def record(loop, steps):
    """History of a loop: one dict per tick with the time, the signal letters and a copy of every row in use."""
    history = []
    for _ in range(steps):
        tick = loop.tick()
        a = tick.actors
        rows = [
            {name: getattr(a, name)[i].item() for name in a._fields} | {"slot": int(i)}
            for i in np.flatnonzero((a.trip >= 0) | (a.kind > 0))
        ]
        history.append({"t": tick.time, "light": tick.signals.light.tobytes().decode(), "rows": rows})
    return history


class NaiveMetrics:
    """Everything computed anew from the history for each question."""

    def __init__(self, history, graph, demand, step):
        self.h, self.g, self.d, self.dt = history, graph, demand, step
        self.tracks = defaultdict(list)  # trip -> [(tick index, row)]
        for k, frame in enumerate(history):
            for row in filter(CARS, frame["rows"]):
                self.tracks[row["trip"]].append((k, row))
        self.end = history[-1]["t"]

    # distances and losses ------------------------------------------------------------------------------------------------
    def km(self):
        return sum(r["speed"] * self.dt for track in self.tracks.values() for _, r in track) / 1000

    def free_speed(self, trip, row):
        return min(self.g.lane_speed[row["lane"]], self.d.types.max_speed[self.d.trips.vtype[trip]])

    def loss(self, trip):
        return sum(max(0, 1 - r["speed"] / self.free_speed(trip, r)) * self.dt for _, r in self.tracks.get(trip, ()))

    def waiting(self, trip):
        return self.dt * sum(r["speed"] <= 0.1 for _, r in self.tracks.get(trip, ()))

    def stops(self, trip, rearm):
        count, ready = 0, True
        for _, r in self.tracks.get(trip, ()):
            if r["speed"] <= 0.1:
                count, ready = count + ready, False
            elif r["speed"] > rearm:
                ready = True
        return count

    def due(self):
        return [t for t, depart in enumerate(self.d.trips.depart) if depart < self.end]

    def entry_wait(self, trip):
        begun = self.h[self.tracks[trip][0][0]]["t"] - self.dt if trip in self.tracks else self.end
        return max(0.0, begun - self.d.trips.depart[trip])

    def arrived(self):
        return [t for t, track in self.tracks.items() if track[-1][0] < len(self.h) - 1]

    def free_time(self, trip):
        """Seconds for the planned route at free speed: edges and the joints between them, looked up lane by lane."""
        g, r = self.g, self.d.trips.route[trip]
        edges = list(self.d.routes.edge[self.d.routes.start[r] : self.d.routes.start[r + 1]])
        top, total = self.d.types.max_speed[self.d.trips.vtype[trip]], 0.0
        for n, e in enumerate(edges):
            lane = g.edge_lane_start[e]
            metres = g.lane_length[lane]
            for k in range(len(g.link_from)):
                ends = g.lane_edge[g.link_from[k]], g.lane_edge[g.link_to[k]]
                if n + 1 < len(edges) and ends == (e, edges[n + 1]):
                    metres += g.link_length[k]
                    break
            total += metres / min(top, g.lane_speed[lane])
        return total

    def delay(self, trip):
        since = self.d.trips.depart[trip]
        track = self.tracks.get(trip, ())
        until = self.h[track[-1][0]]["t"] if trip in self.arrived() else self.end
        credit = sum(min(1, r["speed"] / self.free_speed(trip, r)) * self.dt for _, r in track)
        return max(0.0, until - since - min(credit, self.free_time(trip)))

    def emitted(self, what):
        name = ["PETROL_CAR", "TRUCK", "BUS", "EBIKE"]
        total = 0.0
        for trip, track in self.tracks.items():
            emission = name[self.d.trips.vtype[trip]]
            total += sum(what(emission, r["speed"], r["accel"], 0.0, self.dt) for _, r in track)
        return total

    # rules ---------------------------------------------------------------------------------------------------------------
    def red_lights(self):
        count = 0
        for track in self.tracks.values():
            for (_, a), (k, b) in pairwise(track):
                if a["lane"] in (0, 1, 4) and b["lane"] in (6, 7, 8):
                    head = 1 if a["lane"] == 4 else 0
                    count += self.h[k]["light"][head] in "ru" and self.h[k - 1]["light"][head] in "ru"
        return count

    def speedings(self):
        count = 0
        for track in self.tracks.values():
            fast = False
            for _, r in track:
                limit = self.g.lane_speed[r["lane"]]
                if not fast and r["speed"] > 1.1 * limit:
                    fast, count = True, count + 1
                elif r["speed"] < 1.05 * limit:
                    fast = False
        return count

    def box_seconds(self):
        return self.dt * sum(r["speed"] <= 0.1 and r["lane"] in (6, 7, 8) for t in self.tracks.values() for _, r in t)

    # exposure ------------------------------------------------------------------------------------------------------------
    def leader(self, frame, row):
        """(row of the leader, gap): nearest front ahead along the own lane path whose sides overlap."""
        path = next(p for p in ([0, 6, 2], [1, 7, 3], [4, 8, 5]) if row["lane"] in p)
        ahead, offset = [], -row["s"]
        for hop, lane in enumerate(path[path.index(row["lane"]) :]):
            if hop and offset > 80:
                break
            for other in filter(CARS, frame["rows"]):
                same = abs(row["d"] - other["d"]) < (row["width"] + other["width"]) / 2
                first = (other["s"], -other["slot"]) > (row["s"], -row["slot"]) or hop > 0
                if other["lane"] == lane and other is not row and same and first:
                    ahead.append((offset + other["s"], -other["slot"], other))
            if ahead:
                place, _, best = min(ahead, key=lambda a: (a[0], -a[1]))
                return best, place - best["length"]
            offset += self.g.lane_length[lane]
        return None, 0.0

    def episodes(self, dangerous):
        """Episodes of (trip, leader) with `dangerous(gap, v, v_leader)`, released after 2 s."""
        last, count = {}, 0
        for frame in self.h:
            for row in filter(CARS, frame["rows"]):
                other, gap = self.leader(frame, row)
                if other is not None and dangerous(gap, row["speed"], other["speed"]):
                    with_whom, when = last.get(row["trip"], (None, -1e9))
                    count += with_whom != other["trip"] or frame["t"] - when > 2.0
                    last[row["trip"]] = (other["trip"], frame["t"])
        return count

    def ttc(self):
        return self.episodes(lambda gap, v, w: v > w and gap / (v - w) < 1.5)

    def rss(self):
        def unsafe(gap, v, w):
            top = v + 3.5
            return v > 0 and gap < max(0, v + 1.75 + top**2 / 8 - w**2 / 16)

        return self.episodes(unsafe)

    def imposed(self):
        count, follows, pending = 0, {}, {}
        for frame in self.h:
            now = {r["trip"]: self.leader(frame, r)[0] for r in filter(CARS, frame["rows"])}
            for row in filter(CARS, frame["rows"]):
                trip, other = row["trip"], now[row["trip"]]
                if other is None:
                    follows[trip] = None
                    continue
                beyond = now[other["trip"]]
                before = follows.get(trip)
                if before is not None and before != other["trip"] and beyond is not None and beyond["trip"] == before:
                    pending[trip] = (other["trip"], frame["t"])
                follows[trip] = other["trip"]
                if row["accel"] < -2 and trip in pending:
                    who, when = pending.pop(trip)
                    count += who == other["trip"] and frame["t"] - when <= 3.0
        return count

    # encroachment --------------------------------------------------------------------------------------------------------
    def stays(self, lane, begin, end):
        """[(entry, exit, trip)] of the part [begin, end] of an internal lane, rear included."""
        out = []
        for trip, track in self.tracks.items():
            odo, entered, left = 0.0, None, None
            for n, (k, r) in enumerate(track):
                moved = r["speed"] * self.dt
                odo += moved
                before = track[n - 1][1]["s"] if n and track[n - 1][1]["lane"] == lane else -1.0
                if entered is None and r["lane"] == lane and before < begin <= r["s"]:
                    entered = self.h[k]["t"] - min(1.0, (r["s"] - begin) / moved) * self.dt
                    goal, since = odo + end - r["s"] + r["length"], k
                elif entered is not None and left is None and odo >= goal:
                    left = self.h[k]["t"] - min(1.0, (odo - goal) / moved) * self.dt
            if entered is not None:
                gone = track[-1][0] < len(self.h) - 1
                left = left if left is not None else (self.h[track[-1][0] + 1]["t"] if gone else math.inf)
                out.append((entered, left, trip, since))
        return out

    def crossings(self, limit):
        """Pairs of trips of which the second came into a crossing area within `limit` seconds after the first left it."""
        pairs = set()
        for east, across in (((6, 11.5, 14.5), (8, 3.5, 6.5)), ((7, 11.5, 14.5), (8, 6.5, 9.5))):
            for a, b in ((east, across), (across, east)):
                others = self.stays(*b)
                for entered, _, trip, tick in self.stays(*a):
                    earlier = [o for o in others if o[3] <= tick and o[0] < entered]
                    inside = [o for o in earlier if o[1] > entered]
                    if inside:
                        pairs.add(frozenset((trip, max(inside)[2])))
                    elif earlier:
                        last = max(earlier, key=lambda o: o[1])
                        if entered - last[1] < limit:
                            pairs.add(frozenset((trip, last[2])))
        return pairs

    # courtesy ------------------------------------------------------------------------------------------------------------
    def crosswalk(self):
        """(yielded, pushed) at the crosswalk 16 m into lanes 6 and 7."""
        on = [any(r["kind"] == Kind.PEDESTRIAN and r["lane"] == 9 for r in f["rows"]) for f in self.h]
        yielded = pushed = 0
        for track in self.tracks.values():
            waited, place = False, None
            for k, r in track:
                offset = {0: 216.0, 1: 216.0, 6: 16.0, 7: 16.0}.get(r["lane"])
                before, place = place, None if offset is None else r["s"] - offset
                if place is None:
                    # beyond the crosswalk in one step: seen on neither side
                    continue
                red = self.h[k]["light"][0] in "ru"
                near = -8 <= place < 0 and (r["lane"] in (6, 7) or r["s"] > 192)
                if on[k] and near and r["speed"] < 1.5 and not red:
                    waited = True
                if r["lane"] in (6, 7) and place >= 0 and (before is None or before < 0):
                    since = k
                    while since > 0 and on[since - 1]:
                        since -= 1
                    busy_for = (k - since) * self.dt
                    if on[k] and busy_for > 1 + r["speed"] / 6:
                        pushed += 1
                    elif waited:
                        yielded += 1
                    waited = False
        return yielded, pushed

    def uncomfortable(self, window):
        """(uncomfortable, all) windows of `window` ticks on the common clock."""
        bad = total = 0
        for track in self.tracks.values():
            sampled = [r for k, r in track if (k + 1) % window == 0]
            v = [r["speed"] for r in sampled]
            length = window * self.dt
            accel = [(b - a) / length for a, b in pairwise(v)]
            for n, a in enumerate(accel):
                jerk = abs(a - accel[n - 1]) / length if n else 0
                bad += not -4.05 <= a <= 2.40 or jerk > 5 or v[n + 1] * abs(sampled[n + 1]["yaw_rate"]) > 4.89
                total += 1
        return bad, total

    def co2_g(self):
        return self.emitted(energy.co2_g)

    def energy_mj(self):
        return self.emitted(energy.energy_mj)
