"""Settings of a platform: one object that all its processes share, written to DATA/run/settings.json."""

from __future__ import annotations

import json
import os
import pickle
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from cloverleaf.map.graph import BaseMap
from cloverleaf.types.errors import MapError, StudyError

DISTRICT = "builtin:district"


@dataclass(frozen=True)
class Settings:
    """What a platform process needs to know. Paths are text, so that the object travels as JSON."""

    data: str
    broker: str  # nats://user:password@host:port
    map: str = DISTRICT
    port: int = 8080
    shards: int = 1
    services: tuple[str, ...] = ("collision_warning", "glosa", "signal_control")
    replicas: int = 1  # of the stream; 3 on a cluster
    keep_frames_s: float = 600.0  # in the stream, after they are in the lake
    keep_lake_s: float = 7 * 86_400.0
    lake_floor_bytes: int = 500_000_000  # free disk below which the lake is not written
    replay: tuple[str, ...] = ()  # lake, from, to, speed of a recorded drive
    gateways: tuple[str, ...] = ()  # NAME:PORT of protocols that fleets speak
    auth: bool = False
    oidc: str = ""  # issuer of an outside identity provider
    oidc_audience: str = "cloverleaf-api"
    oidc_client: str = ""  # name of the console at that provider
    oidc_roles: str = "roles"  # claim that names the role, by dots
    security: str = "none"  # or p256, sm2: what signed messages are checked with
    secret: str = ""  # hex; names users see and tokens are made with it

    @property
    def folder(self) -> Path:
        """The data folder."""
        return Path(self.data)

    @property
    def run(self) -> Path:
        """Where the processes' own files lie."""
        return self.folder / "run"

    def write(self) -> Path:
        """Save for the other processes; only the owner may read it."""
        self.run.mkdir(parents=True, exist_ok=True)
        path = self.run / "settings.json"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
            json.dump(asdict(self), f, indent=1)
        return path


def read_settings(path: Path) -> Settings:
    """The settings in a file written by `Settings.write`."""
    raw = json.loads(path.read_text())
    for name in ("services", "gateways", "replay"):
        raw[name] = tuple(raw[name])
    return Settings(**raw)


def read_map(name: str) -> BaseMap:
    """builtin:district, .xodr, .net.xml or .net.xml.gz.

    Raises:
        MapError: not a map that can be read.
    """
    if name == DISTRICT:
        from cloverleaf.map.district import load_district

        return load_district()[0]
    path = Path(name)
    if not path.is_file():
        raise MapError("no such file", file=path, hint="builtin:district, .xodr, .net.xml or .net.xml.gz")
    if path.name.lower().endswith((".net.xml", ".net.xml.gz")):
        from cloverleaf.map.io.sumo_net import read_sumo_net

        return read_sumo_net(path)
    if path.suffix.lower() == ".xodr":
        from cloverleaf.map.io.opendrive import read_opendrive_map

        return read_opendrive_map(path)
    raise MapError("not a map that can be read", file=path, hint="builtin:district, .xodr, .net.xml or .net.xml.gz")


def share_map(settings: Settings) -> BaseMap:
    """Read the map once and leave it, already parsed, for the other processes."""
    base_map = read_map(settings.map)
    if base_map.geo.proj in ("!", "-", ""):
        raise MapError(
            "the map has no georeference, so positions of real messages mean nothing on it",
            file=settings.map,
            hint="give the map a projection (OpenDRIVE geoReference, SUMO projParameter)",
        )
    settings.run.mkdir(parents=True, exist_ok=True)
    path = settings.run / "map.pickle"
    path.with_suffix(".new").write_bytes(pickle.dumps(base_map, protocol=5))
    path.with_suffix(".new").replace(path)
    return base_map


def shared_map(settings: Settings) -> BaseMap:
    """The map that `share_map` left; written and read by the owner of the data folder only."""
    path = settings.run / "map.pickle"
    return _read_shared(path, path.stat().st_mtime_ns)


@lru_cache(1)
def _read_shared(path: Path, _changed: int) -> BaseMap:
    base_map: BaseMap = pickle.loads(path.read_bytes())
    return base_map


def data_folder(path: Path) -> Path:
    """A data folder that can be written.

    Raises:
        StudyError: it cannot.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise StudyError(f"the data folder cannot be written: {error.strerror}", file=path, element="--data") from error
    return path.resolve()
