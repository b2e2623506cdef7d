"""`cloverleaf bench prediction`: what smart cars expected of the others beside what these did, and beside constant velocity."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from cloverleaf.car.forecast import Forecaster
from cloverleaf.car.state import DT
from cloverleaf.car.supervised import SupervisedFleet
from cloverleaf.measure.prediction import PredictionScore, score_predictions
from cloverleaf.study.build import Run
from cloverleaf.study.config import Arm, Study
from cloverleaf.types.state import F64, Kind

WARM_UP_S, MEASURED_S, EVERY_S = 90.0, 60.0, 1.0
HORIZONS = (3.0, 5.0)  # s
NEAR = 2.0  # m between a track and the road user that it is taken to be
MODES = 6
MOVING = 1.0  # m/s; whoever stands is left out, as in the data sets


class Case:
    """One road user seen by one car at one moment: modes (m, t, 2), probabilities, velocity, and the truth as it comes."""

    def __init__(self, person: bool, paths: F64, probability: F64, velocity: F64, trip: int, start: float) -> None:
        self.person, self.paths, self.probability, self.velocity = person, paths, probability, velocity
        self.trip, self.start = trip, start
        self.truth: list[tuple[float, float]] = []


def _cases(run: Run, forecaster: Forecaster) -> list[Case]:
    actors, out = run.rooms.world.actors, []
    alive = np.flatnonzero(actors.kind > 0)
    place = np.column_stack((actors.x[alive], actors.y[alive]))
    for station in run.rooms.world.stations:
        forecast = forecaster.of(int(station))
        if forecast is None:
            continue
        for track in np.unique(forecast.track):
            rows = np.flatnonzero(forecast.track == track)[:MODES]
            off = np.hypot(*(place - forecast.path[rows[0], 0, :2]).T)
            nearest = int(off.argmin())
            row = alive[nearest]
            if off[nearest] > NEAR or actors.speed[row] < MOVING:
                continue
            person = int(forecast.kind[rows[0]]) == Kind.PEDESTRIAN
            out.append(
                Case(
                    person,
                    forecast.path[rows, 2::2, :2].copy(),
                    forecast.probability[rows],
                    forecast.velocity[rows[0]],
                    int(actors.trip[row]),
                    run.rooms.world.time,
                )
            )
    return out


def collect(seed: int = 1) -> list[Case]:
    """All cases of one run of the district's car arm whose road user was there until the last horizon."""
    run = Run(Study(duration_s=WARM_UP_S + MEASURED_S + 10.0), Arm.CAR, seed)
    fleet = run.rooms.fleet
    assert isinstance(fleet, SupervisedFleet)
    forecaster = Forecaster(fleet.fleet)
    open_cases: deque[Case] = deque()
    done: list[Case] = []
    every, half = round(EVERY_S / run.step), round(2 * DT / run.step)
    wanted = round(HORIZONS[-1] / (2 * DT))
    for k in range(round((WARM_UP_S + MEASURED_S) / run.step)):
        run.tick()
        actors = run.rooms.world.actors
        where = {int(t): row for row, t in enumerate(actors.trip) if t >= 0} if open_cases else {}
        for case in list(open_cases):
            passed = round((run.rooms.world.time - case.start) / run.step)
            if passed % half:
                continue
            row = where.get(case.trip)
            if row is None:
                open_cases.remove(case)
                continue
            case.truth.append((float(actors.x[row]), float(actors.y[row])))
            if len(case.truth) == wanted:
                open_cases.remove(case)
                done.append(case)
        if run.rooms.world.time >= WARM_UP_S and k % every == 0:
            # the world has moved since the cars looked: their tracks are one step old, which counts against the prediction
            open_cases.extend(_cases(run, forecaster))
    return done


def scored(cases: list[Case], seconds: float) -> tuple[PredictionScore, PredictionScore]:
    """Scores of ours and of constant velocity up to `seconds`."""
    steps = round(seconds / (2 * DT))
    modes, probability = np.full((len(cases), MODES, steps, 2), np.nan), np.zeros((len(cases), MODES))
    straight, truth = np.zeros((len(cases), 1, steps, 2)), np.zeros((len(cases), steps, 2))
    after = (np.arange(steps) + 1.0)[:, None] * 2 * DT
    for n, case in enumerate(cases):
        m = len(case.probability)
        modes[n, :m], probability[n, :m] = case.paths[:, :steps], case.probability
        truth[n] = case.truth[:steps]
        first = case.paths[0, 0] - case.velocity * 2 * DT
        straight[n, 0] = first + after * case.velocity
    return score_predictions(modes, probability, truth, MODES), score_predictions(
        straight, np.ones((len(cases), 1)), truth, 1
    )


def run() -> list[dict[str, Any]]:
    """Rows for vehicles and people at each horizon. Bar: no worse than constant velocity in any figure."""
    cases = collect()
    rows = []
    for name, person in (("vehicles", False), ("people", True)):
        mine = [c for c in cases if c.person == person]
        for seconds in HORIZONS:
            ours, straight = scored(mine, seconds)
            rows.append(
                {
                    "who": name,
                    "horizon_s": seconds,
                    "cases": ours.cases,
                    "minADE1": ours.min_ade_1,
                    "minFDE1": ours.min_fde_1,
                    "miss1": ours.miss_rate_1,
                    "minADE6": ours.min_ade_k,
                    "minFDE6": ours.min_fde_k,
                    "miss6": ours.miss_rate_k,
                    "brier_minFDE": ours.brier_min_fde,
                    "calibration_error": ours.calibration_error,
                    "cv_ADE": straight.min_ade_1,
                    "cv_FDE": straight.min_fde_1,
                    "cv_miss": straight.miss_rate_1,
                }
            )
    return rows
