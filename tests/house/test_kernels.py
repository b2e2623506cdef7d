"""Every kernel: cached by the contents of what it imports, free of reference counting, with a single signature."""

import importlib
import pkgutil
import subprocess
import sys
from importlib import util
from pathlib import Path

import cloverleaf
from cloverleaf.algo import jit

NEED_CUDA = ("cloverleaf.algo.cuda", "cloverleaf.loop.storyboard.device")  # no kernels of their own


def all_kernels():
    for module in pkgutil.walk_packages(cloverleaf.__path__, "cloverleaf."):
        extra_missing = module.name in NEED_CUDA and util.find_spec("numba_cuda") is None
        if not module.name.endswith("__main__") and not extra_missing:
            importlib.import_module(module.name)
    return list(jit.KERNELS)


def test_no_kernel_allocates():
    assert all(
        k.targetoptions.get("_nrt") is False and k.targetoptions["error_model"] == "numpy" for k in all_kernels()
    )


def test_stamp_follows_the_imports(tmp_path):
    rng = Path(jit.PACKAGE_ROOT / "algo" / "rng.py")
    assert jit.PACKAGE_ROOT / "algo" / "jit.py" in jit._imports(rng)
    assert jit.source_stamp(rng) != jit.source_stamp(jit.PACKAGE_ROOT / "algo" / "jit.py")


def test_edit_to_a_callee_recompiles_the_caller(tmp_path):
    """The silent corruption that the stamp exists for: numba alone would run the old callee."""
    package = tmp_path / "cloverleaf"
    for name in ("algo", "types"):
        (package / name).mkdir(parents=True)
        (package / name / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    for name in ("jit.py", "compiling.py"):
        (package / "algo" / name).write_text((jit.PACKAGE_ROOT / "algo" / name).read_text())
    (package / "algo" / "caller.py").write_text(
        "from cloverleaf.algo.jit import kernel\nfrom cloverleaf.algo.callee import f\n\n@kernel\ndef g(x):\n    return f(x)\n"
    )
    answers = []
    for constant in (1.0, 2.0):
        (package / "algo" / "callee.py").write_text(
            f"from cloverleaf.algo.jit import kernel\n\n@kernel\ndef f(x):\n    return x + {constant}\n"
        )
        code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nfrom cloverleaf.algo.caller import g\nprint(g(1.0))"
        answers.append(
            subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600
            ).stdout.strip()
        )
    assert answers == ["2.0", "3.0"]


def test_a_callee_is_no_copy_in_its_callers_because_the_first_one_was(tmp_path):
    """Otherwise the order of compilation decides how much code there is, up to more than the optimiser can digest."""
    (tmp_path / "fresh.py").write_text(
        "from cloverleaf.algo.jit import inlined, kernel\n"
        "@kernel\ndef low(x):\n    return x * 2.0\n"
        "@inlined\ndef middle(x):\n    return low(x) + 1.0\n"
        "@kernel\ndef high(x):\n    return middle(x)\n"
        "high(1.0)\n"
        "part, = low.part.overloads.values()\n"
        "code, = (f for f in part.library._final_module.functions if not f.is_declaration and 'low' in f.name)\n"
        "print('alwaysinline' in str(code).split(chr(10))[0] or any(b'alwaysinline' in a for a in code.attributes))\n"
    )
    env = {"PYTHONPATH": str(jit.PACKAGE_ROOT.parent), "XDG_CACHE_HOME": str(tmp_path), "PATH": ""}
    out = subprocess.run([sys.executable, "fresh.py"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
    assert out.stdout == "False\n", out.stdout + out.stderr
