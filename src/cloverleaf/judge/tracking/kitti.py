"""Label and result files of KITTI tracking (Geiger et al. 2012): one line per object and frame.

Columns: frame, track id, type, truncated, occluded, alpha, image box x1 y1 x2 y2 (px), height width length (m), x y z of the bottom
centre in the rectified camera frame (m; x right, y down, z forward), rotation about y (rad), and in results a score.
Plain or gzip text.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cloverleaf.types.errors import InputError
from cloverleaf.types.state import F64, I64

CLASSES = {"Car": ("car", "van"), "Pedestrian": ("pedestrian", "person_sitting", "person"), "Cyclist": ("cyclist",)}
"""Class -> the names that are read for it: its own first, then neighbours that count neither for nor against a tracker."""


class Sequence(NamedTuple):
    """Objects of one class in one sequence, sorted by frame; n rows."""

    frame: I64  # (n,)
    track: I64  # (n,)
    neighbour: I64  # (n,) 1: of a neighbouring class, -1: an area that does not count
    hidden: I64  # (n,) 1: cut off by the image or occluded beyond "largely"
    image_box: F64  # (n, 4) px
    body: F64  # (n, 7) x forward, y left, z up of the centre, heading, length, width, height; camera at the origin
    score: F64  # (n,)


def open_text(path: Path) -> list[str]:
    """Lines of a plain or gzip text file."""
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        return data.decode("utf-8").splitlines()
    except FileNotFoundError as error:
        raise InputError("no such file", file=path) from error
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", file=path) from error


def find_sequences(folder: Path) -> dict[str, Path]:
    """Sequence name -> file, for every .txt or .txt.gz in a folder."""
    found = {}
    for path in sorted(folder.glob("*.txt*")):
        if path.name.endswith((".txt", ".txt.gz")) and path.name.split(".")[0].isdigit():
            found[path.name.split(".")[0]] = path
    return found


def bodies(values: F64) -> F64:
    """Columns h, w, l, x, y, z, rotation_y in the camera frame (n, 7) -> centre, heading and size in a forward-left-up frame."""
    h, w, length, x, y, z, ry = values.T
    return np.stack([z, -x, -(y - 0.5 * h), -ry - 0.5 * np.pi, length, w, h], axis=1)


def read_objects(path: Path, kind: str, *, result: bool = False) -> Sequence:
    """The objects of class `kind` (and, from labels, areas that do not count) of one file."""
    names = CLASSES[kind]
    rows, numbers = [], []
    for number, line in enumerate(open_text(path), 1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) not in ((17, 18) if result else (17,)):
            raise InputError(f"{len(fields)} columns, not {'17 or 18' if result else 17}", file=path, line=number)
        name = fields[2].lower()
        if name not in names and name != "dontcare":
            continue
        try:
            values = [float(v) for v in fields[:2] + fields[3:]]
        except ValueError as error:
            raise InputError(str(error), file=path, line=number) from error
        if values[1] < 0 and name != "dontcare":
            continue
        kin = -1.0 if name == "dontcare" else float(name != names[0])
        rows.append((kin, *values, *((0.0,) if len(values) == 16 else ())))
        numbers.append(number)
    table = np.array(rows).reshape(-1, 18)
    table = table[np.argsort(table[:, 1], kind="stable")]
    return Sequence(
        table[:, 1].astype(np.int64),
        table[:, 2].astype(np.int64),
        table[:, 0].astype(np.int64),
        ((table[:, 3] > 0) | (table[:, 4] > 2)).astype(np.int64),
        table[:, 6:10],
        bodies(table[:, 10:17]),
        table[:, 17],
    )


def image_overlap(a: F64, b: F64, *, of_first: bool = False) -> F64:
    """Overlap of image boxes, (n, 4) and (m, 4) px -> (n, m): over the union, or over the area of the first."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0.0), axis=2)
    area_a = np.prod(a[:, 2:] - a[:, :2], axis=1)[:, None]
    area_b = np.prod(b[:, 2:] - b[:, :2], axis=1)[None, :]
    whole = np.broadcast_to(area_a, shared.shape) if of_first else area_a + area_b - shared
    return np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0)
