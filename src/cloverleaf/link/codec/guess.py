"""Which message is it? Tries every decoder, and weighs what speaks for each reading, in bits of evidence.

A wrong reading of arbitrary bytes seldom uses all of them and re-encodes to the same; a wrong ETSI reading seldom has its own
message id in the header; a wrong 1609.2 reading seldom parses at all. Positions on the globe count a little.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from cloverleaf.link.codec.single import codec
from cloverleaf.link.schemas.catalog import MESSAGES
from cloverleaf.types.errors import DecodeError, EncodeError

MAX_NESTING = 3
MIN_BITS = 4.0


class Guess(NamedTuple):
    """One reading of some bytes. `sure` is its share of the evidence among all readings, 0..1."""

    standard: str
    name: str
    sure: float
    bits: float  # evidence over chance
    value: Any
    offset: int  # bytes in front of the message
    inside: tuple[Guess, ...]  # readings of the payload of a secured message


def guess(data: bytes, nesting: int = 0) -> list[Guess]:
    """Readings of `data`, the likeliest first; empty if nothing fits. Editions that read the same share the certainty."""
    found: list[Guess] = []
    seen: set[tuple[str, str, str]] = set()
    for standard, messages in MESSAGES.items():
        for kind in messages.values():
            key = (kind.file, kind.top, kind.edition)
            if key in seen:
                continue
            seen.add(key)
            reading = _try(standard, kind.name, data)
            if reading is None:
                continue
            value, bits = reading
            name = _name(standard, kind.name, value)
            if name is not None and bits >= MIN_BITS:
                inside = (
                    tuple(guess(payload, nesting + 1)) if (payload := _payload(value)) and nesting < MAX_NESTING else ()
                )
                found.append(Guess(standard, name, 0.0, bits, value, 0, inside))
    chance = 2.0**MIN_BITS
    total = chance + sum(2.0 ** min(g.bits, 60) for g in found)
    found = [g._replace(sure=2.0 ** min(g.bits, 60) / total) for g in found]
    return sorted(found, key=lambda g: -g.bits)


def search(data: bytes, most: int = 120) -> list[Guess]:
    """Like `guess`, where headers of unknown length (radio, network, transport) may stand in front of the message."""
    best = guess(data)
    if best and best[0].sure > 0.5:
        return best
    for offset in range(1, min(most, max(len(data) - 8, 1))):
        here = [g._replace(offset=offset, bits=g.bits - math.log2(offset + 1)) for g in guess(data[offset:])]
        if here and (not best or here[0].bits > best[0].bits):
            best = here
    return best


def _try(standard: str, name: str, data: bytes) -> tuple[Any, float] | None:
    """(value, evidence) of one reading, or None."""
    kind = codec(standard, name)
    try:
        value = kind.decode(data)
        again = kind.encode(value)
    except (DecodeError, EncodeError):
        return None
    if kind.message.encoding == "uper":
        bits = 10.0 if again == data else -8.0 - min(len(data) - len(again), 40) / 2
    else:
        bits = 16.0 if again == data else -4.0
    if isinstance(value, dict) and "header" in value:
        header = value["header"]
        number = header.get("messageID", header.get("messageId"))
        bits += 8.0 if number == kind.message.message_id else -2.0
        bits += {2: 3.0, 1: 3.0}.get(header["protocolVersion"], -2.0)
        release2 = name.endswith("_r2") or name in ("cpm", "vam")
        if not release2 and "messageId" in header:
            bits -= 1.0
    return value, bits + _places(value)


def _places(value: Any) -> float:
    """Evidence of latitudes: inside the inhabited part of the globe or not."""
    if isinstance(value, dict):
        total = 0.0
        for key, inner in value.items():
            if key in ("lat", "latitude") and isinstance(inner, int) and abs(inner) > 1 << 25:
                total += 1.0 if abs(inner) < 700_000_000 else -2.0
            else:
                total += _places(inner)
        return max(min(total, 4.0), -8.0)
    if isinstance(value, list):
        return max(min(sum(map(_places, value[:8])), 4.0), -8.0)
    return 0.0


def _name(standard: str, name: str, value: Any) -> str | None:
    """The message's name, by the branch of the frame that is in `value`."""
    kind = MESSAGES[standard][name]
    for other in MESSAGES[standard].values():
        same = (other.file, other.top, other.edition) == (kind.file, kind.top, kind.edition)
        if same and codec(standard, other.name).branch(value) is not None:
            return other.name.removesuffix("_d2")
    return None


def _payload(value: Any) -> bytes | None:
    """The payload of a secured message that can be read without a key."""
    if not isinstance(value, dict) or not isinstance(value.get("content"), list):
        return None
    name, inner = value["content"]
    if name == "unsecuredData":
        return bytes.fromhex(inner["hex"])
    if name == "signedData":
        data = inner["tbsData"]["payload"].get("data")
        return _payload(data) if data else None
    return None


def signature(value: Any) -> str:
    """How a 1609.2 message is secured, in a few words; '' if it is not one."""
    if not isinstance(value, dict) or not isinstance(value.get("content"), list):
        return ""
    name, inner = value["content"]
    if name != "signedData":
        return {"unsecuredData": "unsigned", "encryptedData": "encrypted"}.get(name, name)
    curve, psid = inner["signature"][0].removesuffix("Signature"), inner["tbsData"]["headerInfo"]["psid"]
    return f"signed by {inner['signer'][0]}, {curve}, PSID {psid}"
