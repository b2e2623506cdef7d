"""Is a scenario file supported? Reads it, holds it against types and rules, opens its catalogs and road network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from cloverleaf.scenario.openscenario.catalogs import catalog_entries, catalogs_of
from cloverleaf.scenario.openscenario.document import Problem, check, declared_parameters, read
from cloverleaf.scenario.openscenario.expression import Value, evaluate
from cloverleaf.scenario.openscenario.semantics import semantic_problems, wrong_injections
from cloverleaf.scenario.storyboard.compile import compile_scenario, unknown_version
from cloverleaf.types.errors import MapError, ScenarioError, nearest


class Report(NamedTuple):
    """Outcome for one file; `broken` means that it could not even be read. `missing` is what keeps a supported file from running:
    files that are not there, a version before 1.0."""

    file: Path
    problems: list[Problem]
    broken: bool
    missing: tuple[Problem, ...] = ()

    @property
    def supported(self) -> bool:
        """True if nothing is wrong."""
        return not self.problems


def scenario_files(paths: list[Path]) -> Iterator[Path]:
    """The files named, and all .xosc files below the folders named, sorted."""
    for path in paths:
        if path.is_dir():
            yield from sorted(path.rglob("*.xosc"))
        else:
            yield path


def _reference_problems(
    root: etree._Element, catalogs: Mapping[str, list[Path]], parameters: Mapping[str, Value], absent: bool
) -> Iterator[Problem]:
    entries: dict[str, dict[str, etree._Element]] = {}
    for reference in root.iter("CatalogReference"):
        try:
            name = str(evaluate(reference.get("catalogName", ""), parameters, as_text=True))
            entry = str(evaluate(reference.get("entryName", ""), parameters, as_text=True))
        except ScenarioError:
            continue  # reported with the attribute, or a parameter of an inner scope
        if name not in catalogs and absent:
            continue  # its folder may be the absent one
        if name not in catalogs:
            hint = nearest(name, catalogs) if catalogs else "no catalog was found in the folders of CatalogLocations"
            yield Problem(reference.sourceline, "CatalogReference", f"catalog '{name}' does not exist", hint)
            continue
        if name not in entries:
            entries[name] = {k: v for file in catalogs[name] for k, v in catalog_entries(read(file)).items()}
        known = entries[name]
        if entry not in known:
            yield Problem(
                reference.sourceline,
                "CatalogReference",
                f"catalog '{name}' has no entry '{entry}'",
                nearest(entry, known),
            )


def _road_problem(root: etree._Element, base: Path, parameters: Mapping[str, Value]) -> Iterator[Problem]:
    logic = root.find("RoadNetwork/LogicFile")
    if logic is None:
        return
    try:
        text = str(evaluate(logic.get("filepath", ""), parameters, as_text=True))
    except ScenarioError:
        return
    if text and not (base / text).is_file():
        yield Problem(logic.sourceline, "LogicFile", f"road network '{text}' does not exist")


def _compile(path: Path, injected: Mapping[str, str], problems: list[Problem], missing: list[Problem]) -> None:
    """What the engine's compiler refuses: elements that no run supports, references that lead nowhere. A map that cannot be read is
    not the scenario's fault: it goes to `missing`."""
    try:
        compile_scenario(path, injected)
    except MapError as error:
        missing.append(Problem(0, "LogicFile", str(error), error.hint))
    except ScenarioError as error:
        here = error.file == str(path)
        text = str(error).removeprefix(f"{path}:{error.line}:{error.element}: ") if here else str(error)
        problems.append(Problem(error.line if here else 0, error.element if here else "", text, error.hint))


def check_file(path: Path, injected: Mapping[str, str] | None = None) -> Report:
    """Everything that is wrong with one scenario, catalog or variation file, in document order."""
    try:
        root = read(path)
    except ScenarioError as error:
        text = (
            str(error).removeprefix(f"{path}:").removeprefix(f"{error.line}:").strip() if error.line else error.message
        )
        return Report(path, [Problem(error.line, error.element, text, error.hint)], broken=True)
    injected = injected or {}
    problems = wrong_injections(root, injected)
    if not problems:
        problems += check(root, injected)
    parameters = declared_parameters(root, {}, injected, [], strict=False)
    problems += semantic_problems(root, parameters)
    missing: list[Problem] = []
    if version := unknown_version(root):
        # of drafts before 1.0, and where an expression stands for a number, the content is checked all the same
        draft = root.find("FileHeader").get("revMajor", "") == "0" or "$" in version.message
        (missing if draft else problems).append(version)
    if root.find("Storyboard") is not None:
        catalogs = catalogs_of(root, path.parent, parameters, missing)
        problems += _reference_problems(root, catalogs, parameters, bool(missing))
        missing += _road_problem(root, path.parent, parameters)
        if not problems and not missing:
            _compile(path, injected, problems, missing)
    unique = {(p.line, p.element, p.message): p for p in problems}
    return Report(path, sorted(unique.values(), key=lambda p: p.line), broken=False, missing=tuple(missing))
