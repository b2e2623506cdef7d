"""Application identifiers of messages: ITS-AID (TS 102 965), AID of the 2020 Chinese multi-vendor configuration, PSID (IEEE 1609.12)."""

from __future__ import annotations

from cloverleaf.types.errors import InputError, nearest
from cloverleaf.types.messages import MessageKind

APPLICATION = {
    "etsi": {"cam": 36, "denm": 37, "spatem": 137, "mapem": 138, "ivim": 139, "srem": 140, "ssem": 637, "vam": 638, "cpm": 639,
             "rtcmem": 540_802},
    "csae": {"bsm": 111, "map": 3618, "spat": 3619, "rsi": 3622, "rsc": 3622, "rsm": 3623, "ssm": 3623},
    "sae": {"bsm": 32, "map": 130, "spat": 130, "tim": 131},
}  # fmt: skip
"""Family of standards -> message -> identifier; ETSI's as riebl/vanetza lists them after TS 102 965, annex A. Most Chinese phase-2 messages
have none that is publicly known."""


PSID: dict[str, dict[int, int]] = {
    "csae": {
        MessageKind.AWARENESS: 111,
        MessageKind.SIGNAL: 3619,
        MessageKind.TOPOLOGY: 3618,
        MessageKind.PERCEPTION: 3623,
        MessageKind.ADVICE: 3622,
        MessageKind.EVENT: 3622,
    },
    "etsi": {
        MessageKind.AWARENESS: 36,
        MessageKind.SIGNAL: 137,
        MessageKind.TOPOLOGY: 138,
        MessageKind.PERCEPTION: 639,
        MessageKind.ADVICE: 139,
        MessageKind.EVENT: 37,
    },
    "sae": {
        MessageKind.AWARENESS: 32,
        MessageKind.SIGNAL: 130,
        MessageKind.TOPOLOGY: 130,
        MessageKind.PERCEPTION: 3623,
        MessageKind.ADVICE: 3622,
        MessageKind.EVENT: 131,
    },
}
"""Application identifiers of message kinds. Advice has none of its own in CSAE and ETSI: the dynamic RSI's and IVIM's stand in. In the
SAE set, perception and advice are CSAE's messages with their identifiers."""


def application_of(standard: str, name: str) -> int:
    """The identifier of a message of the catalog; InputError where there is none."""
    family, short = standard.partition("_")[0], name.removesuffix("_d2").removesuffix("_r2")
    if family not in APPLICATION:
        raise InputError(
            f"no application identifiers of '{standard}'", element="--standard", hint=nearest(standard, APPLICATION)
        )
    if short not in APPLICATION[family]:
        raise InputError(
            f"no application identifier of '{name}'", element="--type", hint=nearest(name, APPLICATION[family])
        )
    return APPLICATION[family][short]
