"""Studies from files: YAML with line numbers in its errors, and a .sumocfg as it lies on an engineer's disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

import yaml
from lxml import etree
from pydantic import BaseModel, ValidationError

from cloverleaf.study.config import Study
from cloverleaf.types.errors import StudyError, nearest

LATER = {
    "detectors": "calibration on counts is not yet supported",
    "costs": "benefit per cost is not yet supported",
}
"""Keys of the design that belong to a later version: refused by name, never ignored."""

Key = tuple[str | int, ...]


def read_study(path: str | Path) -> Study:
    """A study from YAML, or from a .sumocfg. Relative file names count from the study's own folder. Raises StudyError."""
    path = Path(path)
    if path.suffix == ".sumocfg":
        return from_sumocfg(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StudyError("no such file", file=path, hint="a study is a .yaml file or a .sumocfg") from None
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"cannot be read: {error}", file=path) from None
    try:
        values, lines = yaml.safe_load(text), _lines(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "not valid YAML"
        raise StudyError(
            str(problem), file=path, line=mark.line + 1 if mark else 0, hint="a study is YAML: key: value"
        ) from None
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise StudyError("not a study: the file must hold keys and values", file=path, line=1)
    _refuse_later(values, path, lines)
    if "sumo" in values and isinstance(values["sumo"], str):
        values = {**_sumo_values(_resolve(values["sumo"], path.parent)), **values}
    return validate(_resolved(values, path.parent), path, lines)


def from_sumocfg(path: str | Path, **overrides: Any) -> Study:
    """A study of map, demand and signals of a .sumocfg, for its begin and end; overrides are keys of `Study`."""
    return validate({**_sumo_values(Path(path)), **overrides}, Path(path))


def validate(values: Mapping[str, Any], file: str | Path = "", lines: Mapping[Key, int] | None = None) -> Study:
    """A study from plain values; the first error becomes one StudyError with file, line, key and a hint."""
    try:
        return Study.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        key: Key = tuple(first["loc"])
        line = _line_of(key, lines or {})
        element = ".".join(str(k) for k in key)
        if first["type"] == "extra_forbidden":
            raise StudyError("unknown key", file=file, line=line, element=element, hint=_nearest_key(key)) from None
        message, hint = _explain(first, key)
        raise StudyError(message, file=file, line=line, element=element, hint=hint or _default(key)) from None


def _default(key: Key) -> str:
    """What stands there unless told otherwise."""
    fields, value = Study.model_fields, Study().model_dump(mode="json")
    for part in key:
        if not isinstance(value, dict) or part not in value:
            break
        value = value[str(part)]
    else:
        return f"for example {value}" if value is not None else ""
    return f"keys: {', '.join(fields)}" if not key else ""


def read_source(source: Path | None) -> Study:
    """The study that a command line names: a study file, a SUMO configuration, or none for the built-in district."""
    if source is None:
        return Study()
    if source.suffix == ".sumocfg":
        return from_sumocfg(source)
    if source.suffix in (".yaml", ".yml"):
        return read_study(source)
    raise StudyError("neither a study nor a SUMO configuration", file=source, hint="a .yaml or a .sumocfg file")


def with_changes(study: Study, **changes: Any) -> Study:
    """The study with some keys replaced, as the command line does; validated like a file."""
    given = {k: v for k, v in changes.items() if v is not None}
    return validate({**study.model_dump(mode="json"), **given}, "command line") if given else study


def _explain(error: Any, key: Key) -> tuple[str, str]:
    """What is wrong and what would be right."""
    value = error.get("input")
    context = error.get("ctx", {})
    if error["type"] == "literal_error" or error["type"] == "enum":
        valid = [v.strip("' ") for v in str(context["expected"]).replace(" or ", ", ").split(",")]
        return f"'{value}' is not possible", nearest(str(value), valid)
    if error["type"] == "value_error":
        message = str(context["error"])
        hint = "name arms in a list: [human, car, road, cloud]" if "not yet supported" in message else ""
        return message, hint
    message = error["msg"][0].lower() + error["msg"][1:]
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        message += f", not {value}"
    hint = "a share between 0 and 1, e.g. 0.3" if key[-1] == "penetration" else ""
    return message, hint


def _nearest_key(key: Key) -> str:
    """The key that was meant: one of the same section, or one of this very name in another."""
    name, here = str(key[-1]), list(_keys(key[:-1]))
    sections = [k for k in Study.model_fields if isinstance(getattr(Study(), k), BaseModel)]
    elsewhere = {part: f"{section}.{part}" for section in sections for part in _keys((section,))}
    return f"did you mean '{elsewhere[name]}'?" if name in elsewhere and name not in here else nearest(name, here)


def _keys(section: Key) -> Iterable[str]:
    model: type[BaseModel] = Study
    for part in section:
        annotation = model.model_fields[str(part)].annotation
        options = [annotation, *get_args(annotation)]
        model = next(o for o in options if isinstance(o, type) and issubclass(o, BaseModel))
    return model.model_fields


def _line_of(key: Key, lines: Mapping[Key, int]) -> int:
    """The line of the key, or of the nearest section around it."""
    for n in range(len(key), 0, -1):
        if key[:n] in lines:
            return lines[key[:n]]
    return 0


def _lines(text: str) -> dict[Key, int]:
    """Line number of every key and list item."""
    found: dict[Key, int] = {}

    def walk(node: yaml.Node | None, key: Key) -> None:
        if isinstance(node, yaml.MappingNode):
            for name, value in node.value:
                found[(*key, name.value)] = name.start_mark.line + 1
                walk(value, (*key, name.value))
        elif isinstance(node, yaml.SequenceNode):
            for i, value in enumerate(node.value):
                found[(*key, i)] = value.start_mark.line + 1
                walk(value, (*key, i))

    walk(yaml.compose(text, Loader=yaml.SafeLoader), ())
    return found


def _refuse_later(values: Mapping[str, Any], path: Path, lines: Mapping[Key, int]) -> None:
    for key, why in LATER.items():
        if key in values:
            raise StudyError(why, file=path, line=lines.get((key,), 0), element=key, hint="remove this key")


def _resolve(name: str, folder: Path) -> Path:
    return Path(name) if Path(name).is_absolute() else folder / name


def _resolved(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """File names made relative to where the command runs, builtin names untouched."""

    def one(name: Any) -> Any:
        builtin = not isinstance(name, str) or name == "builtin" or name.startswith("builtin:")
        return name if builtin else str(_resolve(name, folder))

    out = dict(values)
    for key in ("map", "sumo"):
        if key in out:
            out[key] = one(out[key])
    if "demand" in out:
        out["demand"] = [one(n) for n in out["demand"]] if isinstance(out["demand"], list) else one(out["demand"])
    carried = out.get("fleet", {}).get("sensors", "") if isinstance(out.get("fleet"), dict) else ""
    if isinstance(carried, str) and carried.endswith((".yaml", ".yml")):
        out["fleet"] = {**out["fleet"], "sensors": str(_resolve(carried, folder))}
    return out


def _seconds(text: str) -> float:
    """Seconds from `3600` or `1:00:00` (a day may lead)."""
    total = 0.0
    for part, unit in zip(reversed(text.split(":")), (1, 60, 3600, 86400), strict=False):
        total += float(part) * unit
    return total


def _sumo_values(path: Path) -> dict[str, Any]:
    """Name, begin and duration from a .sumocfg; its files are read by the map and demand readers."""
    try:
        root = etree.parse(str(path), etree.XMLParser(resolve_entities=False, no_network=True)).getroot()
    except OSError:
        raise StudyError("no such file", file=path, hint="a .sumocfg names net, demand and begin/end") from None
    except etree.XMLSyntaxError as error:
        raise StudyError(
            f"not valid XML: {error.msg}", file=path, line=error.lineno or 0, hint="is this a .sumocfg?"
        ) from None
    times: dict[str, float] = {}
    for element in root.iter("begin", "end"):
        text = element.get("value", "")
        try:
            times[str(element.tag)] = _seconds(text)
        except ValueError:
            raise StudyError(
                f"'{text}' is not a time in s", file=path, line=element.sourceline or 0, element=str(element.tag)
            ) from None
    begin = times.get("begin", 0.0)
    name = path.resolve().parent.name if path.stem == "run" else path.stem
    values: dict[str, Any] = {"name": name, "map": None, "demand": None, "sumo": str(path), "begin_s": begin}
    if "end" in times:
        values["duration_s"] = times["end"] - begin
    return values
