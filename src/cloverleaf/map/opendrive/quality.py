"""ASAM's own OpenDRIVE checker (asam-qc-opendrive), where it is installed: its findings beside ours."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from lxml import etree

from cloverleaf.map.opendrive.check import Finding

COMMAND = "qc_opendrive"
TIMEOUT = 120.0  # s
_SEVERITY = {"1": "error", "2": "warning", "3": "warning"}


def quality_checker(path: Path) -> list[Finding]:
    """Findings of the checker bundle; empty if it is not installed. A checker that fails is reported as a warning."""
    command = shutil.which(COMMAND)
    if command is None:
        return []
    with tempfile.TemporaryDirectory() as folder:
        result, config = Path(folder) / "result.xqar", Path(folder) / "config.xml"
        root = etree.Element("Config")
        etree.SubElement(root, "Param", name="InputFile", value=str(path.resolve()))
        bundle = etree.SubElement(root, "CheckerBundle", application="xodrBundle")
        etree.SubElement(bundle, "Param", name="resultFile", value=str(result))
        config.write_bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))
        try:
            subprocess.run([command, "-c", str(config)], capture_output=True, timeout=TIMEOUT, check=True, cwd=folder)
            report = etree.parse(str(result)).getroot()
        except (OSError, subprocess.SubprocessError, etree.XMLSyntaxError) as error:
            return [Finding("warning", 0, COMMAND, f"the ASAM checker failed: {error}")]
        return read_report(report)


def read_report(report: etree._Element) -> list[Finding]:
    """Issues of a checker result file (.xqar)."""
    found = []
    for issue in report.iter("Issue"):
        place = issue.find(".//FileLocation")
        line = int(place.get("row", "0")) if place is not None else 0
        rule = issue.get("ruleUID", "")
        severity = _SEVERITY.get(issue.get("level", "3"), "warning")
        found.append(Finding(severity, line, rule.rpartition(":")[2] or "asam", issue.get("description", "").strip()))
    return found
