"""Kernels as CUDA device functions: the source that the processor runs, compiled by numba-cuda (extra `cloverleaf[cuda]`).

Three things keep the compile time of a whole engine at seconds, where numba-cuda alone takes hours: a function that is called from many
places is handed to NVVM once, not once for every way that leads to it; tables of many arrays travel as one address, not as some hundred
numbers in every call; and large functions stay functions. What this relies on is in numba-cuda's `codegen.py`.
"""

from __future__ import annotations

import types
from typing import Any

from llvmlite import ir
from numba import cuda
from numba.cuda import types as cuda_types
from numba.cuda.codegen import CUDACodeLibrary
from numba.cuda.cudadecl import registry as declarations
from numba.cuda.cudaimpl import lower_getattr_generic
from numba.cuda.datamodel.models import PrimitiveModel
from numba.cuda.extending import intrinsic
from numba.cuda.models import register_model
from numba.cuda.typing.templates import AttributeTemplate

from cloverleaf.algo.compiling import Kernel

LARGE = 10
"""Blocks from which on a function is not copied into its callers."""
_ADDRESS = ir.IntType(8).as_pointer()


class Reference(cuda_types.Type):  # type: ignore[misc]
    """The address of a NamedTuple of arrays; its fields read like those of the tuple."""

    def __init__(self, tables: Any) -> None:
        self.tables = tables
        super().__init__(name=f"Reference({tables})")


@register_model(Reference)
class ReferenceModel(PrimitiveModel):  # type: ignore[misc]
    """One pointer."""

    def __init__(self, manager: Any, reference: Reference) -> None:
        super().__init__(manager, reference, _ADDRESS)


@declarations.register_attr
class ReferenceFields(AttributeTemplate):  # type: ignore[misc]
    """Types of the fields behind a reference."""

    key = Reference

    def generic_resolve(self, reference: Reference, name: str) -> Any:
        """The type of field `name`, or None."""
        tables = reference.tables
        return tables[tables.fields.index(name)] if name in tables.fields else None


@lower_getattr_generic(Reference)
def _load_field(context: Any, builder: Any, reference: Reference, value: Any, name: str) -> Any:
    """Read one field through the address."""
    tables, zero = reference.tables, ir.IntType(32)(0)
    whole = builder.bitcast(value, context.get_value_type(tables).as_pointer())
    field = ir.IntType(32)(tables.fields.index(name))
    return builder.load(builder.gep(whole, [zero, field], inbounds=True))


@intrinsic
def by_reference(typing_context: Any, tables: Any) -> Any:
    """The address of a NamedTuple of arrays, which is kept in the calling kernel's own memory."""

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        with builder.goto_entry_block():
            slot = builder.alloca(arguments[0].type)
        builder.store(arguments[0], slot)
        return builder.bitcast(slot, _ADDRESS)

    return Reference(tables)(tables), lower


def _modules(self: CUDACodeLibrary) -> list[ir.Module]:
    """The code of a function and of all that it calls, each once; large functions are marked to stay as they are."""
    found: dict[CUDACodeLibrary, ir.Module] = {}
    waiting = [self]
    while waiting:
        library = waiting.pop()
        if library in found or library._module is None:
            continue
        found[library] = library._module
        waiting += sorted(library._linking_libraries, key=lambda x: str(x.name))
        for function in library._module.functions if library is not self else ():
            if len(function.blocks) > LARGE and "alwaysinline" not in function.attributes:
                function.attributes.add("noinline")
    return list(found.values())


CUDACodeLibrary.modules = property(_modules)


def device_function(function: Any, made: dict[Any, Any] | None = None) -> Any:
    """A kernel or a pointer, with all kernels that it calls, as CUDA device functions. `made` holds those that exist already."""
    made = {} if made is None else made
    source = function.py_func if isinstance(function, Kernel) else function._pyfunc
    if source not in made:
        names = dict(source.__globals__)
        copy = types.FunctionType(source.__code__, names, source.__name__, source.__defaults__)
        made[source] = cuda.jit(device=True)(copy)
        for name in source.__code__.co_names:
            if isinstance(names.get(name), Kernel):
                names[name] = device_function(names[name], made)
    return made[source]
