"""Reads CommonRoad XML of 2018b and 2020a, plain or compressed (.gz, .xz). Errors name file, line and element."""

from __future__ import annotations

import gzip
import itertools
import lzma
import math
from pathlib import Path
from typing import Any

import numpy as np
from lxml import etree

from cloverleaf.scenario.commonroad.model import Goal, Lanelet, PlanningTask, Start
from cloverleaf.types.errors import ScenarioError
from cloverleaf.types.state import F64

VERSIONS = ("2018b", "2020a")
CIRCLE = 24
"""Corners of the polygon that stands for a round goal; it lies inside the circle."""
_OPEN = {".gz": gzip.open, ".xz": lzma.open}


class _Reader:
    """One file. Every error it raises knows where it stands."""

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            with _OPEN.get(file.suffix, open)(file, "rb") as stream:  # type: ignore[operator]
                self.root = etree.fromstring(stream.read(), etree.XMLParser(resolve_entities=False, huge_tree=True))
        except (OSError, EOFError, lzma.LZMAError) as error:
            raise ScenarioError(f"cannot be read: {error}", file=file) from error
        except etree.XMLSyntaxError as error:
            raise ScenarioError(f"not well-formed: {error.msg}", file=file, line=error.lineno) from error
        if self.root.tag != "commonRoad" or self.root.get("commonRoadVersion") not in VERSIONS:
            raise self.wrong(self.root, "not a CommonRoad scenario of 2018b or 2020a")

    def wrong(self, at: etree._Element, message: str) -> ScenarioError:
        return ScenarioError(message, file=self.file, line=at.sourceline, element=str(at.tag))

    def number(self, at: etree._Element, path: str) -> float:
        """A finite number below `at`; the middle of an interval where one is given."""
        found = at.find(path)
        if found is None:
            raise self.wrong(at, f"'{path}' is missing")
        exact = found.find("exact")
        if exact is None and found.find("intervalStart") is not None:
            return 0.5 * (self.number(found, "intervalStart") + self.number(found, "intervalEnd"))
        text = (exact if exact is not None else found).text
        try:
            value = float(text or "")
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.wrong(found, f"not a number: {text!r}")
        return value

    def interval(self, at: etree._Element, name: str) -> tuple[float, float] | None:
        """Bounds of an interval or of an exact value; None where it is absent."""
        found = at.find(name)
        if found is None:
            return None
        if found.find("exact") is not None:
            value = self.number(at, name)
            return value, value
        return self.number(found, "intervalStart"), self.number(found, "intervalEnd")

    def points(self, at: etree._Element) -> F64:
        """Points below `at`, (n, 2)."""
        found = [(self.number(p, "x"), self.number(p, "y")) for p in at.findall("point")]
        if len(found) < 2:
            raise self.wrong(at, "fewer than two points")
        return np.array(found)

    def lanelet(self, e: etree._Element) -> Lanelet:
        left, right = e.find("leftBound"), e.find("rightBound")
        if left is None or right is None:
            raise self.wrong(e, "a lanelet needs both bounds")
        a, b = self.points(left), self.points(right)
        beside = [
            s for s in ("adjacentLeft", "adjacentRight") for s in e.findall(s) if s.get("drivingDir", "same") == "same"
        ]
        return Lanelet(
            self.reference(e, "id"), a, b, *middle(a, b),
            tuple(self.reference(s, "ref") for s in e.findall("successor")),
            tuple(self.reference(s, "ref") for s in e.findall("predecessor")),
            tuple(self.reference(s, "ref") for s in beside),
        )  # fmt: skip

    def reference(self, e: etree._Element, name: str) -> int:
        try:
            return int(e.get(name, ""))
        except ValueError:
            raise self.wrong(e, f"'{name}' is not a number") from None

    def polygons(self, at: etree._Element, lanelets: dict[int, Lanelet]) -> tuple[list[F64], list[int]]:
        """Shapes below a goal's position, and the lanelets named there."""
        out, named = [], []
        for shape in at:
            if shape.tag == "rectangle":
                x, y, heading, half_length, half_width = self.rectangle(shape)
                out.append(corners(x, y, heading, half_length, half_width))
            elif shape.tag == "circle":
                x, y, radius = (
                    self.number(shape, "center/x"),
                    self.number(shape, "center/y"),
                    self.number(shape, "radius"),
                )
                angle = np.arange(CIRCLE) * (2 * math.pi / CIRCLE)
                out.append(np.column_stack((x + radius * np.cos(angle), y + radius * np.sin(angle))))
            elif shape.tag == "polygon":
                out.append(self.points(shape))
            elif shape.tag == "lanelet":
                number = self.reference(shape, "ref")
                if number not in lanelets:
                    raise self.wrong(shape, f"no lanelet {number}")
                out.append(lanelets[number].polygon())
                named.append(number)
            elif shape.tag == "point":
                raise self.wrong(shape, "a goal of one point cannot be reached")
        return out, named

    def rectangle(self, e: etree._Element) -> tuple[float, float, float, float, float]:
        """x, y, heading, half length, half width."""
        inside = e.find("center") is not None
        x, y = (self.number(e, "center/x"), self.number(e, "center/y")) if inside else (0.0, 0.0)
        heading = self.number(e, "orientation") if e.find("orientation") is not None else 0.0
        return x, y, heading, 0.5 * self.number(e, "length"), 0.5 * self.number(e, "width")

    def shape_box(self, at: etree._Element) -> tuple[float, float, float, float, float]:
        """The box around all shapes below `at`, in their frame."""
        boxes = []
        for shape in at:
            if shape.tag == "rectangle":
                boxes.append(self.rectangle(shape))
            elif shape.tag == "circle":
                has = shape.find("center") is not None
                x, y = (self.number(shape, "center/x"), self.number(shape, "center/y")) if has else (0.0, 0.0)
                radius = self.number(shape, "radius")
                boxes.append((x, y, 0.0, radius, radius))
            elif shape.tag == "polygon":
                boxes.append(box_around(self.points(shape)))
        if not boxes:
            raise self.wrong(at, "no shape that is known")
        return boxes[0] if len(boxes) == 1 else box_around(np.vstack([corners(*b) for b in boxes]))

    def shape_boxes(self, at: etree._Element) -> list[tuple[float, ...]]:
        """Boxes that together cover the shapes below `at`; polygons in slices, because a set of reachable places is rarely a box."""
        polygons = at.findall("polygon")
        if len(polygons) < len(at):
            return [self.shape_box(at)]
        return [box for polygon in polygons for box in sliced(self.points(polygon))]

    def obstacle(self, e: etree._Element) -> tuple[dict[int, list[tuple[float, ...]]], bool]:
        """Boxes by time step, and whether the first of them hold for all steps."""
        moving = e.tag == "dynamicObstacle" or (e.findtext("role") or "").strip() == "dynamic"
        shape = e.find("shape")
        boxes: dict[int, list[tuple[float, ...]]] = {}
        if shape is not None:
            body = self.shape_box(shape)
            first = e.find("initialState")
            if first is None:
                raise self.wrong(e, "an obstacle needs an initial state")
            states = [first, *e.findall("trajectory/state")]
            for state in states:
                step = 0 if state.find("time") is None else round(self.number(state, "time"))
                boxes[step] = [placed(body, *self.pose(state))]
        for occupancy in e.findall("occupancySet/occupancy"):
            where = occupancy.find("shape")
            if where is not None:
                boxes[round(self.number(occupancy, "time"))] = self.shape_boxes(where)
        return boxes, not moving

    def pose(self, state: etree._Element) -> tuple[float, float, float]:
        """Position and heading; of an area its middle."""
        at = state.find("position")
        if at is None:
            raise self.wrong(state, "a state without a position")
        if at.find("point") is not None:
            x, y = self.number(at, "point/x"), self.number(at, "point/y")
        else:
            x, y = self.shape_box(at)[:2]
        return x, y, self.number(state, "orientation") if state.find("orientation") is not None else 0.0

    def goal(self, e: etree._Element, lanelets: dict[int, Lanelet]) -> Goal:
        time = self.interval(e, "time")
        if time is None:
            raise self.wrong(e, "a goal needs a time")
        at = e.find("position")
        polygons, named = self.polygons(at, lanelets) if at is not None else ([], [])
        first, last = math.ceil(time[0]), math.floor(time[1])
        heading, speed = self.interval(e, "orientation"), self.interval(e, "velocity")
        return Goal(first, last, tuple(polygons), tuple(named), heading, speed)


