"""Loss tables of a radio: what the bus looks up per pair of stations, by distance and channel load.

Losses are exclusive and conditioned in this order: half duplex, below sensitivity, collision, propagation. The collision part
comes from the packet-level simulation (`lte_v2x.py`, `nr_v2x.py`), tabulated once in `collision_table.py`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.link.radio.collision_table import COLLISION, DISTANCE_STEP_M
from cloverleaf.link.radio.nr_v2x import SHADOWING_DB as NR_SHADOWING_DB
from cloverleaf.link.radio.nr_v2x import NrConfig
from cloverleaf.link.radio.propagation import (
    BLER_RATE_05,
    BLER_RATE_07,
    BLOCKAGE_DB,
    BLOCKAGE_SIGMA_DB,
    TR37885_HIGHWAY,
    line_of_sight,
    propagation_loss,
    sensed_share,
)
from cloverleaf.types.errors import StudyError, nearest
from cloverleaf.types.state import F64

REACH_M = 1000.0
"""Nothing is received beyond."""
NR_OCTETS = 300
"""Bytes of a usual message, for the noise that falls into its resource blocks."""


class RadioTables(NamedTuple):
    """One radio as tables over distance (step `distance_step`, D rows) and load (L columns at `loads`)."""

    weak: F64  # (D,) P(below sensitivity)
    fade: F64  # (D,) P(block error | sensed, no interference)
    collide: F64  # (D, L) P(lost by interference | otherwise received)
    loads: F64  # (L,) channel busy ratio of the columns
    distance_step: float  # m
    reach: float  # m, nothing is received beyond
    half_duplex: float  # P(receiver transmits in the same subframe) per message/s of the receiver
    access_min: float  # s from generation to the air
    access_max: float
    reservation: float  # s, mean life of a reserved resource: losses by collision persist that long
    resources: float  # single-subchannel resources per second
    subchannel_bytes: float  # bytes that one subchannel carries


def ideal_tables(reach: float = 1000.0) -> RadioTables:
    """No loss within `reach` m and a delay of 4 ms: for debugging."""
    zero = np.zeros(int(reach) // 25 + 2)
    return RadioTables(
        zero, zero, np.zeros((len(zero), 2)), np.array([0.0, 1.0]), 25.0, reach, 0.0, 0.004, 0.004, 1.0, 1e12, 1e9
    )


def _collisions(name: str, stretch: float, rows: int) -> tuple[F64, F64]:
    """(loads, P(collision) by distance and load) of a radio whose distances are all `stretch` times those of the table."""
    loads, table = COLLISION[name]
    known = np.array(table)
    source = np.clip(np.arange(rows) / stretch, 0, len(known) - 1)
    low = np.minimum(source.astype(int), len(known) - 2)
    share = (source - low)[:, None]
    return np.array(loads), np.ascontiguousarray((1 - share) * known[low] + share * known[low + 1])


def lte_v2x_tables(power_dbm: float = 23.0, subchannels: int = 4, *, collisions: bool = True) -> RadioTables:
    """LTE-V2X mode 4 on 10 MHz: 4 subchannels at QPSK 0.7, or 2 at QPSK 0.5; `power_dbm` at the antenna.

    The collision tables were made at 20 dBm. A stronger transmitter shifts them outwards: the same signal-to-noise ratio farther away.
    """
    blocks, curve = (10, BLER_RATE_07) if subchannels >= 4 else (12, BLER_RATE_05)
    distance = np.arange(0.0, REACH_M + DISTANCE_STEP_M, DISTANCE_STEP_M)
    loads, collide = np.array([0.0, 1.0]), np.zeros((len(distance), 2))
    if collisions:
        name = f"lte-v2x, {4 if subchannels >= 4 else 2} subchannels"
        loads, collide = _collisions(name, 10.0 ** ((power_dbm - 20.0) / 40.0), len(distance))
    return RadioTables(
        weak=1.0 - sensed_share(distance, power_dbm),
        fade=propagation_loss(distance, power_dbm, blocks, curve),
        collide=collide,
        loads=loads,
        distance_step=DISTANCE_STEP_M,
        reach=REACH_M,
        half_duplex=0.0008,
        access_min=0.004,
        access_max=0.100,
        reservation=1.0,
        resources=1000.0 * subchannels,
        subchannel_bytes=190.0,
    )


def nr_v2x_tables(power_dbm: float = 23.0, config: NrConfig | None = None, *, collisions: bool = True) -> RadioTables:
    """NR-V2X mode 2 (`nr_v2x.py`): weak and faded shares of a configuration, for packets of 300 bytes.

    The collision table was made with the standard configuration at 23 dBm, 300 bytes and 10 Hz; others use it at the load they make.
    """
    config = (config or NrConfig())._replace(power_dbm=power_dbm).check()
    width = config.width(NR_OCTETS)
    distance = np.arange(0.0, REACH_M + DISTANCE_STEP_M, DISTANCE_STEP_M)
    loads, collide = np.array([0.0, 1.0]), np.zeros((len(distance), 2))
    if collisions:
        loads, collide = _collisions("nr-v2x", 10.0 ** ((power_dbm - 23.0) / 20.0), len(distance))
    heard, errors = _blocked_link(distance, config, width)
    return RadioTables(
        weak=1.0 - heard,
        fade=errors,
        collide=collide,
        loads=loads,
        distance_step=DISTANCE_STEP_M,
        reach=REACH_M,
        half_duplex=config.slot_s,  # a message a second makes a station deaf for one slot a second
        access_min=2 * config.slot_s,
        access_max=0.100,
        reservation=1.0,
        resources=config.subchannels / config.slot_s,
        subchannel_bytes=config.octets(width) / width,
    )


def _blocked_link(distance: F64, config: NrConfig, width: int) -> tuple[F64, F64]:
    """P(heard) and mean block error of heard packets over shadowing and blockage by vehicles, at distances in m."""
    clear = np.array([line_of_sight(float(d)) for d in distance])
    z = np.linspace(-4.0, 4.0, 41)
    weight = np.exp(-0.5 * z * z)
    weight /= weight.sum()
    blockage = np.maximum(BLOCKAGE_DB + BLOCKAGE_SIGMA_DB * z, 0.0)
    mean = config.power_dbm - (TR37885_HIGHWAY[0] * np.log10(np.maximum(distance, 3.0)) + TR37885_HIGHWAY[1])
    snr, error = config.errors()
    heard, lost = np.zeros(len(distance)), np.zeros(len(distance))
    for loss, share in [(0.0, clear), *((b, (1.0 - clear) * w) for b, w in zip(blockage, weight))]:
        power = mean[:, None] - loss + NR_SHADOWING_DB * z
        above = (power > config.sensitivity_dbm(width)) * weight
        heard += share * above.sum(axis=1)
        lost += share * (above * np.interp(power - config.noise_dbm(width), snr, error)).sum(axis=1)
    return np.minimum(heard, 1.0), lost / np.maximum(heard, 1e-12)


def radio_tables(name: str, power_dbm: float = 23.0, subchannels: int = 4) -> RadioTables:
    """Tables of a radio by name: ideal, lte-v2x, nr-v2x. `subchannels` of the LTE pool, 2 or 4.

    Raises:
        StudyError: no such radio.
    """
    makers = {
        "ideal": ideal_tables,
        "lte-v2x": lambda: lte_v2x_tables(power_dbm, subchannels),
        "nr-v2x": lambda: nr_v2x_tables(power_dbm),
    }
    if name not in makers:
        raise StudyError(f"unknown radio '{name}'", element="link.radio", hint=nearest(name, makers))
    return makers[name]()
