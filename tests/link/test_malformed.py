"""Damaged inputs: each gets its verdict, and no bytes raise anything but DecodeError."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.link.codec_data import messages, pack, rows

from cloverleaf.link.codec.batch import batch_codec
from cloverleaf.link.codec.program import OTHER
from cloverleaf.link.codec.single import codec
from cloverleaf.link.schemas.catalog import MESSAGES, message
from cloverleaf.types.errors import DecodeError

MALFORMED = messages("malformed")


def verdict(standard: str, name: str, data: bytes) -> object:
    """The value, or the string 'reject'."""
    try:
        return codec(standard, name).decode(data)
    except DecodeError:
        return "reject"


@pytest.mark.parametrize(("standard", "name"), MALFORMED)
def test_single_verdicts(standard: str, name: str) -> None:
    made = codec(standard, name)
    for row in rows("malformed", standard, name):
        value = verdict(standard, name, bytes.fromhex(row["hex"]))
        if row["verdict"] == "reject":
            assert value == "reject", row
        else:
            assert value == row["value"], row
            assert "reencode" not in row or made.encode(value).hex() == row["reencode"]


@pytest.mark.parametrize(("standard", "name"), MALFORMED)
def test_batch_verdicts(standard: str, name: str) -> None:
    if message(standard, name).encoding != "uper":
        pytest.skip("OER messages have no batch form")
    table = rows("malformed", standard, name)
    records = batch_codec(standard, name).decode(*pack([bytes.fromhex(row["hex"]) for row in table]))
    for i, row in enumerate(table):
        if records.error[i] == OTHER:  # another message of the frame: only `single` reads it
            continue
        assert (records.error[i] != 0) == (row["verdict"] == "reject"), row
        if not records.error[i]:
            assert records.value(i) == row["value"]


@pytest.mark.parametrize("standard", sorted(MESSAGES))
@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=120))
def test_any_bytes(standard: str, data: bytes) -> None:
    for name in MESSAGES[standard]:
        verdict(standard, name, data)


def test_batch_agrees_with_single_on_noise() -> None:
    """Random and damaged bytes: the kernel accepts what `single` accepts, with the same value."""
    rng = np.random.default_rng(5)
    for standard, name in (
        ("csae_day1", "bsm"),
        ("csae_day2", "ssm"),
        ("etsi", "cam"),
        ("etsi", "cpm"),
        ("etsi", "ivim"),
    ):
        parts = [rng.integers(0, 256, int(rng.integers(0, 90)), np.uint8).tobytes() for _ in range(400)]
        parts += [bytes([b"\x00"[0] | (0x80 if i % 2 else 0)]) + p for i, p in enumerate(parts)]
        records = batch_codec(standard, name).decode(*pack(parts))
        accepted = 0
        for i, part in enumerate(parts):
            value = verdict(standard, name, part)
            if records.error[i] == OTHER:
                continue
            assert (records.error[i] != 0) == (value == "reject"), (standard, name, part.hex())
            if value != "reject":
                accepted += 1
                assert records.value(i) == value
        assert accepted or name not in ("bsm", "cam")


def test_empty_batch() -> None:
    made = batch_codec("csae_day1", "bsm")
    records = made.decode(np.zeros(0, np.uint8), np.zeros(1, np.int64))
    buffer, start, error = made.encode(records)
    assert len(buffer) == len(error) == 0 and start.tolist() == [0]
