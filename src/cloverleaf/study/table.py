"""The arms side by side, for the terminal."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cloverleaf.judge.statistics import Interval, verdict
from cloverleaf.study.config import Arm
from cloverleaf.study.report.figures import figure, half_width
from cloverleaf.study.results import SAFETY_NOT_SHOWN, Results

ROOM = 92  # columns from which the actuated baseline has one of its own
WIDE = 112  # columns from which the units and intervals fit beside the means


def results_table(results: Results, width: int = WIDE) -> Table:
    """One row per metric, one column per arm; a mark where the paired interval against the first arm excludes zero."""
    first = results.study.arms[0]
    seeds = len(results.study.seeds)
    table = Table(
        title=f"{results.study.name}: mean of {seeds} seed{'s' * (seeds > 1)} ± 95 %",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("", no_wrap=True)
    if width >= WIDE:
        table.add_column("unit", style="dim", no_wrap=True)
    beside = bool(results.beside) and width >= ROOM
    for arm in results.study.arms:
        table.add_column(arm.value, justify="right", no_wrap=True)
        if arm == Arm.HUMAN and beside:
            table.add_column("actuated", justify="right", no_wrap=True, style="dim")
    word = ""
    for m in results.shown():
        if m.word != word:
            word = m.word
            table.add_section()
            table.add_row(f"[bold]{word}[/bold]")
        cells = []
        for arm in results.study.arms:
            level = results.level(arm, m.name)
            text = _cell(level, width)
            judged = verdict(results.difference(arm, m.name, first), m.better) if arm != first else ""
            mark = {"better": " [green]✓[/green]", "worse": " [red]✗[/red]"}.get(judged, "  ")
            cells.append(text + (mark if arm != first else ""))
            if arm == Arm.HUMAN and beside:
                cells.append(_cell(results.actuated(m.name), width))
        units = [m.unit] if width >= WIDE else []
        table.add_row(f"  {m.label}", *units, *cells)
    return table


def _cell(level: Interval, width: int) -> str:
    return f"{figure(level.mean)} {half_width(level)}".rstrip() if width >= WIDE else figure(level.mean)


def print_table(results: Results, console: Console) -> None:
    """The table, then what it does not show and which arms did not improve."""
    console.print(results_table(results, console.width))
    if len(results.study.arms) > 1:
        console.print("✓ better, ✗ worse than the first arm: the paired 95 % interval excludes zero", style="dim")
    if results.beside:
        console.print(
            "actuated: people only, with signals that follow their loops instead of the map's plan", style="dim"
        )
    if not results.safety_shown:
        console.print(SAFETY_NOT_SHOWN)
    for sentence in results.without_gain():
        console.print(sentence)
    if len(results.study.seeds) == 1:
        console.print("one seed: no intervals, so nothing can be called better or worse")
