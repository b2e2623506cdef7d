"""The two signature algorithms: ECDSA over P-256 with SHA-256, and SM2 with SM3.

A signature is `(r, s)` as 64 bytes; a public key is a compressed point, 33 bytes (0x02 or 0x03, then x). ECDSA goes through the
`cryptography` package; SM2 through OpenSSL's libcrypto (`sm2.py`), where that exists.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    encode_dss_signature,
)

from cloverleaf.link.security import sm2
from cloverleaf.types.errors import SecurityError

_P256 = ec.SECP256R1()
VERIFY = ec.ECDSA(Prehashed(hashes.SHA256()))
SIGN = ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True)  # RFC 6979: same run, same bytes


class Algorithm(NamedTuple):
    """One signature algorithm. `sign(private, parts...)` and `verify` take the message as IEEE 1609.2 hashes it:

    hash(hash(data) || hash(signer input)).
    """

    name: str
    hash: Callable[[bytes], bytes]
    generate: Callable[[int], Any]  # secret integer -> private key object
    public: Callable[[Any], bytes]  # private key object -> compressed point
    sign: Callable[[Any, bytes, bytes], bytes]  # key, data, signer input -> r || s
    verify: Callable[[bytes, bytes, bytes, bytes], bool]  # point, r || s, data, signer input


def sha256(data: bytes) -> bytes:
    """SHA-256, 32 bytes."""
    return hashlib.sha256(data).digest()


def sm3(data: bytes) -> bytes:
    """SM3 (GB/T 32905), 32 bytes."""
    h = hashes.Hash(hashes.SM3())
    h.update(data)
    return h.finalize()


@lru_cache(maxsize=8192)
def p256_point(point: bytes) -> ec.EllipticCurvePublicKey:
    """A public key from its compressed point.

    Raises:
        SecurityError: the point is not on the curve.
    """
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_P256, point)
    except ValueError as error:
        raise SecurityError("point is not on the curve", reason="bad_key") from error


def p256_sign_digest(key: ec.EllipticCurvePrivateKey, digest: bytes) -> bytes:
    """ECDSA over a 32-byte digest: r || s."""
    return raw_signature(key.sign(digest, SIGN))


def raw_signature(der: bytes) -> bytes:
    """r || s of an ECDSA signature over P-256 in DER, as OpenSSL writes it."""
    size = der[3]
    return der[4 : 4 + size][-32:].rjust(32, b"\0") + der[6 + size :][-32:].rjust(32, b"\0")


_HEADS = ((b"\x30\x44\x02\x20", b"\x02\x20"), (b"\x30\x45\x02\x20", b"\x02\x21\0"),
          (b"\x30\x45\x02\x21\0", b"\x02\x20"), (b"\x30\x46\x02\x21\0", b"\x02\x21\0"))  # fmt: skip
"""What stands before r and before s in DER, by their top bits, where neither begins with a zero byte."""


def der_signature(signature: bytes) -> bytes:
    """r || s as a DER sequence."""
    a, b = signature[0], signature[32]
    if a and b:
        first, second = _HEADS[(a & 128) >> 6 | b >> 7]
        return first + signature[:32] + second + signature[32:]
    return encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))


def p256_verify_digest(point: bytes, signature: bytes, digest: bytes) -> bool:
    """Whether r || s fits the digest under the key; r and s out of range do not (OpenSSL looks)."""
    if len(signature) != 64:
        return False
    try:
        p256_point(point).verify(der_signature(signature), digest, VERIFY)
    except InvalidSignature:
        return False
    return True


signer_digest = lru_cache(maxsize=8192)(sha256)  # certificates come again and again


def _p256_sign(key: Any, data: bytes, signer: bytes) -> bytes:
    return p256_sign_digest(key, sha256(sha256(data) + signer_digest(signer)))


def _p256_verify(point: bytes, signature: bytes, data: bytes, signer: bytes) -> bool:
    return p256_verify_digest(point, signature, sha256(sha256(data) + signer_digest(signer)))


def _compressed(key: Any) -> bytes:
    numbers = key.public_key().public_numbers()
    return bytes([2 + (numbers.y & 1)]) + numbers.x.to_bytes(32, "big")


P256 = Algorithm("p256", sha256, lambda d: ec.derive_private_key(d, _P256), _compressed, _p256_sign, _p256_verify)

SM2 = Algorithm(
    "sm2",
    sm3,
    sm2.PrivateKey,
    lambda key: key.point,
    lambda key, data, signer: sm2.sign(key, sm3(data) + sm3(signer)),
    lambda point, signature, data, signer: sm2.verify(point, signature, sm3(data) + sm3(signer)),
)


def algorithm(name: str) -> Algorithm:
    """P-256 or SM2 by name.

    Raises:
        SecurityError: no such algorithm (`reason` "unknown_algorithm"), or libcrypto is missing ("no_sm2").
    """
    if name == "p256":
        return P256
    if name == "sm2":
        if not sm2.available():
            raise SecurityError("SM2 needs OpenSSL's libcrypto", reason="no_sm2", hint="install OpenSSL 3 or use p256")
        return SM2
    raise SecurityError(f"unknown algorithm '{name}'", reason="unknown_algorithm", hint="valid: p256, sm2")
