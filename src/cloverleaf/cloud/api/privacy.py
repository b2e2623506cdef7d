"""A person's rights: what is stored about a vehicle, and its erasure. Both are for administrators, and both are audited."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, HTTPException, Query, Request

from cloverleaf.cloud.api.live import Live
from cloverleaf.cloud.security.privacy import names_of, trip_middle
from cloverleaf.cloud.store.query import Reader
from cloverleaf.cloud.store.rows import Names

router = APIRouter(prefix="/api/privacy")
Station = Annotated[int, Query(ge=-(2**63), lt=2**63)]
_UNAVAILABLE: dict[int | str, dict[str, Any]] = {503: {"description": "the keeper of the lake does not answer"}}


def _names(request: Request, station: int) -> set[int]:
    reader: Reader = request.app.state.reader
    first, last, rows = reader.span()
    names = Names(bytes.fromhex(request.app.state.secret))
    return names_of(names, station, first, last) if rows else set()


@router.get("/export")
async def export(request: Request, station: Station, whole: bool = False) -> dict[str, Any]:
    """Everything that the lake holds about a station, oldest first. Unless `whole`, ends of trips are left out."""
    reader: Reader = request.app.state.reader

    def read() -> list[dict[str, Any]]:
        out: list[dict[str, Any]] = []
        for name in _names(request, station):
            table = reader.trip(name, 0.0, 1e11)
            if not whole:
                columns = [table[c].to_numpy().astype(np.float64) for c in ("time", "x", "y", "speed")]
                table = table.filter(trip_middle(*columns))
            out += table.to_pylist()
        return sorted(out, key=lambda r: r["time"])

    rows = await asyncio.to_thread(read)
    request.app.state.audit.write(
        time.time(), request.state.user.name, "export", station=station, rows=len(rows), whole=whole
    )
    return {"station": station, "rows": rows}


@router.delete("/station", responses=_UNAVAILABLE)
async def erase(request: Request, station: Station) -> dict[str, Any]:
    """Erase a station from the lake; returns the rows that are gone."""
    live: Live = request.app.state.live
    names = await asyncio.to_thread(_names, request, station)
    erased = 0
    if names:
        if live.broker is None:
            raise HTTPException(503, "no connection to the keeper of the lake")
        try:
            answer = await live.broker.request("v2x.lake.erase", json.dumps(sorted(names)).encode(), timeout=60.0)
            erased = int(json.loads(answer.data)["erased"])
        except Exception as error:
            raise HTTPException(503, "the keeper of the lake does not answer") from error
    request.app.state.audit.write(time.time(), request.state.user.name, "erase", station=station, rows=erased)
    return {"station": station, "erased": erased}
