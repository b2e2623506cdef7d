"""Maps that are too large for one packet: divided by approach, and put together again by the receiver.

ETSI and SAE say in `layerID` which part of how many this is (tens: how many, ones: which), so nine parts at most. CSAE has no such
field: its parts are ordinary maps with some of a node's links, and a receiver joins what it gets.
"""

from __future__ import annotations

from dataclasses import replace

from cloverleaf.link.messages import encode
from cloverleaf.link.messages.records import MapApproach, MapIntersection, MapLane, MapMessage
from cloverleaf.types.errors import EncodeError

PACKET = 1400
"""Bytes of a message that fit a packet with its headers and signature."""
MOST = 9


def divide(whole: MapMessage, standard: str, limit: int = PACKET) -> list[MapMessage]:
    """Parts of a map, each of at most `limit` bytes in `standard`; the map itself if it fits.

    Raises:
        EncodeError: one approach alone is larger, or there would be more than nine parts where they must be numbered.
    """
    if _size(whole, standard) <= limit:
        return [whole]
    if not standard.startswith("csae"):
        whole = numbered(whole)
    groups: list[list[tuple[MapIntersection, MapApproach]]] = []
    for node in whole.intersections:
        for approach in node.approaches:
            piece = (node, approach)
            if groups and _size(_gather(whole, [*groups[-1], piece]), standard) <= limit:
                groups[-1].append(piece)
            elif _size(_gather(whole, [piece]), standard) <= limit:
                groups.append([piece])
            else:
                raise EncodeError(f"one approach of intersection {node.id} is larger than {limit} bytes")
    parts = [_gather(whole, group) for group in groups]
    if standard.startswith("csae"):
        return parts
    if len(parts) > MOST:
        raise EncodeError(f"{len(parts)} parts, at most {MOST} can be numbered", hint="allow larger packets")
    return [replace(p, part=(i + 1, len(parts))) for i, p in enumerate(parts)]


def numbered(whole: MapMessage) -> MapMessage:
    """The map with lane numbers that are unique within each intersection."""
    nodes = []
    for node in whole.intersections:
        ids = [lane.id for a in node.approaches for lane in a.lanes]
        if len(set(ids)) == len(ids):
            nodes.append(node)
            continue
        number, approaches = 0, []
        for a in node.approaches:
            lanes: list[MapLane] = []
            for lane in a.lanes:
                number += 1
                lanes.append(replace(lane, id=number))
            approaches.append(replace(a, lanes=tuple(lanes)))
        nodes.append(replace(node, approaches=tuple(approaches)))
    return replace(whole, intersections=tuple(nodes))


def join(parts: list[MapMessage]) -> MapMessage:
    """The map that parts make up, intersection by intersection; the newest revision's parts only, equal approaches once."""
    newest = parts[-1].revision
    nodes: dict[tuple[int | None, int], MapIntersection] = {}
    for part in sorted((p for p in parts if p.revision == newest), key=lambda p: p.part or (0, 0)):
        for node in part.intersections:
            known = nodes.get((node.region, node.id))
            fresh = tuple(a for a in node.approaches if known is None or a not in known.approaches)
            before = known.approaches if known else ()
            nodes[node.region, node.id] = replace(node, approaches=before + fresh)
    return replace(parts[-1], intersections=tuple(nodes.values()), part=None)


class Assembly:
    """Collects the parts of maps by sender; numbered parts give a map when all are there, others at once what is known so far."""

    def __init__(self) -> None:
        self._parts: dict[int | None, dict[tuple[int, int] | int, MapMessage]] = {}

    def hear(self, part: MapMessage) -> MapMessage | None:
        """The whole map if this message completes it, else None."""
        held = self._parts.setdefault(part.station, {})
        if any(p.revision != part.revision for p in held.values()):
            held.clear()
        held[part.part if part.part is not None else hash(part)] = part
        if part.part is not None and len(held) < part.part[1]:
            return None
        return join([*held.values()])


def _gather(whole: MapMessage, pieces: list[tuple[MapIntersection, MapApproach]]) -> MapMessage:
    nodes: dict[int, list[MapApproach]] = {}
    index = {id(node): node for node, _ in pieces}
    for node, approach in pieces:
        nodes.setdefault(id(node), []).append(approach)
    return replace(whole, intersections=tuple(replace(index[k], approaches=tuple(a)) for k, a in nodes.items()))


def _size(part: MapMessage, standard: str) -> int:
    return sum(len(data) for _, data in encode(part, standard))
