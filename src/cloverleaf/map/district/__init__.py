"""The built-in district: an authored map, its fixed-time signal plans and its demand (sources in tools/district)."""

from __future__ import annotations

from pathlib import Path

from cloverleaf.map.graph import BaseMap

_HERE = Path(__file__).resolve().parent
DISTRICT_MAP = _HERE / "district.xodr"
DISTRICT_SIGNALS = _HERE / "district.signals.json"
DISTRICT_DEMAND = _HERE / "district.csv"


def load_district() -> tuple[BaseMap, Path]:
    """The district's base map and the path of its flow table (form: scenario/demand/flow_table.py), one hour of demand."""
    from cloverleaf.map.io.opendrive import read_opendrive_map

    return read_opendrive_map(DISTRICT_MAP, DISTRICT_SIGNALS), DISTRICT_DEMAND
