"""Studies from files: what is accepted, and that every refusal names file, line, key and what would be right."""

import pytest

from cloverleaf.study.config import Arm, Study
from cloverleaf.study.reading import from_sumocfg, read_study, with_changes
from cloverleaf.types.errors import StudyError

FULL = """
name: corridor
map: builtin:district
demand: builtin
duration_s: 600
step_s: 0.1
seeds: 3
fleet: {penetration: 0.3, driver: cloverleaf}
human: {errors: published}
link: {standard: csae_day2, radio: lte-v2x, security: p256}
road: {units: signals, control: max_pressure}
cloud: {services: [glosa, collision_warning, signal_control], latency_ms: 40}
arms: [human, car, road, cloud]
"""


def write(folder, text):
    path = folder / "study.yaml"
    path.write_text(text)
    return path


def test_the_documented_study_is_read(tmp_path):
    study = read_study(write(tmp_path, FULL))
    assert study == Study(name="corridor")
    assert study.steps == 6000 and study.seeds == (1, 2, 3) and study.arms == tuple(Arm)


def test_empty_study_is_the_default_one(tmp_path):
    assert read_study(write(tmp_path, "# nothing\n")) == Study()


def test_lists_of_seeds_and_arms_in_their_order(tmp_path):
    study = read_study(write(tmp_path, "seeds: [7, 3]\narms: [cloud, human]\n"))
    assert study.seeds == (7, 3) and study.arms == (Arm.HUMAN, Arm.CLOUD)


def test_files_count_from_the_study(tmp_path):
    study = read_study(write(tmp_path, "map: net/a.net.xml\ndemand: [a.rou.xml, b.rou.xml]\n"))
    assert study.map == str(tmp_path / "net/a.net.xml")
    assert study.demand == (str(tmp_path / "a.rou.xml"), str(tmp_path / "b.rou.xml"))


@pytest.mark.parametrize(
    ("text", "line", "key", "message", "hint"),
    [
        ("name: a\nnmae: b", 2, "nmae", "unknown key", "did you mean 'name'?"),
        ("penetration: 0.3", 1, "penetration", "unknown key", "did you mean 'fleet.penetration'?"),
        ("fleet:\n  penetraton: 1", 2, "fleet.penetraton", "unknown key", "did you mean 'penetration'?"),
        (
            "fleet:\n  driver: a\n  penetration: 1.3",
            3,
            "fleet.penetration",
            "less than or equal to 1, not 1.3",
            "between 0 and 1",
        ),
        ("fleet: {penetration: -0.1}", 1, "fleet.penetration", "greater than or equal to 0", "between 0 and 1"),
        ("duration_s: .nan", 1, "duration_s", "finite", ""),
        ("duration_s: .inf", 1, "duration_s", "finite", ""),
        ("duration_s: -4", 1, "duration_s", "greater than 0", ""),
        ("duration_s: soon", 1, "duration_s", "valid number", ""),
        ("step_s: 2", 1, "step_s", "less than or equal to 1", ""),
        ("seeds: 0", 1, "seeds", "between 1 and 1000", ""),
        ("seeds: [1, 1]", 1, "seeds", "each once", ""),
        ("arms: all", 1, "arms", "not yet supported", "list"),
        ("arms: [human, cra]", 1, "arms.1", "'cra' is not possible", "did you mean 'car'?"),
        ("arms: []", 1, "arms", "at least one arm", ""),
        ("detectors: counts.csv", 1, "detectors", "not yet supported", "remove"),
        ("name: x\ncosts: {rsu: 1}", 2, "costs", "not yet supported", "remove"),
        ("human: {errors: publised}", 1, "human.errors", "not possible", "did you mean 'published'?"),
        ("link:\n  radio: lte_v2x", 2, "link.radio", "not possible", "did you mean 'lte-v2x'?"),
        (
            "cloud:\n  services:\n    - glosa\n    - glossa",
            4,
            "cloud.services.1",
            "not possible",
            "did you mean 'glosa'?",
        ),
        ("cloud: {latency_percentiles_ms: {p50: 30}}", 1, "cloud.latency_percentiles_ms", "two percentiles", ""),
        ("cloud: {latency_percentiles_ms: {p50: 30, p90: 2}}", 1, "cloud.latency_percentiles_ms", "must grow", ""),
        ("cloud: {latency_ms: -1}", 1, "cloud.latency_ms", "greater than or equal to 0", ""),
    ],
)
def test_refusals(tmp_path, text, line, key, message, hint):
    path = write(tmp_path, text)
    with pytest.raises(StudyError) as caught:
        read_study(path)
    assert str(caught.value).startswith(f"{path}:{line}:{key}: ")
    assert "\n" not in str(caught.value)
    assert message in str(caught.value) and hint in caught.value.hint


@pytest.mark.parametrize("text", ["a: [", "- a\n- b", "name: \x01", "a: b: c"])
def test_not_a_study(tmp_path, text):
    with pytest.raises(StudyError) as caught:
        read_study(write(tmp_path, text))
    assert str(caught.value).startswith(str(tmp_path)) and "\n" not in str(caught.value)


def test_missing_and_binary_files(tmp_path):
    with pytest.raises(StudyError, match="no such file"):
        read_study(tmp_path / "none.yaml")
    with pytest.raises(StudyError, match="no such file"):
        read_study(tmp_path / "none.sumocfg")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StudyError, match="cannot be read"):
        read_study(tmp_path / "b.yaml")


def sumocfg(folder, times):
    path = folder / "run.sumocfg"
    path.write_text(f"<configuration><input><net-file value='n.net.xml'/></input><time>{times}</time></configuration>")
    return path


def test_sumocfg_is_a_study(tmp_path):
    study = from_sumocfg(sumocfg(tmp_path, "<begin value='7:00:00'/><end value='28800'/>"), seeds=2)
    assert (study.begin_s, study.duration_s, study.seeds) == (25200.0, 3600.0, (1, 2))
    assert study.sumo == str(tmp_path / "run.sumocfg") and study.map is None and study.name == tmp_path.name


def test_broken_sumocfg(tmp_path):
    with pytest.raises(StudyError, match=r"run.sumocfg:1:end: 'late' is not a time"):
        read_study(sumocfg(tmp_path, "<end value='late'/>"))
    (tmp_path / "run.sumocfg").write_text("<configuration>\n<input>")
    with pytest.raises(StudyError, match="not valid XML"):
        read_study(tmp_path / "run.sumocfg")
    with pytest.raises(StudyError, match="greater than 0"):
        read_study(sumocfg(tmp_path, "<begin value='10'/><end value='10'/>"))


def test_command_line_changes_are_validated(tmp_path):
    study = with_changes(Study(), duration_s=60, seeds=1, arms=["human"], step_s=None)
    assert (study.duration_s, study.seeds, study.arms, study.step_s) == (60.0, (1,), (Arm.HUMAN,), 0.1)
    with pytest.raises(StudyError, match="command line:duration_s"):
        with_changes(Study(), duration_s=float("nan"))


def test_a_study_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        Study().name = "other"
