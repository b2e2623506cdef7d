"""A driver in plain Python: keeps two seconds behind the leader and brakes hard when somebody is about to be in the way.

cloverleaf judge my_suite/ --driver examples/drivers/planner.py:Careful --cases first
"""


class Careful:
    """One object drives one case; `drive` is called once a step."""

    headway = 2.0  # s

    def drive(self, scene):
        """Acceleration in m/s2 for one step; see cloverleaf/judge/drivers/external.py for the fields of a scene."""
        own = scene.own
        wanted = 0.5 * (own.desired - own.speed)
        for other in scene.others:
            beside = abs(other.left) - 0.5 * (own.width + other.width)
            gap = other.ahead - 0.5 * (own.length + other.length)
            towards = -other.lateral_speed if other.left > 0 else other.lateral_speed
            comes = beside > 0 and towards > 0.2 and beside / towards < 2.0
            if other.ahead > 0 and (beside < 0 or comes):
                closing = own.speed - other.speed
                wanted = min(wanted, 0.3 * (gap - 2.0 - self.headway * own.speed) - 0.8 * closing)
                if closing > 0 and closing**2 > 2 * 4.0 * max(gap - 1.0, 0.1):
                    wanted = -9.0
        return max(min(wanted, 2.0), -9.0)
