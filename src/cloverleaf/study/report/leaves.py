"""What each leaf added: the difference between successive arms, for one metric of each word and a few more."""

from __future__ import annotations

import math
from itertools import pairwise

from cloverleaf.measure.definitions import BY_NAME
from cloverleaf.study.report.figures import figure, plain, signed
from cloverleaf.study.report.svg import ARM_COLOUR, FAINT, INK, RULE, Scale, drawing, element, line, text
from cloverleaf.study.results import Results

SHOWN = (
    "ttc_below_1_5s_per_1000km",
    "person_delay_s",
    "stops",
    "co2_g_per_km",
    "uncomfortable_time_share",
    "box_blocking_s",
)
WIDTH, PANEL_H, COLUMNS = 760.0, 150.0, 3


def draw_leaves(results: Results) -> str:
    """Small waterfalls: the first arm's level, then what each further arm changed, with the paired interval."""
    names = [n for n in SHOWN if results.safety_shown or BY_NAME[n].word != "safe"]
    names = [n for n in names if all(math.isfinite(results.level(a, n).mean) for a in results.study.arms)]
    if len(results.study.arms) < 2 or not names:
        return ""
    rows = math.ceil(len(names) / COLUMNS)
    width = WIDTH / COLUMNS
    body = "".join(
        element(
            "g",
            _panel(results, name, width - 22),
            transform=f"translate({(i % COLUMNS) * width:.1f} {(i // COLUMNS) * PANEL_H:.1f})",
        )
        for i, name in enumerate(names)
    )
    return drawing(WIDTH, rows * PANEL_H, body, "what each leaf added")


def _panel(results: Results, name: str, width: float) -> str:
    metric, arms = BY_NAME[name], results.study.arms
    levels = [results.level(arm, name).mean for arm in arms]
    top, bottom = 46.0, PANEL_H - 34.0
    y = Scale(0.0, max(*levels, 1e-12) * 1.12, bottom, top + 5.0)
    slot = width / len(arms)
    out = text(0, 14, plain(metric.label), font_size=12, font_weight=600, fill=INK)
    out += text(0, 28, metric.unit, font_size=10.5, fill=FAINT)
    out += line(0, bottom, width, bottom, stroke=RULE, stroke_width=1)
    for i, arm in enumerate(arms):
        x, colour = i * slot + slot * 0.16, ARM_COLOUR[arm.value]
        if i == 0:
            shape = element(
                "rect", x=x, y=y(levels[0]), width=slot * 0.68, height=bottom - y(levels[0]), fill=colour, opacity=0.85
            )
            label = figure(levels[0])
        else:
            high, low = max(levels[i - 1], levels[i]), min(levels[i - 1], levels[i])
            shape = element(
                "rect", x=x, y=y(high), width=slot * 0.68, height=max(y(low) - y(high), 1.2), fill=colour, opacity=0.85
            )
            label = signed(levels[i] - levels[i - 1])
            shape += _whisker(results, name, i, x + slot * 0.34, y)
        out += shape + text(
            x + slot * 0.34,
            top - 1,
            label,
            font_size=10.5,
            text_anchor="middle",
            fill=INK,
        )
        out += text(x + slot * 0.34, bottom + 14, arm.value, font_size=10.5, text_anchor="middle", fill=colour)
    for i, (_, b) in enumerate(pairwise(range(len(arms)))):
        level = levels[i]
        out += line(i * slot + slot * 0.84, y(level), b * slot + slot * 0.16, y(level), stroke=FAINT, stroke_width=0.6)
    return out


def _whisker(results: Results, name: str, i: int, x: float, y: Scale) -> str:
    """The paired 95 % interval of the change, around the new level."""
    arms = results.study.arms
    d = results.difference(arms[i], name, arms[i - 1])
    if not math.isfinite(d.low):
        return ""
    before = results.level(arms[i - 1], name).mean
    low, high = max(before + d.low, y.low), min(before + d.high, y.high)
    return line(x, y(low), x, y(high), stroke=INK, stroke_width=1) if high > low else ""
