"""`--asn1`: a user's own modules. Our schemas written as ASN.1 and read back must be the same codec; object sets, and wrong input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.link.test_inspection import CAM, bsm
from tests.link.test_link_commands import rows, run

from cloverleaf.link.codec.single import codec
from cloverleaf.link.schemas.asn1_modules import codec_of_modules, object_sets
from cloverleaf.link.schemas.asn1_text import asn1_text
from cloverleaf.link.schemas.catalog import message
from cloverleaf.types.errors import DecodeError, InputError

pytest.importorskip("asn1tools")
FRAME = """
Own DEFINITIONS AUTOMATIC TAGS ::= BEGIN
MESSAGE ::= CLASS { &id MessageId UNIQUE, &Type } WITH SYNTAX { &Type IDENTIFIED BY &id }
MessageId ::= INTEGER (0..limit)
limit INTEGER ::= 32767
hello MessageId ::= 20 -- {Wrong IDENTIFIED BY nothing}
Messages MESSAGE ::= { { Hello IDENTIFIED BY hello } | { Numbers IDENTIFIED BY 21 }, ... }
Frame ::= SEQUENCE { messageId MESSAGE.&id ({Messages}), value MESSAGE.&Type ({Messages}{@.messageId}), ... }
Hello ::= SEQUENCE { name IA5String (SIZE(1..8)), kind ENUMERATED { b(1), a(0), ..., c(2) },
  flags BIT STRING { x(0) } (SIZE(3)) OPTIONAL, ... }
Numbers ::= SEQUENCE (SIZE(1..4, ...)) OF Small (0..5)
Small ::= INTEGER (-10..10)
Regions {MESSAGE : Set} ::= SEQUENCE { id MESSAGE.&id ({Set}), body MESSAGE.&Type ({Set}{@id}) }
END
"""


def folder(tmp_path: Path, text: str) -> str:
    (tmp_path / "own.asn").write_text(text)
    return str(tmp_path)


@pytest.mark.parametrize(("standard", "name", "data"), [("etsi", "cam", CAM), ("csae_day1", "bsm", bsm())])
def test_our_schemas_as_asn1_are_the_same_codec(standard: str, name: str, data: bytes, tmp_path: Path) -> None:
    kind = message(standard, name)
    made = codec_of_modules(folder(tmp_path, asn1_text(kind)), kind.top)
    value = made.decode(data)
    assert value == codec(standard, name).decode(data) and made.encode(value) == data


def test_object_sets_become_open_types(tmp_path: Path) -> None:
    made = codec_of_modules(folder(tmp_path, FRAME), "Frame")
    for value in (
        {"messageId": 20, "value": ["Hello", {"name": "clover", "kind": "a", "flags": {"hex": "80", "bits": 3}}]},
        {"messageId": 21, "value": ["Numbers", [0, 5]]},
        {"messageId": 99, "value": ["_unknown", {"hex": "0102"}]},
    ):
        assert made.decode(made.encode(value)) == value
    assert made.encode({"messageId": 20, "value": ["Hello", {"name": "c", "kind": "b"}]})[:2] == b"\x00\x14"
    with pytest.raises(DecodeError):
        made.decode(b"\x00")
    regions = codec_of_modules(str(tmp_path), "Regions")
    assert regions.decode(regions.encode({"id": 5, "body": ["_unknown", {"hex": "00"}]}))["id"] == 5
    assert object_sets(FRAME) == {"Messages": [("Hello", "hello"), ("Numbers", "21")]}


def test_command(tmp_path: Path) -> None:
    where = folder(tmp_path, FRAME)
    line = json.dumps({"messageId": 21, "value": ["Numbers", [1]]})
    encoded = rows(run("encode", "--asn1", where, "--type", "Frame", stdin=line))
    assert rows(run("decode", "--asn1", where, "--type", "Frame", stdin=encoded[0]["hex"])) == [
        {"value": json.loads(line)}
    ]


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        (FRAME, "Frames", "no type"), ("this is no ASN.1", "Frame", "no ASN.1"), ("", "Frame", "no ASN.1"),
        ("A DEFINITIONS ::= BEGIN T ::= REAL END", "T", "not supported"),
        ("A DEFINITIONS ::= BEGIN T ::= INTEGER (0..nobody) END", "T", "not defined"),
    ],
)  # fmt: skip
def test_wrong_modules_are_refused(text: str, name: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says):
        made = codec_of_modules(folder(tmp_path, text), name)
        made.encode(0)


def test_wrong_folders_and_options(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no ASN"):
        codec_of_modules(str(tmp_path), "T")
    for options in (("--type", "cam"), ("--type", "cam", "--standard", "etsi", "--asn1", str(tmp_path))):
        assert isinstance(run("decode", *options, stdin="").exception, InputError)
