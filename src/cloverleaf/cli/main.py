"""The `cloverleaf` command: finds the sub-command, imports only that, and turns errors into one line and a hint."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from cloverleaf import __version__
from cloverleaf.types.errors import CloverleafError, nearest

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("cloverleaf.cli.run", "a study or a .sumocfg: human, car, road and cloud side by side"),
    "judge": ("cloverleaf.cli.judge", "every concrete case of a suite, a verdict for each"),
    "trace": ("cloverleaf.cli.trace", "one run of an OpenSCENARIO file: rows of motion and events"),
    "scenario": ("cloverleaf.cli.scenario", "what of an OpenSCENARIO file is supported, with reasons"),
    "map": ("cloverleaf.cli.map", "facts, checks, queries and conversion of a map"),
    "link": ("cloverleaf.cli.link", "encode, decode and inspect V2X messages"),
    "drive": ("cloverleaf.cli.drive", "drive one car yourself in the browser, among smart cars"),
    "serve": ("cloverleaf.cli.serve", "the cloud platform: takes real messages, twin, services, API, console"),
    "track": ("cloverleaf.cli.track", "the multi-object tracker on recorded detections"),
    "rsu": ("cloverleaf.cli.rsu", "one roadside unit as a process: signal, perception, air and platform"),
    "bench": ("cloverleaf.cli.bench", "reproduce one row of the performance table beside its peer"),
    "doctor": ("cloverleaf.cli.doctor", "what is installed, what is missing and what that disables"),
}
"""Command name -> (module with a Typer object `app`, one line of help)."""


def help_text() -> str:
    """The text of `cloverleaf --help`, without importing any command."""
    width = max(map(len, COMMANDS)) + 2
    rows = "\n".join(f"  {name:<{width}}{summary}" for name, (_, summary) in COMMANDS.items())
    return (
        "Usage: cloverleaf COMMAND [ARGS]...\n\n"
        "  Human, car, road and cloud in one loop: simulate, connect and judge smart cars.\n\n"
        f"Commands:\n{rows}\n\n"
        "  cloverleaf COMMAND --help   what a command takes\n"
        "  cloverleaf --version        the version\n\n"
        "Start with:  cloverleaf run            (the built-in district)\n"
        "             cloverleaf run my.sumocfg (your own net and demand)\n"
    )


def dispatch(arguments: list[str]) -> int:
    """Run one command line; returns the exit code. Raises CloverleafError for the caller to print."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        sys.stdout.write(help_text())
        return 0
    if arguments[0] in ("-V", "--version"):
        sys.stdout.write(f"cloverleaf {__version__}\n")
        return 0
    name, *rest = arguments
    if name not in COMMANDS:
        raise CloverleafError(f"unknown command '{name}'", hint=nearest(name, COMMANDS))
    app = import_module(COMMANDS[name][0]).app
    result = app(args=rest, prog_name=f"cloverleaf {name}", standalone_mode=False)
    return result if isinstance(result, int) else 0


def main() -> None:
    """Entry point: exit 0 on success and where the reader closes the pipe, 2 on wrong input, 130 on Ctrl-C."""
    try:
        code = dispatch(sys.argv[1:])
        sys.stdout.flush()
    except CloverleafError as error:
        code = _complain(error.message if not str(error) else str(error), error.hint)
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        code = _reader_gone()
    except SystemExit as stop:
        if not isinstance(stop.__context__, BrokenPipeError):  # Typer and rich make 1 of it
            raise
        code = _reader_gone()
    except Exception as error:
        code = _usage_error(error)
    sys.exit(code)


def _reader_gone() -> int:
    """Whoever read our output has seen enough (`| head`): that is no error, and what is still in the buffer goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())  # type: ignore[union-attr]
    return 0


def _complain(message: str, hint: str) -> int:
    sys.stderr.write(f"error: {message}\n")
    if hint:
        sys.stderr.write(f"hint: {hint}\n")
    return 2


def _usage_error(error: Exception) -> int:
    """Turn the command-line library's own complaints into our form; anything else is a bug and shows its traceback."""
    format_message = getattr(error, "format_message", None)
    if format_message is None:
        if type(error).__name__ == "Abort":
            return 130
        if type(error).__name__ == "Exit":
            return int(getattr(error, "exit_code", 0))
        raise error
    context = getattr(error, "ctx", None)
    hint = f"see '{context.command_path} --help'" if context is not None else "see 'cloverleaf --help'"
    return _complain(format_message(), hint)
