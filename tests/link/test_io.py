"""Captures, headers, UDP and MQTT: round trips, damaged input, and Wireshark's opinion."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloverleaf.link.batches import pack
from cloverleaf.link.io import dsmp, geonetworking, mqtt, pcap
from cloverleaf.link.io.udp import UdpDoor
from cloverleaf.link.security.applications import PSID
from cloverleaf.types.errors import CloverleafError, DecodeError, InputError
from cloverleaf.types.messages import MessageKind, WireBatch


def wire(payloads: list[bytes], kinds: list[int]) -> WireBatch:
    n = len(payloads)
    buffer, start = pack(payloads)
    return WireBatch(
        buffer, start, np.array(kinds, np.int32), np.arange(n) + 5, np.zeros(n), np.zeros(n), np.arange(n) * 0.1,
        np.zeros(n, np.uint8), np.full(n, -1),
    )  # fmt: skip


@pytest.mark.parametrize("standard", ["etsi", "csae_day2"])
def test_capture_round_trip(tmp_path: Path, standard: str) -> None:
    kinds = [int(k) for k in MessageKind]
    payloads = [bytes([k]) * (k + 1) for k in kinds]
    with pcap.Writer(tmp_path / "a.pcap", standard, 1.7e9, lambda x, y: (53.5, 10.0)) as out:
        out.write(wire(payloads, kinds))
    read = list(pcap.messages(tmp_path / "a.pcap"))
    assert [m.payload for m in read] == payloads
    table = geonetworking.PORT | {MessageKind.ADVICE: 0} if standard == "etsi" else PSID["csae"]
    assert [m.application for m in read] == [table[MessageKind(k)] for k in kinds]
    assert read[3].time == pytest.approx(1.7e9 + 0.3, abs=2e-6)


@settings(deadline=None)
@given(st.binary(max_size=400), st.integers(0, 65535), st.integers(0, 2**48 - 1))
def test_geonetworking_round_trip(payload: bytes, port: int, station: int) -> None:
    source = geonetworking.Position(station, 12345, -335000000, 1510000000, 1234, 900)
    assert geonetworking.parse(geonetworking.frame(payload, port, source)) == (port, payload, source)


@settings(deadline=None)
@given(st.binary(max_size=400), st.integers(0, 16511))
def test_short_message_round_trip(payload: bytes, aid: int) -> None:
    assert dsmp.parse(dsmp.frame(payload, aid)) == (aid, payload)


@settings(deadline=None)
@given(st.binary(max_size=120), st.integers(0, 30))
def test_damaged_frames_get_a_verdict(junk: bytes, cut: int) -> None:
    good = geonetworking.frame(b"abc", 2001, geonetworking.Position(1, 2, 3, 4))
    for data in (junk, good[:14] + junk, good[:-cut] if cut else good):
        try:
            geonetworking.parse(data)
            assert data == good or data[:14] == good[:14]
        except DecodeError:
            assert data != good
        with pytest.raises(DecodeError):
            dsmp.parse(b"\xef" + data)


def test_damaged_captures_are_named(tmp_path: Path) -> None:
    file = tmp_path / "a.pcap"
    with pcap.Writer(file, "etsi", 0.0) as out:
        out.write(wire([b"abc", b"def"], [0, 0]))
    whole = file.read_bytes()
    file.write_bytes(whole[:-3])
    with pytest.raises(InputError, match="packet 2"):
        list(pcap.packets(file))
    file.write_bytes(b"\x0a\x0d\x0d\x0a" + bytes(20))
    with pytest.raises(InputError, match="block"):
        list(pcap.packets(file))
    file.write_bytes(b"what else")
    with pytest.raises(InputError, match="not a capture file"):
        list(pcap.packets(file))
    file.write_bytes(whole[:24] + whole[24:40] + b"x" * int.from_bytes(whole[32:36], "little"))
    assert [type(m) for m in pcap.messages(file)] == [DecodeError]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark")
def test_wireshark_dissects_our_cams(tmp_path: Path) -> None:
    cam = bytes.fromhex("020252412e5734fd005ab308e86d8ca86f4fd15590583855e400ae3d6129120b00c160fd940203e440")
    with pcap.Writer(tmp_path / "a.pcap", "etsi", 1.7e9, lambda x, y: (53.5, 10.0)) as out:
        out.write(wire([cam] * 3, [0] * 3))
    run = subprocess.run(
        ["tshark", "-r", str(tmp_path / "a.pcap"), "-V"], capture_output=True, text=True, check=True, timeout=600
    )
    assert run.stdout.count("CoopAwareness") == 3 and run.stdout.count("Destination Port: 2001") == 3
    assert "Malformed" not in run.stdout


def test_udp_carries_messages() -> None:
    receiver = UdpDoor(listen=("127.0.0.1", 0))
    sender = UdpDoor(peer=receiver.address)
    sender.send(wire([b"one", b"two"], [0, 0]))
    got: list[bytes] = []
    deadline = time.monotonic() + 30.0
    while len(got) < 2 and time.monotonic() < deadline:
        got += receiver.receive()
    assert got == [b"one", b"two"] and receiver.receive() == []
    sender.close(), receiver.close()


@settings(deadline=None)
@given(st.text(max_size=30), st.binary(max_size=20_000))
def test_mqtt_packets_round_trip(topic: str, payload: bytes) -> None:
    raw = mqtt.publish(topic, payload)
    for cut in (0, 1, 2, len(raw) - 1):
        assert mqtt.split(raw[:cut]) is None
    first, body, used = mqtt.split(raw + b"rest")  # type: ignore[misc]
    assert used == len(raw) and mqtt.published(first, body) == mqtt.Published(topic, payload)


def test_mqtt_refuses_endless_lengths() -> None:
    with pytest.raises(DecodeError):
        mqtt.split(b"\x30\xff\xff\xff\xff\xff")
    with pytest.raises(DecodeError):
        mqtt.published(0x30, b"\x00\x09abc")


def echo_broker(server: socket.socket, refuse: bool) -> None:
    """Takes one client; sends back whatever it publishes."""
    server.settimeout(30.0)
    client, _ = server.accept()
    client.settimeout(30.0)
    buffer = b""
    with client:
        while True:
            data = client.recv(4096)
            if not data:
                return
            buffer += data
            while (found := mqtt.split(buffer)) is not None:
                buffer = buffer[found[2] :]
                if found[0] >> 4 == 1:
                    client.sendall(b"\x20\x02\x00" + (b"\x05" if refuse else b"\x00"))
                elif found[0] >> 4 == 8:
                    client.sendall(b"\x90\x03\x00\x01\x00")
                elif found[0] >> 4 == 3:
                    client.sendall(mqtt.packet(found[0], found[1]))
                else:
                    return


@pytest.mark.parametrize("refuse", [False, True])
def test_mqtt_door(refuse: bool) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=echo_broker, args=(server, refuse), daemon=True)
    thread.start()
    port = server.getsockname()[1]
    if refuse:
        with pytest.raises(CloverleafError, match="refuses"):
            mqtt.MqttDoor("127.0.0.1", port)
        thread.join(30.0)
        server.close()
        return
    door = mqtt.MqttDoor("127.0.0.1", port)
    door.subscribe("v2x/#")
    door.publish("v2x/bsm", b"\x00\x01")
    got: list[mqtt.Published] = []
    deadline = time.monotonic() + 30.0
    while not got and time.monotonic() < deadline:
        got += door.receive()
    assert got == [mqtt.Published("v2x/bsm", b"\x00\x01")]
    door.close()
    thread.join(30.0)
    server.close()


def test_no_broker_is_said() -> None:
    probe = socket.create_server(("127.0.0.1", 0))
    port = probe.getsockname()[1]
    probe.close()
    with pytest.raises(CloverleafError, match="no MQTT broker"):
        mqtt.MqttDoor("127.0.0.1", port)
