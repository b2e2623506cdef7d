"""RSS distances of pairs: against motions integrated step by step, and beside ad-rss where that is installed."""

import numpy as np
import pytest

from cloverleaf.cli.bench_rss import MODULE, VARIABLE, compare, random_sides
from cloverleaf.cli.peers import find_peer
from cloverleaf.measure import rss_pair as R
from cloverleaf.measure.rss_pair import rss_distances
from naive import perceiving


def test_equals_the_motions_integrated():
    a, b = random_sides(40, 5), random_sides(40, 6)
    got = rss_distances(a, b)
    for k in range(40):
        assert got[k] == pytest.approx(perceiving.rss_distances(a[k], b[k]), abs=0.02, rel=1e-3)


def test_published_example_and_shapes():
    row = np.zeros((1, R.COLUMNS))
    row[0, [R.RESPONSE, R.ACCEL, R.BRAKE_MIN, R.BRAKE_MAX, R.BRAKE_CORRECT, R.LAT_BRAKE]] = 1.0, 3.5, 4.0, 8.0, 3.0, 0.8
    row[0, R.TOP_SPEED] = 100.0
    lead, follow = row.copy(), row.copy()
    lead[0, [R.LON_MIN, R.LON_MAX]] = 20.0
    follow[0, [R.LON_MIN, R.LON_MAX]] = 25.0
    assert rss_distances(lead, follow)[0, 0] == pytest.approx(103.28, abs=5e-3)
    with pytest.raises(ValueError, match="shape"):
        rss_distances(row, row[:, :3])


@pytest.mark.skipif(
    find_peer(MODULE, VARIABLE) is None, reason=f"ad-rss is not installed here ({VARIABLE} names its Python)"
)
def test_equals_ad_rss():
    row = compare(find_peer(MODULE, VARIABLE), 2000)
    assert row["answered"] == 2000
    assert max(row["same_way_m"], row["meeting_m"], row["side_by_side_m"]) < 1e-6
