"""Users of an outside identity provider: a little issuer on this machine, its good tokens and everything that must be refused."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from fastapi.testclient import TestClient
from test_engine import toy

from cloverleaf.cloud.api.app import create_app
from cloverleaf.cloud.api.live import Live
from cloverleaf.cloud.security.oidc import Provider
from cloverleaf.cloud.security.users import Users
from cloverleaf.types.errors import InputError, SecurityError


class Issuer:
    """An identity provider with two keys."""

    def __init__(self) -> None:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 30.0

            def do_GET(self) -> None:
                page = issuer.pages.get(self.path)
                self.send_response(200 if page else 404)
                self.end_headers()
                self.wfile.write(json.dumps(page or {}).encode())

            def log_message(self, *_: object) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/realm"
        self.keys = {
            "a": (rsa.generate_private_key(public_exponent=65537, key_size=2048), "RS256"),
            "b": (ec.generate_private_key(ec.SECP256R1()), "ES256"),
        }
        self.pages = {
            "/realm/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": f"{self.url}/keys"},
            "/realm/keys": {"keys": [self.jwk(kid) for kid in self.keys]},
        }
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def jwk(self, kid: str) -> dict[str, str]:
        key, name = self.keys[kid]
        page = jwt.get_algorithm_by_name(name).to_jwk(key.public_key(), as_dict=True)
        return page | {"kid": kid, "alg": name, "use": "sig"}

    def token(self, kid: str = "a", key=None, algorithm: str = "", **changes: object) -> str:
        """A token with changed claims; None leaves one out."""
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": "cloverleaf-api", "sub": "wei", "iat": now, "exp": now + 300, "jti": "1", "tenant": "city",
            "realm_access": {"roles": ["offline", "operator", "viewer"]},
        } | changes  # fmt: skip
        claims = {k: v for k, v in claims.items() if v is not None}
        known = self.keys.get(kid, self.keys["a"])
        return jwt.encode(claims, key or known[0], algorithm=algorithm or known[1], headers={"kid": kid})

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(30.0)


@pytest.fixture(scope="module")
def issuer():
    found = Issuer()
    yield found
    found.close()


@pytest.fixture
def provider(issuer):
    return Provider(issuer.url, "cloverleaf-api", roles="realm_access.roles")


@pytest.mark.parametrize("kid", ["a", "b"])
def test_good_tokens_say_who_it_is(issuer, provider, kid):
    assert provider.issued(issuer.token(kid)) and provider.check(issuer.token(kid))[:3] == ("wei", "operator", "city")


def test_everything_else_is_refused(issuer, provider):
    now = int(time.time())
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    confused = issuer.token(key=b"x" * 32, algorithm="HS256")
    for bad, reason in (
        (issuer.token(exp=now - 100), "expired_token"), (issuer.token(aud="somebody"), "bad_token"),
        (issuer.token(iss="http://x"), "bad_token"),
        (issuer.token(sub=None), "bad_token"), (issuer.token(exp=None), "bad_token"), (issuer.token(iat=now + 900), "bad_token"),
        (issuer.token(key=stranger), "bad_token"), (issuer.token("b", key=ec.generate_private_key(ec.SECP256R1())), "bad_token"),
        (issuer.token(kid="c"), "unknown_key"), (confused, "bad_token"), (issuer.token(realm_access={"roles": ["root"]}), "role"),
        (issuer.token(realm_access=None), "role"), (issuer.token()[:-3], "bad_token"), ("a.b.c", "bad_token"),
    ):  # fmt: skip
        with pytest.raises(SecurityError) as caught:
            provider.check(bad)
        assert caught.value.reason == reason, bad


def test_new_keys_are_fetched_when_a_token_names_them(issuer, provider):
    issuer.keys["d"] = (ec.generate_private_key(ec.SECP256R1()), "ES256")
    issuer.pages["/realm/keys"] = {"keys": [issuer.jwk("d")]}
    try:
        with pytest.raises(SecurityError):
            provider.check(issuer.token("d"))  # fetched just now: not again at once
        provider._fetched = -1e18
        assert provider.check(issuer.token("d")).name == "wei"
        with pytest.raises(SecurityError):
            provider.check(issuer.token("a"))  # taken out of the list
    finally:
        del issuer.keys["d"]
        issuer.pages["/realm/keys"] = {"keys": [issuer.jwk(kid) for kid in issuer.keys]}


@pytest.mark.parametrize("address", ["http://example.org", "ftp://x", "http://127.0.0.1:9/realm"])
def test_no_provider_is_said(address):
    with pytest.raises(InputError):
        Provider(address, "cloverleaf-api")


def test_the_issuer_must_be_who_it_says(issuer):
    with pytest.raises(InputError, match="calls itself"):
        Provider(issuer.url + "/", "cloverleaf-api")


def test_the_api_lets_them_in_and_notes_refusals(issuer, provider, tmp_path):
    users = Users(tmp_path / "users.json", "ab" * 32, provider)
    with TestClient(create_app(Live(toy()), tmp_path, secret="ab" * 32, users=users)) as client:

        def status(path: str, **changes: object) -> int:
            return client.get(path, headers={"Authorization": f"Bearer {issuer.token(**changes)}"}).status_code

        assert status("/api/objects") == 200 and status("/api/objects", aud="x") == 401
        assert status("/api/history/range") == 200
        admin = {"realm_access": {"roles": "admin"}}
        assert status("/api/audit", **admin) == 403, "its tenant is not all"
        assert status("/api/audit", **admin, tenant="*") == 200
        page = client.get("/api/login").json()
        assert page == {"asked": True, "provider": None}, "no name of the console at the provider"
        assert status("/api/audit", tenant="*") == 403, "an operator only"
        token = {"Authorization": f"Bearer {issuer.token(jti='9')}"}
        assert client.delete("/api/session", headers=token).status_code == 200
        assert client.get("/api/objects", headers=token).status_code == 401
        reasons = [e["detail"].get("reason") for e in client.app.state.audit.last()]
        assert (
            reasons.count("tenant") == 1
            and "role" in reasons
            and "returned_token" in reasons
            and "bad_token" in reasons
        )
