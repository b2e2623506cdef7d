"""Driving a car of the district: pedals move it, the automation takes and gives it back, the page's wire format holds."""

import json
import struct
import time

import numpy as np
import pytest

from cloverleaf.human.cockpit import Automation, Controls
from cloverleaf.study.cockpit import COCKPIT, Drive
from cloverleaf.study.config import Study

ON = Controls(automation=True)


@pytest.fixture(scope="module")
def drive():
    return Drive(Study(duration_s=3600.0), seed=1)


def ticks(drive, controls, count):
    for _ in range(count):
        drive.control(controls)
        drive.tick()
    return drive.place()


def test_the_automation_drives_until_somebody_does(drive):
    before = drive.place()
    after = ticks(drive, ON, 10)
    assert drive.fleet.cockpit.automation == Automation.ACTIVE
    assert np.hypot(after.x - before.x, after.y - before.y) > 1.0


def test_brakes_stop_the_car_and_the_switch_gives_it_back(drive):
    assert ticks(drive, Controls(brake=0.6), 60).speed == 0.0
    assert drive.fleet.cockpit.automation == Automation.AVAILABLE
    assert ticks(drive, Controls(throttle=0.6), 20).speed > 2.0
    ticks(drive, ON, 12)
    assert drive.fleet.cockpit.automation == Automation.ACTIVE and drive.fleet.cockpit.person == 0.0


def test_the_wheel_turns_the_car_the_way_it_is_turned(drive):
    ticks(drive, Controls(throttle=0.3), 10)
    before = drive.place().heading
    after = ticks(drive, Controls(throttle=0.3, steer=0.5), 8).heading
    assert 0.01 < (after - before + np.pi) % (2 * np.pi) - np.pi < 1.5
    ticks(drive, Controls(brake=1.0), 60)


def test_pictures_show_the_driven_car_and_its_instruments(drive):
    objects, lights, cluster = drive.pictures()
    kind, _, _, count, t = struct.unpack_from("<BBHId", objects)
    assert kind == 1 and len(objects) == 16 + 24 + 16 * count and t == drive.run.rooms.world.time
    ids = [struct.unpack_from("<I", objects, 40 + 16 * i)[0] for i in range(count)]
    assert drive.fleet.station + 1 in ids
    assert len(lights) == 16 + 8 * len(drive.run.rooms.signals.light)
    kind, _, _, count, _ = struct.unpack_from("<BBHId", cluster)
    said = json.loads(cluster[16 : 16 + count])
    assert kind == COCKPIT and said["automation"] == "available" and said["speed"] == drive.place().speed


def test_the_page_drives_over_a_websocket_and_one_at_a_time(drive):
    testclient = pytest.importorskip("fastapi.testclient")
    from starlette.websockets import WebSocketDisconnect

    from cloverleaf.study.cockpit_page import create_app

    with testclient.TestClient(create_app(drive)) as client:
        assert client.get("/api/map").json()["features"] and client.get("/api/heads").json()
        with client.websocket_connect("/drive") as wheel:
            wheel.send_text(json.dumps({"throttle": 0.7, "steer": "left"}))
            first = [wheel.receive() for _ in range(4)]
            assert {"error": "not a set of controls"} in [json.loads(m["text"]) for m in first if m.get("text")]
            wheel.send_text(json.dumps({"throttle": 0.7, "steer": 0.0, "brake": float("nan")}))
            deadline = time.monotonic() + 120.0
            while drive.place().speed < 1.0 and time.monotonic() < deadline:
                assert wheel.receive()["type"] == "websocket.send", "the loop has stopped"
            assert drive.place().speed >= 1.0
            assert client.get("/health").json()["driven"]
            with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("/drive") as second:
                second.receive_bytes()
            assert refused.value.code == 1013
        assert client.get("/health").json()["status"] == "ok"
