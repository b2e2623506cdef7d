"""A second opinion on a petrol car's CO2: MOVES operating modes by scaled tractive power (US EPA; rates of one light-duty car)."""

import math

RATE_G_PER_H = {
    0: 3442, 1: 3184, 11: 5006, 12: 6913, 13: 9608, 14: 12140, 15: 14476, 16: 17484, 21: 6811, 22: 7753, 23: 9442, 24: 12114,
    25: 16166, 27: 21312, 28: 28727, 29: 39356, 30: 49423, 33: 9704, 35: 15560, 37: 20269, 38: 26430, 39: 35205, 40: 44877,
}  # fmt: skip
BANDS = (
    (25.0, ((0, 11), (3, 12), (6, 13), (9, 14), (12, 15), (math.inf, 16))),
    (50.0, ((0, 21), (3, 22), (6, 23), (9, 24), (12, 25), (18, 27), (24, 28), (30, 29), (math.inf, 30))),
    (math.inf, ((6, 33), (12, 35), (18, 37), (24, 38), (30, 39), (math.inf, 40))),
)


def power_kw_per_t(v: float, a: float, slope: float) -> float:
    return (0.156461 * v + 0.002002 * v**2 + 0.000493 * v**3 + 1.4788 * v * (a + 9.81 * math.sin(slope))) / 1.4788


def mode(v: float, a: float, slope: float) -> int:
    mph = v / 0.44704
    if a / 0.44704 <= -2:
        return 0
    if mph < 1:
        return 1
    power = power_kw_per_t(v, a, slope)
    bins = next(bins for top, bins in BANDS if mph < top)
    return next(name for top, name in bins if power < top)


def co2_g(v: float, a: float, slope: float, dt: float) -> float:
    return RATE_G_PER_H[mode(v, a, slope)] / 3600 * dt
