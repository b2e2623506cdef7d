"""From finished runs to `summary.json`: intervals per arm, paired differences between arms, link and performance."""

from __future__ import annotations

import itertools
import json
import math
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloverleaf.judge.statistics import Interval, interval, paired, relative, verdict
from cloverleaf.map.graph import BaseMap, Feature
from cloverleaf.measure.definitions import METRICS, WORDS, Metric
from cloverleaf.study.arms import ArmResult, combined_digest
from cloverleaf.study.config import Arm, Study

SAFETY_NOT_SHOWN = "safety: not shown (the people in this study make no errors, so no safety benefit can appear)"


@dataclass(frozen=True)
class Results:
    """Everything the table, the report and `summary.json` are made of."""

    study: Study
    runs: tuple[ArmResult, ...]  # in the order of arms, then seeds
    beside: tuple[ArmResult, ...]  # the human arm with actuated signals, by seed; empty without signals
    base_map: BaseMap
    census: tuple[Feature, ...]
    wall_s: float

    @property
    def safety_shown(self) -> bool:
        """False if the humans cannot err."""
        return self.study.human.errors != "none"

    def values(self, arm: Arm, metric: str) -> list[float]:
        """One metric of one arm, in the order of the seeds."""
        return [run.measures.get(metric, math.nan) for run in self.runs if run.arm == arm]

    def level(self, arm: Arm, metric: str) -> Interval:
        """Mean over seeds with its interval."""
        return interval(self.values(arm, metric))

    def difference(self, arm: Arm, metric: str, baseline: Arm) -> Interval:
        """Paired difference to another arm."""
        return paired(self.values(arm, metric), self.values(baseline, metric))

    def change(self, arm: Arm, metric: str, baseline: Arm) -> Interval:
        """The same as a share of the baseline."""
        return relative(self.values(arm, metric), self.values(baseline, metric))

    def actuated(self, metric: str) -> Interval:
        """Mean over seeds of the human arm with actuated signals; n = 0 if there is no such run."""
        return interval([run.measures.get(metric, math.nan) for run in self.beside])

    def against_actuated(self, arm: Arm, metric: str) -> Interval:
        """Paired difference of an arm to the human arm with actuated signals."""
        values = [run.measures.get(metric, math.nan) for run in self.beside]
        return paired(self.values(arm, metric), values) if values else interval([])

    def digest(self) -> str:
        """Fingerprint of all runs."""
        parts = [f"{r.arm}:{r.seed}:{r.digest}" for r in self.runs]
        return combined_digest(parts + [f"actuated:{r.seed}:{r.digest}" for r in self.beside])

    def steps(self) -> list[tuple[Arm, Arm]]:
        """(baseline, arm) of all comparisons: every arm with the first, and with the one before it."""
        arms = self.study.arms
        pairs = [(arms[0], arm) for arm in arms[1:]]
        return pairs + [p for p in itertools.pairwise(arms) if p not in pairs]

    def shown(self) -> tuple[Metric, ...]:
        """The metrics to report: without `safe` where safety is not shown."""
        return tuple(m for m in METRICS if self.safety_shown or m.word != "safe")

    def without_gain(self) -> list[str]:
        """One sentence per arm that is better than the first arm in no metric, or worse in some; none without intervals."""
        out: list[str] = []
        if len(self.study.seeds) == 1:
            return out
        for arm in self.study.arms[1:]:
            found = {m.label: verdict(self.difference(arm, m.name, self.study.arms[0]), m.better) for m in self.shown()}
            worse = [label for label, v in found.items() if v == "worse"]
            if not any(v == "better" for v in found.values()):
                out.append(f"{arm}: no metric improved on {self.study.arms[0]} with an interval that excludes zero")
            if worse:
                out.append(f"{arm}: worse than {self.study.arms[0]} in: {', '.join(worse)}")
        return out


def _number(value: float) -> float | None:
    return None if not math.isfinite(value) else float(f"{value:.10g}")


def _cell(i: Interval) -> dict[str, Any]:
    return {"mean": _number(i.mean), "ci95": [_number(i.low), _number(i.high)], "n": i.n}


