"""Refused, and seen to be refused: tokens, roles, tenants, certificates, a changed audit log; and what privacy leaves over."""

from __future__ import annotations

import asyncio
import datetime
import ssl
import time

import jwt
import nats
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fastapi.testclient import TestClient
from nats.aio.client import Client as NatsClient
from test_engine import toy

from cloverleaf.cloud.api import guard
from cloverleaf.cloud.api.app import create_app
from cloverleaf.cloud.api.live import Live
from cloverleaf.cloud.broker import Broker
from cloverleaf.cloud.security.accounts import Client, accounts, mutual_tls
from cloverleaf.cloud.security.audit import Audit, verify
from cloverleaf.cloud.security.privacy import trip_middle
from cloverleaf.cloud.security.users import Users
from cloverleaf.cloud.server.refusals import Refusals
from cloverleaf.link.io import mqtt
from cloverleaf.types.errors import InputError, SecurityError

SECRET = "ab" * 32


def users(folder) -> Users:
    found = Users(folder / "users.json", SECRET)
    for name, role in (("vera", "viewer"), ("otto", "operator"), ("anna", "admin")):
        found.add(name, f"{name}-password", role)
    return found


def test_tokens_expire_and_are_of_one_platform(tmp_path) -> None:
    ours = users(tmp_path)
    token = ours.login("otto", "otto-password")
    assert ours.check(token).may("viewer") and not ours.check(token).may("admin")
    key = ours._key
    claims = jwt.decode(token, key, algorithms=["HS256"], audience="cloverleaf-api")

    def changed(key=key, **new) -> str:
        return jwt.encode(claims | new, key, algorithm="HS256")

    reasons = []
    for bad in (
        "", changed(exp=int(time.time()) - 5), changed(aud="somebody"), changed(role="root"), changed(sub="nobody"), changed(key=b"x" * 32),
        jwt.encode(claims, None, algorithm="none"), token[:-2], "a.b.c",
    ):  # fmt: skip
        with pytest.raises(SecurityError) as caught:
            ours.check(bad)
        reasons.append(caught.value.reason)
    assert reasons == ["no_token", "expired_token", *["bad_token"] * 7]
    ours.give_back(ours.check(token))
    with pytest.raises(SecurityError, match="given back"):
        ours.check(token)
    for wrong in (("otto", "guess"), ("nobody", "otto-password")):
        with pytest.raises(SecurityError, match="do not fit"):
            ours.login(*wrong)


def test_the_audit_log_shows_changes(tmp_path) -> None:
    path = tmp_path / "audit.jsonl"
    log = Audit(path)
    for k in range(5):
        log.write(float(k), "anna", "erase", station=k)
    Audit(path).write(9.0, "otto", "login")
    assert verify(path) == "" and [e["n"] for e in log.last()] == [1, 2, 3, 4, 5, 6]
    lines = path.read_text().splitlines()
    changed = [*lines[:2], lines[2].replace('"station": 2', '"station": 7'), *lines[3:]]
    for change in (changed, [*lines[:2], *lines[3:]], [lines[1], lines[0], *lines[2:]]):
        path.write_text("\n".join(change) + "\n")
        assert verify(path) != ""
    path.write_text("\n".join(lines) + '\n{"half')
    Audit(path).write(10.0, "anna", "login")
    assert "cannot be read" in verify(path) and len(Audit(path).last()) == 7


def test_roles_and_limits_of_the_api(tmp_path, monkeypatch) -> None:
    app = create_app(Live(toy()), tmp_path, secret=SECRET, users=users(tmp_path))
    with TestClient(app) as client:

        def as_(name: str) -> dict[str, str]:
            got = client.post("/api/token", json={"name": name, "password": f"{name}-password"}).json()
            return {"Authorization": f"Bearer {got['token']}"}

        assert client.get("/health").status_code == 200 and client.get("/api/objects").status_code == 401
        assert client.post("/api/token", json={"name": "otto", "password": "wrong"}).status_code == 401
        vera, otto, anna = as_("vera"), as_("otto"), as_("anna")
        assert [client.get("/api/objects", headers=h).status_code for h in (vera, otto, anna)] == [200] * 3
        assert [client.get("/api/history/range", headers=h).status_code for h in (vera, otto, anna)] == [403, 200, 200]
        assert [client.get("/api/privacy/export?station=5", headers=h).status_code for h in (vera, otto, anna)] == [
            403,
            403,
            200,
        ]
        assert client.delete("/api/session", headers=vera).status_code == 200
        assert client.get("/api/objects", headers=vera).status_code == 401
        found = client.get("/api/audit", headers=anna).json()
        actions = [(e["actor"], e["action"], e["detail"].get("reason")) for e in found["entries"]]
        assert ("otto", "login refused", "bad_login") in actions and any(a[2] == "returned_token" for a in actions)
        assert any(a[1] == "export" for a in actions) and found["wrong"] == ""
        now = time.time()
        monkeypatch.setattr(guard.time, "time", lambda: now)  # however slow the machine is
        statuses = [client.get("/api/services", headers=otto).status_code for _ in range(400)]
        assert 429 in statuses and client.get("/api/services", headers=anna).status_code == 200


