"""Model predictive path tracking: one linearised problem per tick (real-time iteration), with LQR as fallback (compiled).

State (offset e m, heading error psi rad, lateral speed vy m/s, yaw rate r rad/s, front wheel angle delta rad, station s m, speed v m/s,
acceleration a m/s2) of the centre of mass relative to a path; inputs (steering rate rad/s, acceleration demand m/s2). The lateral part
is the single track with axle stiffnesses from the load and the brush tyre's secant at the friction that the path's curvature will use
(Pacejka 2012, ch. 3); an observer estimates what the model misses. Rajamani 2012, section 2.3; Diehl et al. 2005 (real-time iteration).
Constraints per stage: wheel angle, steering rate, acceleration demand, station (obstacle ahead), offset (obstacles beside), and the
friction circle as an octagon of v r and a.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass

import numpy as np

from cloverleaf.algo.dynamics import GRAVITY
from cloverleaf.algo.jit import kernel
from cloverleaf.algo.stage_qp import StageQp, empty_stage_qp, shift, solve
from cloverleaf.types.state import F64

STAGES, STEP = 30, 0.05  # s
E, PSI, VY, R, DELTA, S, V, A = range(8)
STATES, INPUTS, ROWS = 8, 2, 7
STEER_ROW, STATION_ROW, OFFSET_ROW, GRIP_ROWS = 0, 1, 2, 3
SLOWEST = 3.0  # m/s, below it the lateral model is evaluated here
MOST_USED = 0.95  # share of friction up to which the tyre's secant is followed
DIAGONAL = math.sqrt(0.5)
WITHIN = 1e-3  # tolerance of bounds, in each row's unit scaled to about 1
ITERATIONS = 25
GIVE_UP = 0.25  # violation above which the result counts as failed and the LQR answers


@dataclass(frozen=True)
class Car:
    """What the controller believes about its car. Order is the order of the kernel's parameter row."""

    mass: float = 1300.0  # kg
    inertia: float = 1900.0  # kg m2
    front: float = 1.15  # m, centre of mass to the front axle
    rear: float = 1.45  # m
    stiffness: float = 20.0  # axle side force per load and slip angle, 1/rad
    lag: float = 0.25  # s, of the acceleration
    friction: float = 1.0
    grip_used: float = 0.95  # share of friction that the constraint leaves to use
    steer_most: float = 0.6  # rad
    steer_rate: float = 0.4  # rad/s
    accel_most: float = 3.0  # m/s2
    brake_most: float = 8.0  # m/s2
    grade: float = 0.0  # rad, uphill positive
    weight_offset: float = 8.0
    weight_course: float = 12.0
    weight_speed: float = 0.6
    weight_steer_rate: float = 2.0
    weight_accel: float = 0.15

    def row(self) -> F64:
        return np.array(astuple(self))


(
    C_MASS, C_INERTIA, C_FRONT, C_REAR, C_STIFF, C_LAG, C_FRICTION, C_USED, C_STEER, C_RATE, C_ACCEL, C_BRAKE, C_GRADE, C_WE, C_WPSI,
    C_WV, C_WRATE, C_WA,
) = range(18)  # fmt: skip


@kernel
def secant(used):
    """Secant over initial stiffness of a brush tyre that transmits the share `used` of its friction."""
    u = min(abs(used), MOST_USED)
    if u < 1e-6:
        return 1.0
    return u / (3.0 * (1.0 - (1.0 - u) ** (1.0 / 3.0)))


@kernel
def lateral_block(car, v, curvature, out):
    """Discrete single track of (vy, r) at speed v: out[0:4] transition row-major, out[4:6] of delta (bilinear over STEP)."""
    m, inertia, lf, lr = car[C_MASS], car[C_INERTIA], car[C_FRONT], car[C_REAR]
    v = max(v, SLOWEST)
    k = car[C_STIFF] * secant(v * v * curvature / (car[C_FRICTION] * GRAVITY)) * m * GRAVITY / (lf + lr)
    cf, cr = k * lr, k * lf
    a00, a01 = -(cf + cr) / (m * v), -v - (lf * cf - lr * cr) / (m * v)
    a10, a11 = -(lf * cf - lr * cr) / (inertia * v), -(lf * lf * cf + lr * lr * cr) / (inertia * v)
    b0, b1 = cf / m, lf * cf / inertia
    h = 0.5 * STEP
    n00, n01, n10, n11 = 1.0 - h * a00, -h * a01, -h * a10, 1.0 - h * a11
    det = n00 * n11 - n01 * n10
    i00, i01, i10, i11 = n11 / det, -n01 / det, -n10 / det, n00 / det
    p00, p01, p10, p11 = 1.0 + h * a00, h * a01, h * a10, 1.0 + h * a11
    out[0], out[1] = i00 * p00 + i01 * p10, i00 * p01 + i01 * p11
    out[2], out[3] = i10 * p00 + i11 * p10, i10 * p01 + i11 * p11
    out[4], out[5] = STEP * (i00 * b0 + i01 * b1), STEP * (i10 * b0 + i11 * b1)
    out[6], out[7] = STEP * (i00 + i01 * 0.0), STEP * i10
    out[8], out[9] = STEP * i01, STEP * i11


