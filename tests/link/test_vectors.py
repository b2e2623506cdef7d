"""Every vector of the shared data: single, batch and the bit-by-bit twin give the same bytes and values."""

from __future__ import annotations

import pytest
from tests.link.codec_data import DATA, messages, pack, rows
from tests.naive import uper_bits

from cloverleaf.link.codec.batch import BatchCodec, batch_codec
from cloverleaf.link.codec.single import codec
from cloverleaf.link.codec.straight import HOT
from cloverleaf.link.schemas.catalog import message

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


@pytest.mark.parametrize(("standard", "name"), sorted(HOT))
def test_straight(standard: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernels of hot messages agree with the interpreter on every vector, and on damaged ones."""
    if not (DATA / "vectors" / standard).exists():
        pytest.skip(f"no {DATA}")
    monkeypatch.setattr("cloverleaf.link.codec.batch.MANY", 1)
    source = name if (DATA / "vectors" / standard / f"{name}.jsonl.gz").exists() else f"{name}_d2"
    table = rows("vectors", standard, source)
    data = [bytes.fromhex(row["hex"]) for row in table]
    made = BatchCodec(message(standard, name))
    records = made.decode(*pack(data))
    assert not records.error.any()
    assert [records.value(i) for i in range(len(table))] == [row["value"] for row in table]
    for given in (records, made.from_values([row["value"] for row in table])):
        buffer, start, error = made.encode(given)
        assert not error.any()
        assert [buffer[start[i] : start[i + 1]].tobytes() for i in range(len(table))] == data
    noise = [bytes.fromhex(row["hex"]) for row in rows("malformed", standard, source)]
    straight = made.decode(*pack(noise))
    monkeypatch.setattr("cloverleaf.link.codec.batch.MANY", 1 << 30)
    monkeypatch.setattr("cloverleaf.link.codec.batch.OFTEN", 1 << 60)
    plain = made.decode(*pack(noise))
    assert (straight.error != 0).tolist() == (plain.error != 0).tolist()
    assert all(straight.error[i] or straight.value(i) == plain.value(i) for i in range(len(noise)))
