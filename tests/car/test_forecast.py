"""What cars expect of others: probabilities of a track's modes sum to one, modes begin where the track is, reading disturbs nothing."""

import numpy as np

from cloverleaf.car.forecast import Forecaster
from cloverleaf.study.build import Run
from cloverleaf.study.config import Arm, Fleet, Study


def test_modes_are_a_distribution_and_reading_disturbs_nothing():
    study = Study(duration_s=60.0, fleet=Fleet(penetration=1.0))
    run, twin = Run(study, Arm.CAR, 3), Run(study, Arm.CAR, 3)
    forecaster = Forecaster(run.rooms.fleet.fleet)
    several = 0
    for _ in range(450):
        run.tick()
        twin.tick()
        for station in run.rooms.world.stations:
            forecast = forecaster.of(int(station))
            if forecast is None:
                continue  # it has just set off, and its first tick is yet to come
            for track in np.unique(forecast.track):
                rows = forecast.track == track
                assert abs(forecast.probability[rows].sum() - 1.0) < 1e-9
                assert np.ptp(forecast.path[rows, 0, :2], axis=0).max() < 1.0  # past the end of a lane, each way begins its own
                several += rows.sum() > 1
    assert several > 10
    assert forecaster.of(10**9) is None
    assert all(np.array_equal(a, b) for a, b in zip(run.rooms.world.actors, twin.rooms.world.actors, strict=True))
