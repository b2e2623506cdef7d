"""`cloverleaf judge` on scenario files: verdicts, workers, resuming, broken cases, budgets, wrong input."""

import json
import re
import subprocess
import sys

import cut_in
import numpy as np
import pyarrow.parquet as pq
import pytest
from cut_in import write_suite

from cloverleaf.judge import sweep
from cloverleaf.judge.campaign import choose, judge_all, judge_within, seconds, worker_count
from cloverleaf.judge.report.data import suite_data
from cloverleaf.judge.suite import discover, rows_of
from cloverleaf.judge.sweep import Setting
from cloverleaf.judge.verdict import Verdict
from cloverleaf.types.errors import ScenarioError, StudyError


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "cloverleaf", "judge", *map(str, arguments)], capture_output=True, text=True, timeout=600
    )


def judged(path, driver="acc_aeb", cases=None, **more):
    return judge_all(choose(discover([path]), cases), Setting(driver, 0.02), **more)


def test_a_blind_driver_hits_and_a_careful_one_does_not(tmp_path):
    suite = write_suite(tmp_path)
    careful = judged(suite)[0]
    assert careful.suite == "cut_in_cases" and len(careful.overall()) == 27
    assert careful.criteria[0].clause == "5.2.5 and Annex 4 Appendix 3"
    blind = tmp_path / "blind.py"
    blind.write_text("class Blind:\n    vectorised = True\n    def reset(self, *a): pass\n"
                     "    def drive(self, own, near, command): command[:, 0] = 0.0\n")  # fmt: skip
    hit = judged(suite, f"{blind}:Blind")[0]
    assert np.nansum(hit.measures["crash"]) > np.nansum(careful.measures["crash"])
    late = hit.measures["crash"] == 1
    assert (hit.measures["crash_time_s"][late] > 1).all() and (hit.measures["impact_speed_kmh"][late] > 5).all()
    assert hit.counts()["fail"] > 0


def test_more_gap_is_never_worse_for_a_driver_that_does_nothing(tmp_path):
    suite = write_suite(tmp_path, gap=(24, 84, 3))
    blind = tmp_path / "still.py"
    blind.write_text("class Still:\n    def drive(self, scene): return 0.0\n")
    result = judged(suite, f"{blind}:Still")[0]
    order = np.argsort(result.parameters["gap"])
    assert (np.diff(result.measures["crash"][order]) <= 0).all()


def test_one_and_two_workers_any_order_and_a_second_run_are_bit_identical(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "JOB", 8)
    suite = write_suite(tmp_path)
    one = judged(suite)[0]
    two = judged(suite, workers=2)[0]
    again = judged(suite)[0]
    chosen = choose(discover([suite]), None)[0]
    order = np.arange(27)[::-1]
    turned = chosen.__class__(chosen.entry, chosen.rows[order], {n: c[order] for n, c in chosen.cases.items()})
    back = judge_all([turned], Setting("acc_aeb", 0.02))[0]
    for name, values in one.measures.items():
        for other in (two.measures[name], again.measures[name], back.measures[name][order]):
            assert np.array_equal(values, other, equal_nan=values.dtype.kind == "f"), name


def test_broken_cases_are_counted_and_the_rest_is_kept(tmp_path, monkeypatch):
    suite = write_suite(tmp_path / "s", ratio=(0, 2, 1), gap=(180, 220, 10))
    out = tmp_path / "out"
    done = run(
        suite, "--driver", "acc_aeb", "--out", out, "--dt", "0.02", "--workers", "1", "--junit", tmp_path / "j.xml"
    )
    assert done.returncode == 2 and "ratio" in done.stderr
    counts = json.loads((out / "results.json").read_text())["suites"][0]["counts"]
    # ratio 0 divides by zero; gaps from 200 m are outside the scenario's own constraints, so they stand for no case
    assert counts["error"] == 5 and counts["not_applicable"] == 6
    table = pq.read_table(out / "results.parquet").to_pylist()
    assert all(("not defined" in r["reason"]) == (r["verdict"] == "error") for r in table)
    assert 'errors="5"' in (tmp_path / "j.xml").read_text()


