"""SVG by hand: elements as text, linear scales, round ticks."""

from __future__ import annotations

import math
from html import escape
from typing import NamedTuple

ARM_COLOUR = {"human": "#7a808a", "car": "#2f6db3", "road": "#b9770e", "cloud": "#1b7f55"}
INK, FAINT, RULE = "#1c2024", "#6b727b", "#dfe3e8"


def element(name: str, content: str = "", /, **attributes: object) -> str:
    """One element; `_` in attribute names becomes `-`, a trailing `_` is dropped (class_)."""
    pairs = "".join(
        f' {k.rstrip("_").replace("_", "-")}="{escape(_text(v))}"' for k, v in attributes.items() if v is not None
    )
    return f"<{name}{pairs}>{content}</{name}>" if content else f"<{name}{pairs}/>"


def _text(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def text(x: float, y: float, content: str, **attributes: object) -> str:
    """A text element with escaped content."""
    return element("text", escape(content), x=x, y=y, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, **attributes: object) -> str:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **attributes)


def drawing(width: float, height: float, content: str, title: str) -> str:
    """A figure that scales with the page; `title` is read aloud."""
    name = element("title", escape(title))
    return element(
        "svg", name + content, viewBox=f"0 0 {width:g} {height:g}", role="img", xmlns="http://www.w3.org/2000/svg"
    )


class Scale(NamedTuple):
    """Linear map of [low, high] to [begin, end]."""

    low: float
    high: float
    begin: float
    end: float

    def __call__(self, value: float) -> float:
        span = (self.high - self.low) or 1.0
        return self.begin + (value - self.low) / span * (self.end - self.begin)


def round_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Ticks at 1, 2 or 5 times a power of ten within [low, high]."""
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return [low]
    rough = span / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]
