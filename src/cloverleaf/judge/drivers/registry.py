"""Finds a driver by what the user typed: a built-in name, an entry point, `module:Class`, `file.py:Class`, an FMU, a socket.

| form     | what it is                                                            | called                         |
|----------|-----------------------------------------------------------------------|--------------------------------|
| compiled | a function under `@driver` of `loop/storyboard/driver.py`                 | inside the engine, once a step |
| vector   | a class with `vectorised = True`, `reset(...)`, `drive(own, near, command)` | once a step for all worlds |
| planner  | a class with `drive(scene)`, constructed once per case                | once a step and world          |

The class reference of vector and planner is `judge/drivers/external.py`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module, util
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from cloverleaf.types.errors import PluginError, nearest

BUILT_IN = {
    "cc_human": "cloverleaf.judge.drivers.reference:cc_human",
    "fsm": "cloverleaf.judge.drivers.reference:fsm",
    "rss": "cloverleaf.judge.drivers.reference:rss",
    "reg157": "cloverleaf.judge.drivers.reference:reg157",
    "idm": "cloverleaf.judge.drivers.assistance:idm",
    "acc_aeb": "cloverleaf.judge.drivers.assistance:acc_aeb",
    "cloverleaf": "cloverleaf.judge.drivers.cloverleaf:cloverleaf",
}
GROUP = "cloverleaf.drivers"
COMPILED, VECTOR, PLANNER = "compiled", "vector", "planner"
MEMORY = 8  # numbers that a compiled driver may keep per world


@dataclass(frozen=True)
class Driver:
    """A driver that can be run: its form, and the pointer (compiled) or class (vector, planner). `file` holds its source."""

    name: str
    form: str
    call: Any
    file: Path


def driver_names() -> list[str]:
    """Built-in names and those of entry points."""
    return [*BUILT_IN, *(e.name for e in entry_points(group=GROUP))]


def find_driver(spec: str) -> Driver:
    """The driver that `spec` names. Raises PluginError."""
    if spec.lower().endswith(".fmu"):
        from cloverleaf.judge.drivers.fmu import fmu_driver

        return Driver(spec, PLANNER, fmu_driver(Path(spec)), Path(spec))
    if spec.startswith("osi://"):
        from cloverleaf.judge.drivers.osi_socket import socket_driver

        return Driver(spec, PLANNER, socket_driver(spec), Path(__file__))
    found = [e for e in entry_points(group=GROUP) if e.name == spec]
    if len(found) + (spec in BUILT_IN) > 1:
        raise PluginError(f"driver '{spec}' is registered more than once", hint="uninstall one of the packages")
    if found:
        return _formed(spec, found[0].load())
    if spec in BUILT_IN:
        module, _, attribute = BUILT_IN[spec].partition(":")
        return _formed(spec, getattr(import_module(module), attribute))
    if ":" in spec:
        return _formed(spec, _load(spec))
    raise PluginError(f"unknown driver '{spec}'", element="--driver",
                      hint=f"{nearest(spec, driver_names())}; or module:Class, file.py:Class, model.fmu, osi://host:port")  # fmt: skip


def _load(spec: str) -> Any:
    """The object that `module:name` or `file.py:name` names."""
    place, _, attribute = spec.rpartition(":")
    try:
        if place.endswith(".py"):
            path = Path(place).resolve()
            if not path.is_file():
                raise PluginError("no such file", file=place, hint="--driver path/to/file.py:Class")
            name = f"_driver_{path.stem}"
            if name not in sys.modules or getattr(sys.modules[name], "__file__", "") != str(path):
                loading = util.spec_from_file_location(name, path)
                if loading is None or loading.loader is None:
                    raise PluginError("not a Python file", file=place)
                module = util.module_from_spec(loading)
                sys.modules[name] = module
                loading.loader.exec_module(module)
            module = sys.modules[name]
        else:
            if "" not in sys.path:
                sys.path.insert(0, "")
            module = import_module(place)
    except PluginError:
        raise
    except ModuleNotFoundError as error:
        raise PluginError(f"no module '{error.name}'", element="--driver", hint=f"as imported by '{place}'") from error
    except Exception as error:
        raise PluginError(f"importing it fails: {type(error).__name__}: {error}", file=place) from error
    if not hasattr(module, attribute):
        names = [n for n in vars(module) if not n.startswith("_")]
        raise PluginError(f"has no '{attribute}'", file=place, hint=nearest(attribute, names))
    return getattr(module, attribute)


def _formed(spec: str, found: Any) -> Driver:
    """Tell the form of an object."""
    source = getattr(found, "_pyfunc", found)
    file = Path(getattr(sys.modules.get(getattr(source, "__module__", ""), None), "__file__", None) or __file__)
    if hasattr(found, "address"):
        from cloverleaf.loop.storyboard.driver import SIGNATURE

        if found._sig != SIGNATURE:
            raise PluginError(
                f"'{spec}' is compiled for another signature", hint="use @driver of cloverleaf.loop.storyboard.driver"
            )
        return Driver(spec, COMPILED, found, file)
    if isinstance(found, type) and callable(getattr(found, "drive", None)):
        return Driver(spec, VECTOR if getattr(found, "vectorised", False) else PLANNER, found, file)
    raise PluginError(f"'{spec}' is not a driver", hint="a class with a method `drive`, or a function under @driver")
