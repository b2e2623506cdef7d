"""Energy and CO2 of one road user in one step, by emission class.

Combustion classes: CO2 rate (mg/s) = max(0, c0 + c1 v + c2 v^2 + c3 v^3 + (d0 + d1 v + d2 v^2) w), where w = a + g sin(slope) is
the acceleration felt by the engine (m/s2) and v the speed (m/s). The engine is cut off (0) while it is pushed: v > 0.5 m/s,
a < 0 and w below the coasting deceleration. The coefficients are our own least-squares fit to the HBEFA4 class averages as SUMO 1.28 emits
them (passenger car: petrol Euro 4; van: diesel N1-III Euro 6; truck: rigid <= 7.5 t Euro VI; articulated truck 34-40 t; urban bus
15-18 t; coach > 18 t; motorcycle > 250 cc; moped) on a grid of 0..36 m/s x 0..3 m/s2; the largest residual is 1.5 mg/s, below
0.03 % of the rate. `tests/measure/test_energy_sumo.py` repeats the fit wherever SUMO is installed.

Energy: CO2 divided by the carbon content of the fuel's energy (petrol 71.15 g/MJ, MOVES; diesel 74.1 g/MJ, IPCC 2006 guidelines,
volume 2, table 3.2.1). Electric cars: CPEM (Fiori, Ahn, Rakha 2016) with the Nissan Leaf's row, regeneration included; their CO2
is the grid's. E-bikes: rolling and air drag of bicycle and rider, no regeneration.
"""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.types.demand import EmissionClass

GRAVITY = 9.80665  # m/s2

#: c0 c1 c2 c3 d0 d1 d2 in mg/s and powers of m/s and m/s2; row = EmissionClass, zero rows have no engine
COMBUSTION = np.zeros((len(EmissionClass), 7))
COMBUSTION[EmissionClass.PETROL_CAR] = 1521.0, 15.590, 0.0, 0.1199, 695.10, 132.50, 3.4340
COMBUSTION[EmissionClass.DIESEL_VAN] = 1949.0, 34.070, 0.0, 0.2332, 659.60, 230.60, 8.2440
COMBUSTION[EmissionClass.TRUCK] = 1936.0, 0.0, 16.210, 0.0064, 0.0, 551.10, 12.030
COMBUSTION[EmissionClass.BUS] = 2775.0, 651.00, 0.0, 0.0, 2643.0, 1627.0, 0.0
COMBUSTION[EmissionClass.MOTORCYCLE] = 1405.0, 0.0, 2.3500, 0.02944, 744.20, 0.0, 0.6179
COMBUSTION[EmissionClass.COACH] = 2381.0, 839.10, 0.0, 0.0, 4333.0, 2056.0, 0.0
COMBUSTION[EmissionClass.ARTICULATED_TRUCK] = 7734.0, 719.40, 0.0, 0.0, 18330.0, 1751.0, 0.0
COMBUSTION[EmissionClass.MOPED] = 0.0, 0.0, 0.0, 0.8393, 0.0, 0.0, 0.0

PETROL_G_PER_MJ = 71.15
DIESEL_G_PER_MJ = 74.1
#: g CO2 per MJ drawn from the battery: 536.6 g/kWh, China's national average for 2022 (Ministry of Ecology and Environment)
GRID_G_PER_MJ = 536.6 / 3.6

CARBON_G_PER_MJ = np.full(len(EmissionClass), DIESEL_G_PER_MJ)
for _row in (EmissionClass.PETROL_CAR, EmissionClass.MOTORCYCLE, EmissionClass.MOPED):
    CARBON_G_PER_MJ[_row] = PETROL_G_PER_MJ

# Coasting deceleration: proportional to v below COAST_KNEE, a straight line above; measured on the same outputs.
COAST_KNEE = 10.0 / 3.6  # m/s
COAST_LOW = 0.05184  # 1/s
COAST_BASE = 0.10796  # m/s2
COAST_SLOPE = 0.012976  # 1/s
CUT_OFF_ABOVE = 0.5  # m/s

_ELECTRIC_CAR = int(EmissionClass.ELECTRIC_CAR)
_EBIKE = int(EmissionClass.EBIKE)


@kernel
def combustion_co2_mg_per_s(emission, v, a, slope):
    """CO2 rate of an engine (mg/s, float64) at speed v (m/s), acceleration a (m/s2) and slope (rad)."""
    w = a + GRAVITY * math.sin(slope)
    if v > CUT_OFF_ABOVE and a < 0.0:
        coast = COAST_LOW * v if v < COAST_KNEE else COAST_BASE + COAST_SLOPE * v
        if w < -coast:
            return 0.0
    c = COMBUSTION
    steady = c[emission, 0] + v * (c[emission, 1] + v * (c[emission, 2] + v * c[emission, 3]))
    loaded = w * (c[emission, 4] + v * (c[emission, 5] + v * c[emission, 6]))
    return max(0.0, steady + loaded)


@kernel
def electric_car_w(v, a, slope):
    """Battery power of an electric car (W, negative when it regenerates). CPEM, Fiori et al. 2016; Nissan Leaf, auxiliaries 700 W."""
    mass, rolling, drag, front = 1521.0, 1.75, 0.28, 2.3316
    weight = mass * GRAVITY
    force = (
        mass * a
        + weight * math.cos(slope) * rolling / 1000.0 * (0.0328 * v * 3.6 + 4.575)
        + 0.5 * 1.2256 * front * drag * v * v
        + weight * math.sin(slope)
    )
    wheel = force * v
    if wheel >= 0.0:
        return wheel / (0.92 * 0.91 * 0.90) + 700.0
    regained = math.exp(-0.0411 / abs(a)) if a < 0.0 else 0.0
    return wheel * regained + 700.0


@kernel
def ebike_w(v, a, slope):
    """Battery power of an e-bike with rider (W, >= 0): 110 kg, rolling 0.008, drag area 0.6 m2, motor efficiency 0.75."""
    force = 110.0 * (a + GRAVITY * (math.sin(slope) + 0.008 * math.cos(slope))) + 0.5 * 1.2256 * 0.6 * v * v
    return max(0.0, force * v) / 0.75


@kernel
def energy_mj(emission, v, a, slope, dt):
    """Energy taken from tank or battery in one step (MJ, float64; negative when an electric car regenerates).

    emission: EmissionClass (int32); v: speed m/s; a: realised acceleration m/s2; slope: rad, uphill positive; dt: s.
    """
    if emission == _ELECTRIC_CAR:
        return electric_car_w(v, a, slope) * 1e-6 * dt
    if emission == _EBIKE:
        return ebike_w(v, a, slope) * 1e-6 * dt
    rate = combustion_co2_mg_per_s(emission, v, a, slope)
    return rate * 1e-3 / CARBON_G_PER_MJ[emission] * dt


@kernel
def co2_g(emission, v, a, slope, dt):
    """CO2 of one step (g, float64): exhaust of engines, the grid's share of batteries. Arguments as in `energy_mj`."""
    if emission in (_ELECTRIC_CAR, _EBIKE):
        return energy_mj(emission, v, a, slope, dt) * GRID_G_PER_MJ
    return combustion_co2_mg_per_s(emission, v, a, slope) * 1e-3 * dt