def read_planning_tasks(file: Path) -> list[PlanningTask]:
    """All planning problems of a file. Raises ScenarioError."""
    r = _Reader(file)
    lanelets = {found.id: found for found in map(r.lanelet, r.root.findall("lanelet"))}
    if not lanelets:
        raise r.wrong(r.root, "no lanelets")
    obstacles = [
        r.obstacle(e) for tag in ("obstacle", "dynamicObstacle", "staticObstacle") for e in r.root.findall(tag)
    ]
    tasks = []
    for problem in r.root.findall("planningProblem"):
        first = problem.find("initialState")
        goals = tuple(r.goal(e, lanelets) for e in problem.findall("goalState"))
        if first is None or not goals:
            raise r.wrong(problem, "a planning problem needs an initial state and a goal")
        x, y, heading = r.pose(first)
        yaw = r.number(first, "yawRate") if first.find("yawRate") is not None else 0.0
        start = Start(round(r.number(first, "time")), x, y, heading, r.number(first, "velocity"), yaw)
        last = max(goal.last for goal in goals)
        box = box_table(obstacles, last + 1)
        tasks.append(
            PlanningTask(
                r.root.get("benchmarkID", file.name), r.root.get("commonRoadVersion", ""), r.reference(problem, "id"),
                float(r.root.get("timeStepSize", "0.1")), lanelets, box, start, goals,
            )
        )  # fmt: skip
    if not tasks:
        raise r.wrong(r.root, "no planning problem")
    return tasks


