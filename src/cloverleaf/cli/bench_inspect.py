"""`cloverleaf bench inspect`: how often `link inspect` is right about bytes without any hint, and how well it knows that.

Every message of the vectors is shown bare, signed, in its network headers (as a frame of known link type, and as bytes of which nothing is
known), and with its end cut off; random bytes stand beside them. `right` is the share of messages named with their standard and type,
`sure` the mean of what inspect says; calibrated means that the two agree, in each band of sureness and not on average alone.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cloverleaf.types.errors import StudyError

BANDS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99, 1.0)
_NOW = 700_000_000.0
AIDS = {"bsm": 111, "map": 3618, "spat": 3619, "rsi": 3620, "rsm": 3623}


class Message(NamedTuple):
    """One vector."""

    family: str  # csae, etsi, ieee1609dot2
    name: str  # without edition
    edition: str  # in inspect's words
    data: bytes


class Answer(NamedTuple):
    """What inspect said about one message."""

    sure: float
    right: bool
    edition: bool  # the message's edition is among those named


def messages(folder: Path, per_file: int) -> Iterator[Message]:
    """So many vectors of each type, spread over its file."""
    files = sorted(folder.glob("*/*.jsonl.gz"))
    if not files:
        raise StudyError("no vectors here", file=folder, hint="--data DIR with v2x/vectors")
    for file in files:
        standard, name = file.parent.name, file.name.split(".")[0]
        family = standard.partition("_")[0]
        release = "release 2" if name.endswith("_r2") or name in ("cpm", "vam") else "release 1"
        edition = {"csae_day1": "day 1", "csae_day2": "day 2", "etsi": release}.get(standard, "version 3")
        rows = gzip.decompress(file.read_bytes()).splitlines()
        for i in range(per_file):
            row = json.loads(rows[(2 * i + 1) * len(rows) // (2 * per_file)])
            yield Message(family, name.removesuffix("_d2").removesuffix("_r2"), edition, bytes.fromhex(row["hex"]))


def ask(message: Message, data: bytes, link_type: int | None = None, *, enveloped: bool = False) -> Answer:
    """Inspect's answer about `data`, which carry `message`; `enveloped`: the answer is the envelope, whatever is inside."""
    from cloverleaf.link.inspection.packets import Inspector

    found = Inspector().bare(data) if link_type is None else Inspector().frame(link_type, data)
    kinds = found[0].kinds() if found else []
    if enveloped and any(layer.startswith("ieee1609dot2") for layer in found[0].layers):
        return Answer(1.0, True, True)
    if not kinds:
        return Answer(0.0, False, False)
    best = kinds[0].readings[0]
    right = (best.standard.partition("_")[0], best.name) == (message.family, message.name)
    named = {e for g in kinds[0].readings if g.sure > 0.1 * best.sure for e in g.editions}
    if enveloped:
        right = best.standard == message.family
    return Answer(kinds[0].sure, right, right and message.edition in named)


def ways() -> dict[str, Callable[[Message], Answer | None]]:
    """How messages are shown; None where a way does not fit a message."""
    from cloverleaf.link.io import dsmp, geonetworking
    from cloverleaf.link.security.algorithms import algorithm
    from cloverleaf.link.security.signer import Signer, simulated_authority

    here = geonetworking.Position(7, 1234, 535_000_000, 100_000_000)
    authority = simulated_authority(algorithm("p256"), int(_NOW) - 10)
    signer = Signer(authority.algorithm, [authority.ticket(1, {36: b""})])

    def framed(m: Message) -> bytes | None:
        if m.family == "csae":
            return dsmp.frame(m.data, AIDS[m.name]) if m.name in AIDS else None
        port = geonetworking.PORT_OF_TYPE.get(m.name)
        return geonetworking.frame(m.data, port, here) if port else None

    def frame(m: Message) -> Answer | None:
        data = framed(m)
        return ask(m, data, 1 if m.family == "etsi" else 147) if data else None

    def headers(m: Message) -> Answer | None:
        data = framed(m)
        return ask(m, data) if data else None

    def plain(m: Message) -> bool:
        return m.family != "ieee1609dot2"

    return {
        "bare": lambda m: ask(m, m.data) if plain(m) else None,
        "signed": lambda m: ask(m, signer.sign(m.data, 36, _NOW)) if plain(m) else None,
        "envelope": lambda m: None if plain(m) else ask(m, m.data, enveloped=True),
        "frame": lambda m: frame(m) if plain(m) else None,
        "frame, link unknown": lambda m: headers(m) if plain(m) else None,
        "end cut off": lambda m: ask(m, m.data[: 3 * len(m.data) // 4]) if plain(m) and len(m.data) >= 8 else None,
        "random bytes": lambda m: (
            ask(m, np.random.default_rng(list(m.data[:64])).bytes(len(m.data))) if plain(m) else None
        ),
    }


def row_of(way: str, answers: list[Answer]) -> dict[str, Any]:
    """Shares, and the calibration error: mean distance between sureness and rightness over the bands, weighted by messages."""
    sure = np.array([a.sure for a in answers])
    right = np.array([a.right for a in answers], float)
    band = np.clip(np.searchsorted(BANDS, sure, side="right") - 1, 0, len(BANDS) - 2)
    gaps = [abs(sure[band == b].sum() - right[band == b].sum()) for b in range(len(BANDS) - 1)]
    return {
        "shown": way, "messages": len(answers), "right": right.mean(), "edition": float(np.mean([a.edition for a in answers])),
        "sure": sure.mean(), "sure_and_wrong": float(np.mean((sure > 0.9) & (right == 0))), "calibration_error": sum(gaps) / len(answers),
    }  # fmt: skip


def run_bench(data: Path | None, per_file: int = 8) -> Iterator[dict[str, Any]]:
    """One row for each way; `data` has v2x/vectors."""
    chosen = list(messages((data or Path(".")) / "v2x" / "vectors", per_file))
    for way, show in ways().items():
        answers = [a for a in map(show, chosen) if a is not None]
        yield row_of(way, answers)
