"""The Chinese secured message with SM2: round trips, every refusal, and what `link inspect` makes of it."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.link.test_inspection import bsm, only

from cloverleaf.cli.main import dispatch
from cloverleaf.link.inspection.packets import Inspector
from cloverleaf.link.io import dsmp
from cloverleaf.link.security import sm2
from cloverleaf.link.security.algorithms import sm3
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


def test_commands_make_sign_and_judge(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*words: str) -> list[dict[str, Any]]:
        dispatch(["link", *words, "--envelope", "chinese"])
        return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]

    keys, plain, signed = str(tmp_path / "pki"), tmp_path / "plain.hex", tmp_path / "signed.jsonl"
    run("keys", keys, "--psid", "111,112", "--start", "2026-01-01T00:00:00Z", "--region", "31.2,121.4,500")
    plain.write_text("0102\nnot hex\n")
    rows = run("sign", str(plain), "--keys", keys, "--psid", "111", "--at", "2026-01-02T00:00:00Z")
    assert "error" in rows[1]
    ticket = (tmp_path / "pki" / "ticket.coer").read_bytes()
    signed.write_text(json.dumps(rows[0]) + "\n" + json.dumps({"hex": "00"}))
    ask = ("verify", str(signed), "--trust", keys)
    good, bad = run(*ask)
    assert good["value"]["payload"] == {"hex": "0102"} and good["value"]["psid"] == 111
    assert good["value"]["generated"].startswith("2026-01-02T00:00:00") and bad["reason"] == "malformed"
    revoked = tmp_path / "revoked.txt"
    revoked.write_text(sm3(ticket)[-8:].hex())
    for more, reason in (
        (("--psid", "112"), "wrong_permission"),
        (("--place", "31.3,121.4"), "out_of_region"),
        (("--at", "2026-01-02T00:01:00Z"), "message_expired"),
        (("--at", "2027-01-02T00:00:00Z"), "certificate_expired"),
        (("--revoked", str(revoked)), "revoked"),
    ):
        assert run(*ask, *more)[0]["reason"] == reason
    assert run("verify", str(signed), "--trust", str(tmp_path / "pki" / "root.coer"))[0]["reason"] == "untrusted_issuer"


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