def box_table(obstacles: list[tuple[dict[int, list[tuple[float, ...]]], bool]], steps: int) -> F64:
    """(steps, boxes, 5), NaN where there are fewer; an obstacle takes as many columns as it ever has boxes."""
    widths = [max((len(b) for b in boxes.values()), default=0) for boxes, _ in obstacles]
    out = np.full((max(steps, 1), sum(widths), 5), np.nan)
    column = 0
    for (boxes, still), width in zip(obstacles, widths, strict=True):
        if still and boxes:
            first = boxes[min(boxes)]
            out[:, column : column + len(first)] = first
        for step, found in boxes.items():
            if 0 <= step < len(out):
                out[step, column : column + len(found)] = found
        column += width
    return out


def sliced(points: F64, slices: int = 8) -> list[tuple[float, ...]]:
    """Boxes that cover a polygon (n, 2): one if it nearly is one, else slices across the long side of the box around it."""
    x, y, heading, half_length, half_width = whole = box_around(points)
    if half_width > half_length:
        heading, half_length, half_width = heading + 0.5 * math.pi, half_width, half_length
    a, b = points, np.roll(points, -1, axis=0)
    area = 0.5 * abs(float((a[:, 0] * b[:, 1] - b[:, 0] * a[:, 1]).sum()))
    if area > 0.9 * 4.0 * half_length * half_width:
        return [whole]
    c, s = math.cos(heading), math.sin(heading)
    local = (points - (x, y)) @ np.array([[c, -s], [s, c]])
    edges = np.linspace(-half_length, half_length, slices + 1)
    nexts = np.roll(local, -1, axis=0)
    out: list[tuple[float, ...]] = []
    for low, high in itertools.pairwise(edges):
        sides = list(local[(local[:, 0] >= low) & (local[:, 0] <= high), 1])
        for cut in (low, high):
            for p, q in zip(local, nexts):
                if (p[0] > cut) != (q[0] > cut):
                    sides.append(p[1] + (cut - p[0]) / (q[0] - p[0]) * (q[1] - p[1]))
        if sides:
            u, v = 0.5 * (low + high), 0.5 * (min(sides) + max(sides))
            half = 0.5 * (max(sides) - min(sides))
            out.append((x + c * u - s * v, y + s * u + c * v, heading, 0.5 * (high - low), half))
    return out


def corners(x: float, y: float, heading: float, half_length: float, half_width: float) -> F64:
    """Corners of a box, (4, 2), anticlockwise."""
    c, s = math.cos(heading), math.sin(heading)
    local = np.array(
        [[-half_length, -half_width], [half_length, -half_width], [half_length, half_width], [-half_length, half_width]]
    )
    return local @ np.array([[c, s], [-s, c]]) + (x, y)


def placed(body: tuple[float, float, float, float, float], x: float, y: float, heading: float) -> tuple[float, ...]:
    """A box of the body frame at a pose."""
    c, s = math.cos(heading), math.sin(heading)
    return (x + c * body[0] - s * body[1], y + s * body[0] + c * body[1], heading + body[2], body[3], body[4])


def box_around(points: F64) -> tuple[float, float, float, float, float]:
    """The smallest box around points, by trying the directions of their hull: x, y, heading, half length, half width."""
    from scipy.spatial import ConvexHull, QhullError

    try:
        hull: Any = points[ConvexHull(points).vertices]
    except QhullError:
        hull = points
    best = (math.inf, (0.0,) * 5)
    for a, b in zip(hull, np.roll(hull, -1, axis=0)):
        heading = math.atan2(b[1] - a[1], b[0] - a[0])
        c, s = math.cos(heading), math.sin(heading)
        turned = hull @ np.array([[c, -s], [s, c]])
        low, high = turned.min(0), turned.max(0)
        half, mid = 0.5 * (high - low), 0.5 * (high + low)
        if half[0] * half[1] < best[0]:
            best = (half[0] * half[1], (c * mid[0] - s * mid[1], s * mid[0] + c * mid[1], heading, half[0], half[1]))
    return tuple(float(v) for v in best[1])  # type: ignore[return-value]


def middle(left: F64, right: F64) -> tuple[F64, F64]:
    """Centre line between two bounds, at equal shares of their lengths, (m, 2), and half of their distance, (m,)."""
    count = max(len(left), len(right), 2)

    def along(line: F64) -> F64:
        length = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))))
        at = np.linspace(0.0, length[-1], count)
        return np.column_stack((np.interp(at, length, line[:, 0]), np.interp(at, length, line[:, 1])))

    a, b = (left, right) if len(left) == len(right) else (along(left), along(right))
    return 0.5 * (a + b), 0.5 * np.hypot(*(a - b).T)
