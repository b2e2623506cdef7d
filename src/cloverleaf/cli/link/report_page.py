"""The page of `link report`: self-contained HTML with drawings."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from cloverleaf.study.report.style import CSS
from cloverleaf.study.report.svg import FAINT, INK, RULE, Scale, drawing, element, line, round_ticks, text

WIDTH, HEIGHT = 760.0, 300.0
MEASURED, MODEL = "#2f6db3", "#b3372f"
LEFT, RIGHT, TOP, BOTTOM = 48.0, 12.0, 14.0, 40.0


def page(data: dict[str, Any]) -> str:
    """The whole page."""
    parts = [f"<p class='lead'>{escape(_lead(data))}</p>"]
    parts += [f"<p class='note'>Note: {escape(note)}.</p>" for note in data["notes"]]
    if data["pdr_by_distance"]:
        caption = "Share of messages received by distance, with 95 % Wilson intervals" + (
            "; the line is the fitted radio model." if data["fit"] else "."
        )
        parts.append(_figure("Delivery against distance", _delivery(data), caption))
    if data["fit"]:
        parts.append(f"<h2>Radio model</h2>{_fit(data['fit'])}")
    for key, name, meaning in (
        ("gap_s", "Gap between packets", "Time between two messages received from the same sender."),
        ("age_s", "Age of information", "Age of the newest information about a sender, sampled every 10 ms."),
        ("latency_s", "Latency", "From the sender's capture to the receiver's; only as good as the two clocks agree."),
    ):
        if data[key]:
            parts.append(_figure(name, _histogram(data[key], name), meaning + _quantiles(data[key])))
    facts = {k: v for k, v in data.items() if k not in ("pdr_by_distance", "fit") and not isinstance(v, dict)}
    parts.append(f"<h2>Figures</h2><pre>{escape(json.dumps(facts, indent=1))}</pre>")
    title = f"{data['tx']} to {data['rx']}"
    head = f"<header><p class='kind'>Link report</p><h1>{escape(title)}</h1></header>"
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{escape(title)}</title><style>{CSS}</style></head>"
        f"<body><main>{head}{''.join(parts)}</main></body></html>\n"
    )


def _lead(data: dict[str, Any]) -> str:
    bursts = data["bursts"]
    return (
        f"{data['received']} of {data['sent']} messages were received ({100 * data['pdr']:.1f} %), from {data['senders']} "
        f"sender{'s' if data['senders'] != 1 else ''} in {data['duration_s']:.1f} s; the longest run of losses was "
        f"{bursts['longest']}, runs of losses last {bursts['mean']:.2f} messages on average "
        f"({bursts['independent_mean']:.2f} if losses were independent and as likely everywhere)."
    )


def _figure(title: str, svg: str, caption: str) -> str:
    return f"<h2>{escape(title)}</h2><figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def _axes(x: Scale, y: Scale, unit: str) -> str:
    out = line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, stroke=INK)
    for tick in round_ticks(x.low, x.high, 8):
        out += text(x(tick), HEIGHT - BOTTOM + 16, f"{tick:g}", font_size=11, text_anchor="middle", fill=FAINT)
    for tick in round_ticks(y.low, y.high):
        out += line(LEFT, y(tick), WIDTH - RIGHT, y(tick), stroke=RULE)
        out += text(LEFT - 6, y(tick) + 4, f"{tick:g}", font_size=11, text_anchor="end", fill=FAINT)
    return out + text(WIDTH - RIGHT, HEIGHT - 6, unit, font_size=11, text_anchor="end", fill=FAINT)


def _delivery(data: dict[str, Any]) -> str:
    rows = data["pdr_by_distance"]
    x = Scale(0.0, max(r["to_m"] for r in rows), LEFT, WIDTH - RIGHT)
    y = Scale(0.0, 1.0, HEIGHT - BOTTOM, TOP)
    out = _axes(x, y, "distance in m")
    if data["fit"]:
        points = " ".join(f"{x(d):.1f},{y(p):.1f}" for d, p in data["fit"]["curve"])
        out += element("polyline", points=points, fill="none", stroke=MODEL, stroke_width=1.6)
    for r in rows:
        at = x(0.5 * (r["from_m"] + r["to_m"]))
        out += line(at, y(r["low"]), at, y(r["high"]), stroke=MEASURED)
        label = element("title", f"{r['from_m']:g} to {r['to_m']:g} m: {r['received']:g} of {r['sent']:g}")
        out += element("circle", label, cx=at, cy=y(r["pdr"]), r=3.2, fill=MEASURED)
    return drawing(WIDTH, HEIGHT, out, "delivery ratio against distance")


def _histogram(row: dict[str, Any], name: str) -> str:
    edges, counts = [1e3 * e for e in row["histogram"]["edges"]], row["histogram"]["counts"]
    x = Scale(edges[0], edges[-1], LEFT, WIDTH - RIGHT)
    y = Scale(0.0, float(max(counts) or 1), HEIGHT - BOTTOM, TOP)
    out = _axes(x, y, "ms")
    for low, high, n in zip(edges, edges[1:], counts):
        if n:
            out += element(
                "rect", x=x(low), y=y(n), width=max(x(high) - x(low) - 0.6, 0.4), height=y(0) - y(n), fill=MEASURED
            )
    return drawing(WIDTH, HEIGHT, out, name)


def _quantiles(row: dict[str, Any]) -> str:
    mean, median, high, extreme = (1e3 * row[key] for key in ("mean", "p50", "p95", "p99"))
    return f" Mean {mean:.1f} ms, median {median:.1f}, 95 % {high:.1f}, 99 % {extreme:.1f}, n = {row['n']}."


def _fit(fit: dict[str, Any]) -> str:
    (p0, p1), (b0, b1) = fit["power_dbm_95"], fit["channel_busy_95"]
    return (
        f"<p>The {escape(fit['radio'])} model of the simulation fits best with an equivalent power of {fit['power_dbm']:g} dBm "
        f"({p0:g} to {p1:g}) and a channel busy ratio of {fit['channel_busy']:g} ({b0:g} to {b1:g}); root mean square "
        f"error {fit['rmse']:.3f}, {fit['misfit']:.3f} of it beyond chance. "
        "The power contains cable, antenna and obstruction losses. The two parameters explain losses at different distances: power moves "
        "the edge, load lowers the plateau in front of it.</p>"
    )
