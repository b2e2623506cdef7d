"""Controllers of traffic signals: phases one after the other in a cycle (clause "TrafficSignalController")."""

from __future__ import annotations

from cloverleaf.algo.jit import kernel
from cloverleaf.scenario.storyboard import tables as T

CLOSE = 1e-6


@kernel
def phase_column(p, controller):
    """Column of `variable` with a controller's phase (-1 before it starts); the next one holds the phase's start, s."""
    return p.sizes[T.Z_VARIABLES] + p.sizes[T.Z_SIGNALS] + 2 * controller


@kernel
def show_phase(p, v, variable, controller, phase, time):
    """Let a controller show a phase from `time` on."""
    at = phase_column(p, controller)
    variable[at], variable[at + 1] = phase, time
    row = p.signals[controller, T.X_BEGIN] + phase
    for q in range(p.phases[row, T.F_BEGIN], p.phases[row, T.F_END], 2):
        variable[p.sizes[T.Z_VARIABLES] + p.members[q]] = v[p.members[q + 1]]


@kernel
def cycle_signals(p, v, variable, time):
    """Bring all controllers to the phase of this moment."""
    for c in range(p.signals.shape[0]):
        count = p.signals[c, T.X_END] - p.signals[c, T.X_BEGIN]
        at = phase_column(p, c)
        if count == 0 or time < v[p.signals[c, T.X_DELAY]] - CLOSE:
            continue
        if variable[at] < 0.0:
            show_phase(p, v, variable, c, 0, v[p.signals[c, T.X_DELAY]])
        for _ in range(count):
            phase = int(variable[at])
            length = v[p.phases[p.signals[c, T.X_BEGIN] + phase, T.F_SLOT]]
            if length <= 0.0 or time < variable[at + 1] + length - CLOSE:
                break
            show_phase(p, v, variable, c, (phase + 1) % count, variable[at + 1] + length)
