"""Solutions as CommonRoad writes them: kinematic single track of vehicle 2, cost function SM1."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from cloverleaf.scenario.commonroad.model import PlanningTask
from cloverleaf.types.state import F64

COLUMNS = ("x", "y", "orientation", "velocity", "steeringAngle")


def write_solution(file: Path, task: PlanningTask, states: F64) -> None:
    """Write the states (n, 5) of one task: x, y (m), heading (rad), speed (m/s), steering angle (rad), from the start's time step on."""
    root = etree.Element("CommonRoadSolution", benchmark_id=f"KS2:SM1:{task.id}:{task.version}")
    trajectory = etree.SubElement(root, "ksTrajectory", planningProblem=str(task.problem))
    for k, row in enumerate(states):
        state = etree.SubElement(trajectory, "ksState")
        for name, value in zip(COLUMNS, row.tolist(), strict=True):
            etree.SubElement(state, name).text = repr(value)
        etree.SubElement(state, "time").text = str(task.start.step + k)
    file.write_bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))
