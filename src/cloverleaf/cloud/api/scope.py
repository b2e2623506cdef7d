"""What of the twin a user may see: a tenant's user its own road users and what was said to them, everybody the signals and the map."""

from __future__ import annotations

import numpy as np
from starlette.requests import HTTPConnection

from cloverleaf.cloud.api.live import Live
from cloverleaf.cloud.live.subjects import tenant_number
from cloverleaf.cloud.security.roles import LOCAL, User


class Scope:
    """The view of one user; tenant "*" sees all."""

    def __init__(self, live: Live, user: User) -> None:
        self.live, self.user, self.all = live, user, user.tenant == "*"
        self._tenant = tenant_number(user.tenant)

    def rows(self) -> np.ndarray:
        """The objects that may be seen, of `ROW`."""
        rows = self.live.rows()
        return rows if self.all else rows[rows["tenant"] == self._tenant]

    def recent(self, seconds: float) -> np.ndarray:
        """What was said to them, or to everyone, of `SAID`."""
        said = self.live.recent(seconds)
        if self.all:
            return said
        return said[(said["handle"] == 0) | np.isin(said["handle"], self.rows()["handle"])]


def scope_of(connection: HTTPConnection) -> Scope:
    """The view of whoever asks."""
    return Scope(connection.app.state.live, getattr(connection.state, "user", LOCAL))
