"""Health and metrics: what runs, what came in, what was refused and why."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from fastapi import APIRouter, Request, Response

from cloverleaf import __version__
from cloverleaf.cloud.api.live import Live
from cloverleaf.cloud.store.query import Reader

router = APIRouter()
SILENT = 5.0
"""s without a word after which a process counts as unwell."""


def problems(live: Live, damaged: dict[str, str]) -> list[str]:
    """What is wrong now, in words."""
    now = time.time()
    out = [f"{name} is down" for name, p in live.supervision().items() if not p["alive"]]
    out += [f"{name} is silent" for name, page in live.health.items() if now - page["time"] > SILENT]
    out += [f"{name}: {p['problem']}" for name, p in live.supervision().items() if p.get("problem")]
    if live.broker is not None and not live.broker.is_connected:
        out.append("no connection to the broker")
    for name, page in live.health.items():
        out += [f"{name}: {text}" for text in page.get("problems", [])]
    return out + [f"lake file {path} is damaged" for path in damaged]


@router.get("/health")
async def health(request: Request) -> dict[str, Any]:
    """State of the platform: `status` is ok or degraded; counts by source and reason; one page per process.

    `set_aside`: damaged files of the lake that were taken out of it.
    """
    live: Live = request.app.state.live
    reader: Reader = request.app.state.reader
    damaged = await asyncio.to_thread(reader.in_use)
    wrong = problems(live, damaged)
    return {
        "status": "degraded" if wrong else "ok",
        "problems": wrong,
        "version": __version__,
        "time": time.time(),
        "twin_time": live.time,
        "objects": len(live.rows()),
        "set_aside": {path: why for path, why in reader.damaged.items() if path not in damaged},
        "supervision": live.supervision(),
        **live.counts(),
        "processes": live.health,
    }


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """The same in the text format of Prometheus."""
    live: Live = request.app.state.live
    lines = ["# TYPE cloverleaf_objects gauge", f"cloverleaf_objects {len(live.rows())}"]
    lines += [
        "# TYPE cloverleaf_up gauge",
        f"cloverleaf_up {int(not problems(live, await asyncio.to_thread(request.app.state.reader.in_use)))}",
    ]
    lines.append("# TYPE cloverleaf_messages_total counter")
    lines += [f'cloverleaf_messages_total{{outcome="{k}"}} {v}' for k, v in sorted(live.counts()["totals"].items())]
    lines.append("# TYPE cloverleaf_restarts_total counter")
    lines += [f'cloverleaf_restarts_total{{process="{k}"}} {p["restarts"]}' for k, p in live.supervision().items()]
    for name, unit in (
        ("cpu_s", "cpu_seconds_total"),
        ("memory_mb", "memory_megabytes"),
        ("cycle_ms_max", "cycle_ms_max"),
    ):
        kind = "counter" if unit.endswith("total") else "gauge"
        lines.append(f"# TYPE cloverleaf_{unit} {kind}")
        lines += [
            f'cloverleaf_{unit}{{process="{r}"}} {page[name]:.3f}' for r, page in live.health.items() if name in page
        ]
    return Response("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")