@kernel
def build(w, car, curvature, speed, miss, block):
    """Fill the problem: curvature and wanted speed per stage (N,), estimated model errors `miss` (accelerations of vy and r)."""
    grip = car[C_FRICTION] * GRAVITY * car[C_USED]
    decay = math.exp(-STEP / car[C_LAG])
    slope = GRAVITY * math.sin(car[C_GRADE])
    for k in range(STAGES):
        v = w.x[k, V] if w.x[k, V] > SLOWEST else SLOWEST
        kappa = curvature[k]
        lateral_block(car, v, kappa, block)
        a, b, c = w.a[k], w.b[k], w.c[k]
        a[E, E], a[E, PSI], a[E, VY] = 1.0, v * STEP, STEP
        a[PSI, PSI], a[PSI, R], a[PSI, V] = 1.0, STEP, -kappa * STEP
        a[VY, VY], a[VY, R], a[R, VY], a[R, R] = block[0], block[1], block[2], block[3]
        a[VY, DELTA], a[R, DELTA] = block[4], block[5]
        b[VY, 0], b[R, 0] = 0.5 * STEP * block[4], 0.5 * STEP * block[5]
        c[VY] = block[6] * miss[0] + block[8] * miss[1]
        c[R] = block[7] * miss[0] + block[9] * miss[1]
        a[DELTA, DELTA], b[DELTA, 0] = 1.0, STEP
        a[S, S], a[S, V], a[S, A] = 1.0, STEP, 0.5 * STEP * STEP
        a[V, V], a[V, A], c[V] = 1.0, STEP, -slope * STEP
        a[A, A], b[A, 1] = decay, 1.0 - decay
        q = w.q[k]
        last = 8.0 if k == STAGES - 1 else 1.0
        # The course error psi + vy / v is weighed, not the heading error: a car in a bend points inwards.
        g = 1.0 / v
        q[E, E] = last * car[C_WE]
        q[PSI, PSI] = last * car[C_WPSI]
        q[PSI, VY] = q[VY, PSI] = last * car[C_WPSI] * g
        q[VY, VY] = last * car[C_WPSI] * g * g
        q[V, V] = car[C_WV]
        w.lin[k, V] = -car[C_WV] * speed[k]
        rows = w.rows[k]
        rows[STEER_ROW, DELTA] = 1.0 / car[C_STEER]
        rows[STATION_ROW, S] = 0.2
        rows[OFFSET_ROW, E] = 1.0
        for d in range(4):
            along = (1.0, 0.0, DIAGONAL, DIAGONAL)[d]
            across = (0.0, 1.0, DIAGONAL, -DIAGONAL)[d]
            rows[GRIP_ROWS + d, A], rows[GRIP_ROWS + d, R] = along / grip, across * v / grip
            w.low[k, GRIP_ROWS + d], w.high[k, GRIP_ROWS + d] = -1.0, 1.0
        w.low[k, STEER_ROW], w.high[k, STEER_ROW] = -1.0, 1.0
        w.u_low[k, 0], w.u_high[k, 0] = -car[C_RATE], car[C_RATE]
        w.u_low[k, 1], w.u_high[k, 1] = -car[C_BRAKE], car[C_ACCEL]
    w.r[0, 0], w.r[1, 1] = car[C_WRATE], car[C_WA]


