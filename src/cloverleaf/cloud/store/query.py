"""Questions to the lake, answered by DuckDB over the files that the log names and that can matter.

A damaged file is found, left out and reported; the answer then lacks its rows, and says so by `damaged`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from cloverleaf.cloud.store.log import File, Log
from cloverleaf.cloud.store.rows import SCHEMA

Box = tuple[float, float, float, float]
"""west, south, east, north in m."""

ALL = "*"
"""In place of a tenant: what all of them told."""

SPAN = """
    select min(time) as first, max(time) as last, count(*) as rows from rows where time >= $first and time < $last
"""
TRAFFIC = """
    select cast(floor(x / $cell) as integer) as i, cast(floor(y / $cell) as integer) as j,
           floor(time / $step) * $step as start, count(*) as messages, count(distinct vehicle) as vehicles,
           avg(speed) as mean_speed, quantile_cont(speed, 0.85) as p85_speed
    from rows where time >= $first and time < $last group by 1, 2, 3 order by 3, 1, 2
"""
BRAKING = """
    select vehicle, count(*) as messages, min(accel) as hardest
    from rows where time >= $first and time < $last and accel < $limit group by 1 order by 2 desc, 1 limit $most
"""
BOX = """
    select time, vehicle, x, y, heading, speed, accel, kind, events from rows
    where time >= $first and time < $last and x >= $west and x <= $east and y >= $south and y <= $north order by time limit $most
"""
TRIP = """
    select time, x, y, heading, speed, accel from rows
    where time >= $first and time < $last and vehicle = $vehicle order by time limit $most
"""


class Reader:
    """Answers questions to the lake in `folder`; may be used by several threads."""

    def __init__(self, folder: Path, threads: int = 2) -> None:
        self.folder = folder
        self.log = Log(folder, read_only=True)
        self.damaged: dict[str, str] = {}
        """Files that cannot be read, and why."""
        self.report: Callable[[str], None] = lambda path: None
        """Told about every newly found damaged file."""
        self._lock = threading.Lock()
        self._db = duckdb.connect(config={"threads": threads, "enable_external_access": True})

    def in_use(self) -> dict[str, str]:
        """The damaged files that the lake still names: those that are not yet set aside."""
        self.log.refresh()
        return {path: why for path, why in self.damaged.items() if path in self.log.files}

    def files(self, first: float, last: float, box: Box | None = None) -> list[File]:
        """The files that can hold rows of a time span."""
        self.log.refresh()
        found = [
            f for f in self.log.files.values() if f.last >= first and f.first < last and f.path not in self.damaged
        ]
        return found

    def span(self, tenant: str = ALL) -> tuple[float, float, int]:
        """First and last time, and the rows, that the lake holds; zeros if none."""
        if tenant != ALL:
            found = self.ask(SPAN, 0.0, 1e11, tenant=tenant).to_pylist()[0]
            return found["first"] or 0.0, found["last"] or 0.0, found["rows"]
        self.log.refresh()
        files = list(self.log.files.values())
        if not files:
            return 0.0, 0.0, 0
        return min(f.first for f in files), max(f.last for f in files), sum(f.rows for f in files)

    def ask(self, question: str, first: float, last: float, *, tenant: str = ALL, **values: Any) -> pa.Table:
        """The answer to one of the module's questions over [first, last) as a table, from what a tenant's sources told."""
        while True:
            files = self.files(first, last)
            if not files:
                rows = SCHEMA.empty_table()
                source = "rows"
            else:
                names = ", ".join("'" + str(self.folder / f.path).replace("'", "''") + "'" for f in files)
                source = f"read_parquet([{names}], hive_partitioning=false)"
            theirs = [str(k) for k, name in enumerate(self.log.sources) if name.partition(".")[0] == tenant]
            mine = "" if tenant == ALL else f" where source in ({', '.join(theirs) or '-1'})"
            sql = f"with rows as (select * from {source}{mine}) {question}" if files else question
            try:
                with self._lock, self._db.cursor() as cursor:
                    if not files:
                        cursor.register("rows", rows)
                    return cursor.sql(sql, params={"first": first, "last": last, **values}).to_arrow_table()
            except (duckdb.Error, OSError) as error:
                if not self._look_for_damage(files, str(error)):
                    raise

    def _look_for_damage(self, files: list[File], why: str) -> bool:
        """Read the files one by one; whether one was found damaged or gone since."""
        found = False
        for f in files:
            path = self.folder / f.path
            try:
                pq.read_table(path, schema=SCHEMA)
            except FileNotFoundError:
                found = True  # merged or aged out meanwhile; the log says so by now
                self.log.refresh()
                if f.path in self.log.files:
                    self.damaged[f.path] = "gone"
            except (pa.ArrowException, OSError) as error:
                self.damaged[f.path] = str(error)[:200] or why[:200]
                self.report(f.path)
                found = True
        return found

    def traffic(
        self, first: float, last: float, *, cell: float = 250.0, step: float = 10.0, tenant: str = ALL
    ) -> pa.Table:
        """Vehicles, mean and 85th percentile speed per square of `cell` m and `step` s."""
        return self.ask(TRAFFIC, first, last, tenant=tenant, cell=cell, step=step)

    def braking(self, first: float, last: float, *, limit: float = -4.0, most: int = 1000) -> pa.Table:
        """Who braked harder than `limit` m/s2, most often first."""
        return self.ask(BRAKING, first, last, limit=limit, most=most)

    def box(self, first: float, last: float, box: Box, *, most: int = 100_000, tenant: str = ALL) -> pa.Table:
        """Rows in a box, oldest first."""
        west, south, east, north = box
        return self.ask(BOX, first, last, tenant=tenant, west=west, south=south, east=east, north=north, most=most)

    def trip(self, vehicle: int, first: float, last: float, *, most: int = 100_000) -> pa.Table:
        """The way of one vehicle, under its name in the lake."""
        return self.ask(TRIP, first, last, vehicle=vehicle, most=most)

    def close(self) -> None:
        """Give the database back."""
        self._db.close()
