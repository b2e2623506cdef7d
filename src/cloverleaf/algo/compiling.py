"""How kernels are compiled: whatever a kernel calls is compiled once, into it, and nowhere else.

numba on its own gives every function a Python wrapper, the full optimisation, machine code and a cache file, although most of our
functions are only ever called by other kernels: that was three quarters of the cold start. Here each function has two sides:
called from Python it is an entry, compiled with everything it calls as one unit and cached; called from a kernel it is a part, of
which only the intermediate code is made, linked into the entries that need it. numba is pinned; what this relies on is in its
`core/codegen.py` and `core/typed_passes.py`.

Two answers that numba works out anew for every operator of every function are remembered too: the hash of the compile flags, and
the type of a built-in function of given arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import _dynfunc
from numba.core import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder, Flags
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.registry import CPUDispatcher
from numba.core.typed_passes import AnnotateTypes, IRLegalization, NativeLowering, NoPythonBackend
from numba.core.types.functions import BaseFunction
from numba.core.types.misc import unliteral


class PartLibrary(JITCodeLibrary):  # type: ignore[misc]
    """Intermediate code of one function and of all it calls, for linking: never optimised as a whole, never machine code."""

    def finalize(self) -> None:
        """Take in what this function calls."""
        self._raise_if_finalized()
        for library in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalized = True


class EntryLibrary(JITCodeLibrary):  # type: ignore[misc]
    """An entry with all its parts, optimised once: numba's extra round before it serves reference counting, which kernels lack."""

    def _optimize_final_module(self) -> None:
        passes, builder = self._codegen._module_pass_manager()
        with self._recorded_timings.record("Module passes", builder):
            passes.run(self._final_module, builder)


@register_pass(mutates_CFG=True, analysis_only=False)
class EntryLowering(NativeLowering):  # type: ignore[misc]
    """Lowering to machine code in an EntryLibrary."""

    _name = "entry_lowering"

    def run_pass(self, state: Any) -> bool:
        """Lower into a library that can be cached."""
        state.library = EntryLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return bool(super().run_pass(state))


@register_pass(mutates_CFG=True, analysis_only=False)
class PartLowering(NativeLowering):  # type: ignore[misc]
    """Lowering without machine code: the function is known to other kernels, its address is zero."""

    _name = "part_lowering"

    def run_pass(self, state: Any) -> bool:
        """Lower into a PartLibrary and tell the target where calls find it."""
        context = state.targetctx
        state.library = PartLibrary(context.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        lowered = state.cr
        name = lowered.fndesc.qualname.split(".")[-1]
        key = _dynfunc.make_function(
            lowered.fndesc.lookup_module(), name, "part of kernels", 0, lowered.env, (state.library,)
        )
        context.insert_user_function(key, lowered.fndesc, [state.library])
        state.reload_init.extend(state.library._reload_init)
        state.cr = lowered._replace(cfunc=key)
        return True


def _pipeline(state: Any, lowering: type) -> list[PassManager]:
    """The usual way from bytecode to typed code, then `lowering`; no object mode."""
    whole = PassManager(lowering.__name__)
    whole.passes.extend(DefaultPassBuilder.define_untyped_pipeline(state).passes)
    whole.passes.extend(DefaultPassBuilder.define_typed_pipeline(state).passes)
    whole.add_pass(IRLegalization, "ensure IR is legal prior to lowering")
    whole.add_pass(AnnotateTypes, "annotate types")
    whole.add_pass(lowering, "lower")
    whole.add_pass(NoPythonBackend, "nopython mode backend")
    whole.finalize()
    return [whole]


class EntryCompiler(CompilerBase):  # type: ignore[misc]
    """For calls from Python."""

    def define_pipelines(self) -> list[PassManager]:
        """Down to machine code."""
        return _pipeline(self.state, EntryLowering)


class PartCompiler(CompilerBase):  # type: ignore[misc]
    """For calls from other kernels."""

    def define_pipelines(self) -> list[PassManager]:
        """Down to intermediate code."""
        return _pipeline(self.state, PartLowering)


class Part(CPUDispatcher):  # type: ignore[misc]
    """A function as other kernels call it: constants among its arguments are numbers like any other, so that each function is compiled
    once and not once for every constant that somebody passes."""

    def get_call_template(self, args: tuple[types.Type, ...], kws: dict[str, types.Type]) -> Any:
        """Without literal types."""
        return super().get_call_template(tuple(unliteral(a) for a in args), {n: unliteral(a) for n, a in kws.items()})


class Kernel(CPUDispatcher):  # type: ignore[misc]
    """A function with two sides: an entry for Python, a part for other kernels."""

    def __init__(self, py_func: Callable[..., Any], locals: Any = None, targetoptions: Any = None, **more: Any) -> None:
        super().__init__(py_func, locals, targetoptions, pipeline_class=EntryCompiler, **more)
        self.part = Part(
            py_func, locals, {**self.targetoptions, "no_cpython_wrapper": True}, pipeline_class=PartCompiler
        )

    @property
    def _numba_type_(self) -> types.Type:
        """What a kernel that names this function sees."""
        return types.Dispatcher(self.part)


_ask = BaseFunction.get_call_type
_answers: dict[int, tuple[BaseFunction, dict[Any, Any]]] = {}  # beside the objects, not in them: types are pickled


def _call_type(self: BaseFunction, context: Any, args: tuple[types.Type, ...], kws: Any) -> Any:
    """`BaseFunction.get_call_type`, remembered per function object: one that learns new types is a new object."""
    if kws:
        return _ask(self, context, args, kws)
    answers = _answers.setdefault(id(self), (self, {}))[1]
    if args not in answers:
        answers[args] = _ask(self, context, args, kws)
    return answers[args]


def _same_flags(self: Flags, other: object) -> bool:
    """Equality by what was set, not by reading all options."""
    return isinstance(other, Flags) and self._values == other._values


def _hash_flags(self: Flags) -> int:
    return hash(tuple(sorted(self._values)))


BaseFunction.get_call_type = _call_type  # type: ignore[method-assign]
Flags.__eq__ = _same_flags  # type: ignore[method-assign]
Flags.__hash__ = _hash_flags  # type: ignore[method-assign]
