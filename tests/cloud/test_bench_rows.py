"""The benchmark's platform processes start and take signed messages: a row that breaks is noticed before somebody measures."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from cloverleaf.cli.bench_cloud import ingest, wait_ready
from cloverleaf.cloud.broker import Broker
from cloverleaf.cloud.live.frames import Trust
from cloverleaf.types.errors import CloverleafError


def test_a_process_that_dies_at_its_start_is_named_at_once(tmp_path: Path) -> None:
    broker, log = Broker(tmp_path / "broker", mqtt=-1), tmp_path / "shard.log"
    broker.start()
    try:
        with open(log, "wb") as out:
            process = subprocess.Popen([sys.executable, "-c", "raise SystemExit('no root to sign with')"], stderr=out)
        began = time.monotonic()
        with pytest.raises(CloverleafError, match="shard-0 ended at its start: no root to sign with"):
            wait_ready(broker.url, "shard-0", process, log)
        assert time.monotonic() - began < 20.0
    finally:
        broker.stop()


@pytest.mark.slow
def test_signed_messages_are_taken_and_verified():
    out = ingest(50, seconds=4.0, trust=Trust.SIGNED)
    assert out["accepted_per_s"] > 0.0
    assert out["verified_per_s"] == pytest.approx(out["accepted_per_s"], rel=0.05)
