"""The written parts of the report: headline, tables, census, how to reproduce, limits."""

from __future__ import annotations

import math
from html import escape

from cloverleaf import __version__
from cloverleaf.judge.statistics import verdict
from cloverleaf.measure.definitions import BY_NAME, METRICS, WORDS
from cloverleaf.study.config import Arm, Study
from cloverleaf.study.report.figures import NOTHING, THIN, figure, half_width, percent, plain
from cloverleaf.study.report.svg import ARM_COLOUR
from cloverleaf.study.results import SAFETY_NOT_SHOWN, Results, link_summary

HEADLINE = {
    "safe": "ttc_below_1_5s_per_1000km",
    "efficient": "person_delay_s",
    "green": "co2_g_per_km",
    "civilised": "uncomfortable_time_share",
}
"""The metric that speaks for each word on the first screen."""


def intro(study: Study) -> str:
    """What was run, in one sentence."""
    place = study.sumo or study.map or ""
    seeds = len(study.seeds)
    arms = ", ".join(study.arms)
    smart = (
        f"{study.fleet.penetration:.0%} smart cars".replace("%", f"{THIN}%")
        if len(study.arms) > 1
        else "people at the wheel only"
    )
    return (
        f"{escape(place.rsplit('/', 1)[-1])}: {study.duration_s:g}{THIN}s of traffic, {seeds} seed{'s' * (seeds > 1)}, "
        f"arms {escape(arms)}; {smart}, step {study.step_s:g}{THIN}s. "
        + (
            "All arms meet the same trips with the same random numbers, so their differences are paired."
            if len(study.arms) > 1
            else ""
        )
    )


def headline(results: Results) -> str:
    """Four cells: for each word its speaking metric, from the first to the last arm."""
    first, last = results.study.arms[0], results.study.arms[-1]
    cells = []
    for word in WORDS:
        m = BY_NAME[HEADLINE[word]]
        if word == "safe" and not results.safety_shown:
            cells.append(
                f"<div><h3>{word}</h3><p class=big>{NOTHING}</p><small>not shown: the people in this study make no errors</small></div>"
            )
            continue
        level = results.level(last, m.name)
        if first == last:
            cells.append(
                f"<div><h3>{word}</h3><p class=big>{figure(level.mean)}</p><small>{plain(m.label)}, {m.unit}</small></div>"
            )
            continue
        change = results.change(last, m.name, first)
        judged = verdict(results.difference(last, m.name, first), m.better)
        tone = {"better": " good", "worse": " bad"}.get(judged, "")
        span = (
            f"{percent(change.low)} to {percent(change.high)}" if math.isfinite(change.low) else "one seed, no interval"
        )
        # no share of nothing: from zero the two levels themselves
        big = (
            percent(change.mean)
            if math.isfinite(change.mean)
            else f"{_level(results, first, m.name)} → {figure(level.mean)}"
        )
        cells.append(
            f"<div><h3>{word}</h3><p class='big{tone}'>{big}</p>"
            f"<small>{plain(m.label)}<br>{span}{'' if tone else ', unclear' if math.isfinite(change.low) else ''}</small></div>"
        )
    caption = (
        ""
        if first == last
        else f"<p class=note>Change from <b>{first}</b> to <b>{last}</b> with paired 95{THIN}% intervals.</p>"
    )
    return f"<section class=words>{''.join(cells)}</section>{caption}"


def _level(results: Results, arm: Arm, metric: str) -> str:
    return figure(results.level(arm, metric).mean)


def warnings(results: Results) -> str:
    """What must not be overlooked: hidden safety, arms without gain."""
    notes = results.without_gain()
    if not results.safety_shown:
        notes.insert(0, SAFETY_NOT_SHOWN)
    if len(results.study.seeds) == 1:
        notes.append("one seed: no intervals, so nothing can be called better or worse")
    if not notes:
        return ""
    return f"<div class=alert><ul>{''.join(f'<li>{escape(plain(n))}</li>' for n in notes)}</ul></div>"


def main_table(results: Results) -> str:
    """The safe/efficient/green/civilised table."""
    arms = results.study.arms
    first = arms[0]
    spacer = "<span class=mark></span>"
    second = "<th class=beside>actuated</th>" if results.beside else ""
    head = "".join(
        f"<th style='color:{ARM_COLOUR[a]}'>{a.value}{spacer if a != first else ''}</th>{second if a == Arm.HUMAN else ''}"
        for a in arms
    )
    rows, word = [], ""
    for m in results.shown():
        if m.word != word:
            word = m.word
            rows.append(f"<tr class=word><td colspan={len(arms) + 1 + bool(second)}>{word}</td></tr>")
        cells = ""
        for arm in arms:
            level = results.level(arm, m.name)
            judged = verdict(results.difference(arm, m.name, first), m.better) if arm != first else ""
            mark = {"better": "<span class='mark good'>✓</span>", "worse": "<span class='mark bad'>✗</span>"}.get(
                judged, "<span class=mark></span>"
            )
            cells += f"<td>{figure(level.mean)} <span class=half>{half_width(level)}</span>{mark if arm != first else ''}</td>"
            if second and arm == Arm.HUMAN:
                level = results.actuated(m.name)
                cells += f"<td class=beside>{figure(level.mean)} <span class=half>{half_width(level)}</span></td>"
        hidden = "" if not m.hidden else "°"
        rows.append(
            f"<tr title='{escape(m.meaning)}'><td>{plain(m.label)}{hidden} <span class=unit>{m.unit}</span></td>{cells}</tr>"
        )
    compared = (
        f"<span class=good>✓</span> better and <span class=bad>✗</span> worse than {first}: the interval of the paired difference "
        "excludes zero. "
        if len(arms) > 1
        else ""
    )
    return (
        f"<div class=scroll><table><thead><tr><th></th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        f"<p class=note>Means over seeds ± half the 95{THIN}% interval (Student’s t). {compared}"
        f"{ACTUATED if second else ''}"
        "° never seen by the planner. Means per trip count every trip that was due, also those that did not finish or never "
        "could enter, so gridlock cannot look good.</p>"
    )


