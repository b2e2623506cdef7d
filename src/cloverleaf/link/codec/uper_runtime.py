"""What the generated UPER code calls: the parts of X.691 that are not straight bit fields.

Readers take `(n, r)`: the bits as one integer and how many of them are still unread, and return the value and the new `r`.
A read past the end shifts by a negative count, which Python reports as ValueError: bounds checks cost nothing.
Writers take and return the bits so far behind a one, which therefore know their number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cloverleaf.link.schemas.nodes import Size
from cloverleaf.types.errors import DecodeError

TRIM = 120
"""Bits that may stay above the unread ones."""
BLOCK = 1 << 1000
"""Items are gathered in blocks a little longer than this."""
_DIGITS = " 0123456789"


def out_of_range(r: int, what: str = "value out of range") -> DecodeError:
    """The error for a bit pattern that the type excludes; `r` bits were unread."""
    return DecodeError(what, offset_bits=-r)


def read_length(n: int, r: int) -> tuple[int, int]:
    """General length determinant (X.691 11.9.3.6); fragmented lengths (>= 16384) are refused."""
    first = n >> (r := r - 8) & 255
    if first < 128:
        return first, r
    if first >= 192:
        raise out_of_range(r, "fragmented length")
    return (first & 63) << 8 | n >> (r := r - 8) & 255, r


def length(count: int) -> tuple[int, int]:
    """(bits, width) of the general length determinant of `count` < 16384."""
    if count < 128:
        return count, 8
    if count < 16384:
        return 0x8000 | count, 16
    raise ValueError(f"length {count} needs fragmentation")


def read_small(n: int, r: int) -> tuple[int, int]:
    """Normally small non-negative number (X.691 11.6)."""
    head = n >> (r := r - 7) & 127
    if head < 64:
        return head, r
    r += 6  # only the leading 1 belongs to this form
    octets, r = read_length(n, r)
    return n >> (r := r - 8 * octets) & (1 << 8 * octets) - 1, r


def small_number(value: int) -> tuple[int, int]:
    """(bits, width) of a normally small non-negative number."""
    if value < 64:
        return value, 7
    octets = (value.bit_length() + 7) // 8
    bits, width = length(octets)
    return (1 << width | bits) << 8 * octets | value, 1 + width + 8 * octets


def read_integer(n: int, r: int, low: int | None) -> tuple[int, int]:
    """Unconstrained (`low` None) or semi-constrained integer: length, then octets."""
    octets, r = read_length(n, r)
    if octets == 0:
        raise out_of_range(r, "integer without octets")
    value = n >> (r := r - 8 * octets) & (1 << 8 * octets) - 1
    if low is not None:
        return value + low, r
    if value >> (8 * octets - 1):
        value -= 1 << 8 * octets
    return value, r


def write_integer(a: int, value: int, low: int | None) -> int:
    """Shortest form of an unconstrained or semi-constrained integer."""
    if low is not None:
        value -= low
        if value < 0:
            raise ValueError("below the lower bound")
        octets = max(1, (value.bit_length() + 7) // 8)
    else:
        octets = (value + (value < 0)).bit_length() // 8 + 1
    bits, width = length(octets)
    return (a << width | bits) << 8 * octets | value & (1 << 8 * octets) - 1


def size_widths(size: Size) -> int | None:
    """Bits of the constrained length of `size`; None where the general determinant is used."""
    if size.high is None or size.high >= 65536:
        return None
    return (size.high - size.low).bit_length()


def read_size(n: int, r: int, low: int, high: int | None, width: int | None, size: Size) -> tuple[int, int]:
    """The length of a string or list, with the extension bit where the size is extensible."""
    if size.extensible and n >> (r := r - 1) & 1:
        count, r = read_length(n, r)
        if not size.admits(count):
            raise out_of_range(r, "length out of range")
        return count, r
    if width is None:
        count, r = read_length(n, r)
    elif width == 0:
        return low, r
    else:
        count = low + (n >> (r := r - width) & (1 << width) - 1)
    if count < low or (high is not None and count > high):
        raise out_of_range(r, "length out of range")
    return count, r


def write_size(a: int, count: int, low: int, high: int | None, width: int | None, size: Size) -> int:
    """The length of a string or list."""
    inside = count >= low and (high is None or count <= high)
    if not inside and not (size.extensible and size.admits(count)):
        raise ValueError(f"length {count} is outside {low}..{'' if high is None else high}")
    if size.extensible:
        a = a << 1 | (not inside)
    bits, used = length(count) if width is None or not inside else (count - low, width)
    return a << used | bits


def read_text(n: int, r: int, alphabet: str, count: int) -> tuple[str, int]:
    """`count` characters of 7 (ia5) or 4 (digits) bits, or `count` octets of UTF-8."""
    if alphabet == "utf8":
        raw = (n >> (r := r - 8 * count) & (1 << 8 * count) - 1).to_bytes(count, "big")
        return raw.decode("utf-8"), r
    width = 7 if alphabet == "ia5" else 4
    block = n >> (r := r - width * count) & (1 << width * count) - 1
    codes = [block >> s & (1 << width) - 1 for s in range(width * (count - 1), -1, -width)]
    return "".join(map(chr, codes)) if width == 7 else "".join([_DIGITS[c] for c in codes]), r


def write_text(value: str, alphabet: str) -> tuple[int, int, int]:
    """(bits, width, length) of a character string."""
    if alphabet == "utf8":
        raw = value.encode("utf-8")
        return int.from_bytes(raw, "big"), 8 * len(raw), len(raw)
    width, block = (7 if alphabet == "ia5" else 4), 0
    for character in value:
        code = ord(character) if width == 7 else _DIGITS.index(character)
        if code >> width:
            raise ValueError(f"character {character!r} is not in the alphabet")
        block = block << width | code
    return block, width * len(value), len(value)


def read_many(item: Callable[[int, int], tuple[Any, int]], n: int, r: int, count: int) -> tuple[list[Any], int]:
    """`count` items. Bits that are read already are cut off now and then: a shift costs as much as what stays above it."""
    found: list[Any] = []
    keep = found.append
    top = n.bit_length()
    for _ in range(count):
        if top - r > TRIM:
            n &= (1 << r) - 1
            top = r
        value, r = item(n, r)
        keep(value)
    return found, r


def read_open(n: int, r: int) -> tuple[int, int, int]:
    """The content of an open type as (bits, width), and the new `r`."""
    octets, r = read_length(n, r)
    return n >> (r := r - 8 * octets) & (1 << 8 * octets) - 1, 8 * octets, r


def write_open(a: int, content: int) -> int:
    """Bits padded to octets behind their length; an empty value is one zero octet."""
    raw = finish(content)
    bits, used = length(len(raw))
    return (a << used | bits) << 8 * len(raw) | int.from_bytes(raw, "big")


def hex_of(n: int, r: int, count: int) -> tuple[dict[str, str], int]:
    """`count` octets as a JSON value."""
    block = n >> (r := r - 8 * count) & (1 << 8 * count) - 1
    return {"hex": f"{block:0{2 * count}x}" if count else ""}, r


def bits_of(n: int, r: int, count: int) -> tuple[dict[str, object], int]:
    """`count` bits as a JSON value, padded to octets."""
    block = n >> (r := r - count) & (1 << count) - 1
    pad = -count % 8
    return {"hex": f"{block << pad:0{(count + 7) // 8 * 2}x}" if count else "", "bits": count}, r


def bits_in(value: dict[str, Any]) -> tuple[int, int]:
    """(bits, width) of a JSON value `{"hex": ..., "bits": n}`."""
    raw, count = bytes.fromhex(value["hex"]), value["bits"]
    if len(raw) != (count + 7) // 8 or len(value) != 2:
        raise ValueError("a bit string is {'hex': ..., 'bits': n} of matching length")
    block = int.from_bytes(raw, "big")
    if block & (1 << -count % 8) - 1:
        raise ValueError("pad bits must be zero")
    return block >> -count % 8, count


def bad_value() -> None:
    """Refuse a value; `explain` names it."""
    raise ValueError


def plain_integer(value: Any) -> int:
    """`value` if it is an integer, which bool is not here."""
    if type(value) is not int:
        raise TypeError("not an integer")
    return value


def finish(a: int) -> bytes:
    """The bits as octets, padded with zeros; one octet at least."""
    if type(a) is not int:  # an integer type of another library crept in
        raise TypeError("not an integer")
    width = a.bit_length() - 1
    octets = (width + 7) >> 3 or 1
    return (a << 8 * octets - width).to_bytes(octets + 1, "big")[1:]


def glue(a: int, more: int) -> int:
    """Bits behind bits."""
    width = more.bit_length() - 1
    return (a - 1 << width) + more


def write_many(a: int, item: Callable[[int, Any], int], values: list[Any]) -> int:
    """All items, merged in blocks so that long lists stay close to linear."""
    blocks: list[int] = []
    more = 1
    for value in values:
        more = item(more, value)
        if more > BLOCK:
            blocks.append(more)
            more = 1
    for block in blocks:
        a = glue(a, block)
    return glue(a, more)
