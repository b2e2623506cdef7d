"""A driver packed as FMU for co-simulation: FMI 3 or FMI 2 with plain variables, or FMI 2 with OSI messages as OSMP packs them.

| variable                        | direction | meaning                                                                          |
|---------------------------------|-----------|----------------------------------------------------------------------------------|
| time, speed, accel, desired, ... | in       | the fields of `Own` (`judge/drivers/external.py`), any subset                      |
| lead_gap, lead_speed, lead_accel | in       | the nearest road user ahead in the own path; a gap of 1e6 m where there is none    |
| acceleration                    | out       | m/s2                                                                             |
| curvature                       | out       | 1/m, optional                                                                    |
| OSMPSensorViewIn.base.lo/.base.hi/.size | in | osi3.SensorView; address in two integers and length, OSI Sensor Model Packaging    |
| OSMPTrafficUpdateOut.base.lo/.base.hi/.size | out | osi3.TrafficUpdate, acceleration of the vehicle under test                     |
"""

from __future__ import annotations

import ctypes
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloverleaf.judge.drivers.external import Scene
from cloverleaf.judge.drivers.osi_scene import accel_of, fill_ground_truth, osi_modules
from cloverleaf.types.errors import PluginError

NO_LEADER = 1e6  # m
OSMP_IN, OSMP_OUT = "OSMPSensorViewIn", "OSMPTrafficUpdateOut"
LEAD = ("lead_gap", "lead_speed", "lead_accel")


def fmu_driver(path: Path) -> type:
    """A planner class whose objects each hold one instance of the FMU. Raises PluginError."""
    if not path.is_file():
        raise PluginError("no such file", file=path, hint="--driver model.fmu")
    try:
        import fmpy
    except ImportError as error:
        raise PluginError("FMPy is not installed", file=path, hint="pip install 'cloverleaf[fmi]'") from error
    try:
        description = fmpy.read_model_description(str(path), validate=False)
    except Exception as error:
        raise PluginError(f"not an FMU: {error}", file=path) from error
    if description.coSimulation is None:
        raise PluginError("the FMU is not made for co-simulation", file=path)
    if description.fmiVersion.partition(".")[0] not in ("2", "3"):
        raise PluginError(f"FMI {description.fmiVersion} is not supported", file=path, hint="FMI 2 or 3")
    variables = {v.name: v for v in description.modelVariables}
    packed = f"{OSMP_IN}.base.lo" in variables
    if packed and f"{OSMP_OUT}.size" not in variables:
        raise PluginError(f"the FMU takes OSI but gives no {OSMP_OUT}", file=path)
    if not packed and "acceleration" not in variables:
        raise PluginError("the FMU has no output 'acceleration'", file=path, hint=f"or OSI: {OSMP_IN} and {OSMP_OUT}")

    class FmuDriver:
        """One instance of the FMU, for one case."""

        def __init__(self, case: Mapping[str, Any]) -> None:
            self._folder = fmpy.extract(str(path))
            self._fmu = _instance(description, self._folder, path)
            self._kept: Any = None  # bytes handed over must outlive the step

        def drive(self, scene: Scene) -> float | tuple[float, float]:
            """Write the inputs, do a step, read the outputs."""
            if packed:
                return self._osi_step(scene)
            inputs = own_inputs(scene)
            names = [n for n in inputs if n in variables and variables[n].causality == "input"]
            self._write([variables[n].valueReference for n in names], [inputs[n] for n in names])
            self._step(scene)
            accel = self._read(variables["acceleration"].valueReference)
            if "curvature" in variables:
                return accel, self._read(variables["curvature"].valueReference)
            return accel

        def close(self) -> None:
            """Terminate the instance and remove what was unpacked."""
            self._fmu.terminate()
            self._fmu.freeInstance()
            shutil.rmtree(self._folder, ignore_errors=True)

        def _step(self, scene: Scene) -> None:
            try:
                self._fmu.doStep(currentCommunicationPoint=scene.own.time, communicationStepSize=scene.own.dt)
            except Exception as error:
                raise PluginError(f"the FMU fails at {scene.own.time:.2f} s: {error}", file=path) from error

        def _write(self, references: list[int], values: list[float]) -> None:
            if references:
                write = self._fmu.setFloat64 if hasattr(self._fmu, "setFloat64") else self._fmu.setReal
                write(references, values)

        def _read(self, reference: int) -> float:
            read = self._fmu.getFloat64 if hasattr(self._fmu, "getFloat64") else self._fmu.getReal
            return float(read([reference])[0])

        def _osi_step(self, scene: Scene) -> float:
            _, views, updates = osi_modules()
            view = views.SensorView()
            fill_ground_truth(view.global_ground_truth, scene)
            view.timestamp.CopyFrom(view.global_ground_truth.timestamp)
            view.host_vehicle_id.value = scene.entity + 1
            data = view.SerializeToString()
            self._kept = ctypes.create_string_buffer(data, len(data))
            address = ctypes.addressof(self._kept)
            names = [f"{OSMP_IN}.base.lo", f"{OSMP_IN}.base.hi", f"{OSMP_IN}.size"]
            values = [_signed(address & 0xFFFFFFFF), _signed(address >> 32), len(data)]
            self._fmu.setInteger([variables[n].valueReference for n in names], values)
            self._step(scene)
            names = [f"{OSMP_OUT}.base.lo", f"{OSMP_OUT}.base.hi", f"{OSMP_OUT}.size"]
            low, high, size = self._fmu.getInteger([variables[n].valueReference for n in names])
            where = ((high & 0xFFFFFFFF) << 32) | (low & 0xFFFFFFFF)
            update = updates.TrafficUpdate()
            try:
                update.ParseFromString(ctypes.string_at(where, size) if where and size > 0 else b"")
            except Exception as error:
                raise PluginError("the FMU's answer is no osi3.TrafficUpdate", file=path) from error
            return accel_of(update, scene)

    return FmuDriver


