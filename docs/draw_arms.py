"""Draws `figures/arms.svg`, what each arm changes against human drivers.

    python docs/draw_arms.py [SUMMARY.json]

With the `summary.json` of a study its measured figures are first put into `figures/arms.json`, with the machine and the command;
without, the picture is drawn again from that file.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from html import escape
from pathlib import Path
from typing import Any

from cloverleaf import __version__
from cloverleaf.study.report.svg import ARM_COLOUR, FAINT, INK, RULE, Scale, drawing, element, line, round_ticks, text

FIGURES = Path(__file__).resolve().parent / "figures"
SHOWN = (
    ("efficient", "person_delay_s", "Delay per person"),
    ("efficient", "stops", "Stops"),
    ("green", "co2_g_per_km", "CO₂ per kilometre"),
    ("civilised", "uncomfortable_time_share", "Uncomfortable time"),
    ("safe", "ttc_below_1_5s_per_1000km", "Near rear-end conflicts"),
    ("safe", "collisions", "Collisions"),
)
WIDTH, LABEL, RIGHT, TOP, ROW = 760.0, 176.0, 64.0, 78.0, 17.0
MOST = 1.0  # share; what reaches farther is cut


def measured(summary: dict[str, Any]) -> dict[str, Any]:
    """What the picture needs of a study's summary, with where it was measured."""
    study, rows = summary["study"], []
    first, *others = study["arms"]
    for word, name, label in SHOWN:
        level = summary["arms"][first][word][name]
        changes = {}
        for arm in others:
            d = summary["differences"][arm][first][name]
            changes[arm] = {"relative": d["relative"], "ci95": d["relative_ci95"], "verdict": d["verdict"]}
        rows.append({"metric": name, "label": label, "unit": level["unit"], first: level["mean"], "change": changes})
    seeds = len(study["seeds"])
    command = f"cloverleaf run --duration {study['duration_s']:g} --seeds {seeds} --arms {','.join(study['arms'])}"
    machine = {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    return {
        "study": study["name"],
        "duration_s": study["duration_s"],
        "seeds": seeds,
        "penetration": study["fleet"]["penetration"],
        "first": first,
        "rows": rows,
        "digest": summary["digest"],
        "wall_s": summary["performance"]["wall_s"],
        "command": command,
        "version": __version__,
        "machine": machine,
    }


def _mark(x: Scale, y: float, arm: str, change: dict[str, Any], label: str) -> str:
    colour, mean, (low, high) = ARM_COLOUR[arm], change["relative"], change["ci95"]
    out = element("title", escape(f"{label}, {arm}: {100 * mean:+.0f} %"))
    if low is not None:
        ends = [x(min(max(v, x.low), x.high)) for v in (low, high)]
        out += line(ends[0], y, ends[1], y, stroke=colour, stroke_width=2)
    clear = change["verdict"] in ("better", "worse")
    fill = colour if clear else "#fff"
    out += element(
        "circle", cx=x(min(max(mean, x.low), x.high)), cy=y, r=4.2, fill=fill, stroke=colour, stroke_width=1.6
    )
    out += text(WIDTH - 8, y + 4, f"{100 * mean:+.0f} %", font_size=12, text_anchor="end", fill=colour)
    return element("g", out)


def draw(data: dict[str, Any]) -> str:
    """The picture as SVG."""
    rows = [r for r in data["rows"] if all(c["relative"] is not None for c in r["change"].values())]
    ends = [abs(v) for r in rows for c in r["change"].values() for v in (c["relative"], *c["ci95"]) if v is not None]
    limit = min(MOST, max(0.05, 1.05 * max(ends)))
    x = Scale(-limit, limit, LABEL + 12, WIDTH - RIGHT)
    arms = list(rows[0]["change"])
    height = TOP + len(rows) * (ROW * len(arms) + 10) + 12
    body = element("rect", x=0, y=0, width=WIDTH, height=height, fill="#fff", rx=6)
    title = f"The same traffic, with one leaf more each time: change against {data['first']} drivers"
    body += text(14, 24, title, font_size=15, font_weight="600", fill=INK)
    about = (
        f"{data['study']}, {data['duration_s']:g} s, {data['seeds']} seeds, {100 * data['penetration']:g} % smart cars; "
        "bars: paired 95 % intervals; filled: excludes zero; left is less"
    )
    body += text(14, 42, about, font_size=11.5, fill=FAINT)
    at = 14.0
    for arm in arms:
        body += element("circle", cx=at + 4, cy=60, r=4.2, fill=ARM_COLOUR[arm])
        body += text(at + 13, 64, f"+ {arm}", font_size=12, fill=ARM_COLOUR[arm])
        at += 40 + 7 * len(arm)
    for tick in round_ticks(x.low, x.high, 6):
        strong = tick == 0
        body += line(
            x(tick), TOP - 8, x(tick), height - 8, stroke=INK if strong else RULE, stroke_width=1.2 if strong else 0.7
        )
        label = "0" if strong else f"{100 * tick:+.0f} %"
        body += text(x(tick), TOP - 13, label, font_size=11, text_anchor="middle", fill=FAINT)
    y = TOP
    for row in rows:
        body += text(LABEL, y + ROW * len(arms) / 2 + 4, row["label"], font_size=13, text_anchor="end", fill=INK)
        for arm, change in row["change"].items():
            body += _mark(x, y + ROW / 2, arm, change, row["label"])
            y += ROW
        y += 10
    svg = drawing(WIDTH, height, element("g", body, font_family="system-ui, sans-serif"), title)
    return svg.replace("<svg ", f'<svg width="{WIDTH:g}" height="{height:g}" ', 1) + "\n"


def main(arguments: list[str]) -> None:
    """Take over a summary if one is named, and draw."""
    FIGURES.mkdir(exist_ok=True)
    data_file = FIGURES / "arms.json"
    if arguments:
        data = measured(json.loads(Path(arguments[0]).read_text(encoding="utf-8")))
        data_file.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (FIGURES / "arms.svg").write_text(draw(json.loads(data_file.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
