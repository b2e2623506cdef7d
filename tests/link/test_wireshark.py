"""Wireshark as a second reader of every ETSI message type: a few hundred random messages of each, in our frames.

What it cannot read, and why that is not our bytes: CPM of release 2 and VAM have no dissector in Wireshark 4.0 (it says so); it takes the
size of a UTF8String for PER-visible, which X.691 does for known-multiplier strings only; and an INTEGER without constraints of more than
four octets ends its patience.
"""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.link.test_messages import VECTORS

from cloverleaf.link.codec.single import codec
from cloverleaf.link.io.framing import framed
from cloverleaf.link.io.geonetworking import Position
from cloverleaf.link.io.pcap import Recorder
from cloverleaf.link.schemas.catalog import MESSAGES, message

NOT_READ = {"companyName", "node", "nodeLink"}
"""Fields that Wireshark 4.0 reads wrongly."""
NO_DISSECTOR = {"cpm", "vam"}


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


def valid_headers(name: str) -> list[Any]:
    """The vectors of a message, with the header that this message has on the air."""
    out = []
    for line in gzip.decompress((VECTORS / "etsi" / f"{name}.jsonl.gz").read_bytes()).splitlines():
        value = json.loads(line)["value"]
        for key in value["header"]:
            if key.lower() == "messageid":
                value["header"][key] = message("etsi", name).message_id
            elif key.lower() == "protocolversion":
                value["header"][key] = 2
        out.append(value)
    return out


@pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark")
@pytest.mark.skipif(not VECTORS.is_dir(), reason="needs ../shared/v2x/vectors")
@pytest.mark.parametrize("name", MESSAGES["etsi"])
def test_a_second_reader_finds_nothing_malformed(name: str, tmp_path: Path) -> None:
    values, file = valid_headers(name), tmp_path / "all.pcap"
    with Recorder(file, 1) as out:
        for value in values:
            out.add(
                1.7e9, framed(codec("etsi", name).encode(value), "etsi", name.removesuffix("_r2"), Position(1, 0, 0, 0))
            )
    fields = ["frame.protocols", "_ws.malformed"]
    command = ["tshark", "-r", str(file), "-T", "fields", *[a for f in fields for a in ("-e", f)]]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout.splitlines()
    assert len(shown) == len(values) > 200
    for line, value in zip(shown, values):
        protocols, malformed = line.split("\t")
        assert not malformed or NOT_READ & set(keys(value)), json.dumps(value)
        assert ":its" in protocols or name in NO_DISSECTOR, protocols
