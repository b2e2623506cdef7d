"""One observer of one run: fed every tick with what is true, it ends with a number for every metric.

It reads the Actors columns and the signal letters; it writes nothing that anyone else reads.
"""

from __future__ import annotations

import numpy as np

from cloverleaf.map.graph import LaneGraph
from cloverleaf.measure import courtesy, encroachment, exposure, journey, order
from cloverleaf.measure.site import build_site
from cloverleaf.types.collisions import CollisionEvents, Fault
from cloverleaf.types.demand import Demand
from cloverleaf.types.state import U8, Actors, Control

SAMPLE_PERIOD = 0.2  # s between samples of trips, leaders and crosswalks; shorter steps are sampled, never averaged
MIN_APPROACH = 20  # vehicles an approach must have seen to be called the worst

Measures = dict[str, float]


def count_collisions(events: CollisionEvents | None) -> tuple[int, int]:
    """(pairs of road users that met, those in which a smart car is at fault); a pair that meets twice counts once."""
    if events is None:
        return 0, 0
    n = int(events.filled[0])
    pairs = {
        (min(a, b), max(a, b), min(ka, kb))
        for a, b, ka, kb in zip(events.trip_a[:n], events.trip_b[:n], events.kind_a[:n], events.kind_b[:n])
    }
    fault, smart = events.fault[:n], int(Control.SMART)
    by_a = ((fault == Fault.A) | (fault == Fault.BOTH)) & (events.control_a[:n] == smart)
    by_b = ((fault == Fault.B) | (fault == Fault.BOTH)) & (events.control_b[:n] == smart)
    return len(pairs) + int(events.filled[1]), int((by_a | by_b).sum())


