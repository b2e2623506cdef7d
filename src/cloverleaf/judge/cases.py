"""Which concrete cases to run: `first`, `all`, a number spread evenly, or a CSV file with one case per row."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloverleaf.types.errors import StudyError, nearest
from cloverleaf.types.state import I64

Cases = dict[str, NDArray[np.float64]]


def rows(choice: str, total: int) -> I64:
    """Case numbers out of `total` that a choice other than a file names. Raises StudyError."""
    if choice == "all":
        return np.arange(total, dtype=np.int64)
    if choice == "first":
        return np.zeros(1, np.int64)
    if not choice.isdigit():
        raise StudyError(f"--cases {choice!r} is not understood", hint="'first', 'all', a number or a .csv file")
    wanted = int(choice)
    if wanted == 0:
        raise StudyError("--cases 0 leaves nothing to judge", hint="a number from 1, 'first', 'all' or a CSV file")
    if wanted >= total:
        return np.arange(total, dtype=np.int64)
    steps = max(wanted - 1, 1)
    return np.array([(2 * k * (total - 1) + steps) // (2 * steps) for k in range(wanted)], np.int64)


def select(choice: str, grid: Mapping[str, NDArray[np.float64]]) -> Cases:
    """Cases of `grid` (columns of shape (cases,)) that `choice` names; a CSV file names every parameter and may hold other columns."""
    if choice.lower().endswith(".csv"):
        return read_cases(Path(choice), tuple(grid))
    picked = rows(choice, len(next(iter(grid.values()))))
    return {k: v[picked] for k, v in grid.items()}


def read_cases(path: Path, parameters: tuple[str, ...]) -> Cases:
    """Cases from a CSV file with a header that names every parameter; further columns are left alone."""
    columns, lines = read_columns(path)
    for name in parameters:
        if name not in columns:
            raise StudyError(f"column '{name}' is missing", file=path, line=1, hint=nearest(name, columns))
    return {n: np.array([_number(t, path, line, n) for t, line in zip(columns[n], lines)]) for n in parameters}


def read_texts(path: Path, parameters: Iterable[str]) -> dict[str, NDArray[np.str_]]:
    """Cases of a scenario from a CSV file: each column is one of its parameters, values as text."""
    columns, _ = read_columns(path)
    known = list(parameters)
    for name in columns:
        if name not in known:
            raise StudyError(f"column '{name}' is no parameter of the scenario", file=path, line=1,
                             hint=nearest(name, known) if known else "it declares none")  # fmt: skip
    return {n: np.array(c) for n, c in columns.items()}


def read_columns(path: Path) -> tuple[dict[str, list[str]], list[int]]:
    """Columns of a CSV file by header, and the line of each row. Raises StudyError."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            header = [h.strip() for h in reader.fieldnames or []]
            reader.fieldnames = header
            found: list[dict[str, str]] = []
            lines: list[int] = []
            for row in reader:
                if None in row or None in row.values():
                    raise StudyError(f"{len(header)} fields expected", file=path, line=reader.line_num)
                found.append(row)
                lines.append(reader.line_num)
    except OSError as error:
        raise StudyError(f"cannot read the cases: {error.strerror}", file=path) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise StudyError(f"not a CSV table: {error}", file=path) from None
    if not found:
        raise StudyError("no case in the file", file=path, line=2)
    return {name: [row[name].strip() for row in found] for name in header}, lines


def _number(text: str, path: Path, line: int, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise StudyError(f"{text!r} is not a finite number", file=path, line=line, element=name)
    return value
