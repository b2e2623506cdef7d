"""The codec beyond vectors: errors that name their field, extensions, editions, lists too long for the first guess."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cloverleaf.link.codec.batch import batch_codec
from cloverleaf.link.codec.single import codec
from cloverleaf.link.inspection.guess import guess
from cloverleaf.types.errors import DecodeError, EncodeError, InputError

ACCEL = {"long": 0, "lat": 0, "vert": 0, "yaw": 0}


def bsm(**changes: object) -> list:
    body = {
        "msgCnt": 1, "id": {"hex": "00" * 7 + "2a"}, "secMark": 0, "pos": {"lat": 312000000, "long": 1214000000},
        "transmission": "forwardGears", "speed": 500, "heading": 7200, "accelSet": ACCEL, "brakes": {},
        "size": {"width": 180, "length": 480}, "vehicleClass": {"classification": 10},
    }  # fmt: skip
    return ["bsmFrame", body | changes]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"msgCnt": 128}, "/bsmFrame/msgCnt"),
        ({"msgCnt": "1"}, "/bsmFrame/msgCnt"),
        ({"msgCnt": 1.5}, "/bsmFrame/msgCnt"),
        ({"pos": {"lat": 0}}, "/bsmFrame/pos/long"),
        ({"transmission": "forward"}, "/bsmFrame/transmission"),
        ({"sped": 1}, "/bsmFrame/sped"),
        ({"id": {"hex": "00"}}, "/bsmFrame/id"),
        ({"brakes": {"wheelBrakes": {"hex": "ff", "bits": 5}}}, "/bsmFrame/brakes/wheelBrakes"),
        ({"brakes": []}, "/bsmFrame/brakes"),
        ({"safetyExt": {"pathHistory": {"crumbData": []}}}, "/bsmFrame/safetyExt/pathHistory/crumbData"),
    ],
)
def test_encode_error_names_the_field(changes: dict, path: str) -> None:
    with pytest.raises(EncodeError) as caught:
        codec("csae_day1", "bsm").encode(bsm(**changes))
    assert caught.value.path == path


def test_decode_error_says_where() -> None:
    data = bytearray(codec("csae_day1", "bsm").encode(bsm()))
    with pytest.raises(DecodeError, match="truncated"):
        codec("csae_day1", "bsm").decode(bytes(data[:20]))
    with pytest.raises(DecodeError):
        codec("csae_day1", "bsm").decode(b"")


def test_unknown_names_hint() -> None:
    with pytest.raises(InputError) as caught:
        codec("csae_day1", "bms")
    assert "bsm" in caught.value.hint


def test_default_is_not_sent() -> None:
    made = codec("etsi", "denm")
    place = {
        "latitude": 0, "longitude": 0, "altitude": {"altitudeValue": 0, "altitudeConfidence": "unavailable"},
        "positionConfidenceEllipse": {"semiMajorConfidence": 1, "semiMinorConfidence": 1, "semiMajorOrientation": 0},
    }  # fmt: skip
    management = {
        "actionID": {"originatingStationID": 1, "sequenceNumber": 2}, "detectionTime": 3, "referenceTime": 4,
        "eventPosition": place, "stationType": 5,
    }  # fmt: skip
    value = {"header": {"protocolVersion": 2, "messageID": 1, "stationID": 9}, "denm": {"management": management}}
    plain = made.encode(value)
    management["validityDuration"] = 600
    assert made.encode(value) == plain
    assert "validityDuration" not in made.decode(plain)["denm"]["management"]
    management["validityDuration"] = 601
    assert made.decode(made.encode(value)) == value


def test_unknown_additions_are_kept_on_request() -> None:
    day2 = codec("csae_day2", "map")
    lane = {"laneID": 1}
    link = {"upstreamNodeId": {"id": 1}, "linkWidth": 300, "lanes": [lane]}
    zone = {"gridLineMarkingProhibitedZones": [], "centralCircleProhibitedZone": []}
    assert (
        zone
    )  # the addition itself is exercised through the day-2 vectors; here an alternative of the frame is unknown
    node = {"id": {"id": 3}, "refPos": {"lat": 1, "long": 2}, "inLinks": [link]}
    data = day2.encode(["mapFrame", {"msgCnt": 0, "nodes": [node]}])
    assert day2.decode(data)[1]["nodes"] == [node]
    extended = codec("csae_day2", "test").encode(
        ["msgFrameExt", {"messageId": 99, "value": ["_unknown", {"hex": "abcd"}]}]
    )
    with pytest.raises(DecodeError, match="unknown alternative"):
        codec("csae_day1", "bsm").decode(extended)
    kept = codec("csae_day1", "bsm").decode(extended, keep_unknown=True)
    assert kept[0] == "_unknown" and kept[1]["hex"].endswith("abcd")


def test_tables_grow() -> None:
    """A batch whose lists are far longer than the first guess of the capacity."""
    point = {"llvOffset": {"offsetLL": ["position-LL1", {"lon": 1, "lat": 2}]}, "timeOffset": 3}
    history = {"pathHistory": {"crumbData": [point] * 23}}
    values = [bsm(msgCnt=i % 128, safetyExt=history) for i in range(400)]
    made = batch_codec("csae_day1", "bsm")
    made._per_message[:] = 0.01
    parts = [codec("csae_day1", "bsm").encode(v) for v in values]
    start = np.concatenate(([0], np.cumsum([len(p) for p in parts]))).astype(np.int64)
    records = made.decode(np.frombuffer(b"".join(parts), np.uint8), start)
    assert not records.error.any() and records.value(399) == values[399]
    made._octets = 1.0
    buffer, _, error = made.encode(records)
    assert not error.any() and buffer.tobytes() == b"".join(parts)


def test_batch_refuses_bad_records() -> None:
    made = batch_codec("csae_day1", "bsm")
    records = made.from_values([bsm(), bsm(), bsm()])
    records.column("speed")[1] = 9000
    buffer, start, error = made.encode(records)
    assert error.tolist() == [0, 2, 0] and start[1] == start[2]
    assert codec("csae_day1", "bsm").decode(buffer[start[2] : start[3]].tobytes()) == bsm()


def test_guess_names_the_message() -> None:
    best = guess(codec("csae_day1", "bsm").encode(bsm()))
    assert best[0].editions == ("day 1", "day 2") and best[0].name == "bsm"
    payload = {
        "protocolVersion": 3,
        "content": ["unsecuredData", {"hex": codec("csae_day1", "bsm").encode(bsm()).hex()}],
    }
    secured = guess(codec("ieee1609dot2", "unsecured").encode(payload))
    assert secured[0].standard == "ieee1609dot2" and secured[0].inside[0].name == "bsm"
    assert guess(b"") == []


def test_command_line(capsys: pytest.CaptureFixture[str], tmp_path) -> None:
    from cloverleaf.cli.main import dispatch

    lines = tmp_path / "values.jsonl"
    lines.write_text(json.dumps(bsm()) + "\n" + json.dumps({"value": bsm(msgCnt=200)}) + "\n\nnot json\n")
    assert dispatch(["link", "encode", "--standard", "csae_day2", "--type", "bsm", str(lines)]) == 0
    out = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [list(row) for row in out] == [["hex"], ["error"], ["error"], ["error"]]
    lines.write_text(out[0]["hex"] + "\n" + json.dumps(out[0]) + "\n00\n")
    assert dispatch(["link", "decode", "--standard", "csae_day2", "--type", "bsm", str(lines)]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == rows[1] == {"value": bsm()} and list(rows[2]) == ["error"]
    assert dispatch(["link", "inspect", out[0]["hex"]]) == 0
    assert "bsm" in capsys.readouterr().out
