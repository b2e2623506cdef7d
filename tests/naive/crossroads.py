"""A tiny signalised crossing with a crosswalk, and naive traffic on it: enough to exercise observers, studies and reports.

Two lanes lead from west to east (lanes 0 and 1, then 6 and 7, then 2 and 3), one from south to north (4, 8, 5); lane 9 is a crosswalk over
the eastern exit. The traffic does not avoid conflicts well: that is its purpose.
"""

import numpy as np

from cloverleaf.map.graph import BaseMap, Feature, GeoReference, LaneGraph, LaneKind
from cloverleaf.study.arms import Tick
from cloverleaf.types.collisions import empty_events
from cloverleaf.types.demand import Demand, EmissionClass, Routes, Stops, Trips, VehicleTypes, Walks
from cloverleaf.types.signals import SignalState
from cloverleaf.types.state import Control, Kind, empty_actors

I4, I8, F8, B1 = np.int32, np.int64, np.float64, np.uint8
LENGTH = [200.0, 200.0, 150.0, 150.0, 200.0, 150.0, 20.0, 20.0, 20.0, 12.0]
PATHS = {0: [0, 6, 2], 1: [1, 7, 3], 2: [4, 8, 5]}  # by starting lane position


def crossroads() -> BaseMap:
    """The map of the module's description, as a full LaneGraph."""
    ends = {
        0: (-210, -5, -10, -5), 1: (-210, -2, -10, -2), 2: (10, -5, 160, -5), 3: (10, -2, 160, -2), 4: (3, -210, 3, -10),
        5: (3, 10, 3, 160), 6: (-10, -5, 10, -5), 7: (-10, -2, 10, -2), 8: (3, -10, 3, 10), 9: (14, -9, 14, 3),
    }  # fmt: skip
    xy = np.array([ends[i] for i in range(10)], float)
    heading = np.arctan2(xy[:, 3] - xy[:, 1], xy[:, 2] - xy[:, 0])
    links = [  # from, to, via, signal head, direction
        (0, 2, 6, 0), (1, 3, 7, 0), (4, 5, 8, 1), (6, 2, -1, -1), (7, 3, -1, -1), (8, 5, -1, -1),
    ]  # fmt: skip
    frm, to, via, head = (np.array(c, I4) for c in zip(*links))
    # foes: WE0-SN, WE1-SN, SN-WE0, SN-WE1; paths cross at x=3, y=-5 or -2
    foe = [
        (0, 2, 6, 11.5, 14.5, 8, 3.5, 6.5),
        (1, 2, 7, 11.5, 14.5, 8, 6.5, 9.5),
        (2, 0, 8, 3.5, 6.5, 6, 11.5, 14.5),
        (2, 1, 8, 6.5, 9.5, 7, 11.5, 14.5),
    ]
    k = len(links)
    one = np.ones
    graph = LaneGraph(
        lane_edge=np.array([0, 0, 1, 1, 2, 3, 4, 4, 5, 6], I4),
        lane_index=np.array([0, 1, 0, 1, 0, 0, 0, 1, 0, 0], I4),
        lane_kind=np.array([0] * 6 + [LaneKind.INTERNAL] * 3 + [LaneKind.CROSSING], I4),
        lane_length=np.array(LENGTH),
        lane_width=np.full(10, 3.0),
        lane_speed=np.full(10, 13.9),
        lane_allow=np.full(10, 1048575, np.uint32),
        lane_left=np.array([1, -1, 3, -1, -1, -1, 7, -1, -1, -1], I4),
        lane_right=np.array([-1, 0, -1, 2, -1, -1, -1, 6, -1, -1], I4),
        lane_link_start=np.searchsorted(frm, np.arange(11)).astype(I8),
        lane_point_start=np.arange(0, 22, 2).astype(I8),
        lane_internal_link=np.array([-1] * 6 + [0, 1, 2, -1], I4),
        point_x=xy[:, [0, 2]].ravel(),
        point_y=xy[:, [1, 3]].ravel(),
        point_z=np.zeros(20),
        point_s=np.stack([np.zeros(10), np.array(LENGTH)], 1).ravel(),
        point_heading=np.repeat(heading, 2),
        point_curvature=np.zeros(20),
        edge_lane_start=np.array([0, 2, 4, 5, 6, 8, 9, 10], I8),
        edge_from=np.array([-1, 0, -1, 0, 0, 0, 0], I4),
        edge_to=np.array([0, -1, 0, -1, 0, 0, 0], I4),
        edge_internal=np.array([0, 0, 0, 0, 1, 1, 1], B1),
        edge_priority=one(7, I4),
        edge_roundabout=np.zeros(7, B1),
        link_from=frm,
        link_to=to,
        link_via=via,
        link_direction=np.zeros(k, I4),
        link_junction=np.zeros(k, I4),
        link_request=np.arange(k).astype(I4),
        link_signal=np.where(head >= 0, 0, -1).astype(I4),
        link_signal_index=head,
        link_state=np.full(k, ord("M"), B1),
        link_length=np.array([20.0, 20, 20, 0, 0, 0]),
        link_cont=np.zeros(k, B1),
        link_keep_clear=one(k, B1),
        link_foe_start=np.array([0, 1, 2, 4, 4, 4, 4], I8),
        foe_link=np.array([f[1] for f in foe], I4),
        foe_yield=np.array([0, 0, 1, 1], B1),
        foe_own_lane=np.array([f[2] for f in foe], I4),
        foe_own_begin=np.array([f[3] for f in foe]),
        foe_own_end=np.array([f[4] for f in foe]),
        foe_other_lane=np.array([f[5] for f in foe], I4),
        foe_other_begin=np.array([f[6] for f in foe]),
        foe_other_end=np.array([f[7] for f in foe]),
        crossing_lane=np.array([9, 9], I4),
        crossing_link=np.array([0, 1], I4),
        crossing_link_begin=np.array([16.0, 16.0]),
        crossing_link_end=np.array([20.0, 20.0]),
        crossing_has_priority=one(2, B1),
        crossing_signal=np.full(2, -1, I4),
        crossing_signal_index=np.full(2, -1, I4),
        junction_kind=np.array([4], I4),
        junction_x=np.zeros(1),
        junction_y=np.zeros(1),
        signal_links=np.array([2], I4),
        signal_actuated=np.zeros(1, B1),
        signal_offset=np.zeros(1),
        signal_phase_start=np.array([0, 2], I8),
        phase_duration=np.full(2, 15.0),
        phase_min=np.full(2, 5.0),
        phase_max=np.full(2, 50.0),
        phase_next=np.full(2, -1, I4),
        phase_state_start=np.array([0, 2, 4], I8),
        phase_state=np.frombuffer(b"GrrG", B1).copy(),
        stop_lane=np.zeros(0, I4),
        stop_begin=np.zeros(0),
        stop_end=np.zeros(0),
    )
    census = (
        Feature("crossroads", "edge", 7, "supported", ""),
        Feature("crossroads", "bicycle box", 2, "ignored", "no effect here"),
    )
    ids = tuple(f"lane{i}" for i in range(10))
    geo = GeoReference("!", 0.0, 0.0, 0.0, 0.0)
    return BaseMap(
        graph, ids, tuple(f"edge{i}" for i in range(7)), ("centre",), ("light",), (), geo, "crossroads", census
    )


