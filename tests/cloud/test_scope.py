"""What leaves the platform: each tenant sees its own, advisories are signed, the past plays again, docs work offline."""

from __future__ import annotations

import json
import re
import time

import numpy as np
import pytest
from fastapi.testclient import TestClient
from test_engine import NOW, frame, toy
from toy import Traffic

from cloverleaf.cloud.api.app import create_app
from cloverleaf.cloud.api.live import Live
from cloverleaf.cloud.api.stream import HEAD, OBJECT, OBJECTS, ORIGIN, VEHICLE
from cloverleaf.cloud.live.engine import Engine
from cloverleaf.cloud.live.frames import SIMULATED, Trust, pack_frame, read_frame
from cloverleaf.cloud.live.snapshot import SAID, Snapshot
from cloverleaf.cloud.security.own_root import OwnRoot, make_root
from cloverleaf.cloud.security.users import Users
from cloverleaf.cloud.store.lake import Lake
from cloverleaf.cloud.store.query import Reader
from cloverleaf.cloud.store.rerun import frames_of
from cloverleaf.cloud.store.rows import Names, rows_of
from cloverleaf.link.content.content import Content
from cloverleaf.link.security.bus_security import ITS_EPOCH, PSID
from cloverleaf.link.security.verifier import Verifier
from cloverleaf.types.errors import InputError, SecurityError
from cloverleaf.types.messages import MessageKind

pytestmark = pytest.mark.usefixtures("compiled")
SECRET = "ab" * 32


def shared_road() -> tuple[Live, int, int]:
    """A car of the city and one of the port on one crossing, as the API sees them; their ids."""
    engine, now = Engine(toy(), secret=b"x" * 16), time.time()
    cars = Traffic([0, 1], [-60.0, -60.0], 15.0)
    for k, tenant in enumerate(("city", "port")):
        engine.add(f"{tenant}.edge", frame(cars.awareness(now, np.array([k])), 1, now))
    engine.cycle(now)
    shot = engine.snapshot(now)
    live = Live(toy())
    live.shots[0] = Snapshot(time.time() + 1e6, 0, shot.rows, shot.heads)
    owner = {int(r["tenant"]): int(r["handle"]) for r in shot.rows}
    from cloverleaf.cloud.live.subjects import tenant_number

    city, port = (owner[tenant_number(t)] for t in ("city", "port"))
    said = np.zeros(3, SAID)
    said["time"], said["handle"] = time.time() + 1e6, [city, port, 0]
    live.said.append(said)
    return live, city, port


def test_a_tenant_sees_its_own(tmp_path):
    live, city, port = shared_road()
    users = Users(tmp_path / "users.json", SECRET)
    for name, tenant in (("cao", "city"), ("pan", "port"), ("all", "*"), ("nobody", "x")):
        users.add(name, "a-password", "viewer", tenant)
    with TestClient(create_app(live, tmp_path, secret=SECRET, users=users)) as client:
        for name, seen in (("cao", {city}), ("pan", {port}), ("all", {city, port}), ("nobody", set())):
            head = {"Authorization": f"Bearer {users.login(name, 'a-password')}"}

            def get(path: str, head=head):
                return client.get(path, headers=head)

            assert {o["id"] for o in get("/api/objects").json()["objects"]} == seen
            points = get("/api/objects.geojson").json()["features"]
            assert {f["properties"]["id"] for f in points} == seen
            assert {i for i in (city, port) if get(f"/api/objects/{i}").status_code == 200} == seen
            assert {s["target"] for s in get("/api/warnings").json()["said"]} == seen | {0}
            with client.websocket_connect(f"/ws?token={users.login(name, 'a-password')}") as socket:
                socket.send_text(json.dumps({"follow": port}))
                pictures, inner = set(), None
                for _ in range(20):
                    message = socket.receive()
                    data = message.get("bytes") or b""
                    kind = data[0] if data else 0
                    if kind == OBJECTS:
                        rows = np.frombuffer(data, OBJECT, -1, HEAD.size + ORIGIN.size)
                        pictures |= set(rows["id"].tolist())
                    if kind == VEHICLE:
                        inner = json.loads(data[HEAD.size :])
                    if inner and kind == OBJECTS:
                        break
                    live.shots[0] = live.shots[0]._replace(time=live.shots[0].time + 0.1)
                    live._rows = (0.0, live._rows[1])
                assert pictures == seen and inner is not None and ("gone" in inner) == (port not in seen)


