"""Exposure weights of grids from a distribution of their parameters."""

import numpy as np
import pytest

from cloverleaf.judge.exposure import read_exposure, shares, weigh
from cloverleaf.judge.suite import logical
from cloverleaf.types.errors import ScenarioError

SCENARIO = """<OpenSCENARIO><FileHeader revMajor="1" revMinor="1" date="2026-01-01T00:00:00" description="" author=""/>
<ParameterDeclarations><ParameterDeclaration name="Gap" parameterType="double" value="10"/>
<ParameterDeclaration name="Kind" parameterType="string" value="a"/></ParameterDeclarations><CatalogLocations/><RoadNetwork/>
<Entities><ScenarioObject name="Ego"><Vehicle name="car" vehicleCategory="car"><BoundingBox><Center x="1" y="0" z="1"/>
<Dimensions width="2" length="4" height="1"/></BoundingBox><Performance maxSpeed="50" maxAcceleration="5" maxDeceleration="9"/><Axles>
<FrontAxle maxSteering="0.5" wheelDiameter="0.6" trackWidth="1.6" positionX="2.7" positionZ="0.3"/>
<RearAxle maxSteering="0" wheelDiameter="0.6" trackWidth="1.6" positionX="0" positionZ="0.3"/></Axles></Vehicle></ScenarioObject></Entities>
<Storyboard><Init><Actions/></Init><StopTrigger/></Storyboard></OpenSCENARIO>"""
HEAD = """<OpenSCENARIO><FileHeader revMajor="1" revMinor="1" date="2026-01-01T00:00:00" description="" author=""/>
<ParameterValueDistribution><ScenarioFile filepath="s.xosc"/>{}</ParameterValueDistribution></OpenSCENARIO>"""
GRID = """<Deterministic><DeterministicSingleParameterDistribution parameterName="Gap"><DistributionRange stepWidth="10">
<Range lowerLimit="0" upperLimit="20"/></DistributionRange></DeterministicSingleParameterDistribution>
<DeterministicSingleParameterDistribution parameterName="Kind"><DistributionSet><Element value="a"/><Element value="b"/></DistributionSet>
</DeterministicSingleParameterDistribution></Deterministic>"""
LAW = """<Stochastic numberOfTestRuns="10" randomSeed="1"><StochasticDistribution parameterName="Gap"><UniformDistribution>
<Range lowerLimit="0" upperLimit="{high}"/></UniformDistribution></StochasticDistribution></Stochastic>"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "s.xosc").write_text(SCENARIO)
    (tmp_path / "grid.xosc").write_text(HEAD.format(GRID))
    (tmp_path / "law.xosc").write_text(HEAD.format(LAW.format(high=20)))
    return tmp_path


def test_a_case_weighs_the_probability_that_a_draw_lies_nearest_to_it(folder):
    known, entry = read_exposure(folder / "law.xosc"), logical(folder / "grid.xosc")
    cases = entry.cases(np.arange(6))
    weight = weigh("s", entry.distribution.axes, known, cases)
    wanted = {"0": 0.25, "10": 0.5, "20": 0.25}  # of a uniform draw in [0, 20]; the kinds count alike
    assert np.allclose(weight, [0.5 * wanted[str(int(float(g)))] for g in cases["Gap"]], atol=1e-5)
    assert weight.sum() == pytest.approx(1.0)


def test_a_case_weighs_the_same_alone(folder):
    known, entry = read_exposure(folder / "law.xosc"), logical(folder / "grid.xosc")
    whole = weigh("s", entry.distribution.axes, known, entry.cases(np.arange(6)))
    assert weigh("s", entry.distribution.axes, known, entry.cases(np.array([3])))[0] == whole[3]


def test_normal_draws_against_the_distribution_function(folder):
    from scipy import stats

    law = """<Stochastic numberOfTestRuns="10" randomSeed="1"><StochasticDistribution parameterName="Gap">
    <NormalDistribution expectedValue="8" variance="16"/></StochasticDistribution></Stochastic>"""
    (folder / "law.xosc").write_text(HEAD.format(law))
    found = shares(read_exposure(folder / "law.xosc").marginals[0], np.array([0.0, 10.0, 20.0]))
    cdf = stats.norm(8, 4).cdf([5.0, 15.0])
    assert np.allclose(found, [cdf[0], cdf[1] - cdf[0], 1 - cdf[1]], atol=1e-5)


def test_wrong_files_are_refused_at_their_line(folder):
    with pytest.raises(ScenarioError, match="states no frequencies"):
        read_exposure(folder / "grid.xosc")
    (folder / "grid.xosc").write_text(
        HEAD.format(
            '<Deterministic><DeterministicSingleParameterDistribution parameterName="Kind"><DistributionSet><Element value="a"/>'
            "</DistributionSet></DeterministicSingleParameterDistribution></Deterministic>"
        )
    )
    entry = logical(folder / "grid.xosc")
    with pytest.raises(ScenarioError, match=r"law\.xosc:\d+:StochasticDistribution: 's' varies no parameter 'Gap'"):
        weigh("s", entry.distribution.axes, read_exposure(folder / "law.xosc"), entry.cases(np.arange(1)))
