"""Tiles: the coarse geo cells by which twin shards share a map and the lake its files.

Tile (i, j) is the square [i, i + 1) x [j, j + 1) times `TILE_M` in ENU metres; its number is (i + 2^15) << 16 | (j + 2^15), unsigned
32 bits: room for 16,000 km in every direction. A shard owns a set of tiles and also hears the tiles around them: an object near a
border is known on both sides and owned by the one side that its position lies on, so it changes owner without a message.
"""

from __future__ import annotations

import numpy as np

from cloverleaf.types.state import F64, I32, I64

TILE_M = 500.0
_HALF = 1 << 15


def tile_of(x: F64, y: F64) -> I64:
    """Tile numbers of positions, shape (n,); -1 where a position is not finite or out of range."""
    with np.errstate(invalid="ignore"):
        i, j = np.floor(x / TILE_M), np.floor(y / TILE_M)
        fine = (np.abs(i) < _HALF - 1) & (np.abs(j) < _HALF - 1)
        i, j = np.where(fine, i, 0.0), np.where(fine, j, 0.0)
    return np.where(fine, ((i.astype(np.int64) + _HALF) << 16) | (j.astype(np.int64) + _HALF), -1)


def place_of(tile: int) -> tuple[float, float]:
    """South-west corner of a tile, m."""
    return ((tile >> 16) - _HALF) * TILE_M, ((tile & 0xFFFF) - _HALF) * TILE_M


def around(tiles: set[int]) -> set[int]:
    """The tiles and all their neighbours."""
    return {t + (di << 16) + dj for t in tiles for di in (-1, 0, 1) for dj in (-1, 0, 1)}


def shares(x: F64, y: F64, shards: int) -> list[set[int]]:
    """Tiles of a map, cut into `shards` sets of about equal numbers of points, in bands from west to east.

    x, y: (points,) of the map's lanes. Neighbour tiles of the map that hold no lane belong to the band that they lie in.
    """
    tiles, weight = np.unique(tile_of(x, y), return_counts=True)
    columns, place = np.unique(tiles >> 16, return_inverse=True)
    share = np.cumsum(np.bincount(place, weights=weight)) / weight.sum()
    band = np.minimum((share * shards - 1e-9).astype(np.int64), shards - 1)
    rows = np.arange(int((tiles & 0xFFFF).min()) - 1, int((tiles & 0xFFFF).max()) + 2)
    out: list[set[int]] = [set() for _ in range(shards)]
    for i in range(int(columns[0]) - 1, int(columns[-1]) + 2):
        at = min(int(np.searchsorted(columns, i)), len(columns) - 1)
        out[int(band[at])].update((i << 16 | rows).tolist())
    return out


def audiences(parts: list[set[int]]) -> dict[int, int]:
    """Tile -> the first tile that the same shards hear, so that messages with the same hearers can travel together.

    With one shard there is nothing to tell apart and the table is empty; tiles that no shard hears are not in it.
    """
    if len(parts) == 1:
        return {}
    heard = [around(part) for part in parts]
    first: dict[tuple[bool, ...], int] = {}
    return {t: first.setdefault(tuple(t in h for h in heard), t) for t in sorted(set().union(*heard))}


def owner_table(parts: list[set[int]]) -> tuple[I64, I32]:
    """All tiles in order, and the shard that owns each."""
    pairs = sorted((t, k) for k, part in enumerate(parts) for t in part)
    return np.array([t for t, _ in pairs], np.int64), np.array([k for _, k in pairs], np.int32)
