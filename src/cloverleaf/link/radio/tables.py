"""Loss tables of a radio: what the bus looks up per pair of stations, by distance and channel load.

Losses are exclusive and conditioned in this order: half duplex, below sensitivity, collision, propagation. The collision part
comes from the packet-level simulation of LTE-V2X mode 4 (`lte_v2x.py`), tabulated once in `collision_table.py`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cloverleaf.link.radio.collision_table import COLLISION, DISTANCE_STEP_M, LOADS
from cloverleaf.link.radio.propagation import BLER_RATE_05, BLER_RATE_07, propagation_loss, sensed_share
from cloverleaf.types.errors import StudyError, nearest
from cloverleaf.types.state import F64


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


def lte_v2x_tables(power_dbm: float = 23.0, subchannels: int = 4) -> RadioTables:
    """LTE-V2X mode 4 on 10 MHz: 4 subchannels at QPSK 0.7, or 2 at QPSK 0.5; `power_dbm` at the antenna."""
    blocks, curve = (10, BLER_RATE_07) if subchannels >= 4 else (12, BLER_RATE_05)
    distance = np.arange(0.0, 1000.0 + DISTANCE_STEP_M, DISTANCE_STEP_M)
    collide = np.array(COLLISION)
    rows = np.minimum(np.arange(len(distance)), len(collide) - 1)
    # The table was made at 20 dBm. A stronger transmitter shifts it outwards: the same signal-to-noise ratio farther away.
    stretch = 10.0 ** ((power_dbm - 20.0) / 40.0)
    source = np.clip(distance / stretch / DISTANCE_STEP_M, 0, len(collide) - 1)
    low = np.minimum(source.astype(int), len(collide) - 2)
    share = (source - low)[:, None]
    collide = ((1 - share) * collide[low] + share * collide[low + 1])[: len(rows)]
    return RadioTables(
        weak=1.0 - sensed_share(distance, power_dbm),
        fade=propagation_loss(distance, power_dbm, blocks, curve),
        collide=np.ascontiguousarray(collide),
        loads=np.array(LOADS),
        distance_step=DISTANCE_STEP_M,
        reach=1000.0,
        half_duplex=0.0008,
        access_min=0.004,
        access_max=0.100,
        reservation=1.0,
        resources=1000.0 * subchannels,
        subchannel_bytes=190.0,
    )


def nr_v2x_tables(power_dbm: float = 23.0) -> RadioTables:
    """NR-V2X mode 2, 30 kHz spacing, 20 MHz: 5 subchannels of 10 RB in slots of 0.5 ms, selection window 20 ms.

    The collision part is that of mode 4 at the load that twice the slots leave, without the gain of re-evaluation:
    a cautious approximation; no public curve was available to check it.
    """
    base = lte_v2x_tables(power_dbm)
    return base._replace(half_duplex=0.0004, access_min=0.0015, access_max=0.020, resources=10_000.0)


def radio_tables(name: str, power_dbm: float = 23.0) -> RadioTables:
    """Tables of a radio by name: ideal, lte-v2x, nr-v2x.

    Raises:
        StudyError: no such radio.
    """
    makers = {
        "ideal": ideal_tables,
        "lte-v2x": lambda: lte_v2x_tables(power_dbm),
        "nr-v2x": lambda: nr_v2x_tables(power_dbm),
    }
    if name not in makers:
        raise StudyError(f"unknown radio '{name}'", element="link.radio", hint=nearest(name, makers))
    return makers[name]()
