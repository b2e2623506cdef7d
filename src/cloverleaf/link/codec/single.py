"""One message at a time: dict in, bytes out, and back. Value forms: a SEQUENCE is a dict without its absent fields, a CHOICE
`[alternative, value]`, an ENUMERATED its name, a BIT STRING `{"hex", "bits"}`, an OCTET STRING `{"hex"}`, an open type
`[type name, value]` or `["_unknown", {"hex"}]`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from cloverleaf.link.codec.explain import explain
from cloverleaf.link.schemas.catalog import Message, message
from cloverleaf.types.errors import DecodeError, EncodeError

Value = Any
_REFUSALS = (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError)


class Codec:
    """Encoder and decoder of one message type, compiled from its schema on first use."""

    def __init__(self, kind: Message) -> None:
        self.message = kind
        self._decoders: dict[bool, Callable[[bytes], Value]] = {}
        self._encoder: Callable[[Value], bytes] | None = None

    def decode(self, data: bytes, *, keep_unknown: bool = False) -> Value:
        """The value in `data`; anything that is not a valid message of this type raises DecodeError.

        Bytes behind the message are ignored. Unknown extension additions are skipped by their length; with `keep_unknown`
        a sequence gets them as `"_unknown": [[index, {"hex"}], ...]`, which only reading returns.
        """
        decoder = self._decoders.get(keep_unknown)
        if decoder is None:
            decoder = self._decoders[keep_unknown] = _make_decoder(self.message, keep_unknown)
        try:
            return decoder(data)
        except DecodeError as error:
            if error.offset_bits < -1:
                error.offset_bits += 8 * len(data)
            raise
        except (ValueError, IndexError) as error:
            raise DecodeError(_reason(error)) from None
        except (MemoryError, RecursionError, OverflowError):
            raise DecodeError("nested too deep or too large") from None

    def encode(self, value: Value) -> bytes:
        """The bytes of `value`; a value that the type cannot express raises EncodeError with its path."""
        if self._encoder is None:
            self._encoder = _make_encoder(self.message)
        try:
            return self._encoder(value)
        except (*_REFUSALS, RecursionError):
            path, reason = explain(self.message.type(), value) or ("", "value cannot be expressed")
            raise EncodeError(reason, path=path) from None

    def branch(self, value: Value) -> Value:
        """The body of the message inside `value`, or None if it is another message of the same frame."""
        for step in self.message.select:
            if isinstance(value, dict) and step in value:
                value = value[step]
            elif isinstance(value, dict) and isinstance(value.get("value"), list) and value["value"][0] == step:
                value = value["value"][1]
            elif isinstance(value, list) and len(value) == 2 and value[0] == step:
                value = value[1]
            else:
                return None
        return value


def _reason(error: Exception) -> str:
    if isinstance(error, IndexError):
        return "index out of range"
    return "message is truncated" if "negative shift" in str(error) else str(error)


def _make_decoder(kind: Message, keep_unknown: bool) -> Callable[[bytes], Value]:
    if kind.encoding == "coer":
        from cloverleaf.link.codec.coer import decoder

        return decoder(kind.type(), keep_unknown)
    from cloverleaf.link.codec.uper_decode import DecoderSource

    source = DecoderSource(keep_unknown)
    read = source.build(kind.type())
    number = int.from_bytes
    second: list[Callable[[int, int], tuple[Value, int]]] = []

    def decode(data: bytes) -> Value:
        try:
            return read(number(data, "big"), 8 * len(data))[0]
        except (DecodeError, ValueError, IndexError):
            # an addition whose length was damaged may still be read by its content
            if not source.has_additions:
                raise
            if not second:
                second.append(DecoderSource(keep_unknown, trust_content=True).build(kind.type()))
            try:
                return second[0](number(data, "big"), 8 * len(data))[0]
            except (DecodeError, ValueError, IndexError):
                pass
            raise

    return decode


def _make_encoder(kind: Message) -> Callable[[Value], bytes]:
    if kind.encoding == "coer":
        from cloverleaf.link.codec.coer import encoder

        return encoder(kind.type())
    from cloverleaf.link.codec.uper_encode import EncoderSource

    return EncoderSource().build(kind.type())


@cache
def codec(standard: str, name: str) -> Codec:
    """The codec of a message; messages that share a frame share its compiled code."""
    kind = message(standard, name)
    for other in _shared:
        if other.message[2:4] == kind[2:4] and other.message.edition == kind.edition:
            twin = Codec(kind)
            twin._decoders, twin._encoder = other._decoders, None
            return twin
    made = Codec(kind)
    _shared.append(made)
    return made


_shared: list[Codec] = []