def test_trip_ends_are_held_back() -> None:
    t = np.arange(0.0, 200.0)
    x, y = 10.0 * t, 0.0 * t
    speed = np.full(200, 10.0)
    keep = trip_middle(t, x, y, speed)
    assert x[keep].min() >= 300.0 and x[keep].max() <= x.max() - 300.0 and keep.sum() > 130
    parked = np.concatenate((speed[:100], np.zeros(700), speed[:100]))
    t2 = np.arange(900.0)
    x2 = np.concatenate(([0.0], np.cumsum(parked)[:-1]))
    kept = x2[trip_middle(t2, x2, 0 * x2, parked)]
    assert not ((kept > 700.0) & (kept < 1300.0)).any(), "where it stood for long both trips end"
    assert not trip_middle(t[:1], x[:1], y[:1], speed[:1]).any() and not trip_middle(t, x, y, 0 * speed).any()


async def quiet(error: Exception) -> None:
    """Refusals are what these tests are about."""


async def heard(broker: Broker, listener: dict, publisher: dict, subject: str, listen: str) -> bool:
    """Whether what one user publishes reaches another: said again and again until it is heard, or for one second.

    A broker takes some milliseconds after a flush was answered until a subscription counts in an account it imports from,
    so one message would show nothing: neither that a user is heard, nor that nobody is.
    """
    got: list[object] = []
    a = await nats.connect(broker.url, error_cb=quiet, **listener)
    b = await nats.connect(broker.url, error_cb=quiet, **publisher)
    try:

        async def take(message) -> None:
            got.append(message)

        await a.subscribe(listen, cb=take)
        await a.flush()
        for _ in range(40):
            await b.publish(subject, b"x")
            await b.flush()
            await a.flush()
            await asyncio.sleep(0.025)
            if got:
                break
        return bool(got)
    finally:
        await a.close()
        await b.close()


def test_tenants_hear_and_say_only_what_is_theirs(tmp_path) -> None:
    tenants = {"city": [Client("veh1", "one"), Client("veh2", "two")], "port": [Client("crane", "three")]}
    broker = Broker(tmp_path / "broker", mqtt=-1, users=accounts("secret", tenants))
    broker.start()
    platform = {"user": "platform", "password": "secret"}
    veh1, veh2, crane = ({"user": u, "password": p} for u, p in (("veh1", "one"), ("veh2", "two"), ("crane", "three")))

    async def story() -> None:
        ask = lambda *a, **k: heard(broker, *a, **k)  # noqa: E731
        assert await ask(platform, veh1, "v2x.msg.city.veh1.bsm", "v2x.msg.>")
        assert await ask(platform, veh1, "v2x.frame.5.city.veh1", "v2x.frame.>")
        assert await ask(veh1, platform, "v2x.down.city.veh1", "v2x.down.city.veh1")
        assert not await ask(platform, veh1, "v2x.msg.city.veh2.bsm", "v2x.msg.>"), "another's name"
        assert not await ask(platform, veh1, "v2x.msg.port.crane.bsm", "v2x.msg.>"), "another tenant"
        assert not await ask(platform, crane, "v2x.command.3", "v2x.command.*"), "the platform's own subjects"
        assert not await ask(veh2, platform, "v2x.down.city.veh1", "v2x.down.city.veh1"), "another's advisories"
        assert not await ask(crane, platform, "v2x.down.city.veh1", "v2x.down.>")
        stranger = NatsClient()
        try:
            with pytest.raises(nats.errors.Error):
                await stranger.connect(broker.url, user="veh1", password="wrong", allow_reconnect=False, error_cb=quiet)
        finally:
            await stranger.close()

    try:
        asyncio.run(story())
    finally:
        broker.stop()


