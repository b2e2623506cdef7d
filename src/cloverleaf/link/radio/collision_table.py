"""P(lost by interference | sensed, receiver silent) by distance and channel load; made by `cloverleaf bench link --table`."""

DISTANCE_STEP_M = 25.0
LOADS = (0.0, 1.0)
COLLISION = tuple((0.0, 0.0) for _ in range(41))
