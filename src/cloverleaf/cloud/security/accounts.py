"""Tenants as accounts of the broker: who may publish and hear what. Text for its configuration.

A tenant's account has its own subjects; what crosses is listed: its messages and frames go to the platform, its advisories come back.
A client of a tenant may publish under its own name only. What is not allowed is dropped by the broker, which logs it; a client over
MQTT is not told. With certificates a client is known by the DNS name in its certificate, which must be the client's name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from cloverleaf.cloud.live.subjects import SPACES, is_token
from cloverleaf.types.errors import InputError


class Client(NamedTuple):
    """One vehicle, unit or edge server of a tenant. password None: known by its certificate only."""

    name: str
    password: str | None = None


def _quoted(value: str) -> str:
    return json.dumps(value)


def _user(tenant: str, client: Client) -> str:
    name = client.name
    publish = [f"v2x.msg.{tenant}.{name}.>", *(f"{space}.*.{tenant}.{name}" for space in SPACES)]
    hear = [f"v2x.down.{tenant}.{name}", f"v2x.down.{tenant}.{name}.>", "_INBOX.>"]
    secret = "" if client.password is None else f", password: {_quoted(client.password)}"
    rights = f"publish: {json.dumps(publish)}, subscribe: {json.dumps(hear)}"
    return f"      {{ user: {_quoted(name)}{secret}, permissions: {{ {rights} }} }}"


def accounts(platform_password: str, tenants: Mapping[str, Sequence[Client]]) -> str:
    """The `accounts` part of a broker's configuration.

    Raises:
        InputError: a name that cannot stand in a subject, or is taken twice.
    """
    names = [c.name for clients in tenants.values() for c in clients]
    for name in (*tenants, *names):
        if not is_token(name):
            raise InputError(f"'{name}' cannot name a tenant or client", hint="letters, digits, - and _, at most 64")
    if len(set(names)) < len(names) or "platform" in names:
        raise InputError("clients of all tenants need different names")
    imports, exports, parts = [], [], []
    for tenant, clients in tenants.items():
        ups = (f"v2x.msg.{tenant}.>", *(f"{space}.*.{tenant}.>" for space in SPACES))
        imports += [f'      {{ stream: {{ account: "{tenant}", subject: "{s}" }} }}' for s in ups]
        exports.append(f'      {{ stream: "v2x.down.{tenant}.>", accounts: ["{tenant}"] }}')
        users = "\n".join(_user(tenant, c) for c in clients)
        own = "\n".join(f'      {{ stream: "{s}", accounts: ["PLATFORM"] }}' for s in ups)
        parts.append(
            f'  "{tenant}": {{\n    jetstream: enabled\n    users: [\n{users}\n    ]\n    exports: [\n{own}\n    ]\n'
            f'    imports: [ {{ stream: {{ account: "PLATFORM", subject: "v2x.down.{tenant}.>" }} }} ]\n  }}'
        )
    platform = (
        f"  PLATFORM: {{\n    jetstream: enabled\n    users: [ {{ user: platform, password: {_quoted(platform_password)} }} ]\n"
        f"    imports: [\n{chr(10).join(imports)}\n    ]\n    exports: [\n{chr(10).join(exports)}\n    ]\n  }}"
    )
    return "accounts: {\n" + "\n".join((platform, *parts)) + "\n}\n"


def mutual_tls(certificate: Path, key: Path, authority: Path) -> str:
    """A `tls` block that wants a certificate of each client and knows it by the DNS name therein."""
    files = f"cert_file: {_quoted(str(certificate))}, key_file: {_quoted(str(key))}, ca_file: {_quoted(str(authority))}"
    return f"tls {{ {files}, verify_and_map: true, timeout: 3 }}"


def read_tenants(path: Path) -> dict[str, list[Client]]:
    """Tenants in a JSON file: `{"city": {"veh1": "password", "veh2": null}}`; null: by certificate only.

    Raises:
        InputError: not such a file.
    """
    try:
        raw = json.loads(path.read_text())
        return {
            str(t): [Client(str(n), None if p is None else str(p)) for n, p in clients.items()]
            for t, clients in raw.items()
        }
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"not a file of tenants: {error}", file=path, hint='{"city": {"veh1": "password"}}') from error
