"""`cloverleaf rsu`: one roadside unit as a process: controls and tells its signal, perceives, speaks over the air and to the platform."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(add_completion=False)
STEP = 0.1


@app.command()
def rsu(
    unit: Annotated[int, typer.Option(min=0, help="number of the unit: one per signal of the map")] = 0,
    broker: Annotated[str, typer.Option(help="nats://... of the platform; see what `cloverleaf serve` prints")] = "nats://127.0.0.1:4222",
    map_: Annotated[str, typer.Option("--map", help="builtin:district, .xodr, .net.xml or .net.xml.gz")] = "builtin:district",
    data: Annotated[Path, typer.Option(help="folder for what waits while the platform is away")] = Path("cloverleaf-rsu"),
    control: Annotated[str, typer.Option(help="plan, fixed, actuated, max_pressure or coordinated, of the simulated controller")] = "plan",
    controller: Annotated[str, typer.Option(help="simulated, or it behind the seam of ntcip or gb")] = "simulated",
    standard: Annotated[str, typer.Option(help="csae_day1, csae_day2 or etsi")] = "csae_day2",
    security: Annotated[str, typer.Option(help="p256 or sm2: sign what the unit says, check what it hears; none: neither")] = "none",
    sensors: Annotated[int, typer.Option(help="UDP port for detections as JSON; 0: none")] = 0,
    air: Annotated[int, typer.Option(help="UDP port on which messages of vehicles are heard; 0: none")] = 0,
    radio: Annotated[int, typer.Option(help="UDP port to which this unit's messages go out; 0: none")] = 0,
    duration: Annotated[float, typer.Option(help="s after which to end; 0: until Ctrl-C")] = 0.0,
) -> None:  # fmt: skip
    """Run one roadside unit at 10 Hz.

    With --security, DATA/keys/unit-root.coer is for others to trust, and DATA/trust/*.coer is what the unit trusts.

    Detections, one JSON object a datagram: "sensor" its name, "objects" a list of rows of x, y, heading, vx, vy, length, width,
    kind, sigma, in m, rad and m/s from the unit.
    """
    import json
    import time

    from cloverleaf.cli.rsu_process import Process, build_controller
    from cloverleaf.cloud.server.settings import data_folder, read_map
    from cloverleaf.road.unit import Unit
    from cloverleaf.types.errors import StudyError, nearest

    for name, value, valid in (
        ("--control", control, ("plan", "fixed", "actuated", "max_pressure", "coordinated")),
        ("--controller", controller, ("simulated", "ntcip", "gb")),
        ("--standard", standard, ("csae_day1", "csae_day2", "etsi")),
        ("--security", security, ("none", "p256", "sm2")),
    ):
        if value not in valid:
            raise StudyError(f"'{value}' is not known", element=name, hint=nearest(value, valid))
    base_map = read_map(map_)
    seam = build_controller(base_map, unit, control, controller)
    process = Process(Unit(base_map, unit, seam), broker, standard, data_folder(data), sensors, air, radio, security)
    typer.echo(
        f"unit {unit} at signal {base_map.signal_ids[process.unit.group]}, station {process.unit.station}", err=True
    )
    begin, told = time.time(), 0.0
    try:
        while not duration or time.time() - begin < duration:
            now = time.time()
            process.step(now)
            if now - told >= 1.0:
                told = now
                process.tell_health(now)
            time.sleep(max(STEP - (time.time() - now), 0.0))
    except KeyboardInterrupt:
        pass
    finally:
        page: dict[str, Any] = process.page()
        process.close()
        typer.echo(json.dumps(page))
