"""Signed messages: vectors of others, our own, and one refusal per reason."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloverleaf.link.security import sm2
from cloverleaf.link.security.algorithms import algorithm
from cloverleaf.link.security.certificate import Certificate, Circle, Rectangle, decode_certificate, issue
from cloverleaf.link.security.envelope import Header, open_envelope, seal, to_be_signed
from cloverleaf.link.security.oer import Reader
from cloverleaf.link.security.signer import Signer, simulated_authority
from cloverleaf.link.security.verifier import REASONS, Verifier
from cloverleaf.types.errors import DecodeError, SecurityError

FILE = Path(__file__).resolve().parents[2].parent / "shared" / "v2x" / "security" / "ieee1609dot2_signed.json"
needs_vectors = pytest.mark.skipif(not FILE.is_file(), reason="needs ../shared/v2x/security")
START, NOW, PSID = 700_000_000, 700_001_000.0, 36
HERE = (53.55, 9.99)


def vectors() -> dict:
    return json.loads(FILE.read_text())


@needs_vectors
def test_certificates_of_others() -> None:
    roots: dict[str, Certificate] = {}
    for row in vectors()["certificates"]:
        c = decode_certificate(Reader(bytes.fromhex(row["coer"])))
        assert c.coer.hex() == row["coer"] and c.to_be_signed.hex() == row["tbs_coer"]
        assert c.hashed_id.hex() == row["hashedid8"]
        issuer = roots.get(row["issuer"])
        assert algorithm("p256").verify(
            (issuer or c).point, c.signature, c.to_be_signed, issuer.coer if issuer else b""
        ), row["role"]
        roots[row["role"]] = c
    assert roots["at1"].permissions == {36: bytes.fromhex("0100fc"), 37: bytes.fromhex("01ffffff")}


@needs_vectors
def test_messages_of_others() -> None:
    data = vectors()
    certificates = {r["role"]: decode_certificate(Reader(bytes.fromhex(r["coer"]))) for r in data["certificates"]}
    verdicts = set()
    for row in data["messages"]:
        try:
            e = open_envelope(bytes.fromhex(row["coer"]))
            if "payload" in row:
                assert e.payload.hex() == row["payload"] and e.signed.hex() == row["tbs_coer"]
            certificate = e.certificate or certificates[row["signer"]]
            good = algorithm("p256").verify(certificate.point, e.signature, e.signed, certificate.coer)
        except (DecodeError, SecurityError):
            good = False
        assert good == row["valid"], row["case"]
        verdicts.add(good)
        if good:
            again = seal(to_be_signed(e.payload, e.header), certificate, e.signature, attach=e.certificate is not None)
            assert again.hex() == row["coer"], "and it encodes to the same bytes"
    assert verdicts == {True, False}


@pytest.fixture(
    scope="module",
    params=["p256", pytest.param("sm2", marks=pytest.mark.skipif(not sm2.available(), reason="needs SM2"))],
)
def pki(request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    return simulated_authority(algorithm(request.param), START)


def verifier(pki) -> Verifier:  # type: ignore[no-untyped-def]
    v = Verifier([pki.root])
    v.learn(pki.authority)
    return v


def refusal(v: Verifier, message: bytes, now: float = NOW, psids: tuple[int, ...] = (PSID,), place=None) -> str:  # type: ignore[no-untyped-def]
    with pytest.raises(SecurityError) as caught:
        v.check(message, psids, now, place)
    assert caught.value.reason in REASONS
    return caught.value.reason


def test_certificate_goes_along_once_a_second(pki) -> None:  # type: ignore[no-untyped-def]
    signer, v = Signer(pki.algorithm, [pki.ticket(1, {PSID: b""})]), verifier(pki)
    attached = []
    for k in range(25):
        message = signer.sign(b"payload %d" % k, PSID, NOW + k * 0.1)
        envelope = v.check(message, (PSID,), NOW + k * 0.1)
        assert envelope.payload == b"payload %d" % k
        attached.append(envelope.certificate is not None)
    assert [k for k, a in enumerate(attached) if a] == [0, 10, 20]


def test_each_refusal_has_its_reason(pki) -> None:  # type: ignore[no-untyped-def]
    v, a = verifier(pki), pki.algorithm
    ticket = pki.ticket(2, {PSID: b""})
    signer = Signer(a, [ticket])
    first = signer.sign(b"hello", PSID, NOW)
    second = signer.sign(b"hello again", PSID, NOW + 0.1)
    assert refusal(v, second, NOW + 0.1) == "unknown_certificate" and ticket.certificate.hashed_id in v.wanted
    v.check(first, (PSID,), NOW)
    assert ticket.certificate.hashed_id not in v.wanted
    assert refusal(v, first, NOW + 0.1) == "replayed"
    if a.name == "p256":  # (r, n - s) holds as well as (r, s): another signature does not make a replay a new message
        order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
        other = first[:-32] + (order - int.from_bytes(first[-32:], "big")).to_bytes(32, "big")
        assert refusal(v, other, NOW + 0.1) == "replayed"
    assert refusal(v, second, NOW + 5) == "message_expired"
    assert refusal(v, second, NOW - 5) == "from_the_future"
    assert refusal(v, second, START - 1) == "certificate_not_yet_valid"
    assert refusal(v, second, START + 200 * 3600) == "certificate_expired"
    assert refusal(v, second, NOW, (37,)) == "wrong_permission"
    assert refusal(v, signer.sign(b"x", 37, NOW), NOW, (37,)) == "wrong_permission", "not in the certificate"
    assert refusal(v, signer.sign(b"x", PSID, NOW, life=0.5), NOW + 1) == "message_expired"
    assert (
        refusal(v, second[:40]) == "malformed"
        and refusal(v, second + b"0") == "malformed"
        and refusal(v, b"") == "malformed"
    )
    tampered = bytearray(second)
    tampered[8] ^= 1
    assert refusal(v, bytes(tampered)) == "bad_signature"
    v.check(second, (PSID,), NOW + 0.1)
    v.revoked.add(ticket.certificate.hashed_id)
    assert refusal(v, signer.sign(b"more", PSID, NOW + 0.3), NOW + 0.3) == "revoked"


def test_strangers_and_forged_certificates_are_not_trusted(pki) -> None:  # type: ignore[no-untyped-def]
    a = pki.algorithm
    stranger_key = a.generate(77)
    root = issue(
        a, None, stranger_key, stranger_key, name="stranger", start=START, hours=10, permissions={}, issues=True
    )
    ticket = issue(a, root, stranger_key, stranger_key, name="", start=START, hours=5, permissions={PSID: b""})
    from cloverleaf.link.security.signer import Ticket

    assert refusal(verifier(pki), Signer(a, [Ticket(ticket, stranger_key)]).sign(b"x", PSID, NOW)) == "untrusted_issuer"
    forged = issue(a, pki.authority, stranger_key, stranger_key, name="", start=START, hours=5, permissions={PSID: b""})
    assert refusal(verifier(pki), Signer(a, [Ticket(forged, stranger_key)]).sign(b"x", PSID, NOW)) == "untrusted_issuer"
    longer = issue(a, pki.authority, pki.key, stranger_key, name="", start=START, hours=9999, permissions={PSID: b""})
    assert refusal(verifier(pki), Signer(a, [Ticket(longer, stranger_key)]).sign(b"x", PSID, NOW)) == "untrusted_issuer"


@pytest.mark.parametrize(
    "regions", [(Circle(*HERE, 500.0),), (Rectangle(53.6, 9.9, 53.5, 10.1), Rectangle(1, 1, 0, 2))]
)
def test_region(pki, regions) -> None:  # type: ignore[no-untyped-def]
    v = verifier(pki)
    signer = Signer(pki.algorithm, [pki.ticket(3, {PSID: b"\x01"}, regions)])
    v.check(signer.sign(b"here", PSID, NOW), (PSID,), NOW, HERE)
    assert refusal(v, signer.sign(b"there", PSID, NOW), place=(48.1, 11.5)) == "out_of_region"


def test_pseudonym_change(pki) -> None:  # type: ignore[no-untyped-def]
    signer, v = Signer(pki.algorithm, [pki.ticket(n, {PSID: b""}) for n in (4, 5)]), verifier(pki)
    before = v.check(signer.sign(b"a", PSID, NOW), (PSID,), NOW).signer
    signer.change_pseudonym()
    envelope = v.check(signer.sign(b"b", PSID, NOW + 0.1), (PSID,), NOW + 0.1)
    assert envelope.signer != before and envelope.certificate is not None, "the new certificate goes along at once"


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_get_a_verdict(data: bytes) -> None:
    with contextlib.suppress(DecodeError):
        open_envelope(data)


@settings(deadline=None)
@given(st.binary(max_size=400), st.integers(0, 2**40), st.integers(1, 2**63), st.integers(0, 2**63))
def test_header_round_trip(payload: bytes, psid: int, generated: int, expires: int) -> None:
    header = Header(psid, generated, expires, -900000000 if psid % 2 else None, 1800000000 if psid % 2 else None)
    signed = to_be_signed(payload, header)
    data = b"\x03\x81\x00" + signed + b"\x80" + bytes(8) + b"\x80\x80" + bytes(64)
    envelope = open_envelope(data)
    assert (envelope.signed, envelope.payload, envelope.header) == (signed, payload, header)


@settings(deadline=None)
@given(st.data())
def test_mutated_messages_get_a_verdict(data: st.DataObject) -> None:
    message = bytearray(
        bytes.fromhex("0381004003800161400124") + bytes(8) + b"\x80" + bytes(8) + b"\x80\x80" + bytes(64)
    )
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DecodeError):
        open_envelope(bytes(message))
