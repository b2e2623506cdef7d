"""OpenSCENARIO expressions against Python's own arithmetic, and every way to write one wrong."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloverleaf.scenario.openscenario.expression import evaluate
from cloverleaf.types.errors import ScenarioError

NUMBERS = st.integers(1, 99).map(str) | st.sampled_from(["0.5", "2.25", "1e2"])
FORMULAS = st.recursive(
    NUMBERS,
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*"), inner)
        | st.builds("{} / ({} + 100.5)".format, NUMBERS, NUMBERS)
        | st.builds("-{}".format, inner)
    ),
    max_leaves=12,
)


@given(FORMULAS)
def test_arithmetic_is_pythons(formula):
    assert evaluate("${" + formula + "}", {}) == pytest.approx(eval(formula))


def test_parameters_functions_and_constants():
    parameters = {"v": 72.0, "name": "Ego", "on": True}
    assert evaluate("$v", parameters) == 72.0
    assert evaluate("${$v / 3.6}", parameters) == pytest.approx(20.0)
    assert evaluate("${sqrt(pow($v, 2)) + round(-2.5) + max(1, 2)}", parameters) == pytest.approx(72 - 3 + 2)
    assert evaluate("${2*sin(pi/6)}", parameters) == pytest.approx(1.0)
    assert evaluate("${not $on or false}", parameters) is False
    assert evaluate("${7 % 4}", {}) == 3.0
    assert evaluate("${$name + _event}", parameters, as_text=True) == "Ego_event"
    assert evaluate("${250/3.6}", {}, as_text=True) == pytest.approx(250 / 3.6)
    assert evaluate("plain text", {}) == "plain text"
    assert math.isclose(evaluate("${-(2 - 5) * 2}", {}), 6.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$speed", "not declared"),
        ("${$sped}", "not declared"),
        ("${1 / 0}", "division by zero"),
        ("${1 % 0}", "division by zero"),
        ("${1 +}", "ends too early"),
        ("${1 2}", "unexpected '2'"),
        ("${(1}", "'\\)' is missing"),
        ("${sqrt(-1)}", "not defined"),
        ("${sqrt(1, 2)}", "takes 1 argument"),
        ("${sqr(4)}", "unknown function"),
        ("${1", "closing brace"),
        ("${1 & 2}", "not allowed"),
        ("${not 1}", "truth value is needed"),
        ("${true + 1}", "number is needed"),
        ("${" + "(" * 500 + "1" + ")" * 500 + "}", "nested deeper"),
        ("${$word * 2}", "text 'x'"),
        ("${__import__}", "unknown function"),
    ],
)
def test_wrong_expressions_say_what_is_wrong(text, message):
    with pytest.raises(ScenarioError, match=message):
        evaluate(text, {"word": "x"})
