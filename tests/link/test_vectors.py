"""Every vector of the shared data: single, batch and the bit-by-bit twin give the same bytes and values."""

from __future__ import annotations

import pytest

from cloverleaf.link.codec.batch import batch_codec
from cloverleaf.link.codec.single import codec
from cloverleaf.link.schemas.catalog import message
from tests.link.codec_data import messages, pack, rows
from tests.naive import uper_bits

VECTORS = messages("vectors")


@pytest.mark.parametrize(("standard", "name"), VECTORS)
def test_single(standard: str, name: str) -> None:
    made = codec(standard, name)
    for row in rows("vectors", standard, name):
        data = bytes.fromhex(row["hex"])
        assert made.decode(data) == row["value"]
        assert made.encode(row["value"]) == data


@pytest.mark.parametrize(("standard", "name"), VECTORS)
def test_batch(standard: str, name: str) -> None:
    if message(standard, name).encoding != "uper":
        pytest.skip("OER messages have no batch form")
    made, table = batch_codec(standard, name), rows("vectors", standard, name)
    data = [bytes.fromhex(row["hex"]) for row in table]
    records = made.decode(*pack(data))
    assert not records.error.any()
    assert [records.value(i) for i in range(len(table))] == [row["value"] for row in table]
    for source in (records, made.from_values([row["value"] for row in table])):
        buffer, start, error = made.encode(source)
        assert not error.any()
        assert [buffer[start[i] : start[i + 1]].tobytes() for i in range(len(table))] == data


@pytest.mark.parametrize(("standard", "name"), VECTORS)
def test_twin(standard: str, name: str) -> None:
    kind = message(standard, name)
    if kind.encoding != "uper":
        pytest.skip("the twin is PER")
    for row in rows("vectors", standard, name)[::12]:
        assert uper_bits.to_bytes(uper_bits.encode(kind.type(), row["value"])).hex() == row["hex"]
