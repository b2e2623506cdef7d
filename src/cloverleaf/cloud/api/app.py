"""The application: all routes over one `Live` view, and the console's files at `/`."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib.resources import files
from pathlib import Path

import numpy as np
from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from cloverleaf import __version__
from cloverleaf.cloud.api import guard, health, history, objects, privacy, stream, transit
from cloverleaf.cloud.api.live import Live
from cloverleaf.cloud.security.audit import Audit
from cloverleaf.cloud.security.users import Users
from cloverleaf.cloud.store.query import Reader
from cloverleaf.map.graph import BaseMap, LaneGraph, LaneKind
from cloverleaf.map.query_geojson import lanes_geojson

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
DOCS = Path(__file__).with_name("docs.html")
CONSOLE = Path(str(files("cloverleaf.cloud"))) / "console"


def create_app(
    live: Live, folder: Path, lifespan: Lifespan | None = None, *, secret: str = "00" * 32, users: Users | None = None
) -> FastAPI:
    """The API over a view and a data folder. `lifespan` starts and stops what the view follows; `users` None asks nobody who they are."""
    app = FastAPI(
        title="Cloverleaf cloud control platform",
        version=__version__,
        description="Twin, signals, warnings, services, history. Lengths in metres of the base map (ENU), times in s since 1970.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.live = live
    app.state.maps = {False: map_in_metres(live.base_map), True: lanes_geojson(live.base_map)}
    app.state.reader, app.state.runs = Reader(folder / "lake"), folder / "runs"
    app.state.users, app.state.secret = users, secret
    app.state.audit = Audit(folder / "audit.jsonl")
    app.add_middleware(guard.Guard, users=users, audit=app.state.audit)
    for module in (guard, privacy, transit):
        app.include_router(module.router)
    app.include_router(health.router)
    app.include_router(history.router)
    app.include_router(objects.router)
    app.include_router(stream.router)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> FileResponse:
        return FileResponse(DOCS, media_type="text/html")

    app.mount("/", StaticFiles(directory=CONSOLE, html=True), name="console")
    return app


def map_in_metres(base_map: BaseMap) -> str:
    """Lanes in the map's metres, with what a map client needs to know."""
    plain = json.loads(lanes_geojson(base_map._replace(geo=base_map.geo._replace(proj="!"))))
    plain["georeference"] = base_map.geo._asdict()
    plain["signals"] = list(base_map.signal_ids)
    plain["stop_lines"] = signal_lines(base_map.graph)
    plain["name"] = Path(base_map.source).name.partition(".")[0]
    return json.dumps(plain)


def signal_lines(graph: LaneGraph) -> list[list[float]]:
    """Stop lines of all lanes that a signal governs, across the lane at its end: x and y of both ends, m."""
    lanes = np.unique(graph.link_from[graph.link_signal >= 0])
    lanes = lanes[np.isin(graph.lane_kind[lanes], [LaneKind.DRIVING, LaneKind.BICYCLE, LaneKind.BUS])]
    last = graph.lane_point_start[lanes + 1] - 1
    half, heading = 0.5 * graph.lane_width[lanes], graph.point_heading[last]
    across = np.column_stack((-np.sin(heading) * half, np.cos(heading) * half))
    middle = np.column_stack((graph.point_x[last], graph.point_y[last]))
    ends: list[list[float]] = np.hstack((middle - across, middle + across)).round(2).tolist()
    return ends
