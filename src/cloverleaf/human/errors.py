"""How people err at the wheel, as columns that the driving kernels read (`types.traffic.Mind`).

| error | model | values and source |
|---|---|---|
| inattention | renewal process of glances | attention.py |
| late reaction | braking of the leader beyond 5 m/s2 is answered after a lognormal time; ordinary braking is covered by the headway of the following law | mean 1.0 s, log deviation 0.35: between expected 0.7-0.75 s and surprise 1.3-1.5 s (Green 2000, Transp. Human Factors 2(3)) |
| misjudged gap | relative error, Wiener process with tau 20 s | 7 %, within 5-10 % of the Human Driver Model (Treiber, Kesting, Helbing 2006, Physica A 360) |
| misjudged time gap at junctions | the same process, other stream | 10 % |
| late red | chance to go on if the line is reached within 2 s of red | 0.12 per driver who could (a window of 2 s in a cycle of about 80 s catches 2-3 % of drivers, so about 3 per 1000 vehicles). Observed: 6.3 violations per hour and intersection at 20 intersections (Hunter, Rhode Island); 95 % of 541 within 2 s of red (Bonneson, Zimmerman 2004, FHWA/TX-05/0-4196-P1) |
| unnoticed red | the light is not seen at all | 3e-4 per approach: the 5 % that come later than 2 s |
| unnoticed duty to yield | the link's duty is not seen | 1e-4 per approach: an assumption, no published exposure-based rate is known to us; sweep it |
| weak braking | share of drivers who first brake too little | 10 % of drivers brake with 0.9 of the needed deceleration: an assumption |

Rates hold for cars, trucks and buses; riders of bicycles and e-bikes facing red run it more often (human/riders.py). `exposure` multiplies the
rates of rare errors for stress tests; a study that changes it must say so.
"""  # noqa: E501

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cloverleaf.algo.jit import kernel
from cloverleaf.algo.noise import bell, fold, gauss_markov
from cloverleaf.algo.rng import ATTENTION, GAP_ERROR, REACTION, RED_LIGHT, YIELD_ERROR, uniform
from cloverleaf.human.attention import (
    Attention,
    GlanceRates,
    advance_attention,
    empty_attention,
    heed,
    lognormal,
    restart_attention,
)
from cloverleaf.human.riders import RIDER_RED
from cloverleaf.types.errors import StudyError
from cloverleaf.types.hmi import HmiBatch
from cloverleaf.types.state import F64, I32, I64, U8
from cloverleaf.types.traffic import (
    ACC,
    ACCEPT_FACTOR,
    AHEAD,
    ATTENTIVE,
    BRAKE_FACTOR,
    CONTROL,
    GAP_FACTOR,
    KIND,
    LANE,
    LANE_LENGTH,
    LENGTH,
    LINK,
    LINK_LIGHT,
    RUN_RED,
    RUN_YIELD,
    TRIP,
    HumanView,
    Mind,
    S,
    V,
    neutral_mind,
)

STAGGER = 5
"""Steps between updates of the slow gap errors; each driver has its own phase."""
RED, YELLOW, RED_YELLOW = 114, 121, 117  # ord of r y u
EBIKE, BICYCLE = 5, 6


class ErrorRates(NamedTuple):
    """Rates of the table above; scalars."""

    reaction_median: float = 0.94  # s
    reaction_log_sigma: float = 0.35
    hard_braking: float = (
        5.0  # m/s2 of the leader that surprises: more than the 4.5 of an ordinary stop in traffic models
    )
    gap_sigma: float = 0.07
    accept_sigma: float = 0.10
    tau: float = 20.0  # s
    late_red: float = 0.12
    late_window: float = 2.0  # s after red
    yellow: float = 3.0  # s expected
    unseen_red: float = 3e-4
    unseen_yield: float = 1e-4
    weak_share: float = 0.1
    weak_factor: float = 0.9


PUBLISHED = ErrorRates()


