"""Noise for decoders: random bytes, and valid messages truncated, flipped and spliced."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from cloverleaf.link.codec.batch import batch_codec
from cloverleaf.link.codec.sample import Sampler
from cloverleaf.link.codec.single import codec
from cloverleaf.link.schemas.catalog import message
from cloverleaf.types.errors import DecodeError, EncodeError
from cloverleaf.types.state import I64, U8

CHUNK = 20_000


def seeds(standard: str, name: str, count: int = 200) -> list[bytes]:
    """Valid messages to damage."""
    kind, made = message(standard, name), []
    for additions in (False, True):
        sampler = Sampler(11, additions=additions)
        for _ in range(count // 2):
            try:
                made.append(codec(standard, name).encode(sampler.message(kind)))
            except EncodeError:
                continue
    return made


def noise(pool: list[bytes], count: int, rng: np.random.Generator) -> tuple[U8, I64]:
    """`count` inputs as buffer and offsets: a quarter random, the rest damaged messages of `pool`."""
    which, kind = rng.integers(0, max(len(pool), 1), count), rng.integers(0, 4, count)
    parts = []
    for row, form in zip(which.tolist(), kind.tolist()):
        if form == 0 or not pool:
            parts.append(rng.bytes(int(rng.integers(0, 120))))
            continue
        data = bytearray(pool[row])
        if form == 1:
            del data[int(rng.integers(0, len(data))) :]
        elif form == 2:
            for at in rng.integers(0, 8 * len(data), int(rng.integers(1, 4))).tolist():
                data[at >> 3] ^= 128 >> (at & 7)
        else:
            other = pool[int(rng.integers(0, len(pool)))]
            data[int(rng.integers(0, len(data))) :] = other[int(rng.integers(0, len(other))) :]
        parts.append(bytes(data))
    start = np.concatenate(([0], np.cumsum([len(p) for p in parts], dtype=np.int64))).astype(np.int64)
    return np.frombuffer(b"".join(parts), np.uint8), start


def fuzz(standard: str, name: str, count: int, seed: int) -> int:
    """Decode `count` damaged inputs (in batches where there is a batch form); how many were accepted."""
    rng, pool = np.random.default_rng(seed), seeds(standard, name)
    uper = message(standard, name).encoding == "uper"
    accepted = 0
    for begin in range(0, count, CHUNK):
        buffer, start = noise(pool, min(CHUNK, count - begin), rng)
        if uper:
            accepted += int(np.count_nonzero(batch_codec(standard, name).decode(buffer, start).error == 0))
            continue
        data, bounds, single = buffer.tobytes(), start.tolist(), codec(standard, name)
        for a, b in pairwise(bounds):
            try:
                single.decode(data[a:b])
                accepted += 1
            except DecodeError:
                pass
    return accepted
