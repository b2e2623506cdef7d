"""SM2 with SM3 (GB/T 32918.2) through OpenSSL's EVP interface in the system's libcrypto, called with ctypes.

`cryptography` has SM3 but no SM2 signature, so the shared library is needed: OpenSSL 1.1.1 or later with SM2. Where it is absent,
`available()` says so and `algorithms.algorithm` raises SecurityError with reason "no_sm2".
"""

from __future__ import annotations

import ctypes
import ctypes.util
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_ubyte, c_void_p
from functools import cache, lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from cloverleaf.types.errors import SecurityError

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
DEFAULT_ID = b"1234567812345678"
_KEY_OID = bytes.fromhex("06072a8648ce3d0201")  # ecPublicKey
_CURVE_OID = bytes.fromhex("06082a811ccf5501822d")  # sm2p256v1
_SIGNATURES = {
    "EVP_MD_CTX_new": (c_void_p, []),
    "EVP_MD_CTX_free": (None, [c_void_p]),
    "EVP_PKEY_CTX_new": (c_void_p, [c_void_p, c_void_p]),
    "EVP_PKEY_CTX_free": (None, [c_void_p]),
    "EVP_MD_CTX_set_pkey_ctx": (None, [c_void_p, c_void_p]),
    "EVP_PKEY_free": (None, [c_void_p]),
    "EVP_PKEY_set_alias_type": (c_int, [c_void_p, c_int]),
    "EVP_sm3": (c_void_p, []),
    "EVP_DigestSignInit": (c_int, [c_void_p, c_void_p, c_void_p, c_void_p, c_void_p]),
    "EVP_DigestSign": (c_int, [c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t]),
    "EVP_DigestVerifyInit": (c_int, [c_void_p, c_void_p, c_void_p, c_void_p, c_void_p]),
    "EVP_DigestVerify": (c_int, [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t]),
    "d2i_PUBKEY": (c_void_p, [c_void_p, POINTER(POINTER(c_ubyte)), ctypes.c_long]),
    "d2i_AutoPrivateKey": (c_void_p, [c_void_p, POINTER(POINTER(c_ubyte)), ctypes.c_long]),
    "EVP_PKEY_CTX_set1_id": (c_int, [c_void_p, c_char_p, c_int]),
    "ERR_clear_error": (None, []),
}
_OPTIONAL = {"EVP_PKEY_set_alias_type"}  # OpenSSL 1.1.1 needs it, 3.x has no such function


@cache
def library() -> Any:
    """libcrypto with the functions used here, or None where it is absent or has no SM2."""
    name = ctypes.util.find_library("crypto")
    if not name:
        return None
    try:
        lib = ctypes.CDLL(name)
        for function, (result, arguments) in _SIGNATURES.items():
            if function in _OPTIONAL and not hasattr(lib, function):
                continue
            getattr(lib, function).restype = result
            getattr(lib, function).argtypes = arguments
    except (OSError, AttributeError):
        return None
    return lib


def available() -> bool:
    """Whether SM2 can be used on this machine."""
    return library() is not None


def _der(tag: int, *content: bytes) -> bytes:
    body = b"".join(content)
    length = bytes([len(body)]) if len(body) < 128 else bytes([0x81, len(body)])
    return bytes([tag]) + length + body


def decompress(point: bytes) -> tuple[int, int]:
    """(x, y) of a compressed point; SecurityError where it is not on the curve."""
    x = int.from_bytes(point[1:], "big")
    square = (x * x * x + A * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    if x >= P or y * y % P != square:
        raise SecurityError("point is not on the curve", reason="bad_key")
    return x, y if (y & 1) == (point[0] & 1) else P - y


class _Key:
    """An EVP_PKEY that frees itself."""

    def __init__(self, pointer: int) -> None:
        self.pointer = pointer

    def __del__(self) -> None:
        if library is not None and self.pointer:
            library().EVP_PKEY_free(self.pointer)


def _read(function: str, der: bytes) -> _Key:
    lib = library()
    buffer = (c_ubyte * len(der)).from_buffer_copy(der)
    pointer = getattr(lib, function)(None, byref(ctypes.cast(buffer, POINTER(c_ubyte))), len(der))
    if not pointer:
        lib.ERR_clear_error()
        raise SecurityError("libcrypto refuses the SM2 key", reason="bad_key")
    if hasattr(lib, "EVP_PKEY_set_alias_type"):
        lib.EVP_PKEY_set_alias_type(pointer, 1172)
    return _Key(pointer)


@lru_cache(maxsize=8192)
def public_key(point: bytes) -> _Key:
    """EVP key of a compressed point."""
    x, y = decompress(point)
    bits = b"\x00\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")
    return _read("d2i_PUBKEY", _der(0x30, _der(0x30, _KEY_OID, _CURVE_OID), _der(0x03, bits)))


