"""`link capture` and `replay`: files that Wireshark dissects, what is left out, live doors."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from tests.link.test_inspection import CAM, bsm, sae_bsm
from tests.link.test_link_commands import rows, run
from tests.link.test_messages import MAP, ROAD
from tests.link.test_translate import FULL, SEEN, SIGNALS

from cloverleaf.link.codec.single import codec
from cloverleaf.link.io import geonetworking, pcap
from cloverleaf.link.io.address import open_door
from cloverleaf.link.messages import encode
from cloverleaf.types.errors import InputError

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark")


def dissected(file: Path) -> list[list[str]]:
    """Protocols, malformed marks and expert messages of each frame."""
    fields = ["frame.protocols", "_ws.malformed", "_ws.expert.message"]
    command = ["tshark", "-r", str(file), "-T", "fields", *[a for f in fields for a in ("-e", f)]]
    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout
    return [line.split("\t") for line in out.splitlines()]


@pytest.mark.parametrize("message", [CAM, bsm(), sae_bsm()], ids=["etsi", "csae", "sae"])
@pytest.mark.parametrize("signed", [False, True])
def test_capture_is_read_back(message: bytes, signed: bool, tmp_path: Path) -> None:
    options: list[object] = []
    if signed:
        assert run("keys", tmp_path / "k", "--psid", "36,111,32").exit_code == 0
        options = ["--keys", tmp_path / "k"]
    file = tmp_path / "a.pcap"
    lines = (
        message.hex() + "\n" + json.dumps({"hex": message.hex(), "time": 1.8e9, "place": [48.1, 11.5], "station": 9})
    )
    assert run("capture", file, *options, stdin=lines).exit_code == 0
    found = rows(run("inspect", "--json", file))
    assert len(found) == 2 and found[1]["time"].startswith("2027-01-15")
    assert found[0]["security"]["form"] == ("signed" if signed else "unsigned") and found[0]["sure"] > 0.99
    if signed:
        assert {f["security"]["signature"] for f in found} == {"holds"}
    elif message is CAM:
        assert [m.payload for m in pcap.messages(file)] == [CAM, CAM]


@needs_tshark
@pytest.mark.parametrize("signed", [False, True])
def test_wireshark_dissects_signed_packets_too(signed: bool, tmp_path: Path) -> None:
    run("keys", tmp_path / "k", "--type", "cam")
    options = ["--keys", tmp_path / "k"] if signed else []
    run("capture", tmp_path / "a.pcap", "--standard", "etsi", "--type", "cam", *options, stdin=CAM.hex())
    protocols, malformed, _ = dissected(tmp_path / "a.pcap")[0]
    assert protocols.endswith("its") and not malformed and ("1609dot2" in protocols) == signed


def etsi_messages() -> list[tuple[str, bytes]]:
    """What we send by ourselves (all records), and one of every other type, plain content."""
    made = [m for record in (FULL, SIGNALS, MAP, ROAD, SEEN) for m in encode(record, "etsi")]
    header = {"protocolVersion": 2, "stationID": 7}
    request = {"id": {"id": 9}, "requestID": 1, "requestType": "priorityRequest", "inBoundLane": ["lane", 1]}
    rest: dict[str, tuple[int, dict]] = {
        "srem": (9, {"srm": {"second": 100, "requests": [{"request": request}], "requestor": {"id": ["stationID", 7]}}}),
        "ssem": (10, {"ssm": {"second": 100, "status": [{"sequenceNumber": 1, "id": {"id": 9}, "sigStatus": [
            {"inboundOn": ["lane", 1], "status": "granted"}]}]}}),
        "rtcmem": (13, {"rtcmc": {"msgCnt": 1, "rev": "rtcmRev3", "msgs": [{"hex": "d300"}]}}),
        "ivim": (6, {"ivi": {"mandatory": {"serviceProviderId": {"countryCode": {"hex": "9b00", "bits": 10},
                                                                 "providerIdentifier": 1},
                                           "iviIdentificationNumber": 5, "iviStatus": 0}}}),
    }  # fmt: skip
    for name, (number, body) in rest.items():
        made.append((name, codec("etsi", name).encode({"header": header | {"messageID": number}} | body)))
    return made


@needs_tshark
@pytest.mark.parametrize("signed", [False, True])
def test_wireshark_finds_nothing_malformed_in_any_etsi_message(signed: bool, tmp_path: Path) -> None:
    run("keys", tmp_path / "k", "--psid", "36,37,137,138,139,140,637,639,540802")
    seen: dict[str, str] = {}
    for i, (name, data) in enumerate(etsi_messages()):
        options = ["--keys", tmp_path / "k"] if signed else []
        file = tmp_path / f"{i}.pcap"
        assert run("capture", file, "--standard", "etsi", "--type", name, *options, stdin=data.hex()).exit_code == 0
        ((protocols, malformed, expert),) = dissected(file)
        assert not malformed and "alformed" not in expert, (name, expert)
        seen[name] = protocols
    assert set(seen) == set(geonetworking.PORT_OF_TYPE) - {"vam"}
    for name in ("cam", "denm", "spatem", "mapem", "ivim", "srem", "ssem", "rtcmem"):
        if signed and name == "rtcmem":
            continue  # tshark 4.0 does not know what its ITS-AID carries
        assert seen[name].endswith("its"), (name, seen[name])  # CPM of release 2 and VAM are newer than tshark 4.0


def test_what_does_not_fit_is_left_out_aloud(tmp_path: Path) -> None:
    result = run("capture", tmp_path / "a.pcap", stdin=f"{CAM.hex()}\n{bsm().hex()}\n0001\n")
    assert result.exit_code == 0 and result.stderr.count("left out") == 2 and "1 messages" in result.stderr
    assert "no messages" in run("capture", tmp_path / "b.pcap", stdin="").stderr and not (tmp_path / "b.pcap").exists()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    assert isinstance(run("capture", tmp_path / "no" / "a.pcap", stdin=CAM.hex()).exception, InputError)


@pytest.mark.parametrize("line", ["nothing", '{"time": 1}', '{"hex": "00", "place": 3}', '{"hex": 7}'])
def test_wrong_lines_end_the_command(line: str, tmp_path: Path) -> None:
    command = ("capture", tmp_path / "a.pcap", "--standard", "etsi", "--type", "cam")
    assert isinstance(run(*command, stdin=line).exception, InputError)


def test_live_over_udp(tmp_path: Path) -> None:
    run("capture", tmp_path / "a.pcap", stdin=f"{CAM.hex()}\n" * 3)
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probe.bind(("127.0.0.1", 0))
    address = f"udp://127.0.0.1:{probe.getsockname()[1]}"
    probe.close()
    door = open_door(address, listen=True)
    got: list[bytes] = []

    def listen() -> None:
        end = time.monotonic() + 60.0
        while len(got) < 3 and time.monotonic() < end:
            got.extend(door.receive())
            time.sleep(0.01)

    listener = threading.Thread(target=listen)
    listener.start()
    assert "3 messages" in run("replay", tmp_path / "a.pcap", "--to", address, "--speed", "0").stderr
    listener.join(90.0)
    door.close()
    assert got == [CAM] * 3


@pytest.mark.parametrize(
    "address", ["", "udp://", "udp://host", "mqtt://host", "tcp://a:1", "udp://a:b", "udp://[::1:5"]
)
def test_wrong_addresses(address: str) -> None:
    with pytest.raises(InputError, match="no address"):
        open_door(address, listen=False)
