"""Energy and CO2 by the book: one dictionary per vehicle, plain formulas, no shared constants with the kernels."""

import math

import numpy as np

# mg/s of steady speed (powers of v) and per m/s2 (powers of v), rounded from the emission outputs they were fitted to
ENGINES = {
    "PETROL_CAR": ((1521, 15.59, 0, 0.1199), (695.1, 132.5, 3.434)),
    "DIESEL_VAN": ((1949, 34.07, 0, 0.2332), (659.6, 230.6, 8.244)),
    "TRUCK": ((1936, 0, 16.21, 0.0064), (0, 551.1, 12.03)),
    "BUS": ((2775, 651, 0, 0), (2643, 1627, 0)),
    "MOTORCYCLE": ((1405, 0, 2.35, 0.02944), (744.2, 0, 0.6179)),
    "COACH": ((2381, 839.1, 0, 0), (4333, 2056, 0)),
    "ARTICULATED_TRUCK": ((7734, 719.4, 0, 0), (18330, 1751, 0)),
    "MOPED": ((0, 0, 0, 0.8393), (0, 0, 0)),
}
CUT_OFF = ((0.0, 0.0), (10 / 3.6, 0.144), (20.0, 0.36748), (60.0, 0.88652))  # m/s, m/s2
PETROL = {"PETROL_CAR", "MOTORCYCLE", "MOPED"}


def co2_mg_per_s(name: str, v: float, a: float, slope: float) -> float:
    w = a + 9.80665 * math.sin(slope)
    if v > 0.5 and a < 0 and w < -np.interp(v, *zip(*CUT_OFF)):
        return 0.0
    steady, loaded = ENGINES[name]
    return max(
        0.0, float(np.polynomial.polynomial.polyval(v, steady) + w * np.polynomial.polynomial.polyval(v, loaded))
    )


def leaf_w(v: float, a: float, slope: float) -> float:
    m, g = 1521.0, 9.80665
    rolling = m * g * math.cos(slope) * 1.75e-3 * (0.0328 * (v * 3.6) + 4.575)
    air = 0.5 * 1.2256 * 2.3316 * 0.28 * v**2
    wheel = (m * a + rolling + air + m * g * math.sin(slope)) * v
    if wheel >= 0:
        battery = wheel / 0.92 / 0.91 / 0.90
    elif a < 0:
        battery = wheel * math.e ** (-0.0411 / -a)
    else:
        battery = 0.0
    return battery + 700


def ebike_w(v: float, a: float, slope: float) -> float:
    inertia, climb, roll = 110 * a, 110 * 9.80665 * math.sin(slope), 110 * 9.80665 * math.cos(slope) * 0.008
    return max(0.0, v * (inertia + climb + roll + 0.36768 * v**2)) * 4 / 3


def energy_mj(name: str, v: float, a: float, slope: float, dt: float) -> float:
    if name == "ELECTRIC_CAR":
        return leaf_w(v, a, slope) * dt / 1e6
    if name == "EBIKE":
        return ebike_w(v, a, slope) * dt / 1e6
    if name not in ENGINES:
        return 0.0
    return co2_mg_per_s(name, v, a, slope) / 1000 * dt / (71.15 if name in PETROL else 74.1)


def co2_g(name: str, v: float, a: float, slope: float, dt: float) -> float:
    if name in ("ELECTRIC_CAR", "EBIKE"):
        return energy_mj(name, v, a, slope, dt) / 3.6 * 536.6
    if name not in ENGINES:
        return 0.0
    return co2_mg_per_s(name, v, a, slope) / 1000 * dt
