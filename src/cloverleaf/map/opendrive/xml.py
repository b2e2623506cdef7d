"""Reading XML attributes with errors that name file, line and element."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lxml import etree

from cloverleaf.types.errors import MapError, nearest

Element = Any


class XmlSource:
    """An XML file and the strict attribute readers over it; every failure is a `MapError` with position."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            parser = etree.XMLParser(remove_comments=True, remove_pis=True, huge_tree=True, resolve_entities=False)
            self.root: Element = etree.parse(str(path), parser).getroot()
        except OSError as error:
            raise MapError("cannot read the file", file=path, hint="check the path") from error
        except etree.XMLSyntaxError as error:
            line = error.lineno or 0
            raise MapError(
                f"not well-formed XML: {error.msg}", file=path, line=line, hint="is the file cut off?"
            ) from None
        if "}" in self.root.tag:
            for element in self.root.iter():
                element.tag = element.tag.rpartition("}")[2]

    def fail(self, element: Element, message: str, hint: str = "") -> MapError:
        """An error at `element`, ready to raise."""
        return MapError(message, file=self.path, line=element.sourceline or 0, element=element.tag, hint=hint)

    def text(self, element: Element, name: str, default: str | None = None) -> str:
        """Attribute as text; an error if missing and no default is given."""
        value = element.get(name)
        if value is not None:
            return str(value)
        if default is None:
            raise self.fail(element, f"attribute '{name}' is missing")
        return default

    def number(self, element: Element, name: str, default: float | None = None) -> float:
        """Attribute as a finite float."""
        raw = element.get(name)
        if raw is None:
            if default is None:
                raise self.fail(element, f"attribute '{name}' is missing")
            return default
        try:
            value = float(raw)
        except ValueError:
            raise self.fail(element, f"attribute '{name}' is not a number: '{raw}'") from None
        if not math.isfinite(value):
            raise self.fail(element, f"attribute '{name}' is not finite: '{raw}'")
        return value

    def integer(self, element: Element, name: str, default: int | None = None) -> int:
        """Attribute as an int."""
        value = self.number(element, name, None if default is None else float(default))
        if value != int(value):
            raise self.fail(element, f"attribute '{name}' is not an integer: '{element.get(name)}'")
        return int(value)

    def choice(self, element: Element, name: str, valid: Iterable[str], default: str | None = None) -> str:
        """Attribute as one of `valid`."""
        value = self.text(element, name, default)
        options = list(valid)
        if value not in options and value != default:
            raise self.fail(element, f"attribute '{name}' has the unknown value '{value}'", nearest(value, options))
        return value
