"""The fast checker of frames says what the link's verifier says, message by message, also for damaged ones."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from cloverleaf.cloud.security.verify import FrameChecker, read_trust
from cloverleaf.link.batches import pack
from cloverleaf.link.security.algorithms import P256
from cloverleaf.link.security.bus_security import ITS_EPOCH
from cloverleaf.link.security.signer import Signer, simulated_authority
from cloverleaf.link.security.verifier import Verifier
from cloverleaf.types.errors import InputError, SecurityError
from cloverleaf.types.messages import MessageKind

NOW = 1_800_000_000.0
ITS = NOW - ITS_EPOCH
AUTHORITY = simulated_authority(P256, int(ITS) - 3600)
TRUSTED = [AUTHORITY.root, AUTHORITY.authority]
BSM = 111


def signers(n: int, permissions: dict[int, bytes] | None = None) -> list[Signer]:
    return [Signer(P256, [AUTHORITY.ticket(100 + k, permissions or {BSM: b""})]) for k in range(n)]


def expected(messages: list[bytes], now: float) -> list[str]:
    verifier = Verifier(TRUSTED[:1])
    verifier.learn(AUTHORITY.authority)
    out = []
    for m in messages:
        try:
            verifier.check(m, (BSM, 36), now)
            out.append("")
        except SecurityError as error:
            out.append(error.reason)
    return out


def checked(messages: list[bytes], now: float = NOW) -> tuple[list[bytes], list[str]]:
    buffer, start = pack(messages)
    payload, offsets, reasons = FrameChecker("p256", TRUSTED).check(buffer, start, MessageKind.AWARENESS, now)
    return [payload[a:b].tobytes() for a, b in itertools.pairwise(offsets)], reasons


def stream() -> list[bytes]:
    """Good messages, with and without certificate, expired, early, replayed, of wrong permission, of strangers."""
    good, other = signers(4), signers(1, {3619: b""})[0]
    stranger = Signer(P256, [simulated_authority(P256, int(ITS) - 7200).ticket(7, {BSM: b""})])
    out = []
    for k in range(40):
        out.append(good[k % 4].sign(bytes([k]) * 45, BSM, ITS - 0.5 + 0.01 * k, life=1.0 if k % 3 else 0.0))
    out += [
        out[5], out[30], good[0].sign(b"old", BSM, ITS - 9.0), good[0].sign(b"early", BSM, ITS + 9.0), good[1].sign(b"x", 36, ITS),
        other.sign(b"spat", 3619, ITS), stranger.sign(b"who", BSM, ITS), stranger.sign(b"who", BSM, ITS + 0.01),
        good[2].sign(b"late", BSM, ITS - 1.0, life=0.5), good[3].sign(bytes(700), BSM, ITS), b"", b"\x03\x81",
    ]  # fmt: skip
    return out


def test_same_verdict_as_the_link() -> None:
    messages = stream()
    payloads, reasons = checked(messages)
    assert reasons == expected(messages, ITS)
    assert {
        "",
        "replayed",
        "message_expired",
        "from_the_future",
        "wrong_permission",
        "malformed",
        "unknown_certificate",
    } <= set(reasons)
    assert payloads[7] == bytes([7]) * 45 and payloads[40] == b""


def test_damage_never_passes() -> None:
    rng = np.random.default_rng(3)
    messages = stream()[:40]
    for _ in range(40):
        damaged = []
        for m in messages[4:]:
            raw = bytearray(m)
            raw[rng.integers(0, len(raw))] ^= int(rng.integers(1, 256))
            damaged.append(bytes(raw))
        batch = messages[:4] + damaged
        _, reasons = checked(batch)
        want = expected(batch, ITS)
        assert [bool(r) for r in reasons] == [bool(w) for w in want]


def test_the_second_copy_is_refused_whichever_way_the_first_went() -> None:
    (signer,) = signers(1)
    first = signer.sign(b"with certificate", BSM, ITS)
    digest = signer.sign(b"with digest", BSM, ITS + 0.01)
    r, s = digest[-64:-32], int.from_bytes(digest[-32:], "big")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    twisted = digest[:-64] + r + (order - s).to_bytes(32, "big")  # the same signature in its other form
    assert checked([first, first, digest, digest, twisted])[1] == ["", "replayed", "", "replayed", "replayed"]


def test_the_simulation_authority_opens_simulated_frames_only() -> None:
    from cloverleaf.link.security.bus_security import DEFAULT_CLOCK, BusSecurity

    world = BusSecurity("p256", "csae_day2")
    buffer, start = pack([world.signer(3).sign(b"hello", BSM, world.offset + 5.0)])
    checker = FrameChecker("p256")
    now = DEFAULT_CLOCK + 5.0
    assert checker.check(buffer, start, MessageKind.AWARENESS, now, simulated=True)[2] == [""]
    assert checker.check(buffer, start, MessageKind.AWARENESS, now)[2] == ["untrusted_issuer"]


def test_trust_folder(tmp_path) -> None:
    (tmp_path / "b.coer").write_bytes(AUTHORITY.root.coer)
    (tmp_path / "a.coer").write_bytes(AUTHORITY.authority.coer)
    assert [bool(c.issuer) for c in read_trust(tmp_path)] == [False, True]
    (tmp_path / "c.coer").write_bytes(b"nonsense")
    with pytest.raises(InputError, match=r"c\.coer"):
        read_trust(tmp_path)
