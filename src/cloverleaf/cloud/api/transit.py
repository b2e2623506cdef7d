"""Public transport in and out: GTFS-Realtime, SIRI-like GeoJSON, and buses at their stops."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from fastapi import APIRouter, HTTPException, Request, Response

from cloverleaf.cloud.api.live import Live
from cloverleaf.cloud.api.scope import scope_of
from cloverleaf.cloud.gateways import awareness, doubts
from cloverleaf.cloud.gateways.transit import buses, positions, read_positions, siri
from cloverleaf.cloud.live.frames import Frame, Trust, pack_frame
from cloverleaf.cloud.live.snapshot import tracks_of
from cloverleaf.cloud.live.subjects import frame_subject
from cloverleaf.cloud.services.transit import BusStops
from cloverleaf.link.content.content import Content
from cloverleaf.types.errors import CloverleafError, DecodeError
from cloverleaf.types.messages import MessageKind

router = APIRouter(prefix="/api/transit")
MOST_BYTES = 4_000_000
_WRONG: dict[int | str, dict[str, Any]] = {
    413: {"description": "more than 4 MB"}, 422: {"description": "not GTFS-Realtime"}, 503: {"description": "no broker"},
}  # fmt: skip


def _live(request: Request) -> Live:
    live: Live = request.app.state.live
    return live


@router.get("/vehicle-positions.pb", response_class=Response)
async def vehicle_positions(request: Request) -> Response:
    """The twin's buses as GTFS-Realtime."""
    live = _live(request)
    return Response(
        positions(buses(scope_of(request).rows()), live.base_map, live.time or time.time()),
        media_type="application/x-protobuf",
    )


@router.get("/siri.geojson")
async def vehicle_monitoring(request: Request) -> dict[str, Any]:
    """The twin's buses as GeoJSON in the words of SIRI."""
    live = _live(request)
    return siri(buses(scope_of(request).rows()), live.base_map, live.time)


@router.post("/vehicle-positions", responses=_WRONG)
async def take_positions(request: Request) -> dict[str, int]:
    """Take GTFS-Realtime vehicle positions of a fleet (the body: a FeedMessage) into the twin."""
    live = _live(request)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HTTPException(413, "more than 4 MB")
    try:
        reports = [r for r in read_positions(body) if not doubts(r, time.time())]
    except DecodeError as error:
        raise HTTPException(422, error.message) from error
    if not reports:
        return {"taken": 0}
    if live.broker is None or not live.broker.is_connected:
        raise HTTPException(503, "no broker")
    content = Content(live.base_map, "csae_day2", clock=0.0)
    try:
        buffer, start = content.encode(MessageKind.AWARENESS, awareness(reports, content.frame))
    except CloverleafError as error:
        raise HTTPException(422, error.message) from error
    n, now = len(reports), time.time()
    request.app.state.transit_sequence = sequence = getattr(request.app.state, "transit_sequence", 0) + 1
    kind, trust = np.zeros(n, np.uint8), np.full(n, int(Trust.UNSIGNED), np.uint8)
    frame = Frame("csae_day2", -1, int(live.started), sequence, now, kind, trust, buffer, start)
    await live.broker.publish(frame_subject(-1, "transit", "gtfs"), pack_frame(frame))
    return {"taken": n}


@router.get("/stops")
async def stops(request: Request) -> dict[str, Any]:
    """Stops with the last headways and the buses expected, and how late the last buses were against the timetable (null: none), in s."""
    live = _live(request)
    watch: BusStops = live.stops
    tracks = tracks_of(scope_of(request).rows(), live.time)
    out = []
    for k, name in enumerate(live.base_map.stop_ids):
        expected = [{"id": i, "in": round(at - live.time, 1)} for i, at in watch.arrivals(tracks, k, live.time)]
        planned = [] if live.timetable is None else live.timetable.near(name, live.time)
        late = [round(s, 1) for s in watch.adherence(k, planned)] if planned else None
        out.append(
            {"stop": name, "headways": [round(h, 1) for h in watch.headways(k)], "expected": expected, "late": late}
        )
    return {"time": live.time, "stops": out}
