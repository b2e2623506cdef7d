"""Random valid values of a message type: for benchmarks, fuzzing seeds and round-trip tests."""

from __future__ import annotations

import random
from typing import Any

from cloverleaf.link.schemas import nodes as s
from cloverleaf.link.schemas.catalog import Message

MAX_DEPTH = 14


class Sampler:
    """Draws values; the same seed gives the same values.

    optional: chance that an optional field is there. long_lists: prefer lists of 5 to 15 items. additions: extension additions too.
    """

    def __init__(self, seed: int, *, optional: float = 0.5, long_lists: bool = False, additions: bool = False) -> None:
        self.random = random.Random(seed)
        self.optional, self.long_lists, self.additions = optional, long_lists, additions

    def message(self, kind: Message) -> Any:
        """A value of the message, its branch of the frame chosen."""
        return self.value(kind.type(), kind.select)

    def value(self, node: s.Type, select: tuple[str, ...] = (), depth: int = 0) -> Any:
        """A value of a type."""
        r, node = self.random, s.resolve(node)
        if isinstance(node, s.Integer):
            low = -(1 << 40) if node.low is None else node.low
            high = low + (1 << 41) if node.high is None else node.high
            low, high = r.choice(node.parts) if node.parts else (low, high)
            return r.randint(low, high)
        if isinstance(node, s.Enumerated):
            return r.choice(node.root)
        if isinstance(node, s.Boolean):
            return r.random() < 0.5
        if isinstance(node, s.Null):
            return None
        if isinstance(node, s.SequenceOf):
            return [self.value(node.item, (), depth + 1) for _ in range(self.count(node.size, depth))]
        if isinstance(node, s.Sequence):
            return self.sequence(node, select, depth)
        if isinstance(node, s.Choice):
            pool = node.root + (node.ext if self.additions or select else ())
            named = [a for a in pool if select and a.name == select[0]]
            chosen = named[0] if named else pool[0] if depth > MAX_DEPTH else r.choice(pool)
            return [chosen.name, self.value(chosen.type, select[1:], depth + 1)]
        assert isinstance(node, (s.BitString, s.OctetString, s.Text))
        return self.string(node, depth)

    def count(self, size: s.Size, depth: int) -> int:
        """A length within bounds: small, unless long lists are wanted."""
        high = size.low + 8 if size.high is None else size.high
        if self.long_lists and depth < 8:
            return self.random.randint(min(max(size.low, 5), high), min(max(size.low, 15), high))
        most = size.low if depth > MAX_DEPTH else max(size.low, min(high, size.low + 3))
        return self.random.randint(size.low, most)

    def string(self, node: s.BitString | s.OctetString | s.Text, depth: int) -> Any:
        r, count = self.random, self.count(node.size, depth)
        if isinstance(node, s.Text):
            return "".join(r.choice("0123456789" if node.alphabet == "digits" else "abcXYZ 019") for _ in range(count))
        if isinstance(node, s.OctetString):
            return {"hex": r.randbytes(count).hex()}
        octets = (count + 7) // 8
        return {
            "hex": (r.getrandbits(count) << -count % 8).to_bytes(octets, "big").hex() if count else "",
            "bits": count,
        }

    def sequence(self, node: s.Sequence, select: tuple[str, ...], depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for f in node.fields:
            wanted = bool(select) and select[0] == f.name
            if f.skippable and not wanted and (depth > MAX_DEPTH or self.random.random() >= self.optional):
                continue
            kind = s.resolve(f.type)
            if isinstance(kind, s.OpenType):
                self.open(made, f, kind, select[1:] if wanted else select, depth)
                continue
            listed = s.resolve(kind.item) if isinstance(kind, s.SequenceOf) else None
            if isinstance(listed, s.OpenType):
                holder: dict[str, Any] = {}
                self.open(holder | made, f, listed, (), depth)
                continue
            value = self.value(kind, select[1:] if wanted else (), depth + 1)
            if f.default is None or value != f.default:
                made[f.name] = value
        if self.additions and depth <= MAX_DEPTH:
            for addition in node.ext:
                for f in addition if isinstance(addition, tuple) else (addition,):
                    if (isinstance(addition, tuple) and not f.skippable) or self.random.random() < self.optional:
                        made[f.name] = self.value(f.type, (), depth + 1)
        return made

    def open(self, made: dict[str, Any], f: s.Field, kind: s.OpenType, select: tuple[str, ...], depth: int) -> None:
        """An open type and the selector that fits it."""
        rows = [row for row in kind.table if not select or row[1] == select[0]]
        if not rows:
            known = {row[0] for row in kind.table}
            if made.get(kind.selector) not in known:
                made[f.name] = ["_unknown", {"hex": self.random.randbytes(3).hex()}]
            return
        number, name, content = self.random.choice(rows)
        made[kind.selector] = number
        made[f.name] = [name, self.value(content, (), depth + 1)]