def demand(trips: int, seconds: float, seed: int) -> Demand:
    """`trips` vehicles of four types over `seconds`, a third from the south; a person on foot every ten seconds."""
    rng = np.random.default_rng(seed)
    n = 4
    number = {f: np.ones(n) for f in VehicleTypes._fields}
    number |= {
        "length": np.array([5.0, 7.1, 12.0, 1.9]),
        "width": np.array([1.8, 2.4, 2.5, 0.7]),
        "max_speed": np.array([50.0, 30, 25, 7]),
    }
    number |= {"persons": np.array([1.3, 1.0, 20.0, 1.0])}
    emissions = [EmissionClass.PETROL_CAR, EmissionClass.TRUCK, EmissionClass.BUS, EmissionClass.EBIKE]
    whole = {"kind": np.array([Kind.CAR, Kind.TRUCK, Kind.BUS, Kind.EBIKE], I4), "vclass": np.ones(n, np.uint32)}
    whole |= {"model": np.zeros(n, I4), "emission": np.array(emissions, I4)}
    types = VehicleTypes(**{**number, **whole})
    depart = np.sort(rng.uniform(0, seconds, trips))
    vtype = rng.choice(4, trips, p=[0.7, 0.1, 0.05, 0.15]).astype(I4)
    route = (rng.random(trips) < 0.33).astype(I4)
    columns = {f: np.zeros(trips) for f in ("depart_pos", "depart_speed")}
    rows = Trips(depart, vtype, route, np.zeros(trips, I4), columns["depart_pos"], columns["depart_speed"], np.full(trips, -1.0),
                 np.ones(trips, B1), np.zeros(trips + 1, I8))  # fmt: skip
    walkers = int(seconds // 10)
    walks = Walks(
        np.arange(walkers) * 10.0,
        np.arange(walkers + 1),
        np.full(walkers, 9, I4),
        np.full(walkers, 1.3),
        np.zeros(walkers),
        np.full(walkers, 12.0),
    )
    stops = Stops(np.zeros(0, I4), np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0, B1))
    routes = Routes(np.array([0, 2, 4], I8), np.array([0, 1, 2, 3], I4))
    return Demand(types, routes, rows, stops, walks, tuple(map(str, range(trips))), ("car", "truck", "bus", "ebike"))


