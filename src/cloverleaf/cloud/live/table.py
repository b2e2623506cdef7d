"""Rows of the live twin: find by key, overwrite with news, sweep out the silent. Open addressing with linear probing.

A key is a pair of integers: (station, -1) for a connected station, (sender, object id) for an object that the sender perceives.
`table` holds row numbers, -1 where empty; its length is a power of two and at least twice the rows.
"""

from __future__ import annotations

from cloverleaf.algo.jit import kernel

TIME, X, Y, HEADING, SPEED, ACCEL, YAW_RATE, LENGTH, WIDTH, SIGMA, WAIT, LANE_S, TOKENS, FILLED = range(14)
"""Columns of `f`, float64. The first ten come with the news; WAIT in s below 1 m/s; LANE_S in m; TOKENS left of the rate at FILLED."""
NEWS = 10
STATION, SECOND, KIND, SOURCE, FLAGS, LANE, HANDLE = range(7)
"""Columns of `whole`, int64. The first five come with the news."""
OLDER, TOO_OFTEN = -1, -2
RATE = 25.0
"""News per second that one road user may send; the standards' fastest is 10 Hz (20 in an idle channel)."""


@kernel
def place_of_key(table, whole, a, b):
    """Position in `table` of the key (a, b): of its row, or of the empty place where it belongs."""
    h = a * -7046029254386353131 + b * -4417276706812531889
    h ^= (h >> 29) & 0x7FFFFFFFF
    mask = len(table) - 1
    p = (h * -4658895280553007687 >> 20) & mask
    while table[p] >= 0 and (whole[table[p], 0] != a or whole[table[p], 1] != b):
        p = (p + 1) & mask
    return p


@kernel
def put(t, table, f, whole, n, news, keys, row):
    """Write news into the rows of their keys; returns the number of rows then.

    t: now, s. news: (m, 10) float64, keys: (m, 5) int64 as the first columns of `f` and `whole`; row: (m,) int64 written: the row, or
    OLDER where the row has newer news, TOO_OFTEN beyond the rate. There must be room for m more rows.
    """
    for i in range(len(keys)):
        p = place_of_key(table, whole, keys[i, 0], keys[i, 1])
        r = table[p]
        if r < 0:
            r = n
            n += 1
            table[p] = r
            whole[r, 5] = -1
            whole[r, 6] = 0
            f[r, 0] = -1e18
            f[r, 3] = 0.0
            f[r, 10] = 0.0
            f[r, 11] = 0.0
            f[r, 12] = 25.0
            f[r, 13] = t
        f[r, 12] = min(f[r, 12] + 25.0 * (t - f[r, 13]), 25.0)
        f[r, 13] = t
        if f[r, 12] < 1.0:
            row[i] = -2
            continue
        f[r, 12] -= 1.0
        if news[i, 0] < f[r, 0]:
            row[i] = -1
            continue
        if news[i, 4] < 1.0:
            f[r, 10] += min(max(news[i, 0] - f[r, 0], 0.0), 1.0) if f[r, 0] > -1e17 else 0.0
        else:
            f[r, 10] = 0.0
        for c in range(10):
            if news[i, c] == news[i, c]:
                f[r, c] = news[i, c]
        for c in range(5):
            whole[r, c] = keys[i, c]
        row[i] = r
    return n


@kernel
def sweep(t, life_connected, life_perceived, table, f, whole, n):
    """Drop rows without news for their life (s), keep the order of the others, and build the table anew; returns the rows left."""
    for p in range(len(table)):
        table[p] = -1
    kept = 0
    for r in range(n):
        life = life_connected if whole[r, 1] < 0 else life_perceived
        if t - f[r, 0] > life:
            continue
        if kept != r:
            for c in range(f.shape[1]):
                f[kept, c] = f[r, c]
            for c in range(whole.shape[1]):
                whole[kept, c] = whole[r, c]
        table[place_of_key(table, whole, whole[kept, 0], whole[kept, 1])] = kept
        kept += 1
    return kept
