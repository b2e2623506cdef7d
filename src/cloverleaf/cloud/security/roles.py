"""Who asks: a name, one of three roles, a tenant."""

from __future__ import annotations

from typing import NamedTuple

ROLES = ("viewer", "operator", "admin")
"""Each may do what those before it may."""


class User(NamedTuple):
    """Who asks."""

    name: str
    role: str
    tenant: str
    token: str = ""  # number of the token

    def may(self, role: str) -> bool:
        """Whether the user has this role or a higher one."""
        return ROLES.index(self.role) >= ROLES.index(role)


LOCAL = User("local", "admin", "*")
"""Whoever is on this machine, where the platform asks for nothing."""
