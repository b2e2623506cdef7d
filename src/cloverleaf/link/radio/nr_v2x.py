"""NR-V2X PC5 mode 2: numerology, modulation and coding, block errors, and what they make of the packet-level simulation's parameters.

Sources: resource blocks TS 38.101-1, table 5.3.2-1; modulation and coding TS 38.214, table 5.1.3.1-1; resource selection TS 38.214, 8.1.4
(any candidate is drawn, no ranking by power); path loss and blockage TR 37.885. Block errors: no public curves of PSSCH were at hand, so
the published LTE curve is moved along the SNR by the attenuated Shannon bound of TR 36.942, A.2; the gain of LDPC over turbo codes at
these sizes (below 1 dB) is left out. Left out too: re-evaluation and pre-emption before a transmission, blind repetitions, feedback.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.link.radio.lte_v2x import Radio
from cloverleaf.link.radio.propagation import BLER_RATE_07, BLER_SNR_DB, TR37885_HIGHWAY
from cloverleaf.types.errors import InputError, nearest
from cloverleaf.types.state import F64

RESOURCE_BLOCKS = {
    (10, 15): 52, (10, 30): 24, (10, 60): 11, (20, 15): 106, (20, 30): 51, (20, 60): 24, (30, 15): 160, (30, 30): 78, (30, 60): 38,
    (40, 15): 216, (40, 30): 106, (40, 60): 51,
}  # fmt: skip
"""(bandwidth in MHz, subcarrier spacing in kHz) -> resource blocks."""
MCS = (
    (2, 120), (2, 157), (2, 193), (2, 251), (2, 308), (2, 379), (2, 449), (2, 526), (2, 602), (2, 679),
    (4, 340), (4, 378), (4, 434), (4, 490), (4, 553), (4, 616), (4, 658),
    (6, 438), (6, 466), (6, 517), (6, 567), (6, 616), (6, 666), (6, 719), (6, 772), (6, 822), (6, 873), (6, 910), (6, 948),
)  # fmt: skip
"""Index -> (bits per symbol, code rate x 1024)."""
SUBCHANNEL_BLOCKS = (10, 12, 15, 20, 25, 50, 75, 100)
NOISE_FIGURE_DB = 9.0
SHADOWING_DB = 3.0
_DATA_SYMBOLS, _CONTROL_ELEMENTS = 10, 360
"""Symbols of a slot that carry data (14 less gain control, guard and two of reference signals), and resource elements that both stages of
control information take from a packet."""
_CONTROL_EFFICIENCY = 0.3
"""Bits per resource element of the first stage: about 54 bits in 180 elements."""
_ATTENUATION = 0.6


class NrConfig(NamedTuple):
    """A resource pool and how packets are sent in it."""

    spacing_khz: int = 30
    bandwidth_mhz: int = 20
    subchannel_blocks: int = 10
    mcs: int = 11
    power_dbm: float = 23.0
    candidates: float = 0.2  # share of resources to draw from: 0.2, 0.35 or 0.5 by priority

    def check(self) -> NrConfig:
        """Itself, if the standard has it; InputError otherwise."""
        if (self.bandwidth_mhz, self.spacing_khz) not in RESOURCE_BLOCKS:
            raise InputError(
                f"no {self.bandwidth_mhz} MHz with {self.spacing_khz} kHz", hint="10 to 40 MHz; 15, 30 or 60 kHz"
            )
        if self.subchannel_blocks not in SUBCHANNEL_BLOCKS:
            valid = [str(n) for n in SUBCHANNEL_BLOCKS]
            raise InputError(
                f"no subchannels of {self.subchannel_blocks} blocks", hint=nearest(str(self.subchannel_blocks), valid)
            )
        if not 0 <= self.mcs < len(MCS) or self.subchannels < 1:
            raise InputError(f"no MCS {self.mcs} here, or no room for a subchannel", hint="MCS 0 to 28")
        return self

    @property
    def slot_s(self) -> float:
        """Length of a slot, s."""
        return 15e-3 / self.spacing_khz

    @property
    def subchannels(self) -> int:
        """Subchannels of the pool."""
        return RESOURCE_BLOCKS[self.bandwidth_mhz, self.spacing_khz] // self.subchannel_blocks

    @property
    def efficiency(self) -> float:
        """Bits per resource element."""
        bits, rate = MCS[self.mcs]
        return bits * rate / 1024.0

    def octets(self, subchannels: int) -> int:
        """Bytes of a packet on so many subchannels, its checksum of 24 bits taken off."""
        elements = subchannels * self.subchannel_blocks * 12 * _DATA_SYMBOLS - _CONTROL_ELEMENTS
        return max(int(elements * self.efficiency) // 8 - 3, 0)

    def width(self, octets: int) -> int:
        """Subchannels that a packet of so many bytes takes.

        Raises:
            InputError: it does not fit into a slot.
        """
        for count in range(1, self.subchannels + 1):
            if self.octets(count) >= octets:
                return count
        raise InputError(
            f"{octets} bytes do not fit into one slot",
            hint=f"at most {self.octets(self.subchannels)} with MCS {self.mcs}",
        )

    def noise_dbm(self, subchannels: int) -> float:
        """Noise over so many subchannels."""
        width_hz = subchannels * self.subchannel_blocks * 12 * self.spacing_khz * 1e3
        return -174.0 + 10.0 * math.log10(width_hz) + NOISE_FIGURE_DB

    def errors(self) -> tuple[F64, F64]:
        """Block error rate: support in dB of SNR, and values."""
        return BLER_SNR_DB + needed_snr_db(self.efficiency) - needed_snr_db(1.4), BLER_RATE_07

    def control_gain_db(self) -> float:
        """dB by which control information needs less SNR than the data."""
        return needed_snr_db(self.efficiency) - needed_snr_db(_CONTROL_EFFICIENCY)

    def sensitivity_dbm(self, subchannels: int) -> float:
        """Power at which control information, and so the packet, is heard at all."""
        return self.noise_dbm(subchannels) + needed_snr_db(_CONTROL_EFFICIENCY)


def needed_snr_db(efficiency: float) -> float:
    """SNR at which a link carries `efficiency` bits per resource element: throughput is 0.6 of Shannon's bound (TR 36.942, A.2)."""
    return 10.0 * math.log10(2.0 ** (efficiency / _ATTENUATION) - 1.0)


def nr_radio(config: NrConfig | None = None, rate_hz: float = 10.0, octets: int = 300, ring_m: float = 0.0) -> Radio:
    """Parameters of the packet-level simulation: packets of `octets` bytes at `rate_hz`; a resource is as wide as a packet."""
    config = (config or NrConfig()).check()
    width = config.width(octets)
    slots = round(0.1 / config.slot_s)
    low, high = {10.0: (5, 15), 20.0: (10, 30), 50.0: (25, 75)}[float(rate_hz)]
    snr, error = config.errors()
    return Radio(
        int(round(1.0 / (rate_hz * config.slot_s))), config.subchannels // width, 0.0, low, high, config.power_dbm,
        10.0 ** (config.noise_dbm(width) / 10.0), 10.0 ** (config.sensitivity_dbm(width) / 10.0), SHADOWING_DB, np.asarray(snr), error,
        error, 1.0, ring_m, slots, config.control_gain_db(), config.candidates, 0, TR37885_HIGHWAY, 1,
    )  # fmt: skip