class Observer:
    """Metrics of one run. `step` s; `begin` s is the time at which the run starts."""

    def __init__(self, graph: LaneGraph, demand: Demand, capacity: int, step: float, begin: float = 0.0) -> None:
        trips, lanes = len(demand.trips.depart), len(graph.lane_length)
        self.site = build_site(graph, demand)
        self.step, self.begin, self.now = step, begin, begin
        self.journeys = journey.empty_journeys(trips, len(graph.edge_from))
        self.order = order.empty_order(lanes, capacity)
        self.exposure = exposure.empty_exposure(trips)
        self.encroachment = encroachment.empty_encroachment(len(self.site.area_begin), trips)
        self.courtesy = courtesy.empty_courtesy(lanes, trips)
        self._crossings = np.unique(self.site.walk_lane)
        self.removed: set[int] = set()
        self.vehicle_steps = 0
        self._ticks, self._sampled = 0, begin
        self._every = max(1, round(SAMPLE_PERIOD / step))
        self.period = self._every * step  # s between samples
        self._feel_every = max(1, round(courtesy.WINDOW / step))
        self._nobody_halts = np.zeros(capacity, np.uint8)
        self._light_before = np.zeros(0, np.uint8)

    def see(self, actors: Actors, light: U8, time: float, halted: U8 | None = None) -> None:
        """Book one tick. light: signal letters during the step; time: s, its end; halted: 1 at a scheduled stop."""
        self._ticks += 1
        self.now = t = float(time)
        self.vehicle_steps += encroachment.encroach(actors, self.site, self.encroachment, t, float(self.step))
        if self._ticks % self._every == 0:
            self._sample(actors, light, t, self._nobody_halts if halted is None else halted)
        if self._ticks % self._feel_every == 0:
            courtesy.feel(actors, self.courtesy, self._feel_every * self.step)

    def _sample(self, actors: Actors, light: U8, t: float, halted: U8) -> None:
        before = self._light_before if len(self._light_before) == len(light) else light
        journey.follow_journeys(actors, halted, self.site, light, before, self.journeys, t, self.period)
        # with nobody on a crosswalk now or before, nobody can be let cross or be passed by
        if len(self._crossings) and courtesy.count_people(actors, self.courtesy, self._crossings, t):
            courtesy.watch_crosswalks(actors, self.site, light, self.courtesy, t)
        order.order_lanes(actors, self.order)
        order.find_leaders(actors, self.site, self.order)
        exposure.expose(actors, self.order, self.exposure, t)
        self._light_before = light.copy()
        self._sampled = t

    def remove(self, trip: int) -> None:
        """Book a trip taken off the road before its end (a wreck): it never counts as arrived."""
        self.removed.add(int(trip))

    def measures(self, collisions: CollisionEvents | None = None) -> Measures:
        """All metrics up to now, by name; NaN where undefined. collisions: the world's record of them."""
        j = self.journeys
        met, caused = count_collisions(collisions)
        km = float(j.f[:, journey.DISTANCE].sum()) / 1000.0
        per_1000km = 1000.0 / km if km > 0 else np.nan
        out: Measures = {
            "collisions": float(met),
            "at_fault_collisions": float(caused),
            "ttc_below_1_5s_per_1000km": float(self.exposure.n[exposure.TTC_EVENTS]) * per_1000km,
            "pet_below_1s_per_1000km": float(self.encroachment.n[encroachment.EVENTS]) * per_1000km,
            "red_lights_run": float(j.n[journey.RED_LIGHTS]),
            "rss_violations_per_1000km": float(self.exposure.n[exposure.RSS_EVENTS]) * per_1000km,
        }
        out |= self._efficient()
        co2, energy = float(j.f[:, journey.CO2].sum()), float(j.f[:, journey.ENERGY].sum())
        out |= {
            "co2_g_per_km": co2 / km if km > 0 else np.nan,
            "co2_kg": co2 / 1000.0,
            "energy_mj_per_km": energy / km if km > 0 else np.nan,
            "energy_mj": energy,
        }
        c = self.courtesy.n
        encounters = int(c[courtesy.YIELDED] + c[courtesy.PUSHED])
        windows = int(c[courtesy.WINDOWS])
        out |= {
            "uncomfortable_time_share": float(c[courtesy.UNCOMFORTABLE]) / windows if windows else np.nan,
            "imposed_braking_per_km": float(self.exposure.n[exposure.IMPOSED]) / km if km > 0 else np.nan,
            "yield_rate": float(c[courtesy.YIELDED]) / encounters if encounters else np.nan,
            "box_blocking_s": float(j.seconds[journey.BOX_S]),
            "legal_violations": float(j.n[journey.RED_LIGHTS] + j.n[journey.SPEEDINGS] + c[courtesy.PUSHED]),
        }
        return out

    def delays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of every due trip: row, delay (s) against the free time of its planned route, extra wait to enter (s)."""
        f, site = self.journeys.f, self.site
        due = np.flatnonzero(site.trip_depart < self.now)
        started = f[due, journey.INSERTED] >= 0
        gone = self.arrived()[due]
        until = np.where(gone, f[due, journey.LAST], self.now)
        since = np.maximum(site.trip_depart[due], self.begin)
        # the first tick on the road is the one that ends at INSERTED
        entry = np.where(started, f[due, journey.INSERTED] - self.period, self.now)
        credit = np.minimum(f[due, journey.CREDIT], site.trip_free[due]) + f[due, journey.HALTED_S]
        return due, np.maximum(until - since - credit, 0.0), np.maximum(entry - since, 0.0)

    def arrived(self) -> np.ndarray:
        """Mask over trips: started, no longer on the road, and not taken off it."""
        f = self.journeys.f
        gone = (f[:, journey.INSERTED] >= 0) & (f[:, journey.LAST] < self._sampled - 0.5 * self.period)
        if self.removed:
            gone[sorted(self.removed)] = False
        return gone

    def _efficient(self) -> Measures:
        j, site = self.journeys, self.site
        due, delay, entry = self.delays()
        n = len(due)
        persons = site.trip_persons[due]
        arrived, started = self.arrived()[due], j.f[due, journey.INSERTED] >= 0
        time = float((j.f[due, journey.LAST] - j.f[due, journey.INSERTED] + self.period)[started].sum())
        busy = j.edge_entered >= MIN_APPROACH
        approaches = np.zeros(len(busy), bool)
        approaches[site.lane_edge[site.lane_approach == 1]] = True
        worst = (j.edge_loss / np.maximum(j.edge_entered, 1))[busy & approaches]
        return {
            "inserted": float(started.sum()),
            "arrived": float(arrived.sum()),
            "unfinished": float(n - arrived.sum()),
            "time_loss_s": float((j.f[due, journey.LOSS] + entry).mean()) if n else np.nan,
            "waiting_s": float((j.f[due, journey.WAITING] + entry).mean()) if n else np.nan,
            "stops": float(j.i[due, journey.STOPS].mean()) if n else np.nan,
            "person_delay_s": float((delay * persons).sum() / persons.sum()) if persons.sum() > 0 else np.nan,
            "delay_p95_s": float(np.quantile(delay, 0.95)) if n else np.nan,
            "worst_approach_delay_s": float(worst.max()) if len(worst) else np.nan,
            "mean_speed": float(j.f[:, journey.DISTANCE].sum()) / time if time > 0 else np.nan,
        }

    def arrived_only(self) -> Measures:
        """Means over arrived trips in SUMO's terms, for comparison with its tripinfo; not a result of a study."""
        f, i = self.journeys.f, self.journeys.i
        rows = np.flatnonzero(self.arrived())
        if not len(rows):
            return {}
        got = f[rows]
        return {
            "arrived": float(len(rows)),
            "duration_s": float((got[:, journey.LAST] - got[:, journey.INSERTED] + self.period).mean()),
            "route_length_m": float(got[:, journey.DISTANCE].mean()),
            "timeLoss_s": float(got[:, journey.LOSS].mean()),
            "waitingTime_s": float(got[:, journey.WAITING].mean()),
            "stops": float(i[rows, journey.HALTS].mean()),
            "departDelay_s": float((got[:, journey.INSERTED] - self.period - self.site.trip_depart[rows]).mean()),
            "CO2_g": float(got[:, journey.CO2].mean()),
        }
