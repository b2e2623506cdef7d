"""The whole car in a small closed loop: real map, kinematic plant, perfect objects; no other room of the simulator is needed."""

from pathlib import Path

import numpy as np
import pytest

from cloverleaf.car.fleet import Fleet
from cloverleaf.link.station import empty_received
from cloverleaf.map.io.sumo_net import read_sumo_net
from cloverleaf.types.demand import Routes
from cloverleaf.types.frames import EgoFrame, FleetMission, LightFrame, ObjectFrame, SensorFrames
from cloverleaf.types.state import empty_actors
from cloverleaf.world.dynamics import PlantParameters, empty_plant, move_fleet

NET = Path(__file__).parents[2] / ".." / "shared" / "nets" / "micro" / "signal_4leg" / "signal_4leg.net.xml"
pytestmark = pytest.mark.skipif(not NET.exists(), reason="the shared micro nets are not here")
STEP = 0.1


class Toy:
    """One smart car that starts `start` m into its route; `others` are rows x, y, heading, speed, length, width, kind."""

    def __init__(self, edges, start=20.0, speed=8.0, base_map=None, lane=0):
        self.map = read_sumo_net(NET.resolve()) if base_map is None else base_map
        ids = [self.map.edge_ids.index(e) for e in edges]
        self.fleet = Fleet(self.map, Routes(np.array([0, len(ids)]), np.array(ids, np.int32)), STEP)
        g = self.map.graph
        self.lane = int(g.edge_lane_start[ids[0]]) + lane
        self.actors, self.plant, self.slots = empty_actors(1), empty_plant(1), np.zeros(1, np.int32)
        self.actors.trip[0], self.actors.length[0], self.actors.width[0], self.actors.kind[0] = 7, 4.6, 1.8, 1
        self.actors.x[0], self.actors.y[0], self.actors.heading[0] = self.place(self.lane, start)
        self.actors.speed[0] = speed
        self.others = np.zeros((0, 7))
        self.light, self.t, self.link = 0, 0.0, -1

    def place(self, lane, s, d=0.0):
        g = self.map.graph
        a, b = g.lane_point_start[lane], g.lane_point_start[lane + 1]
        x, y = np.interp(s, g.point_s[a:b], g.point_x[a:b]), np.interp(s, g.point_s[a:b], g.point_y[a:b])
        h = g.point_heading[a:b][np.searchsorted(g.point_s[a:b], s, side="right") - 1]
        return x - d * np.sin(h), y + d * np.cos(h), h

    def frames(self):
        a = self.actors
        c, s = np.cos(a.heading[0]), np.sin(a.heading[0])
        o = self.others
        dx, dy, turn = o[:, 0] - a.x[0], o[:, 1] - a.y[0], o[:, 2] - a.heading[0]
        n = len(o)
        time = np.full(1, self.t)
        ego = EgoFrame(
            time,
            a.x.copy(),
            a.y.copy(),
            a.heading.copy(),
            a.speed.copy(),
            a.accel.copy(),
            a.yaw_rate.copy(),
            np.full(1, 0.1),
        )
        objects = ObjectFrame(
            np.array([0, n]), np.full(n, self.t), dx * c + dy * s, dy * c - dx * s, turn, o[:, 3] * np.cos(turn),
            o[:, 3] * np.sin(turn), o[:, 4].copy(), o[:, 5].copy(), o[:, 6].astype(np.int32), np.full(n, 0.1), np.full(n, 0.9),
        )  # fmt: skip
        lights = LightFrame(
            np.full(1, self.link, np.int32), np.full(1, self.light, np.uint8), np.full(1, 50.0), np.full(1, self.t)
        )
        return SensorFrames(ego, objects, objects, lights)

    def mission(self):
        one = np.ones(1)
        return FleetMission(
            np.full(1, 7),
            np.zeros(1, np.int32),
            np.zeros(1, np.int32),
            4.6 * one,
            1.8 * one,
            50.0 * one,
            -one,
            np.ones(1, np.int32),
        )

    def step(self):
        commands, said, _ = self.fleet.step(self.frames(), self.mission(), empty_received(np.array([7])), self.t)
        assert np.isfinite(commands.accel).all() and np.isfinite(commands.steer).all() and said.station[0] == 7
        move_fleet(self.actors, self.slots, self.plant, commands, PlantParameters(), STEP)
        self.others[:, 0] += self.others[:, 3] * np.cos(self.others[:, 2]) * STEP
        self.others[:, 1] += self.others[:, 3] * np.sin(self.others[:, 2]) * STEP
        self.t += STEP

    def ahead(self, metres, d=0.0):
        """Pose of a point so far ahead of the car on its lane."""
        g = self.map.graph
        a, b = g.lane_point_start[self.lane], g.lane_point_start[self.lane + 1]
        s = np.argmin(np.hypot(g.point_x[a:b] - self.actors.x[0], g.point_y[a:b] - self.actors.y[0]))
        along = np.hypot(self.actors.x[0] - g.point_x[a], self.actors.y[0] - g.point_y[a]) if s >= 0 else 0.0
        return self.place(self.lane, along + metres, d)


def first_link(toy, edges):
    """Signalled link from the car's lane to the next edge."""
    g = toy.map.graph
    target = toy.map.edge_ids.index(edges[1])
    for k in range(g.lane_link_start[toy.lane], g.lane_link_start[toy.lane + 1]):
        if g.lane_edge[g.link_to[k]] == target:
            return k
    raise AssertionError("no link")