class Errors(NamedTuple):
    """State by vehicle slot, shape (capacity,), and by link."""

    trip: I64  # whose state this is
    gap: F64  # logarithm of the gap error
    accept: F64
    alarmed: U8  # 1: the leader's hard braking has been answered or is being answered
    react_at: F64  # s, until when the answer is delayed
    link: I32  # link for which the choices below were drawn
    goes_late: U8  # 1: would go on at a fresh red
    unseen: U8  # bit 0 does not see the red, bit 1 the duty to yield
    light: U8  # (heads,) letters of the last step
    shut_at: F64  # (heads,) s, when the head last left green: yellow or red began
    red_at: F64  # (heads,) s, when red began


def empty_errors(capacity: int, heads: int) -> Errors:
    """Nobody has a history."""
    return Errors(
        np.full(capacity, -1, np.int64), np.zeros(capacity), np.zeros(capacity), np.zeros(capacity, np.uint8),
        np.zeros(capacity), np.full(capacity, -1, np.int32), np.zeros(capacity, np.uint8), np.zeros(capacity, np.uint8),
        np.zeros(heads, np.uint8), np.full(heads, -1e18), np.full(heads, -1e18),
    )  # fmt: skip


@kernel
def watch_lights(errors, light, now):
    """Note when each head turned yellow and red; light (heads,) letters, now in s."""
    for h in range(light.shape[0]):
        letter, before = light[h], errors.light[h]
        if letter == before:
            continue
        shut = letter in (RED, YELLOW)
        if shut and before not in (RED, YELLOW):
            errors.shut_at[h] = now
        if letter == RED:
            errors.red_at[h] = now
        errors.light[h] = letter


@kernel
def goes_on_at(errors, rates, head, letter, seen, speed, now):
    """True if the line, `seen` m ahead, is reached before red is `late_window` s old at this speed."""
    if letter != RED and letter != YELLOW:
        return False
    red = errors.red_at[head] if letter == RED else errors.shut_at[head] + rates.yellow
    return now + seen / max(speed, 0.1) - red <= rates.late_window


@kernel
def _choose(errors, view, rates, exposure, slot, key, link):
    """Draw once per approach what this driver will overlook at `link`."""
    errors.link[slot] = link
    errors.goes_late[slot] = 0
    errors.unseen[slot] = 0
    if link < 0:
        return
    kind = view.vehicles.i[slot, KIND]
    late = RIDER_RED if kind in (EBIKE, BICYCLE) else min(rates.late_red * exposure, 1.0)
    if uniform(fold(key, RED_LIGHT), 2 * link) < late:
        errors.goes_late[slot] = 1
    if uniform(fold(key, RED_LIGHT), 2 * link + 1) < rates.unseen_red * exposure:
        errors.unseen[slot] |= 1
    if uniform(fold(key, YIELD_ERROR), link) < rates.unseen_yield * exposure:
        errors.unseen[slot] |= 2


@kernel
def _begin(errors, attention, mind, view, rates, glances, slot, key, now):
    """A new driver: own attention, own errors."""
    errors.trip[slot] = view.vehicles.i[slot, TRIP]
    gap = fold(key, GAP_ERROR)
    errors.gap[slot] = rates.gap_sigma * bell(gap, -1)
    errors.accept[slot] = rates.accept_sigma * bell(gap, -2)
    errors.alarmed[slot] = 0
    errors.react_at[slot] = -1.0
    errors.link[slot] = -2
    restart_attention(attention, slot, fold(key, ATTENTION), now, glances)
    weak = uniform(fold(key, REACTION), -1) < rates.weak_share
    mind.f[slot, BRAKE_FACTOR] = rates.weak_factor if weak else 1.0


@kernel
def _react(errors, rates, view, slot, key, leader, now, step):
    """True while the driver has not yet answered the leader's hard braking."""
    f = view.vehicles.f
    braking = leader >= 0 and f[leader, ACC] < -rates.hard_braking
    if not braking:
        if leader < 0 or f[leader, ACC] > -1.0:
            errors.alarmed[slot] = 0
    elif errors.alarmed[slot] == 0:
        errors.alarmed[slot] = 1
        if f[slot, ACC] > -1.0:
            errors.react_at[slot] = now + lognormal(
                fold(key, REACTION), step, rates.reaction_median, rates.reaction_log_sigma
            )
    return now < errors.react_at[slot]


