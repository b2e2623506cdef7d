"""Users of an outside identity provider (OpenID Connect): its signed tokens, checked with the keys that it publishes.

The provider is found by its discovery document (OpenID Connect Discovery 1.0, section 4); tokens are JWTs (RFC 7519, RFC 8725)
with asymmetric signatures only. Keys are fetched when a token names an unknown one, but not more often than every 30 s.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from typing import Any

import jwt

from cloverleaf.cloud.security.roles import ROLES, User
from cloverleaf.types.errors import InputError, SecurityError

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
PATIENCE = 5.0
"""s that the provider may take to answer."""
FETCH_EVERY = 30.0
LEEWAY = 30.0
"""s by which the two clocks may differ."""
MOST_BYTES = 1_000_000


def _get(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        found = json.loads(answer.read(MOST_BYTES))
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


class Provider:
    """The identity provider `issuer`, whose tokens must be meant for `audience`.

    roles: where a token names roles, claims joined by dots, e.g. `realm_access.roles`; a text or a list, the highest of viewer,
    operator and admin counts. tenant: the claim with the tenant, "*" for all. client: the name under which the provider knows the
    console, a public client without a secret; empty: the console sends nobody there.

    Raises:
        InputError: not an https address (http on this machine only), or it does not answer as a provider.
    """

    def __init__(
        self, issuer: str, audience: str, *, roles: str = "roles", tenant: str = "tenant", client: str = ""
    ) -> None:
        local = issuer.startswith(("http://127.0.0.1:", "http://localhost:"))
        if not (issuer.startswith("https://") or local):
            raise InputError(
                f"'{issuer}' is no https address", element="--oidc", hint="the issuer as its tokens name it"
            )
        self.issuer, self.audience, self.roles, self.tenant = issuer, audience, roles, tenant
        self.client, self._authorize, self._token = client, "", ""
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched = -1e18
        self._lock = threading.Lock()
        try:
            page = _get(issuer.rstrip("/") + "/.well-known/openid-configuration")
            if page["issuer"] != issuer:
                raise ValueError(f"it calls itself {page['issuer']}")
            self._address = str(page["jwks_uri"])
            if client:
                self._authorize, self._token = str(page["authorization_endpoint"]), str(page["token_endpoint"])
            self._fetch(time.monotonic())
        except (OSError, ValueError, KeyError) as error:
            raise InputError(
                f"no identity provider at {issuer}: {error}",
                element="--oidc",
                hint="it must publish .well-known/openid-configuration",
            ) from error

    def page(self) -> dict[str, str] | None:
        """What a browser needs for the code flow with a proof key (RFC 6749, section 4.1; RFC 7636); None without a client name."""
        if not self.client:
            return None
        return {"issuer": self.issuer, "authorize": self._authorize, "token": self._token, "client": self.client}

    def issued(self, token: str) -> bool:
        """Whether a token says that it is of this provider; nothing is checked yet."""
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            return False
        return claims.get("iss") == self.issuer

    def check(self, token: str) -> User:
        """Who a token stands for; may wait for the provider.

        Raises:
            SecurityError: with reason expired_token, bad_token, or unknown_key.
        """
        try:
            head = jwt.get_unverified_header(token)
            key = self._key(str(head.get("kid", "")))
            if head.get("alg") not in ALGORITHMS or (key.algorithm_name or head["alg"]) != head["alg"]:
                raise jwt.InvalidAlgorithmError("an algorithm that is not the key's")
            claims: dict[str, Any] = jwt.decode(
                token, key.key, algorithms=[head["alg"]], audience=self.audience, issuer=self.issuer, leeway=LEEWAY,
                options={"require": ["exp", "iat", "sub", "iss", "aud"]},
            )  # fmt: skip
        except jwt.ExpiredSignatureError as error:
            raise SecurityError("the token has expired", reason="expired_token") from error
        except (jwt.InvalidTokenError, TypeError, ValueError) as error:
            raise SecurityError("the token does not hold", reason="bad_token") from error
        role = self._role(claims)
        if role is None:
            raise SecurityError("the token names no role of this platform", reason="role")
        return User(str(claims["sub"])[:100], role, str(claims.get(self.tenant, "")), str(claims.get("jti", "")))

    def _role(self, claims: dict[str, Any]) -> str | None:
        found: Any = claims
        for part in self.roles.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        named = {found} if isinstance(found, str) else set(found) if isinstance(found, list) else set()
        return next((r for r in reversed(ROLES) if r in named), None)

    def _key(self, kid: str) -> jwt.PyJWK:
        with self._lock:
            now = time.monotonic()
            if kid not in self._keys and now - self._fetched > FETCH_EVERY:
                try:
                    self._fetch(now)
                except (OSError, ValueError, KeyError):
                    self._fetched = now  # it is away; those whose keys are known go on
            found = self._keys.get(kid) or (
                next(iter(self._keys.values())) if not kid and len(self._keys) == 1 else None
            )
        if found is None:
            raise SecurityError("the token is signed with a key that the provider does not name", reason="unknown_key")
        return found

    def _fetch(self, now: float) -> None:
        keys: dict[str, jwt.PyJWK] = {}
        for page in _get(self._address)["keys"]:
            if page.get("use", "sig") != "sig" or page.get("kty") == "oct":
                continue
            try:
                keys[str(page.get("kid", ""))] = jwt.PyJWK(page)
            except jwt.PyJWTError:
                continue  # of a kind that we do not know
        self._keys, self._fetched = keys, now
