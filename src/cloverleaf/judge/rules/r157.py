"""UN R157 (automated lane keeping) on scenarios: Annex 5 parts 4.1 to 4.6.

Numbers from the regulation's text of 2021 (original version, 60 km/h) where the suite follows it; the clause is named in each row.
"""

from __future__ import annotations

from cloverleaf.judge.rules.table import Rule, RuleSet
from cloverleaf.judge.verdict import Criterion

EDITION = "UN R157, original version"
TIME_GAPS = ((7.2, 1.0), (10.0, 1.1), (20.0, 1.2), (30.0, 1.3), (40.0, 1.4), (50.0, 1.5), (60.0, 1.6))
"""Speed (km/h) -> minimum time gap (s), clause 5.2.3.3; linear between, never below 2 m."""
GAP_RECOVERY = 10.0  # s
EMERGENCY, ROUNDING = 5.0, 1e-6  # m/s2
TOP_SPEED_KMH = 60.0

R157 = RuleSet(
    "r157",
    (
        Rule(
            Criterion("no_avoidable_collision", "no collision in a case that the reference driver avoids",
                      "5.2.5 and Annex 4 Appendix 3", EDITION),
            "crash", "==", 0, applies="avoidable",
        ),
        Rule(
            Criterion("time_gap", "minimum time gap to the vehicle ahead kept, or readjusted at the next opportunity", "5.2.3.3", EDITION),
            "short_gap_s", "<=", GAP_RECOVERY, applies="followed",
            since=f"a spell below the minimum gap behind a leader that is not pulling away lasts at most {GAP_RECOVERY:g} s",
        ),
        Rule(
            Criterion("deceleration", "more than 5 m/s2 only in imminent danger of collision", "2.6 and 5.3.1.1", EDITION),
            "needless_decel_mps2", "<=", EMERGENCY + ROUNDING, applies="avoidable",
            since="deceleration while no road user in the way needs even half of it; where the reference driver, who brakes harder than "
                  "5 m/s2, collides, no such braking avoids the collision, which is what 2.6 calls imminent",
        ),
        Rule(
            Criterion("lane_keeping", "the vehicle stays within its lane", "5.2.1", EDITION),
            "lane_exit_m", "<=", 0.0, since="the box of the vehicle against the lane's borders",
        ),
        Rule(
            Criterion("top_speed", "the system's highest speed is 60 km/h", "5.2.3.1", EDITION),
            "top_speed_kmh", "<=", TOP_SPEED_KMH + 0.1, since="0.1 km/h for the approach to the set speed",
        ),
    ),
    (
        "Annex 5 parts 4.1 to 4.6 alone",
        "not covered: transition demand, minimum risk manoeuvre, data storage (DSSAD), driver availability",
        "ideal sensing: what the system perceives is not part of these runs",
    ),
    reference="cc_human",
)  # fmt: skip
