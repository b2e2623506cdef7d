"""Noise for decoders: random bytes, and valid messages truncated, flipped and spliced."""

from __future__ import annotations

import numpy as np

from cloverleaf.link.codec.batch import batch_codec
from cloverleaf.link.codec.program import OTHER
from cloverleaf.link.codec.sample import Sampler
from cloverleaf.link.codec.single import Codec, codec
from cloverleaf.link.schemas.catalog import message
from cloverleaf.types.errors import CloverleafError, DecodeError, EncodeError
from cloverleaf.types.state import I64, U8

CHUNK = 20_000
LONGEST = 120
"""Bytes of random inputs, at most."""
COMPARED = 97
"""Every so many-th input is also read alone."""


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
    """`count` inputs as buffer and offsets: a quarter random bytes, the rest messages of `pool` cut short, flipped in one to three
    bits, or with the tail of another one. Long messages are drawn more rarely, so that each makes up about as many bytes."""
    kind = rng.integers(0, 4, count) if pool else np.zeros(count, np.int64)
    source = np.frombuffer(b"".join(pool) or b"\0", np.uint8)
    size = np.array([len(p) for p in pool] or [1], np.int64)
    begin = np.concatenate(([0], np.cumsum(size)[:-1]))
    weight = np.cumsum(1.0 / np.maximum(size, 40))
    row, other = np.searchsorted(weight, rng.random((2, count)) * weight[-1])
    cut = rng.integers(0, size[row])
    tail = rng.integers(0, size[other])
    length = np.choose(kind, (rng.integers(0, LONGEST, count), cut, size[row], cut + size[other] - tail))
    start = np.concatenate(([0], np.cumsum(length))).astype(np.int64)
    # each input is one or two stretches of the source, random ones a stretch of their own noise behind it
    head = np.where(kind == 3, cut, length)
    first = begin[row].copy()
    random = np.flatnonzero(kind == 0)
    first[random] = len(source) + start[random]
    stretch = np.stack((head, length - head), 1).reshape(-1)
    shift = np.stack((first - start[:-1], begin[other] + tail - (start[:-1] + head)), 1).reshape(-1)
    place = np.repeat(shift, stretch) + np.arange(start[-1])
    buffer = np.concatenate((source, np.frombuffer(rng.bytes(int(start[-1])), np.uint8)))[place]
    for times in range(3):
        flipped = np.flatnonzero((kind == 2) & (rng.integers(0, 3, count) >= times) & (length > 0))
        bit = rng.integers(0, 8 * length[flipped])
        buffer[start[flipped] + (bit >> 3)] ^= (128 >> (bit & 7)).astype(np.uint8)
    return buffer, start


def fuzz(standard: str, name: str, count: int, seed: int) -> int:
    """Decode `count` damaged inputs, in batches; how many were accepted.

    Some of them are also read one at a time, where the reader sees nothing but its own bytes: both must give the same verdict.

    Raises:
        CloverleafError: the two disagree.
    """
    rng, pool = np.random.default_rng(seed), seeds(standard, name)
    many, single = batch_codec(standard, name), codec(standard, name)
    accepted = 0
    for begin in range(0, count, CHUNK):
        buffer, start = noise(pool, min(CHUNK, count - begin), rng)
        error = many.decode(buffer, start).error
        accepted += int(np.count_nonzero(error == 0))
        for i in range(0, len(error), COMPARED):
            data = buffer[start[i] : start[i + 1]].tobytes()
            if error[i] != OTHER and _valid(single, data) != (error[i] == 0):
                raise CloverleafError(f"{standard} {name}: batch and single disagree about {data.hex()}")
    return accepted


def _valid(single: Codec, data: bytes) -> bool:
    try:
        single.decode(data)
    except DecodeError:
        return False
    return True
