"""Logical scenarios: the grids and draws that a distribution file stands for, and what is refused."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from cloverleaf.scenario.distribution.read import read_distribution
from cloverleaf.types.errors import ScenarioError

SHARED = Path(__file__).parents[3] / "shared" / "scenarios"
HEAD = '<FileHeader revMajor="1" revMinor="3" date="2026-01-01T00:00:00" description="" author=""/>'


@pytest.fixture
def write(tmp_path):
    declared = "".join(
        f'<ParameterDeclaration name="{n}" parameterType="{t}" value="{v}"/>'
        for n, t, v in (("a", "double", "1"), ("b", "integer", "2"), ("c", "string", "x"))
    )
    (tmp_path / "s.xosc").write_text(
        f"<OpenSCENARIO>{HEAD}<ParameterDeclarations>{declared}</ParameterDeclarations></OpenSCENARIO>"
    )

    def make(body, scenario="s.xosc"):
        file = tmp_path / "d.xosc"
        file.write_text(
            f'<OpenSCENARIO>{HEAD}<ParameterValueDistribution>\n<ScenarioFile filepath="{scenario}"/>\n{body}\n'
            "</ParameterValueDistribution></OpenSCENARIO>"
        )
        return file

    return make


def single(name, body):
    return (
        f'<DeterministicSingleParameterDistribution parameterName="{name}">{body}'
        "</DeterministicSingleParameterDistribution>"
    )


def spread(name, low, high, step):
    return single(
        name,
        f'<DistributionRange stepWidth="{step}"><Range lowerLimit="{low}" upperLimit="{high}"/></DistributionRange>',
    )


def chance(body, runs=4000, seed=1):
    return (
        f'<Stochastic numberOfTestRuns="{runs}" randomSeed="{seed}"><StochasticDistribution parameterName="a">{body}'
        "</StochasticDistribution></Stochastic>"
    )


def test_every_shared_variation_has_its_count_and_order():
    if not SHARED.is_dir():
        pytest.skip("the scenario suites are not beside the checkout")
    index = json.loads((SHARED / "index.json").read_text())
    total = {}
    for entry in index["variations"]:
        found = read_distribution(SHARED / entry["file"])
        assert found.count == entry["concrete_cases"], entry["file"]
        total[entry["suite"]] = total.get(entry["suite"], 0) + found.count
        rows = np.unique(np.linspace(0, found.count - 1, 50).astype(np.int64))
        got = found.cases(rows)
        naive = list(product(*(a.values for a in found.axes)))  # the obvious enumeration
        for k, row in enumerate(rows):
            flat = [text for choice in naive[row] for text in choice]
            assert [got[p][k] for p in found.parameters] == flat
    assert total == index["concrete_cases_per_suite"] and total["alks"] == 121_060


def test_ranges_step_in_decimals(write):
    found = read_distribution(write(f"<Deterministic>{spread('a', '0.1', '0.7', '0.2')}</Deterministic>"))
    assert list(found.cases(np.arange(4))["a"]) == ["0.1", "0.3", "0.5", "0.7"] and found.count == 4
    found = read_distribution(write(f"<Deterministic>{spread('a', '-3', '1', '1.5')}</Deterministic>"))
    assert list(found.cases(np.arange(found.count))["a"]) == ["-3.0", "-1.5", "0.0"]
    assert np.isnan(found.exposure(np.arange(3))).all()


def test_value_sets_vary_together_and_keep_what_they_do_not_set(write):
    sets = (
        "<DeterministicMultiParameterDistribution><ValueSetDistribution>"
        '<ParameterValueSet><ParameterAssignment parameterRef="a" value="7"/><ParameterAssignment parameterRef="c" value="y"/>'
        '</ParameterValueSet><ParameterValueSet><ParameterAssignment parameterRef="a" value="8"/></ParameterValueSet>'
        "</ValueSetDistribution></DeterministicMultiParameterDistribution>"
    )
    found = read_distribution(write(f"<Deterministic>{sets}{spread('b', 1, 2, 1)}</Deterministic>"))
    got = found.cases(np.arange(found.count))
    assert list(zip(*(got[p] for p in "acb"))) == [("7", "y", "1"), ("7", "y", "2"), ("8", "x", "1"), ("8", "x", "2")]


LAWS = {
    "normal": ('<NormalDistribution expectedValue="5" variance="4"/>', stats.norm(5, 2)),
    "uniform": ('<UniformDistribution><Range lowerLimit="2" upperLimit="6"/></UniformDistribution>', stats.uniform(2, 4)),
    "truncated": (
        '<NormalDistribution expectedValue="0" variance="1"><Range lowerLimit="1" upperLimit="3"/></NormalDistribution>',
        stats.truncnorm(1, 3),
    ),
    "histogram": (
        '<Histogram><Bin weight="1"><Range lowerLimit="0" upperLimit="1"/></Bin><Bin weight="3">'
        '<Range lowerLimit="1" upperLimit="2"/></Bin></Histogram>',
        stats.rv_histogram((np.array([1, 3]), np.array([0, 1, 2])), density=False),
    ),
}  # fmt: skip


@pytest.mark.parametrize("law", LAWS)
def test_draws_follow_the_law(write, law):
    body, wanted = LAWS[law]
    found = read_distribution(write(chance(body)))
    values = found.cases(np.arange(found.count))["a"]
    assert stats.kstest(values, wanted.cdf).pvalue > 1e-3
    assert found.exposure(np.arange(4000)).sum() == pytest.approx(1.0)


def test_moments_of_the_skewed_laws(write):
    body = '<LogNormalDistribution expectedValue="10" variance="9"/>'
    values = read_distribution(write(chance(body, 20_000))).cases(np.arange(20_000))["a"]
    assert values.mean() == pytest.approx(10, rel=0.01) and values.var() == pytest.approx(9, rel=0.06)
    body = '<PoissonDistribution expectedValue="3"><Range lowerLimit="1" upperLimit="5"/></PoissonDistribution>'
    values = read_distribution(write(chance(body, 20_000))).cases(np.arange(20_000))["a"]
    share = np.bincount(values.astype(int), minlength=7) / 20_000
    mass = stats.poisson(3).pmf(np.arange(7)) * (np.arange(7) >= 1) * (np.arange(7) <= 5)
    assert np.abs(share - mass / mass.sum()).max() < 0.015


def test_sets_with_weights_and_more_runs_repeat_the_fewer(write):
    body = '<ProbabilityDistributionSet><Element value="u" weight="1"/><Element value="v" weight="3"/></ProbabilityDistributionSet>'
    few = read_distribution(write(chance(body, 500)))
    got = few.cases(np.arange(500))["a"]
    assert (got == "v").mean() == pytest.approx(0.75, abs=0.06)
    many = read_distribution(write(chance(body, 5000)))
    assert list(many.cases(np.arange(500))["a"]) == list(got)
    assert list(many.cases(np.array([7, 3]))["a"]) == [got[7], got[3]]
    assert list(read_distribution(write(chance(body, 500, seed=2))).cases(np.arange(500))["a"]) != list(got)


BROKEN = {
    "userDefined": (single("a", '<UserDefinedDistribution type="mine">1</UserDefinedDistribution>'), "user-defined distribution 'mine'"),
    "order": (spread("a", 5, 1, 1), "lower limit 5 is above"),
    "text": (spread("a", "x", 1, 1), "'x' is not of type"),
    "many": (spread("a", 0, 1e9, 1e-3), "values"),
    "unknown": (spread("aa", 0, 1, 1), "declares no parameter 'aa'"),
    "twice": (spread("a", 0, 1, 1) * 2, "varied twice"),
    "reference": (single("a", '<DistributionSet><Element value="$q"/></DistributionSet>'), "'\\$q' is not declared"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_enumerated_is_refused_at_its_line(write, name):
    body, message = BROKEN[name]
    with pytest.raises(ScenarioError, match=message) as caught:
        read_distribution(write(f"<Deterministic>\n{body}</Deterministic>"))
    assert caught.value.line == 4


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('<NormalDistribution expectedValue="0" variance="1"><Range lowerLimit="90" upperLimit="91"/></NormalDistribution>', "holds none"),
        ('<LogNormalDistribution expectedValue="-1" variance="1"/>', "expectedValue of a LogNormalDistribution"),
        ('<ProbabilityDistributionSet><Element value="1" weight="0"/></ProbabilityDistributionSet>', "all zero"),
        ('<UserDefinedDistribution type="mine">1</UserDefinedDistribution>', "no meaning in the standard"),
    ],
)  # fmt: skip
def test_wrong_laws_are_refused(write, body, message):
    with pytest.raises(ScenarioError, match=message):
        read_distribution(write(chance(body)))


def test_missing_scenario_and_no_runs(write):
    with pytest.raises(ScenarioError, match=r"'t\.xosc' does not exist"):
        read_distribution(write(f"<Deterministic>{spread('a', 0, 1, 1)}</Deterministic>", "t.xosc"))
    with pytest.raises(ScenarioError, match="stands for no case"):
        read_distribution(write(chance(LAWS["normal"][0], 0)))