def own_inputs(scene: Scene) -> dict[str, float]:
    """Plain inputs by name: the fields of `Own`, and the leader's."""
    values = {name: value for name, value in scene.own._asdict().items() if math.isfinite(value)}
    ahead = [o for o in scene.others if o.ahead > 0 and abs(o.left) < 0.5 * (scene.own.width + o.width)]
    first = min(ahead, key=lambda o: o.ahead, default=None)
    if first is None:
        return values | dict(zip(LEAD, (NO_LEADER, scene.own.speed, 0.0)))
    gap = first.gap if math.isfinite(first.gap) else first.ahead - 0.5 * (scene.own.length + first.length)
    return values | dict(zip(LEAD, (gap, first.speed, first.accel)))


def _signed(word: int) -> int:
    """The low 32 bits as FMI's signed integer."""
    return word - (1 << 32) if word >= 1 << 31 else word


def _instance(description: Any, folder: str, path: Path) -> Any:
    from fmpy.fmi2 import FMU2Slave
    from fmpy.fmi3 import FMU3Slave

    name = description.coSimulation.modelIdentifier
    try:
        if description.fmiVersion.startswith("3"):
            fmu = FMU3Slave(guid=description.guid, unzipDirectory=folder, modelIdentifier=name, instanceName=name)
            fmu.instantiate()
            fmu.enterInitializationMode(startTime=0.0)
        else:
            fmu = FMU2Slave(guid=description.guid, unzipDirectory=folder, modelIdentifier=name, instanceName=name)
            fmu.instantiate()
            fmu.setupExperiment(startTime=0.0)
            fmu.enterInitializationMode()
        fmu.exitInitializationMode()
    except Exception as error:
        raise PluginError(
            f"the FMU cannot be started: {error}", file=path, hint="is it built for this platform?"
        ) from error
    return fmu