@kernel
def control(w, car, state, curvature, speed, station_most, offset_low, offset_high, miss, before, block, sc, out):
    """One tick. state (8,); per stage (N,): curvature 1/m, wanted speed m/s, station bound m, offset bounds m; miss (2,) model errors.

    before (N + 1, 8): the last solution, whose speeds the model is linearised at; overwritten. out: steering rate, acceleration demand,
    iterations, violation, 1 if the LQR answered.
    """
    shift(w)
    for k in range(STAGES + 1):
        for i in range(STATES):
            w.x[k, i] = before[min(k + 1, STAGES), i]
    for i in range(STATES):
        w.x[0, i] = state[i]
    build(w, car, curvature, speed, miss, block)
    for k in range(STAGES):
        w.high[k, STATION_ROW] = 0.2 * station_most[k]
        w.low[k, OFFSET_ROW], w.high[k, OFFSET_ROW] = offset_low[k], offset_high[k]
    done, worst = solve(w, sc, ITERATIONS, WITHIN, True)
    failed = not (math.isfinite(w.u[0, 0]) and math.isfinite(w.u[0, 1]) and worst <= GIVE_UP)
    if failed:
        for k in range(STAGES):
            for row in range(ROWS + INPUTS):
                w.y[k, row] = w.z[k, row] = 0.0
        for i in range(STATES):
            w.x[0, i] = state[i]
        solve(w, sc, 1, WITHIN, False)
    for k in range(STAGES + 1):
        for i in range(STATES):
            before[k, i] = w.x[k, i]
    out[0] = min(max(w.u[0, 0], w.u_low[0, 0]), w.u_high[0, 0])
    out[1] = min(max(w.u[0, 1], w.u_low[0, 1]), w.u_high[0, 1])
    out[2], out[3], out[4] = done, worst, 1.0 if failed else 0.0


class PathTracker:
    """The controller of one car: feed it the state, get steering rate and acceleration demand.

    The observer compares each measured change of (vy, r) with the model's and keeps the low-passed difference as a disturbance, so that
    wrong tyres, load or friction leave no lasting offset.
    """

    def __init__(self, car: Car | None = None, *, observer_time: float = 0.15) -> None:
        self.car = car or Car()
        self.lqr_ticks = self.bad_ticks = 0
        self.iterations = 0
        self.violation = 0.0
        self._row = self.car.row()
        self._w: StageQp = empty_stage_qp(STAGES, STATES, INPUTS, ROWS)
        self._w.rho[:] = [20.0, 50.0, 50.0, 20.0, 20.0, 20.0, 20.0, 20.0, 1.0]
        self._before = np.zeros((STAGES + 1, STATES))
        self._miss = np.zeros(2)
        self._observer_time = observer_time
        self._block, self._sc, self._out = np.zeros(10), np.zeros((STAGES, STATES)), np.zeros(5)
        self._last: tuple[float, float, float, float, float] | None = None
        self._free = np.full(STAGES, np.inf)

    def observe(self, vy: float, r: float, v: float, delta: float, curvature: float, dt: float) -> None:
        """Update the disturbance from the state after `dt` s."""
        if self._last is not None and v > SLOWEST:
            vy0, r0, v0, delta0, kappa0 = self._last
            lateral_block(self._row, v0, kappa0, self._block)
            b, share = self._block, dt / STEP
            mid = 0.5 * (delta + delta0)
            # Derivatives of the discrete model over its step, scaled to the time that has passed.
            model = (
                (b[0] - 1.0) * vy0 + b[1] * r0 + b[4] * mid,
                b[2] * vy0 + (b[3] - 1.0) * r0 + b[5] * mid,
            )
            off = ((vy - vy0) / share - model[0], (r - r0) / share - model[1])
            det = b[6] * b[9] - b[8] * b[7]
            found = ((b[9] * off[0] - b[8] * off[1]) / det, (b[6] * off[1] - b[7] * off[0]) / det)
            gain = min(dt / self._observer_time, 1.0)
            for i, most in ((0, 6.0), (1, 6.0)):
                self._miss[i] = min(max(self._miss[i] + gain * (found[i] - self._miss[i]), -most), most)
        self._last = (vy, r, v, delta, curvature)

    def step(
        self,
        state: F64,
        curvature: F64,
        speed: F64,
        *,
        station_most: F64 | None = None,
        offset_low: F64 | None = None,
        offset_high: F64 | None = None,
    ) -> tuple[float, float]:
        """Steering rate (rad/s) and acceleration demand (m/s2) for a state (8,) and what the next 30 stages want and allow.

        A state that is not finite brings the car to a stop: wheels held, moderate braking.
        """
        if not (np.isfinite(state).all() and np.isfinite(curvature).all() and np.isfinite(speed).all()):
            self.bad_ticks += 1
            return 0.0, -3.0
        control(
            self._w, self._row, np.ascontiguousarray(state, np.float64), curvature, speed,
            self._free if station_most is None else station_most,
            -self._free if offset_low is None else offset_low,
            self._free if offset_high is None else offset_high,
            self._miss, self._before, self._block, self._sc, self._out,
        )  # fmt: skip
        self.iterations, self.violation = int(self._out[2]), float(self._out[3])
        self.lqr_ticks += int(self._out[4])
        return float(self._out[0]), float(self._out[1])

    @property
    def plan(self) -> F64:
        """The last predicted states, (31, 8)."""
        return self._before
