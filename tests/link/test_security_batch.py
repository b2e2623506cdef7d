"""Many signed messages at once: the batch gives each the verdict that it gets alone; who knows which certificate, beside a set of pairs."""

from __future__ import annotations

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from cloverleaf.link.batches import pack
from cloverleaf.link.overload import Pairs
from cloverleaf.link.security.algorithms import algorithm
from cloverleaf.link.security.certificate import Circle
from cloverleaf.link.security.envelope import Header, encode_header, open_envelope, seal, to_be_signed
from cloverleaf.link.security.peers import Peers
from cloverleaf.link.security.pens import Pens
from cloverleaf.link.security.signatures import DER_MOST, der_signatures, raw_signatures
from cloverleaf.link.security.signer import Ticket, simulated_authority
from cloverleaf.link.security.sm2 import available
from cloverleaf.link.security.verifier import Checked, Verifier
from cloverleaf.types.errors import SecurityError

START, NOW, PSID = 700_000_000, 700_001_000.0, 36
P256 = algorithm("p256")
AUTHORITY = simulated_authority(P256, START)
HERE = (53.55, 9.99)


def verifier() -> Verifier:
    made = Verifier([AUTHORITY.root])
    made.learn(AUTHORITY.authority)
    return made


def message(
    ticket: Ticket, size: int, *, psid: int = PSID, age: float = 0.01, attach: bool = False, life: float = 0.0
) -> bytes:
    micro = round((NOW - age) * 1e6)
    signed = to_be_signed(bytes(range(256)) * (size // 256) + bytes(size % 256), Header(psid, micro, round(life * 1e6)))
    return seal(signed, ticket.certificate, P256.sign(ticket.key, signed, ticket.certificate.coer), attach=attach)


def crowd(seed: int) -> tuple[list[bytes], list[int]]:
    """Messages of all kinds, and the permission that each needs."""
    rng = np.random.default_rng(seed)
    tickets = [AUTHORITY.ticket(k, {PSID: b"", 37: b"", 300: b""}) for k in range(6)]
    tickets.append(AUTHORITY.ticket(6, {PSID: b""}, (Circle(53.0, 8.0, 100.0),)))
    tickets.append(AUTHORITY.ticket(7, {PSID: b""}, (Circle(*HERE, 100.0),)))
    made, psids = [], []
    for _ in range(150):
        ticket = tickets[rng.integers(len(tickets))]
        size = int(rng.choice([0, 1, 40, 127, 128, 129, 200, 255, 256, 300, 1000]))
        age = float(rng.choice([0.01, 0.05, 1.999999, 2.0, 2.1, -0.1, -0.2, -0.3, 5.0], p=[0.4, 0.2, *[0.4 / 7] * 7]))
        psid = int(rng.choice([PSID, 37, 300, 400]))
        life = float(rng.choice([0.0, 0.0, NOW + 1.0, NOW - 1.0]))
        data = bytearray(message(ticket, size, psid=psid, age=age, attach=rng.random() < 0.3, life=life))
        if rng.random() < 0.2:
            data[rng.integers(len(data))] ^= 1 << rng.integers(8)
        if rng.random() < 0.05:
            del data[rng.integers(len(data)) :]
        made.append(bytes(data))
        psids.append(psid if rng.random() < 0.9 else PSID)
        if rng.random() < 0.2:
            again = int(rng.integers(len(made)))
            made.append(made[again])
            psids.append(psids[again])
    return made, psids


def one_by_one(judge: Verifier, made: list[bytes], psids: list[int], place: tuple[float, float] | None) -> list[object]:
    out: list[object] = []
    for data, psid in zip(made, psids):
        try:
            e = judge.check(data, (psid,), NOW, place)
            out.append((e.payload, e.signer, e.certificate is not None))
        except SecurityError as error:
            out.append(error.reason)
    return out


def verdicts(found: Checked) -> list[object]:
    out: list[object] = [(p, s, bool(a)) for p, s, a in zip(found.payload, found.signer, found.attached.tolist())]
    for i, reason in found.refused:
        assert out[i][:2] == (b"", b"")  # type: ignore[index]
        out[i] = reason
    return out


@pytest.mark.parametrize("place", [None, HERE])
def test_a_batch_gives_every_message_the_verdict_that_it_gets_alone(place: tuple[float, float] | None) -> None:
    many, alone, reasons = verifier(), verifier(), set()
    revoked = AUTHORITY.ticket(5, {PSID: b"", 37: b"", 300: b""}).certificate.hashed_id
    for seed in range(6):
        made, psids = crowd(seed)
        if seed == 3:
            for judge in (many, alone):
                judge.revoked.add(revoked)
        if seed == 5:
            for judge in (many, alone):
                judge.revoked.add(AUTHORITY.authority.hashed_id)
        found = verdicts(many.check_all(*pack(made), np.array(psids), NOW, place))
        assert found == one_by_one(alone, made, psids, place)
        reasons |= {f for f in found if isinstance(f, str)}
        assert any(isinstance(f, tuple) for f in found) or seed == 5
    wanted = {"malformed", "unknown_certificate", "revoked", "wrong_permission", "message_expired", "from_the_future"}
    assert reasons >= wanted | {"replayed", "bad_signature"} | ({"out_of_region"} if place else set())


def test_a_forged_copy_does_not_shut_out_the_true_message() -> None:
    ticket = AUTHORITY.ticket(1, {PSID: b""})
    judge, first, true = verifier(), message(ticket, 30, attach=True), message(ticket, 40)
    forged = true[:-1] + bytes([true[-1] ^ 1])
    found = judge.check_all(*pack([first, forged, true, true]), np.full(4, PSID), NOW)
    assert found.refused == [(1, "bad_signature"), (3, "replayed")]


def test_what_held_a_moment_ago_does_not_hold_for_ever() -> None:
    regional = AUTHORITY.ticket(21, {PSID: b""}, (Circle(*HERE, 100.0),))
    ticket, place, far = AUTHORITY.ticket(20, {PSID: b""}), HERE, (10.0, 10.0)

    def batch(judge: Verifier, now: float, where: tuple[float, float] | None, attach: bool = False) -> list[str]:
        made = []
        for each in (ticket, regional):
            signed = to_be_signed(b"x" * 30, Header(PSID, round(now * 1e6)))
            made.append(
                seal(signed, each.certificate, P256.sign(each.key, signed, each.certificate.coer), attach=attach)
            )
        found = judge.check_all(*pack(made), np.full(2, PSID), now, where)
        reasons = dict(found.refused)
        return [reasons.get(i, "accepted") for i in range(2)]

    judge = verifier()
    assert batch(judge, NOW, None, attach=True) == ["accepted", "accepted"]
    assert batch(judge, NOW + 0.1, None) == ["accepted", "accepted"]
    assert batch(judge, NOW + 0.2, far) == ["accepted", "out_of_region"]
    assert batch(judge, NOW + 0.3, place) == ["accepted", "accepted"]
    assert batch(judge, ticket.certificate.start - 1.0, place) == ["certificate_not_yet_valid"] * 2
    assert batch(judge, ticket.certificate.end + 1.0, place) == ["certificate_expired"] * 2
    assert batch(judge, NOW + 0.4, None) == ["accepted", "accepted"]
    judge.revoked.add(ticket.certificate.hashed_id)
    assert batch(judge, NOW + 0.5, None) == ["revoked", "accepted"]
    judge.revoked.clear()
    judge.revoked.add(regional.certificate.hashed_id)
    assert batch(judge, NOW + 0.6, None) == ["accepted", "revoked"]


def test_signatures_to_and_from_der() -> None:
    rng = np.random.default_rng(8)
    raw = [rng.bytes(64) for _ in range(300)]
    raw += [bytes(k) + rng.bytes(32 - k) + bytes(j) + rng.bytes(32 - j) for k in range(33) for j in (0, 1, 2, 31, 32)]
    raw += [bytes(31) + b"\x7f" + bytes(31) + b"\x80", b"\xff" * 64, bytes(64)]
    buffer, n = np.frombuffer(b"".join(raw), np.uint8), len(raw)
    at = np.arange(n) * 64
    at[5] = -1
    out, size = np.zeros((n, DER_MOST), np.uint8), np.zeros(n, np.int64)
    der_signatures(buffer, at, out, size)
    der = [row[:used].tobytes() for row, used in zip(out, size.tolist())]
    whole = [encode_dss_signature(int.from_bytes(r[:32], "big"), int.from_bytes(r[32:], "big")) for r in raw]
    assert der == [*whole[:5], b"", *whole[6:]]
    back = np.zeros(len(buffer), np.uint8)
    raw_signatures(*pack(whole), back, np.arange(n) * 64)
    assert back.tobytes() == buffer.tobytes()


@pytest.mark.parametrize("name", ["p256", "sm2"])
def test_messages_laid_out_at_once_are_those_sealed_alone(name: str) -> None:
    if name == "sm2" and not available():
        pytest.skip("libcrypto has no SM2 here")
    chosen, rng = algorithm(name), np.random.default_rng(9)
    authority, pens = simulated_authority(chosen, START), Pens(algorithm(name))
    tickets = {station: authority.ticket(station, {PSID: b""}) for station in (3, 70, 9)}
    last: dict[int, float] = {}
    for station, ticket in tickets.items():
        pens.use(station, ticket)
    headers = [Header(PSID, 7), Header(300, 1 << 50), Header(0x1234567, 9, requests=(b"abc", b"def"))]
    for now in (NOW, NOW + 0.5, NOW + 1.0, NOW + 1.2):
        if now == NOW + 0.5:
            pens.attach(70)
            last.pop(70)
        if now == NOW + 1.2:
            tickets[9] = authority.ticket(900, {PSID: b""})
            pens.use(9, tickets[9])
            last.pop(9)
        payload = [rng.bytes(k) for k in (0, 1, 127, 128, 255, 256, 65535, 65536, 70000, *rng.integers(20, 90, 6))]
        n = len(payload)
        stations, header = rng.choice([3, 70, 9], n).tolist(), rng.integers(0, 3, n)
        always = (rng.random(n) < 0.1).astype(np.uint8)
        raw, start = pens.sign(
            *pack(payload), pens.of(stations), header, [encode_header(h) for h in headers], always, now
        )
        for i, station in enumerate(stations):
            attach = bool(always[i]) or now - last.get(station, 0.0) >= 1.0 - 1e-6
            if attach:
                last[station] = now
            certificate, key = tickets[station]
            data = raw[start[i] : start[i + 1]].tobytes()
            signed = to_be_signed(payload[i], headers[header[i]])
            assert data[3 : 3 + len(signed)] == signed and (open_envelope(data).certificate is not None) == attach
            assert data == seal(signed, certificate, data[-64:], attach=attach)
            assert chosen.verify(certificate.point, data[-64:], signed, certificate.coer)
            assert name == "sm2" or data[-64:] == chosen.sign(key, signed, certificate.coer)


def test_nothing_is_a_batch_too() -> None:
    found = verifier().check_all(np.zeros(0, np.uint8), np.zeros(1, np.int64), np.zeros(0, np.int64), NOW)
    assert found.payload == [] and found.refused == []


def test_known_certificates_beside_a_set() -> None:
    rng = np.random.default_rng(5)
    peers, known = Peers(16), set()
    for _ in range(12):
        receivers = np.sort(rng.choice(1 << 30, 30, replace=False)) if rng.random() < 0.3 else np.arange(30) * 7
        ticket = rng.integers(-1, 400, 60)
        attached = (rng.random(60) < 0.3).astype(np.uint8)
        heard = [np.sort(rng.choice(60, rng.integers(0, 40), replace=False)) for _ in receivers]
        start = np.concatenate(([0], np.cumsum([len(h) for h in heard])))
        message = np.concatenate(heard).astype(np.int32)
        pairs = Pairs(start, message, rng.random(len(message)))
        kept, lost, missing = peers.hear(pairs, receivers, ticket, attached)
        want: list[tuple[int, int, float]] = []
        without: list[tuple[int, int]] = []
        for r, station in enumerate(receivers.tolist()):
            for p in range(start[r], start[r + 1]):
                m = int(message[p])
                pair = (station, int(ticket[m]))
                if ticket[m] >= 0 and attached[m]:
                    known.add(pair)
                if ticket[m] < 0 or pair in known:
                    want.append((r, m, float(pairs.delay[p])))
                else:
                    without.append((r, m))
        row = np.repeat(np.arange(len(receivers)), np.diff(kept.start))
        assert list(zip(row.tolist(), kept.message.tolist(), kept.delay.tolist())) == want
        assert list(zip(lost.tolist(), missing.tolist())) == without
