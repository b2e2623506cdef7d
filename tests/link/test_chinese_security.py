"""The Chinese secured message with SM2: round trips, every refusal, and what `link inspect` makes of it."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.link.test_inspection import bsm, only

from cloverleaf.link.inspection.packets import Inspector
from cloverleaf.link.io import dsmp
from cloverleaf.link.security import sm2
from cloverleaf.types.errors import SecurityError

pytestmark = pytest.mark.skipif(not sm2.available(), reason="needs SM2")
START, END, NOW, AID = 700_000_000, 700_100_000, 700_001_000.0, 111


@pytest.fixture(scope="module")
def pki():  # type: ignore[no-untyped-def]
    from cloverleaf.link.security.chinese import issue

    keys = [sm2.PrivateKey(k) for k in (1001, 1002, 1003)]
    root = issue(None, keys[0], keys[0], name=b"root", start=START, end=END, kind="rootCa")
    authority = issue(root, keys[0], keys[1], name=b"pa", start=START, end=END, kind="pseudonymAuthority")
    ticket = issue(
        authority, keys[1], keys[2], name=b"", start=START, end=END - 1000, aids=(AID,), region=(31.2, 121.4, 500.0)
    )
    return root, authority, ticket, keys


def verifier(pki):  # type: ignore[no-untyped-def]
    from cloverleaf.link.security.chinese import ChineseVerifier

    v = ChineseVerifier([pki[0]])
    v.learn(pki[1], issues=True)
    return v


def refusal(v, *arguments) -> str:  # type: ignore[no-untyped-def]
    with pytest.raises(SecurityError) as caught:
        v.check(*arguments)
    return caught.value.reason


def test_messages_and_refusals(pki) -> None:  # type: ignore[no-untyped-def]
    from cloverleaf.link.security.chinese import ChineseVerifier, seal

    root, _, ticket, keys = pki
    v = verifier(pki)
    first, second = (seal(b"payload", AID, ticket, keys[2], NOW + k, attach=not k) for k in range(2))
    assert refusal(v, second, (AID,), NOW + 1) == "unknown_certificate" and v.wanted == {ticket.hashed_id}
    assert v.check(first, (AID,), NOW, (31.2, 121.4)) == b"payload" and not v.wanted
    assert v.check(second, (AID,), NOW + 1) == b"payload"
    assert refusal(v, second, (AID,), NOW + 1.5) == "replayed"
    third = seal(b"payload", AID, ticket, keys[2], NOW + 2)
    assert (
        refusal(v, third, (AID,), NOW + 9) == "message_expired" and refusal(v, third, (AID,), NOW) == "from_the_future"
    )
    assert refusal(v, third, (112,), NOW + 2) == "wrong_permission"
    assert refusal(v, seal(b"x", 112, ticket, keys[2], NOW), (112,), NOW) == "wrong_permission"
    assert refusal(v, third, (AID,), NOW + 2, (31.3, 121.4)) == "out_of_region"
    assert refusal(v, third, (AID,), START - 5.0) == "certificate_not_yet_valid"
    assert refusal(v, third, (AID,), END + 5.0) == "certificate_expired"
    tampered = third.replace(b"payload", b"paylaod")
    assert refusal(v, tampered, (AID,), NOW + 2) == "bad_signature"
    assert refusal(v, third[:-1], (AID,), NOW + 2) == "malformed" and refusal(v, b"", (AID,), NOW) == "malformed"
    assert refusal(ChineseVerifier([root]), third, (AID,), NOW + 2) == "untrusted_issuer"
    v.revoked.add(ticket.hashed_id)
    assert refusal(v, third, (AID,), NOW + 2) == "revoked"


def test_inspect_names_it(pki) -> None:  # type: ignore[no-untyped-def]
    from cloverleaf.link.security.chinese import seal

    _, _, ticket, keys = pki
    for attach, form in ((True, "certificate"), (False, "digest")):
        data = dsmp.frame(seal(bsm(), AID, ticket, keys[2], NOW, attach=attach), AID)
        found = Inspector().frame(147, data)
        assert only(found) == ("csae_day1", "bsm", "signed")
        assert (found[0].security.signer, found[0].security.algorithm, found[0].security.psid) == (form, "sgdsm2", AID)
        assert found[0].security.verdict == ("holds" if attach else "not checked"), (
            "each capture begins with no certificates"
        )


def test_inspect_checks_signatures_as_certificates_come(pki) -> None:  # type: ignore[no-untyped-def]
    from cloverleaf.link.security.chinese import seal

    _, _, ticket, keys = pki
    inspector = Inspector()
    first, second = (seal(bsm(), AID, ticket, keys[2], NOW + k, attach=not k) for k in range(2))
    forged = bytearray(second)
    forged[-1] ^= 1
    verdicts = [inspector.frame(147, dsmp.frame(bytes(m), AID))[0].security for m in (second, first, second, forged)]
    assert [v.verdict for v in verdicts] == ["not checked", "holds", "holds", "does not hold"]
    assert {v.signer_id for v in verdicts} == {ticket.hashed_id.hex()}


@settings(deadline=None)
@given(st.binary(max_size=120), st.integers(0, 300), st.integers(0, 255))
def test_any_bytes_get_a_verdict(pki, junk: bytes, at: int, value: int) -> None:  # type: ignore[no-untyped-def]
    from cloverleaf.link.security.chinese import seal

    v, data = verifier(pki), bytearray(seal(b"payload", AID, pki[2], pki[3][2], NOW))
    data[at % len(data)] = value
    for raw in (junk, bytes(data)):
        with contextlib.suppress(SecurityError):
            v.check(raw, (AID,), NOW)