def link_table(results: Results) -> str:
    """What the link carried, per arm."""
    by_arm = link_summary(results)["arms"]
    if not by_arm:
        return "<p>No arm of this study used the link.</p>"
    body = "".join(
        f"<tr><td style='color:{ARM_COLOUR[arm]}'>{arm}</td><td class=number>{figure(k.get('sent', 0))}</td>"
        f"<td class=number>{figure(k.get('delivered', 0))}</td><td class=number>{_share(k.get('pdr'))}</td>"
        f"<td class=number>{_value(k.get('latency_ms_p99'))}</td><td class=number>{figure(k.get('bytes', 0) / 1e6)}</td></tr>"
        for arm, k in by_arm.items()
    )
    columns = ("messages sent", "delivered", "delivery ratio", "latency p99, ms", "MB on the air")
    head = "".join(f"<th class=number>{c}</th>" for c in columns)
    s = results.study.link
    return (
        f"<table class=text><thead><tr><th>arm</th>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"<p class=note>{escape(s.standard)} over {escape(s.radio)}, security {escape(s.security)}; sums over seeds. "
        "Delivered counts every pair of message and receiver; the delivery ratio counts receivers within 300 m.</p>"
    )


def _share(value: float | None) -> str:
    return NOTHING if value is None else f"{value * 100:.1f}{THIN}%"


def _value(value: float | None) -> str:
    return NOTHING if value is None else figure(value)


def census_table(results: Results) -> str:
    """What of the input is supported, approximated or ignored: everything but plain support by row."""
    counts: dict[str, int] = {}
    for f in results.census:
        counts[f.status] = counts.get(f.status, 0) + 1
    rows = [f for f in results.census if f.status != "supported"]
    shown = sorted(rows, key=lambda f: (f.status != "unsupported", f.status != "approximated", -f.count))[:16]
    total = (
        ", ".join(f"{n} kinds of element {s}" for s, n in sorted(counts.items(), key=lambda c: -c[1]))
        or "no census was made"
    )
    if not shown:
        return f"<p>{total}.</p>"
    body = "".join(
        f"<tr><td>{escape(f.status)}</td><td><code>{escape(f.element)}</code></td><td class=number>{f.count}</td>"
        f"<td>{escape(f.note)}</td><td class=meaning>{escape(f.file.rsplit('/', 1)[-1])}</td></tr>"
        for f in shown
    )
    more = (
        f"<p class=note>{len(rows) - len(shown)} more in <code>summary.json</code>.</p>"
        if len(rows) > len(shown)
        else ""
    )
    return (
        f"<p>{total}. Elements that are not fully supported:</p><div class=scroll>"
        "<table class=text><thead><tr><th>status</th><th>element</th>"
        f"<th class=number>count</th><th>what that means here</th><th>file</th></tr></thead><tbody>{body}</tbody></table></div>{more}"
    )


def definitions_list() -> str:
    """What each metric means."""
    rows = "".join(
        f"<tr><td>{plain(m.label)}</td><td class=meaning>{escape(m.meaning)}</td><td class=meaning><code>{m.name}</code></td></tr>"
        for m in METRICS
    )
    return f"<table class=text><tbody>{rows}</tbody></table>"


def reproduce(results: Results, digest: str) -> str:
    """The commands and the fingerprint."""
    study = results.study
    source = study.sumo or "study.yaml"
    command = f"cloverleaf run {source} --duration {study.duration_s:g} --seeds {len(study.seeds)} --arms {','.join(study.arms)}"
    return (
        f"<pre>pip install cloverleaf=={__version__}\n{escape(command)}</pre>"
        "<p>The full study is the <code>study</code> key of <code>summary.json</code>. "
        "Same study, same seeds, same lock file, operating system and CPU feature level: the same digest, on any number of workers.</p>"
        f"<p class='note digest'>digest <code>{digest}</code></p>"
    )


ACTUATED = "Actuated: the human arm once more, with signals that follow their loops instead of the map’s plan. "
LIMITS = (
    "These are simulated people and cars. Intervals cover the seeds of this study, not the error of its models.",
    "Near conflicts and unsafe distances are surrogates: they rank arms, they do not predict accident numbers.",
    "Rare events such as collisions need far more vehicle kilometres than a few seeds give; a zero is not a proof.",
    "CO₂ and energy are class averages by speed and acceleration; wear, cold starts and gear choice are not modelled.",
    "Arms are cumulative: what a leaf added depends on the leaves before it.",
)


def limits() -> str:
    """What the report cannot say."""
    return f"<ul>{''.join(f'<li>{escape(sentence)}</li>' for sentence in LIMITS)}</ul>"
