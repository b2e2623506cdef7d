"""Path loss, sensitivity and block errors of C-V2X at 5.9 GHz.

WINNER+ B1 line of sight with 3 dB shadowing, and the block-error curves of R1-160284 as restated by M. Gonzalez-Martin et al.,
"Analytical Models of the Performance of C-V2X Mode 4 Vehicular Communications", IEEE TVT 68(2), 2019.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from cloverleaf.algo.jit import kernel

CARRIER_GHZ = 5.91
ANTENNA_M = 1.5
SHADOWING_DB = 3.0
SENSITIVITY_DBM = -90.5
NOISE_50RB_DBM = -95.0
"""Noise with noise figure over 50 resource blocks (9 MHz)."""

WINNER_LOSS = np.array([22.7, 42.43174961762511, 40.0, 3.5505286350228182, 177.3, 47.85234953090473])
"""Coefficients of `path_loss_db`: below and above the break point, which is the fifth, and the least offset at 20 dB per decade."""
TR37885_HIGHWAY = np.array([20.0, 32.4 + 20.0 * math.log10(5.9), 20.0, 32.4 + 20.0 * math.log10(5.9), 0.0, -1e9])
"""3GPP TR 37.885, 6.2.1: highway, line of sight, 5.9 GHz."""
TR37885_URBAN = np.array([16.7, 38.77 + 18.2 * math.log10(5.9), 16.7, 38.77 + 18.2 * math.log10(5.9), 0.0, -1e9])
BLOCKAGE_DB, BLOCKAGE_SIGMA_DB = 5.0, 4.0
"""Loss where a vehicle of the antennas' own height stands between (TR 37.885, NLOSv); never negative."""

BLER_SNR_DB = np.array([-4.0, -2.0, 0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 20.0, 20.001])
"""Support points of the block-error curves; linear between them, constant outside."""
BLER_RATE_07 = np.array([1.0, 1.0, 1.0, 0.9, 0.7, 0.4, 0.13, 0.045, 0.017, 0.007, 0.001, 0.001, 0.0001])
"""QPSK, code rate 0.7: 190 bytes in 10 resource blocks."""
BLER_RATE_05 = np.array([1.0, 1.0, 0.9, 0.7, 0.3, 0.09, 0.02, 0.002, 0.001, 0.001, 0.001, 0.001, 0.0001])
"""QPSK, code rate 0.5: 190 bytes in 12 resource blocks."""


@kernel
def path_loss_db(distance):
    """WINNER+ B1 LOS path loss in dB at `distance` m (>= 3 m counts), antennas 1.5 m, 5.91 GHz."""
    d = max(distance, 3.0)
    if d < 177.3:
        loss = 22.7 * math.log10(d) + 42.43174961762511
    else:
        loss = 40.0 * math.log10(d) + 3.5505286350228182
    return max(loss, 20.0 * math.log10(d) + 47.85234953090473)


@kernel
def line_of_sight(distance):
    """Probability that no vehicle stands between two antennas `distance` m apart on a highway (TR 37.885, table 6.2-1)."""
    if distance <= 475.0:
        return min(1.0, 2.1013e-6 * distance * distance - 0.002 * distance + 1.0193)
    return max(0.0, 0.54 - 0.001 * (distance - 475.0))


def path_loss(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """WINNER+ B1 LOS path loss in dB; array form of `path_loss_db`."""
    d = np.maximum(np.asarray(distance, dtype=float), 3.0)
    breakpoint_m = 4.0 * ANTENNA_M**2 * CARRIER_GHZ * 1e9 / 3e8
    near = 22.7 * np.log10(d) + 27.0 + 20.0 * math.log10(CARRIER_GHZ)
    far = 40.0 * np.log10(d) + 7.56 - 34.6 * math.log10(ANTENNA_M) + 2.7 * math.log10(CARRIER_GHZ)
    free = 20.0 * np.log10(d) + 46.4 + 20.0 * math.log10(CARRIER_GHZ / 5.0)
    return np.maximum(np.where(d < breakpoint_m, near, far), free)


def noise_dbm(resource_blocks: int) -> float:
    """Noise power in dBm over so many resource blocks."""
    return NOISE_50RB_DBM - 10.0 * math.log10(50.0 / resource_blocks)


def sensed_share(distance: NDArray[np.float64], power_dbm: float) -> NDArray[np.float64]:
    """Probability that a packet arrives above the sensitivity, 0..1."""
    margin = power_dbm - path_loss(distance) - SENSITIVITY_DBM
    return 0.5 * (1.0 + erf(margin / (SHADOWING_DB * math.sqrt(2.0))))


def block_error(snr_db: NDArray[np.float64], curve: NDArray[np.float64]) -> NDArray[np.float64]:
    """Block error rate at an SNR in dB."""
    return np.interp(snr_db, BLER_SNR_DB, curve)


def propagation_loss(
    distance: NDArray[np.float64], power_dbm: float, resource_blocks: int, curve: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean block error rate of packets above the sensitivity, over shadowing, without interference."""
    z = np.linspace(-5.0, 5.0, 401)
    weight = np.exp(-0.5 * z * z)
    power = power_dbm - path_loss(distance)[..., None] + SHADOWING_DB * z
    heard = weight * (power > SENSITIVITY_DBM)
    errors = block_error(power - noise_dbm(resource_blocks), curve)
    return (heard * errors).sum(axis=-1) / np.maximum(heard.sum(axis=-1), 1e-12)
