"""OpenSCENARIO expressions: `$name`, `${...}` with arithmetic, functions and logic, and plain text.

Grammar of ASAM OpenSCENARIO XML 1.3, section "Expressions"; functions of all 1.x versions are accepted. Inside `${...}` operators bind,
loosest first: `or`, `and`, `not`, `+ -`, `* / %`, unary minus. A string expression joins pieces of text and string parameters with `+`.
Every error is a ScenarioError that the caller completes with file, line and element.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from cloverleaf.types.errors import ScenarioError, nearest

Value = float | bool | str

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|\$(?P<parameter>[A-Za-z_][\w.]*)|(?P<name>[A-Za-z_]\w*)|(?P<sign>[-+*/%(),]))"
)


def _round(x: float) -> float:
    return math.floor(x + 0.5) if x >= 0 else math.ceil(x - 0.5)


def _sign(x: float) -> float:
    return float((x > 0) - (x < 0))


FUNCTIONS: dict[str, tuple[int, Callable[..., float]]] = {
    "abs": (1, abs),
    "acos": (1, math.acos),
    "asin": (1, math.asin),
    "atan": (1, math.atan),
    "ceil": (1, math.ceil),
    "cos": (1, math.cos),
    "floor": (1, math.floor),
    "max": (2, max),
    "min": (2, min),
    "pow": (2, math.pow),
    "round": (1, _round),
    "sign": (1, _sign),
    "sin": (1, math.sin),
    "sqrt": (1, math.sqrt),
    "tan": (1, math.tan),
}
"""Name -> (number of arguments, function on doubles; angles in radians)."""

CONSTANTS: dict[str, Value] = {"pi": math.pi, "e": math.e, "true": True, "false": False}
DEPTH = 64
"""Nesting beyond which an expression is refused."""


class _Parser:
    """Recursive descent over the tokens of one expression; evaluates while it reads."""

    def __init__(self, text: str, parameters: Mapping[str, Value]) -> None:
        self._text = text
        self._parameters = parameters
        self._tokens = list(_tokens(text))
        self._next = 0
        self._depth = 0

    def value(self) -> Value:
        result = self._either()
        if self._next < len(self._tokens):
            raise ScenarioError(f"unexpected '{self._tokens[self._next][1]}' in expression '{self._text}'")
        return result

    def _peek(self, *wanted: str) -> bool:
        return self._next < len(self._tokens) and self._tokens[self._next][1] in wanted

    def _take(self) -> tuple[str, str]:
        if self._next >= len(self._tokens):
            raise ScenarioError(f"expression '{self._text}' ends too early")
        self._next += 1
        return self._tokens[self._next - 1]

    def _expect(self, sign: str) -> None:
        if not self._peek(sign):
            raise ScenarioError(f"'{sign}' is missing in expression '{self._text}'")
        self._next += 1

    def _either(self) -> Value:
        left = self._both()
        while self._peek("or"):
            self._take()
            right = self._both()
            left = self._logical(left) or self._logical(right)
        return left

    def _both(self) -> Value:
        left = self._negation()
        while self._peek("and"):
            self._take()
            right = self._negation()
            left = self._logical(left) and self._logical(right)
        return left

    def _negation(self) -> Value:
        if self._peek("not"):
            self._take()
            return not self._logical(self._negation())
        return self._sum()

    def _sum(self) -> Value:
        left = self._product()
        while self._peek("+", "-"):
            _, sign = self._take()
            right = self._number(self._product())
            left = self._number(left) + right if sign == "+" else self._number(left) - right
        return left

    def _product(self) -> Value:
        left = self._unary()
        while self._peek("*", "/", "%"):
            _, sign = self._take()
            a, b = self._number(left), self._number(self._unary())
            left = a * b if sign == "*" else self._divided(a, b, sign)
        return left

    def _divided(self, a: float, b: float, sign: str) -> float:
        if b == 0:
            raise ScenarioError(f"division by zero in expression '{self._text}'")
        return a / b if sign == "/" else math.fmod(a, b)

    def _unary(self) -> Value:
        self._depth += 1
        if self._depth > DEPTH:
            raise ScenarioError(f"expression is nested deeper than {DEPTH}: '{self._text[:60]}...'")
        try:
            if self._peek("-", "+"):
                _, sign = self._take()
                operand = self._number(self._unary())
                return -operand if sign == "-" else operand
            return self._atom()
        finally:
            self._depth -= 1

    def _atom(self) -> Value:
        kind, text = self._take()
        if kind == "number":
            return float(text)
        if kind == "parameter":
            if text not in self._parameters:
                raise ScenarioError(
                    f"parameter '${text}' is not declared",
                    hint=nearest(text, self._parameters) if self._parameters else "",
                )
            return self._parameters[text]
        if kind == "name":
            return self._call(text)
        if text == "(":
            inner = self._either()
            self._expect(")")
            return inner
        raise ScenarioError(f"unexpected '{text}' in expression '{self._text}'")

    def _call(self, name: str) -> Value:
        if name.lower() in CONSTANTS and not self._peek("("):
            return CONSTANTS[name.lower()]
        if name not in FUNCTIONS:
            raise ScenarioError(
                f"unknown function '{name}' in expression '{self._text}'", hint=nearest(name, FUNCTIONS)
            )
        arity, function = FUNCTIONS[name]
        self._expect("(")
        arguments = [self._number(self._either())]
        while self._peek(","):
            self._take()
            arguments.append(self._number(self._either()))
        self._expect(")")
        if len(arguments) != arity:
            raise ScenarioError(f"{name} takes {arity} argument(s), not {len(arguments)}, in expression '{self._text}'")
        return self._applied(name, function, arguments)

    def _applied(self, name: str, function: Callable[..., float], arguments: list[float]) -> float:
        try:
            return float(function(*arguments))
        except (ValueError, OverflowError) as error:
            raise ScenarioError(
                f"{name}({', '.join(f'{a:g}' for a in arguments)}) is not defined in expression '{self._text}'"
            ) from error

    def _number(self, value: Value) -> float:
        if isinstance(value, bool):
            raise ScenarioError(f"a truth value stands where a number is needed in expression '{self._text}'")
        try:
            return float(value)
        except ValueError as error:
            raise ScenarioError(
                f"text '{value}' stands where a number is needed in expression '{self._text}'"
            ) from error

    def _logical(self, value: Value) -> bool:
        if not isinstance(value, bool):
            raise ScenarioError(f"a number or text stands where a truth value is needed in expression '{self._text}'")
        return value


class _ColumnParser(_Parser):
    """The same grammar over columns: parameters are arrays, one value per world; what is undefined in a world becomes NaN there."""

    def _number(self, value: Any) -> Any:
        return value if isinstance(value, np.ndarray) else super()._number(value)

    def _divided(self, a: Any, b: Any, sign: str) -> Any:
        b = np.where(np.equal(b, 0.0), np.nan, b)
        return np.true_divide(a, b) if sign == "/" else np.fmod(a, b)

    def _applied(self, name: str, function: Callable[..., float], arguments: list[Any]) -> Any:
        columns = np.broadcast_arrays(*(np.asarray(a, np.float64) for a in arguments))

        def one(*values: float) -> float:
            try:
                return float(function(*values))
            except (ValueError, OverflowError):
                return math.nan

        # the scalar functions, value by value: numpy's own differ in the last bits with the processor
        rows = zip(*(c.ravel().tolist() for c in columns))
        return np.array([one(*row) for row in rows]).reshape(columns[0].shape)


def evaluate_column(text: str, parameters: Mapping[str, Any]) -> Any:
    """`evaluate` for a numeric attribute whose parameters may be arrays over worlds: a float or an array. Raises ScenarioError."""
    if text.startswith("${") and text.endswith("}"):
        return _ColumnParser(text[2:-1], parameters).value()
    return evaluate(text, parameters)


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, position, end = [], 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if not match or match.end() == position:
            raise ScenarioError(f"'{text[position]}' is not allowed in expression '{text}'")
        kind = match.lastgroup or ""
        tokens.append((kind, match.group(kind)))
        position = match.end()
    return tokens


def _joined(body: str, parameters: Mapping[str, Value]) -> str:
    """A string expression: pieces of text and parameters around `+`."""
    pieces = []
    for piece in re.split(r"\s*\+\s*", body.strip()):
        if piece.startswith("$"):
            if piece[1:] not in parameters:
                raise ScenarioError(
                    f"parameter '{piece}' is not declared", hint=nearest(piece[1:], parameters) if parameters else ""
                )
            value = parameters[piece[1:]]
            pieces.append(f"{value:g}" if isinstance(value, float) else str(value))
        else:
            pieces.append(piece)
    return "".join(pieces)


def _number_or_text(body: str, parameters: Mapping[str, Value]) -> Value:
    """In a string attribute: arithmetic where it is arithmetic, else joined text."""
    try:
        return _Parser(body, parameters).value()
    except ScenarioError as arithmetic:
        try:
            return _joined(body, parameters)
        except ScenarioError:
            raise arithmetic from None


def evaluate(text: str, parameters: Mapping[str, Value], *, as_text: bool = False) -> Value:
    """Value of an attribute: plain text as it is, `$name` the parameter, `${...}` the expression.

    With `as_text` the attribute's type is string, so `${a + $b}` joins. Raises ScenarioError.
    """
    if not text.startswith("$"):
        return text
    if text.startswith("${"):
        if not text.endswith("}"):
            raise ScenarioError(f"expression '{text}' lacks its closing brace")
        body = text[2:-1]
        if as_text:
            return _number_or_text(body, parameters)
        return _Parser(body, parameters).value()
    name = text[1:]
    if name not in parameters:
        raise ScenarioError(f"parameter '{text}' is not declared", hint=nearest(name, parameters) if parameters else "")
    return parameters[name]
