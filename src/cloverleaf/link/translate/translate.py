"""Translate one message: its value in one standard to those of another, and what this message loses on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, NamedTuple

from cloverleaf.link.codec.single import codec
from cloverleaf.link.life.map_parts import Assembly, divide, join
from cloverleaf.link.messages import Record, read, write
from cloverleaf.link.messages.records import MapMessage, RoadInformation, SignalPhaseAndTiming
from cloverleaf.link.translate.capability import carries
from cloverleaf.types.errors import EncodeError

_UNCHANGED = 1e-9


class Translation(NamedTuple):
    """The messages that a message became, and what they do not carry."""

    record: Record
    messages: list[tuple[str, bytes]]  # (name, bytes)
    unread: list[str]  # paths of the source value that no record holds
    lost: list[str]  # fields of the record that do not arrive


def translate(
    standard: str,
    name: str,
    data: bytes,
    target: str,
    *,
    now: float = 0.0,
    phase_offset: int = 0,
    assembly: Assembly | None = None,
) -> Translation:
    """Translate bytes of `standard` to `target`; a map that is larger than a packet there becomes several messages.

    Args:
        now: s since 1970, to which the wire's short clocks are resolved.
        phase_offset: added to phase numbers (CSAE counts from 0 where signal groups of ETSI and SAE begin at 1).
        assembly: collects numbered parts of maps: all but the last become no message, the last one the whole map. None takes each part
            for itself.

    Raises:
        DecodeError: the bytes are not this message.
        EncodeError: the target cannot express it.
        InputError: no such standard or record.
    """
    value = codec(standard, name).decode(data)
    record = read(standard, name, value, now)
    whole: Record | None = record
    if assembly is not None and isinstance(record, MapMessage) and record.part is not None:
        whole = assembly.hear(record)
    if whole is None:
        return Translation(record, [], unread(standard, record, value), [])
    sent = shift_phases(whole, phase_offset) if phase_offset else whole
    if isinstance(sent, RoadInformation) and sent.time is None:
        sent = replace(sent, time=now)  # an RSI need not say when it was sent
    if standard.startswith("csae") and not target.startswith("csae") and 0 in groups(sent):
        raise EncodeError("phase 0 is no signal group", hint="shift phase numbers: --phase-offset 1")
    messages, arrived = [], []
    for part in _parts(sent, target):
        for made, content in write(part, target):
            messages.append((made, codec(target, made).encode(content)))
            arrived.append(read(target, made, content, now))
    if len(arrived) > 1 and isinstance(sent, MapMessage):
        arrived = [join([a for a in arrived if isinstance(a, MapMessage)])]
    return Translation(
        record, messages, unread(standard, record, value), sorted(set(missing(sent, arrived, target.partition("_")[0])))
    )


def _parts(record: Record, target: str) -> list[Record]:
    """A map in parts that fit a packet each, where they can be made; anything else whole."""
    if not isinstance(record, MapMessage):
        return [record]
    try:
        return [*divide(record, target)]
    except EncodeError:
        return [record]


def shift_phases(record: Record, by: int) -> Record:
    """The record with all phase numbers (signal groups) shifted."""
    if isinstance(record, SignalPhaseAndTiming):
        rows = tuple(
            replace(i, phases=tuple(replace(p, group=p.group + by) for p in i.phases)) for i in record.intersections
        )
        return replace(record, intersections=rows)
    if isinstance(record, MapMessage):
        return _deep(record, by)  # type: ignore[no-any-return]
    return record


def groups(record: Record) -> set[int]:
    """Phase numbers (signal groups) of a record."""
    if isinstance(record, SignalPhaseAndTiming):
        return {p.group for i in record.intersections for p in i.phases}
    if isinstance(record, MapMessage):
        lanes = (lane for i in record.intersections for a in i.approaches for lane in a.lanes)
        return {c.group for lane in lanes for c in lane.connections if c.group is not None}
    return set()


def _deep(value: Any, by: int) -> Any:
    """A map with the signal groups of all its connections shifted."""
    if isinstance(value, tuple):
        return tuple(_deep(v, by) for v in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    changed = {f.name: _deep(getattr(value, f.name), by) for f in fields(value)}
    if changed.get("group") is not None:
        changed["group"] += by
    return replace(value, **changed)


def unread(standard: str, record: Record, value: Any) -> list[str]:
    """Paths in a message value that its record does not hold: those missing after writing the record in the same standard."""
    try:
        again = [content for _, content in write(record, standard)]
    except EncodeError:
        return []
    kept = {path for content in again for path in leaves(content)}
    return sorted({path for path in leaves(value) if path not in kept})


def leaves(value: Any, path: str = "") -> Iterator[str]:
    """Paths of everything in a value, list positions left out."""
    if isinstance(value, dict):
        if set(value) <= {"hex", "bits"}:
            yield path
            return
        for key, inner in value.items():
            yield from leaves(inner, f"{path}/{key}")
    elif isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):
        yield from leaves(value[1], f"{path}/{value[0]}")
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, path)
    else:
        yield path


def missing(before: Any, after: list[Any], family: str, path: str = "") -> Iterator[str]:
    """Fields of a record that hold something before, and that `family` does not carry or that are empty in all of the records after."""
    for f in fields(before):
        value = getattr(before, f.name)
        here = f"{path}{f.name}"
        if _empty(value):
            continue
        arrived = [getattr(a, f.name) for a in after if hasattr(a, f.name)]
        if all(_empty(a) for a in arrived) or not carries(type(before), f.name, family):
            yield here
        elif isinstance(value, tuple) and is_dataclass(value[0]):
            inner = [v for a in arrived if isinstance(a, tuple) for v in a]
            if len(inner) < len(value):
                yield f"{here}: {len(value) - len(inner)} of {len(value)}"
            for item, there in zip(value, inner):
                yield from missing(item, [there], family, f"{here}.")
        elif is_dataclass(value):
            yield from missing(value, [a for a in arrived if a is not None], family, f"{here}.")


def _empty(value: Any) -> bool:
    return value is None or value == () or value == frozenset() or value is False
