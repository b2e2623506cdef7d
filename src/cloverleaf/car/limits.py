"""What is possible on roads: numbers beyond these are no measurements, whoever delivers them."""

from __future__ import annotations

import math

FASTEST, HARDEST, QUICKEST_TURN = 80.0, 20.0, 3.0  # m/s, m/s2, rad/s: beyond this nothing on wheels moves
FARTHEST, LARGEST = 400.0, 40.0  # m, of a detected object
FARTHEST_PLACE = 1e6  # m from the origin of the map
LEAST_SURE = 100.0  # m, standard deviation of a position that still says something
TURNED = 4.0 * math.pi  # rad, of a heading however it is counted
KINDS = 8  # the highest of state.Kind
