"""NR-V2X: what the standard's tables give, and the loss tables beside the packet-level simulation."""

from __future__ import annotations

import numpy as np
import pytest

from cloverleaf.link.radio.lte_v2x import Mode4, highway, select
from cloverleaf.link.radio.nr_v2x import MCS, NrConfig, needed_snr_db, nr_radio
from cloverleaf.link.radio.propagation import line_of_sight
from cloverleaf.link.radio.tables import lte_v2x_tables, nr_v2x_tables, radio_tables
from cloverleaf.types.errors import InputError


def test_pool_of_20_mhz_and_30_khz() -> None:
    c = NrConfig().check()
    assert (c.subchannels, c.slot_s) == (5, 5e-4)
    assert c.efficiency == pytest.approx(1.4766, abs=1e-4)  # TS 38.214, table 5.1.3.1-1, index 11
    assert NrConfig(mcs=28).efficiency == pytest.approx(5.5547, abs=1e-4)
    # one subchannel: 10 blocks x 12 carriers x 10 symbols - 360 for control = 840 elements, less 24 bits of checksum
    assert c.octets(1) == int(840 * 378 / 1024 * 4) // 8 - 3


@pytest.mark.parametrize("mcs", range(len(MCS)))
def test_a_packet_takes_the_fewest_subchannels_that_hold_it(mcs: int) -> None:
    c = NrConfig(mcs=mcs, subchannel_blocks=10, bandwidth_mhz=40)
    for octets in (1, 100, 300):
        try:
            width = c.width(octets)
        except InputError as error:
            assert c.octets(c.subchannels) < octets and "at most" in error.hint
            continue
        assert c.octets(width) >= octets and (width == 1 or c.octets(width - 1) < octets)


def test_impossible_pools_are_refused() -> None:
    for config in (
        NrConfig(spacing_khz=45),
        NrConfig(subchannel_blocks=11),
        NrConfig(mcs=29),
        NrConfig(bandwidth_mhz=7),
    ):
        with pytest.raises(InputError):
            config.check()


def test_error_curves_move_with_the_coding() -> None:
    """At the same SNR a denser coding loses more; a tenth is lost 1 to 4 dB above the attenuated Shannon bound."""
    before = None
    for mcs in range(len(MCS)):
        c = NrConfig(mcs=mcs)
        snr, error = c.errors()
        tenth = float(np.interp(0.1, error[::-1], snr[::-1]))
        assert 1.0 < tenth - needed_snr_db(c.efficiency) < 4.0
        if before is not None and c.efficiency > NrConfig(mcs=mcs - 1).efficiency:
            assert tenth > before
        before = tenth


def test_line_of_sight_falls_with_distance() -> None:
    values = [line_of_sight(float(d)) for d in range(0, 1200, 25)]
    assert values[0] == 1.0 and values[-1] == 0.0 and (np.diff(values) <= 1e-9).all()
    assert line_of_sight(475.0) == pytest.approx(0.5433, abs=1e-3)


def test_any_candidate_may_be_drawn() -> None:
    """Mode 2 does not rank by power: with nothing announced every resource outside the own slot comes up."""
    parameters = nr_radio()._replace(period=20)
    air = Mode4(parameters, np.linspace(0, 300, 3), np.zeros(3))
    air.cell.power[0] = np.random.default_rng(1).exponential(1e-8, air.cell.power[0].shape).astype(np.float32)
    count = 20 * parameters.subchannels
    drawn = {
        int(select(air.radio, air.cell, np.int64(0), np.uint64(k), np.int64(0), np.zeros(count), np.zeros(count)))
        for k in range(3000)
    }
    own = int(air.cell.resource[0]) // parameters.subchannels
    assert drawn == {q for q in range(count) if q // parameters.subchannels != own}


def test_tables_agree_with_the_simulation_where_hardly_anyone_speaks() -> None:
    air = highway(nr_radio(), 0.02, 8.0, length=8000.0, reach=1000.0)
    offered = np.maximum(air.counts.offered, 1)
    measured = (air.counts.received + air.counts.collision) / offered
    t = nr_v2x_tables()
    expected = (1.0 - 10.0 * t.half_duplex) * (1.0 - t.weak) * (1.0 - t.fade)
    apart = np.abs(measured - expected[: len(measured)])[1:]
    assert apart.mean() < 0.02 and apart.max() < 0.08  # pairs keep their blockage, so that few of them weigh much


@pytest.mark.parametrize("tables", [lte_v2x_tables(20.0, 4), lte_v2x_tables(20.0, 2), nr_v2x_tables()])
def test_more_load_and_more_distance_mean_more_collisions(tables) -> None:
    assert (np.diff(tables.collide, axis=1) >= -0.02).all() and (np.diff(tables.collide, axis=0) >= 0.0).all()
    assert (np.diff(tables.loads) > 0).all() and tables.collide[:, 0].max() == 0.0


def test_two_subchannels_have_a_table_of_their_own() -> None:
    two, four = radio_tables("lte-v2x", 20.0, 2), radio_tables("lte-v2x", 20.0, 4)
    assert two.resources == 2000.0 and not np.array_equal(two.collide, four.collide)
    assert (two.fade[14:20] < 0.5 * four.fade[14:20]).all(), "the better coding, where it counts"
