"""Typed values of OpenSCENARIO: text to integer, double, boolean, dateTime or string, with the ranges of XML Schema."""

from __future__ import annotations

import math
import re
from datetime import datetime

from cloverleaf.scenario.openscenario.expression import Value
from cloverleaf.types.errors import ScenarioError

INTEGER_RANGES = {
    "integer": (-(2**31), 2**31 - 1),
    "int": (-(2**31), 2**31 - 1),
    "unsignedint": (0, 2**32 - 1),
    "unsignedshort": (0, 2**16 - 1),
}
TYPES = ("boolean", "dateTime", "double", "int", "integer", "string", "unsignedInt", "unsignedShort")
_DATE_TIME = re.compile(r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?$")


def parse_value(value: Value, kind: str) -> Value:
    """`value` as a value of the named type (any capitalisation). Integers come back as whole floats. Raises ScenarioError."""
    wanted = kind.lower()
    if wanted == "string":
        return f"{value:g}" if isinstance(value, float) else str(value)
    if wanted == "boolean":
        return _boolean(value)
    if wanted == "datetime":
        return _date_time(value)
    try:
        number = float("nan") if isinstance(value, bool) else float(value)
    except ValueError:
        number = float("nan")
    if math.isnan(number):
        raise ScenarioError(f"'{value}' is not of type {kind}")
    if wanted == "double":
        return number
    low, high = INTEGER_RANGES[wanted]
    if not low <= number <= high or number != math.floor(number):
        raise ScenarioError(f"'{value}' is not of type {kind}", hint=f"a whole number from {low} to {high}")
    return number


def _boolean(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    if str(value) in ("true", "1"):
        return True
    if str(value) in ("false", "0"):
        return False
    raise ScenarioError(f"'{value}' is not of type boolean", hint="true or false")


def _date_time(value: Value) -> str:
    text = str(value)
    if _DATE_TIME.match(text):
        try:
            datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")
            return text
        except ValueError:
            pass
    raise ScenarioError(f"'{text}' is not of type dateTime", hint="for example 2026-11-22T14:30:00Z")


def seconds(date_time: str) -> float:
    """A dateTime as seconds, comparable across time zones; without zone it counts as UTC."""
    text = date_time.replace("Z", "+00:00")
    match = re.match(r"(.{19})(\.\d+)?(?:([+-])(\d\d):?(\d\d))?$", text)
    if match is None:
        raise ScenarioError(f"'{date_time}' is not of type dateTime")
    base, fraction, sign, hours, minutes = match.groups()
    since = (datetime.strptime(base, "%Y-%m-%dT%H:%M:%S") - datetime(1970, 1, 1)).total_seconds() + float(fraction or 0)
    offset = (int(hours) * 3600 + int(minutes) * 60) if sign else 0
    return since - offset if sign != "-" else since + offset


def compare(left: Value, rule: str, right: Value, kind: str) -> bool:
    """`left rule right` for two values of one type; ordering rules hold for numbers and dateTimes (and text by code point)."""
    a, b = parse_value(left, kind), parse_value(right, kind)
    if kind.lower() == "datetime":
        a, b = seconds(str(a)), seconds(str(b))
    if rule == "equalTo":
        return a == b
    if rule == "notEqualTo":
        return a != b
    if rule == "greaterThan":
        return a > b  # type: ignore[operator]
    if rule == "lessThan":
        return a < b  # type: ignore[operator]
    if rule == "greaterOrEqual":
        return a >= b  # type: ignore[operator]
    return a <= b  # type: ignore[operator]
