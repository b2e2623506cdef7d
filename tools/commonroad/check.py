"""Hold solutions against CommonRoad's own drivability checker: python check.py SCENARIOS SOLUTIONS.

Runs in an environment of its own with commonroad-drivability-checker 2025.3.1 and commonroad-io 2024.3 (they pin an old protobuf).
Checks goal, start, obstacles, road boundary (thin boxes along it) and feasibility under KS2; prints one line per solution and the
count that passes all.
"""

import lzma
import sys
import tempfile
from pathlib import Path

from commonroad.common.file_reader import CommonRoadFileReader
from commonroad.common.solution import CommonRoadSolutionReader
from commonroad_dc.boundary import boundary
from commonroad_dc.feasibility import solution_checker as checker
from commonroad_dc.pycrcc import CollisionChecker


def leaves_the_road(scenario, problems, solution) -> bool:
    _, edge = boundary.create_road_boundary_obstacle(scenario, method="obb_rectangles")
    road = CollisionChecker()
    road.add_collision_object(edge)
    parts = solution.planning_problem_solutions
    return any(road.collide(checker._create_pp_solution_collision_object(problems, p, scenario.dt)) for p in parts)


def verdicts(scenario, problems, solution) -> dict[str, bool]:
    """Each check and whether it passed; the checker says no by raising."""
    checks = {
        "goal": lambda: checker.goal_reached(scenario, problems, solution),
        "start": lambda: checker.starts_at_correct_state(solution, problems),
        "obstacles": lambda: not checker.obstacle_collision(scenario, problems, solution),
        "road": lambda: not leaves_the_road(scenario, problems, solution),
        "feasible": lambda: all(ok for ok, *_ in checker.solution_feasible(solution, scenario.dt, problems).values()),
    }
    out = {}
    for name, check in checks.items():
        try:
            out[name] = bool(check())
        except Exception:
            out[name] = False
    return out


def main(scenarios: Path, solutions: Path) -> None:
    passed = total = 0
    for file in sorted(scenarios.glob("*.xml*")):
        solution = solutions / f"{file.name.split('.')[0]}.xml"
        if not solution.is_file():
            continue
        with tempfile.TemporaryDirectory() as folder:
            plain = Path(folder) / solution.name
            plain.write_bytes(lzma.decompress(file.read_bytes()) if file.suffix == ".xz" else file.read_bytes())
            scenario, problems = CommonRoadFileReader(str(plain)).open()
            found = verdicts(scenario, problems, CommonRoadSolutionReader.open(str(solution)))
        total, passed = total + 1, passed + all(found.values())
        print(f"{solution.stem:<36} {'accepted' if all(found.values()) else [n for n, ok in found.items() if not ok]}")
    print(f"{passed} of {total} accepted")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