def summary(results: Results) -> dict[str, Any]:
    """The content of `summary.json`. NaN becomes null."""
    study, runs = results.study, results.runs
    arms: dict[str, Any] = {}
    for arm in study.arms:
        words: dict[str, Any] = {word: {} for word in WORDS}
        for m in METRICS:
            cell = _cell(results.level(arm, m.name))
            values = [_number(v) for v in results.values(arm, m.name)]
            words[m.word][m.name] = {**cell, "unit": m.unit, "values": values}
        arms[arm.value] = words
    notes = results.without_gain()
    if not results.safety_shown:
        notes.insert(0, SAFETY_NOT_SHOWN)
        for words in arms.values():
            words["safe"] = {"not_shown": SAFETY_NOT_SHOWN}
    wall = sum(r.wall_s for r in runs)
    steps, simulated = sum(r.vehicle_steps for r in runs), sum(r.simulated_s for r in runs)
    return {
        "study": study.model_dump(mode="json"),
        "digest": results.digest(),
        "performance": {
            "vehicle_steps_per_s": _number(steps / wall) if wall else None,
            "real_time_factor": _number(simulated / wall) if wall else None,
            "wall_s": _number(results.wall_s),
        },
        "arms": arms,
        "baselines": _baselines(results),
        "differences": _differences(results),
        "link": link_summary(results),
        "notes": notes,
        "arrived_only": {arm.value: _means([r.arrived_only for r in runs if r.arm == arm]) for arm in study.arms},
        "census": [f._asdict() for f in results.census],
        "runs": [
            {
                "arm": r.arm.value,
                "seed": r.seed,
                "digest": r.digest,
                "wall_s": _number(r.wall_s),
                "vehicle_steps": r.vehicle_steps,
            }
            for r in runs
        ],
    }


def _baselines(results: Results) -> dict[str, Any]:
    """{"actuated": {word: {metric: level, and the paired difference of every arm to it}}}; empty without signals."""
    if not results.beside:
        return {}
    words: dict[str, Any] = {word: {} for word in WORDS}
    for m in results.shown():
        arms = {arm.value: results.against_actuated(arm, m.name) for arm in results.study.arms}
        words[m.word][m.name] = {
            **_cell(results.actuated(m.name)),
            "unit": m.unit,
            "differences": {arm: {**_cell(d), "verdict": verdict(d, m.better)} for arm, d in arms.items()},
        }
    return {"actuated": words}


def _means(rows: Sequence[dict[str, float]]) -> dict[str, float | None]:
    keys = rows[0] if rows else {}
    return {k: _number(interval([r.get(k, math.nan) for r in rows]).mean) for k in keys}


def _differences(results: Results) -> dict[str, Any]:
    """{arm: {baseline: {metric: {mean, ci95, n, relative, verdict}}}}."""
    out: dict[str, Any] = {}
    for baseline, arm in results.steps():
        rows = {}
        for m in results.shown():
            d = results.difference(arm, m.name, baseline)
            share = results.change(arm, m.name, baseline)
            rows[m.name] = {
                **_cell(d),
                "relative": _number(share.mean),
                "relative_ci95": [_number(share.low), _number(share.high)],
                "verdict": verdict(d, m.better),
            }
        out.setdefault(arm.value, {})[baseline.value] = rows
    return out


def link_summary(results: Results) -> dict[str, Any]:
    """Link counts of the last arm that has a link: sums over seeds, mean ratio, worst latency; all arms under `arms`."""
    by_arm = {
        arm.value: _merge([r.link for r in results.runs if r.arm == arm and r.link]) for arm in results.study.arms
    }
    by_arm = {arm: link for arm, link in by_arm.items() if link}
    if not by_arm:
        return {"sent": 0, "delivered": 0, "pdr": None, "latency_ms_p99": None, "bytes": 0, "arms": {}}
    return {**list(by_arm.values())[-1], "arms": by_arm}


def _merge(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    if not rows:
        return {}
    out: dict[str, Any] = dict(rows[0])
    for key in ("sent", "delivered", "bytes"):
        out[key] = sum(r.get(key, 0) for r in rows)
    ratios = [r["pdr"] for r in rows if r.get("pdr") is not None]
    out["pdr"] = _number(sum(ratios) / len(ratios)) if ratios else None
    latency = [v for k in rows for name, v in k.items() if name == "latency_ms_p99" and v is not None]
    out["latency_ms_p99"] = _number(max(latency)) if latency else None
    return out


def write_atomically(path: Path, content: str) -> None:
    """Write a text file so that it appears whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_summary(results: Results, path: Path) -> None:
    """Write `summary.json`."""
    write_atomically(path, json.dumps(summary(results), indent=2, allow_nan=False) + "\n")
