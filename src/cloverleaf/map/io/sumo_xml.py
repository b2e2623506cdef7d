"""XML files of SUMO: parsing with line numbers, and attribute access that names file, line and element when it fails."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from lxml import etree

from cloverleaf.types.errors import InputError

Element = Any
"""An lxml element."""


class XmlSource(NamedTuple):
    """One file being read, and the error its faults raise (MapError, DemandError, StudyError)."""

    path: str
    error: type[InputError]

    def fail(self, element: Element | None, message: str, hint: str = "") -> NoReturn:
        """Raise the error of this source, naming file, line and element."""
        if element is None:
            raise self.error(message, file=self.path, hint=hint)
        name = element.get("id")
        where = f"{element.tag} {name}" if name else str(element.tag)
        raise self.error(message, file=self.path, line=element.sourceline or 0, element=where, hint=hint)

    def text(self, element: Element, name: str) -> str:
        """A required attribute."""
        value = element.get(name)
        if value is None:
            self.fail(element, f"attribute '{name}' is missing")
        return str(value)

    def number(self, element: Element, name: str, default: float | None = None) -> float:
        """A finite number; required where `default` is None."""
        value = element.get(name)
        if value is None:
            if default is None:
                self.fail(element, f"attribute '{name}' is missing")
            return default
        try:
            result = float(value)
        except ValueError:
            result = math.nan
        if not math.isfinite(result):
            self.fail(element, f"attribute {name}='{value}' is not a finite number")
        return result

    def integer(self, element: Element, name: str, default: int | None = None) -> int:
        """A whole number; required where `default` is None."""
        value = self.number(element, name, None if default is None else float(default))
        if value != int(value):
            self.fail(element, f"attribute {name}='{element.get(name)}' is not a whole number")
        return int(value)

    def flag(self, element: Element, name: str, default: bool = False) -> bool:
        """A truth value: 1, 0, true, false, yes, no, on, off, x, -."""
        value = element.get(name)
        if value is None:
            return default
        lowered = value.lower()
        if lowered in ("1", "true", "yes", "on", "x", "t"):
            return True
        if lowered in ("0", "false", "no", "off", "-", "f"):
            return False
        self.fail(element, f"attribute {name}='{value}' is not a truth value")


def load_xml(path: str | Path, error: type[InputError], root: tuple[str, ...]) -> tuple[XmlSource, Element]:
    """Parse a plain or gzipped file; its root must be one of the tags in `root`. External entities are never followed."""
    source = XmlSource(str(path), error)
    file = Path(path)
    if not file.is_file():
        similar = sorted(p.name for p in file.parent.glob("*.xml*"))[:5] if file.parent.is_dir() else []
        raise error(
            "no such file", file=path, hint=f"beside it lie: {', '.join(similar)}" if similar else "check the path"
        )
    try:
        data = file.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True, remove_comments=True)
        tree = etree.fromstring(data, parser)
    except (OSError, EOFError, zlib.error) as exc:
        raise error(f"cannot read: {exc}", file=path, hint="the file may be damaged") from exc
    except etree.XMLSyntaxError as exc:
        line = exc.lineno or 0
        raise error(f"not well-formed XML: {exc.msg}", file=path, line=line, hint="the file may be cut off") from exc
    if tree.tag not in root:
        hint = f"expected <{'> or <'.join(root)}>"
        raise error(
            "not the expected kind of file", file=path, line=tree.sourceline or 0, element=str(tree.tag), hint=hint
        )
    return source, tree