def test_a_tenant_sees_its_own_past(tmp_path):
    lake, names, then = Lake(tmp_path / "lake"), Names(b"secret"), time.time() - 60.0
    for number, (tenant, lanes) in enumerate((("city", [0, 1]), ("port", [2]))):
        lake.claim(f"{tenant}.edge", 1, 1)
        source = lake.log.source(f"{tenant}.edge")
        for k in range(20):
            batch = Traffic(lanes, [-90.0 + k] * len(lanes), 10.0).awareness(then + 0.1 * k + 5.0 * number)
            one = np.ones(len(lanes), np.int64)
            batch = batch._replace(station=batch.station + 100 * number)
            lake.put(rows_of(batch, names, one, source * one, one, one * k, np.arange(len(lanes))))
    lake.commit({"FRAMES": 1})
    users = Users(tmp_path / "users.json", SECRET)
    for name, tenant in (("cao", "city"), ("pan", "port"), ("all", "*"), ("nobody", "x")):
        users.add(name, "a-password", "operator", tenant)
    users.add("vera", "a-password", "viewer", "city")
    with TestClient(create_app(Live(toy()), tmp_path, secret=SECRET, users=users)) as client:
        for name, rows, first, cars in (
            ("cao", 40, 0.0, 2),
            ("pan", 20, 5.0, 1),
            ("all", 60, 0.0, 3),
            ("nobody", 0, None, 0),
        ):
            head = {"Authorization": f"Bearer {users.login(name, 'a-password')}"}

            def get(path: str, head=head):
                return client.get(path, headers=head).json()

            page = get("/api/history/range")
            assert page["rows"] == rows and page["from"] == (None if first is None else pytest.approx(then + first))
            span = f"from={then - 1}&to={then + 30}"
            assert sum(r["messages"] for r in get(f"/api/history/traffic?{span}&step=60&cell=1000")["rows"]) == rows
            assert sum(r["vehicles"] for r in get(f"/api/history/figures?{span}&step=86400")["rows"]) == cars
            moments = [len(get(f"/api/history/objects?at={then + s}")["objects"]) for s in (1.0, 6.0)]
            assert moments == [2 * (name in ("cao", "all")), 1 * (name in ("pan", "all"))]
            with client.websocket_connect(f"/ws?token={users.login(name, 'a-password')}") as socket:
                socket.send_text(json.dumps({"at": then + 1.0, "speed": 0.0}))
                while True:
                    data = socket.receive()["bytes"]
                    if data[0] == OBJECTS and abs(HEAD.unpack_from(data)[4] - then - 1.0) < 0.01:
                        break
                assert HEAD.unpack_from(data)[3] == moments[0]
        with client.websocket_connect(f"/ws?token={users.login('vera', 'a-password')}") as socket:
            socket.send_text(json.dumps({"at": then + 1.0}))
            assert "needs the role operator" in socket.receive_text()
    lake.close()


def test_what_the_platform_says_is_signed(tmp_path):
    make_root(tmp_path, "p256")
    made = (tmp_path / "platform-root.coer").read_bytes()
    make_root(tmp_path, "p256")
    assert (tmp_path / "platform-root.coer").read_bytes() == made and (tmp_path / "p256.key").stat().st_mode & 0o77 == 0
    downlink, now = OwnRoot(tmp_path, "p256"), time.time()
    engine = Engine(toy(), epoch=1, signer=downlink)
    engine.add("city.edge1", frame(Traffic([0, 1], [-60.0, -60.0], 15.0).awareness(now), 1, now))
    (down,) = engine.cycle(now + 0.05)
    said = read_frame(down.data)
    assert said.trust.tolist() == [int(Trust.SIGNED)]
    raw, verifier = said.buffer.tobytes(), Verifier([downlink.root])
    rsi = PSID["csae"][MessageKind.EVENT]
    payload = verifier.check(raw, (rsi,), now - ITS_EPOCH).payload
    batch, error = Content(toy(), "csae_day2", clock=0.0).decode(
        MessageKind.EVENT, np.frombuffer(payload, np.uint8), np.array([0, len(payload)])
    )
    assert not error.any() and len(batch.event) == 1
    changed = bytearray(raw)
    changed[20] ^= 1
    for bad, psid, root in (
        (bytes(changed), rsi, downlink.root),
        (raw, PSID["csae"][MessageKind.AWARENESS], downlink.root),
    ):
        with pytest.raises(SecurityError):
            Verifier([root]).check(bad, (psid,), now - ITS_EPOCH)
    other = tmp_path / "other"
    make_root(other, "p256")
    with pytest.raises(SecurityError):
        Verifier([OwnRoot(other, "p256").root]).check(raw, (rsi,), now - ITS_EPOCH)
    with pytest.raises(InputError, match="no root"):
        OwnRoot(tmp_path / "none", "p256")


def test_a_recorded_drive_goes_through_the_twin_again(tmp_path):
    lake, names = Lake(tmp_path), Names(b"secret")
    lake.claim("city.edge", 1, 1)
    for k in range(30):
        batch = Traffic([0, 1], [-90.0 + 1.5 * k, -90.0 + 1.5 * k], 15.0).awareness(NOW + 0.1 * k)
        n = len(batch.x)
        one = np.ones(n, np.int64)
        lake.put(rows_of(batch, names, one, one, one, one * k, np.arange(n)))
    lake.commit({"FRAMES": 1})
    frames = list(frames_of(Reader(tmp_path), toy(), NOW, NOW + 3.05, 7))
    assert sum(len(f.kind) for f in frames) == 60 and len(frames) == 31
    assert all(f.flags == SIMULATED for f in frames) and len({f.sequence for f in frames}) == 31
    engine, warned = Engine(toy()), 0
    for f in frames:  # ten times as fast as then
        now = 2e9 + (f.time - NOW) / 10.0
        engine.add("replay.lake", read_frame(pack_frame(f)))
        warned += sum(d.messages for d in engine.cycle(now))
        if len(f.kind):
            assert len(engine.snapshot(now).rows) == 2
    assert warned > 0 and engine.counts.totals["accepted"] == 60
    lake.close()


def test_the_description_of_the_api_needs_no_network(tmp_path):
    with TestClient(create_app(Live(toy()), tmp_path)) as client:
        page = client.get("/docs")
        assert page.status_code == 200 and not re.search(r"(src|href)\s*=|https?://|@import|url\(", page.text)
        assert client.get("/redoc").status_code == 404 and client.get("/openapi.json").json()["paths"]