class CrossroadsLoop:
    """A naive world: vehicles mostly follow, mostly stop at red, sometimes change lane in front of others."""

    def __init__(self, study, arm, seed, trips=120):
        self.base_map, self.demand = crossroads(), demand(trips, study.duration_s * 0.8, seed)
        self.begin, self.step = study.begin_s, study.step_s
        self.collisions = empty_events(16)
        self.rng = np.random.default_rng([seed, 99])
        self.haste = {"human": 0.9, "car": 1.0, "road": 1.1, "cloud": 1.2}[str(arm)]
        self.smart_share = 0.0 if str(arm) == "human" else study.fleet.penetration
        self.actors = empty_actors(trips + 64)
        self.k, self.next_trip = 0, 0
        self.path = {}
        self.light = np.frombuffer(b"Gr", B1).copy()

    def link_statistics(self):
        return (
            {}
            if self.smart_share == 0
            else {"sent": 10, "delivered": 9, "pdr": 0.9, "latency_ms_p99": 45.0, "bytes": 2000}
        )

    def tick(self):
        a, g = self.actors, self.base_map.graph
        self.k += 1
        t = self.begin + self.k * self.step
        self.light[:] = np.frombuffer(b"Gr" if t % 30 < 15 else b"rG", B1)
        self._insert(t)
        for i in np.flatnonzero((a.trip >= 0) & (a.kind != Kind.PEDESTRIAN)):
            self._drive(i, t)
        self._walk(t)
        starts = np.array([0, 2], I8)
        x0 = g.point_x[2 * a.lane], g.point_y[2 * a.lane]
        heading = g.point_heading[2 * a.lane]
        back = a.s - a.length / 2
        a.heading[:] = heading
        a.x[:], a.y[:] = x0[0] + back * np.cos(heading), x0[1] + back * np.sin(heading)
        return Tick(t, a, SignalState(starts, self.light.copy(), np.zeros(1, I4), np.zeros(1)), None)

    def _insert(self, t):
        a, d = self.actors, self.demand
        while self.next_trip < len(d.trips.depart) and d.trips.depart[self.next_trip] < t:
            trip = self.next_trip
            lane = 4 if d.trips.route[trip] else int(self.rng.integers(2))
            behind = (a.trip >= 0) & (a.lane == lane) & (a.s < 15)
            if behind.any():
                break
            slot = int(np.flatnonzero((a.trip < 0) & (a.kind == 0))[0])
            self.next_trip += 1
            row = d.trips.vtype[trip]
            a.trip[slot], a.kind[slot], a.lane[slot] = trip, d.types.kind[row], lane
            a.control[slot] = Control.SMART if self.rng.random() < self.smart_share and row == 0 else Control.HUMAN
            a.length[slot], a.width[slot] = d.types.length[row], d.types.width[row]
            a.s[slot], a.speed[slot], a.accel[slot], a.d[slot] = a.length[slot], 5.0, 0.0, 0.0
            a.route[slot], a.route_pos[slot] = d.trips.route[trip], 0
            self.path[slot] = list(PATHS[2 if lane == 4 else lane])

    def _drive(self, i, t):
        a, dt = self.actors, self.step
        lane = int(a.lane[i])
        path = self.path[i]
        top = min(13.9 * self.haste, self.demand.types.max_speed[self.demand.trips.vtype[a.trip[i]]])
        same = np.flatnonzero((a.trip >= 0) & (a.kind != Kind.PEDESTRIAN) & (a.lane == lane) & (a.s > a.s[i]))
        gap = min((a.s[j] - a.length[j] - a.s[i] for j in same), default=1e9)
        if lane in (0, 1, 4) and chr(self.light[0 if lane < 2 else 1]) == "r" and self.rng.random() > 0.002:
            gap = min(gap, LENGTH[lane] - a.s[i] + 1.0)
        wish = min(top, max(0.0, (gap - 1.5) / 1.2))
        accel = float(np.clip((wish - a.speed[i]) / 0.5, -4.5, 2.0 + self.rng.normal(0, 0.5)))
        speed = max(0.0, a.speed[i] + accel * dt)
        a.accel[i] = (speed - a.speed[i]) / dt
        a.speed[i] = speed
        a.s[i] += speed * dt
        if lane in (0, 1) and 30 < a.s[i] < 170 and self.rng.random() < 0.003:
            a.lane[i] = 1 - lane
            self.path[i] = list(PATHS[1 - lane])
            return
        if a.s[i] > LENGTH[lane]:
            a.s[i] -= LENGTH[lane]
            at = path.index(lane) + 1
            if at == len(path):
                a.trip[i], a.kind[i], a.lane[i], a.speed[i] = -1, 0, -1, 0.0
            else:
                a.lane[i] = path[at]
                a.route_pos[i] = int(path[at] in (2, 3, 5))

    def _walk(self, t):
        a = self.actors
        on_foot = np.flatnonzero(a.kind == Kind.PEDESTRIAN)
        a.s[on_foot] += 1.3 * self.step
        done = on_foot[a.s[on_foot] > 12.0]
        a.kind[done], a.trip[done], a.lane[done] = 0, -1, -1
        if round(t / self.step) % round(10 / self.step) == 0:
            slot = len(a.trip) - 1 - int(t // 10) % 16
            a.trip[slot], a.kind[slot], a.lane[slot], a.s[slot] = 10_000_000 + self.k, Kind.PEDESTRIAN, 9, 0.0
            a.speed[slot], a.length[slot], a.width[slot], a.control[slot] = 1.3, 0.4, 0.5, Control.HUMAN


def make_loop(study, arm, seed):
    """A `Factory` for tests."""
    return CrossroadsLoop(study, arm, seed)
