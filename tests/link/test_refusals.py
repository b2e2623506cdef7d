"""Every reason to refuse a message, one message made for each: refused with that reason and counted, by `link verify` and in the loop."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from test_bus import awareness, heard, stations
from tests.link.test_link_commands import rows, run

from cloverleaf.link.bus import Link
from cloverleaf.link.its_time import ITS_EPOCH
from cloverleaf.link.security import sm2
from cloverleaf.link.security.bus_security import BusSecurity
from cloverleaf.link.security.certificate import Certificate, Circle, issue
from cloverleaf.link.security.envelope import Header, seal, to_be_signed
from cloverleaf.link.security.signer import simulated_authority
from cloverleaf.link.security.verifier import REASONS
from cloverleaf.link.station import empty_outbox
from cloverleaf.types.messages import MessageKind, WireBatch
from naive.link_content import PickleContent

PSID, HERE, TICK = 111, (31.0, 121.0), 0.1
NAMES = ["p256", pytest.param("sm2", marks=pytest.mark.skipif(not sm2.available(), reason="needs OpenSSL's SM2"))]


class Case(NamedTuple):
    """Messages of which the last one is to be refused, and what else a verifier has to know."""

    messages: list[bytes]
    trusted: list[Certificate]
    revoked: list[Certificate]


class World:
    """A world with security, whose authority issues certificates that are wrong in one way."""

    def __init__(self, name: str) -> None:
        self.security = BusSecurity(name, "csae_day2", place=HERE)
        self.algorithm, self.now = self.security.algorithm, self.security.offset + TICK
        self.key = self.algorithm.generate(0xBAD)
        home = self.security.authority
        self.trusted = [home.root, home.authority]
        said = awareness(stations([0.0]), TICK)._replace(station=np.array([77]))
        self.payload = PickleContent().encode(MessageKind.AWARENESS, said)[0].tobytes()

    def ticket(self, *, start: int = -600, hours: int = 1, permissions: Any = None, regions: tuple[Circle, ...] = (),
               issuer: Any = None, public: Callable[[Any], bytes] | None = None) -> Certificate:  # fmt: skip
        home = issuer or self.security.authority
        chosen = self.algorithm if public is None else self.algorithm._replace(public=public)
        allowed = {PSID: b""} if permissions is None else permissions
        return issue(chosen, home.authority, home.key, self.key, name="", start=int(self.security.offset) + start, hours=hours,
                     permissions=allowed, regions=regions)  # fmt: skip

    def sign(self, ticket: Certificate, *, age: float = 0.0, attach: bool = True) -> bytes:
        signed = to_be_signed(self.payload, Header(PSID, round((self.now - age) * 1e6)))
        return seal(signed, ticket, self.algorithm.sign(self.key, signed, ticket.coer), attach=attach)

    def case(self, reason: str) -> Case:
        good = self.ticket()
        if reason == "malformed":
            return Case([b"\x03\x81nonsense"], self.trusted, [])
        if reason == "bad_signature":
            data = bytearray(self.sign(good))
            data[-1] ^= 1
            return Case([bytes(data)], self.trusted, [])
        if reason in ("certificate_expired", "certificate_not_yet_valid"):
            # an hour within the authority's time, that has passed or is to come
            ticket = self.ticket(start=-3600 if reason == "certificate_expired" else 600)
            return Case([self.sign(ticket)], self.trusted, [])
        return {
            "unknown_certificate": lambda: Case([self.sign(good, attach=False)], self.trusted, []),
            "revoked": lambda: Case([self.sign(good)], self.trusted, [good]),
            "untrusted_issuer": lambda: Case([self.sign(self.stranger())], self.trusted, []),
            "bad_key": lambda: Case([self.sign(self.ticket(public=self.off_the_curve))], self.trusted, []),
            "wrong_permission": lambda: Case([self.sign(self.ticket(permissions={37: b""}))], self.trusted, []),
            "out_of_region": lambda: Case(
                [self.sign(self.ticket(regions=(Circle(10.0, 10.0, 500.0),)))], self.trusted, []
            ),
            "message_expired": lambda: Case([self.sign(good, age=30.0)], self.trusted, []),
            "from_the_future": lambda: Case([self.sign(good, age=-30.0)], self.trusted, []),
            "replayed": lambda: Case([self.sign(good)] * 2, self.trusted, []),
        }[reason]()

    def stranger(self) -> Certificate:
        return self.ticket(issuer=simulated_authority(self.algorithm, int(self.security.offset) - 7200))

    def off_the_curve(self, key: Any) -> bytes:
        """A compressed point that looks like the key's, with an x that belongs to no point."""
        point = bytearray(self.algorithm.public(key))
        while True:
            point[-1] = (point[-1] + 1) & 255
            x, p, a, b = int.from_bytes(point[1:], "big"), *CURVES[self.algorithm.name]
            if pow(x**3 + a * x + b, (p - 1) // 2, p) == p - 1:
                return bytes(point)


CURVES = {
    "p256": (
        2**256 - 2**224 + 2**192 + 2**96 - 1,
        -3,
        0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    ),
    "sm2": (
        2**256 - 2**224 - 2**96 + 2**64 - 1,
        -3,
        0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93,
    ),
}
"""p, a and b of y^2 = x^3 + ax + b (FIPS 186-4 D.1.2.3; GB/T 32918.5)."""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reason", REASONS)
def test_on_the_command_line(reason: str, name: str, tmp_path: Path) -> None:
    world = World(name)
    case = world.case(reason)
    for k, certificate in enumerate(case.trusted):
        (tmp_path / f"{k}.coer").write_bytes(certificate.coer)
    (tmp_path / "revoked").write_text("".join(f"{c.hashed_id.hex()}\n" for c in case.revoked))
    at = datetime.datetime.fromtimestamp(world.now + ITS_EPOCH, datetime.UTC).isoformat()
    result = run(
        "verify", "--trust", tmp_path, "--psid", PSID, "--at", at, "--place", f"{HERE[0]},{HERE[1]}", "--revoked",
        tmp_path / "revoked", stdin="".join(f"{m.hex()}\n" for m in case.messages),
    )  # fmt: skip
    out = rows(result)
    assert [row.get("reason") for row in out] == [None] * (len(out) - 1) + [reason] and out[-1]["error"]
    assert f"{reason}=1" in result.stderr.split()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reason", REASONS)
def test_in_the_loop(reason: str, name: str) -> None:
    world, who = World(name), stations([50.0, 100.0])
    link = Link(PickleContent(), radio="ideal", security=world.security)
    case = world.case(reason)
    world.security.verifier.revoked |= {c.hashed_id for c in case.revoked}
    one = np.zeros(1)
    for data in case.messages:
        link.inject(WireBatch(
            np.frombuffer(data, np.uint8), np.array([0, len(data)]), np.array([MessageKind.AWARENESS], np.int32), np.array([77]),
            one, one, one + TICK, np.zeros(1, np.uint8), np.array([-1]),
        ))  # fmt: skip
    inbox = link.exchange(empty_outbox()._replace(awareness=awareness(who, TICK)), who, TICK)
    assert link.statistics.summary()["refused"] == {reason: 1}
    got = len(heard(inbox, 0, MessageKind.AWARENESS))
    assert got == 1 + (len(case.messages) - 1), "the others' messages arrive"


@pytest.mark.parametrize(("reason", "verdict"), [("bad_signature", "does not hold"), ("message_expired", "holds")])
def test_inspect_says_what_the_signature_is_worth(reason: str, verdict: str) -> None:
    message = World("p256").case(reason).messages[-1]
    found = rows(run("inspect", "--json", "-", stdin=json.dumps({"hex": message.hex()})))[0]
    assert found["security"]["signature"] == verdict, found["security"]
