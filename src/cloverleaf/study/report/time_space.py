"""Time-space diagram of a corridor: one line per vehicle, smart cars in colour, red phases as bars at the stop lines."""

from __future__ import annotations

import numpy as np

from cloverleaf.study.arms import Strip
from cloverleaf.study.report.svg import ARM_COLOUR, FAINT, INK, RULE, Scale, drawing, element, line, round_ticks, text

WIDTH, HEIGHT = 760.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 8.0, 26.0, 34.0
GAP_S = 2.5  # a longer silence breaks a vehicle's line
WINDOW_S = 600.0  # the last part of a long run


def draw_time_space(strip: Strip, arm: str) -> str:
    """The diagram of one run."""
    if not len(strip.time):
        return ""
    end = float(strip.time.max())
    begin = max(float(strip.time.min()), end - WINDOW_S)
    x = Scale(begin, end, LEFT, WIDTH - RIGHT)
    y = Scale(0.0, strip.length, HEIGHT - BOTTOM, TOP)
    body = _axes(x, y, strip.length)
    bars = []
    for place, since, until in strip.red:
        if until > begin:
            bars.append(line(x(max(since, begin)), y(place), x(until), y(place), stroke="#c23b3b", stroke_width=2.4))
    keep = strip.time >= begin
    paths = {False: _paths(strip, keep & ~strip.smart, x, y), True: _paths(strip, keep & strip.smart, x, y)}
    body += (
        element("path", d=paths[False], fill="none", stroke="#7a808a", stroke_width=0.7, opacity=0.85)
        if paths[False]
        else ""
    )
    body += (
        element("path", d=paths[True], fill="none", stroke=ARM_COLOUR["cloud"], stroke_width=0.95)
        if paths[True]
        else ""
    )
    body += "".join(bars)
    label = f"{arm}"
    body += text(LEFT, 15, label, font_size=13, font_weight=600, fill=ARM_COLOUR.get(arm, INK))
    body += _key(bool(paths[True]))
    return drawing(WIDTH, HEIGHT, body, f"time-space diagram, arm {arm}")


def _axes(x: Scale, y: Scale, length: float) -> str:
    out = []
    for metres in round_ticks(0.0, length, 5):
        out.append(line(LEFT, y(metres), WIDTH - RIGHT, y(metres), stroke=RULE, stroke_width=0.8))
        out.append(text(LEFT - 7, y(metres) + 4, f"{metres:g}", font_size=11, text_anchor="end", fill=FAINT))
    for seconds in round_ticks(x.low, x.high, 8):
        out.append(line(x(seconds), HEIGHT - BOTTOM, x(seconds), HEIGHT - BOTTOM + 4, stroke=FAINT, stroke_width=0.8))
        out.append(
            text(x(seconds), HEIGHT - BOTTOM + 17, f"{seconds:g}", font_size=11, text_anchor="middle", fill=FAINT)
        )
    out.append(text(WIDTH - RIGHT, HEIGHT - 3, "time, s", font_size=11, text_anchor="end", fill=FAINT))
    out.append(text(LEFT - 7, TOP - 9, "m", font_size=11, text_anchor="end", fill=FAINT))
    return "".join(out)


def _key(smart: bool) -> str:
    items = (
        [("#7a808a", "driven by people")]
        + ([(ARM_COLOUR["cloud"], "smart cars")] if smart else [])
        + [("#c23b3b", "red light")]
    )
    out, at = "", WIDTH - RIGHT - 118.0 * len(items)
    for colour, label in items:
        out += line(at, 11, at + 18, 11, stroke=colour, stroke_width=2) + text(
            at + 23, 15, label, font_size=11, fill=FAINT
        )
        at += 118.0
    return out


def _paths(strip: Strip, keep: np.ndarray, x: Scale, y: Scale) -> str:
    """All vehicles of one kind as one path; a gap in time or a jump backwards starts anew."""
    rows = np.flatnonzero(keep)
    rows = rows[np.lexsort((strip.time[rows], strip.trip[rows]))]
    out = []
    before = (-1, -1e9, 0.0)
    for trip, time, place in zip(
        strip.trip[rows].tolist(), strip.time[rows].tolist(), strip.position[rows].tolist(), strict=True
    ):
        joined = trip == before[0] and time - before[1] < GAP_S and place >= before[2] - 1.0
        out.append(f"{'L' if joined else 'M'}{x(time):.1f} {y(place):.1f}")
        before = (trip, time, place)
    return "".join(out)
