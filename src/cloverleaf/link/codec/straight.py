"""Straight-line kernels for the messages that come by the thousand: the layout unrolled into numba source.

`program` runs any message through one interpreter; here the same plan becomes code with the widths, ranges and slots as constants.
The source lands in the user's cache folder under the hash of its text, so that numba keeps the machine code. Long list items and
parts in tables of their own are functions. What the code leaves out (extension additions, defaults that are sent, rare forms of strings)
makes a function give up the message: it then takes the interpreter.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

from cloverleaf.link.codec import plan as p
from cloverleaf.link.codec.straight_decode import Reader
from cloverleaf.link.codec.straight_encode import Writer
from cloverleaf.link.codec.straight_text import DECODE_MANY, ENCODE_MANY, HEAD
from cloverleaf.link.codec.straight_walk import Lines

HOT = frozenset(
    {
        *(("csae_day1", name) for name in ("bsm", "map", "rsm")),
        *(("csae_day2", name) for name in ("bsm", "map", "rsm", "bsm_d2", "map_d2", "rsm_d2", "ssm")),
        ("etsi", "cam"),
    }
)
"""Messages with kernels of their own: what the compile time buys is used in every tick."""


class Straight:
    """Generates the functions of a layout; `module` loads them. `opened`: the message lies in an open type."""

    def __init__(self, layout: p.Layout) -> None:
        self.layout = layout
        self.functions: list[str] = []
        self.constants: list[str] = []
        self.count = 0
        self.opened = False

    def function(self, signature: str, body: Lines, last: str, *, writes: bool = False) -> None:
        """Add a function: a new position, or minus the error code, -99 buffer full, -100 - table that is full."""
        begin = "    if q > room:\n        return I(-99)\n    c = head(b, q)\n" if writes else ""
        self.functions.append(f"\n\n@kernel\ndef {signature}:\n{begin}{body.text()}\n    {last}\n")

    def source(self) -> str:
        """The text of the module."""
        reader, writer = Reader(self, 0), Writer(self, 0)
        reader.emit(self.layout.root)
        reader.flush()
        self.function(f"d0(o0, {Reader.ARGUMENTS})", reader.s, "return q if q <= end else I(-1)")
        writer.emit(self.layout.root)
        writer.flush()
        self.function(f"e0(o0, {Writer.ARGUMENTS})", writer.s, "return q", writes=True)
        tables = range(1, len(self.layout.widths))
        save = "\n".join(f"        s{t} = slot(rows, {8 * t})" for t in tables)
        restore = "\n".join(f"            set_slot(rows, {8 * t}, s{t})" for t in tables)
        text = HEAD + "\n".join(self.constants) + "\n" + "".join(self.functions) + DECODE_MANY + ENCODE_MANY
        text = text.replace("SAVE", save).replace("RESTORE", restore or "            pass")
        return text.replace("WIDTH0", str(8 * self.layout.widths[0])).replace("OPENED", str(self.opened))

    def module(self) -> Any:
        """The module with `decode_many` and `encode_many`."""
        text = self.source()
        home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        folder = Path(home) / "cloverleaf" / "codec"
        file = folder / f"m{hashlib.sha256(text.encode()).hexdigest()[:20]}.py"
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            draft = file.with_suffix(f".{os.getpid()}")
            draft.write_text(text, encoding="utf-8")
            draft.replace(file)
        spec = importlib.util.spec_from_file_location(f"cloverleaf_{file.stem}", file)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # numba finds a cached function's globals by its module's name
        spec.loader.exec_module(module)
        return module
