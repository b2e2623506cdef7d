"""The commands as somebody meets them who knows nothing: readers that go away, broken captures, wrong words; one line, a hint, exit 2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.link.test_inspection import CAM, bsm
from tests.link.test_link_commands import run

from cloverleaf.link.io.framing import framed
from cloverleaf.link.io.geonetworking import Position
from cloverleaf.link.io.pcap import Recorder
from cloverleaf.types.errors import CloverleafError, InputError


def captured(file: Path, count: int = 3) -> Path:
    with Recorder(file, 1) as out:
        for k in range(count):
            out.add(1.7e9 + 0.1 * k, framed(CAM, "etsi", "cam", Position(1, 0, 0, 0)))
    return file


def process(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    code = "from cloverleaf.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], input=stdin, capture_output=True, timeout=120
    )


@pytest.mark.parametrize("arguments", [("link", "types"), ("link", "--help"), ("--help",), ("link", "decode")])
def test_a_reader_that_goes_away_is_no_error(arguments: tuple[str, ...], tmp_path: Path) -> None:
    lines = tmp_path / "many"
    lines.write_text(f"{CAM.hex()}\n" * 3000)
    if arguments[-1] == "decode":
        arguments = (*arguments, "--standard", "etsi", "--type", "cam", str(lines))
    reading, writing = os.pipe()
    os.close(reading)  # nobody ever reads
    code = "from cloverleaf.cli.main import main; main()"
    with os.fdopen(writing, "wb") as out:
        done = subprocess.run([sys.executable, "-c", code, *arguments], stdout=out, stderr=subprocess.PIPE, timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("cut", [1, 7, 60, 200])
def test_a_broken_capture_ends_with_one_line_and_exit_2(cut: int, tmp_path: Path) -> None:
    file = captured(tmp_path / "drive.pcap")
    file.write_bytes(file.read_bytes()[:-cut])
    whole = 2 if cut < 100 else 1
    for what, stdin in ((file, b""), ("-", file.read_bytes())):
        done = process("link", "inspect", what, stdin=stdin)
        assert done.returncode == 2 and done.stdout.count(b"etsi cam") == whole
        first, hint = done.stderr.decode().splitlines()
        assert first.startswith("error: ") and f"packet {whole + 1}" in first and hint.startswith("hint: ")
    out = tmp_path / "report"
    result = run("report", file, file, "--out", out)
    assert result.exit_code == 0 and "drive.pcap is broken" in result.stdout
    assert isinstance(run("replay", file, "--to", "udp://127.0.0.1:9", "--speed", 0).exception, InputError)


WRONG = [
    ("decode", "--standard", "etsi", "--type", "camm"),
    ("decode", "--standard", "wave", "--type", "cam"),
    ("decode", "--standard", "etsi", "--type", "cam", "no/such/file"),
    ("decode", "--asn1", "no/such/folder", "--type", "X"),
    ("encode", "--standard", "etsi", "--type", "cam", "--asn1", "."),
    ("inspect", "zz"),
    ("verify",),
    ("verify", "--trust", "no/such/file"),
    ("sign",),
    ("sign", "--keys", "no/such/folder", "--psid", "36"),
    ("keys", "out", "--type", "nope"),
    ("keys", "out", "--psid", "36", "--algorithm", "rsa"),
    ("capture", "no/such/out.pcap", "-"),
    ("capture", "out.pcap", "--from", "http://somewhere"),
    ("capture", "out.pcap", "--from", "mqtt://127.0.0.1:1/v2x", "--duration", "0.1"),
    ("replay", "no/such.pcap", "--to", "udp://127.0.0.1:9"),
    ("report", "no/such.pcap", "no/such.pcap"),
    ("translate",),
    ("translate", "--from", "etsi", "--type", "vam", "--to", "sae"),
    ("translate", "--from", "etsi", "--type", "cam", "--to", "sae", "--at", "yesterday"),
]


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_wrong_words_are_named(arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments, stdin=bsm().hex())
    assert isinstance(result.exception, CloverleafError), result.output
    text = f"{result.exception} {result.exception.hint}"
    assert len(str(result.exception).splitlines()) == 1 and len(text) < 400 and not list(tmp_path.glob("*.pcap"))