def test_a_broken_file_in_a_folder_is_one_error_and_is_tried_again(tmp_path):
    write_suite(tmp_path / "s")
    (tmp_path / "s" / "bad.xosc").write_text("<OpenSCENARIO><FileHeader")
    out = tmp_path / "out"
    done = run(tmp_path / "s", "--driver", "idm", "--cases", "3", "--out", out, "--dt", "0.02", "--workers", "1")
    assert done.returncode == 2 and "bad.xosc:1" in done.stderr
    suites = {s["suite"]: s for s in json.loads((out / "results.json").read_text())["suites"]}
    assert suites["bad"]["counts"]["error"] == 1 and suites["cut_in_cases"]["cases"] == 3
    assert "cut_in" not in suites, "a scenario with a variation is judged through it"
    stored = sorted((out / "cases").iterdir())
    times = [f.stat().st_mtime_ns for f in stored]
    (tmp_path / "s" / "bad.xosc").unlink()
    done = run(tmp_path / "s", "--driver", "idm", "--cases", "3", "--out", out, "--dt", "0.02", "--workers", "1")
    assert done.returncode in (0, 1)
    assert [f.stat().st_mtime_ns for f in stored] == times, "stored cases are not run again"


def test_stored_cases_are_used_only_while_nothing_changed(tmp_path, monkeypatch):
    suite, out = write_suite(tmp_path / "s"), tmp_path / "out"
    first = judged(suite, out=out)[0]
    ran = []
    monkeypatch.setattr(sweep, "run_job", lambda job: ran.append(job))
    stored = judged(suite, out=out)[0]
    assert not ran and np.array_equal(first.measures["end_time_s"], stored.measures["end_time_s"])
    (tmp_path / "s" / "road.xodr").write_text(cut_in.road().replace("3.5", "3.6"))
    with pytest.raises(TypeError):
        judged(suite, out=out)
    assert ran


def test_budget_reports_boundary_and_the_region_not_looked_at(tmp_path):
    suite = write_suite(tmp_path, gap=(5, 44, 0.5), slower=(1, 10, 0.5), speed=(12, 20, 1))
    blind = tmp_path / "still.py"
    blind.write_text("class Still:\n    vectorised = True\n    def reset(self, *a): pass\n"
                     "    def drive(self, own, near, command): command[:, 0] = 0.0\n")  # fmt: skip
    _, results, told = judge_within(
        discover([suite]), Setting(f"{blind}:Still", 0.05), 3.0, 1, None, lambda cases: None
    )
    facts = told["cut_in_cases"]
    assert facts["cases"] == 79 * 19 * 9 and 64 <= facts["cases_run"] == len(results[0].overall())
    if facts["out_of_time"]:
        assert facts["not_looked_at"]["cases"] == facts["cases"] - facts["cases_run"] > 0
    assert facts["boundary"] and {"parameter", "fails_at", "passes_at", "others"} <= facts["boundary"][0].keys()


def test_exit_codes_and_what_a_budget_left_out(tmp_path):
    suite = write_suite(tmp_path / "few", gap=(100, 140, 20), slower=(1, 2, 1))
    out = tmp_path / "out"
    done = run(suite, "--driver", "acc_aeb", "--dt", "0.02", "--workers", "1", "--out", out)
    assert done.returncode == 0, done.stdout
    page = (out / "report.html").read_text()
    assert "@@" not in page and "No case failed." in page and '"driver":"acc_aeb"' in page
    suite = write_suite(tmp_path / "many", gap=(100, 190, 0.1), slower=(1, 2, 0.001))
    done = run(suite, "--driver", "acc_aeb", "--dt", "0.05", "--workers", "1", "--budget", "1s")
    assert done.returncode == 3, done.stdout  # nothing failed, but most was not looked at
    told = re.search(r"([\d,]+) of ([\d,]+) cases run.* ([\d,]+) cases \(([\d.]+) %\) not looked at", done.stdout)
    ran, cases, left = (int(told[k].replace(",", "")) for k in (1, 2, 3))
    assert cases == 901 * 1001 and ran + left == cases and left > 0 and "nothing known around gap=" in done.stdout


