"""The arms side by side, for the terminal."""

from __future__ import annotations

import math

from rich.console import Console
from rich.table import Table

from cloverleaf.judge.statistics import Interval, verdict
from cloverleaf.study.results import SAFETY_NOT_SHOWN, Results


def figure(value: float) -> str:
    """Three significant digits, thousands with a thin space, an en dash for nothing."""
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{min(digits, 4)}f}".replace(",", "\u202f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def spread(i: Interval) -> str:
    """Mean and half width of the interval."""
    half = (i.high - i.low) / 2
    return f"{figure(i.mean)} ± {figure(half)}" if math.isfinite(half) else figure(i.mean)


def results_table(results: Results) -> Table:
    """One row per metric, one column per arm; an arrow where the paired interval against the first arm excludes zero."""
    first = results.study.arms[0]
    seeds = len(results.study.seeds)
    table = Table(title=f"{results.study.name}: mean of {seeds} seed{'s' * (seeds > 1)} ± 95 %", title_justify="left")
    table.add_column("")
    table.add_column("unit", style="dim")
    for arm in results.study.arms:
        table.add_column(arm.value, justify="right")
    word = ""
    for m in results.shown():
        if m.word != word:
            word = m.word
            table.add_section()
            table.add_row(f"[bold]{word}[/bold]")
        cells = []
        for arm in results.study.arms:
            text = spread(results.level(arm, m.name))
            judged = verdict(results.difference(arm, m.name, first), m.better) if arm != first else ""
            mark = {"better": " [green]✓[/green]", "worse": " [red]✗[/red]"}.get(judged, "  ")
            cells.append(text + (mark if arm != first else ""))
        table.add_row(f"  {m.label}", m.unit, *cells)
    return table


def print_table(results: Results, console: Console) -> None:
    """The table, then what it does not show and which arms did not improve."""
    console.print(results_table(results))
    if len(results.study.arms) > 1:
        console.print("✓ better, ✗ worse than the first arm: the paired 95 % interval excludes zero", style="dim")
    if not results.safety_shown:
        console.print(SAFETY_NOT_SHOWN)
    for sentence in results.without_gain():
        console.print(sentence)
    if len(results.study.seeds) == 1:
        console.print("one seed: no intervals, so nothing can be called better or worse")
