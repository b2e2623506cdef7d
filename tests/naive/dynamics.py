"""Slow oracle of the plant: the same physics by tiny explicit steps, one car, plain Python."""

from __future__ import annotations

import math

GRAVITY = 9.80665


def drive(car, commands, parameters, step=0.1, tiny=2e-4):
    """Final (x, y, heading, speed, steer) of a car after one command (accel, steer) per step.

    car: dict of x, y, heading, speed, length. Integrates the rear axle with Euler steps of `tiny` seconds; commands reach the
    actuators after their dead time, before which the first step's predecessor is a zero command.
    """
    p = parameters
    base = car["length"] * (0.6 if car["length"] < 7 else 0.5)
    heading, speed, steer, drive_, brake = car["heading"], car["speed"], 0.0, 0.0, 0.0
    x = car["x"] - base / 2 * math.cos(heading)
    y = car["y"] - base / 2 * math.sin(heading)

    def given(at, column):
        k = math.floor(at / step + 1e-9)
        return commands[k][column] if k >= 0 else 0.0

    for i in range(round(len(commands) * step / tiny)):
        t = i * tiny
        power = p.accel_max * min(1.0, p.v_switch / max(speed, 1e-9))
        ask = min(max(given(t - p.drive_dead, 0), 0.0), power)
        drive_ += (ask - drive_) * tiny / (p.drive_tau if ask > drive_ else p.brake_tau)
        brake += (max(min(given(t - p.brake_dead, 0), 0.0), -p.brake_max) - brake) * tiny / p.brake_tau
        wish = min(max(given(t - p.steer_dead, 1), -p.steer_max), p.steer_max)
        change = (wish - steer) * tiny / p.steer_tau
        steer += min(max(change, -p.steer_rate * tiny), p.steer_rate * tiny)
        accel, yaw = drive_ + brake, speed * math.tan(steer) / base
        if speed <= 0.0:
            accel = max(accel, 0.0)
        total = math.hypot(accel, speed * yaw)
        if total > p.friction * GRAVITY:
            accel, yaw = (v * p.friction * GRAVITY / total for v in (accel, yaw))
        x += speed * math.cos(heading) * tiny
        y += speed * math.sin(heading) * tiny
        heading += yaw * tiny
        speed = max(speed + accel * tiny, 0.0)
    return x + base / 2 * math.cos(heading), y + base / 2 * math.sin(heading), heading, speed, steer
