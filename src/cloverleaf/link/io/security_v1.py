"""The security envelope of TS 103 097 versions 1.1.1 and 1.2.1, which deployments before 2018 used: taken apart, never judged.

Version byte; (1.1.1 only: a profile byte); header fields; payload field(s); trailer fields. Lists have a length in one or more bytes, whose
leading ones say how many follow.
"""

from __future__ import annotations

from typing import NamedTuple

from cloverleaf.types.errors import DecodeError

_SIGNER = {0: "self", 1: "digest", 2: "certificate", 3: "certificate chain", 4: "other digest"}
_FIXED = {0: 8, 1: 9, 2: 4, 3: 10}
"""Header fields of fixed size: generation time (with confidence), expiry, generation location."""
_SIGNER_INFO, _AID = 128, 5
_FORMS = {0: "unsecured", 1: "signed", 2: "encrypted", 3: "signed external", 4: "signed and encrypted"}


class OldSecurity(NamedTuple):
    """An envelope taken apart."""

    version: int
    form: str  # unsecured, signed, encrypted, ...
    signer: str  # how the signer is named, empty if that could not be read
    aid: int  # ITS-AID, 0 if not given
    payload: bytes


def open_old_envelope(data: bytes) -> OldSecurity:
    """Take an envelope apart.

    Raises:
        DecodeError: another version, cut short, or an encrypted payload.
    """
    if not data or data[0] not in (1, 2):
        raise DecodeError("a security envelope of a version that is not known")
    at = 1 if data[0] == 2 else 2
    size, at = _length(data, at)
    header, at = data[at : at + size], at + size
    signer, aid = _header(header)
    if data[0] == 1:
        _, at = _length(data, at)
    if at >= len(data):
        raise DecodeError("the security envelope is cut short", offset_bits=8 * at)
    form, (size, begin) = data[at], _length(data, at + 1)
    payload = data[begin : begin + size]
    if form not in _FORMS or len(payload) < size:
        raise DecodeError("the secured payload is cut short or of no known form", offset_bits=8 * at)
    if form in (2, 4):
        raise DecodeError("the payload is encrypted", offset_bits=8 * at)
    return OldSecurity(data[0], _FORMS[form], signer, aid, payload)


def _length(data: bytes, at: int) -> tuple[int, int]:
    """(value, position behind it) of a length whose leading ones say how many bytes follow."""
    if at >= len(data):
        raise DecodeError("a length is cut short", offset_bits=8 * at)
    ones = 0
    while ones < 8 and data[at] << ones & 0x80:
        ones += 1
    if ones > 4 or at + ones >= len(data):
        raise DecodeError("a length of too many bytes", offset_bits=8 * at)
    raw = int.from_bytes(data[at : at + 1 + ones], "big")
    return raw & (1 << 8 * (ones + 1) - ones - 1) - 1, at + 1 + ones


def _header(header: bytes) -> tuple[str, int]:
    """(form of the signer, ITS-AID) as far as the fields can be walked; a certificate in the middle ends the walk."""
    signer, aid, at = "", 0, 0
    try:
        while at < len(header):
            kind, at = header[at], at + 1
            if kind in _FIXED:
                at += _FIXED[kind]
            elif kind == _AID:
                aid, at = _length(header, at)
            elif kind == _SIGNER_INFO:
                signer = _SIGNER.get(header[at], "")
                if header[at] != 1:
                    break
                at += 9
            else:
                break
    except (IndexError, DecodeError):
        pass
    return signer, aid
