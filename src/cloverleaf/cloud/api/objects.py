"""Objects, lights, warnings and services as JSON and GeoJSON."""

from __future__ import annotations

import json
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import BaseModel

from cloverleaf.algo.geo import degrees, projection
from cloverleaf.cloud.api.live import Live
from cloverleaf.cloud.api.scope import scope_of
from cloverleaf.cloud.live.snapshot import Mark
from cloverleaf.map.graph import BaseMap
from cloverleaf.map.signal_places import signal_places
from cloverleaf.types.messages import LightState
from cloverleaf.types.state import Kind

router = APIRouter(prefix="/api")
MOST = 100_000
Coordinate = Annotated[float, Query(ge=-1e7, le=1e7, allow_inf_nan=False)]


class Object(BaseModel):
    """One road user, predicted to the twin's time. Lengths in m, speeds in m/s, angles in rad (0 east, anticlockwise)."""

    id: int
    kind: str
    x: float
    y: float
    heading: float
    speed: float
    accel: float
    length: float
    width: float
    sigma: float
    age: float
    wait: float
    lane: str | None
    s: float
    connected: bool
    warned: bool
    advised: bool


class Objects(BaseModel):
    """Objects in a box at `time`, s since 1970; `more` if there are others beyond the limit."""

    time: float
    total: int
    more: bool
    objects: list[Object]


def _live(request: Request) -> Live:
    live: Live = request.app.state.live
    return live


def as_object(row: Any, base_map: BaseMap) -> Object:
    """A `ROW` as the API shows it."""
    marks, lane, kind = int(row["marks"]), int(row["lane"]), int(row["kind"])
    f = {
        k: round(float(row[k]), 3)
        for k in ("x", "y", "heading", "speed", "accel", "length", "width", "sigma", "age", "wait", "s")
    }
    return Object(
        id=int(row["handle"]),
        kind=Kind(kind).name.lower() if kind in Kind.__members__.values() else "unknown",
        lane=base_map.lane_ids[lane] if 0 <= lane < len(base_map.lane_ids) else None,
        connected=bool(marks & Mark.CONNECTED),
        warned=bool(marks & Mark.WARNED),
        advised=bool(marks & Mark.ADVISED),
        **f,
    )


def in_box(rows: np.ndarray, west: float, south: float, east: float, north: float) -> np.ndarray:
    """The rows that lie in a box and are nobody's shadow."""
    x, y = rows["x"], rows["y"]
    return rows[(x >= west) & (x <= east) & (y >= south) & (y <= north) & (rows["marks"] & int(Mark.SHADOW) == 0)]


@router.get("/objects")
async def objects(
    request: Request,
    west: Coordinate = -1e7,
    south: Coordinate = -1e7,
    east: Coordinate = 1e7,
    north: Coordinate = 1e7,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 1000,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Objects:
    """Objects in a box of the map's metres, a page at a time."""
    live = _live(request)
    rows = in_box(scope_of(request).rows(), west, south, east, north)
    page = rows[offset : offset + limit]
    shown = [as_object(r, live.base_map) for r in page]
    return Objects(time=live.time, total=len(rows), more=len(rows) > offset + limit, objects=shown)


@router.get("/objects.geojson")
async def objects_geojson(request: Request, limit: Annotated[int, Query(ge=1, le=MOST)] = 10_000) -> dict[str, Any]:
    """Objects as points in WGS 84 degrees."""
    live = _live(request)
    rows = scope_of(request).rows()[:limit]
    geo = live.base_map.geo
    p = projection(geo.proj, geo.offset_x, geo.offset_y, geo.origin_lat_deg, geo.origin_lon_deg)
    latitude, longitude, _ = degrees(p, rows["x"].astype(float), rows["y"].astype(float))
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [round(lo, 7), round(la, 7)]},
            "properties": as_object(r, live.base_map).model_dump(),
        }
        for r, la, lo in zip(rows, latitude.tolist(), longitude.tolist())
    ]
    return {"type": "FeatureCollection", "features": features}


@router.get("/objects/{handle}", responses={404: {"description": "no such object now"}})
async def one_object(request: Request, handle: int) -> Object:
    """One object by its present id."""
    live = _live(request)
    rows = scope_of(request).rows()
    found = np.flatnonzero(rows["handle"] == handle) if 0 < handle < 2**32 else np.zeros(0, np.int64)
    if not len(found):
        raise HTTPException(404, "no such object now")
    return as_object(rows[int(found[0])], live.base_map)


@router.get("/signals")
async def signals(request: Request) -> dict[str, Any]:
    """Signal heads that were heard: light now and next, and the s until it likely changes."""
    live = _live(request)
    now, names = live.time, live.base_map.signal_ids
    out = []
    for h in live.heads():
        end = float(h["end"])
        out.append(
            {
                "group": names[h["group"]] if h["group"] < len(names) else str(h["group"]),
                "number": int(h["group"]),
                "head": int(h["index"]),
                "light": LightState(int(h["light"])).name.lower(),
                "next": LightState(int(h["next"])).name.lower(),
                "changes_in": None if np.isnan(end) else round(max(end - now, 0.0), 1),
                "age": round(now - float(h["heard"]), 3),
            }
        )
    return {"time": now, "heads": out}


@router.get("/warnings")
async def warnings(request: Request, seconds: Annotated[float, Query(gt=0, le=3600)] = 10.0) -> dict[str, Any]:
    """What the services said in the last seconds, oldest first: the newest few hundred batches."""
    rows = scope_of(request).recent(seconds)
    out = [
        {
            "time": float(r["time"]),
            "target": int(r["handle"]),
            "what": "warning" if r["what"] == 0 else "advice",
            "code": int(r["code"]),
            "x": round(float(r["x"]), 2),
            "y": round(float(r["y"]), 2),
            "value": round(float(r["value"]), 3),
        }
        for r in rows[-5000:]
    ]
    return {"said": out}


@router.get("/services")
async def services(request: Request) -> dict[str, Any]:
    """Services by name: tier, runs, failures, how long the last run took; one entry per process that runs it."""
    out: dict[str, Any] = {}
    for role, page in _live(request).health.items():
        for name, state in page.get("services", {}).items():
            out.setdefault(name, {})[role] = state
    return {"services": out}


@router.get("/map", response_class=Response)
async def lanes(request: Request, degrees_wanted: Annotated[bool, Query(alias="degrees")] = False) -> Response:
    """Lanes as GeoJSON: in the map's own metres, with the roadside units that were heard, or in degrees with `degrees=true`."""
    pages: dict[bool, str] = request.app.state.maps
    page = pages[degrees_wanted]
    if not degrees_wanted:
        page = f'{page[:-1]}, "units": {json.dumps(units(_live(request)))}}}'
    return Response(page, media_type="application/geo+json")


def units(live: Live) -> list[dict[str, Any]]:
    """Roadside units whose lights were heard: number and place, m."""
    places = signal_places(live.base_map.graph)
    heard = np.isin(places.group, live.heads()["group"])
    return [
        {"id": str(u), "x": round(float(places.x[u]), 2), "y": round(float(places.y[u]), 2)}
        for u in np.flatnonzero(heard).tolist()
    ]
