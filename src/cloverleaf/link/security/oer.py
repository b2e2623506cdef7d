"""The few COER forms that signed envelopes need: lengths, integers, and a reader that never runs over the end."""

from __future__ import annotations

from cloverleaf.types.errors import DecodeError


def length(n: int) -> bytes:
    """Length determinant."""
    if n < 128:
        return bytes([n])
    size = (n.bit_length() + 7) // 8
    return bytes([0x80 | size]) + n.to_bytes(size, "big")


def octets(value: bytes) -> bytes:
    """OCTET STRING or open type of any length."""
    return length(len(value)) + value


def unsigned(value: int) -> bytes:
    """INTEGER (0..MAX): length, then the fewest bytes."""
    return octets(value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


class Reader:
    """A cursor over bytes; every step raises DecodeError where the input ends too early."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def take(self, n: int) -> bytes:
        """The next `n` bytes."""
        at = self.at
        part = self.data[at : at + n]
        if n < 0 or len(part) != n:
            raise DecodeError("the envelope ends too early", offset_bits=8 * at)
        self.at = at + n
        return part

    def byte(self) -> int:
        """The next byte."""
        at = self.at
        if at >= len(self.data):
            raise DecodeError("the envelope ends too early", offset_bits=8 * at)
        self.at = at + 1
        return self.data[at]

    def integer(self, n: int) -> int:
        """An unsigned integer of `n` bytes."""
        return int.from_bytes(self.take(n), "big")

    def signed(self, n: int) -> int:
        """A signed integer of `n` bytes."""
        return int.from_bytes(self.take(n), "big", signed=True)

    def length(self) -> int:
        """A length determinant of at most four bytes."""
        first = self.byte()
        if first < 128:
            return first
        if not 0x81 <= first <= 0x84:
            raise DecodeError("a length of no or too many bytes", offset_bits=8 * self.at)
        return self.integer(first & 0x7F)

    def octets(self) -> bytes:
        """An OCTET STRING or open type."""
        return self.take(self.length())

    def unsigned(self) -> int:
        """INTEGER (0..MAX) of at most eight bytes."""
        value = self.octets()
        if not 1 <= len(value) <= 8:
            raise DecodeError("an integer of no or too many bytes", offset_bits=8 * self.at)
        return int.from_bytes(value, "big")

    def expect(self, value: int, what: str) -> None:
        """The next byte must be `value`."""
        if self.byte() != value:
            raise DecodeError(f"{what} is not supported", offset_bits=8 * (self.at - 1))

    def count(self) -> int:
        """Number of elements of a SEQUENCE OF."""
        size = self.length()
        if size > 2:
            raise DecodeError("a list of too many elements", offset_bits=8 * self.at)
        return self.integer(size)
