"""The past: what the lake holds, objects at a moment, figures over time, and the results of studies.

A tenant's user gets what that tenant's sources told.
"""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request

from cloverleaf.cloud.api.live import Live
from cloverleaf.cloud.api.objects import Coordinate, Objects, as_object, in_box
from cloverleaf.cloud.security.roles import LOCAL, User
from cloverleaf.cloud.store.query import Reader
from cloverleaf.cloud.store.replay import Past

router = APIRouter(prefix="/api")
Moment = Annotated[float, Query(ge=0, le=1e11, allow_inf_nan=False)]
LONGEST = 7 * 86_400.0


def _reader(request: Request) -> Reader:
    reader: Reader = request.app.state.reader
    return reader


def _tenant(request: Request) -> str:
    user: User = getattr(request.state, "user", LOCAL)
    return user.tenant


def _span(first: float, last: float) -> None:
    if not first < last <= first + LONGEST:
        raise HTTPException(422, "from must be before to, and at most 7 days")


@router.get("/history/range")
async def history_range(request: Request) -> dict[str, Any]:
    """First and last moment that the lake holds of what the user may see, null if there is nothing."""
    first, last, rows = await asyncio.to_thread(_reader(request).span, _tenant(request))
    return {
        "from": first if rows else None,
        "to": last if rows else None,
        "rows": rows,
        "damaged": _reader(request).damaged,
    }


@router.get("/history/objects")
async def history_objects(
    request: Request,
    at: Moment,
    west: Coordinate = -1e7,
    south: Coordinate = -1e7,
    east: Coordinate = 1e7,
    north: Coordinate = 1e7,
    limit: Annotated[int, Query(ge=1, le=100_000)] = 1000,
) -> Objects:
    """Objects as they were at a moment. Their ids are those of the lake: not the live ones, and new every day."""
    live: Live = request.app.state.live
    rows = in_box(await asyncio.to_thread(Past(_reader(request), _tenant(request)).at, at), west, south, east, north)
    shown = [as_object(r, live.base_map) for r in rows[:limit]]
    return Objects(time=at, total=len(rows), more=len(rows) > limit, objects=shown)


@router.get("/history/traffic", responses={422: {"description": "a span that is none"}})
async def history_traffic(
    request: Request,
    first: Annotated[Moment, Query(alias="from")],
    last: Annotated[Moment, Query(alias="to")],
    cell: Annotated[float, Query(ge=10, le=100_000, allow_inf_nan=False)] = 250.0,
    step: Annotated[float, Query(ge=1, le=86_400, allow_inf_nan=False)] = 10.0,
) -> dict[str, Any]:
    """Vehicles, mean and 85th percentile speed per square and time step."""
    _span(first, last)
    tenant = _tenant(request)
    table = await asyncio.to_thread(lambda: _reader(request).traffic(first, last, cell=cell, step=step, tenant=tenant))
    return {"cell": cell, "step": step, "rows": table.slice(0, 100_000).to_pylist()}


@router.get("/history/figures", responses={422: {"description": "a span that is none"}})
async def history_figures(
    request: Request,
    first: Annotated[Moment, Query(alias="from")],
    last: Annotated[Moment, Query(alias="to")],
    step: Annotated[float, Query(ge=1, le=86_400, allow_inf_nan=False)] = 60.0,
) -> dict[str, Any]:
    """Over time: vehicles, mean speed, share standing, hard braking per vehicle."""
    _span(first, last)
    question = """
        select floor(time / $step) * $step as start, count(distinct vehicle) as vehicles, avg(speed) as mean_speed,
               avg(case when speed < 0.5 then 1.0 else 0.0 end) as stopped_share,
               avg(case when accel < -4.0 then 1.0 else 0.0 end) as braking_share
        from rows where time >= $first and time < $last group by 1 order by 1
    """
    tenant = _tenant(request)
    table = await asyncio.to_thread(lambda: _reader(request).ask(question, first, last, tenant=tenant, step=step))
    return {"step": step, "rows": table.slice(0, 100_000).to_pylist()}


@router.get("/heads")
async def signal_heads(request: Request) -> list[dict[str, Any]]:
    """Where the heads of the signals stand: at the end of the lane that they govern."""
    g = request.app.state.live.base_map.graph
    out: dict[tuple[int, int], dict[str, Any]] = {}
    for link in range(len(g.link_from)):
        group, head = int(g.link_signal[link]), int(g.link_signal_index[link])
        if group >= 0 and (group, head) not in out:
            p = int(g.lane_point_start[g.link_from[link] + 1]) - 1
            place = {
                "x": round(float(g.point_x[p]), 2),
                "y": round(float(g.point_y[p]), 2),
                "heading": round(float(g.point_heading[p]), 4),
            }
            out[group, head] = {"number": group, "head": head, **place}
    return [out[k] for k in sorted(out)]


_RUN = re.compile(r"[\w.-]{1,100}")


@router.get("/runs")
async def runs(request: Request) -> list[dict[str, str]]:
    """Results of studies that lie in DATA/runs."""
    folder: Path = request.app.state.runs
    found = []
    for path in sorted(folder.glob("*/summary.json")) if folder.is_dir() else []:
        try:
            found.append({"id": path.parent.name, "name": str(json.loads(path.read_text())["study"])})
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not a result, or one that is being written
    return found


@router.get("/runs/{name}", responses={404: {"description": "no such run"}})
async def run_summary(request: Request, name: str) -> dict[str, Any]:
    """One study's summary: `arms.{human,car,road,cloud}.{safe,efficient,green,civilised}.<metric>`."""
    folder: Path = request.app.state.runs
    if not _RUN.fullmatch(name) or not (folder / name / "summary.json").is_file():
        raise HTTPException(404, "no such run")
    try:
        summary: dict[str, Any] = json.loads((folder / name / "summary.json").read_text())
    except (OSError, ValueError) as error:
        raise HTTPException(404, "the run's summary cannot be read") from error
    return summary
