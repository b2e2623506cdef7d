"""Criteria that a scenario states itself, and which rule set it belongs to.

OpenSCENARIO has no element for a test's verdict. Two conventions are understood: conditions of the stop trigger named
`criteria_...` (as CARLA's scenario runner writes them), and the author's own words in the file header for the rule set.
"""

from __future__ import annotations

import re
from pathlib import Path

from lxml import etree

from cloverleaf.judge.rules.ncap import NCAP, NCAP_WITH_WARNING
from cloverleaf.judge.rules.r157 import R157
from cloverleaf.judge.rules.table import Rule, RuleSet
from cloverleaf.judge.verdict import Criterion
from cloverleaf.types.errors import StudyError, nearest

NO_COLLISION = Rule(Criterion("no_collision", "the entity under test touches nobody", "-", "-"), "crash", "==", 0)
PLAIN = RuleSet("plain", (NO_COLLISION,), ("no regulation named: collisions and the scenario's own criteria alone",))
RULE_SETS = {r.name: r for r in (PLAIN, R157, NCAP, NCAP_WITH_WARNING)}
_R157 = re.compile(r"\bALKS\b|\bR\s?157\b", re.IGNORECASE)
_NCAP = re.compile(r"\bNCAP\b", re.IGNORECASE)
_MEASURES = {"criteria_CollisionTest": ("crash", "==", 0.0)}


def own_criteria(root: etree._Element) -> tuple[Rule, ...]:
    """Rules from the `criteria_` conditions of a scenario's stop trigger; those we cannot measure stay not verified."""
    rules = []
    for condition in root.iterfind("Storyboard/StopTrigger/ConditionGroup/Condition"):
        name = condition.get("name", "")
        if name.startswith("criteria_"):
            measure, relation, limit = _MEASURES.get(name, ("", "==", 0.0))
            clause = f"StopTrigger condition, line {condition.sourceline}"
            rules.append(Rule(Criterion(name, "the scenario's own criterion", clause, "-"), measure, relation, limit))
    return tuple(rules)


def rule_set(root: etree._Element, file: Path, asked: str = "auto") -> RuleSet:
    """Rules for a scenario: those asked for by name, else by the words of its header and file name. Raises StudyError."""
    if asked != "auto":
        if asked not in RULE_SETS:
            raise StudyError(f"no rule set '{asked}'", hint=nearest(asked, RULE_SETS))
        chosen = RULE_SETS[asked]
    else:
        header = root.find("FileHeader")
        words = f"{header.get('description', '') if header is not None else ''} {file.stem}".replace("_", " ")
        chosen = PLAIN
        if _R157.search(words):
            chosen = R157
        elif _NCAP.search(words):
            chosen = NCAP_WITH_WARNING if re.search(r"\bFCW\b", words) else NCAP
    return chosen._replace(rules=chosen.rules + own_criteria(root))
