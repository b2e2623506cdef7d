"""Batch queries on CSV tables: road_id,lane_id,s,offset to x,y,z,heading and back; one row out per row in, header first."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np

from cloverleaf.map.query import MapQuery
from cloverleaf.map.query_graph import GraphQuery
from cloverleaf.types.errors import MapError, nearest
from cloverleaf.types.state import F64

LANE_COLUMNS = ("road_id", "lane_id", "s", "offset")
POINT_COLUMNS = ("x", "y", "z", "heading")


def lanes_to_points(query: MapQuery | GraphQuery, table: Path) -> list[str]:
    """Lines of a CSV with POINT_COLUMNS for a CSV with LANE_COLUMNS. Raises MapError with the line of a position that does not exist."""
    rows = read_table(table, LANE_COLUMNS)
    road = [row["road_id"].strip() for row, _ in rows]
    lane = numbers(table, rows, "lane_id")
    if (lane != np.round(lane)).any():
        line = rows[int(np.argmax(lane != np.round(lane)))][1]
        raise MapError("lane_id is not an integer", file=table, line=line)
    s, offset = numbers(table, rows, "s"), numbers(table, rows, "offset", 0.0)
    if isinstance(query, MapQuery):
        for name, (_, line) in zip(road, rows):
            if name not in query.road_row:
                raise MapError(f"unknown road '{name}'", file=table, line=line, hint=nearest(name, query.road_row))
        out = query.lane_to_xyz(query.rows(road), lane.astype(np.int64), s, offset)
    else:
        out = query.lane_to_xyz(road, lane.astype(np.int64), s, offset)
    if np.isnan(out[:, 0]).any():
        n = int(np.argmax(np.isnan(out[:, 0])))
        where = (int(lane[n]), float(s[n]))
        why = (
            query.why_nowhere(query.road_row[road[n]], *where)
            if isinstance(query, MapQuery)
            else query.why_nowhere(road[n], *where)
        )
        raise MapError(why[0], file=table, line=rows[n][1], hint=why[1])
    lines = [",".join(POINT_COLUMNS)]
    lines.extend(f"{x:.6f},{y:.6f},{z:.6f},{h % (2.0 * math.pi):.8f}" for x, y, z, h in out[:, :4])
    return lines


def points_to_lanes(query: MapQuery | GraphQuery, table: Path) -> list[str]:
    """Lines of a CSV with LANE_COLUMNS for a CSV with x, y and, if known, heading (rad) to choose where roads overlap."""
    rows = read_table(table, ("x", "y"))
    x, y = numbers(table, rows, "x"), numbers(table, rows, "y")
    key = next((k for k in ("heading", "heading_hint") if rows and k in rows[0][0]), "heading")
    heading = numbers(table, rows, key, math.nan)
    if isinstance(query, MapQuery):
        ids, out = query.xy_to_lane(x, y, heading)
        road, lane = [query.drive.road_ids[i] for i in ids[:, 0]], ids[:, 1]
    else:
        road, lane, out = query.xy_to_lane(x, y, heading)
    lines = [",".join(LANE_COLUMNS)]
    lines.extend(f"{r},{i},{s:.6f},{t:.6f}" for r, i, (s, t) in zip(road, lane, out))
    return lines


def read_table(table: Path, needed: tuple[str, ...]) -> list[tuple[dict[str, str], int]]:
    """Rows of a CSV with their lines. Raises MapError where columns are missing or rows are short."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, skipinitialspace=True)
            names = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = names
            for name in needed:
                if name not in names and name != "offset":
                    raise MapError(
                        f"column '{name}' is missing", file=table, line=1, hint="columns: " + ",".join(needed)
                    )
            rows = []
            for row in reader:
                if None in row or None in row.values():
                    raise MapError(f"{len(names)} fields expected", file=table, line=reader.line_num)
                rows.append((row, reader.line_num))
            return rows
    except OSError as error:
        raise MapError("cannot read the table", file=table, hint="check the path") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise MapError(f"not a CSV table: {error}", file=table) from None


def numbers(table: Path, rows: list[tuple[dict[str, str], int]], name: str, default: float | None = None) -> F64:
    """A column as finite floats; empty or missing fields take `default`."""
    values = np.empty(len(rows))
    for i, (row, line) in enumerate(rows):
        text = row.get(name, "").strip()
        if not text and default is not None:
            values[i] = default
            continue
        try:
            values[i] = float(text)
        except ValueError:
            values[i] = math.nan
        if not math.isfinite(values[i]):
            raise MapError(f"{name} is not a number: '{text}'", file=table, line=line)
    return values
