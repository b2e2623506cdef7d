"""Rules as data: verdicts from measures, suites told by the author's words, NCAP bands, what is not verified."""

import numpy as np
import pytest
from lxml import etree

from cloverleaf.judge.observe import minimum_gap
from cloverleaf.judge.rules.ncap import self_assessment
from cloverleaf.judge.rules.r157 import R157, TIME_GAPS
from cloverleaf.judge.rules.scenario import own_criteria, rule_set
from cloverleaf.judge.rules.table import Rule, RuleSet, excusable, judge_cases
from cloverleaf.judge.verdict import Criterion, SuiteResult, Verdict, exit_code
from cloverleaf.types.errors import StudyError


def test_a_rule_passes_fails_does_not_apply_or_is_not_verified():
    rule = Rule(Criterion("c", "", "", ""), "x", "<=", 1.0, applies="on")
    measures = {"x": np.array([0.5, 2.0, 2.0, np.nan, 0.5, 0.5]), "on": np.array([1, 1, 0, 1, 1, 1])}
    broken = np.array([0, 0, 0, 0, 1, 2], np.int8)
    got = judge_cases(RuleSet("s", (rule,), ()), measures, broken)["c"]
    assert list(got) == [
        Verdict.PASS, Verdict.FAIL, Verdict.NOT_APPLICABLE, Verdict.NOT_VERIFIED, Verdict.ERROR, Verdict.NOT_APPLICABLE,
    ]  # fmt: skip


def test_a_measure_that_nobody_took_is_not_verified_and_never_exits_0():
    rule = Rule(Criterion("c", "", "", ""), "unheard", ">=", 1.7)
    verdicts = judge_cases(RuleSet("s", (rule,), ()), {}, np.zeros(3, np.int8))
    assert (verdicts["c"] == Verdict.NOT_VERIFIED).all()
    assert exit_code([SuiteResult("s", "d", {}, {}, (rule.criterion,), verdicts, ())]) == 3


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("ALKS Scenario 4.4_1", "r157"),
        ("NCAP AEB C2C CCRs", "ncap"),
        ("NCAP CCRs FCW", "ncap_fcw"),
        ("a cut-in", "plain"),
    ],
)
def test_rule_sets_by_the_author_s_words(tmp_path, words, name):
    root = etree.fromstring(f'<OpenSCENARIO><FileHeader description="{words}"/></OpenSCENARIO>')
    assert rule_set(root, tmp_path / "x.xosc").name == name
    assert rule_set(root, tmp_path / "x.xosc", "plain").name == "plain"
    with pytest.raises(StudyError, match="no rule set"):
        rule_set(root, tmp_path / "x.xosc", "r156")


def test_criteria_of_the_scenario_itself():
    root = etree.fromstring(
        "<OpenSCENARIO><Storyboard><StopTrigger><ConditionGroup>"
        '<Condition name="criteria_CollisionTest"/><Condition name="criteria_KeepLaneTest"/><Condition name="end"/>'
        "</ConditionGroup></StopTrigger></Storyboard></OpenSCENARIO>"
    )
    first, second = own_criteria(root)
    assert first.measure == "crash" and second.measure == ""


@pytest.mark.parametrize(
    ("test", "impact", "score"),
    [(50, 0, 1), (50, 9.9, 0.75), (50, 10, 0.75), (50, 15, 0.5), (80, 30, 0.25), (80, 31, 0), (40, 20, 0.5), (40, 21, 0), (30, 10, 0.75),
     (30, 11, 0), (20, 0, 1), (20, 1, 0), (10, 0, 1)],
)  # fmt: skip
def test_self_assessment_bands(test, impact, score):
    assert self_assessment(np.array([float(test)]), np.array([float(impact)]))[0] == score


def test_minimum_gap_is_the_table_of_the_regulation():
    for kmh, seconds in TIME_GAPS:
        assert minimum_gap(kmh / 3.6) == pytest.approx(max(seconds * kmh / 3.6, 2.0))
    assert minimum_gap(45 / 3.6) == pytest.approx(1.45 * 12.5) and minimum_gap(1.0) == 2.0


def test_every_rule_names_clause_and_edition():
    assert all(r.criterion.clause and r.criterion.edition for r in R157.rules)
    assert "DSSAD" in " ".join(R157.limits) and "transition demand" in " ".join(R157.limits)


def test_the_reference_driver_s_collision_excuses_collisions_and_hard_braking_alone():
    measures = {
        "crash": np.array([1.0, 0.0, 0.0, 0.0]),
        "needless_decel_mps2": np.array([0.0, 6.5, 5.0 + 1e-13, 6.5]),
        "short_gap_s": np.array([0.0, 11.0, 0.0, 0.0]),
        "followed": np.ones(4),
        "lane_exit_m": np.zeros(4),
        "top_speed_kmh": np.full(4, 50.0),
    }
    assert excusable(R157, measures, 4).tolist() == [True, True, False, True]
    measures["avoidable"] = np.array([0.0, 0.0, 1.0, 1.0])
    found = judge_cases(R157, measures, np.zeros(4, np.int8))
    assert found["deceleration"].tolist() == [
        Verdict.NOT_APPLICABLE,
        Verdict.NOT_APPLICABLE,
        Verdict.PASS,
        Verdict.FAIL,
    ]
    assert found["no_avoidable_collision"][0] == Verdict.NOT_APPLICABLE and found["time_gap"][1] == Verdict.FAIL
