"""Random look-alikes of the vectors through other codecs: pycrate with its own ETSI modules, asn1tools with our schemas as ASN.1."""

from __future__ import annotations

import contextlib
import importlib
import io
import warnings
from functools import cache
from typing import Any

import pytest
from tests.link.codec_data import pack
from tests.link.look_alike import KINDS, LookAlike, of_pycrate, to_pycrate

from cloverleaf.link.codec.batch import batch_codec
from cloverleaf.link.codec.single import codec
from cloverleaf.link.codec.uper_encode import EncoderSource
from cloverleaf.link.schemas import nodes as s
from cloverleaf.link.schemas.asn1_text import asn1_text, content_type
from cloverleaf.link.schemas.catalog import MESSAGES
from cloverleaf.types.errors import EncodeError

EACH = 3
"""Values of each kind and message."""
PYCRATE = {"cam": "ITS_CAM_2", "denm": "ITS_DENM_3"} | dict.fromkeys(
    ("spatem", "mapem", "ivim", "srem", "ssem", "rtcmem"), "ITS_IS"
)
"""Messages whose edition pycrate has too."""
OURS = [
    *(("csae_day1", name) for name in MESSAGES["csae_day1"]),
    *(("csae_day2", name) for name in MESSAGES["csae_day2"] if name != "secured" and name not in MESSAGES["csae_day1"]),
    *(("etsi", name) for name in ("cpm", "vam", "cam_r2", "denm_r2")),
    *(("sae", name) for name in MESSAGES["sae"]),
]


def drawn(standard: str, name: str) -> tuple[list[Any], list[bytes]]:
    """Values of every kind and their bytes; single and batch have already proved that they give each other back."""
    made, values, data = codec(standard, name), [], []
    for kind in KINDS:
        for seed in range(EACH):
            value = LookAlike(seed, kind).message(made.message)
            try:
                data.append(made.encode(value))
            except EncodeError as error:
                assert "cannot be expressed" in error.message  # an open type of more than 16383 octets
                continue
            values.append(value)
            assert made.decode(data[-1]) == value
    assert len(data) > len(KINDS)
    batch = batch_codec(standard, name)
    records = batch.decode(*pack(data))
    assert not records.error.any()
    assert [records.value(i) for i in range(len(data))] == values
    buffer, _, error = batch.encode(records)
    assert not error.any() and buffer.tobytes() == b"".join(data)
    return values, data


@pytest.mark.parametrize("name", PYCRATE)
def test_pycrate_reads_and_writes_the_same(name: str) -> None:
    pytest.importorskip("pycrate_asn1dir")
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        module = importlib.import_module(f"pycrate_asn1dir.{PYCRATE[name]}")
    peer = getattr(getattr(module, f"{name.upper()}_PDU_Descriptions"), name.upper())
    node = codec("etsi", name).message.type()
    for value, data in zip(*drawn("etsi", name)):
        peer.from_uper(data)
        assert of_pycrate(node, peer.get_val()) == value
        try:
            peer.set_val(to_pycrate(node, value))
        except Exception as error:
            assert "missing extended value for group" in str(error)  # pycrate refuses to leave some of them out
            continue
        assert peer.to_uper() == data


@pytest.mark.parametrize(("standard", "name"), OURS)
def test_asn1tools_writes_the_same(standard: str, name: str) -> None:
    asn1tools = pytest.importorskip("asn1tools")
    made = codec(standard, name)
    inside = content_type(made.message)
    top, node = inside or (made.message.top, made.message.type())
    peer, write = asn1tools.compile_string(asn1_text(made.message), "uper"), EncoderSource().build(node)
    values, data = drawn(standard, name)
    compared = 0
    for value, whole in zip(values, data):
        body = made.branch(value) if inside else value
        try:
            theirs = peer.encode(top, to_asn1tools(node, body))
        except NotImplementedError:
            continue  # asn1tools has no bit strings beyond their root size
        assert theirs == (write(body) if inside else whole)
        compared += 1
    assert compared > len(data) // 2


def to_asn1tools(node: s.Type, value: Any) -> Any:
    """A value in asn1tools' form; the content of an open type as the bytes that we make of it."""
    node = s.resolve(node)
    if isinstance(node, s.Sequence):
        kinds = {f.name: f.type for f in node.fields}
        for addition in node.ext:
            kinds |= {f.name: f.type for f in (addition if isinstance(addition, tuple) else (addition,))}
        return {name: to_asn1tools(kinds[name], inner) for name, inner in value.items()}
    if isinstance(node, s.SequenceOf):
        return [to_asn1tools(node.item, item) for item in value]
    if isinstance(node, s.Choice):
        kinds = {a.name: a.type for a in (*node.root, *node.ext)}
        return value[0], to_asn1tools(kinds[value[0]], value[1])
    if isinstance(node, s.OpenType):
        if value[0] == "_unknown":
            return bytes.fromhex(value[1]["hex"])
        return _writer(next(kind for _, name, kind in node.table if name == value[0]))(value[1])
    if isinstance(node, s.BitString):
        return bytes.fromhex(value["hex"]), value["bits"]
    return bytes.fromhex(value["hex"]) if isinstance(node, s.OctetString) else value


@cache
def _writer(node: s.Type) -> Any:
    return EncoderSource().build(node)
