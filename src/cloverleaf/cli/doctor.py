"""`cloverleaf doctor`: what is installed, what is missing and what that disables."""

from __future__ import annotations

import os
import platform
import shutil
from importlib import metadata, util
from typing import NamedTuple

import typer

app = typer.Typer(add_completion=False)


class Part(NamedTuple):
    """One optional part: how to look for it and what is lost without it."""

    name: str
    modules: tuple[str, ...]
    programs: tuple[str, ...]
    disables: str
    remedy: str
    variable: str = ""  # environment variable that may name a Python of its own for it


PARTS = (
    Part("SUMO", ("sumo", "libsumo"), ("sumo",), "benchmarks beside SUMO", "pip install 'cloverleaf[sumo]'"),
    Part("asn1tools", ("asn1tools",), (), "the codec benchmark's Python peer", "pip install asn1tools"),
    Part("pycrate", ("pycrate_asn1rt",), (), "the codec benchmark's second peer", "pip install pycrate"),
    Part("asn1c", (), ("asn1c",), "the codec benchmark's C peer", "apt-get install asn1c gcc"),
    Part(
        "ad-rss", ("ad_rss",), (), "the comparison in bench rss",
        "pip install ad-rss==5.0.0 in a Python of its own, named by CLOVERLEAF_AD_RSS_PYTHON", "CLOVERLEAF_AD_RSS_PYTHON",
    ),
    Part(
        "Stone Soup", ("stonesoup",), (), "the peer in bench track",
        "pip install stonesoup in a Python of its own, named by CLOVERLEAF_STONESOUP_PYTHON", "CLOVERLEAF_STONESOUP_PYTHON",
    ),
    Part(
        "car models", ("vehiclemodels",), (), "the foreign plants in bench control",
        "pip install commonroad-vehicle-models in a Python of its own, named by CLOVERLEAF_VEHICLE_MODELS_PYTHON",
        "CLOVERLEAF_VEHICLE_MODELS_PYTHON",
    ),
    Part(
        "FISS+", ("fiss_planner",), (), "a peer in bench planning",
        "pip install 'fiss-planner[commonroad]' commonroad-io==2024.3 in a Python of its own, named by CLOVERLEAF_FISS_PYTHON",
        "CLOVERLEAF_FISS_PYTHON",
    ),
    Part(
        "reactive plan", ("commonroad_rp",), (), "a peer in bench planning",
        "pip install commonroad-reactive-planner commonroad-io==2024.3 in a Python of its own, named by CLOVERLEAF_REACTIVE_PYTHON",
        "CLOVERLEAF_REACTIVE_PYTHON",
    ),
    Part("CAN", ("can",), (), "CAN in and out through DBC", "pip install 'cloverleaf[can]'"),
    Part(
        "ASAM checker", (), ("qc_opendrive",), "ASAM's own findings in map check",
        "pip install asam-qc-opendrive in a Python of its own, its bin folder on the PATH",
    ),
    Part("tshark", (), ("tshark",), "the dissection test of ETSI messages", "apt-get install tshark"),
)  # fmt: skip


def _found(part: Part) -> str:
    if part.variable and os.environ.get(part.variable):
        return f"named by {part.variable}"
    for module in part.modules:
        if util.find_spec(module) is not None:
            return f"Python module {module}"
    for program in part.programs:
        path = shutil.which(program)
        if path:
            return path
    return ""


@app.command()
def doctor() -> None:
    """Show versions of what Cloverleaf stands on, and which optional parts are present."""
    typer.echo(
        f"cloverleaf {metadata.version('cloverleaf')} on Python {platform.python_version()}, {os.cpu_count()} CPUs"
    )
    for package in ("numpy", "numba", "scipy", "pyarrow", "mcap", "cryptography"):
        typer.echo(f"  {package:<14}{metadata.version(package)}")
    typer.echo("optional:")
    for part in PARTS:
        found = _found(part)
        if found:
            typer.echo(f"  {part.name:<14}found: {found}")
        else:
            typer.echo(f"  {part.name:<14}missing: disables {part.disables}; {part.remedy}")
