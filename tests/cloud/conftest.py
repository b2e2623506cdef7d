"""Shared by the cloud's tests: kernels are there before a deadline counts."""

import pytest


@pytest.fixture(scope="session")
def compiled() -> None:
    """A service that waits for the compiler would be late, and its answer dropped."""
    from test_engine import toy

    from cloverleaf.cloud.live.warm import warm

    warm(toy())