def straight(bm):
    """Two normal edges joined by a straight signalled link."""
    g = bm.graph
    for k in np.flatnonzero((g.link_signal >= 0) & (g.link_direction == 0)):
        lane = g.link_from[k]
        if g.lane_index[lane] == 0:
            return [bm.edge_ids[g.lane_edge[lane]], bm.edge_ids[g.lane_edge[g.link_to[k]]]]
    raise AssertionError("no straight link")


@pytest.fixture
def toy():
    edges = straight(read_sumo_net(NET.resolve()))
    toy = Toy(edges)
    toy.link = first_link(toy, edges)
    toy.light = ord("G")
    return toy


def test_free_drive_reaches_the_limit_and_keeps_the_lane(toy):
    worst, jerk, last = 0.0, 0.0, 0.0
    for k in range(200):
        toy.step()
        x, y, h = toy.ahead(0.0)
        worst = max(worst, abs(-(toy.actors.x[0] - x) * np.sin(h) + (toy.actors.y[0] - y) * np.cos(h)))
        if k > 20:
            jerk = max(jerk, abs(toy.actors.accel[0] - last) / STEP)
        last = toy.actors.accel[0]
    limit = toy.map.graph.lane_speed[toy.lane]
    assert 0.9 * limit < toy.actors.speed[0] <= limit + 0.3
    assert worst < 0.3 and jerk < 4.13


def test_stands_at_red_and_goes_on_green(toy):
    toy.light = ord("r")
    for _ in range(600):
        toy.step()
    g = toy.map.graph
    end = g.lane_point_start[toy.lane + 1] - 1
    rest = np.hypot(toy.actors.x[0] - g.point_x[end], toy.actors.y[0] - g.point_y[end]) - 2.3
    assert toy.actors.speed[0] < 0.05 and 0.0 < rest < 3.0
    toy.light = ord("G")
    for _ in range(60):
        toy.step()
    assert toy.actors.speed[0] > 4.0


def test_passes_a_standing_car_on_the_free_lane(toy):
    x, y, h = toy.ahead(90.0)
    toy.others = np.array([[x, y, h, 0.0, 4.5, 1.8, 1.0]])
    nearest = 1e9
    for _ in range(120):
        toy.step()
        dx, dy = x - toy.actors.x[0], y - toy.actors.y[0]
        along, across = abs(dx * np.cos(h) + dy * np.sin(h)), abs(dy * np.cos(h) - dx * np.sin(h))
        nearest = min(nearest, max(along - 4.55, across - 1.8))
    assert dx * np.cos(h) + dy * np.sin(h) < -10.0 and nearest > 0.5


def test_stops_behind_standing_cars(toy):
    x, y, h = toy.ahead(90.0)
    toy.others = np.array([[x, y, h, 0.0, 4.5, 1.8, 1.0], [*toy.ahead(90.0, 3.2), 0.0, 4.5, 1.8, 1.0]])
    hardest = 0.0
    for _ in range(250):
        toy.step()
        hardest = min(hardest, toy.actors.accel[0])
    gap = np.hypot(toy.actors.x[0] - x, toy.actors.y[0] - y) - 4.55
    assert toy.actors.speed[0] < 0.05 and 0.8 < gap < 4.0 and hardest > -4.05


def test_brakes_for_a_person_who_steps_out(toy):
    for _ in range(30):
        toy.step()
    x, y, h = toy.ahead(32.0, -4.0)
    toy.others = np.array([[x, y, h + np.pi / 2, 1.5, 0.5, 0.5, 7.0]])
    nearest = 1e9
    for _ in range(80):
        toy.step()
        dx, dy = toy.others[0, 0] - toy.actors.x[0], toy.others[0, 1] - toy.actors.y[0]
        c, s = np.cos(toy.actors.heading[0]), np.sin(toy.actors.heading[0])
        along, across = abs(dx * c + dy * s), abs(dy * c - dx * s)
        nearest = min(nearest, max(along - 2.3, across - 0.9))
    assert nearest > 0.3


def test_same_input_gives_the_same_drive_and_a_reason(toy):
    edges = [toy.map.edge_ids[e] for e in toy.fleet.book.pos[:, 0]]
    twin = Toy(edges)
    twin.link, twin.light = toy.link, toy.light
    for _ in range(60):
        toy.step()
        twin.step()
    assert toy.actors.x[0] == twin.actors.x[0] and toy.actors.speed[0] == twin.actors.speed[0]
    assert "most weight" in toy.fleet.explain(7) and toy.fleet.explain(8) == ""


def test_broken_frames_do_not_reach_the_controls(toy):
    for _ in range(10):
        toy.step()
    toy.others = np.array([[np.nan, 0.0, 0.0, 0.0, 4.5, 1.8, 1.0], [1e9, 0.0, 0.0, 5.0, 4.5, 1.8, 1.0]])
    toy.actors.yaw_rate[0] = np.nan
    frames, mission = toy.frames(), toy.mission()
    commands, _, _ = toy.fleet.step(frames, mission, empty_received(np.array([7])), toy.t)
    assert np.isfinite(commands.accel).all() and np.isfinite(commands.steer).all()
