"""The platform as a whole: broker, processes, API. What `cloverleaf serve` runs."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from fastapi import FastAPI

from cloverleaf.cloud.api.app import create_app
from cloverleaf.cloud.api.live import Live
from cloverleaf.cloud.broker import READY_WITHIN, Broker
from cloverleaf.cloud.gateways.timetable import read_timetable
from cloverleaf.cloud.live.tiers import Tier, tier_of
from cloverleaf.cloud.security.accounts import accounts, mutual_tls, read_tenants
from cloverleaf.cloud.security.oidc import Provider
from cloverleaf.cloud.security.own_root import make_root
from cloverleaf.cloud.security.users import Users
from cloverleaf.cloud.server.child import reach
from cloverleaf.cloud.server.refusals import Refusals
from cloverleaf.cloud.server.settings import Settings, share_map
from cloverleaf.cloud.server.stream import ensure_streams
from cloverleaf.cloud.server.supervisor import Supervisor
from cloverleaf.cloud.services import BUILT_IN, service_class


def secret_of(folder: Path) -> str:
    """The platform's own secret, made once, readable by its owner only."""
    path = folder / "secret"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path.read_text().strip()


def first_user(settings: Settings) -> None:
    """Without any user, make an administrator and leave the password in DATA/admin-password, for its owner only."""
    users = Users(settings.folder / "users.json", settings.secret)
    if len(users):
        return
    path, password = settings.folder / "admin-password", secrets.token_urlsafe(16)
    path.touch(mode=0o600)
    path.write_text(password + "\n")
    users.add("admin", password, "admin")


def host_services(services: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Services outside the shards: our own, and those of other packages.

    Raises:
        PluginError: an unknown service.
    """
    ours, others = [], []
    for name in services:
        found = service_class(name)
        if name not in BUILT_IN:
            others.append(name)
        elif tier_of(found) is not Tier.EDGE:
            ours.append(name)
    return ours, others


def provider_of(s: Settings) -> Provider:
    """The outside identity provider.

    Raises:
        InputError: it does not answer as one.
    """
    return Provider(s.oidc, s.oidc_audience, roles=s.oidc_roles, client=s.oidc_client)


def tls_of(folder: Path) -> str:
    """MQTT with certificates, if DATA/tls holds server.pem, server.key and clients-ca.pem."""
    files = [folder / "tls" / name for name in ("server.pem", "server.key", "clients-ca.pem")]
    return mutual_tls(files[0], files[1], files[2]) if all(f.is_file() for f in files) else ""


async def _prepare(settings: Settings, patience: float) -> None:
    """See that the broker answers and keeps the stream."""
    client = await reach(
        settings.broker, "prepare", READY_WITHIN if settings.broker.startswith("nats://127.") else 15.0
    )
    try:
        await ensure_streams(client, replicas=settings.replicas)
    finally:
        await asyncio.wait_for(client.close(), 5.0)


class Platform:
    """Everything that one `cloverleaf serve` starts. broker: None starts one of our own under DATA/broker."""

    def __init__(self, settings: Settings, broker_url: str | None = None, mqtt_port: int = 0) -> None:
        self.base_map = share_map(settings)
        self.provider = provider_of(settings) if settings.oidc else None
        secret = secret_of(settings.folder)
        if settings.security != "none":
            make_root(settings.folder / "keys", settings.security)
        self.broker, self._password = None, ""
        if not broker_url:
            # the broker's own user is for this platform's processes; clients come as users of their tenants
            password = hashlib.blake2b(b"broker", key=bytes.fromhex(secret), digest_size=16).hexdigest()
            tenants = (
                read_tenants(settings.folder / "tenants.json") if (settings.folder / "tenants.json").exists() else None
            )
            users = "" if tenants is None else accounts(password, tenants)
            self._password = "" if tenants is None else password
            self.broker = Broker(settings.folder / "broker", mqtt=mqtt_port, users=users, tls=tls_of(settings.folder))
        replicas = 3 if (broker_url or "").count(",") >= 2 else 1  # a cluster of three keeps each frame on all of them
        self.settings = replace(settings, broker=broker_url or "", secret=secret, replicas=replicas)
        self.supervisor = Supervisor(self.settings.run, self.broker)
        self.live = Live(self.base_map)
        self.live.supervision = self.supervisor.page
        if (settings.folder / "gtfs").is_dir():
            self.live.timetable = read_timetable(settings.folder / "gtfs")

    def start(self) -> None:
        """Broker and processes; the API is the caller's to run.

        Raises:
            CloverleafError: the broker does not start, or none answers where one was named.
        """
        if self.broker is not None:
            self.broker.start()
            login = f"platform:{self._password}@" if self._password else ""
            self.settings = replace(self.settings, broker=f"nats://{login}{self.broker.url[7:]}")
        asyncio.run(_prepare(self.settings, READY_WITHIN if self.broker else 15.0))
        path = self.settings.write()
        self.supervisor.add("keeper", "keeper", path)
        self.supervisor.add("gateway", "gateway", path)
        for gateway in self.settings.gateways:
            name, _, port = gateway.partition(":")
            self.supervisor.add(f"fleet-{name}", "fleet", path, name, port)
        ours, others = host_services(self.settings.services)
        if ours:
            self.supervisor.add("host-region", "host", path, "host-region", *ours)
        for name in others:  # somebody else's code: a process of its own each
            self.supervisor.add(f"host-{name}", "host", path, f"host-{name}", name)
        if self.settings.replay:
            self.supervisor.add("replay", "rerun", path, *self.settings.replay)
        for k in range(self.settings.shards):
            self.supervisor.add(f"shard-{k}", "shard", path, str(k))

    @contextlib.asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        """Follows the processes while the API runs."""
        client = await reach(self.settings.broker, "api", READY_WITHIN)
        self.supervisor.start()
        await self.live.follow(client)
        loop = asyncio.get_running_loop()

        def damaged(path: str) -> None:
            asyncio.run_coroutine_threadsafe(client.publish("v2x.lake.damaged", path.encode()), loop)

        app.state.reader.report = damaged
        tasks = [asyncio.ensure_future(self.supervisor.watch())]
        if self.broker is not None:
            tasks.append(asyncio.ensure_future(Refusals(self.broker.folder / "broker.log", app.state.audit).follow()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            with contextlib.suppress(Exception):
                await asyncio.wait_for(client.close(), 2.0)

    def app(self) -> FastAPI:
        """The API."""
        s = self.settings
        users = Users(s.folder / "users.json", s.secret, self.provider) if s.auth else None
        return create_app(self.live, s.folder, self.lifespan, secret=s.secret, users=users)

    def stop(self) -> None:
        """End what `start` began."""
        self.supervisor.stop()
