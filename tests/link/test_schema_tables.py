"""Our schemas beside the shared fact tables, node by node: bounds, orders, names, extensions, defaults, open types."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from tests.link.codec_data import DATA

from cloverleaf.link.schemas import nodes as s
from cloverleaf.link.schemas.catalog import message

STANDARDS = ("csae_day1", "csae_day2", "etsi", "ieee1609dot2")
TEXTS = {"IA5String": "ia5", "UTF8String": "utf8", "NumericString": "digits"}


@cache
def tables(standard: str) -> Any:
    return json.loads((DATA / "schema" / f"{standard}.json").read_text())


def cases() -> list[Any]:
    if not (DATA / "schema").is_dir():
        return [pytest.param("", "", marks=pytest.mark.skip(reason=f"no {DATA / 'schema'}"))]
    return [(standard, name) for standard in STANDARDS for name in tables(standard)["messages"]]


@pytest.mark.parametrize(("standard", "name"), cases())
def test_tables(standard: str, name: str) -> None:
    entry = tables(standard)["messages"][name]
    comparison = Comparison(tables(standard)["groups"][entry["group"]]["types"])
    top = next(key for key in comparison.types if entry["top"] in (key, key.partition(".")[2]))
    comparison.compare({"ref": top}, message(standard, name).type())
    assert len(comparison.seen) > 20


class Comparison:
    """Walks a table and a schema together."""

    def __init__(self, types: dict[str, Any]) -> None:
        self.types = types
        self.seen: set[tuple[int, int]] = set()

    def compare(self, table: Any, node: s.Type) -> None:
        while "ref" in table:
            table = self.types[table["ref"]]
        node = s.resolve(node)
        if (id(table), id(node)) in self.seen:
            return
        self.seen.add((id(table), id(node)))
        kind = table["kind"]
        if isinstance(node, s.Integer):
            assert kind == "INTEGER"
            assert (table.get("min"), table.get("max")) == (node.low, node.high)
            assert (spans(table.get("allowed")), spans(table.get("ext_ranges"))) == (node.parts, node.extra)
            assert bool(table.get("extensible")) == node.extensible
        elif isinstance(node, s.Enumerated):
            assert kind == "ENUMERATED" and bool(table.get("extensible")) == node.extensible
            assert table["root"] == [list(pair) for pair in zip(node.root, node.values)]
            assert table.get("ext", []) == [list(pair) for pair in zip(node.ext, node.ext_values)]
        elif isinstance(node, s.Sequence):
            assert kind == "SEQUENCE" and bool(table.get("extensible")) == node.extensible
            self.fields(table["fields"], node.fields)
            additions = table.get("ext", [])
            assert len(additions) == len(node.ext)
            for theirs, ours in zip(additions, node.ext):
                assert ("group" in theirs) == isinstance(ours, tuple)
                self.fields(theirs.get("group", [theirs]), ours if isinstance(ours, tuple) else (ours,))
        elif isinstance(node, s.SequenceOf):
            assert kind == "SEQUENCE OF"
            self.size(table, node.size)
            self.compare(table["item"], node.item)
        elif isinstance(node, s.Choice):
            assert kind == "CHOICE" and bool(table.get("extensible")) == node.extensible
            for theirs, ours in (
                (sorted(table["alternatives"], key=lambda a: a["index"]), node.root),
                (table.get("ext", []), node.ext),
            ):
                assert [a["name"] for a in theirs] == [a.name for a in ours]
                for a, b in zip(theirs, ours):
                    self.compare(a["type"], b.type)
        elif isinstance(node, s.OpenType):
            assert kind == "OPEN TYPE"
            rows = table.get("table", [])
            assert [(row["id"], row["name"]) for row in rows] == [row[:2] for row in node.table]
            for row, ours_row in zip(rows, node.table):
                self.compare(row["type"], ours_row[2])
        elif isinstance(node, (s.BitString, s.OctetString, s.Text)):
            assert kind == {s.BitString: "BIT STRING", s.OctetString: "OCTET STRING"}.get(type(node), kind)
            assert not isinstance(node, s.Text) or TEXTS[kind] == node.alphabet
            self.size(table, node.size)
        else:
            assert kind == ("BOOLEAN" if isinstance(node, s.Boolean) else "NULL")

    def fields(self, theirs: list[Any], ours: tuple[s.Field, ...]) -> None:
        assert [f["name"] for f in theirs] == [f.name for f in ours]
        for a, b in zip(theirs, ours):
            assert a.get("default") == b.default
            assert b.default is not None or bool(a.get("optional")) == b.optional
            self.compare(a["type"], b.type)

    def size(self, table: Any, size: s.Size) -> None:
        given = table.get("size") or {}
        assert (given.get("min") or 0, given.get("max"), bool(given.get("extensible"))) == (
            size.low,
            size.high,
            size.extensible,
        )
        assert not size.extensible or spans(given.get("ext_ranges")) == size.extra


def spans(table: Any) -> tuple[tuple[int, int], ...]:
    return tuple((low, high) for low, high in table or ())
