"""Gymnasium environments on scenarios: `cloverleaf/Scenario-v0`, many worlds at once or one.

    import gymnasium
    envs = gymnasium.make_vec(
        "cloverleaf/Scenario-v0", num_envs=64, vectorization_mode="vector_entry_point", scenario="cut_in.xosc"
    )

Observation: the own row and the nearest others, as columns of `loop/storyboard/driver.py` (NaN as 0), shape (worlds, OBSERVED).
Action: acceleration in m/s2, shape (worlds, 1). Reward: share of the wanted speed, minus discomfort, minus COLLISION at a contact.
`terminated`: contact or the scenario's own end; `truncated`: time limit. A world that ended starts its next case in the following
step (next-step autoreset); its reward there is 0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

from cloverleaf.judge.suite import logical
from cloverleaf.judge.sweep import is_number
from cloverleaf.loop.storyboard import driver as d
from cloverleaf.loop.storyboard.run import OUT_CRASH, OUT_END, STOPPED, TIME_LIMIT
from cloverleaf.loop.storyboard.worlds import Roads, Worlds
from cloverleaf.scenario.storyboard.compile import compile_scenario
from cloverleaf.types.errors import ScenarioError

STRONGEST, WEAKEST = 3.0, -9.0  # m/s2
COLLISION = 100.0
DISCOMFORT = 0.01  # per (m/s2)^2 and step
OTHERS = 6  # road users seen
OTHER_COLUMNS = (
    d.PRESENT_HERE, d.GAP, d.DX, d.DY, d.NEAR_SPEED, d.NEAR_LATERAL_SPEED, d.NEAR_ACCEL, d.NEAR_LENGTH, d.NEAR_WIDTH,
)  # fmt: skip
OWN_COLUMNS = (d.OWN_SPEED, d.OWN_ACCEL, d.OWN_DESIRED, d.OWN_OFFSET, d.OWN_LANE_WIDTH, d.OWN_CURVATURE, d.OWN_ACTIVE)
OBSERVED = len(OWN_COLUMNS) + OTHERS * len(OTHER_COLUMNS)
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


def _worlds(scenario: Path, count: int, dt: float, system: str) -> tuple[Worlds, str]:
    """Worlds whose numeric parameters are drawn from the file's cases; parameters that shape the program keep those of the first."""
    entry = logical(scenario, system=system)
    rows = np.arange(count, dtype=np.int64) * max(entry.count // count, 1) % entry.count
    cases = entry.cases(rows)
    shaping = compile_scenario(entry.scenario).structural
    fixed = {n: str(c[0]) for n, c in cases.items() if n in shaping or not is_number(c)}
    program = compile_scenario(entry.scenario, fixed)
    values = {n: np.asarray(c, np.float64) for n, c in cases.items() if n not in fixed}
    columns = program.columns(values, count)
    if columns.broken.any():  # cases outside the scenario's own constraints: those of the first sound world instead
        sound = np.flatnonzero(~columns.broken)
        if not len(sound):
            raise ScenarioError("no case can be run", file=scenario, hint=columns.reasons[0])
        columns.value[columns.broken] = columns.value[sound[0]]
        columns.broken[:] = False
    return Worlds(program, columns, dt=dt, roads=Roads(program)), entry.system


class ScenarioVectorEnv(VectorEnv[F32, F32, Any]):
    """Worlds of one scenario or of the cases of its variation file. `step_s`: time of a decision, several steps `dt` of the engine."""

    metadata: dict[str, Any] = {"autoreset_mode": AutoresetMode.NEXT_STEP, "render_modes": []}  # noqa: RUF012 - gymnasium's form

    def __init__(
        self,
        num_envs: int,
        scenario: str | Path,
        step_s: float = 0.1,
        dt: float = 0.01,
        until: float = 60.0,
        system: str = "",
    ) -> None:
        self._worlds, self._system = _worlds(Path(scenario), num_envs, dt, system)
        self._worlds.drive(self._system, "external")
        self._row = self._worlds.entity(self._system)
        self._repeat, self._until = max(round(step_s / dt), 1), until
        self.num_envs = num_envs
        self.single_observation_space = spaces.Box(-np.inf, np.inf, (OBSERVED,), np.float32)
        self.single_action_space = spaces.Box(WEAKEST, STRONGEST, (1,), np.float32)
        self.observation_space = spaces.Box(-np.inf, np.inf, (num_envs, OBSERVED), np.float32)
        self.action_space = spaces.Box(WEAKEST, STRONGEST, (num_envs, 1), np.float32)
        self._over = np.zeros(num_envs, np.bool_)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[F32, dict[str, Any]]:
        """All worlds from their start; the scenario holds no chance, so a seed changes nothing but the spaces' samples."""
        super().reset(seed=seed)
        self._worlds.begin()
        self._over[:] = False
        return self._observe()[0], {}

    def step(self, actions: F32) -> tuple[F32, F64, NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """One decision in every world."""
        again = self._over.copy()
        if again.any():
            self._worlds.begin(again)
        asked = np.clip(np.nan_to_num(np.asarray(actions, np.float64).reshape(self.num_envs)), WEAKEST, STRONGEST)
        before = self._worlds.state.actor[:, self._row].copy()
        self._worlds.command[:, self._row, 0] = asked
        self._worlds.command[:, self._row, 1] = np.nan
        self._worlds.step(self._repeat, self._until)
        observed, own = self._observe()
        table = self._worlds.table
        crash = table[:, OUT_CRASH] == 1.0
        terminated = crash | (table[:, OUT_END] == STOPPED)
        truncated = (table[:, OUT_END] == TIME_LIMIT) & ~terminated
        reward = self._reward(before, own, crash)
        reward[again] = 0.0
        self._over = terminated | truncated
        return observed, reward, terminated, truncated, {"crash": crash, "time_s": own[:, d.OWN_TIME].copy()}

    def _reward(self, before: F64, own: F64, crash: NDArray[np.bool_]) -> F64:
        speed, wanted = own[:, d.OWN_SPEED], np.maximum(own[:, d.OWN_DESIRED], 1.0)
        return np.minimum(speed / wanted, 1.0) - DISCOMFORT * own[:, d.OWN_ACCEL] ** 2 - COLLISION * crash

    def _observe(self) -> tuple[F32, F64]:
        own, near = self._worlds.view(self._system)
        distance = np.where(near[..., d.PRESENT_HERE] == 1.0, np.hypot(near[..., d.DX], near[..., d.DY]), np.inf)
        order = np.argsort(distance, axis=1, kind="stable")[:, :OTHERS]
        seen = np.zeros((self.num_envs, OTHERS, len(OTHER_COLUMNS)))
        picked = np.take_along_axis(near, order[:, :, None], axis=1)[..., OTHER_COLUMNS]
        seen[:, : picked.shape[1]] = np.where(picked[..., :1] == 1.0, picked, 0.0)
        flat = np.concatenate((own[:, OWN_COLUMNS], seen.reshape(self.num_envs, -1)), axis=1)
        return np.nan_to_num(flat, posinf=0.0, neginf=0.0).astype(np.float32), own


class ScenarioEnv(gymnasium.Env[F32, F32]):
    """One world; the same as a vector of one."""

    def __init__(self, **settings: Any) -> None:
        self._envs = ScenarioVectorEnv(num_envs=1, **settings)
        self.observation_space, self.action_space = self._envs.single_observation_space, self._envs.single_action_space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[F32, dict[str, Any]]:
        """The scenario's start."""
        super().reset(seed=seed)
        observed, _ = self._envs.reset(seed=seed)
        return observed[0], {}

    def step(self, action: F32) -> tuple[F32, float, bool, bool, dict[str, Any]]:
        """One decision."""
        observed, reward, terminated, truncated, facts = self._envs.step(np.asarray(action)[None])
        return (
            observed[0], float(reward[0]), bool(terminated[0]), bool(truncated[0]), {k: v[0] for k, v in facts.items()},
        )  # fmt: skip


def register() -> None:
    """Make the environments known to gymnasium; its entry point `gymnasium.envs` calls this."""
    if "cloverleaf/Scenario-v0" not in gymnasium.registry:
        gymnasium.register(
            "cloverleaf/Scenario-v0",
            entry_point="cloverleaf.judge.environment:ScenarioEnv",
            vector_entry_point="cloverleaf.judge.environment:ScenarioVectorEnv",
        )
