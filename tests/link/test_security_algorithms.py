"""P-256 and SM2 against vectors checked by other implementations."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from cloverleaf.link.security import sm2
from cloverleaf.link.security.algorithms import P256, algorithm, p256_point, p256_verify_digest, sm3
from cloverleaf.types.errors import SecurityError

VECTORS = Path(__file__).resolve().parents[2].parent / "shared" / "v2x" / "security"
needs_vectors = pytest.mark.skipif(not VECTORS.is_dir(), reason="needs ../shared/v2x/security")
needs_sm2 = pytest.mark.skipif(not sm2.available(), reason="needs OpenSSL's libcrypto with SM2")


def rows(name: str) -> list[dict]:
    return [json.loads(line) for line in (VECTORS / name).read_text().splitlines() if line.strip()]


@needs_vectors
def test_p256_vectors() -> None:
    verdicts = set()
    for row in rows("ecdsa_p256.jsonl"):
        y_odd = int(row["qy"], 16) & 1
        point = bytes([2 + y_odd]) + bytes.fromhex(row["qx"])
        r, s = int(row["r"], 16), int(row["s"], 16)
        try:
            signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
            good = p256_verify_digest(point, signature, P256.hash(bytes.fromhex(row["msg"])))
        except (OverflowError, SecurityError):
            good = False
        assert good == row["valid"], row["case"]
        verdicts.add(good)
    assert verdicts == {True, False}


@needs_vectors
def test_point_decompression() -> None:
    for row in rows("p256_point_decompression.jsonl"):
        point = bytes.fromhex(row["compressed"])
        if row["on_curve"]:
            assert p256_point(point).public_numbers().y == int(row["qy"], 16)
        else:
            with pytest.raises(SecurityError):
                p256_point(point)


@needs_vectors
def test_sm3_vectors() -> None:
    for row in rows("sm3.jsonl"):
        assert sm3(bytes.fromhex(row["msg"])).hex() == row["sm3"]


@needs_vectors
@needs_sm2
def test_sm2_vectors() -> None:
    verdicts = set()
    for row in rows("sm2_sm3.jsonl"):
        point = bytes([2 + (int(row["qy"], 16) & 1)]) + bytes.fromhex(row["qx"])
        try:
            signature = int(row["r"], 16).to_bytes(32, "big") + int(row["s"], 16).to_bytes(32, "big")
            good = sm2.verify(point, signature, bytes.fromhex(row["msg"]), row["uid"].encode())
        except (OverflowError, SecurityError):
            good = False
        assert good == row["valid"], row["case"]
        verdicts.add(good)
    assert verdicts == {True, False}


@pytest.mark.parametrize("name", ["p256", pytest.param("sm2", marks=needs_sm2)])
def test_what_we_sign_verifies_and_nothing_else(name: str) -> None:
    a = algorithm(name)
    key, other = a.generate(123456789), a.generate(987654321)
    signature = a.sign(key, b"data", b"signer")
    assert len(signature) == 64 and a.verify(a.public(key), signature, b"data", b"signer")
    assert not a.verify(a.public(key), signature, b"dato", b"signer")
    assert not a.verify(a.public(key), signature, b"data", b"signor")
    assert not a.verify(a.public(other), signature, b"data", b"signer")
    assert not a.verify(a.public(key), bytes(64), b"data", b"signer")


@needs_sm2
@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
def test_openssl_accepts_our_sm2(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    key = sm2.PrivateKey(0x1234567890ABCDEF)
    signature = sm2.sign(key, b"hello")
    x, y = sm2.decompress(key.point)
    bits = b"\x00\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")
    der = sm2._der(0x30, sm2._der(0x30, sm2._KEY_OID, sm2._CURVE_OID), sm2._der(0x03, bits))
    (tmp_path / "key.der").write_bytes(der)
    (tmp_path / "m").write_bytes(b"hello")
    (tmp_path / "s").write_bytes(
        encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    )
    command = [
        "openssl",
        "pkeyutl",
        "-verify",
        "-pubin",
        "-keyform",
        "DER",
        "-inkey",
        "key.der",
        "-in",
        "m",
        "-sigfile",
        "s",
    ]
    command += ["-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stdout + run.stderr


def test_unknown_algorithm() -> None:
    with pytest.raises(SecurityError) as caught:
        algorithm("rsa")
    assert caught.value.reason == "unknown_algorithm"
