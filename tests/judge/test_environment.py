"""The Gymnasium environment: its form, its episodes, and that worlds end and begin anew on their own."""

import numpy as np
import pytest
from cut_in import write_suite

gymnasium = pytest.importorskip("gymnasium", reason="needs cloverleaf[gym]")


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    return write_suite(tmp_path_factory.mktemp("suite"), gap=(16, 40, 8), slower=(4, 8, 2))


@pytest.fixture(autouse=True)
def registered():
    from cloverleaf.judge.environment import register

    register()


def vector(scenario, count=6):
    return gymnasium.make_vec(
        "cloverleaf/Scenario-v0", num_envs=count, vectorization_mode="vector_entry_point", scenario=scenario, dt=0.02
    )


def test_form(scenario):
    envs = vector(scenario)
    observed, _ = envs.reset(seed=1)
    assert envs.observation_space.contains(observed) and observed.dtype == np.float32
    observed, reward, terminated, truncated, facts = envs.step(np.zeros((6, 1), np.float32))
    assert envs.observation_space.contains(observed)
    assert reward.shape == terminated.shape == truncated.shape == facts["crash"].shape == (6,)


def test_doing_nothing_and_braking_end_differently(scenario):
    crashes = {}
    for name, accel in (("nothing", 0.0), ("brakes", -4.0)):
        envs = vector(scenario)
        envs.reset()
        hit = np.zeros(6, bool)
        for _ in range(100):
            _, reward, terminated, _, facts = envs.step(np.full((6, 1), accel, np.float32))
            hit |= facts["crash"]
            assert (reward[facts["crash"] & terminated] < -50).all() or not facts["crash"].any()
        crashes[name] = hit.sum()
    assert crashes["nothing"] > 0 and crashes["brakes"] == 0


def test_a_world_that_ended_begins_anew_and_disturbs_no_other(scenario):
    envs, alone = vector(scenario), vector(scenario)
    first, _ = envs.reset()
    alone.reset()
    ended_at = None
    trail = []
    for k in range(140):
        observed, _, terminated, truncated, facts = envs.step(np.zeros((6, 1), np.float32))
        trail.append(observed)
        if ended_at is None and (terminated | truncated).any():
            ended_at, which = k, int(np.flatnonzero(terminated | truncated)[0])
        if ended_at is not None and k == ended_at + 1:
            assert facts["time_s"][which] < 0.3 and not terminated[which]
    assert ended_at is not None
    again, _ = envs.reset()
    assert np.array_equal(first, again)
    replay = [envs.step(np.zeros((6, 1), np.float32))[0] for _ in range(140)]
    assert all(np.array_equal(a, b) for a, b in zip(trail, replay))


def test_one_world_has_the_usual_form(scenario):
    env = gymnasium.make("cloverleaf/Scenario-v0", scenario=scenario, dt=0.02)
    observed, _ = env.reset(seed=3)
    assert env.observation_space.contains(observed)
    observed, reward, terminated, truncated, facts = env.step(np.array([-1.0], np.float32))
    assert (
        isinstance(reward, float) and isinstance(terminated, bool) and isinstance(truncated, bool) and "crash" in facts
    )
