"""highway-env beside the scenario engine: one road with 50 vehicles, agent-steps per processor second."""

from __future__ import annotations

from cloverleaf.cli.peers import find_peer, run_peer

MODULE, VARIABLE = "highway_env", "CLOVERLEAF_HIGHWAY_ENV_PYTHON"
SECONDS = 5.0
ESMINI_PUBLISHED = 260_000.0
"""esmini's library with its default controller on a straight road, agent-steps/s at 10 to 50 vehicles: 240,000 to 285,000 measured on a
two-core machine at version 77028d8; with its ACC controller 4,000 to 4,700 at 50 vehicles."""
SCRIPT = """
import time, gymnasium, highway_env
size = int(inputs["vehicles"])
env = gymnasium.make("highway-v0", config={"vehicles_count": size - 1, "simulation_frequency": 15, "policy_frequency": 1})
env.reset(seed=1)
road = env.unwrapped.road
def step():
    # the vehicles' decisions and motion alone: no observation, no picture, no reward
    road.act()
    road.step(1 / 15)
for _ in range(15):
    step()
begun, steps = time.process_time(), 0
while time.process_time() - begun < float(inputs["seconds"]):
    step()
    steps += 1
outputs["rate"] = steps * len(road.vehicles) / (time.process_time() - begun)
outputs["version"] = getattr(highway_env, "__version__", "")
"""


def rate(vehicles: int = 50) -> float | None:
    """Agent-steps per second of one core; None where highway-env is not installed. Raises StudyError."""
    python = find_peer(MODULE, VARIABLE)
    if python is None:
        return None
    return float(run_peer(python, SCRIPT, {"vehicles": vehicles, "seconds": SECONDS})["rate"])
