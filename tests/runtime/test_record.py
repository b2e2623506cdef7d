"""Recordings appear whole and come back in order; a replay finds the first difference, however small."""

import numpy as np
import pytest

from cloverleaf.runtime.record import Recorder, entries
from cloverleaf.runtime.replay import replay, ticks
from cloverleaf.types.errors import DecodeError, StudyError
from cloverleaf.types.state import VehicleCommands


def commands(accel):
    return VehicleCommands(np.array([accel]), np.zeros(1), np.zeros(1, np.int32))


def write(path, values):
    with Recorder(path) as log:
        for k, value in enumerate(values):
            log.write("commands", 0.1 * k, commands(value))


def test_values_come_back_in_order(tmp_path):
    path = tmp_path / "drive.mcap"
    write(path, [1.0, 2.0, 3.0])
    read = list(entries(path))
    assert [e.topic for e in read] == ["commands"] * 3 and [e.value.accel[0] for e in read] == [1.0, 2.0, 3.0]
    assert [round(t, 6) for t, _ in ticks(read)] == [0.0, 0.1, 0.2]


def test_a_recording_that_broke_off_does_not_take_its_name(tmp_path):
    path = tmp_path / "drive.mcap"
    with pytest.raises(ZeroDivisionError), Recorder(path) as log:
        log.write("commands", 0.0, commands(1.0))
        raise ZeroDivisionError
    assert not path.exists() and len(list(entries(path.with_name("drive.mcap.partial")))) == 1


def test_unknown_topics_name_the_nearest(tmp_path):
    with Recorder(tmp_path / "a.mcap") as log, pytest.raises(StudyError) as error:
        log.write("comands", 0.0, commands(1.0))
    assert "commands" in error.value.hint


def test_a_damaged_recording_is_a_decode_error(tmp_path):
    path = tmp_path / "drive.mcap"
    write(path, [1.0] * 50)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DecodeError):
        list(entries(path))


def test_replay_finds_the_first_difference(tmp_path):
    path = tmp_path / "drive.mcap"
    with Recorder(path) as log:
        for k in range(5):
            log.write("ego", 0.1 * k, commands(float(k))._replace(accel=np.array([float(k)])))
            log.write("commands", 0.1 * k, commands(2.0 * k))

    def double(values, t):
        return {"commands": commands(2.0 * values["ego"].accel[0])}

    def slightly_wrong(values, t):
        return {"commands": commands(2.0 * values["ego"].accel[0] + (np.spacing(6.0) if t > 0.25 else 0.0))}

    assert replay(entries(path), double, ("ego",), ("commands",)) is None
    found = replay(entries(path), slightly_wrong, ("ego",), ("commands",))
    assert found is not None and found.topic == "commands" and round(found.time, 6) == 0.3