@kernel
def advance_errors(errors, attention, mind, view, rates, glances, exposure):
    """Bring `mind` up to the present step for all human drivers; smart cars stay neutral."""
    veh, roads = view.vehicles, view.roads
    f, i = veh.f, veh.i
    now, dt, step = view.clock.time[0], view.clock.time[1], view.clock.step[0]
    watch_lights(errors, roads.light, now)
    for k in range(veh.count[0]):
        slot = veh.active[k]
        if i[slot, CONTROL] != 0 or i[slot, LANE] < 0:
            continue
        key = veh.key[slot]
        if errors.trip[slot] != i[slot, TRIP]:
            _begin(errors, attention, mind, view, rates, glances, slot, key, now)
        if (step + slot) % STAGGER == 0:
            gap = fold(key, GAP_ERROR)
            errors.gap[slot] = gauss_markov(
                errors.gap[slot], rates.gap_sigma, rates.tau, STAGGER * dt, bell(gap, 2 * step)
            )
            errors.accept[slot] = gauss_markov(
                errors.accept[slot], rates.accept_sigma, rates.tau, STAGGER * dt, bell(gap, 2 * step + 1)
            )
            mind.f[slot, GAP_FACTOR] = math.exp(errors.gap[slot])
            mind.f[slot, ACCEPT_FACTOR] = math.exp(errors.accept[slot])
        leader = i[slot, AHEAD]
        headway, closing = math.inf, 0.0
        if leader >= 0:
            space = max(f[leader, S] - f[leader, LENGTH] - f[slot, S], 0.1)
            headway = space / max(f[slot, V], 0.1)
            closing = (f[slot, V] - f[leader, V]) / space
        way = (roads.lane_f[i[slot, LANE], LANE_LENGTH] - f[slot, S]) / max(f[slot, V], 0.1)
        brakes = leader >= 0 and f[leader, ACC] < -1.0
        looks = advance_attention(attention, slot, fold(key, ATTENTION), now, glances, headway, way, closing, brakes)
        late = _react(errors, rates, view, slot, key, leader, now, step)
        mind.f[slot, ATTENTIVE] = 1.0 if looks and not late else 0.0
        link = i[slot, LINK]
        if errors.link[slot] != link:
            _choose(errors, view, rates, exposure, slot, key, link)
        runs = (errors.unseen[slot] & 1) == 1
        if errors.goes_late[slot] == 1 and not runs and link >= 0:
            head = roads.link_i[link, LINK_LIGHT]
            if head >= 0:
                seen = roads.lane_f[i[slot, LANE], LANE_LENGTH] - f[slot, S]
                runs = goes_on_at(errors, rates, head, roads.light[head], seen, f[slot, V], now)
        mind.f[slot, RUN_RED] = 1.0 if runs else 0.0
        mind.f[slot, RUN_YIELD] = 1.0 if (errors.unseen[slot] & 2) == 2 else 0.0


class DriverErrors:
    """The errors of all drivers of one world; `mind` is what the driving kernels read."""

    def __init__(self, view: HumanView, kind: str = "published", exposure: float = 1.0) -> None:
        if kind not in ("published", "none"):
            raise StudyError(f"unknown errors '{kind}'", element="human.errors", hint="valid: none, published")
        if not 0.0 <= exposure <= 1000.0:
            raise StudyError(f"{exposure} is outside 0..1000", element="human.exposure")
        capacity = len(view.vehicles.active)
        self.active, self.exposure = kind == "published", float(exposure)
        self.mind: Mind = neutral_mind(capacity)
        self.rates, self.glances = PUBLISHED, GlanceRates()
        self.errors = empty_errors(capacity, len(view.roads.light))
        self.attention: Attention = empty_attention(capacity)

    def advance(self, view: HumanView, hmi: HmiBatch | None = None) -> Mind:
        """One step: warnings first, then everybody's errors; without errors the mind stays neutral."""
        if self.active:
            if hmi is not None:
                heed(self.attention, hmi, view.vehicles.key, float(view.clock.time[0]), self.glances)
            advance_errors(self.errors, self.attention, self.mind, view, self.rates, self.glances, self.exposure)
        return self.mind
