"""A study may choose any standard, radio and security: the loop runs with each pair of choices, and cars and units hear each other."""

import pytest

from cloverleaf.link.security import sm2
from cloverleaf.study.build import Run
from cloverleaf.study.config import Arm, Fleet, Link, Study
from cloverleaf.types.messages import MessageKind

STANDARDS = ("csae_day1", "csae_day2", "etsi", "sae")
RADIOS = ("ideal", "lte-v2x", "nr-v2x")
SECURITIES = ("none", "p256", "sm2")
COMBINATIONS = [
    (standard, RADIOS[k], SECURITIES[(i + k) % 3]) for i, standard in enumerate(STANDARDS) for k in range(3)
]
"""Every pair of two choices occurs; all 36 together would only take longer."""


@pytest.mark.parametrize(("standard", "radio", "security"), COMBINATIONS)
def test_loop_takes_every_combination(standard, radio, security):
    if security == "sm2" and not sm2.available():
        pytest.skip("needs SM2 in libcrypto")
    link = Link(standard=standard, radio=radio, security=security)
    run = Run(Study(duration_s=60.0, fleet=Fleet(penetration=0.8), link=link), Arm.CLOUD, seed=1)
    for _ in range(30):
        run.tick()
    statistics = run.rooms.link.statistics
    assert statistics.sent[MessageKind.SIGNAL] > 0 and statistics.sent[MessageKind.TOPOLOGY] > 0
    assert statistics.delivered.sum() > 0 and not statistics.refused, dict(statistics.refused)
