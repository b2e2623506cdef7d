"""The same compiled: the engine calls it through its address, so every concrete case of a suite takes minutes, not days.

    cloverleaf judge my_suite/ --driver examples/drivers/compiled.py:careful --cases all

Scalars, loops and `math` only; `memory` holds what must be remembered from step to step.
"""

from cloverleaf.loop.storyboard.driver import (
    COMMAND_ACCEL,
    DX,
    DY,
    NEAR_LATERAL_SPEED,
    NEAR_LENGTH,
    NEAR_SPEED,
    NEAR_WIDTH,
    OWN_DESIRED,
    OWN_LENGTH,
    OWN_SPEED,
    OWN_WIDTH,
    PRESENT_HERE,
    driver,
)

HEADWAY = 2.0  # s


@driver
def careful(own, near, memory, command):
    """Keeps two seconds behind the leader, brakes hard when somebody is about to be in the way."""
    speed = own[OWN_SPEED]
    wanted = 0.5 * (own[OWN_DESIRED] - speed)
    for i in range(near.shape[0]):
        if near[i, PRESENT_HERE] == 0.0 or near[i, DX] <= 0.0:
            continue
        beside = abs(near[i, DY]) - 0.5 * (own[OWN_WIDTH] + near[i, NEAR_WIDTH])
        gap = near[i, DX] - 0.5 * (own[OWN_LENGTH] + near[i, NEAR_LENGTH])
        towards = -near[i, NEAR_LATERAL_SPEED] if near[i, DY] > 0.0 else near[i, NEAR_LATERAL_SPEED]
        if beside < 0.0 or (towards > 0.2 and beside < 2.0 * towards):
            closing = speed - near[i, NEAR_SPEED]
            wanted = min(wanted, 0.3 * (gap - 2.0 - HEADWAY * speed) - 0.8 * closing)
            if closing > 0.0 and closing * closing > 2.0 * 4.0 * max(gap - 1.0, 0.1):
                wanted = -9.0
    command[COMMAND_ACCEL] = max(min(wanted, 2.0), -9.0)