class PrivateKey:
    """A secret integer with its EVP key and compressed point."""

    def __init__(self, secret: int) -> None:
        x, y = _multiply(secret)
        self.point = bytes([2 + (y & 1)]) + x.to_bytes(32, "big")
        bits = b"\x00\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")
        ec_key = _der(0x30, b"\x02\x01\x01", _der(0x04, secret.to_bytes(32, "big")), _der(0xA1, _der(0x03, bits)))
        self.key = _read(
            "d2i_AutoPrivateKey", _der(0x30, b"\x02\x01\x00", _der(0x30, _KEY_OID, _CURVE_OID), _der(0x04, ec_key))
        )


def _multiply(k: int) -> tuple[int, int]:
    """k times the base point (affine double and add; only for deriving a public key)."""
    gx = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
    gy = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0
    result: tuple[int, int] | None = None
    addend = (gx, gy)
    while k:
        if k & 1:
            result = addend if result is None else _add(result, addend)
        addend = _add(addend, addend)
        k >>= 1
    if result is None:
        raise SecurityError("a private key is not zero", reason="bad_key")
    return result


def _add(p: tuple[int, int], q: tuple[int, int]) -> tuple[int, int]:
    if p == q:
        slope = (3 * p[0] * p[0] + A) * pow(2 * p[1], -1, P) % P
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, P) % P
    x = (slope * slope - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P


class _Context:
    """A digest context bound to a key and a user id, for one operation."""

    def __init__(self, key: _Key, identity: bytes) -> None:
        self.lib = lib = library()
        self.md = lib.EVP_MD_CTX_new()
        self.pkey_context = lib.EVP_PKEY_CTX_new(key.pointer, None)
        lib.EVP_PKEY_CTX_set1_id(self.pkey_context, identity, len(identity))
        lib.EVP_MD_CTX_set_pkey_ctx(self.md, self.pkey_context)

    def __enter__(self) -> _Context:
        return self

    def __exit__(self, *_: object) -> None:
        self.lib.EVP_MD_CTX_free(self.md)
        self.lib.EVP_PKEY_CTX_free(self.pkey_context)
        self.lib.ERR_clear_error()


def sign(key: PrivateKey, message: bytes, identity: bytes = DEFAULT_ID) -> bytes:
    """r || s over SM3(Z || message)."""
    with _Context(key.key, identity) as c:
        size = c_size_t(128)
        out = ctypes.create_string_buffer(128)
        if c.lib.EVP_DigestSignInit(c.md, None, c.lib.EVP_sm3(), None, key.key.pointer) != 1:
            raise SecurityError("libcrypto cannot sign with SM2", reason="no_sm2")
        if c.lib.EVP_DigestSign(c.md, out, byref(size), message, len(message)) != 1:
            raise SecurityError("libcrypto failed to sign with SM2", reason="no_sm2")
    r, s = decode_dss_signature(out.raw[: size.value])
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def verify(point: bytes, signature: bytes, message: bytes, identity: bytes = DEFAULT_ID) -> bool:
    """Whether r || s fits SM3(Z || message) under the key."""
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if len(signature) != 64 or not (0 < r < N and 0 < s < N):
        return False
    key = public_key(point)
    der = encode_dss_signature(r, s)
    with _Context(key, identity) as c:
        if c.lib.EVP_DigestVerifyInit(c.md, None, c.lib.EVP_sm3(), None, key.pointer) != 1:
            raise SecurityError("libcrypto cannot verify SM2", reason="no_sm2")
        return bool(c.lib.EVP_DigestVerify(c.md, der, len(der), message, len(message)) == 1)
