"""The record layout of a message: tables of int64 slots, one row per message in table 0, one per list item in the others.

    integer, boolean     its value                        enumeration    index, additions after the root names
    fixed bits, octets   right-aligned, up to 64 bits      other strings  (first bit in the heap, length)
    extensible bits      (value, length), up to 64 bits   SEQUENCE OF    (first row, count) in a table of its own
    SEQUENCE             presence mask, then its fields    CHOICE         index, then the alternatives over one another
    wide optional parts  row in a table of their own

A presence mask holds the extension bit first, then one bit per optional field, in wire order; an extensible sequence also has a
slot for the additions present and one for the count of unknown ones. Slots of absent fields are undefined. The plan is the
single source of the batch programs, of the generated kernels and of the conversion from and to dicts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cloverleaf.link.codec.uper_runtime import size_widths
from cloverleaf.link.codec.uper_shape import fixed_width
from cloverleaf.link.schemas import nodes as s

WIDE_OPTIONAL = 6
"""Optional parts of more slots than this get a table of their own."""


@dataclass(eq=False)
class Bits:
    """A leaf of fixed width: `wire = value - low`, at most `top`."""

    node: s.Type
    slot: int
    width: int
    low: int
    top: int
    parts: tuple[tuple[int, int], ...] = ()


@dataclass(eq=False)
class Number:
    """An integer of variable width: extensible, half open or unconstrained."""

    node: s.Integer
    slot: int


@dataclass(eq=False)
class Name:
    """An extensible enumeration."""

    node: s.Enumerated
    slot: int


@dataclass(eq=False)
class Flags:
    """A fixed BIT STRING with extension marker: (value, length)."""

    node: s.BitString
    slot: int


@dataclass(eq=False)
class Text:
    """A string by reference: (first bit in the heap, length in units of `unit` bits)."""

    node: s.BitString | s.OctetString | s.Text
    slot: int
    unit: int
    size: s.Size


@dataclass(eq=False)
class Nothing:
    """NULL."""


@dataclass(eq=False)
class Elsewhere:
    """The inner occurrence of a recursive type: messages that reach it take the general path."""


@dataclass(eq=False)
class Part:
    """A component of a record; `bit` is its position in the mask (from the right), -1 if mandatory."""

    name: str
    plan: Plan
    bit: int
    default: object = None


@dataclass(eq=False)
class Record:
    """A SEQUENCE. `additions` are lists of parts: one part alone, or the record of a `[[ ]]` group under the name ''."""

    node: s.Sequence
    mask: int
    mask_width: int
    parts: list[Part]
    extended: int = -1
    additions: list[Part] = field(default_factory=list)


@dataclass(eq=False)
class Many:
    """A SEQUENCE OF: (first row, count) in `table`."""

    node: s.SequenceOf
    slot: int
    table: int
    item: Plan


@dataclass(eq=False)
class OneOf:
    """A CHOICE: index, then the chosen alternative. `only` is the index of the one planned, -1 all."""

    node: s.Choice
    slot: int
    plans: list[Plan | None]


@dataclass(eq=False)
class Away:
    """A part whose slots live in a row of another table."""

    slot: int
    table: int
    plan: Plan


@dataclass(eq=False)
class Open:
    """An open type: row of the table of types (-1 unknown, then a string by reference), then its content."""

    node: s.OpenType
    slot: int
    selector: int
    plans: list[Plan | None]


Plan = Bits | Number | Name | Flags | Text | Nothing | Record | Many | OneOf | Away | Open | Elsewhere


class Layout:
    """Tables and plan of one message type; `select` limits choices and open types on the way to the message body.

    widths, tables: slots and path of each table. paths: field path -> (table, slot). constants: (slot of table 0, value) that
    the selection fixes.
    """

    def __init__(self, node: s.Type, select: tuple[str, ...] = ()) -> None:
        self.widths: list[int] = []
        self.paths: dict[str, tuple[int, int]] = {}
        self.tables: list[str] = []
        self.constants: list[tuple[int, int]] = []
        self._stack: list[s.Type] = []
        table = self._table("")
        self.root = self._plan(node, _Row(self, table), "", select)

    def _table(self, path: str) -> int:
        self.widths.append(0)
        self.tables.append(path)
        return len(self.widths) - 1

    def _plan(self, node: s.Type, row: _Row, path: str, select: tuple[str, ...]) -> Plan:
        node = s.resolve(node)
        width = fixed_width(node)
        if width is not None and width <= 64 and not isinstance(node, s.Text):
            return self._bits(node, row, path, width)
        if isinstance(node, s.Null):
            return Nothing()
        if isinstance(node, s.Integer):
            return Number(node, row.take(path))
        if isinstance(node, s.Enumerated):
            return Name(node, row.take(path))
        if isinstance(node, s.BitString) and node.size.extensible and node.size.low == node.size.high:
            return Flags(node, row.take(path, 2))
        if isinstance(node, (s.BitString, s.OctetString, s.Text)):
            unit = 1 if isinstance(node, s.BitString) else 8
            if isinstance(node, s.Text):
                unit = {"ia5": 7, "digits": 4, "utf8": 8}[node.alphabet]
            size = s.Size() if isinstance(node, s.Text) and node.alphabet == "utf8" else node.size
            return Text(node, row.take(path, 2), unit, size)
        if node in self._stack:
            return Elsewhere()
        self._stack.append(node)
        try:
            return self._composite(node, row, path, select)
        finally:
            self._stack.pop()

    def _composite(self, node: s.Type, row: _Row, path: str, select: tuple[str, ...]) -> Plan:
        if isinstance(node, s.Sequence):
            return self._record(node, row, path, select)
        if isinstance(node, s.SequenceOf):
            slot, table = row.take(path, 2), self._table(f"{path}[]")
            return Many(node, slot, table, self._plan(node.item, _Row(self, table), f"{path}[]", ()))
        if isinstance(node, s.Choice):
            return self._choice(node, row, path, select)
        raise TypeError(f"no plan for {node}")

    def _bits(self, node: s.Type, row: _Row, path: str, width: int) -> Bits:
        slot = row.take(path)
        if isinstance(node, s.Integer):
            assert node.low is not None and node.high is not None
            return Bits(node, slot, width, node.low, node.high - node.low, node.parts)
        top = len(node.root) - 1 if isinstance(node, s.Enumerated) else (1 << width) - 1
        return Bits(node, slot, width, 0, top)

    def _record(self, node: s.Sequence, row: _Row, path: str, select: tuple[str, ...]) -> Record:
        if select:  # a frame around the message: its fields must not hide the message's
            path = "frame"
        skippable = [f for f in node.fields if f.skippable]
        mask_width = len(skippable) + node.extensible
        mask = row.take(f"{path}?") if mask_width else -1
        extended = row.take(f"{path}+", 2) if node.extensible else -1
        record = Record(node, mask, mask_width, [], extended)
        bit = mask_width - node.extensible
        slots: dict[str, int] = {}
        for f in node.fields:
            at = f"{path}.{f.name}" if path else f.name
            if f.skippable:
                bit -= 1
            kind = s.resolve(f.type)
            named = bool(select) and select[0] == f.name
            deeper = select[1:] if named else ()
            if isinstance(kind, s.OpenType):
                plan: Plan = self._open(kind, row, at, slots[kind.selector], deeper if named else select)
            else:
                plan = self._part(f.type, row, at, deeper) if f.skippable else self._plan(f.type, row, at, deeper)
            if isinstance(plan, (Bits, Number)):
                slots[f.name] = plan.slot
            record.parts.append(Part(f.name, plan, bit if f.skippable else -1, f.default))
        for i, addition in enumerate(node.ext):
            bit = len(node.ext) - 1 - i
            if isinstance(addition, tuple):
                plan = self._part(s.Sequence(addition), row, path, ())
                record.additions.append(Part("", plan, bit))
            else:
                at = f"{path}.{addition.name}" if path else addition.name
                record.additions.append(Part(addition.name, self._part(addition.type, row, at, ()), bit))
        return record

    def _part(self, node: s.Type, row: _Row, path: str, select: tuple[str, ...]) -> Plan:
        """An optional part: in the row if it is small, else in a table of its own."""
        kind = s.resolve(node)
        if isinstance(kind, (s.Sequence, s.Choice)) and _span(kind) > WIDE_OPTIONAL:
            slot, table = row.take(f"{path}@"), self._table(path)
            return Away(slot, table, self._plan(node, _Row(self, table), path, select))
        return self._plan(node, row, path, select)

    def _choice(self, node: s.Choice, row: _Row, path: str, select: tuple[str, ...]) -> OneOf:
        choice = OneOf(node, row.take(f"{path}:" if path else ":"), [])
        start, longest = row.used, row.used
        for alternative in (*node.root, *node.ext):
            if select and alternative.name != select[0]:
                choice.plans.append(None)
                continue
            row.used = start
            at = path if select else f"{path}.{alternative.name}" if path else alternative.name
            planner = self._plan if select else self._part
            if select:
                self.constants.append((choice.slot, len(choice.plans)))
            choice.plans.append(planner(alternative.type, row, at, select[1:]))
            longest = max(longest, row.used)
        row.used = longest
        return choice

    def _open(self, node: s.OpenType, row: _Row, path: str, selector: int, select: tuple[str, ...]) -> Open:
        made = Open(node, row.take(f"{path}:"), selector, [])
        start, longest = row.used, row.used + 2
        for number, name, kind in node.table:
            if select and name != select[0]:
                made.plans.append(None)
                continue
            row.used = start
            at = "" if select else f"{path}.{name}"
            planner = self._plan if select else self._part
            if select:
                self.constants += [(made.slot, len(made.plans)), (selector, number)]
            made.plans.append(planner(kind, row, at, ()))
            longest = max(longest, row.used)
        row.used = longest
        return made


class _Row:
    """Slots of one table being handed out; alternatives may step back and use the same slots."""

    def __init__(self, layout: Layout, table: int) -> None:
        self.layout, self.table, self._used = layout, table, 0

    @property
    def used(self) -> int:
        return self._used

    @used.setter
    def used(self, value: int) -> None:
        self._used = value
        self.layout.widths[self.table] = max(self.layout.widths[self.table], value)

    def take(self, path: str, count: int = 1) -> int:
        slot = self._used
        self.used = slot + count
        self.layout.paths.setdefault(path, (self.table, slot))
        return slot


def _span(node: s.Type) -> int:
    """About how many slots `node` takes in a row, lists and wide parts counted by reference."""
    node = s.resolve(node)
    if isinstance(node, s.Sequence):
        return 2 + sum(min(_span(f.type), WIDE_OPTIONAL) if f.skippable else _span(f.type) for f in node.fields)
    if isinstance(node, s.Choice):
        return 1 + max(min(_span(a.type), WIDE_OPTIONAL) for a in (*node.root, *node.ext))
    return 2 if isinstance(node, (s.SequenceOf, s.Text, s.OpenType)) else 1


def length_bits(size: s.Size) -> int:
    """Bits of the constrained length, -1 for the general determinant."""
    width = size_widths(size)
    return -1 if width is None else width
