"""The plant of smart cars: actuators, tyres and single track kinematics behind every command.

Nothing here is shared with the car's own prediction model: the car's controller must cope with lag, dead time, rate limits and
missing grip that it does not know exactly. Values and sources: drive tau 0.3-0.5 s with 0.1-0.2 s dead time, brake 0.1-0.2 s with
0.05-0.1 s, steering 0.1-0.15 s and 0.5-0.7 rad/s at the wheel (Rajamani 2012; ranges common in the ACC string-stability literature);
delta_max 0.91 rad, a_max v_switch / v above 4.755 m/s as in CommonRoad vehicle 1 (Althoff 2017, "CommonRoad: Vehicle Models").
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.dynamics import GRAVITY, friction_circle, lag, limit_rate, single_track_step, wheelbase
from cloverleaf.algo.jit import kernel
from cloverleaf.types.state import F64, I32, I64, Actors, VehicleCommands

HISTORY = 4
"""Commands kept per car: dead times up to (HISTORY - 1) steps are exact."""


class PlantParameters(NamedTuple):
    """What actuators and tyres can do, one set for all cars of a fleet."""

    drive_tau: float = 0.4  # s
    drive_dead: float = 0.15  # s
    brake_tau: float = 0.15  # s
    brake_dead: float = 0.07  # s
    steer_tau: float = 0.12  # s
    steer_dead: float = 0.05  # s
    steer_rate: float = 0.6  # rad/s at the road wheel
    steer_max: float = 0.61  # rad, at the road wheel: kerb-to-kerb circle of about 11 m for a car
    accel_max: float = 3.5  # m/s2, up to v_switch
    v_switch: float = 10.0  # m/s, power limit above
    brake_max: float = 9.5  # m/s2, positive; the tyres limit it further
    friction: float = 0.9  # mu


class PlantState(NamedTuple):
    """Inner state of the actuators, by row of Actors; shape (capacity,) unless said."""

    trip: I64  # whose state this is: a row of another trip starts afresh
    drive: F64  # m/s2 >= 0, realised by the motor
    brake: F64  # m/s2 <= 0, realised by the brakes
    accel_history: F64  # (capacity, HISTORY) demanded accelerations, newest first
    steer_history: F64  # (capacity, HISTORY) demanded wheel angles, rad


def empty_plant(capacity: int) -> PlantState:
    """Actuators at rest for `capacity` rows."""
    return PlantState(
        np.full(capacity, -1, np.int64), np.zeros(capacity), np.zeros(capacity),
        np.zeros((capacity, HISTORY)), np.zeros((capacity, HISTORY)),
    )  # fmt: skip


@kernel
def delayed(history, row, dead, elapsed, step):
    """The command that was given `dead` seconds before the moment `elapsed` s into the present step; history newest first."""
    age = dead - elapsed
    back = 0 if age <= 1e-9 else np.int64(math.ceil(age / step - 1e-9))
    return history[row, min(back, history.shape[1] - 1)]


@kernel
def _remember(plant, actors, row, accel, steer):
    """Shift this step's command into the history; a new user of the row starts with calm actuators."""
    if plant.trip[row] != actors.trip[row]:
        plant.trip[row] = actors.trip[row]
        plant.drive[row] = max(actors.accel[row], 0.0)
        plant.brake[row] = min(actors.accel[row], 0.0)
        for k in range(HISTORY):
            plant.accel_history[row, k] = 0.0
            plant.steer_history[row, k] = actors.steer[row]
    for k in range(HISTORY - 1, 0, -1):
        plant.accel_history[row, k] = plant.accel_history[row, k - 1]
        plant.steer_history[row, k] = plant.steer_history[row, k - 1]
    plant.accel_history[row, 0] = accel
    plant.steer_history[row, 0] = steer


@kernel
def _actuate(plant, p, row, steer, speed, elapsed, step, dt):
    """Actuators over one substep: (accel asked of the tyres, wheel angle)."""
    power = p.accel_max if speed <= p.v_switch else p.accel_max * p.v_switch / speed
    ask = min(max(delayed(plant.accel_history, row, p.drive_dead, elapsed, step), 0.0), power)
    # Cutting the torque is as quick as braking; building it up is not.
    plant.drive[row] = lag(plant.drive[row], ask, p.drive_tau if ask > plant.drive[row] else p.brake_tau, dt)
    ask = max(min(delayed(plant.accel_history, row, p.brake_dead, elapsed, step), 0.0), -p.brake_max)
    plant.brake[row] = lag(plant.brake[row], ask, p.brake_tau, dt)
    ask = min(max(delayed(plant.steer_history, row, p.steer_dead, elapsed, step), -p.steer_max), p.steer_max)
    return plant.drive[row] + plant.brake[row], limit_rate(steer, lag(steer, ask, p.steer_tau, dt), p.steer_rate, dt)


@kernel
def _finite(value):
    """0 for a command that is not a number: a broken controller lets go of its actuator."""
    return value if abs(value) < 1e6 else 0.0


@kernel
def step_fleet(actors, slots, plant, commands, parameters, step, substeps):
    """Move the cars in rows `slots` (n,) of Actors by one step of `step` s under their commands (fleet order).

    Writes x, y, heading, speed, accel, yaw_rate, steer and indicator; lane, s and d are for the world to find. `accel` is the
    change of speed over the step, so stopping shows the braking that really happened. substeps >= 1; 4 are enough at 0.1 s.
    """
    p = parameters
    dt = step / substeps
    grip = p.friction * GRAVITY
    for i in range(slots.shape[0]):
        row = slots[i]
        _remember(plant, actors, row, _finite(commands.accel[i]), _finite(commands.steer[i]))
        x, y, heading, speed = actors.x[row], actors.y[row], actors.heading[row], actors.speed[row]
        steer, base, first_speed, yaw = actors.steer[row], wheelbase(actors.length[row]), actors.speed[row], 0.0
        for k in range(substeps):
            accel, steer = _actuate(plant, p, row, steer, speed, k * dt, step, dt)
            if speed <= 0.0 and accel < 0.0:
                accel = 0.0  # brakes hold, they do not push back
            yaw = speed * math.tan(steer) / base
            accel, lateral = friction_circle(accel, speed * yaw, grip)
            if abs(speed) > 1e-6:
                yaw = lateral / speed
            x, y, heading, speed = single_track_step(x, y, heading, speed, accel, yaw, base, dt)
        actors.x[row], actors.y[row], actors.heading[row], actors.speed[row] = x, y, heading, speed
        actors.accel[row] = (speed - first_speed) / step
        actors.yaw_rate[row] = yaw
        actors.steer[row] = steer
        actors.indicator[row] = commands.indicator[i]


def move_fleet(
    actors: Actors,
    slots: I32,
    plant: PlantState,
    commands: VehicleCommands,
    parameters: PlantParameters,
    step: float = 0.1,
    substeps: int = 4,
) -> None:
    """Move the fleet by one step; `slots` and the commands have one entry per car in the same order.

    Raises ValueError if their lengths differ.
    """
    if len(slots) != len(commands.accel):
        raise ValueError(f"{len(slots)} cars but {len(commands.accel)} commands")
    step_fleet(actors, slots, plant, commands, parameters, float(step), int(substeps))
