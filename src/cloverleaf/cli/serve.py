"""`cloverleaf serve`: the cloud control platform as a server, with its API and console."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False)


@app.command()
def serve(
    port: Annotated[int, typer.Option(min=1, max=65535, help="of the API and the console, on 127.0.0.1")] = 8080,
    data: Annotated[Path, typer.Option(help="folder for streams, lake, keys and logs")] = Path("cloverleaf-data"),
    broker: Annotated[str | None, typer.Option(help="nats://... of a broker with JetStream; none: one is started")] = None,
    map_: Annotated[str, typer.Option("--map", help="builtin:district, .xodr, .net.xml or .net.xml.gz")] = "builtin:district",
    shards: Annotated[int, typer.Option(min=1, max=64, help="twin processes; the map is shared out among them")] = 1,
    security: Annotated[str, typer.Option(help="what signed messages are checked with: none, p256 or sm2")] = "none",
    services: Annotated[str, typer.Option(help="comma-separated; also of installed packages")] = "collision_warning,glosa,signal_control",
    gateways: Annotated[str, typer.Option(help="comma-separated NAME:PORT for fleets: jt808, gb32960 or of installed packages")] = "",
    auth: Annotated[bool, typer.Option("--auth", help="ask users for a token; the first start makes the user 'admin'")] = False,
    oidc: Annotated[str, typer.Option(help="issuer of an OpenID Connect provider whose users may come in; implies --auth")] = "",
    oidc_client: Annotated[str, typer.Option(help="name of the console at that provider; its login page leads there")] = "",
    oidc_audience: Annotated[str, typer.Option(help="whom its tokens must be meant for")] = "cloverleaf-api",
    oidc_roles: Annotated[str, typer.Option(help="claim that names viewer, operator or admin, e.g. realm_access.roles")] = "roles",
    replay: Annotated[Path | None, typer.Option(help="data folder of a platform whose recorded drives are played into this one")] = None,
    replay_speed: Annotated[float, typer.Option(min=0.01, max=1000.0, help="times as fast as then")] = 1.0,
    replay_from: Annotated[float, typer.Option(min=0.0, help="s since 1970; 0: as far back as there is")] = 0.0,
    replay_to: Annotated[float, typer.Option(min=0.0, help="s since 1970; 0: to the end")] = 0.0,
    mqtt: Annotated[int, typer.Option(min=0, max=65535, help="MQTT port of the started broker; 0: any free one")] = 0,
) -> None:  # fmt: skip
    """Run the platform until Ctrl-C. All its ports listen on this machine only."""
    import signal

    import uvicorn

    from cloverleaf.cloud.gateways import gateway_class
    from cloverleaf.cloud.server.platform import Platform, first_user, host_services
    from cloverleaf.cloud.server.port import claim
    from cloverleaf.cloud.server.settings import Settings, data_folder
    from cloverleaf.types.errors import StudyError, nearest

    if security not in ("none", "p256", "sm2"):
        raise StudyError(
            f"unknown security '{security}'", element="--security", hint=nearest(security, ("none", "p256", "sm2"))
        )
    claim(port)
    if mqtt:
        claim(mqtt, "--mqtt")
    folder = data_folder(data)
    names = tuple(s.strip() for s in services.split(",") if s.strip())
    host_services(names)
    doors = tuple(g.strip() for g in gateways.split(",") if g.strip())
    for door in doors:
        name, _, number = door.partition(":")
        gateway_class(name)
        if not number.isdigit() or not 0 < int(number) < 65_536:
            raise StudyError(f"'{door}' names no port", element="--gateways", hint="e.g. --gateways jt808:6808")
    recorded: tuple[str, ...] = ()
    if replay is not None:
        lake = replay / "lake" if (replay / "lake").is_dir() else replay
        if not (lake / "_log").is_dir():
            raise StudyError(
                "holds no recorded drives", file=replay, element="--replay", hint="the --data folder of a platform"
            )
        recorded = (str(lake.resolve()), *map(str, (replay_from, replay_to, replay_speed)))
    settings = Settings(
        data=str(folder),
        broker="",
        map=map_,
        port=port,
        shards=shards,
        security=security,
        services=names,
        replay=recorded,
        auth=auth or bool(oidc),
        oidc=oidc,
        oidc_audience=oidc_audience,
        oidc_client=oidc_client,
        oidc_roles=oidc_roles,
        gateways=doors,
    )
    signal.signal(
        signal.SIGTERM, _end
    )  # the server hands the signal on when it has ended; what it started must end too
    platform = Platform(settings, broker, mqtt)
    if auth:
        first_user(platform.settings)
    try:
        platform.start()
        typer.echo(f"console http://127.0.0.1:{port}/   API http://127.0.0.1:{port}/docs", err=True)
        beside = f"   MQTT 127.0.0.1:{platform.broker.mqtt}" if platform.broker else ""
        where = (
            platform.broker.url if platform.broker else broker
        )  # the address for clients, without the platform's own password
        typer.echo(f"broker {where}{beside}", err=True)
        uvicorn.run(
            platform.app(),
            host="127.0.0.1",
            port=port,
            log_level="warning",
            ws="websockets-sansio",
            timeout_graceful_shutdown=2,
        )
    finally:
        platform.stop()


def _end(number: int, frame: object) -> None:
    raise SystemExit(0)
