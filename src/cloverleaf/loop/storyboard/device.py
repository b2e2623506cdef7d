"""Worlds on a CUDA device: one thread steps one world with the engine's own `run_worlds`.

The same operations in the same order as on the processor, but multiplications and additions may be fused and sine and cosine are the
device's: results agree closely, not bit for bit.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import cuda
from numpy.typing import NDArray

from cloverleaf.algo.cuda import by_reference, device_function
from cloverleaf.loop.storyboard.run import OUT_END, run_worlds
from cloverleaf.loop.storyboard.state import State

THREADS = 64
CHUNK = 500
"""Steps of one launch: short enough for a device that also draws a screen."""
FIRST, STEPS, STATE, OUTCOME, BROKEN, TRACE, OWN, NEAR, SEEN = 6, 9, 13, 14, 15, 16, 17, 18, 19
"""Places in the arguments of the launched kernel: those of `run_worlds` without the two functions."""


@lru_cache(maxsize=8)
def launched(act: Any, see: Any) -> Any:
    """The CUDA kernel for a driver and an observer (functions under `@driver`): not compiled before it is called."""
    made: dict[Any, Any] = {}
    run, drive, watch = (device_function(f, made) for f in (run_worlds, act, see))

    def step_on_device(
        p, value, m, g, n, limit, first, dt, until, steps, watched, sees, every, st, outcome, broken, trace, own, near, seen, done
    ):  # type: ignore[no-untyped-def]  # fmt: skip
        w = cuda.grid(1)
        if w < value.shape[0]:
            e = w + 1
            alone = State(
                st.clock[w:e], st.actor[w:e], st.element[w:e], st.condition[w:e], st.asked[w:e], st.running[w:e], st.delayed[w:e],
                st.variable[w:e], st.path[w:e], st.scratch[w:e], st.command[w:e], st.memory[w:e], st.log[w:e],
            )  # fmt: skip
            done[w] += run(
                drive, watch, by_reference(p), value[w:e], by_reference(m), by_reference(g), by_reference(n), limit, first, dt, until,
                steps, watched, sees, every, alone, outcome[w:e], broken[w:e], trace[w:e], own[w], near[w], seen[w:e],
            )  # fmt: skip

    return cuda.jit(step_on_device)


def device_arguments(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Arguments of `run_worlds` after its two functions, as the launched kernel takes them: what entities see has a row per world, and a
    column counts each world's actor-steps."""
    worlds = len(arguments[OUTCOME])
    own, near = (np.zeros((worlds, *arguments[k].shape)) for k in (OWN, NEAR))
    return (*arguments[:OWN], own, near, arguments[SEEN], np.zeros(worlds, np.int64))


def _carry(value: Any) -> Any:
    """Arrays, alone or in a NamedTuple, on the device."""
    if isinstance(value, tuple):
        return type(value)(*map(_carry, value))
    return cuda.to_device(np.ascontiguousarray(value)) if isinstance(value, np.ndarray) else value


def run_on_device(act: Any, see: Any, *arguments: Any) -> int:
    """`run_worlds` on a CUDA device, with its arguments. The results are written where it would write them; returns the actor-steps."""
    host = device_arguments(arguments)
    there = [_carry(x) for x in host]
    kernel, worlds, left = launched(act, see), len(host[OUTCOME]), int(host[STEPS])
    while True:
        there[STEPS] = np.int64(min(left, CHUNK))
        kernel[(worlds + THREADS - 1) // THREADS, THREADS](*there)
        left -= CHUNK
        there[FIRST] = np.int64(-1)  # Init has run
        if left <= 0 or ((there[OUTCOME].copy_to_host()[:, OUT_END] != 0.0) | host[BROKEN]).all():
            break
    for k in (OUTCOME, TRACE, SEEN):
        _bring(there[k], host[k])
    for back, here in zip(there[STATE], host[STATE]):
        _bring(back, here)
    return int(there[-1].copy_to_host().sum())


def _bring(there: Any, here: NDArray[Any]) -> None:
    """Copy an array back from the device."""
    if here.size:
        here[...] = there.copy_to_host()
