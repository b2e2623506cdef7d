"""Short-hand for filling and reading records by field path."""

from __future__ import annotations

from typing import Any

import numpy as np

from cloverleaf.link.codec.batch import BatchCodec
from cloverleaf.link.codec.records import Records
from cloverleaf.types.state import I64


class Columns:
    """Records with `[path]` access under a common prefix: `c["pos.lat"] = values`, `c.list("phases[]")`."""

    def __init__(self, records: Records, prefix: str = "") -> None:
        self.records, self.prefix = records, prefix

    def under(self, prefix: str) -> Columns:
        """The same records under a longer prefix."""
        return Columns(self.records, self.prefix + prefix)

    def __setitem__(self, path: str, values: Any) -> None:
        self.records.column(self.prefix + path)[:] = values

    def __getitem__(self, path: str) -> I64:
        return self.records.column(self.prefix + path)

    def second(self, path: str) -> I64:
        """The second slot of a field that has two: the count of a list, the length of a bit string."""
        table, slot = self.records.layout.paths[self.prefix + path]
        return self.records.tables[table][:, slot + 1]

    def set_list(self, path: str, first: Any, count: Any) -> None:
        """First row and count of a list."""
        self[path] = first
        self.second(path)[:] = count


def allocate(codec: BatchCodec, rows: dict[str, int]) -> Records:
    """Zeroed records: `rows` gives the rows of each table by its path ('' the messages); others are empty."""
    return codec.empty([rows.get(path, 0) for path in codec.layout.tables])


def chosen(codec: BatchCodec, path: str, name: str) -> int:
    """Index of the alternative `name` of the choice at `path` (without its ':')."""
    from cloverleaf.link.codec import plan as p

    def find(plan: Any) -> int | None:
        if isinstance(plan, p.OneOf) and codec.layout.paths.get(f"{path}:", (0, -1)) == where.get(id(plan)):
            names = [a.name for a in (*plan.node.root, *plan.node.ext)]
            return names.index(name) if name in names else None
        return None

    where: dict[int, tuple[int, int]] = {}
    stack: list[tuple[Any, int]] = [(codec.layout.root, 0)]
    while stack:
        plan, table = stack.pop()
        if isinstance(plan, (p.OneOf, p.Open)):
            where[id(plan)] = (table, plan.slot)
            if isinstance(plan, p.OneOf):
                found = find(plan)
                if found is not None:
                    return found
            stack += [(x, table) for x in plan.plans if x is not None]
        elif isinstance(plan, p.Record):
            stack += [(part.plan, table) for part in (*plan.parts, *plan.additions)]
        elif isinstance(plan, p.Many):
            stack.append((plan.item, plan.table))
        elif isinstance(plan, p.Away):
            stack.append((plan.plan, plan.table))
    raise KeyError(f"{path}: no alternative {name}")


def mask_of(codec: BatchCodec, path: str, *names: str) -> int:
    """Presence mask of the record at `path` ('' the message) with the fields `names` present."""
    from cloverleaf.link.codec import plan as p

    target = codec.layout.paths[f"{path}?"]
    stack: list[tuple[Any, int]] = [(codec.layout.root, 0)]
    while stack:
        plan, table = stack.pop()
        if isinstance(plan, p.Record):
            if (table, plan.mask) == target:
                bits = {part.name: part.bit for part in plan.parts if part.bit >= 0}
                if all(name in bits for name in names):
                    return sum(1 << bits[name] for name in names)
            stack += [(part.plan, table) for part in (*plan.parts, *plan.additions)]
        elif isinstance(plan, (p.OneOf, p.Open)):
            stack += [(x, table) for x in plan.plans if x is not None]
        elif isinstance(plan, p.Many):
            stack.append((plan.item, plan.table))
        elif isinstance(plan, p.Away):
            stack.append((plan.plan, plan.table))
    raise KeyError(f"{path}: no record with {names}")


def offsets(start: I64) -> I64:
    """The row of the message that each list item belongs to."""
    return np.repeat(np.arange(len(start) - 1), np.diff(start))
