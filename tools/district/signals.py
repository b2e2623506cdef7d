"""Author the district's fixed-time plans: `python tools/district/signals.py` writes src/cloverleaf/map/district/district.signals.json.

Lights are grouped by letter: G go, g go but yield, y, and everything not named r. Cycle 87 s; offsets make a green wave to the east.
"""

from __future__ import annotations

import json
from pathlib import Path

TARGET = Path(__file__).resolve().parents[2] / "src/cloverleaf/map/district/district.signals.json"
OFFSETS = {"A": 0.0, "B": 30.0, "C": 60.0}


def plan(name: str, protected_only: bool, south_riders: bool) -> dict:
    """Arterial with left turns (permissive before protected, or protected only), then the street with permissive left turns."""

    def of(legs: str, *keys: str) -> list[str]:
        riders = ("B", "BL", "BR")
        missing = {f"{name}.S.{k}" for k in riders} if not south_riders else set()
        if not south_riders:
            # No cycle lane leads south, so nobody turns into it either.
            missing |= {f"{name}.W.BR", f"{name}.E.BL", f"{name}.N.B"}
        return [c for leg in legs for key in keys if (c := f"{name}.{leg}.{key}") not in missing]

    through, left = of("EW", "T", "B"), of("EW", "L")
    soft = of("EW", "R", "BR") + ([] if protected_only else left)
    arterial = {"G": through, "g": soft}
    street = {"G": of("NS", "T", "B"), "g": of("NS", "L", "R", "BR", "BL")}
    stays = {"g": left} if not protected_only else {}
    phases = [
        {"duration": 24, "min": 15, "max": 40, "lights": {**arterial, "G": through + of("NS", "P")}},
        {"duration": 10, "lights": arterial},
        {"duration": 3, "lights": {"y": through + of("EW", "R", "BR"), **stays}},
        {"duration": 10, "min": 6, "max": 18, "lights": {"G": left, "g": of("EW", "BL")}},
        {"duration": 3, "lights": {"y": left + of("EW", "BL")}},
        {"duration": 2, "lights": {}},
        {"duration": 8, "min": 8, "max": 16, "lights": {**street, "G": street["G"] + of("EW", "P")}},
        {"duration": 22, "lights": street},
        {"duration": 3, "lights": {"y": street["G"] + street["g"]}},
        {"duration": 2, "lights": {}},
    ]
    return {"offset": OFFSETS[name], "phases": phases}


if __name__ == "__main__":
    junctions = {"A": plan("A", False, True), "B": plan("B", True, False), "C": plan("C", False, True)}
    TARGET.write_text(json.dumps({"junctions": junctions}, indent=1) + "\n", encoding="utf-8")
    print(TARGET)
