"""Users of the API: names with a password, a role and a tenant in a file; signed tokens that say who someone is.

Tokens are JWTs (HS256) with issuer, audience, expiry and a number of their own; a token that was given back, or one of another
platform or audience, is refused. Tokens of an outside identity provider, where there is one, are checked by `oidc.py`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import time
from pathlib import Path
from typing import Any

import jwt

from cloverleaf.cloud.security.oidc import Provider
from cloverleaf.cloud.security.roles import ROLES, User
from cloverleaf.types.errors import InputError, SecurityError

LIFE = 3600.0
_AUDIENCE, _ISSUER = "cloverleaf-api", "cloverleaf"


def hashed(password: str, salt: bytes) -> str:
    """scrypt of a password, hex."""
    return hashlib.scrypt(password.encode(), salt=salt, n=1 << 14, r=8, p=1).hex()


class Users:
    """The users in `path` and the tokens made with `secret` (hex); besides, those of an outside `provider`."""

    def __init__(self, path: Path, secret: str, provider: Provider | None = None) -> None:
        self.path, self.provider = path, provider
        self._key = hashlib.blake2b(b"tokens", key=bytes.fromhex(secret)[:64]).digest()
        self._returned: dict[str, float] = {}
        try:
            self._users: dict[str, dict[str, str]] = json.loads(path.read_text()) if path.exists() else {}
        except ValueError as error:
            raise InputError("not a file of users", file=path, hint="remove it to start anew") from error

    def __len__(self) -> int:
        return len(self._users)

    def add(self, name: str, password: str, role: str, tenant: str = "*") -> None:
        """Add or replace a user; `tenant` "*" means all."""
        if role not in ROLES or not name or len(password) < 8:
            raise InputError(
                "a user needs a name, a password of 8 characters or more, and a role", hint=f"roles: {', '.join(ROLES)}"
            )
        salt = secrets.token_bytes(16)
        self._users[name] = {"salt": salt.hex(), "hash": hashed(password, salt), "role": role, "tenant": tenant}
        new = self.path.with_suffix(".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
            json.dump(self._users, f, indent=1)
        new.replace(self.path)

    def login(self, name: str, password: str) -> str:
        """A token; SecurityError "bad_login" if name and password do not fit."""
        found = self._users.get(name)
        salt = bytes.fromhex(found["salt"]) if found else bytes(16)
        right = hmac.compare_digest(hashed(password, salt), found["hash"] if found else "")  # as slow for unknown names
        if not found or not right:
            raise SecurityError("name and password do not fit", reason="bad_login")
        now = time.time()
        claims = {
            "sub": name, "role": found["role"], "tenant": found["tenant"], "iss": _ISSUER, "aud": _AUDIENCE,
            "iat": int(now), "exp": int(now + LIFE), "jti": secrets.token_hex(8),
        }  # fmt: skip
        return jwt.encode(claims, self._key, algorithm="HS256")

    def check(self, token: str) -> User:
        """Who a token stands for.

        Raises:
            SecurityError: with reason no_token, expired_token, returned_token or bad_token.
        """
        if not token:
            raise SecurityError("a token is needed", reason="no_token")
        if self.provider is not None and self.provider.issued(token):
            user = self.provider.check(token)
            if user.token and user.token in self._returned:
                raise SecurityError("the token was given back", reason="returned_token")
            return user
        try:
            claims: dict[str, Any] = jwt.decode(
                token, self._key, algorithms=["HS256"], audience=_AUDIENCE, issuer=_ISSUER,
                options={"require": ["exp", "iat", "sub", "jti"]},
            )  # fmt: skip
        except jwt.ExpiredSignatureError as error:
            raise SecurityError("the token has expired", reason="expired_token") from error
        except jwt.InvalidTokenError as error:
            raise SecurityError("the token does not hold", reason="bad_token") from error
        if claims["jti"] in self._returned:
            raise SecurityError("the token was given back", reason="returned_token")
        if claims.get("role") not in ROLES or claims["sub"] not in self._users:
            raise SecurityError("the token does not hold", reason="bad_token")
        return User(claims["sub"], claims["role"], str(claims.get("tenant", "")), claims["jti"])

    def give_back(self, user: User) -> None:
        """A user's token is of no use from now on."""
        now = time.time()
        self._returned = {k: v for k, v in self._returned.items() if now - v < LIFE}
        self._returned[user.token] = now
