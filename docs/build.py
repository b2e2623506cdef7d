"""Renders the reference pages: every room's modules, public classes and functions with their docstrings, as Markdown.

Reads the source as text (nothing is imported), writes to docs/reference/ or to the folder given as the only argument.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "cloverleaf"
Definition = ast.FunctionDef | ast.ClassDef


def signature(node: Definition) -> str:
    """`name(arguments) -> result` of a function, `name` of a class."""
    if isinstance(node, ast.ClassDef):
        return f"class {node.name}"
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{node.name}({ast.unparse(node.args)}){result}"


def fields(node: ast.ClassDef, source: list[str]) -> list[str]:
    """Annotated fields of a class with the comment behind them: that is where units stand."""
    rows = []
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            comment = source[item.end_lineno - 1].partition("  # ")[2] if item.end_lineno else ""
            rows.append(f"- `{item.target.id}: {ast.unparse(item.annotation)}`" + (f" {comment}" if comment else ""))
    return rows


def page(room: Path) -> str:
    """The Markdown page of one room."""
    out = [f"# {room.name}", ""]
    for file in sorted(room.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        tree = ast.parse(text)
        name = ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        out += [f"## {name}", "", ast.get_docstring(tree) or "", ""]
        for node in tree.body:
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.name.startswith("_"):
                continue
            out += [f"### `{signature(node)}`", "", ast.get_docstring(node) or "", ""]
            if isinstance(node, ast.ClassDef):
                out += [*fields(node, text.splitlines()), ""]
                for method in node.body:
                    if isinstance(method, ast.FunctionDef) and not method.name.startswith("_"):
                        summary = (ast.get_docstring(method) or "").split("\n\n")[0].replace("\n", " ")
                        out += [f"- `{signature(method)}`: {summary}"]
                out.append("")
    return "\n".join(out).rstrip() + "\n"


def build(target: Path) -> list[Path]:
    """Write one page per room; returns the files."""
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for room in sorted(p for p in PACKAGE.iterdir() if p.is_dir() and (p / "__init__.py").is_file()):
        file = target / f"{room.name}.md"
        file.write_text(page(room), encoding="utf-8")
        written.append(file)
    return written


if __name__ == "__main__":
    for path in build(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "reference"):
        print(path)
