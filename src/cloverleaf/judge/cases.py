"""Which concrete cases of a suite to run: `first`, `all`, a number, or a CSV file with one case per row."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloverleaf.types.errors import StudyError, nearest

Cases = dict[str, NDArray[np.float64]]


def select(choice: str, grid: Mapping[str, NDArray[np.float64]]) -> Cases:
    """Cases of `grid` (columns of shape (cases,)) that `choice` names; N takes N cases evenly spread over the grid's order."""
    total = len(next(iter(grid.values())))
    if choice == "all":
        return dict(grid)
    if choice == "first":
        return {k: v[:1] for k, v in grid.items()}
    if choice.isdigit():
        wanted = int(choice)
        if wanted == 0:
            raise StudyError("--cases 0 leaves nothing to judge", hint="a number from 1, 'first', 'all' or a CSV file")
        rows = np.unique(np.linspace(0, total - 1, min(wanted, total)).round().astype(np.int64))
        return {k: v[rows] for k, v in grid.items()}
    path = Path(choice)
    if path.suffix.lower() != ".csv":
        raise StudyError(f"--cases {choice!r} is not understood", hint="'first', 'all', a number or a .csv file")
    return read_cases(path, tuple(grid))


def read_cases(path: Path, parameters: tuple[str, ...]) -> Cases:
    """Cases from a CSV file with a header that names every parameter; further columns are left alone."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            header = reader.fieldnames or []
            for name in parameters:
                if name not in header:
                    raise StudyError(
                        f"column '{name}' is missing", file=path, line=1, hint=nearest(name, header) if header else ""
                    )
            columns: dict[str, list[float]] = {p: [] for p in parameters}
            for row in reader:
                for name in parameters:
                    columns[name].append(_number(row[name], path, reader.line_num, name))
    except OSError as error:
        raise StudyError(f"cannot read the cases: {error.strerror}", file=path) from error
    if not columns[parameters[0]]:
        raise StudyError("no case in the file", file=path, line=2)
    return {k: np.array(v) for k, v in columns.items()}


def _number(text: str | None, path: Path, line: int, name: str) -> float:
    try:
        value = float(text if text is not None else "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise StudyError(f"{text!r} is not a finite number", file=path, line=line, element=name)
    return value
