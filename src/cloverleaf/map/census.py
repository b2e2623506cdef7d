"""The support census: what an input file contains and what becomes of it.

A reader counts every element and attribute, looks each up in its table of notes and returns `Feature` rows. Nothing is
skipped in silence: what the table does not know is `unsupported`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from cloverleaf.map.graph import Feature
from cloverleaf.types.errors import InputError, MapError

SUPPORTED, APPROXIMATED, IGNORED, UNSUPPORTED = "supported", "approximated", "ignored", "unsupported"

Notes = Mapping[str, tuple[str, str]]
"""`tag`, `tag@attribute` or `*@attribute` -> (status, note)."""


def take_census(file: str, root: Any, notes: Notes, skip: Collection[str] = ()) -> tuple[Feature, ...]:
    """Count elements and attributes below (and including) `root`, an lxml element; sorted by name.

    Children of the root named in `skip` belong to another reader and are left out with all below them.

    `file` of a row is `file:line` of the first occurrence where the row is unsupported, so that the error can name it.
    """
    counts: Counter[str] = Counter()
    first: dict[str, int] = {}
    for element in _elements(root, skip):
        tag = element.tag
        if not isinstance(tag, str):
            continue
        names = [tag, *(f"{tag}@{name}" for name in element.attrib if name[0] != "{")]
        for name in names:
            if name not in first:
                first[name] = element.sourceline or 0
        counts.update(names)
    rows = []
    for name in sorted(counts):
        status, note = look_up(name, notes)
        where = f"{file}:{first[name]}" if status == UNSUPPORTED else file
        rows.append(Feature(where, name, counts[name], status, note))
    return tuple(rows)


def _elements(root: Any, skip: Collection[str]) -> Iterator[Any]:
    if not skip:
        yield from root.iter()
        return
    yield root
    for child in root:
        if child.tag not in skip:
            yield from child.iter()


def look_up(name: str, notes: Notes) -> tuple[str, str]:
    """Status and note of `tag` or `tag@attribute`; unknown names are unsupported, attributes of ignored tags ignored."""
    if name in notes:
        return notes[name]
    tag, _, attribute = name.partition("@")
    if attribute:
        if f"*@{attribute}" in notes:
            return notes[f"*@{attribute}"]
        status, note = notes.get(tag, (UNSUPPORTED, ""))
        if status == IGNORED:
            return IGNORED, note
    return UNSUPPORTED, "not known to the reader"


def require_supported(
    census: Iterable[Feature], allow: Collection[str] = (), error: type[InputError] = MapError
) -> tuple[Feature, ...]:
    """Stop at the first unsupported row that `allow` does not name (by element, or `all`).

    Returns the unsupported rows that were allowed. Raises `error` (MapError, DemandError) with file:line:element.
    """
    allowed = []
    for row in census:
        if row.status != UNSUPPORTED:
            continue
        if row.element not in allow and "all" not in allow:
            file, _, line = row.file.rpartition(":")
            has_line = bool(file) and line.isdigit()
            raise error(
                f"not supported ({row.note or 'would change the result'}), {row.count} times",
                file=file if has_line else row.file,
                line=int(line) if has_line else 0,
                element=row.element,
                hint=f"--allow {row.element} runs without it",
            )
        allowed.append(row)
    return tuple(allowed)
