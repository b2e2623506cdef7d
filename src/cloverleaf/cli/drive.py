"""`cloverleaf drive`: drive one car yourself in the browser, among smart cars, with warnings from real messages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False)


@app.command()
def drive(
    source: Annotated[Path | None, typer.Argument(help="a study (.yaml) or a SUMO configuration (.sumocfg); none: the built-in district",
                                                  metavar="[STUDY.yaml|X.sumocfg]")] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="of the page, on 127.0.0.1")] = 8090,
    seed: Annotated[int, typer.Option(min=0, help="of traffic and radio")] = 1,
    browser: Annotated[bool, typer.Option(help="open the page")] = True,
) -> None:  # fmt: skip
    """Put a browser at the wheel until Ctrl-C: W A S D or arrows, Space for the automation, or a gamepad."""
    import webbrowser

    import uvicorn
    from rich.console import Console

    from cloverleaf.cloud.server.port import claim
    from cloverleaf.study.cockpit import Drive
    from cloverleaf.study.cockpit_page import create_app
    from cloverleaf.study.reading import read_source
    from cloverleaf.study.warm import warm_kernels

    claim(port)
    study = read_source(source)
    screen = Console(stderr=True)
    warm_kernels(screen)
    with screen.status("waiting for a car to drive"):
        application = create_app(Drive(study, seed))
    url = f"http://127.0.0.1:{port}/"
    screen.print(f"drive at {url}   (Ctrl-C ends)")
    if browser:
        webbrowser.open(url)
    uvicorn.run(
        application,
        host="127.0.0.1",
        port=port,
        log_level="warning",
        ws="websockets-sansio",
        timeout_graceful_shutdown=2,
    )
