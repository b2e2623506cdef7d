"""`cloverleaf link` as a user meets it: lines in, lines out, keys, signatures, captures, wrong input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.link.test_inspection import CAM, bsm, sae_bsm
from typer.testing import CliRunner, Result

from cloverleaf.cli.link import app
from cloverleaf.link.codec.single import codec
from cloverleaf.link.security import sm2
from cloverleaf.types.errors import InputError

SIGNED = Path(__file__).resolve().parents[2].parent / "shared" / "v2x" / "security" / "ieee1609dot2_signed.json"


def run(*arguments: object, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], input=stdin)


def rows(result: Result) -> list[dict]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_encode_and_decode_are_inverse() -> None:
    first = rows(run("decode", "--standard", "csae_day1", "--type", "bsm", stdin=bsm().hex() + "\n\n"))
    assert first[0]["value"][0] == "bsmFrame"
    second = rows(run("encode", "--standard", "csae_day1", "--type", "bsm", stdin=json.dumps(first[0])))
    assert second == [{"hex": bsm().hex()}]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)), max_size=5))
def test_hostile_lines_get_one_answer_each(lines: list[bytes]) -> None:
    stdin = b"\n".join(lines)
    expected = len(stdin.split(b"\n")) - int(stdin[-1:] in (b"", b"\n"))
    for command in ("encode", "decode"):
        out = rows(run(command, "--standard", "etsi", "--type", "cam", stdin=stdin))
        assert len(out) == expected and all(len(r) == 1 for r in out)


@pytest.mark.parametrize(
    "line", ["[" * 5000, '{"value": ' * 3000, '{"hex": 5}', '{"hex": null}', "[1]", "NaN", "1e999", "\udcff"]
)
def test_strange_json(line: str) -> None:
    for command in ("encode", "decode"):
        out = rows(run(command, "--standard", "etsi", "--type", "cam", stdin=line.encode("utf-8", "replace")))
        assert list(out[0]) == ["error"]


def test_a_value_field_of_the_message_itself_is_no_wrapper() -> None:
    first = rows(run("decode", "--standard", "sae", "--type", "bsm", stdin=sae_bsm().hex()))[0]
    for line in (first, first["value"], first | {"case": "x", "checked": []}):
        assert rows(run("encode", "--standard", "sae", "--type", "bsm", stdin=json.dumps(line))) == [
            {"hex": sae_bsm().hex()}
        ]


def test_types_lists_everything() -> None:
    assert "clpmm" in run("types").stdout and "etsi: cam" in run("types").stdout


@pytest.mark.parametrize(
    "name", ["p256", pytest.param("sm2", marks=pytest.mark.skipif(not sm2.available(), reason="needs SM2"))]
)
def test_sign_and_verify(name: str, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    assert (
        run(
            "keys", keys, "--type", "cam", "--algorithm", name, "--start", "2026-01-01", "--region", "53.5,10,1000"
        ).exit_code
        == 0
    )
    at = "2026-01-02T10:00:00Z"
    signed = rows(run("sign", "--keys", keys, "--type", "cam", "--at", at, stdin=f"{CAM.hex()}\nnothing\n"))
    assert "hex" in signed[0] and "error" in signed[1]
    line = json.dumps(signed[0]) + "\n"

    def verdict(*options: object, lines: str = line) -> str:
        row = rows(run("verify", "--trust", keys, *options, stdin=lines))[-1]
        return row.get("reason", "") or row["value"]["payload"]["hex"]

    assert verdict() == CAM.hex() and verdict("--at", at, "--place", "53.5,10") == CAM.hex()
    assert verdict("--signature-only") == CAM.hex()
    assert verdict("--at", "2026-01-02T10:00:09Z") == "message_expired"
    assert verdict("--at", "2026-01-02T09:00:00Z") == "from_the_future"
    assert verdict("--at", "2025-01-02") == "certificate_not_yet_valid"
    assert verdict("--at", "2026-02-02") == "certificate_expired"
    assert verdict("--psid", "37") == "wrong_permission"
    assert verdict("--place", "54,10") == "out_of_region"
    assert verdict(lines=line * 2) == "replayed"
    value = rows(run("verify", "--trust", keys, stdin=line))[0]["value"]
    (tmp_path / "revoked").write_text(value["signer"] + "\n")
    assert verdict("--revoked", tmp_path / "revoked") == "revoked"
    tampered = bytearray.fromhex(signed[0]["hex"])
    tampered[10] ^= 1
    assert verdict(lines=tampered.hex()) == "bad_signature" and verdict(lines="00ff") == "malformed"
    digest = rows(run("sign", "--keys", keys, "--type", "cam", "--at", at, "--digest", stdin=CAM.hex()))
    assert verdict(lines=digest[0]["hex"]) == CAM.hex(), "the folder's ticket is known"
    other = tmp_path / "other"
    assert run("keys", other, "--type", "cam").exit_code == 0
    stranger = rows(run("verify", "--trust", other, stdin=line))[0]
    assert stranger["reason"] == "untrusted_issuer"


@pytest.mark.parametrize(
    "arguments",
    [
        ("keys", "DIR"), ("keys", "DIR", "--type", "nothing"), ("keys", "DIR", "--psid", "x"), ("sign", "--type", "cam"),
        ("verify",), ("verify", "--trust", "nowhere"), ("keys", "DIR", "--type", "cam", "--region", "1,2"),
        ("keys", "DIR", "--type", "cam", "--start", "tomorrow"), ("sign", "--keys", "nowhere", "--type", "cam"),
        ("decode", "--standard", "etsy", "--type", "cam"), ("decode", "--standard", "etsi", "--type", "came"),
        ("inspect", "no such thing"), ("decode", "--standard", "etsi", "--type", "cam", "no such file"),
    ],
)  # fmt: skip
def test_wrong_input_is_an_error_with_a_line(arguments: tuple[str, ...], tmp_path: Path) -> None:
    result = run(*[str(tmp_path / "keys") if a == "DIR" else a for a in arguments])
    assert isinstance(result.exception, InputError) and str(result.exception)


def test_keys_are_not_overwritten(tmp_path: Path) -> None:
    assert run("keys", tmp_path, "--type", "cam").exit_code == 0
    assert isinstance(run("keys", tmp_path, "--type", "cam").exception, InputError)


@pytest.mark.skipif(not SIGNED.is_file(), reason="needs ../shared/v2x/security")
def test_signatures_of_others_from_the_command_line(tmp_path: Path) -> None:
    data = json.loads(SIGNED.read_text())
    lines = "".join(json.dumps({"hex": m["coer"]}) + "\n" for m in data["messages"])
    out = rows(run("verify", "--trust", SIGNED, "--signature-only", stdin=lines))
    assert [("value" in r) for r in out] == [m["valid"] for m in data["messages"]]


def test_codec_values_are_what_the_command_prints() -> None:
    value = rows(run("decode", "--standard", "etsi", "--type", "cam", stdin=CAM.hex()))[0]["value"]
    assert value == codec("etsi", "cam").decode(CAM)


def test_blank_lines_have_an_answer_and_errors_stay_short() -> None:
    out = rows(run("decode", "--standard", "csae_day1", "--type", "bsm", stdin=f"\n{bsm().hex()}\n \n"))
    assert [list(row) for row in out] == [["error"], ["value"], ["error"]]
    line = json.dumps({"value": "x" * 100_000})
    assert len(rows(run("encode", "--standard", "etsi", "--type", "cam", stdin=line))[0]["error"]) < 500


@pytest.mark.parametrize(
    "field", [{"station": "x"}, {"station": -1}, {"time": 1e300}, {"time": "now"}, {"place": [500, 2]}, {"place": 3}]
)
def test_capture_refuses_rows_that_no_frame_can_carry(field: dict, tmp_path: Path) -> None:
    result = run("capture", tmp_path / "a.pcap", stdin=json.dumps({"hex": CAM.hex()} | field))
    assert result.exit_code != 0 and isinstance(result.exception, InputError)
    assert next(iter(field)) in str(result.exception)


def test_inspect_names_lines_that_are_no_hex(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_text(f"{CAM.hex()}\nwhat\n{CAM.hex()}\n")
    result = run("inspect", file)
    assert result.stdout.count("etsi cam") == 2 and "line 2" in result.stderr


@pytest.mark.parametrize(
    "options",
    [("--psid", "-1"), ("--psid", "9" * 12), ("--start", "1990-01-01"), ("--start", "2500-01-01")]
    + [("--region", r) for r in ("100,200,5", "1,2,-5", "nan,1,1", "1,2,70000")],
)
def test_keys_refuse_what_a_certificate_cannot_say(options: tuple[str, str], tmp_path: Path) -> None:
    extra = () if options[0] == "--psid" else ("--psid", "36")
    result = run("keys", tmp_path / "pki", *options, *extra)
    assert isinstance(result.exception, InputError) and options[0] in str(result.exception)


def test_sign_refuses_a_key_that_is_not_the_tickets_and_times_before_its_clock(tmp_path: Path) -> None:
    run("keys", tmp_path, "--psid", "36")
    early = run("sign", "--keys", tmp_path, "--psid", "36", "--at", "1990-01-01", stdin=CAM.hex())
    assert isinstance(early.exception, InputError) and "--at" in str(early.exception)
    (tmp_path / "ticket.key").write_text("1234")
    wrong = run("sign", "--keys", tmp_path, "--psid", "36", stdin=CAM.hex())
    assert isinstance(wrong.exception, InputError) and "ticket.key" in str(wrong.exception)
