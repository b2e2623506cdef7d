"""Fixed-time signal plans: which letters all heads show at a time, as a kernel over all groups of a net."""

from __future__ import annotations

from cloverleaf.algo.jit import kernel


@kernel
def show_fixed_time(time, offset, phase_start, duration, state_start, state, starts, light, until):
    """Write the letters of time `time` (s) into `light`; `until[g]` (s) tells when group g changes next, so calls between are cheap.

    A plan repeats from simulation time 0, shifted by `offset` seconds.
    """
    for g in range(len(offset)):
        if time < until[g] - 1e-9:
            continue
        first, last = phase_start[g], phase_start[g + 1]
        if last <= first:
            until[g] = 1e18
            continue
        cycle = 0.0
        for p in range(first, last):
            cycle += duration[p]
        if cycle <= 0.0:
            phase, rest = first, 1e18
        else:
            at = (time - offset[g]) % cycle
            if cycle - at < 1e-9:
                at = 0.0
            phase = first
            while phase + 1 < last and at >= duration[phase] - 1e-9:
                at -= duration[phase]
                phase += 1
            rest = duration[phase] - at
        until[g] = time + max(rest, 1e-6)
        for k in range(state_start[phase], state_start[phase + 1]):
            head = starts[g] + k - state_start[phase]
            if head < starts[g + 1]:
                light[head] = state[k]
