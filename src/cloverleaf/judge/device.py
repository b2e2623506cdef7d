"""Where sweeps run: the processor, or a CUDA device where there is one; else what is missing."""

from __future__ import annotations

from importlib import util

from cloverleaf.types.errors import StudyError, nearest

DEVICES = ("cpu", "cuda")


def choose_device(name: str) -> str:
    """`name` if sweeps can run there. Raises StudyError with what is missing."""
    if name not in DEVICES:
        raise StudyError(f"no device '{name}'", element="--device", hint=nearest(name, DEVICES))
    if name == "cpu":
        return name
    if util.find_spec("numba_cuda") is None:
        raise StudyError(
            "no CUDA: numba-cuda is not installed",
            element="--device",
            hint="pip install 'cloverleaf[cuda]', or --device cpu",
        )
    from numba import cuda

    if not cuda.is_available():
        raise StudyError(
            "no CUDA device found",
            element="--device",
            hint="a driver and a GPU are needed; --device cpu runs everywhere",
        )
    return name
