"""Draws docs/charts/engine.svg from docs/charts/engine.json; with --measure it first measures anew on this machine.

python tools/charts/engine.py [--measure] [--data DIR]
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "charts"
WIDTH, LEFT, ROW = 720, 250, 30
LEAST, MOST = 1e3, 2e7  # agent-steps/s at the ends of the axis


def measured(data: Path | None) -> dict[str, object]:
    """Figures of `cloverleaf bench engine`."""
    from cloverleaf.cli.bench_scenario import engine_figures

    return engine_figures(data)


def draw(found: dict[str, object]) -> str:
    """Bars on a logarithmic axis, ours first."""
    bars = [
        (f"Cloverleaf, {row['actors']} actors", row["actor_steps_per_s"], "#0b7a75")
        for row in found["rows"]  # type: ignore[attr-defined]
    ]
    bars.append(("esmini, default controller, 10-50", found["esmini"], "#8a8f98"))
    if found["highway_env"]:
        bars.append(("highway-env, 50 vehicles", found["highway_env"], "#8a8f98"))
    scale = (WIDTH - LEFT - 90) / math.log10(MOST / LEAST)
    height = 62 + ROW * len(bars)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        '<text x="12" y="22" font-size="15" fill="#1b1f24">Agent-steps per second and core (logarithmic)</text>',
    ]
    for k in range(int(math.log10(MOST / LEAST)) + 1):
        x = LEFT + scale * k
        lines.append(f'<line x1="{x:.1f}" y1="34" x2="{x:.1f}" y2="{height - 24}" stroke="#e3e6ea"/>')
        name = ("1 k", "10 k", "100 k", "1 M", "10 M")[k]
        lines.append(f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle" fill="#5a626c">{name}</text>')
    for k, (name, rate, colour) in enumerate(bars):
        y = 40 + ROW * k
        length = scale * math.log10(float(rate) / LEAST)
        text = f"{float(rate) / 1e6:.1f} M" if float(rate) >= 1e6 else f"{float(rate) / 1e3:.1f} k"
        lines += [
            f'<text x="{LEFT - 8}" y="{y + 15}" text-anchor="end" fill="#1b1f24">{name}</text>',
            f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="20" rx="2" fill="{colour}"/>',
            f'<text x="{LEFT + length + 6:.1f}" y="{y + 15}" fill="#1b1f24">{text}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])


def main() -> None:
    """Read or measure, then draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--data", type=Path)
    asked = parser.parse_args()
    file = FOLDER / "engine.json"
    if asked.measure:
        FOLDER.mkdir(exist_ok=True)
        file.write_text(json.dumps(measured(asked.data), indent=2) + "\n", encoding="utf-8")
    (FOLDER / "engine.svg").write_text(draw(json.loads(file.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main()
