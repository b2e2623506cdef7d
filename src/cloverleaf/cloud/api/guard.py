"""Stands before every request: who is it, may they, not too often. Refusals and what changes something go to the audit log."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from cloverleaf.cloud.security.audit import Audit, verify
from cloverleaf.cloud.security.limits import Buckets
from cloverleaf.cloud.security.roles import LOCAL, User
from cloverleaf.cloud.security.users import Users
from cloverleaf.types.errors import SecurityError

router = APIRouter(prefix="/api")
OPEN = ("/health", "/metrics", "/openapi.json", "/docs", "/api/token", "/api/login")
RATE, BURST = 100.0, 200.0
LOGIN_RATE, LOGIN_BURST = 0.5, 10.0
_NEEDS = (
    ("/api/audit", "admin"),
    ("/api/privacy", "admin"),
    ("/api/history", "operator"),
    ("/api/", "viewer"),
    ("/ws", "viewer"),
)

_WHOLE = ("/api/audit", "/api/privacy")
"""What knows no tenants."""


class Guard:
    """ASGI middleware. `users` None: everybody on this machine is an administrator."""

    def __init__(self, app: ASGIApp, users: Users | None, audit: Audit) -> None:
        self.app, self.users, self.audit = app, users, audit
        self.limits, self.logins = Buckets(RATE, BURST), Buckets(LOGIN_RATE, LOGIN_BURST)
        self.noted = Buckets(1.0, 20.0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        path, now = scope["path"], time.time()
        client = (scope.get("client") or ("local",))[0]
        role = next((r for prefix, r in _NEEDS if path.startswith(prefix)), None)
        user = LOCAL
        if self.users is not None and role is not None and path not in OPEN:
            try:
                waits = self.users.provider is not None  # perhaps for its keys
                token = _token(scope)
                user = await asyncio.to_thread(self.users.check, token) if waits else self.users.check(token)
                if not user.may(role):
                    raise SecurityError(f"this needs the role {role}", reason="role")
                if user.tenant != "*" and path.startswith(_WHOLE):
                    raise SecurityError("this is for users of all tenants", reason="tenant")
            except SecurityError as error:
                self._note(now, client, "refused", path=path, reason=error.reason)
                await self._refuse(
                    scope, receive, send, 403 if error.reason in ("role", "tenant") else 401, error.message
                )
                return
        limits = self.logins if path == "/api/token" else self.limits
        if self.users is not None and not limits.take(f"{user.name}@{client}", now):
            self._note(now, client, "refused", path=path, reason="too_often")
            await self._refuse(scope, receive, send, 429, "too many requests")
            return
        scope.setdefault("state", {})["user"] = user
        await self.app(scope, receive, send)

    def _note(self, now: float, actor: str, action: str, **detail: Any) -> None:
        """Into the audit log, but not a flood of the same."""
        if self.noted.take(f"{actor} {detail.get('reason')}", now):
            self.audit.write(now, actor, action, **detail)

    @staticmethod
    async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, why: str) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": why})
        else:
            await JSONResponse({"detail": why}, status)(scope, receive, send)


def _token(scope: Scope) -> str:
    """The bearer token of a request; WebSockets of browsers can only give it in the address."""
    for name, value in scope["headers"]:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return str(value[7:].decode("latin-1"))
    if scope["type"] == "websocket":
        return parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
    return ""


class Login(BaseModel):
    """Who wants a token."""

    name: str = Field(max_length=100)
    password: str = Field(max_length=200)


_REFUSED: dict[int | str, dict[str, Any]] = {
    401: {"description": "name and password do not fit, or no users are asked for"}
}


@router.post("/token", responses=_REFUSED)
async def token(request: Request, login: Login) -> dict[str, str]:
    """A token for an hour."""
    users: Users | None = request.app.state.users
    audit: Audit = request.app.state.audit
    if users is None:
        raise HTTPException(401, "this platform asks for no users")
    try:
        made = users.login(login.name, login.password)
    except SecurityError as error:
        audit.write(time.time(), login.name, "login refused", reason=error.reason)
        raise HTTPException(401, error.message) from error
    audit.write(time.time(), login.name, "login")
    return {"token": made, "type": "bearer"}


@router.get("/login")
async def how_to_log_in(request: Request) -> dict[str, Any]:
    """Whether users are asked for, and the outside identity provider that they may come from (null: none)."""
    users: Users | None = request.app.state.users
    provider = None if users is None or users.provider is None else users.provider.page()
    return {"asked": users is not None, "provider": provider}


@router.delete("/session")
async def give_back(request: Request) -> dict[str, bool]:
    """Give the token back: it is refused from now on."""
    users: Users | None = request.app.state.users
    user: User = request.state.user
    if users is not None and user.token:
        users.give_back(user)
        request.app.state.audit.write(time.time(), user.name, "logout")
    return {"done": True}


@router.get("/audit")
async def audit_log(request: Request, most: int = 100) -> dict[str, Any]:
    """The newest entries of the audit log, and whether its chain of hashes holds."""
    audit: Audit = request.app.state.audit
    return {"entries": audit.last(max(1, min(most, 1000))), "wrong": verify(audit.path)}
