"""A process that somebody else forked is watched and ended like one of our own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cloverleaf.cloud.server.nursery import Forked, can_fork

pytestmark = pytest.mark.skipif(not can_fork(), reason="needs Linux 5.3 or later")


def test_a_forked_process_is_watched_and_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as real:
        forked = Forked(real.pid)
        assert forked.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            forked.wait(0.05)
        forked.kill()
        assert forked.wait(60.0) is not None and forked.poll() is not None
        real.wait(60.0)
        forked.terminate()  # gone: nothing happens
        assert Forked(real.pid).poll() is not None
