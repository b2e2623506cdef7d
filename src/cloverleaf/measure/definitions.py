"""The metrics of a study: name, word, unit, which way is better, what it means, and whether the planner may see it."""

from __future__ import annotations

from typing import NamedTuple


class Metric(NamedTuple):
    """One row of the safe/efficient/green/civilised table. better: -1 less is better, 1 more, 0 neither."""

    word: str
    name: str
    label: str
    unit: str
    better: int
    hidden: bool  # True: no planner reads or optimises it, so it judges the judge
    meaning: str


WORDS = ("safe", "efficient", "green", "civilised")

METRICS = (
    Metric("safe", "collisions", "Collisions", "per run", -1, False, "pairs of road users whose boxes touched"),
    Metric("safe", "at_fault_collisions", "… caused by smart cars", "per run", -1, False, "collisions in which a smart car is at fault"),
    Metric(
        "safe", "ttc_below_1_5s_per_1000km", "Near rear-end conflicts", "per 1000 km", -1, False,
        "episodes with a time to collision below 1.5 s to the leader",
    ),
    Metric(
        "safe", "pet_below_1s_per_1000km", "Near crossing conflicts", "per 1000 km", -1, True,
        "pairs that crossed the same spot within 1 s of each other",
    ),
    Metric("safe", "red_lights_run", "Red lights run", "per run", -1, False, "fronts that passed the stop line on red"),
    Metric(
        "safe", "rss_violations_per_1000km", "Unsafe following distances", "per 1000 km", -1, False,
        "episodes below the RSS longitudinal distance (rho 1 s, a 3.5, b 4 and 8 m/s2)",
    ),
    Metric("efficient", "inserted", "Trips started", "trips", 1, False, "trips that entered the network"),
    Metric("efficient", "arrived", "Trips finished", "trips", 1, False, "trips that reached their end"),
    Metric("efficient", "unfinished", "Trips not finished", "trips", -1, False, "due trips still under way or never started"),
    Metric(
        "efficient", "time_loss_s", "Time loss", "s/trip", -1, False,
        "time below free speed plus waiting to enter, mean over all due trips",
    ),
    Metric("efficient", "waiting_s", "Waiting", "s/trip", -1, False, "time at a standstill plus waiting to enter, mean over all due trips"),
    Metric("efficient", "stops", "Stops", "per trip", -1, False, "standstills, counted again only after 2 m/s, mean over all due trips"),
    Metric(
        "efficient", "person_delay_s", "Delay per person", "s", -1, True,
        "time since the wished departure less the free travel time of the planned route, weighted with occupancy",
    ),
    Metric("efficient", "delay_p95_s", "Delay, 95th percentile", "s", -1, True, "the same per trip: one in twenty is worse off"),
    Metric(
        "efficient", "worst_approach_delay_s", "Delay at the worst approach", "s/veh", -1, True,
        "time loss per vehicle, worst approach with >= 20 vehicles",
    ),
    Metric("efficient", "mean_speed", "Mean speed", "m/s", 1, False, "distance of all vehicles over their time on the road"),
    Metric("green", "co2_g_per_km", "CO2 per kilometre", "g/km", -1, True, "exhaust and grid CO2 of all vehicles over their distance"),
    Metric("green", "co2_kg", "CO2", "kg", -1, True, "exhaust and grid CO2 of all vehicles"),
    Metric("green", "energy_mj_per_km", "Energy per kilometre", "MJ/km", -1, True, "energy from tanks and batteries over distance"),
    Metric("green", "energy_mj", "Energy", "MJ", -1, True, "energy from tanks and batteries"),
    Metric(
        "civilised", "uncomfortable_time_share", "Uncomfortable time", "share", -1, False,
        "share of vehicle time outside the comfort bounds of acceleration and jerk",
    ),
    Metric(
        "civilised", "imposed_braking_per_km", "Braking forced on others", "per km", -1, True,
        "followers made to brake harder than 2 m/s2 by somebody who cut in",
    ),
    Metric("civilised", "yield_rate", "Way given at crosswalks", "share", 1, True, "encounters at crosswalks in which people could cross"),
    Metric("civilised", "box_blocking_s", "Junctions blocked", "veh·s", -1, True, "vehicle-seconds standing in junctions to keep clear"),
    Metric(
        "civilised", "legal_violations", "Violations", "per run", -1, False,
        "red lights run, episodes above 110 % of the limit, people on crosswalks passed by",
    ),
)  # fmt: skip
"""In the order of the tables. Names and words are the contract of `summary.json`."""

BY_NAME = {metric.name: metric for metric in METRICS}
