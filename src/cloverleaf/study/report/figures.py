"""Numbers as a reader wants them: three digits, true minus signs, thin spaces."""

from __future__ import annotations

import math

from cloverleaf.judge.statistics import Interval

MINUS, THIN, NOTHING = "\u2212", "\u202f", "\u2013"


def figure(value: float, significant: int = 3) -> str:
    """Three significant digits; an en dash where there is nothing."""
    if not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    digits = 0 if value == round(value) else max(0, min(4, significant - 1 - math.floor(math.log10(abs(value)))))
    shown = f"{abs(value):,.{digits}f}".replace(",", THIN)
    if "." in shown and abs(value) >= 1000:
        shown = shown.split(".")[0]
    return (MINUS if value < 0 else "") + shown


def signed(value: float) -> str:
    """With an explicit sign."""
    return ("+" if value > 0 else "") + figure(value)


def percent(share: float) -> str:
    """A signed share in per cent."""
    if not math.isfinite(share):
        return NOTHING
    value = share * 100
    digits = 0 if abs(value) >= 10 else 1
    return f"{'+' if value > 0 else MINUS if value < 0 else ''}{abs(value):.{digits}f}{THIN}%"


def half_width(i: Interval) -> str:
    """± half the interval, or nothing with a single seed."""
    return f"± {figure((i.high - i.low) / 2, 2)}" if math.isfinite(i.low) else ""


def plain(text: str) -> str:
    """CO2 with its subscript."""
    return text.replace("CO2", "CO\u2082")
