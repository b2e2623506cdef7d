"""What the generators of readers and writers have in common: lines of source, and the walk over a message's plan."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from cloverleaf.link.codec import plan as p
from cloverleaf.link.codec.program import default_value

if TYPE_CHECKING:
    from cloverleaf.link.codec.straight import Straight

SMALL = 90
"""Lines up to which the code of a list item or a part in a table of its own stays in place; longer ones become functions."""
LEAVES = 14
"""Fields up to which an optional part is read and written without a branch, with widths that are 0 where it is absent."""


class Lines:
    """Lines of one block, with indentation."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, str]] = []
        self.depth = 0

    def add(self, *texts: str) -> None:
        """Append lines at the present depth."""
        self.lines += [(self.depth, text) for text in texts]

    def splice(self, other: Lines) -> None:
        """Append the lines of another block."""
        self.lines += [(self.depth + depth, text) for depth, text in other.lines]

    def text(self) -> str:
        """The block as the body of a function."""
        return "\n".join("    " * (depth + 1) + text for depth, text in self.lines)


def uniform(plan: p.OneOf) -> list[list[p.Bits]] | None:
    """Fields per alternative of a choice whose alternatives differ in widths and ranges only: a table look-up instead of branches."""
    rows = [_plain(alternative) for alternative in plan.plans[: len(plan.node.root)]]
    if len(rows) < 3 or any(row is None or [f.slot for f in row] != [f.slot for f in rows[0] or []] for row in rows):
        return None
    return [row for row in rows if row is not None and all(f.width <= 32 for f in row)] if all(rows) else None


def _plain(plan: p.Plan | None) -> list[p.Bits] | None:
    """The fields of a part that is nothing but mandatory fixed-width ones."""
    if isinstance(plan, p.Bits):
        return [plan] if not plan.parts and plan.width <= 32 else None
    if isinstance(plan, p.Record) and not plan.mask_width:
        found = [_plain(part.plan) for part in plan.parts]
        return None if any(f is None for f in found) else [x for f in found for x in f or []]
    return None


def leaves(plan: p.Plan) -> int:
    """Fields of a part that can be taken without branches; a large number where it cannot."""
    if isinstance(plan, p.Bits):
        return 1 if not plan.parts else LEAVES + 1
    if isinstance(plan, (p.Name, p.Flags)) or (isinstance(plan, p.Number) and _bounded(plan)):
        return 1
    if isinstance(plan, p.Record):
        if any(part.default is not None for part in plan.parts):
            return LEAVES + 1
        return 1 + sum(leaves(part.plan) for part in plan.parts)
    if isinstance(plan, p.OneOf):
        rows = uniform(plan)
        return LEAVES + 1 if rows is None else 1 + len(rows[0])
    return LEAVES + 1


def _bounded(plan: p.Number) -> bool:
    return plan.node.extensible and plan.node.low is not None and plan.node.high is not None


class Walk(ABC):
    """Emits the code of a plan. `s` gets the lines; `row` is the variable with the address of the row at hand.

    `present` is "" for a mandatory field, else the variable that is -1 where the field is there and 0 where not.
    """

    def __init__(self, owner: Straight, table: int) -> None:
        self.owner, self.table, self.s = owner, table, Lines()
        self.row = f"o{table}"

    def name(self, stem: str = "v") -> str:
        """A variable name of its own."""
        self.owner.count += 1
        return f"{stem}{self.owner.count}"

    def give_up(self) -> None:
        """Leave the message to the interpreter."""
        self.flush()
        self.s.add("return I(-7)")

    def emit(self, plan: p.Plan, present: str = "") -> None:
        """Code for a part; with `present` the part must have few enough `leaves`."""
        if isinstance(plan, p.Bits):
            self.bits(plan, present)
        elif isinstance(plan, p.Record):
            self.record(plan, present)
        elif isinstance(plan, p.OneOf):
            rows = uniform(plan)
            if rows is None:
                self.choice(plan)
            else:
                self.uniform(plan, rows, present)
        elif isinstance(plan, p.Flags):
            self.flags(plan, present)
        elif isinstance(plan, p.Name):
            root = len(plan.node.root)
            self.marked((root - 1).bit_length(), 0, root - 1, plan.slot, present)
        elif isinstance(plan, p.Number) and _bounded(plan):
            assert plan.node.low is not None and plan.node.high is not None
            span = plan.node.high - plan.node.low
            self.marked(span.bit_length(), plan.node.low, span, plan.slot, present)
        elif isinstance(plan, p.Many):
            self.many(plan)
        elif isinstance(plan, p.Away):
            self.away(plan)
        elif isinstance(plan, p.Text):
            self.text(plan)
        elif isinstance(plan, p.Open):
            self.open(plan)
        elif not isinstance(plan, p.Nothing):
            self.give_up()

    def record(self, plan: p.Record, present: str) -> None:
        """The presence mask, then the fields; additions are left to the interpreter."""
        mask = self.mask(plan, present) if plan.mask_width else ""
        for part in plan.parts:
            if part.bit < 0:
                self.emit(part.plan, present)
                continue
            if part.default is None and leaves(part.plan) <= LEAVES:
                self.emit(part.plan, self.presence(mask, part.bit))
                continue
            self.flush()
            self.s.add(f"if ({mask} >> {part.bit}) & 1:")
            self.s.depth += 1
            if part.default is not None:
                self.give_up()
            else:
                self.emit(part.plan)
                self.flush()
                self.s.add("pass")
            self.s.depth -= 1
            if part.default is not None:
                self.default(part.plan, default_value(part))

    def table_of(self, values: list[int]) -> str:
        """A constant array of the module, padded to a power of two; its name."""
        values = values + [0] * ((1 << (len(values) - 1).bit_length()) - len(values))
        name = self.name("T")
        self.owner.constants.append(f"{name} = np.array({values}, np.int64)")
        return name

    @abstractmethod
    def flush(self) -> None:
        """Emit what is pending; called before control flow."""

    @abstractmethod
    def bits(self, plan: p.Bits, present: str) -> None:
        """A field of fixed width."""

    @abstractmethod
    def mask(self, plan: p.Record, present: str) -> str:
        """The presence mask of a record; the variable that holds it."""

    @abstractmethod
    def presence(self, mask: str, bit: int) -> str:
        """A variable that is -1 where a bit of a mask is set, else 0."""

    @abstractmethod
    def marked(self, width: int, low: int, top: int, slot: int, present: str) -> None:
        """A value behind an extension bit, which must be clear."""

    @abstractmethod
    def flags(self, plan: p.Flags, present: str) -> None:
        """A bit string of the root size behind an extension bit."""

    @abstractmethod
    def uniform(self, plan: p.OneOf, rows: list[list[p.Bits]], present: str) -> None:
        """A choice between fields that differ in width and range only."""

    @abstractmethod
    def choice(self, plan: p.OneOf) -> None:
        """Any other choice: a branch."""

    @abstractmethod
    def many(self, plan: p.Many) -> None:
        """A list."""

    @abstractmethod
    def away(self, plan: p.Away) -> None:
        """A part in a table of its own."""

    @abstractmethod
    def text(self, plan: p.Text) -> None:
        """A string by reference."""

    @abstractmethod
    def open(self, plan: p.Open) -> None:
        """An open type whose content the message fixes."""

    @abstractmethod
    def default(self, plan: p.Plan, value: int) -> None:
        """The `else` of an absent field with a DEFAULT."""
