"""CommonRoad motion planning scenarios: reading them, the road ahead as a path, and writing solutions."""
