"""Jobs of a sweep on a Ray cluster: `--workers ray://host:port`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from cloverleaf.types.errors import StudyError

Job = TypeVar("Job")
Result = TypeVar("Result")


def on_ray(run: Callable[[Job], Result], jobs: list[Job], address: str) -> Iterator[tuple[Job, Result]]:
    """Each job with what `run` makes of it, as they finish. Raises StudyError without ray or a cluster."""
    try:
        import ray  # type: ignore[import-not-found]
    except ImportError as error:
        raise StudyError("Ray is not installed", element="--workers", hint="pip install 'cloverleaf[ray]'") from error

    try:
        if not ray.is_initialized():  # a session that is open already, as in a notebook on the cluster, is used
            ray.init(address=address, log_to_driver=False)
    except (ConnectionError, OSError, RuntimeError) as error:
        reason = (str(error).splitlines() or ["no answer"])[0]
        raise StudyError(f"no Ray cluster at {address}: {reason}", element="--workers",
                         hint="is it up, and does it have cloverleaf of the same version?") from error  # fmt: skip
    remote = ray.remote(run)
    waiting = {remote.remote(job): job for job in jobs}
    while waiting:
        finished, _ = ray.wait(list(waiting))
        for reference in finished:
            yield waiting.pop(reference), ray.get(reference)
