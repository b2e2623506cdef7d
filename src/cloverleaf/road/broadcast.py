"""SPAT content: what every head shows, until when at least, probably and at most, and what follows."""

from __future__ import annotations

import math

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.algo.signal_control import SignalMemory, SignalPlan, change_over, following_phase, predict_end
from cloverleaf.types.messages import LightState, SignalBatch
from cloverleaf.types.signals import SignalState
from cloverleaf.types.state import F64, I32, I64, U8

LIGHTS = np.zeros(256, np.uint8)
"""LightState of each letter of a signal state."""
for _letter, _light in (
    ("r", LightState.RED), ("u", LightState.RED), ("y", LightState.YELLOW), ("g", LightState.PERMISSIVE_GREEN),
    ("G", LightState.PROTECTED_GREEN), ("s", LightState.FLASHING_RED), ("o", LightState.FLASHING_YELLOW), ("O", LightState.DARK),
):  # fmt: skip
    LIGHTS[ord(_letter)] = _light


class HeadForecast:
    """Scratch and results of `forecast_heads`; rows are heads: min, likely, max end and next change's end, s."""

    def __init__(self, heads: int) -> None:
        self.ends: F64 = np.full((heads, 4), math.nan)
        self.next_letter: U8 = np.zeros(heads, np.uint8)


@kernel
def forecast_head(plan, memory, g, i, t, ends, next_letter):
    """Follow the plan of group `g` until head `i` changes. Fills row `head` of ends (min, likely, max, end of next) and its letter.

    In free choice what is known is the change under way - also, to the heads that wait for it, when it will be over - and the least
    green of the stage shown.
    """
    head = plan.head_start[g] + i
    least, likely, most, following = predict_end(plan, memory, g, t)
    now = memory.light[head]
    next_letter[head] = 0
    ends[head, 3] = math.nan
    if memory.change[g] > 0 or memory.mode[g] >= 2:
        ends[head, 0], ends[head, 1], ends[head, 2] = least, likely, most
        if memory.change[g] > 0:
            after = plan.state[plan.state_start[plan.phase_start[g] + memory.target[g]] + i]
            if now == 121:
                after = np.uint8(114)
            if after == now:
                # It stays as it is into the next stage, whose end nobody knows.
                ends[head, 1] = ends[head, 2] = math.nan
            else:
                next_letter[head] = after
            if now == 114 and after in (71, 103):
                begin = change_over(plan, memory, g)
                ends[head, 0] = ends[head, 1] = ends[head, 2] = begin
                ends[head, 3] = begin + plan.min_green[g]
        return
    index = following
    for _ in range(plan.phase_start[g + 1] - plan.phase_start[g]):
        p = plan.phase_start[g] + index
        letter = plan.state[plan.state_start[p] + i]
        actuated = memory.mode[g] == 1
        shortest = plan.minimum[p] if actuated else plan.duration[p]
        longest = plan.maximum[p] if actuated else plan.duration[p]
        if next_letter[head] != 0:
            if letter != next_letter[head]:
                return
            ends[head, 3] += plan.duration[p]
        elif letter != now:
            ends[head, 0], ends[head, 1], ends[head, 2] = least, likely, most
            ends[head, 3] = likely + plan.duration[p]
            next_letter[head] = letter
        else:
            least += shortest
            likely += plan.duration[p]
            most += longest
        index = following_phase(plan.phase_start, plan.following, g, index)
    if next_letter[head] == 0:
        for c in range(3):
            ends[head, c] = math.nan


@kernel
def forecast_heads(plan, memory, t, ends, next_letter):
    """`forecast_head` for every head of every group at time t."""
    for g in range(memory.phase.shape[0]):
        for i in range(plan.head_start[g + 1] - plan.head_start[g]):
            forecast_head(plan, memory, g, i, t, ends, next_letter)


def signal_batch(
    plan: SignalPlan,
    memory: SignalMemory,
    signals: SignalState,
    forecast: HeadForecast,
    station: I64,
    group: I32,
    t: float,
) -> SignalBatch:
    """One SPAT per unit: unit u (station[u]) speaks for signal group group[u]. Times in simulation seconds."""
    forecast_heads(plan, memory, float(t), forecast.ends, forecast.next_letter)
    sizes = (plan.head_start[1:] - plan.head_start[:-1])[group]
    start = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    index = np.arange(int(start[-1])) - np.repeat(start[:-1], sizes)
    head = np.repeat(plan.head_start[:-1][group], sizes) + index
    following = LIGHTS[forecast.next_letter[head]]
    return SignalBatch(
        station=station,
        time=np.full(len(group), float(t)),
        intersection=group,
        phase_start=start,
        link_index=index.astype(np.int32),
        light=LIGHTS[signals.light[head]],
        min_end=forecast.ends[head, 0],
        likely_end=forecast.ends[head, 1],
        max_end=forecast.ends[head, 2],
        next_light=following,
        next_end=forecast.ends[head, 3],
    )
