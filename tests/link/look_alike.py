"""Values like those of the vectors: ends of ranges, extension additions, long lists, unusual sizes; and pycrate's form of a value."""

from __future__ import annotations

from typing import Any

from cloverleaf.link.codec.sample import MAX_DEPTH, Sampler
from cloverleaf.link.schemas import nodes as s

KINDS = ("typ", "edge", "ext", "all", "long", "min")


class LookAlike(Sampler):
    """Draws values of one `kind` of case: see `KINDS`, named as in the vectors."""

    def __init__(self, seed: int, kind: str) -> None:
        chance = {"all": 1.0, "min": 0.0, "ext": 0.6}.get(kind, 0.5)
        super().__init__(seed, optional=chance, long_lists=kind == "long", additions=kind == "ext")
        self.edge, self.ext = kind == "edge", kind == "ext"

    def value(self, node: s.Type, select: tuple[str, ...] = (), depth: int = 0) -> Any:
        r, node = self.random, s.resolve(node)
        if isinstance(node, s.Integer) and self.edge and r.random() < 0.6:
            spans = node.parts or ((node.low, node.high),)
            ends = [end for span in spans for end in span if end is not None]
            ends += [v for v in (0, *node.named.values()) if any(_within(v, *span) for span in spans)]
            if node.low is None or node.high is None:
                beyond = (1 << 40) + (node.low or 0)
                ends += [beyond, 255 + (node.low or 0), 256 + (node.low or 0)]
            return r.choice(ends)
        if isinstance(node, s.Enumerated) and self.ext and node.ext and r.random() < 0.5:
            return r.choice(node.ext)
        return super().value(node, select, depth)

    def count(self, size: s.Size, depth: int) -> int:
        """Now and then an end of the size's range; with additions also a length that only the extension allows."""
        if self.ext and size.extensible and depth <= MAX_DEPTH and self.random.random() < 0.3:
            if size.extra:
                return self.random.choice(size.extra)[0]
            return (size.low if size.high is None else size.high) + self.random.randint(1, 5)
        if self.edge and depth < 6 and size.high is not None and size.high <= 300 and self.random.random() < 0.2:
            return self.random.choice((size.low, size.high))
        return super().count(size, depth)


def _within(value: int, low: int | None, high: int | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def to_pycrate(node: s.Type, value: Any, selector: Any = None) -> Any:
    """A value in pycrate's form."""
    node = s.resolve(node)
    if isinstance(node, s.Sequence):
        kinds = {f.name: f.type for f in node.fields}
        for addition in node.ext:
            kinds |= {f.name: f.type for f in (addition if isinstance(addition, tuple) else (addition,))}
        made = {}
        for name, inner in value.items():
            kind = s.resolve(kinds[name])
            chosen = value.get(kind.selector) if isinstance(kind, s.OpenType) else None
            made[name] = to_pycrate(kind, inner, chosen)
        return made
    if isinstance(node, s.SequenceOf):
        return [to_pycrate(node.item, item) for item in value]
    if isinstance(node, s.Choice):
        kinds = {a.name: a.type for a in (*node.root, *node.ext)}
        return value[0], to_pycrate(kinds[value[0]], value[1])
    if isinstance(node, s.OpenType):
        if value[0] == "_unknown":
            return "_unk_004", bytes.fromhex(value[1]["hex"])
        return value[0], to_pycrate(next(kind for _, name, kind in node.table if name == value[0]), value[1])
    if isinstance(node, s.BitString):
        return int(value["hex"] or "0", 16) >> -value["bits"] % 8, value["bits"]
    if isinstance(node, s.OctetString):
        return bytes.fromhex(value["hex"])
    if isinstance(node, s.Null):
        return 0
    return value


def of_pycrate(node: s.Type, value: Any) -> Any:
    """A value in our form from pycrate's; fields that equal their default are left out."""
    node = s.resolve(node)
    if isinstance(node, s.Sequence):
        fields = {f.name: f for f in node.fields}
        for addition in node.ext:
            fields |= {f.name: f for f in (addition if isinstance(addition, tuple) else (addition,))}
        made = {name: of_pycrate(fields[name].type, inner) for name, inner in value.items()}
        return {n: v for n, v in made.items() if fields[n].default is None or v != fields[n].default}
    if isinstance(node, s.SequenceOf):
        return [of_pycrate(node.item, item) for item in value]
    if isinstance(node, s.Choice):
        kinds = {a.name: a.type for a in (*node.root, *node.ext)}
        return [value[0], of_pycrate(kinds[value[0]], value[1])]
    if isinstance(node, s.OpenType):
        if value[0].startswith("_unk"):
            return ["_unknown", {"hex": value[1].hex()}]
        return [value[0], of_pycrate(next(kind for _, name, kind in node.table if name == value[0]), value[1])]
    if isinstance(node, s.BitString):
        bits, width = value
        return {"hex": (bits << -width % 8).to_bytes((width + 7) // 8, "big").hex(), "bits": width}
    if isinstance(node, s.OctetString):
        return {"hex": value.hex()}
    if isinstance(node, s.Null):
        return None
    return value
