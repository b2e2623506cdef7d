"""Security over a station's life: unknown certificates asked for and delivered, pseudonyms, revocation lists, every refusal counted."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloverleaf.link.codec.single import codec
from cloverleaf.link.security import sm2
from cloverleaf.link.security.algorithms import algorithm
from cloverleaf.link.security.certificate import Certificate, Circle
from cloverleaf.link.security.envelope import Header, open_envelope, seal, to_be_signed
from cloverleaf.link.security.general import decoder, encoder, open_any, open_general
from cloverleaf.link.security.pseudonym import ChangePolicy, Pseudonyms
from cloverleaf.link.security.revocation import CRL_PSID, Revocations, revocation_list
from cloverleaf.link.security.signer import Authority, Signer, simulated_authority
from cloverleaf.link.security.station import SecureStation
from cloverleaf.link.security.verifier import Verifier
from cloverleaf.types.errors import DecodeError, SecurityError

START, NOW, PSID = 700_000_000, 700_001_000.0, 36
needs_sm2 = pytest.mark.skipif(not sm2.available(), reason="needs SM2")


@pytest.fixture(scope="module")
def pki() -> Authority:
    return simulated_authority(algorithm("p256"), START)


def station(pki: Authority, number: int, *, knows_authority: bool = True, tickets: int = 1) -> SecureStation:
    verifier = Verifier([pki.root])
    if knows_authority:
        verifier.learn(pki.authority)
    signer = Signer(pki.algorithm, [pki.ticket(100 * number + k, {PSID: b""}) for k in range(tickets)])
    return SecureStation(signer, verifier, [pki.authority])


def test_an_unknown_ticket_is_asked_for_and_arrives(pki: Authority) -> None:
    a, b = station(pki, 1), station(pki, 2)
    a.sign(b"lost with its certificate", PSID, NOW)
    digest = a.sign(b"one", PSID, NOW + 0.1)
    assert b.receive(digest, (PSID,), NOW + 0.1) is None and b.refused == {"unknown_certificate": 1}
    request = b.sign(b"two", PSID, NOW + 0.2)
    heard = a.receive(request, (PSID,), NOW + 0.2)
    assert heard is not None and heard.payload == b"two" and a.signer.asked
    answer = a.sign(b"three", PSID, NOW + 0.3)
    got = b.receive(answer, (PSID,), NOW + 0.3)
    assert got is not None and got.certificate is not None and not b.verifier.wanted, (
        "asked within the second, answered at once"
    )
    again = b.receive(a.sign(b"four", PSID, NOW + 0.4), (PSID,), NOW + 0.4)
    assert again is not None and again.certificate is None and b.accepted == 2


def test_an_unknown_authority_is_asked_for_and_arrives(pki: Authority) -> None:
    a, b = station(pki, 3), station(pki, 4, knows_authority=False)
    first = a.sign(b"one", PSID, NOW)
    assert b.receive(first, (PSID,), NOW) is None and b.refused == {"untrusted_issuer": 1}
    a.receive(b.sign(b"two", PSID, NOW + 0.1), (PSID,), NOW + 0.1)
    answer = a.sign(b"three", PSID, NOW + 0.2)
    _, extras = open_general(answer)
    assert extras.requested is not None and extras.requested.hashed_id == pki.authority.hashed_id
    b.receive(answer, (PSID,), NOW + 0.2)
    got = b.receive(a.sign(b"four", PSID, NOW + 1.1), (PSID,), NOW + 1.1)
    assert got is not None and got.payload == b"four"


def test_what_a_stranger_sends_along_is_not_trusted(pki: Authority) -> None:
    stranger = simulated_authority(algorithm("p256"), START + 7)
    a, b = station(stranger, 5), station(pki, 6)
    assert b.receive(a.sign(b"x", PSID, NOW), (PSID,), NOW) is None
    a.receive(b.sign(b"who?", PSID, NOW), (PSID,), NOW)
    assert b.receive(a.sign(b"y", PSID, NOW + 0.1), (PSID,), NOW + 0.1) is None
    assert b.refused["certificate: untrusted_issuer"] <= 1 and not b.accepted


def test_every_refusal_is_counted(pki: Authority) -> None:
    a, b = station(pki, 7), station(pki, 8)
    good = a.sign(b"good", PSID, NOW)
    assert b.receive(good, (PSID,), NOW)
    tampered = bytearray(a.sign(b"tampered", PSID, NOW + 0.1))
    tampered[9] ^= 1
    for data, psids, now in (
        (good, (PSID,), NOW + 0.1), (bytes(tampered), (PSID,), NOW + 0.1), (good[:-3], (PSID,), NOW), (good, (37,), NOW),
        (a.sign(b"old", PSID, NOW), (PSID,), NOW + 9), (a.sign(b"new", PSID, NOW + 9), (PSID,), NOW), (good, (PSID,), START - 9.0),
        (good, (PSID,), START + 1e6),
    ):  # fmt: skip
        assert b.receive(data, psids, now) is None
    assert b.refused == {
        "replayed": 1, "bad_signature": 1, "malformed": 1, "wrong_permission": 1, "message_expired": 1, "from_the_future": 1,
        "certificate_not_yet_valid": 1, "certificate_expired": 1,
    }  # fmt: skip
    b.verifier.revoked.add(a.signer.ticket.certificate.hashed_id)
    local = Signer(pki.algorithm, [pki.ticket(99, {PSID: b""}, (Circle(53.5, 10.0, 500.0),))])
    assert b.receive(a.sign(b"z", PSID, NOW + 1), (PSID,), NOW + 1) is None
    assert b.receive(local.sign(b"z", PSID, NOW + 1), (PSID,), NOW + 1, (48.0, 11.0)) is None
    assert b.refused["revoked"] == 1 and b.refused["out_of_region"] == 1 and b.accepted == 1


def test_pseudonyms_change_together_and_with_a_silence(pki: Authority) -> None:
    a, b = station(pki, 9, tickets=3), station(pki, 10)
    policy = ChangePolicy((900.0, 900.0), (200.0, 200.0), (5.0, 5.0))
    plan = Pseudonyms(9, 1, policy)
    changes, seen = [], set()
    for t in range(0, 700):
        if plan.step(float(t), 15.0 * t):
            changes.append(t)
            a.change_pseudonym()
        if not plan.silent(float(t)):
            envelope = b.receive(a.sign(b"%d" % t, PSID, NOW + t), (PSID,), NOW + t)
            assert envelope is not None
            seen.add(envelope.signer)
    assert changes == [60, 265, 470, 675] and len(seen) == 3
    drawn = [Pseudonyms(4, 2).step(1e9, 1000.0) for _ in range(2)]
    assert drawn[0] == drawn[1] and Pseudonyms(1, 5).identity(4) == Pseudonyms(1, 5).identity(4) != Pseudonyms(
        2, 5
    ).identity(4)


def test_revocation_list(pki: Authority) -> None:
    a, b = station(pki, 11), station(pki, 12)
    centre = pki.ticket(5000, {CRL_PSID: b""})
    assert b.receive(a.sign(b"before", PSID, NOW), (PSID,), NOW)
    lists = Revocations(b.verifier)
    first = revocation_list(pki.algorithm, centre, [a.signer.ticket.certificate], serial=2, now=NOW, following=NOW + 60)
    found = lists.apply(first, NOW + 0.1)
    assert (
        found.ids == {a.signer.ticket.certificate.hashed_id} and not lists.overdue(NOW + 59) and lists.overdue(NOW + 61)
    )
    assert b.receive(a.sign(b"after", PSID, NOW + 0.2), (PSID,), NOW + 0.2) is None and b.refused == {"revoked": 1}
    for data, reason in (
        (revocation_list(pki.algorithm, centre, [], serial=1, now=NOW + 0.3, following=NOW), "replayed"),
        (revocation_list(pki.algorithm, a.signer.ticket, [], serial=9, now=NOW + 0.3, following=NOW), "revoked"),
        (Signer(pki.algorithm, [centre]).sign(b"no list", CRL_PSID, NOW + 0.3), "malformed"),
        (first, "replayed"),
    ):
        with pytest.raises(SecurityError) as caught:
            lists.apply(data, NOW + 0.4)
        assert caught.value.reason == reason
    forged = revocation_list(pki.algorithm, pki.ticket(5001, {PSID: b""}), [], serial=9, now=NOW + 0.3, following=NOW)
    with pytest.raises(SecurityError) as caught:
        lists.apply(forged, NOW + 0.4)
    assert caught.value.reason == "wrong_permission"
    lists.apply(revocation_list(pki.algorithm, centre, [], serial=3, now=NOW + 1, following=NOW + 60), NOW + 1)
    assert b.receive(a.sign(b"again", PSID, NOW + 1.1), (PSID,), NOW + 1.1), "a full list replaces the one before"


def test_general_reader_agrees_with_the_fast_one(pki: Authority) -> None:
    signer = Signer(pki.algorithm, [pki.ticket(77, {PSID: b"\x01\x02"}, (Circle(1.0, 2.0, 3.0),))])
    for k in range(3):
        data = signer.sign(b"message", PSID, NOW + 0.1 * k, life=5.0)
        fast, (general, extras) = open_envelope(data), open_general(data)
        assert fast == general and fast.header.requests == () and extras.requested is None


@pytest.mark.parametrize("life", [0.0, 5.0])
def test_bytes_left_over_or_missing_are_malformed_in_every_form(pki: Authority, life: float) -> None:
    signer = Signer(pki.algorithm, [pki.ticket(77, {PSID: b"\x01"})])
    for attach in (True, False):
        data = signer.sign(b"message", PSID, NOW, attach=attach, life=life)
        for bad in (data + b"\0", *(data[:k] for k in range(len(data)))):
            with pytest.raises(DecodeError):
                open_any(bad)


def test_uncompressed_keys_and_chains_are_read(pki: Authority) -> None:
    ticket = pki.ticket(78, {PSID: b""})
    value = decoder("Certificate")(ticket.certificate.coer)
    key = pki.algorithm.generate(0x5EED << 200 | 79 << 8 | 3).public_key().public_numbers()
    point = {"x": {"hex": f"{key.x:064x}"}, "y": {"hex": f"{key.y:064x}"}}
    value["toBeSigned"]["verifyKeyIndicator"][1][1] = ["uncompressedP256", point]
    value["signature"][1] = {"rSig": ["x-only", {"hex": "00" * 32}], "sSig": {"hex": "00" * 32}}
    body = encoder("ToBeSignedCertificate")(value["toBeSigned"])
    raw = pki.algorithm.sign(pki.key, body, pki.authority.coer)
    value["signature"][1] = {"rSig": ["x-only", {"hex": raw[:32].hex()}], "sSig": {"hex": raw[32:].hex()}}
    signed = to_be_signed(b"payload", Header(PSID, round(NOW * 1e6)))
    coer = encoder("Certificate")(value)
    signature = pki.algorithm.sign(ticket.key, signed, coer)
    message = {
        "protocolVersion": 3,
        "content": ["signedData", {
            "hashId": "sha256", "tbsData": decoder("ToBeSignedData")(signed),
            "signer": ["certificate", [value, decoder("Certificate")(pki.authority.coer)]],
            "signature": ["ecdsaNistP256Signature",
                          {"rSig": ["x-only", {"hex": signature[:32].hex()}], "sSig": {"hex": signature[32:].hex()}}],
        }],
    }  # fmt: skip
    data = codec("ieee1609dot2", "signed").encode(message)
    with pytest.raises(DecodeError):
        open_envelope(data)
    b = station(pki, 13, knows_authority=False)
    got = b.receive(data, (PSID,), NOW)
    assert got is not None and got.payload == b"payload", b.refused


@given(
    st.lists(st.binary(min_size=3, max_size=3), min_size=1, max_size=6),
    st.sampled_from([36, 3619, 70000]),
    st.booleans(),
)
def test_requests_are_part_of_what_is_signed(asked: list[bytes], psid: int, placed: bool) -> None:
    """The short way writes what the schema's codec reads, and the short reader what it wrote."""
    place = {"latitude": 5, "longitude": -6} if placed else {}
    header = Header(psid, 5, requests=tuple(asked), **place)
    signed = to_be_signed(b"x", header)
    value = decoder("ToBeSignedData")(signed)
    assert [h["hex"] for h in value["headerInfo"]["inlineP2pcdRequest"]] == [a.hex() for a in asked]
    assert encoder("ToBeSignedData")(value) == signed
    ticket = simulated_authority(algorithm("p256"), START).ticket(3, {psid: b""})
    assert open_envelope(seal(signed, ticket.certificate, bytes(64), attach=False)).header == header


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0, 200), st.integers(0, 255))
def test_any_bytes_get_a_verdict(junk: bytes, at: int, value: int) -> None:
    a = station(simulated_authority(algorithm("p256"), START), 14)
    data = bytearray(a.sign(b"payload", PSID, NOW))
    data[at % len(data)] = value
    for raw in (junk, bytes(data)):
        with contextlib.suppress(DecodeError):
            envelope, _ = open_general(raw)
            assert isinstance(envelope.certificate, Certificate | None)
        a.receive(raw, (PSID,), NOW)
