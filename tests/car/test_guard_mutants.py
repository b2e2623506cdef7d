"""The guard's tests can fail: each comparison, constant and sign of its RSS rules, changed one at a time, must be noticed.

The mutants run as plain Python, so that no kernel is compiled for them.
"""

import ast
import math
from pathlib import Path

from cloverleaf.car import guard
from cloverleaf.measure import rss

RULES = ("longitudinal_limit", "sideways_unsafe")
FLIPS = {ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.Lt: ast.GtE, ast.LtE: ast.Gt}
SWAPS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
CONSTANTS = (
    "RHO", "ACCEL_MAX", "BRAKE_MIN", "BRAKE_MAX", "BRAKE_CORRECT", "LATERAL_ACCEL", "LATERAL_BRAKE", "LATERAL_MARGIN", "STRONGEST",
)  # fmt: skip


def rules():
    tree = ast.parse(Path(guard.__file__).read_text())
    body = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name in RULES]
    for function in body:
        function.decorator_list = []
    return ast.Module(body, [])


def points(tree):
    return [n for n in ast.walk(tree) if isinstance(n, ast.Compare | ast.BinOp | ast.UnaryOp | ast.Constant)]


def change(node):
    """Mutate in place; False if there is nothing to change."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in FLIPS:
        node.ops[0] = FLIPS[type(node.ops[0])]()
    elif isinstance(node, ast.BinOp) and type(node.op) in SWAPS:
        node.op = SWAPS[type(node.op)]()
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node.op = ast.UAdd()
    elif isinstance(node, ast.Constant) and isinstance(node.value, float):
        node.value += 0.6
    else:
        return False
    return True


def space(**constants):
    """What the rules see: the guard's constants, and the formulas of RSS as plain functions."""
    names = {"math": math, **{c: getattr(guard, c) for c in CONSTANTS}}
    plain = {"math": math, **{n: getattr(rss, n).py_func for n in ("lateral_way",)}}
    for name in ("rss_longitudinal", "rss_opposite", "rss_lateral", "rss_brake"):
        function = getattr(rss, name).py_func
        names[name] = type(function)(function.__code__, plain, name)
    return {**names, **constants, "NOTHING": 0}


def holds(tree, names):
    """The facts that `test_guard.py` and the numbers worked out by hand below ask for."""
    exec(compile(ast.fix_missing_locations(tree), "guard", "exec"), names)
    limit, unsafe = names["longitudinal_limit"], names["sideways_unsafe"]
    try:
        return all((
            # 10 m/s towards a standing car: 3.081 + 10.54^2 / 12 = 12.339 m
            math.isinf(limit(10.0, 0.0, 12.35)), math.isclose(limit(10.0, 0.0, 12.33), -100.0 / (2 * 9.33)),
            # 20 m/s behind 15 m/s: 6.081 + 20.54^2 / 12 - 225 / 16 = 27.1758 m
            math.isinf(limit(20.0, 15.0, 27.19)), math.isclose(limit(20.0, 15.0, 27.16), -400.0 / (2 * (21.16 + 14.0625))),
            limit(10.0, 0.0, 3.5) == -8.0, limit(10.0, 0.0, 0.0) == -8.0,
            # slow rolling back counts as standing
            limit(10.0, -0.45, 12.35) == math.inf, limit(10.0, -0.45, 12.0) > -8.0, limit(10.0, -0.5, 12.35) == math.inf,
            # 10 m/s meets 5 m/s: 3.081 + 10.54^2 / 10 + 1.581 + 5.54^2 / 12 = 18.3288 m
            math.isinf(limit(10.0, -5.0, 18.34)), limit(10.0, -5.0, 18.32) == -5.0, limit(0.0, -5.0, 1.0) == 0.0,
            limit(0.09, -5.0, 1.0) == 0.0, limit(0.11, -5.0, 1.0) == -5.0,
            # standing
            limit(0.0, 0.0, 0.05) == -0.45, limit(0.05, 0.0, 0.05) == -0.45, limit(0.0, 0.0, 0.104) < 0.0,
            limit(0.3, 0.0, 0.2) < -0.3, math.isinf(limit(0.0, 0.0, 0.107)), limit(0.2, 0.0, 0.05) == -8.0,
            # drifting at 1 m/s: 0.3045 + 1.03^2 / 2 for the one, 0.0045 + 0.03^2 / 2 for the other, and 0.05: 0.8899 m
            unsafe(2.685, -1.0, 1.8), not unsafe(2.695, -1.0, 1.8), unsafe(-2.685, 1.0, 1.8), not unsafe(-2.695, 1.0, 1.8),
            unsafe(1.84, 1.0, 1.8), not unsafe(1.86, 1.0, 1.8), unsafe(-1.84, -1.0, 1.8), not unsafe(-1.86, -1.0, 1.8),
        ))  # fmt: skip
    except ArithmeticError:
        return False


def test_facts_hold_for_the_guard_as_it_is():
    assert holds(rules(), space())


def test_at_least_nine_of_ten_mutants_die():
    alive, count = [], 0
    for k in range(len(points(rules()))):
        tree = rules()
        if not change(points(tree)[k]):
            continue
        count += 1
        if holds(tree, space()):
            alive.append(ast.unparse(points(tree)[k]))
    for name in CONSTANTS:
        for factor in (0.8, 1.25):
            count += 1
            if holds(rules(), space(**{name: getattr(guard, name) * factor})):
                alive.append(f"{name} * {factor}")
    assert count > 35 and len(alive) <= 0.1 * count, alive
