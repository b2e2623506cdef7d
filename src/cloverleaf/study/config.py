"""A study: what is run. Frozen models; an unknown key or an impossible value names file, line, key and the nearest valid one."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Arm(StrEnum):
    """Cumulative arms: each adds one leaf to the one before."""

    HUMAN = "human"
    CAR = "car"
    ROAD = "road"
    CLOUD = "cloud"

    @property
    def leaves(self) -> tuple[str, ...]:
        """Leaves at work in this arm, `human` included."""
        order = [arm.value for arm in Arm]
        return tuple(order[: order.index(self.value) + 1])


class Part(BaseModel):
    """A frozen section of a study that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Fleet(Part):
    """The smart cars."""

    penetration: Share = 0.3  # share of cars that are smart, in the arms that have smart cars
    driver: Literal["cloverleaf"] = "cloverleaf"
    sensors: str = "series"  # or assist, pilot, robotaxi, or a YAML table of sensors


class Human(Part):
    """The people at the wheel."""

    errors: Literal["published", "none"] = "published"


class Link(Part):
    """V2X."""

    standard: Literal["csae_day1", "csae_day2", "etsi", "sae"] = "csae_day2"
    radio: Literal["ideal", "lte-v2x", "nr-v2x"] = "lte-v2x"
    security: Literal["none", "p256", "sm2"] = "p256"
    power_dbm: Annotated[float, Field(ge=0, le=33)] = 23.0
    subchannels: Literal[2, 4] = 4  # of the LTE-V2X pool on 10 MHz
    congestion: Literal["auto", "none", "reactive", "adaptive", "occupancy", "density"] = "auto"  # auto: the standard's
    pseudonyms: bool = False  # cars change their ids and certificates, with a silence between
    revoked_share: Share = 0.0  # share of the cars whose certificates stand on the revocation list
    pcap: str | None = None  # capture file of what the last arm's first seed sent


class Road(Part):
    """Roadside units and what the signals do once they are connected."""

    units: Literal["none", "signals"] = "signals"
    control: Literal["plan", "actuated", "max_pressure"] = "max_pressure"
    baseline: Literal["plan", "actuated"] = "plan"  # what signals do in arms without roadside units


class Cloud(Part):
    """The platform and its services."""

    services: tuple[Literal["glosa", "collision_warning", "signal_control"], ...] = (
        "glosa",
        "collision_warning",
        "signal_control",
    )
    latency_ms: Annotated[float, Field(ge=0, le=60_000, allow_inf_nan=False)] = (
        40.0  # mean, where no percentiles are given
    )
    latency_percentiles_ms: tuple[tuple[str, float], ...] = ()  # one-way, as measured: {p50: 30, p95: 60, p99: 110}

    @field_validator("latency_percentiles_ms", mode="before")
    @classmethod
    def _pairs(cls, value: Any) -> Any:
        return tuple(value.items()) if isinstance(value, dict) else value

    @field_validator("latency_percentiles_ms")
    @classmethod
    def _percentiles(cls, value: tuple[tuple[str, float], ...]) -> tuple[tuple[str, float], ...]:
        if value:
            from cloverleaf.link.network import delay_of_percentiles
            from cloverleaf.types.errors import StudyError

            try:
                delay_of_percentiles(dict(value))
            except StudyError as error:
                raise ValueError(error.message) from None
        return value


class Study(Part):
    """Everything a run depends on, besides the program itself."""

    name: Annotated[str, Field(min_length=1, max_length=80)] = "district"
    map: str | None = "builtin:district"  # or .xodr, .net.xml(.gz)
    demand: str | tuple[str, ...] | None = "builtin"  # or .rou.xml(.gz) files, a flow table
    sumo: str | None = None  # a .sumocfg: map, demand and signals together
    begin_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    duration_s: Positive = 600.0
    step_s: Annotated[float, Field(gt=0, le=1.0, allow_inf_nan=False)] = 0.1
    seeds: tuple[int, ...] = (1, 2, 3)  # written as a number or a list
    fleet: Fleet = Fleet()
    human: Human = Human()
    link: Link = Link()
    road: Road = Road()
    cloud: Cloud = Cloud()
    arms: tuple[Arm, ...] = tuple(Arm)
    allow: tuple[str, ...] = ()  # census elements that may be ignored although they would change the result

    @field_validator("seeds", mode="before")
    @classmethod
    def _seeds(cls, value: Any) -> Any:
        if isinstance(value, bool):
            raise ValueError("a number of seeds or a list of them")
        if isinstance(value, int):
            if not 1 <= value <= 1000:
                raise ValueError("between 1 and 1000 seeds")
            return tuple(range(1, value + 1))
        return value

    @field_validator("seeds")
    @classmethod
    def _distinct_seeds(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or len(set(value)) != len(value) or min(value) < 0:
            raise ValueError("at least one seed, each once, none negative")
        return value

    @field_validator("arms", mode="before")
    @classmethod
    def _arms(cls, value: Any) -> Any:
        if value == "all":
            raise ValueError("'arms: all' (contribution of each leaf over all orders) is not yet supported")
        return [value] if isinstance(value, str) else value

    @field_validator("arms")
    @classmethod
    def _ordered_arms(cls, value: tuple[Arm, ...]) -> tuple[Arm, ...]:
        if not value or len(set(value)) != len(value):
            raise ValueError("at least one arm, each once")
        return tuple(arm for arm in Arm if arm in value)

    @field_validator("demand", mode="before")
    @classmethod
    def _demand_files(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _whole_steps(self) -> Study:
        if self.step_s > self.duration_s:
            raise ValueError("step_s is longer than duration_s")
        if self.map is None and self.sumo is None:
            raise ValueError("neither map nor sumo is given")
        return self

    @property
    def steps(self) -> int:
        """Ticks of one run."""
        return math.ceil(round(self.duration_s / self.step_s, 9))

    @property
    def end_s(self) -> float:
        """Simulation time at which a run ends."""
        return self.begin_s + self.steps * self.step_s

    def beside(self) -> Study | None:
        """The same study with actuated signals where this one has the map's plan: the second baseline of the human arm."""
        if Arm.HUMAN not in self.arms or self.road.baseline == "actuated":
            return None
        return self.model_copy(update={"road": self.road.model_copy(update={"baseline": "actuated"})})

    def files(self) -> list[Path]:
        """The input files named by this study."""
        names = [self.sumo, self.map, *([self.demand] if isinstance(self.demand, str) else self.demand or ())]
        return [Path(n) for n in names if n and n != "builtin" and not n.startswith("builtin:")]
