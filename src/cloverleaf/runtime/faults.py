"""Fault injection at every topic: lost, frozen, delayed, biased or broken values between two moments.

Faults change what readers get, never what the owner wrote. A batch of many cars is one value, so a fault may name the rows that it strikes.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import Any, NamedTuple, get_type_hints

import numpy as np

from cloverleaf.runtime.topics import topic
from cloverleaf.types.errors import StudyError, nearest


class FaultKind(StrEnum):
    """What happens to the values."""

    LOST = "lost"  # readers get nothing
    FROZEN = "frozen"  # the last value before the fault, again and again
    DELAYED = "delayed"  # `amount` s late
    BIASED = "biased"  # `amount` is added to `field`
    BROKEN = "broken"  # `field`, or every float column, is not a number; a whole number becomes the largest one


class Fault(NamedTuple):
    """One fault. `field` names the column of BIASED and BROKEN, `batch.column` inside a batch; `begin` and `end` in s."""

    topic: str
    kind: FaultKind
    begin: float
    end: float = float("inf")
    amount: float = 0.0
    field: str = ""


def checked(fault: Fault) -> Fault:
    """The fault if it can strike its topic. Raises StudyError."""
    row = topic(fault.topic)
    if fault.kind == FaultKind.BIASED and not fault.field:
        raise StudyError(
            "a bias needs the column that it changes", element=f"fault of {fault.topic}", hint="field: ..."
        )
    if fault.field:
        made, *path = row.type, *fault.field.split(".")
        for name in path:
            if name not in getattr(made, "_fields", ()):
                raise StudyError(
                    f"{getattr(made, '__name__', made)} has no column '{name}'", element=f"fault of {fault.topic}",
                    hint=nearest(name, getattr(made, "_fields", ())),
                )  # fmt: skip
            made = get_type_hints(made)[name]
        if hasattr(made, "_fields"):
            raise StudyError(
                f"'{fault.field}' is a batch",
                element=f"fault of {fault.topic}",
                hint=f"{fault.field}.{made._fields[0]}",
            )
    if fault.kind == FaultKind.DELAYED and not fault.amount > 0.0:
        raise StudyError("a delay is longer than 0 s", element=f"fault of {fault.topic}")
    return fault


class Injector:
    """Passes values of topics through the faults of a run; call it once for every topic and tick."""

    def __init__(self, faults: tuple[Fault, ...] = ()) -> None:
        self.faults = tuple(checked(f) for f in faults)
        self._past: dict[str, deque[tuple[float, Any]]] = {f.topic: deque() for f in self.faults}
        self._kept = {name: max((f.amount for f in self.faults if f.topic == name), default=0.0) for name in self._past}
        self._frozen: dict[int, Any] = {}

    def __call__(self, name: str, value: Any, t: float) -> Any:
        """What readers of topic `name` get at time `t` instead of `value`; None for nothing."""
        if name not in self._past:
            return value
        past = self._past[name]
        past.append((t, copied(value)))
        while len(past) > 2 and past[1][0] <= t - self._kept[name]:
            past.popleft()
        for number, fault in enumerate(self.faults):
            if fault.topic != name or not fault.begin <= t < fault.end:
                self._frozen.pop(number, None)
                continue
            if value is None or fault.kind == FaultKind.LOST:
                return None
            if fault.kind == FaultKind.FROZEN:
                value = self._frozen.setdefault(number, past[-2][1] if len(past) > 1 else copied(value))
            elif fault.kind == FaultKind.DELAYED:
                older = [v for at, v in past if at <= t - fault.amount + 1e-9]
                value = older[-1] if older else None
            else:
                value = _changed(value, fault)
        return value


def copied(value: Any) -> Any:
    """A NamedTuple of columns with arrays of its own: the owner may reuse the ones it wrote."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(copied(part) for part in value))
    return value


def _changed(value: Any, fault: Fault, path: tuple[str, ...] | None = None) -> Any:
    """The value with the column at `path` changed: without one, every float column, those of batches inside included."""
    if path is None:
        path = tuple(fault.field.split(".")) if fault.field else ()
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f":
            return np.full_like(value, np.nan) if fault.kind == FaultKind.BROKEN else value + fault.amount
        if not fault.field:
            return value
        if fault.kind == FaultKind.BROKEN:
            return np.full_like(value, np.iinfo(value.dtype).max)
        return (value + np.int64(round(fault.amount))).astype(value.dtype)
    if not hasattr(value, "_fields"):
        return value
    names = path[:1] or value._fields
    return value._replace(**{name: _changed(getattr(value, name), fault, path[1:]) for name in names})
