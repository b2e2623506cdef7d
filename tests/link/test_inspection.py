"""`link inspect`: captures of every kind, headers, security, damaged and mixed input."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.link.captures import classic, ethernet, ieee80211, pcapng, radiotap
from typer.testing import CliRunner

from cloverleaf.cli.bench_inspect import run_bench
from cloverleaf.cli.link import app
from cloverleaf.link.codec.single import codec
from cloverleaf.link.inspection.packets import Finding, Inspector
from cloverleaf.link.io import dsmp, geonetworking, wsmp
from cloverleaf.link.io.captures import read_capture
from cloverleaf.link.io.link_layer import datagram
from cloverleaf.link.security.algorithms import algorithm
from cloverleaf.link.security.signer import Signer, simulated_authority

CAM = bytes.fromhex("020252412e5734fd005ab308e86d8ca86f4fd15590583855e400ae3d6129120b00c160fd940203e440")
HERE = geonetworking.Position(7, 1234, 535_000_000, 100_000_000)
NOW = 700_000_000.0
VECTORS = Path(__file__).resolve().parents[2].parent / "shared" / "v2x" / "vectors"


def signer(aid: int) -> Signer:
    authority = simulated_authority(algorithm("p256"), int(NOW) - 10)
    return Signer(authority.algorithm, [authority.ticket(1, {aid: b""})])


def bsm() -> bytes:
    value = {
        "msgCnt": 5, "id": {"hex": "0102030405060708"}, "secMark": 12000,
        "pos": {"lat": 399_000_000, "long": 1_163_000_000}, "transmission": "forwardGears", "speed": 500, "heading": 7200,
        "accelSet": {"long": 0, "lat": 0, "vert": -127, "yaw": 0}, "brakes": {}, "size": {"width": 180, "length": 480},
        "vehicleClass": {"classification": 10},
    }  # fmt: skip
    return codec("csae_day1", "bsm").encode(["bsmFrame", value])


def sae_bsm() -> bytes:
    core = {
        "msgCnt": 5, "id": {"hex": "01020304"}, "secMark": 12000, "lat": 420_000_000, "long": -830_000_000, "elev": 2000,
        "accuracy": {"semiMajor": 40, "semiMinor": 40, "orientation": 0}, "transmission": "forwardGears", "speed": 500,
        "heading": 7200, "angle": 0, "accelSet": {"long": 0, "lat": 0, "vert": 0, "yaw": 0},
        "brakes": {"wheelBrakes": {"hex": "00", "bits": 5}, "traction": "off", "abs": "off", "scs": "off",
                   "brakeBoost": "off", "auxBrakes": "off"},
        "size": {"width": 180, "length": 480},
    }  # fmt: skip
    return codec("sae", "bsm").encode({"messageId": 20, "value": ["BasicSafetyMessage", {"coreData": core}]})


def only(found: list[Finding]) -> tuple[str, str, str]:
    assert len(found) == 1 and found[0].readings, found
    kind = found[0].kinds()[0]
    assert kind.sure > 0.9
    return kind.readings[0].standard, kind.readings[0].name, found[0].security.form


GEO = geonetworking.packet(CAM, 2001, HERE)
FRAMES: dict[str, tuple[int, Callable[[bytes, int], bytes]]] = {
    "ethernet": (1, lambda p, e: ethernet(p, e)),
    "vlan": (1, lambda p, e: ethernet(p, e, vlan=True)),
    "802.11": (105, lambda p, e: ieee80211(p, e)),
    "802.11 without qos": (105, lambda p, e: ieee80211(p, e, qos=False)),
    "802.11 without llc": (105, lambda p, e: ieee80211(p, e, snap=False)),
    "radiotap": (127, lambda p, e: radiotap(ieee80211(p, e))),
    "cooked": (113, lambda p, e: bytes(14) + e.to_bytes(2, "big") + p),
    "cooked 2": (276, lambda p, e: e.to_bytes(2, "big") + bytes(18) + p),
    "ppi": (192, lambda p, e: struct.pack("<BBHI", 0, 0, 8, 105) + ieee80211(p, e)),
    "user": (147, lambda p, e: p),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames_of_every_link_type(name: str) -> None:
    link_type, wrap = FRAMES[name]
    assert only(Inspector().frame(link_type, wrap(GEO, 0x8947))) == ("etsi", "cam", "unsigned")
    short = wsmp.frame(sae_bsm(), 0x20)
    assert only(Inspector().frame(link_type, wrap(short, 0x88DC))) == ("sae", "bsm", "unsigned")


def test_udp_and_bare_messages() -> None:
    assert only(Inspector().frame(1, datagram(bsm(), 5000)))[:2] == ("csae_day1", "bsm")
    assert only(Inspector().frame(147, dsmp.frame(bsm(), 111)))[:2] == ("csae_day1", "bsm")
    assert only(Inspector().frame(147, dsmp.frame(bsm(), 111)[1:]))[:2] == ("csae_day1", "bsm")
    assert only(Inspector().bare(bsm()))[:2] == ("csae_day1", "bsm")
    assert only(Inspector().bare(b"\x07\x08\x09" + CAM))[:2] == ("etsi", "cam")


def test_secured_packets_and_their_signature() -> None:
    s, look = signer(36), Inspector()
    with_certificate = geonetworking.frame(CAM, 2001, HERE, lambda data: s.sign(data, 36, NOW))
    with_digest = geonetworking.frame(CAM, 2001, HERE, lambda data: s.sign(data, 36, NOW + 0.1))
    strange = Inspector().frame(1, with_digest)[0].security
    assert (strange.signer, strange.verdict) == ("digest", "not checked")
    for data, form in ((with_certificate, "certificate"), (with_digest, "digest")):
        found = look.frame(1, data)
        assert only(found) == ("etsi", "cam", "signed")
        assert (found[0].security.signer, found[0].security.psid, found[0].security.verdict) == (form, 36, "holds")
    bad = bytearray(with_digest)
    bad[-90] ^= 1
    assert look.frame(1, bytes(bad))[0].security.verdict == "does not hold"


def test_signed_short_messages() -> None:
    s = signer(111)
    found = Inspector().frame(147, dsmp.frame(s.sign(bsm(), 111, NOW), 111))
    assert only(found) == ("csae_day1", "bsm", "signed") and found[0].security.algorithm == "ecdsaNistP256"
    s = signer(0x20)
    found = Inspector().frame(1, ethernet(wsmp.frame(s.sign(sae_bsm(), 0x20, NOW), 0x20), 0x88DC))
    assert only(found) == ("sae", "bsm", "signed")


def test_btp_a_and_forwarded_packets() -> None:
    vector = bytes(24)
    body = b"\x07\xd1\x00\x00" + CAM
    for kind, extended in (
        (0x40, bytes(4) + vector + bytes(16)),
        (0x51, bytes(4) + vector),
        (0x20, bytes(4) + vector + bytes(20)),
    ):
        common = bytes([0x10, kind, 0, 0]) + len(body).to_bytes(2, "big") + b"\x0a\x00"
        data = b"\x11\x00\x1a\x0a" + common + extended + body
        found = Inspector().frame(1, ethernet(data, 0x8947))
        assert only(found)[:2] == ("etsi", "cam") and "btp-a 2001" in found[0].layers
    beacon = b"\x11\x00\x1a\x0a" + bytes([0x00, 0x10, 0, 0, 0, 0, 1, 0]) + vector
    assert "beacon" in Inspector().frame(1, ethernet(beacon, 0x8947))[0].problem


def test_old_security_envelope() -> None:
    inner = GEO[4:]
    header = b"\x80\x01" + bytes(8) + b"\x00" + bytes(8) + b"\x05\x24"
    assert len(inner) < 128
    old = b"\x02" + bytes([len(header)]) + header + b"\x01" + bytes([len(inner)]) + inner + b"\x43" + bytes(67)
    found = Inspector().frame(1, ethernet(b"\x12\x00\x50\x01" + old, 0x8947))
    assert only(found) == ("etsi", "cam", "signed") and (found[0].security.signer, found[0].security.psid) == (
        "digest",
        36,
    )


def test_cut_packets_say_what_they_would_be() -> None:
    found = Inspector().frame(1, ethernet(GEO, 0x8947)[:-8])[0]
    assert found.problem.startswith("cut short") and found.kinds()[0].readings[0].name == "cam"
    bare = Inspector().bare(CAM[:25])[0]
    assert bare.problem == "cut short" and bare.kinds()[0].readings[0].name in ("cam", "vam")
    assert Inspector().frame(1, b"\xff" * 9)[0].problem


def test_several_messages_behind_each_other() -> None:
    found = Inspector().bare(CAM + bsm() + CAM)
    assert [f.kinds()[0].readings[0].name for f in found] == ["cam", "bsm", "cam"]


def test_opaque_sae_messages_are_named() -> None:
    frame = codec("sae", "bsm").encode({"messageId": 41, "value": ["_unknown", {"hex": "00" * 30}]})
    found = Inspector().frame(1, ethernet(wsmp.frame(frame, 0x83), 0x88DC))
    assert found[0].readings[0].name == "sdsm" and found[0].readings[0].opaque


@pytest.mark.parametrize("order", ["<", ">"])
def test_capture_forms(order: str, tmp_path: Path) -> None:
    frames = [ethernet(GEO, 0x8947)] * 2
    for raw in (classic(frames, 1, order), classic(frames, 1, order, nano=True), pcapng(frames, 1, order)):
        found = read_capture(raw)
        assert found and not found.problem and [p.data for p in found.packets] == frames
        assert found.packets[1].time == pytest.approx(1_700_000_001, abs=1e-3)
        cut = read_capture(raw[:-5])
        assert cut and len(cut.packets) == 1 and cut.problem
        (tmp_path / "a").write_bytes(raw)
        done = CliRunner().invoke(app, ["inspect", str(tmp_path / "a")])
        assert done.exit_code == 0 and done.stdout.count("etsi cam") == 2, done.output


def test_lines_records_and_standard_input(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_text(f"{CAM.hex()}\n\n" + json.dumps({"hex": bsm().hex()}) + "\n")
    done = CliRunner().invoke(app, ["inspect", "--json", str(file)])
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(r["standard"], r["type"]) for r in rows] == [("etsi", "cam"), ("csae_day1", "bsm")]
    file.write_bytes(b"".join(len(m).to_bytes(2, "little") + m for m in (CAM, bsm())))
    assert CliRunner().invoke(app, ["inspect", str(file)]).stdout.count("sure") == 2
    assert "etsi cam" in CliRunner().invoke(app, ["inspect", "-"], input=CAM).stdout
    assert "etsi cam" in CliRunner().invoke(app, ["inspect", CAM.hex(" ")]).stdout


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=120), st.sampled_from([1, 105, 127, 113, 276, 192, 147, 101, 0]), st.integers(0, 3))
def test_any_bytes_get_a_verdict(data: bytes, link_type: int, form: int) -> None:
    if form == 1:
        data = ethernet(data, 0x8947)
    elif form == 2:
        data = ethernet(GEO[: len(GEO) - len(data)] + data, 0x8947)
    elif form == 3:
        data = ethernet(wsmp.frame(data, 0x20)[: 4 + len(data) // 2], 0x88DC)
    for finding in Inspector().frame(link_type, data):
        assert finding.readings or finding.problem


@pytest.mark.skipif(not VECTORS.is_dir(), reason="needs ../shared/v2x/vectors")
def test_bare_vectors_are_recognised() -> None:
    wrong, total = [], 0
    for file in sorted(VECTORS.glob("*/*.jsonl.gz")):
        name = file.name.split(".")[0].removesuffix("_d2").removesuffix("_r2")
        rows = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
        for row in rows[7::60]:
            total += 1
            kinds = Inspector().bare(bytes.fromhex(row["hex"]))[0].kinds()
            family = file.parent.name[:4]
            inner = file.parent.name == "ieee1609dot2"  # random payloads may read as anything
            if not inner and (
                not kinds or (kinds[0].readings[0].standard[:4], kinds[0].readings[0].name) != (family, name)
            ):
                wrong.append((file.name, row["case"]))
    assert len(wrong) <= total // 50, wrong


def test_frames_of_unknown_link_type() -> None:
    for name in ("ethernet", "vlan", "802.11", "radiotap", "cooked"):
        wrap = FRAMES[name][1]
        found = Inspector().bare(wrap(GEO, 0x8947))
        assert only(found) == ("etsi", "cam", "unsigned") and "btp-b 2001" in found[0].layers, name


def test_every_cut_of_a_message_is_named_or_called_unknown() -> None:
    for whole, name in ((bsm(), "bsm"), (CAM, "cam")):
        named = [Inspector().bare(whole[:n])[0].kinds() for n in range(12, len(whole))]
        right = [k for k in named if k and k[0].readings[0].name == name]
        assert len(right) > 0.8 * len(named)
        assert sum(bool(k) and k[0].readings[0].name != name and k[0].sure > 0.9 for k in named) <= 1


@pytest.mark.skipif(not VECTORS.is_dir(), reason="needs ../shared/v2x/vectors")
@pytest.mark.slow
def test_inspect_is_right_and_knows_how_sure_it_may_be() -> None:
    rows = {row["shown"]: row for row in run_bench(VECTORS.parents[1], 3)}
    for way in ("bare", "signed", "envelope", "frame", "frame, link unknown"):
        assert rows[way]["right"] >= 0.98 and rows[way]["edition"] >= 0.98, rows[way]
        assert rows[way]["calibration_error"] < 0.05 and rows[way]["sure_and_wrong"] <= 0.01, rows[way]
    cut, noise = rows["end cut off"], rows["random bytes"]
    assert cut["right"] > 0.8 and cut["calibration_error"] < 0.12 and cut["sure_and_wrong"] < 0.05, cut
    assert noise["sure"] < 0.35 and noise["sure_and_wrong"] < 0.03, noise
