"""The exception tree: everything that Cloverleaf raises on purpose.

CloverleafError
 ├── InputError            a file or value from outside is wrong: exit 2, one line and a hint
 │    ├── MapError         a map file
 │    ├── DemandError      routes, trips, vehicle types
 │    ├── ScenarioError    an OpenSCENARIO file
 │    ├── StudyError       a study file or a command-line value
 │    └── PluginError      an entry point: unknown, duplicate or of the wrong form
 ├── DecodeError           bytes that are not a valid message: the only error a decoder raises
 ├── EncodeError           a value that the standard cannot express
 └── SecurityError         a signature, certificate or permission that does not hold
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class CloverleafError(Exception):
    """Root of all errors; `hint` says what to do next."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(CloverleafError):
    """Input is wrong. `where` is `file:line:element`, as far as known."""

    def __init__(self, message: str, *, file: object = "", line: int = 0, element: str = "", hint: str = "") -> None:
        where = str(file)
        if line:
            where += f":{line}"
        if element:
            where += f":{element}" if where else element
        super().__init__(f"{where}: {message}" if where else message, hint=hint)
        self.file, self.line, self.element = str(file), line, element


class MapError(InputError):
    """A map file is broken or contains what we do not support."""


class DemandError(InputError):
    """A demand file is broken, or names edges or types that do not exist."""


class ScenarioError(InputError):
    """A scenario file is broken or contains what we do not support."""


class StudyError(InputError):
    """A study file or a command-line value is wrong."""


class PluginError(InputError):
    """A plug-in is unknown, registered twice or of the wrong form."""


class DecodeError(CloverleafError):
    """Bytes are not a valid message; `offset_bits` says where it was noticed."""

    def __init__(self, message: str, *, offset_bits: int = -1, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.offset_bits = offset_bits


class EncodeError(CloverleafError):
    """A value cannot be expressed in the standard's type; `path` names the field."""

    def __init__(self, message: str, *, path: str = "", hint: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message, hint=hint)
        self.path = path


class SecurityError(CloverleafError):
    """A signature, certificate or permission does not hold; `reason` is a short counted key."""

    def __init__(self, message: str, *, reason: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


def nearest(name: str, valid: Iterable[str]) -> str:
    """A hint that names the nearest valid key, or lists a few of them."""
    options = sorted(valid)
    close = get_close_matches(name, options, n=1, cutoff=0.5)
    if close:
        return f"did you mean '{close[0]}'?"
    return "valid: " + ", ".join(options[:20]) + (" ..." if len(options) > 20 else "")
