"""Damaged inputs through every decoder: batch and single give the same verdict, and valid samples come back."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from cloverleaf.link.codec.batch import batch_codec
from cloverleaf.link.codec.fuzz import fuzz, noise, seeds
from cloverleaf.link.codec.single import codec
from cloverleaf.link.schemas.catalog import MESSAGES

ALL = [(standard, name) for standard, names in MESSAGES.items() for name in names]


@pytest.mark.parametrize(("standard", "name"), ALL)
def test_noise_gets_a_verdict(standard: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloverleaf.link.codec.fuzz.COMPARED", 3)
    assert 0 <= fuzz(standard, name, 900, 5) < 900


@pytest.mark.parametrize(("standard", "name"), ALL)
def test_samples_come_back(standard: str, name: str) -> None:
    pool, single, many = seeds(standard, name, 60), codec(standard, name), batch_codec(standard, name)
    start = np.concatenate(([0], np.cumsum([len(p) for p in pool]))).astype(np.int64)
    records = many.decode(np.frombuffer(b"".join(pool), np.uint8), start)
    assert len(pool) > 20 and not records.error.any()
    assert [records.value(i) for i in range(len(pool))] == [single.decode(p) for p in pool]
    buffer, _, error = many.encode(records)
    assert not error.any() and buffer.tobytes() == b"".join(pool)


def test_noise_is_what_it_says() -> None:
    pool = [b"\x00" * 10, b"\xff" * 30]
    buffer, start = noise(pool, 4000, np.random.default_rng(0))
    parts = [buffer[a:b].tobytes() for a, b in pairwise(start.tolist())]
    cut = sum(p == b"\x00" * len(p) and len(p) < 10 for p in parts)
    flipped = sum(len(p) == 10 and 0 < sum(bin(x).count("1") for x in p) <= 3 for p in parts)
    spliced = sum(0 < p.count(0) == len(p) - p.count(255) and p.count(255) > 0 for p in parts)
    assert min(cut, flipped, spliced) > 300
