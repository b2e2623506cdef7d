"""MAP of SAE from the base map: the body of ETSI's MAPEM inside the SAE frame."""

from __future__ import annotations

from cloverleaf.link.codec.single import codec
from cloverleaf.link.content.frame import Frame
from cloverleaf.link.content.topology_etsi import map_body
from cloverleaf.map.graph import BaseMap
from cloverleaf.types.state import I32


def map_message(base_map: BaseMap, units: I32 | None, station: int, frame: Frame, standard: str) -> bytes:
    """The MAP message of a roadside unit."""
    return codec("sae", "map").encode(
        {"messageId": 18, "value": ["MapData", map_body(base_map, units, station, frame)]}
    )
