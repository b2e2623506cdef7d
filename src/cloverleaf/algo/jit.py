"""One decorator for all compiled kernels, and a compile cache that cannot go stale.

A kernel never allocates (callers pass scratch arrays) and uses `math.*` and scalar operators only, so `_nrt=False` removes
reference counting - the cost that dominates small steps - and the same source can become a CUDA device function.

numba stamps a cached kernel with its own file alone: an edit to a callee in another file, or a reordered NamedTuple field, would
silently run the old machine code. Our locator stamps each kernel with the contents of every Cloverleaf file that its
module imports, directly or not, and of the state schemas in `types/`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core import caching, config

from cloverleaf.algo.compiling import Kernel

F = TypeVar("F", bound=Callable[..., Any])

PACKAGE_ROOT = Path(__file__).resolve().parents[1]
_IMPORT = re.compile(
    r"^\s*(?:from\s+(cloverleaf[\w.]*)\s+import\s+([^#\n]+)|import\s+(cloverleaf[\w.]*))", re.MULTILINE
)


def _module_file(dotted: str) -> Path | None:
    """The source file of a `cloverleaf.*` module, or None where the name is not a module."""
    path = PACKAGE_ROOT.joinpath(*dotted.split(".")[1:])
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


@cache
def _imports(file: Path) -> frozenset[Path]:
    """The Cloverleaf files that `file` names in its import statements."""
    found: set[Path] = set()
    text = re.sub(r"\(\s*([^)]*)\)", lambda m: m.group(1).replace("\n", " "), file.read_text(encoding="utf-8"))
    for source, names, plain in _IMPORT.findall(text):
        dotted = [plain] if plain else [source, *(f"{source}.{n.split(' as ')[0].strip()}" for n in names.split(","))]
        found.update(f for f in map(_module_file, dotted) if f)
    return frozenset(found)


@cache
def _digest(file: Path) -> bytes:
    return hashlib.sha256(file.read_bytes()).digest()


@cache
def source_stamp(file: Path) -> str:
    """Hash of `file`, of everything it imports from Cloverleaf, and of the schemas in `types/` (hex)."""
    closure, frontier = {file}, [file]
    while frontier:
        for found in _imports(frontier.pop()) - closure:
            closure.add(found)
            frontier.append(found)
    closure.update((PACKAGE_ROOT / "types").glob("*.py"))
    h = hashlib.sha256(numba.__version__.encode())
    for path in sorted(closure):
        place = (
            path.relative_to(PACKAGE_ROOT) if path.is_relative_to(PACKAGE_ROOT) else path.name
        )  # generated: elsewhere
        h.update(str(place).encode())
        h.update(_digest(path))
    return h.hexdigest()


class StampedCacheLocator(caching._CacheLocator):  # type: ignore[misc]
    """Caches beside the source if that is writable, else in the user's cache folder; stamped by `source_stamp`."""

    def __init__(self, py_func: Any, py_file: str) -> None:
        self._file = Path(py_file).resolve()
        self._line = py_func.__code__.co_firstlineno
        beside = self._file.parent / "__pycache__"
        home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        user = Path(home) / "cloverleaf" / self.get_suitable_cache_subpath(py_file)
        self._path = str(beside if os.access(self._file.parent, os.W_OK) else user)

    def get_cache_path(self) -> str:
        return self._path

    def get_source_stamp(self) -> str:
        return source_stamp(self._file)

    def get_disambiguator(self) -> str:
        # the stamp is part of the name: an index of an older version may pickle classes that no longer exist
        return f"{self._line}-{source_stamp(self._file)[:12]}"

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> StampedCacheLocator | None:
        if not os.path.exists(py_file):
            return None
        locator = cls(py_func, py_file)
        try:
            locator.ensure_cache_path()
        except OSError:
            return None
        return locator


_LOCATOR = f"{__name__}.StampedCacheLocator"

KERNELS: list[Any] = []
"""Every kernel of this process, in the order of definition: the tests walk it."""


def kernel(function: F, **options: bool) -> F:
    """Compile `function` as a Cloverleaf kernel: cached, without the GIL, without reference counting, IEEE division."""
    if config.DISABLE_JIT:
        return function
    targetoptions = {"nopython": True, "nogil": True, "_nrt": False, "error_model": "numpy", "no_cfunc_wrapper": True}
    # said by every kernel: else a function takes it from whichever caller happens to be compiled first, with all that it calls in turn,
    # and the optimiser has been seen to spend an hour on copies of copies
    targetoptions["forceinline"] = False
    compiled = Kernel(function, targetoptions={"boundscheck": None, **targetoptions, **options})
    before = config.CACHE_LOCATOR_CLASSES
    config.CACHE_LOCATOR_CLASSES = _LOCATOR
    try:
        compiled.enable_caching()
    finally:
        config.CACHE_LOCATOR_CLASSES = before
    KERNELS.append(compiled)
    return compiled  # type: ignore[no-any-return]


def inlined(function: F) -> F:
    """A kernel that is compiled into its callers: for small steps of a hot loop whose arguments are tables of many arrays,
    because each call would copy the description of every array (some 100 ns for the tables of a whole net)."""
    return kernel(function, forceinline=True)
