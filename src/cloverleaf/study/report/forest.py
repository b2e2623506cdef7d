"""Paired differences to the first arm as a forest plot: a dot and its 95 % interval per metric and arm, in per cent."""

from __future__ import annotations

import math
from html import escape

from cloverleaf.judge.statistics import Interval
from cloverleaf.study.report.figures import percent, plain
from cloverleaf.study.report.svg import ARM_COLOUR, FAINT, INK, RULE, Scale, drawing, element, line, round_ticks, text
from cloverleaf.study.results import Results

WIDTH, LABEL, RIGHT = 760.0, 214.0, 70.0
ROW, TOP = 15.0, 34.0
LIMIT = 1.0  # at most +-100 % is drawn; beyond it an arrow head says so
LEFT_OUT = {"inserted", "arrived", "co2_kg", "energy_mj", "energy_mj_per_km"}  # they repeat a neighbour


def draw_forest(results: Results) -> str:
    """One block per metric that has a finite relative difference, one line per arm."""
    arms = results.study.arms
    blocks = []
    for m in results.shown():
        rows = [(arm.value, results.change(arm, m.name, arms[0])) for arm in arms[1:]]
        rows = [(arm, i) for arm, i in rows if math.isfinite(i.mean)]
        if rows and m.better and m.name not in LEFT_OUT:
            blocks.append((m, rows))
    if not blocks:
        return ""
    ends = sorted(
        max(abs(v) for v in (i.mean, i.low, i.high) if math.isfinite(v)) for _, rows in blocks for _, i in rows
    )
    # four of five intervals fit; the rest are cut with an arrow head
    limit = min(LIMIT, max(0.05, ends[int(0.8 * (len(ends) - 1))] * 1.06))
    x = Scale(-limit, limit, LABEL + 8, WIDTH - RIGHT)
    height = TOP + sum(ROW * len(rows) + 9 for _, rows in blocks) + 10
    body, y = _axis(x, height) + _key([arm.value for arm in arms[1:]]), TOP
    for m, rows in blocks:
        middle = y + ROW * len(rows) / 2
        body += text(LABEL, middle + 4, plain(m.label), font_size=12, text_anchor="end", fill=INK)
        arrow = "less is better" if m.better < 0 else "more is better"
        for arm, i in rows:
            body += _mark(x, y + ROW / 2, arm, i, f"{m.label}, {arm}: {percent(i.mean)} ({arrow})")
            body += text(
                WIDTH - 4, y + ROW / 2 + 4, percent(i.mean), font_size=11, text_anchor="end", fill=ARM_COLOUR[arm]
            )
            y += ROW
        y += 9
        body += line(LABEL + 8, y - 4.5, WIDTH - RIGHT, y - 4.5, stroke=RULE, stroke_width=0.6)
    return drawing(WIDTH, height, body, "differences to the first arm with 95 % intervals")


def _key(arms: list[str]) -> str:
    """Which colour is which arm, above the labels."""
    out, at = "", 0.0
    for arm in arms:
        out += element("circle", cx=at + 4, cy=TOP - 16, r=3.7, fill=ARM_COLOUR[arm])
        out += text(at + 12, TOP - 12, arm, font_size=11, fill=ARM_COLOUR[arm])
        at += 26.0 + 6.4 * len(arm)
    return out


def _axis(x: Scale, height: float) -> str:
    out = ""
    for tick in round_ticks(x.low, x.high, 7):
        zero = tick == 0
        out += line(
            x(tick), TOP - 6, x(tick), height - 8, stroke=INK if zero else RULE, stroke_width=1.0 if zero else 0.6
        )
        out += text(x(tick), TOP - 12, "0" if zero else percent(tick), font_size=11, text_anchor="middle", fill=FAINT)
    return out


def _mark(x: Scale, y: float, arm: str, i: Interval, title: str) -> str:
    colour = ARM_COLOUR[arm]
    out = ""
    if math.isfinite(i.low):
        low, high = max(i.low, x.low), min(i.high, x.high)
        if low < high:
            out += line(x(low), y, x(high), y, stroke=colour, stroke_width=1.6)
        for cut, end, way in ((i.low < x.low, x.low, -1), (i.high > x.high, x.high, 1)):
            if cut:
                out += element("path", d=f"M{x(end):.1f} {y:.1f}l{-5 * way} -3.4v6.8z", fill=colour)
    if x.low <= i.mean <= x.high:
        clear = math.isfinite(i.low) and (i.low > 0 or i.high < 0)
        out += element(
            "circle", cx=x(i.mean), cy=y, r=3.7, fill=colour if clear else "#fff", stroke=colour, stroke_width=1.5
        )
    return element("g", element("title", escape(title)) + out)
