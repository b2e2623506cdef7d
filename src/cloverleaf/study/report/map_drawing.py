"""The road network as a drawing, with the busiest corridor marked."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.map.graph import BaseMap, LaneKind
from cloverleaf.study.report.svg import FAINT, INK, drawing, element, line, text

WIDTH, MAX_HEIGHT = 760.0, 470.0
STROKE = {
    LaneKind.CROSSING: "#c9ced4",
    LaneKind.BICYCLE: "#c9b27c",
    LaneKind.BUS: "#b08a8a",
    LaneKind.SIDEWALK: "#e6e9ec",
}
MAX_POINTS = 60_000


def draw_map(base_map: BaseMap, corridor: list[int]) -> str:
    """Lanes to scale, signals as dots, `corridor` (edges) in the accent colour, a scale bar."""
    g = base_map.graph
    if not len(g.point_x):
        return ""
    west, east = float(g.point_x.min()), float(g.point_x.max())
    south, north = float(g.point_y.min()), float(g.point_y.max())
    span_x, span_y = max(east - west, 1.0), max(north - south, 1.0)
    scale = min((WIDTH - 20) / span_x, (MAX_HEIGHT - 40) / span_y)
    height = span_y * scale + 44
    left = (WIDTH - span_x * scale) / 2

    def path(lane: int, step: int) -> str:
        rows = list(range(int(g.lane_point_start[lane]), int(g.lane_point_start[lane + 1])))
        rows = rows[:-1:step] + rows[-1:] if len(rows) > 2 else rows
        return "M" + "L".join(
            f"{left + (g.point_x[p] - west) * scale:.1f} {10 + (north - g.point_y[p]) * scale:.1f}" for p in rows
        )

    step = max(1, math.ceil(len(g.point_x) / MAX_POINTS))
    marked = set(corridor)
    layers: dict[str, list[str]] = {}
    for lane in range(len(g.lane_length)):
        kind = LaneKind(int(g.lane_kind[lane]))
        if kind == LaneKind.WALKING_AREA:
            continue
        accent = int(g.lane_edge[lane]) in marked
        colour = "#1b7f55" if accent else STROKE.get(kind, "#9aa2ab")
        layers.setdefault(colour, []).append(path(lane, step))
    thick = min(max(3.2 * scale, 0.7), 9.0)
    order = sorted(layers, key=lambda c: (c == "#1b7f55", c == "#9aa2ab"))
    body = "".join(
        element(
            "path",
            d="".join(layers[c]),
            fill="none",
            stroke=c,
            stroke_width=thick,
            stroke_linejoin="round",
            opacity=0.9,
        )
        for c in order
    )
    body += _signals(base_map, scale, left, west, north)
    body += _scale_bar(scale, height)
    return drawing(WIDTH, height, body, f"map of {base_map.source}")


def _signals(base_map: BaseMap, scale: float, left: float, west: float, north: float) -> str:
    g = base_map.graph
    links = np.flatnonzero(g.link_signal >= 0)
    dots = []
    for group in np.unique(g.link_signal[links]):
        own = links[g.link_signal[links] == group]
        ends = g.lane_point_start[g.link_from[own] + 1] - 1
        x, y = float(g.point_x[ends].mean()), float(g.point_y[ends].mean())
        dots.append(
            element(
                "circle",
                cx=left + (x - west) * scale,
                cy=10 + (north - y) * scale,
                r=3.6,
                fill="#fff",
                stroke=INK,
                stroke_width=1.4,
            )
        )
    return "".join(dots)


def _scale_bar(scale: float, height: float) -> str:
    metres = next((m for m in (1000, 500, 200, 100, 50, 20, 10) if m * scale <= WIDTH * 0.25), 10)
    x, y = 10.0, height - 12
    end = x + metres * scale
    bar = line(x, y, end, y, stroke=INK, stroke_width=1.2)
    bar += line(x, y - 4, x, y + 4, stroke=INK, stroke_width=1.2) + line(
        end, y - 4, end, y + 4, stroke=INK, stroke_width=1.2
    )
    label = text(end + 8, y + 4, f"{metres} m", font_size=11, fill=INK)
    key = element("circle", cx=end + 74, cy=y, r=3.6, fill="#fff", stroke=INK, stroke_width=1.4)
    key += text(end + 83, y + 4, "signal", font_size=11, fill=FAINT)
    key += line(end + 132, y, end + 156, y, stroke="#1b7f55", stroke_width=3)
    return bar + label + key + text(end + 162, y + 4, "corridor drawn below", font_size=11, fill=FAINT)
