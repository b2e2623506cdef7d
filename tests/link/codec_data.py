"""Rows of the shared V2X data, found beside the checkout."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

DATA = Path(__file__).resolve().parents[3] / "shared" / "v2x"


def messages(folder: str) -> list[Any]:
    """One pytest parameter per message file of `folder` (vectors, malformed); one skipped if there are none."""
    files = sorted((DATA / folder).glob("*/*.jsonl.gz"))
    if not files:
        return [pytest.param("", "", marks=pytest.mark.skip(reason=f"no {DATA / folder}"))]
    return [
        pytest.param(f.parent.name, f.name.split(".")[0], id=f"{f.parent.name}-{f.name.split('.')[0]}") for f in files
    ]


@cache
def rows(folder: str, standard: str, name: str) -> list[dict[str, Any]]:
    """The rows of one file."""
    with gzip.open(DATA / folder / standard / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def pack(parts: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Messages as buffer and offsets."""
    start = np.concatenate(([0], np.cumsum([len(p) for p in parts], dtype=np.int64))).astype(np.int64)
    return np.frombuffer(b"".join(parts), np.uint8), start
