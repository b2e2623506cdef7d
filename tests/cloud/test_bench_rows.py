"""The benchmark's platform processes start and take signed messages: a row that breaks is noticed before somebody measures."""

import pytest

from cloverleaf.cli.bench_cloud import ingest
from cloverleaf.cloud.live.frames import Trust


@pytest.mark.slow
def test_signed_messages_are_taken_and_verified():
    out = ingest(50, seconds=4.0, trust=Trust.SIGNED)
    assert out["accepted_per_s"] > 0.0
    assert out["verified_per_s"] == pytest.approx(out["accepted_per_s"], rel=0.05)
