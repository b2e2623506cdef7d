"""Weather and road surface: what they do to grip and to sensors.

Friction: dry 0.8-1.0, wet 0.5-0.7, snow 0.2-0.3, ice 0.1 (usual handbook ranges, e.g. Wong 2008, "Theory of Ground Vehicles").
Sensors: exp(-2 alpha R) two-way attenuation with alpha about 0.01 rain^0.6 per km for optical sensors; fog by Koschmieder's law,
alpha = 3.912 / visibility. The object list of a car fuses lidar, radar and camera, so we let the optical loss count by half.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from cloverleaf.types.errors import StudyError, nearest


@dataclass(frozen=True)
class Weather:
    """State of air and surface, the same everywhere."""

    friction: float = 0.9  # mu of tyre and road, 0..1
    rain_mm_h: float = 0.0
    visibility: float = 20_000.0  # m, meteorological optical range
    dark: bool = False

    def __post_init__(self) -> None:
        for name, low, high in (("friction", 0.05, 1.2), ("rain_mm_h", 0.0, 200.0), ("visibility", 1.0, 1e6)):
            value = getattr(self, name)
            if not low <= value <= high:  # NaN fails too
                raise StudyError(f"{value} is outside {low}..{high}", element=f"weather.{name}")


PRESETS: dict[str, Weather] = {
    "clear": Weather(),
    "night": Weather(dark=True),
    "rain": Weather(friction=0.6, rain_mm_h=8.0, visibility=4_000.0),
    "heavy_rain": Weather(friction=0.5, rain_mm_h=40.0, visibility=1_000.0),
    "fog": Weather(friction=0.75, visibility=100.0),
    "snow": Weather(friction=0.25, rain_mm_h=3.0, visibility=800.0),
    "ice": Weather(friction=0.12),
}
"""Weather by name, for study files."""


def weather_named(name: str) -> Weather:
    """The preset of this name; StudyError names the nearest one."""
    if name not in PRESETS:
        raise StudyError(f"unknown weather '{name}'", element="weather", hint=nearest(name, PRESETS))
    return PRESETS[name]


def attenuation_per_m(weather: Weather) -> float:
    """Coefficient beta of detection loss exp(-beta R) of the fused object list, 1/m."""
    optical = 2.0 * (0.01e-3 * weather.rain_mm_h**0.6 + 3.912 / weather.visibility)
    return 0.5 * optical if weather.visibility < 20_000.0 or weather.rain_mm_h > 0.0 else 0.0


def detection_factor(weather: Weather, distance: float) -> float:
    """Factor on the probability of detection at `distance` metres."""
    return math.exp(-attenuation_per_m(weather) * distance)
