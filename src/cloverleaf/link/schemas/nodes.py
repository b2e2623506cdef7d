"""What a schema is made of: one plain class per ASN.1 kind, constraints already effective (PER-visible)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Unit:
    """Physical meaning of an integer: value times `resolution`, in `unit`; `note` names special values."""

    resolution: float
    unit: str
    note: str = ""


@dataclass(frozen=True)
class Size:
    """Length bounds of a string or list; `high` None is open; `extra` holds lengths allowed only by extension."""

    low: int = 0
    high: int | None = None
    extensible: bool = False
    extra: tuple[tuple[int, int], ...] = ()

    def admits(self, n: int) -> bool:
        """Whether a value of length `n` may be encoded."""
        if self.low <= n and (self.high is None or n <= self.high):
            return True
        if not self.extensible:
            return False
        return not self.extra or any(a <= n <= b for a, b in self.extra)


@dataclass(frozen=True)
class Integer:
    """INTEGER; `low`/`high` None are open ends; `parts` lists sub-ranges when the constraint is a union."""

    low: int | None = None
    high: int | None = None
    extensible: bool = False
    parts: tuple[tuple[int, int], ...] = ()
    extra: tuple[tuple[int, int], ...] = ()
    named: dict[str, int] = field(default_factory=dict, compare=False)
    unit: Unit | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Enumerated:
    """ENUMERATED; names in encoding order, `ext` the additions."""

    root: tuple[str, ...]
    values: tuple[int, ...]
    extensible: bool = False
    ext: tuple[str, ...] = ()
    ext_values: tuple[int, ...] = ()


@dataclass(frozen=True)
class Boolean:
    """BOOLEAN."""


@dataclass(frozen=True)
class Null:
    """NULL."""


@dataclass(frozen=True)
class BitString:
    """BIT STRING; `names` maps bit names to positions, bit 0 first on the wire."""

    size: Size
    names: dict[str, int] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class OctetString:
    """OCTET STRING."""

    size: Size


@dataclass(frozen=True)
class Text:
    """A character string; `alphabet` is ia5, utf8 or digits."""

    alphabet: str
    size: Size


@dataclass(frozen=True)
class Field:
    """A component of a sequence; `default` None means none."""

    name: str
    type: Type
    optional: bool = False
    default: object = None

    @property
    def skippable(self) -> bool:
        """Whether the field has a presence bit."""
        return self.optional or self.default is not None


@dataclass(frozen=True, eq=False)
class Sequence:
    """SEQUENCE; each addition in `ext` is one field, or a tuple of fields for a `[[ ]]` group."""

    fields: tuple[Field, ...]
    extensible: bool = False
    ext: tuple[Field | tuple[Field, ...], ...] = ()


@dataclass(frozen=True, eq=False)
class SequenceOf:
    """SEQUENCE OF."""

    item: Type
    size: Size


@dataclass(frozen=True)
class Alternative:
    """An alternative of a choice; `tag` is (class, number) as OER writes it."""

    name: str
    type: Type
    tag: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Choice:
    """CHOICE; root alternatives in encoding order, `ext` the additions."""

    root: tuple[Alternative, ...]
    extensible: bool = False
    ext: tuple[Alternative, ...] = ()


@dataclass(frozen=True, eq=False)
class OpenType:
    """A field whose type is chosen by the sibling `selector`; rows are (id, name, type)."""

    selector: str
    table: tuple[tuple[int, str, Type], ...]


class Named:
    """A reference to a named type; `target` is filled by the reader, so recursive types are possible."""

    __slots__ = ("name", "target")

    def __init__(self, name: str) -> None:
        self.name = name
        self.target: Type | None = None


Type = (
    Integer
    | Enumerated
    | Boolean
    | Null
    | BitString
    | OctetString
    | Text
    | Sequence
    | SequenceOf
    | Choice
    | OpenType
    | Named
)


def resolve(node: Type) -> Type:
    """The type behind a chain of names."""
    while isinstance(node, Named):
        assert node.target is not None
        node = node.target
    return node
