"""Functions called through their address: a kernel that takes one keeps a single signature whichever function it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from numba.core import config

from cloverleaf.algo.jit import StampedCacheLocator


def pointer(signature: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorator: compile a function for `signature`, cached on disk like a kernel, without reference counting, IEEE division."""

    def compiled(function: Callable[..., Any]) -> Any:
        if config.DISABLE_JIT:
            return function
        before = config.CACHE_LOCATOR_CLASSES
        config.CACHE_LOCATOR_CLASSES = f"{StampedCacheLocator.__module__}.{StampedCacheLocator.__name__}"
        try:
            return numba.cfunc(signature, cache=True, _nrt=False, error_model="numpy")(function)
        finally:
            config.CACHE_LOCATOR_CLASSES = before

    return compiled
