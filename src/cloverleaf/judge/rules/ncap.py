"""Euro NCAP AEB scenarios: collision avoided, or impact speed within the bands that still score. A self-assessment, not points.

Bands by the speed of the vehicle under test (km/h): at 50 and above the impact speed may be 0, 10, 20 or 30 for 1, 0.75, 0.5, 0.25; at
40 it may be 0, 10, 20; at 30 it may be 0, 10; at 20 and below only avoidance scores. Euro NCAP crash avoidance protocol 2026.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cloverleaf.judge.rules.table import Rule, RuleSet
from cloverleaf.judge.verdict import Criterion

EDITION = "Euro NCAP AEB C2C and VRU 2023, bands of 2026"
BANDS = np.array([0.0, 10.0, 20.0, 30.0])  # km/h of impact speed
SCORES = np.array([1.0, 0.75, 0.5, 0.25, 0.0])


def self_assessment(test_kmh: NDArray[np.float64], impact_kmh: NDArray[np.float64]) -> NDArray[np.float64]:
    """Score 0 .. 1 of each case; `impact_kmh` is 0 where there was no collision. NaN test speed: NaN."""
    allowed = np.clip(np.floor((np.asarray(test_kmh) + 1e-6) / 10.0) - 2.0, 0.0, 3.0)  # bands beyond avoidance
    band = np.searchsorted(BANDS, np.asarray(impact_kmh) - 1e-9)
    score = np.where(band <= allowed, SCORES[np.minimum(band, 4)], 0.0)
    return np.where(np.isnan(test_kmh), np.nan, score)


NCAP = RuleSet(
    "ncap",
    (
        Rule(Criterion("collision_avoided", "full score: no contact with the target", "avoidance", EDITION), "crash", "==", 0),
        Rule(
            Criterion("speed_reduction", "impact speed within a band that scores", "impact-speed bands", EDITION),
            "self_assessment_score", ">", 0.0,
        ),
    ),
    (
        "self-assessment: no Euro NCAP points, which need tests on a track",
        "ideal sensing: weather, light and target recognition are not part of these runs",
    ),
)  # fmt: skip

WARNING = Rule(
    Criterion("forward_collision_warning", "warning at a time to collision of at least 1.7 s", "FCW", EDITION),
    "warning_ttc_s", ">=", 1.7,
)  # fmt: skip
"""Added where the scenario tests the warning; a driver without a warning output leaves it not verified."""
NCAP_WITH_WARNING = NCAP._replace(name="ncap_fcw", rules=(*NCAP.rules, WARNING))