def test_names_of_tenants_are_checked() -> None:
    for bad in (
        {"a.b": []},
        {"city": [Client("x y")]},
        {"a": [Client("v")], "b": [Client("v")]},
        {"a": [Client("platform")]},
    ):
        with pytest.raises(InputError):
            accounts("p", bad)


def certificate(name: str, folder, issuer=None, days: float = 1.0):
    """A certificate with a DNS name; returns (certificate, key); files NAME.pem and NAME.key."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    parent, parent_key = issuer or (None, key)
    builder = x509.CertificateBuilder(
        issuer_name=parent.subject if parent else subject, subject_name=subject, public_key=key.public_key(),
        serial_number=x509.random_serial_number(), not_valid_before=now - datetime.timedelta(days=2),
        not_valid_after=now + datetime.timedelta(days=days),
    )  # fmt: skip
    hosts = [name, "localhost"] if name == "server" else [name]
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(h) for h in hosts]), False)
    builder = builder.add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), True)
    made = builder.sign(parent_key, hashes.SHA256())
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return made, key


def test_vehicles_are_known_by_their_certificates(tmp_path) -> None:
    root = certificate("root", tmp_path)
    certificate("server", tmp_path, root)
    certificate("veh1", tmp_path, root)
    certificate("veh9", tmp_path, root)  # not a client of anybody
    certificate("old", tmp_path, root, days=-1.0)
    other = tmp_path / "other"
    other.mkdir()
    certificate("veh1", other, certificate("root", other))
    tls = mutual_tls(tmp_path / "server.pem", tmp_path / "server.key", tmp_path / "root.pem")
    broker = Broker(tmp_path / "broker", users=accounts("secret", {"city": [Client("veh1")]}), tls=tls)
    broker.start()

    def publish(pem, key, topic: str) -> bool:
        """Whether a client with this certificate (None: none) gets a connection; it then publishes."""
        import socket

        context = ssl.create_default_context(cafile=str(tmp_path / "root.pem"))
        if pem is not None:
            context.load_cert_chain(pem, key)
        try:
            with context.wrap_socket(
                socket.create_connection(("127.0.0.1", broker.mqtt), 30.0), server_hostname="localhost"
            ) as s:
                s.settimeout(30.0)
                s.sendall(mqtt.connect("c" + str(time.monotonic_ns())))
                if s.recv(4)[3:4] != b"\x00":
                    return False
                s.sendall(
                    mqtt.publish(topic, b"hello") + b"\xc0\x00"
                )  # and a ping: once answered, the broker has read both
                return s.recv(2) == b"\xd0\x00"
        except (OSError, ssl.SSLError):
            return False

    async def story() -> None:
        client = await nats.connect(broker.url, user="platform", password="secret")
        try:
            await ask(client)
        finally:
            await client.close()

    async def ask(client) -> None:
        got = []

        async def take(message) -> None:
            got.append(message.subject)

        await client.subscribe("v2x.msg.>", cb=take)
        await client.flush()
        ours = (tmp_path / "veh1.pem", tmp_path / "veh1.key")
        assert await asyncio.to_thread(publish, *ours, "v2x/msg/city/veh1/bsm")
        await asyncio.to_thread(publish, *ours, "v2x/msg/city/veh2/bsm")  # dropped
        for pem, key in ((None, None), (tmp_path / "old.pem", tmp_path / "old.key"), (other / "veh1.pem", other / "veh1.key"),
                         (tmp_path / "veh9.pem", tmp_path / "veh9.key")):  # fmt: skip
            assert not await asyncio.to_thread(publish, pem, key, "v2x/msg/city/veh1/bsm"), pem
        await client.flush()
        await asyncio.sleep(0.3)
        assert got == ["v2x.msg.city.veh1.bsm"]

    audit = Audit(tmp_path / "audit.jsonl")
    refusals = Refusals(broker.folder / "broker.log", audit)
    try:
        asyncio.run(story())
    finally:
        broker.stop()
    assert refusals.look(time.time()) >= 3, "no certificate, an expired one, somebody else's"
    assert (
        all(e["action"] == "refused" for e in audit.last())
        and verify(audit.path) == ""
        and refusals.look(time.time()) == 0
    )
