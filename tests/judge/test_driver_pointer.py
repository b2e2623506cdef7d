"""Drivers are pointers: one compiled caller takes all of them, division by zero is IEEE, the cache survives the process."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.loop.storyboard.driver import COMMAND, COMMAND_ACCEL, NEAR, OWN, OWN_SPEED, OWN_TIME, driver


@driver
def halve(own, near, memory, command):
    """Ask for half the speed."""
    memory[0] += 1.0
    command[COMMAND_ACCEL] = 0.5 * own[OWN_SPEED]


@driver
def divide(own, near, memory, command):
    """Ask for speed over time, infinite at the start."""
    command[COMMAND_ACCEL] = own[OWN_SPEED] / own[OWN_TIME]


@kernel
def call(drive, own, near, memory, command, count):
    """Call a driver `count` times."""
    for _ in range(count):
        drive(own, near, memory, command)


def test_one_signature_for_all_drivers():
    own, near, memory, command = np.zeros(OWN), np.zeros((3, NEAR)), np.zeros(8), np.zeros(COMMAND)
    own[OWN_SPEED] = 8.0
    call(halve, own, near, memory, command, 5)
    assert command[COMMAND_ACCEL] == 4.0 and memory[0] == 5.0
    call(divide, own, near, memory, command, 1)
    assert command[COMMAND_ACCEL] == np.inf
    assert len(call.signatures) == 1


def test_the_cache_is_found_again():
    code = (
        "from test_driver_pointer import call, halve; import numpy as np\n"
        "call(halve, np.zeros(17), np.zeros((3, 12)), np.zeros(8), np.zeros(2), 1)\n"
        "print(sum(call.stats.cache_hits.values()), halve.cache_hits)"
    )
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
            timeout=600,
        )
    assert done.stdout.split() == ["1", "1"]
