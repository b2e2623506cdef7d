"""What the generators of UPER code ask about a type: how wide it is, how much code it takes, which choices fit in a table."""

from __future__ import annotations

from cloverleaf.link.schemas import nodes as s

INLINE_DEPTH = 8
INLINE_SIZE = 80
"""Fields up to which a nested type is read or written in place instead of by a call."""
BOUNDLESS = 1 << 40
"""Bits that stand for no bound."""


def fixed_width(node: s.Type) -> int | None:
    """Bits of a leaf that is always the same width, else None."""
    if isinstance(node, s.Integer):
        if node.low is None or node.high is None or node.extensible:
            return None
        return (node.high - node.low).bit_length()
    if isinstance(node, s.Enumerated):
        return None if node.extensible else (len(node.root) - 1).bit_length()
    if isinstance(node, s.Boolean):
        return 1
    if isinstance(node, (s.BitString, s.OctetString)):
        size = node.size
        if size.extensible or size.high is None or size.low != size.high or size.high > 2047:
            return None
        return size.low * (8 if isinstance(node, s.OctetString) else 1)
    return None


def weight(node: s.Type, most: int = INLINE_SIZE, depth: int = 0) -> int:
    """About how many fields reading `node` in place takes; above `most` where it is too many, nested too deep or recursive."""
    node = s.resolve(node)
    if depth > 6:
        return most + 1
    if isinstance(node, s.Sequence):
        inner = [f.type for f in node.fields]
        if node.ext:
            return most + 1
    elif isinstance(node, s.Choice):
        inner = [a.type for a in node.root]
        if node.ext:
            return most + 1
        if uniform(node):
            return 3
    elif isinstance(node, s.SequenceOf):
        inner = [node.item]
    else:
        return 1
    total = 1
    for kind in inner:
        total += weight(kind, most - total, depth + 1)
        if total > most:
            break
    return total


def most_bits(node: s.Type, depth: int = 0) -> int:
    """Bits that the longest value of `node` takes, additions left out; at least `BOUNDLESS` where that is not small and known."""
    node = s.resolve(node)
    width = fixed_width(node)
    if width is not None:
        return width
    if depth > 8 or isinstance(node, s.OpenType):
        return BOUNDLESS
    if isinstance(node, s.Sequence):
        return BOUNDLESS if node.ext else sum(1 + most_bits(f.type, depth + 1) for f in node.fields)
    if isinstance(node, s.Choice):
        return BOUNDLESS if node.ext else 8 + max(most_bits(a.type, depth + 1) for a in node.root)
    if isinstance(node, (s.SequenceOf, s.BitString, s.OctetString, s.Text)):
        if node.size.high is None:
            return BOUNDLESS
        unit = most_bits(node.item, depth + 1) if isinstance(node, s.SequenceOf) else 8
        return 17 + node.size.high * unit
    return 80


Leaf = tuple[str, int, int, int]
"""Name ("" for the value of the alternative itself), width, low and high of an integer."""


def uniform(node: s.Choice) -> list[list[Leaf]] | None:
    """The integers of each alternative of a choice whose alternatives differ in widths and ranges only, else None."""
    if node.ext or len(node.root) < 3:
        return None
    rows = [_integers(alternative.type) for alternative in node.root]
    found = [row for row in rows if row]
    if len(found) < len(rows) or any([f[0] for f in row] != [f[0] for f in found[0]] for row in found):
        return None
    return found


def _integers(node: s.Type) -> list[Leaf] | None:
    """The integers of a type that is nothing but plain ones of fixed width."""
    node = s.resolve(node)
    named = [("", node)]
    if isinstance(node, s.Sequence):
        if node.extensible or any(f.skippable for f in node.fields):
            return None
        named = [(f.name, s.resolve(f.type)) for f in node.fields]
    leaves: list[Leaf] = []
    for name, kind in named:
        if not isinstance(kind, s.Integer) or kind.parts or kind.extensible or kind.low is None or kind.high is None:
            return None
        leaves.append((name, (kind.high - kind.low).bit_length(), kind.low, kind.high))
    return leaves
