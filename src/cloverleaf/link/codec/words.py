"""Words and bit fields in memory by address, a few instructions each: what the generated kernels are made of.

Arrays cost their description (seven words) at every call and byte-wise loads at every window; an address is one register and a
big-endian word one load. All numbers are int64 that hold 64 unsigned bits where that matters. Nothing here checks bounds: the
callers pad their buffers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_BYTE, _WORD = ir.IntType(8), ir.IntType(64)


def _number(value: int) -> Any:
    return ir.Constant(_WORD, value)


def _operation(arguments: int, code: Callable[..., Any], result: Any = types.int64) -> Callable[..., Any]:
    """The typed form of `code(builder, int64 values...)`."""

    def emit(context, builder, signature, values):  # type: ignore[no-untyped-def]
        made = code(builder, *values)
        return context.get_dummy_value() if result is types.void else made

    return lambda *given: (result(*[types.int64] * arguments), emit)


def _bits(k: Any, at: Any, address: Any) -> Any:
    """A load of eight bytes, the first one on top."""
    return k.bswap(k.load(k.inttoptr(k.add(address, at), _WORD.as_pointer()), align=1))


def _byte(k: Any, address: Any) -> Any:
    return k.zext(k.load(k.inttoptr(address, _BYTE.as_pointer()), align=1), _WORD)


def _peek(k: Any, base: Any, position: Any) -> Any:
    return k.shl(_bits(k, k.ashr(position, _number(3)), base), k.and_(position, _number(7)))


def _wide(k: Any, base: Any, position: Any) -> Any:
    inside = k.and_(position, _number(7))
    behind = k.add(k.add(base, k.ashr(position, _number(3))), _number(8))
    return k.or_(_peek(k, base, position), k.lshr(_byte(k, behind), k.sub(_number(8), inside)))


def _place(k: Any, base: Any, position: Any, begun: Any, value: Any, width: Any) -> Any:
    top = k.shl(value, k.and_(k.sub(_number(64), width), _number(63)))
    made = k.or_(begun, k.lshr(top, k.and_(position, _number(7))))
    where = k.add(base, k.ashr(position, _number(3)))
    k.store(k.bswap(made), k.inttoptr(where, _WORD.as_pointer()), align=1)
    return made


def _rest(k: Any, made: Any, position: Any, width: Any) -> Any:
    after = k.ashr(k.add(position, width), _number(3))
    return k.shl(made, k.shl(k.sub(after, k.ashr(position, _number(3))), _number(3)))


def _head(k: Any, base: Any, position: Any) -> Any:
    top = k.shl(_byte(k, k.add(base, k.ashr(position, _number(3)))), _number(56))
    return k.and_(top, k.not_(k.lshr(_number(-1), k.and_(position, _number(7)))))


@intrinsic
def address(context, array):  # type: ignore[no-untyped-def]
    """Where the first element of an array lies."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.ptrtoint(data, _WORD)

    return types.int64(array), code


@intrinsic
def peek(context, base, position):  # type: ignore[no-untyped-def]
    """A word that begins at bit `position` behind `base`; its top 57 bits are there."""
    return _operation(2, _peek)()


@intrinsic
def wide(context, base, position):  # type: ignore[no-untyped-def]
    """As `peek`, all 64 bits."""
    return _operation(2, _wide)()


@intrinsic
def cut(context, word, at, mask):  # type: ignore[no-untyped-def]
    """A field of a word: the bits from `at` up, under a mask."""
    return _operation(3, lambda k, w, at, mask: k.and_(k.lshr(w, k.and_(at, _number(63))), mask))()


@intrinsic
def where(context, mask, bit):  # type: ignore[no-untyped-def]
    """-1 where a bit is set, else 0."""
    return _operation(2, lambda k, m, bit: k.neg(k.and_(k.lshr(m, bit), _number(1))))()


@intrinsic
def above(context, value, top):  # type: ignore[no-untyped-def]
    """Whether a number is above another, unsigned."""
    return _operation(2, lambda k, a, b: k.icmp_unsigned(">", a, b), types.boolean)()


@intrinsic
def verdict(context, code, position, end):  # type: ignore[no-untyped-def]
    """Minus an error code, or -1 where the position is behind the end: the message was cut short."""
    return _operation(3, lambda k, c, q, end: k.select(k.icmp_signed("<=", q, end), k.neg(c), _number(-1)))()


@intrinsic
def join(context, value, width, more):  # type: ignore[no-untyped-def]
    """`more`, of `width` (0..63) bits, behind `value`."""
    return _operation(3, lambda k, a, n, b: k.or_(k.shl(a, n), b))()


@intrinsic
def place(context, base, position, begun, value, width):  # type: ignore[no-untyped-def]
    """Store `value` of `width` (0..57) bits at a position whose byte has `begun`; the word stored."""
    return _operation(5, _place)()


@intrinsic
def rest(context, made, position, width):  # type: ignore[no-untyped-def]
    """The begun byte after `place` of at most 56 bits, on top of a word."""
    return _operation(3, _rest)()


@intrinsic
def head(context, base, position):  # type: ignore[no-untyped-def]
    """The bits of the byte at a position that lie before it, on top of a word."""
    return _operation(2, _head)()


@intrinsic
def octet(context, at):  # type: ignore[no-untyped-def]
    """The byte at an address."""
    return _operation(1, _byte)()


@intrinsic
def set_octet(context, at, value):  # type: ignore[no-untyped-def]
    """Store the low byte of a number at an address."""
    return _operation(
        2, lambda k, at, v: k.store(k.trunc(v, _BYTE), k.inttoptr(at, _BYTE.as_pointer()), align=1), types.void
    )()


@intrinsic
def slot(context, base, offset):  # type: ignore[no-untyped-def]
    """The int64 `offset` bytes behind an address."""
    return _operation(2, lambda k, at, o: k.load(k.inttoptr(k.add(at, o), _WORD.as_pointer()), align=8))()


@intrinsic
def set_slot(context, base, offset, value):  # type: ignore[no-untyped-def]
    """Store an int64 `offset` bytes behind an address."""
    return _operation(
        3, lambda k, at, o, v: k.store(v, k.inttoptr(k.add(at, o), _WORD.as_pointer()), align=8), types.void
    )()
