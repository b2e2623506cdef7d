"""Which messages exist: standard and name -> schema file, encoded type, and the branch that makes it this message."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from cloverleaf.link.schemas import nodes
from cloverleaf.link.schemas.reader import schema_file
from cloverleaf.types.errors import InputError, nearest


class Message(NamedTuple):
    """A message of a standard. `select` is the path of alternatives or open types below the encoded type `top`."""

    standard: str
    name: str
    file: str
    top: str
    select: tuple[str, ...] = ()
    edition: str = ""
    encoding: str = "uper"
    message_id: int | None = None

    def type(self) -> nodes.Type:
        """The encoded type, parsed now if it was not before."""
        return schema_file(self.file, self.edition).lookup(self.top)


_FRAME = (("bsm", "bsmFrame"), ("map", "mapFrame"), ("rsm", "rsmFrame"), ("spat", "spatFrame"), ("rsi", "rsiFrame"))
_EXTENDED = (
    (0, "test", "TestMsg"),
    (10, "rtcm", "RTCMcorrections"),
    (11, "rsc", "RoadsideCoordination"),
    (12, "ssm", "SensorSharingMsg"),
    (13, "vir", "VehIntentionAndRequest"),
    (14, "pam", "PAMData"),
    (15, "psm", "PersonalSafetyMessage"),
    (16, "clpmm", "CLPMM"),
    (17, "vpm", "VehiclePaymentMessage"),
)
_ETSI = (
    ("cam", "cam", "CAM", 2),
    ("denm", "denm", "DENM", 1),
    ("spatem", "infrastructure", "SPATEM", 4),
    ("mapem", "infrastructure", "MAPEM", 5),
    ("ivim", "infrastructure", "IVIM", 6),
    ("srem", "infrastructure", "SREM", 9),
    ("ssem", "infrastructure", "SSEM", 10),
    ("rtcmem", "infrastructure", "RTCMEM", 13),
    ("cpm", "cpm", "CollectivePerceptionMessage", 14),
    ("vam", "vam", "VAM", 16),
    ("cam_r2", "cam_r2", "CAM", 2),
    ("denm_r2", "denm_r2", "DENM", 1),
)
_SAE = (
    ("bsm", 20, "BasicSafetyMessage"),
    ("map", 18, "MapData"),
    ("spat", 19, "SPAT"),
    ("srm", 29, "SignalRequestMessage"),
    ("ssm", 30, "SignalStatusMessage"),
    ("tim", 31, "TravelerInformation"),
)
"""As far as public facts go: BSM part I (part II and regional content opaque), the messages of ISO/TS 19091, and TIM."""
_SECURED = (("unsecured", "unsecuredData"), ("signed", "signedData"), ("encrypted", "encryptedData"))


def _build() -> dict[str, dict[str, Message]]:
    day1, day2, etsi, secured = "csae_day1", "csae_day2", "etsi", "ieee1609dot2"
    frame = ("csae/frame", "MessageFrame")
    table: dict[str, dict[str, Message]] = {day1: {}, day2: {}, etsi: {}, secured: {}, "sae": {}}
    for name, branch in _FRAME:
        table[day1][name] = Message(day1, name, *frame, (branch,), "day1")
    for number, name, branch in _EXTENDED:
        table[day2][name] = Message(day2, name, *frame, ("msgFrameExt", branch), "day2", message_id=number)
    for name, branch in _FRAME:
        table[day2][f"{name}_d2"] = Message(day2, f"{name}_d2", *frame, (branch,), "day2")
        table[day2][name] = Message(day2, name, *frame, (branch,), "day2")
    table[day2]["secured"] = Message(day2, "secured", "csae/security", "SecuredMessage", encoding="coer")
    for name, stem, top, number in _ETSI:
        table[etsi][name] = Message(etsi, name, f"etsi/{stem}", top, message_id=number)
    for name, branch in _SECURED:
        table[secured][name] = Message(
            secured, name, "ieee1609dot2/ieee1609dot2", "Ieee1609Dot2Data", ("content", branch), encoding="coer"
        )
    for name, number, branch in _SAE:
        table["sae"][name] = Message(
            "sae", name, "sae/frame", "MessageFrame", ("value", branch), "sae", message_id=number
        )
    table[secured]["crl"] = Message(secured, "crl", "ieee1609dot2/crl", "CrlContents", encoding="coer")
    table[secured]["certificate"] = Message(
        secured, "certificate", "ieee1609dot2/ieee1609dot2", "Certificate", encoding="coer"
    )
    return table


MESSAGES = _build()
"""Standard -> message name -> Message. In csae_day2 the phase-1 messages are reachable as `bsm` and as `bsm_d2`."""

STANDARDS = tuple(MESSAGES)


@cache
def message(standard: str, name: str) -> Message:
    """The message, or an InputError that names the nearest valid one."""
    if standard not in MESSAGES:
        raise InputError(f"unknown standard '{standard}'", hint=nearest(standard, MESSAGES))
    if name not in MESSAGES[standard]:
        raise InputError(f"{standard} has no message '{name}'", hint=nearest(name, MESSAGES[standard]))
    return MESSAGES[standard][name]
