"""A driver in a process of its own that speaks OSI over a socket; any language with protobuf can do the same.

    python examples/drivers/osi_process.py 48198 &
    cloverleaf judge my_suite/ --driver osi://localhost:48198 --cases first

Each message has its length before it (four bytes, little endian): an osi3.SensorView comes, an osi3.TrafficUpdate goes back.
"""

import math
import socketserver
import struct
import sys

from osi3.osi_sensorview_pb2 import SensorView
from osi3.osi_trafficupdate_pb2 import TrafficUpdate

HEADWAY = 2.0  # s


def decide(view):
    """Acceleration (m/s2) along the own heading, from ground truth in world coordinates."""
    truth = view.global_ground_truth
    own = next(o for o in truth.moving_object if o.id.value == truth.host_vehicle_id.value)
    yaw = own.base.orientation.yaw
    c, s = math.cos(yaw), math.sin(yaw)
    speed = own.base.velocity.x * c + own.base.velocity.y * s
    wanted = 0.0
    for other in truth.moving_object:
        dx, dy = other.base.position.x - own.base.position.x, other.base.position.y - own.base.position.y
        ahead, left = dx * c + dy * s, dy * c - dx * s
        gap = ahead - 0.5 * (own.base.dimension.length + other.base.dimension.length)
        if ahead > 0 and abs(left) < 0.5 * (own.base.dimension.width + other.base.dimension.width):
            closing = speed - (other.base.velocity.x * c + other.base.velocity.y * s)
            wanted = min(wanted, 0.3 * (gap - 2.0 - HEADWAY * speed) - 0.8 * closing)
            if closing > 0 and closing**2 > 2 * 4.0 * max(gap - 1.0, 0.1):
                wanted = -9.0
    return max(wanted, -9.0), yaw, truth.host_vehicle_id.value


class Case(socketserver.BaseRequestHandler):
    """One connection is one case."""

    def handle(self):
        """Answer until the other side hangs up."""
        while (head := self.take(4)) is not None:
            view = SensorView()
            view.ParseFromString(self.take(struct.unpack("<I", head)[0]))
            accel, yaw, host = decide(view)
            update = TrafficUpdate()
            message = update.update.add()
            message.id.value = host
            message.base.acceleration.x, message.base.acceleration.y = accel * math.cos(yaw), accel * math.sin(yaw)
            data = update.SerializeToString()
            self.request.sendall(struct.pack("<I", len(data)) + data)

    def take(self, count):
        """So many bytes, or None at the end."""
        data = b""
        while len(data) < count:
            part = self.request.recv(count - len(data))
            if not part:
                return None
            data += part
        return data


if __name__ == "__main__":
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with socketserver.ThreadingTCPServer(
        ("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 48198), Case
    ) as server:
        print(f"waiting at port {server.server_address[1]}", flush=True)
        server.serve_forever()
