"""Catalogs of a scenario: files in the folders that it names, and their entries."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lxml import etree

from cloverleaf.scenario.openscenario.document import Problem, children, name_of, read
from cloverleaf.scenario.openscenario.expression import Value, evaluate
from cloverleaf.types.errors import ScenarioError


def catalog_entries(root: etree._Element) -> dict[str, etree._Element]:
    """Entries of a catalog file by name."""
    catalog = root.find("Catalog")
    return {e.get("name", ""): e for e in children(catalog)} if catalog is not None else {}


def catalogs_of(
    root: etree._Element, base: Path, parameters: Mapping[str, Value], missing: list[Problem]
) -> dict[str, list[Path]]:
    """Catalog name -> files, for all catalog files in the folders that the scenario names; absent folders go to `missing`."""
    found: dict[str, list[Path]] = {}
    by_file: dict[str, list[Path]] = {}
    block = root.find("CatalogLocations")
    for location in children(block) if block is not None else []:
        directory = location.find("Directory")
        if directory is None:
            continue
        try:
            folder = base / str(evaluate(directory.get("path", ""), parameters, as_text=True))
        except ScenarioError:
            continue  # reported with the attribute
        if not folder.is_dir():
            missing.append(
                Problem(
                    directory.sourceline, name_of(location), f"catalog folder '{directory.get('path')}' does not exist"
                )
            )
            continue
        for file in sorted(folder.glob("*.xosc")):
            try:
                catalog = read(file).find("Catalog")
            except ScenarioError as error:
                missing.append(Problem(directory.sourceline, name_of(location), str(error)))
                continue
            if catalog is not None:
                found.setdefault(catalog.get("name", file.stem), []).append(file)
                by_file.setdefault(file.stem, []).append(file)
    # published scenarios also name a catalog by its file
    return by_file | found