def test_the_page_says_why_cases_were_not_run(tmp_path):
    suite = write_suite(tmp_path, ratio=(0, 1, 1), gap=(180, 220, 20))
    told = suite_data(judged(suite)[0])["reasons"]
    [(text, count)] = told["not_applicable"]
    assert count == 2 and text.startswith("cut_in.xosc:") and "= 2" not in text and "violates its constraints" in text
    assert sum(n for _, n in told["error"]) == 3  # ratio 0 divides by zero, whatever the gap


@pytest.mark.parametrize(("text", "value"), [("90s", 90), ("30m", 1800), ("1.5h", 5400), ("12", 12)])
def test_durations(text, value):
    assert seconds(text) == value


def test_wrong_input_is_one_line_and_a_hint(tmp_path):
    suite = write_suite(tmp_path)
    for arguments, message in (
        ((suite, "--driver", "acc_aep"), "unknown driver 'acc_aep'"),
        ((tmp_path / "none.xosc", "--driver", "idm"), "no such file or folder"),
        ((suite, "--driver", "idm", "--cases", "some"), "is not understood"),
        ((suite, "--driver", "idm", "--budget", "soon"), "--budget 'soon' is not understood"),
        ((suite, "--driver", "idm", "--workers", "many"), "--workers 'many' is not understood"),
        ((suite, "--driver", "idm", "--system", "Egon"), "no entity 'Egon'"),
        ((suite, "--driver", "idm", "--rules", "r158"), "no rule set 'r158'"),
        ((suite, "--driver", "nowhere:Driver"), "no module 'nowhere'"),
        ((suite, "--driver", f"{tmp_path}/x.py:D"), "no such file"),
    ):
        done = run(*arguments)
        lines = done.stderr.splitlines()
        assert done.returncode == 2 and message in lines[0] and lines[0].startswith("error: "), done.stderr
        assert len(lines) == 1 or re.match("hint: ", lines[1])
    for text in ("", "-1", "ray"):
        with pytest.raises(StudyError):
            worker_count(text, 10)


def test_a_million_cases_need_to_be_asked_for(tmp_path):
    suite = write_suite(tmp_path, gap=(1, 100, 0.001), slower=(1, 11, 0.5))
    entry = discover([suite])[0]
    with pytest.raises(StudyError, match="stands for 2,079,021 cases") as caught:
        rows_of(entry, None)
    assert "--cases N" in caught.value.hint and caught.value.line == 1 and len(rows_of(entry, "1000")) == 1000
    done = run(suite, "--driver", "idm")
    assert done.returncode == 2 and "hint: --cases N" in done.stderr


def test_cases_from_a_file(tmp_path):
    suite = write_suite(tmp_path)
    table = tmp_path / "mine.csv"
    table.write_text("gap,slower\n30,4\n12.5,6\n")
    result = judged(suite, cases=str(table))[0]
    assert list(result.parameters["gap"]) == [30, 12.5] and not (result.overall() == Verdict.ERROR).any()
    table.write_text("gab,slower\n30,4\n")
    with pytest.raises(StudyError, match="'gab' is no parameter"):
        judged(suite, cases=str(table))


def test_what_cannot_be_judged(tmp_path):
    write_suite(tmp_path)
    catalog = tmp_path / "c.xosc"
    catalog.write_text(
        f'<OpenSCENARIO>{cut_in.HEAD.format("")}<Catalog name="v">{cut_in.CAR.format(name="a")}</Catalog></OpenSCENARIO>'
    )
    with pytest.raises(ScenarioError, match="holds no storyboard"):
        discover([catalog])
    (tmp_path / "empty").mkdir()
    with pytest.raises(StudyError, match="no scenario in this folder"):
        discover([tmp_path / "empty"])
