"""Which message is it? Tries every decoder, and weighs what speaks for each reading, in bits of evidence.

A wrong reading of arbitrary bytes seldom uses all of them and re-encodes to the same; a wrong ETSI reading seldom has its own
message id in the header; a wrong 1609.2 reading seldom parses at all. Positions on the globe count a little, what the headers in front of
a message announce counts a lot.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from cloverleaf.link.codec.single import codec
from cloverleaf.link.schemas.catalog import MESSAGES
from cloverleaf.types.errors import DecodeError, EncodeError

MAX_NESTING = 3
MIN_BITS = 4.0
_PADDING = 4096
_TRUNCATED = "message is truncated"
_FILLINGS = (b"\0", b"\xff", b"U", b" ")
_BYTES_PER_BIT, _MOST_CUT = 8.0, 6.0
"""A wrong reading is contradicted after some bytes: so many without contradiction speak for a reading as one bit; and at most."""
_RARER = 5.0
"""Bits against the Chinese envelope where IEEE 1609.2 reads the same bytes: their unsecured forms have the same shape."""
_ASSIGNED = 8.0
_HEADERS = 3.0
"""Bits against headers that nobody knows in front of a message."""
_NO_PLACE = 900_000_001
SAE_NAMES = {
    18: "map", 19: "spat", 20: "bsm", 21: "csr", 22: "eva", 23: "ica", 24: "nmea", 25: "pdm", 26: "pvd", 27: "rsa",
    28: "rtcm", 29: "srm", 30: "ssm", 31: "tim", 32: "psm", 33: "tollad", 34: "tollack", 35: "tollrq", 37: "rwm",
    41: "sdsm",
}  # fmt: skip
"""DSRCmsgID -> short name; the bodies of most are not openly specified and stay opaque."""
EDITIONS = {"csae_day1": "day 1", "csae_day2": "day 2", "ieee1609dot2": "version 3", "sae": "2016 or later"}


class Guess(NamedTuple):
    """One reading of some bytes. `sure` is its share of the evidence among all readings, 0..1."""

    standard: str
    name: str
    sure: float
    bits: float  # evidence over chance
    value: Any
    offset: int  # bytes in front of the message
    inside: tuple[Guess, ...]  # readings of the payload of a secured message
    editions: tuple[str, ...] = ()  # all editions that read the same value
    length: int = 0  # bytes of the message
    cut: bool = False  # the end of the message is missing
    opaque: bool = False  # the body could not be read, only its frame


Prior = Mapping[tuple[str, str], float]
"""(standard, name without edition) -> bits that the surroundings speak for it."""


def guess(data: bytes, nesting: int = 0, prior: Prior | None = None) -> list[Guess]:
    """Readings of `data`, the likeliest first; empty if nothing fits. Editions that read the same value are one reading."""
    found: list[Guess] = []
    for standard, name in frames():
        reading = try_reading(standard, name, data)
        if reading is None:
            continue
        value, bits, length = reading
        seen = _name(standard, name, value)
        if seen is None:
            continue
        short, opaque = seen
        bits += _prior(prior, standard, short)
        if bits >= MIN_BITS:
            payload = _payload(value) if nesting < MAX_NESTING else None
            inside = tuple(guess(payload, nesting + 1, prior)) if payload else ()
            edition = edition_of(standard, name, value)
            found.append(Guess(standard, short, 0.0, bits, value, 0, inside, (edition,), length, False, opaque))
    return shares(merged(found))


def search(data: bytes, most: int = 120) -> list[Guess]:
    """Like `guess`, where headers of unknown length (radio, network, transport) may stand in front of the message."""
    best = guess(data)
    if confidence(best) > 0.5:
        return best
    for offset in range(1, min(most, max(len(data) - 8, 1))):
        here = [g._replace(offset=offset, bits=g.bits - _HEADERS - math.log2(offset + 1)) for g in guess(data[offset:])]
        if here and (not best or here[0].bits > best[0].bits):
            best = here
    return best


def guess_cut(data: bytes, prior: Prior | None = None) -> list[Guess]:
    """Readings of a message whose end is missing: those that nothing contradicts before the bytes run out."""
    found = []
    for standard, name in frames():
        kind = codec(standard, name)
        if kind.message.encoding != "uper":
            continue
        end = _completed(kind, data)
        if end is None:
            continue
        value, missing = end
        seen = _name(standard, name, value)
        if seen is None or seen[1]:
            continue
        bits = (
            2.0
            + min(len(data) / _BYTES_PER_BIT, _MOST_CUT)
            + _header(kind.message.message_id, name, value)
            + _places(value)
        )
        bits += _numbered(value) + _prior(prior, standard, seen[0])
        bits -= math.log2(max(missing / len(data), 1.0))
        edition = edition_of(standard, name, value)
        found.append(Guess(standard, seen[0], 0.0, bits, value, 0, (), (edition,), len(data), True))
    return shares(merged([g for g in found if g.bits >= 1.0]))


def _completed(kind: Any, data: bytes) -> tuple[Any, int] | None:
    """(a value that begins with `data`, bytes at least that are missing), or None: `data` are whole or wrong.

    Zeros are put behind until nothing is missing; where they contradict the schema, ones.
    """
    missing = 0
    while missing <= _PADDING:
        for filling in _FILLINGS if missing else (b"\0",):
            try:
                value = kind.decode(data + filling * missing)
            except DecodeError as error:
                if error.message == _TRUNCATED:
                    break
                continue
            return (value, missing) if missing else None
        else:
            if not missing:
                return None
        missing = 2 * missing or 1
    return None


def prefix_lengths(data: bytes) -> set[int]:
    """Numbers of bytes, fewer than there are, that some reading of the start of `data` would use."""
    readings = [try_reading(standard, name, data) for standard, name in frames()]
    return {r[2] for r in readings if r is not None and r[2] < len(data)}


def merged(found: list[Guess]) -> list[Guess]:
    """Editions of one standard that read the same value as one reading with the evidence of the better one."""
    out: list[Guess] = []
    for g in sorted(found, key=lambda g: -g.bits):
        for i, other in enumerate(out):
            if _family(g.standard) == _family(other.standard) and g.name == other.name and g.value == other.value:
                out[i] = other._replace(editions=(*other.editions, *g.editions))
                break
        else:
            out.append(g)
    return out


def shares(found: list[Guess]) -> list[Guess]:
    """The readings with their shares of the evidence, the best first; chance has a share too."""
    total = 2.0**MIN_BITS + sum(2.0 ** min(g.bits, 60) for g in found)
    return sorted((g._replace(sure=2.0 ** min(g.bits, 60) / total) for g in found), key=lambda g: -g.bits)


def confidence(found: list[Guess]) -> float:
    """Share of the likeliest message type, all its editions together; 0 without readings."""
    if not found:
        return 0.0
    first = (_family(found[0].standard), found[0].name)
    return sum(g.sure for g in found if (_family(g.standard), g.name) == first)


def edition_of(standard: str, name: str, value: Any) -> str:
    """The edition of a reading in words."""
    if standard == "etsi":
        return "release 2" if name.endswith("_r2") or name in ("cpm", "vam") else "release 1"
    return EDITIONS[standard]


def _family(standard: str) -> str:
    return standard.partition("_")[0]


def frames() -> list[tuple[str, str]]:
    """One message for each encoded type of each standard and edition."""
    seen: dict[tuple[str, str, str], tuple[str, str]] = {}
    for standard, messages in MESSAGES.items():
        for kind in messages.values():
            seen.setdefault((kind.file, kind.top, kind.edition), (standard, kind.name))
    return list(seen.values())


def _prior(prior: Prior | None, standard: str, name: str) -> float:
    if not prior:
        return 0.0
    return prior.get((_family(standard), name), 0.0)


def try_reading(standard: str, name: str, data: bytes) -> tuple[Any, float, int] | None:
    """(value, evidence, bytes used) of one reading, or None."""
    kind = codec(standard, name)
    try:
        value = kind.decode(data)
        again = kind.encode(value)
    except (DecodeError, EncodeError):
        return None
    if kind.message.encoding == "uper":
        bits = 10.0 if again == data else -8.0 - min(len(data) - len(again), 40) / 2
        bits += _numbered(value)
    else:
        bits = 16.0 if again == data else -4.0
        bits -= _RARER if standard.startswith("csae") else 0.0
    return value, bits + _header(kind.message.message_id, name, value) + _places(value), min(len(again), len(data))


def _numbered(value: Any) -> float:
    """Evidence of a message id of 15 bits that is one of the few assigned, with a body that fits."""
    frame = value[1] if isinstance(value, list) and value[0] == "msgFrameExt" else value
    if not isinstance(frame, dict) or "messageId" not in frame or not isinstance(frame.get("value"), list):
        return 0.0
    return _ASSIGNED if frame["value"][0] != "_unknown" else 0.0


def _header(message_id: int | None, name: str, value: Any) -> float:
    """Evidence of an ITS PDU header: its message id and version."""
    if not isinstance(value, dict) or "header" not in value:
        return 0.0
    header = value["header"]
    number = header.get("messageID", header.get("messageId"))
    bits = 8.0 if number == message_id else -2.0
    bits += {2: 3.0, 1: 3.0}.get(header["protocolVersion"], -2.0)
    release2 = name.endswith("_r2") or name in ("cpm", "vam")
    return bits - (1.0 if not release2 and "messageId" in header else 0.0)


def _places(value: Any) -> float:
    """Evidence of latitudes: inside the inhabited part of the globe or not."""
    if isinstance(value, dict):
        total = 0.0
        for key, inner in value.items():
            if key in ("lat", "latitude") and isinstance(inner, int) and abs(inner) > 1 << 25:
                total += 1.0 if abs(inner) < 700_000_000 else -2.0 if abs(inner) < _NO_PLACE else 0.0
            else:
                total += _places(inner)
        return max(min(total, 4.0), -5.0)
    if isinstance(value, list):
        return max(min(sum(map(_places, value[:8])), 4.0), -5.0)
    return 0.0


def _name(standard: str, name: str, value: Any) -> tuple[str, bool] | None:
    """(the message's name by the branch of the frame that is in `value`, whether its body stays unread)."""
    kind = MESSAGES[standard][name]
    for other in MESSAGES[standard].values():
        same = (other.file, other.top, other.edition) == (kind.file, kind.top, kind.edition)
        if same and codec(standard, other.name).branch(value) is not None:
            return other.name.removesuffix("_d2").removesuffix("_r2"), False
    if standard == "sae" and isinstance(value, dict):
        known = SAE_NAMES.get(value["messageId"])
        return (known, True) if known else None
    return None


def _payload(value: Any) -> bytes | None:
    """The payload of a secured message that can be read without a key."""
    if isinstance(value, dict) and set(value) == {"version", "payload"}:
        return _chinese_payload(*value["payload"])
    if not isinstance(value, dict) or not isinstance(value.get("content"), list):
        return None
    name, inner = value["content"]
    if name == "unsecuredData":
        return bytes.fromhex(inner["hex"])
    if name == "signedData":
        data = inner["tbsData"]["payload"].get("data")
        return _payload(data) if data else None
    return None


def _chinese_payload(name: str, inner: Any) -> bytes | None:
    """The payload of a Chinese secured message."""
    if name == "unSecuredData":
        return bytes.fromhex(inner["hex"])
    data = inner["tbs"].get("data") if name == "signedData" else None
    return bytes.fromhex(data["hex"]) if data else None
