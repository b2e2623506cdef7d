"""Slow, obvious twins of the perception kernels: matrices, brute force and sampling."""

import itertools
import math

import numpy as np


def best_assignment(cost, gate):
    """Least total of pair costs below the gate plus `gate` for every row left alone, by trying everything."""
    rows, columns = cost.shape
    best = math.inf
    for choice in itertools.product(range(-1, columns), repeat=rows):
        used = [c for c in choice if c >= 0]
        if len(set(used)) < len(used) or any(c >= 0 and not cost[r, c] < gate for r, c in enumerate(choice)):
            continue
        best = min(best, sum(gate if c < 0 else cost[r, c] for r, c in enumerate(choice)))
    return best


def corners(x, y, heading, length, width):
    """Corners of a rectangle, (4, 2)."""
    turn = np.array([[math.cos(heading), -math.sin(heading)], [math.sin(heading), math.cos(heading)]])
    local = 0.5 * np.array([[length, width], [-length, width], [-length, -width], [length, -width]])
    return local @ turn.T + [x, y]


def shared_area(a, b, steps=400):
    """Area that two rectangles share, by a grid of points over the first."""
    u = (np.arange(steps) + 0.5) / steps - 0.5
    gu, gv = np.meshgrid(u * a[3], u * a[4])
    turn = np.array([[math.cos(a[2]), -math.sin(a[2])], [math.sin(a[2]), math.cos(a[2])]])
    points = np.stack([gu.ravel(), gv.ravel()], 1) @ turn.T + [a[0] - b[0], a[1] - b[1]]
    forward = points @ [math.cos(b[2]), math.sin(b[2])]
    left = points @ [-math.sin(b[2]), math.cos(b[2])]
    inside = (abs(forward) <= b[3] / 2) & (abs(left) <= b[4] / 2)
    return inside.mean() * a[3] * a[4]


def hull_area(a, b):
    """Area of the convex hull of two rectangles."""
    from scipy.spatial import ConvexHull

    return ConvexHull(np.vstack([corners(*a), corners(*b)])).volume


def motion(turning, state, dt):
    """A state (x, y, vx, vy, a, w) dt later."""
    x, y, vx, vy, a, w = state
    speed = math.hypot(vx, vy)
    if not turning:
        return np.array([x + vx * dt, y + vy * dt, vx, vy, 0.0, 0.0])
    if speed < 0.5:
        return np.array([x + vx * dt, y + vy * dt, vx, vy, a, w])
    heading = math.atan2(vy, vx) + w * dt
    faster = max(speed + a * dt, 0.0)
    nx, ny = faster * math.cos(heading), faster * math.sin(heading)
    return np.array([x + 0.5 * dt * (vx + nx), y + 0.5 * dt * (vy + ny), nx, ny, a, w])


def jacobian(function, state, step=1e-6):
    columns = []
    for k in range(len(state)):
        d = np.zeros(len(state))
        d[k] = step
        columns.append((function(state + d) - function(state - d)) / (2 * step))
    return np.stack(columns, 1)


def imm_predict(mean, cov, share, dt, noise):
    """Mixing and prediction of both models with matrices."""
    cv_accel, ctra_accel, jerk, turn, accel_prior, turn_prior, stay = noise
    chain = np.array([[stay, 1 - stay], [1 - stay, stay]])
    new_share = chain.T @ share
    new_mean, new_cov = np.zeros((2, 6)), np.zeros((2, 6, 6))
    for m in range(2):
        w = chain[:, m] * share / new_share[m]
        mixed = w @ mean
        spread = sum(w[k] * (cov[k] + np.outer(mean[k] - mixed, mean[k] - mixed)) for k in range(2))
        f = jacobian(lambda s, m=m: motion(m == 1, s, dt), mixed)
        if m == 0:
            f = np.eye(6)
            f[0, 2] = f[1, 3] = dt
        new_mean[m] = motion(m == 1, mixed, dt)
        p = f @ spread @ f.T
        g = np.array([[0.5 * dt * dt, 0], [0, 0.5 * dt * dt], [dt, 0], [0, dt], [0, 0], [0, 0]])
        p += g @ g.T * (cv_accel, ctra_accel)[m] ** 2
        if m == 0:
            p[4:, :] = p[:, 4:] = 0.0
            p[4, 4], p[5, 5] = accel_prior**2, turn_prior**2
        else:
            p += np.diag([0, 0, 0, 0, jerk**2 * dt, turn**2 * dt])
        new_cov[m] = p
    return new_mean, new_cov, new_share


def imm_update(mean, cov, share, z, variances):
    """Kalman update of both models with the first states measured at once; shares by likelihood."""
    h, r = np.eye(len(z), 6), np.diag(variances)
    likelihood, new_mean, new_cov = np.zeros(2), np.zeros((2, 6)), np.zeros((2, 6, 6))
    for m in range(2):
        s = h @ cov[m] @ h.T + r
        off = z - h @ mean[m]
        gain = cov[m] @ h.T @ np.linalg.inv(s)
        likelihood[m] = math.exp(-0.5 * off @ np.linalg.inv(s) @ off) / math.sqrt(np.linalg.det(s))
        new_mean[m] = mean[m] + gain @ off
        new_cov[m] = (np.eye(6) - gain @ h) @ cov[m]
    share = np.clip(share * likelihood / (share @ likelihood), 0.01, 0.99)
    return new_mean, new_cov, share


def imm_intersect(mean, cov, z, variances, w):
    """Intersection of each model with an estimate of position and velocity, by information matrices."""
    h, wide = np.eye(4, 6), np.diag([1 / math.sqrt(w)] * 4 + [1.0, 1.0])
    new_mean, new_cov = np.zeros((2, 6)), np.zeros((2, 6, 6))
    for m in range(2):
        own, other = np.linalg.inv(wide @ cov[m] @ wide), (1 - w) * h.T @ np.diag(1 / np.array(variances))
        new_cov[m] = np.linalg.inv(own + other @ h)
        new_mean[m] = new_cov[m] @ (own @ mean[m] + other @ z)
    return new_mean, new_cov


def rss_distances(a, b, steps=4000):
    """Same way (b behind a), meeting, side by side (a left): by integrating both sides' worst motions."""

    def way(v, row, accel, brake, top):
        x, dt = 0.0, row[4] / steps
        for _ in range(steps):
            before, v = v, min(v + accel * dt, top)
            x += 0.5 * (before + v) * dt
        while v > 0:
            before, v = v, max(v - brake * dt, 0.0)
            x += 0.5 * (before + v) * dt
        return x

    def along(row, brake):
        return way(row[1], row, row[5], brake, max(row[13], row[1]))

    def across(v, row):
        return way(v, row, row[9], row[10], math.inf)

    lead = a[0] ** 2 / (2 * a[6])
    same = max(along(b, b[7]) - lead, 0.0) + b[12]
    meet = along(a, a[8]) + along(b, b[7]) + max(a[12], b[12])
    side = max(across(a[3], a) + across(-b[2], b) + 0.5 * (a[11] + b[11]), 0.0)
    return same, meet, side


def condensed(w, x0):
    """The stage problem with the states eliminated: (H, f, A, low, high) of min 1/2 U'HU + f'U, low <= A U <= high."""
    stages, n, m = w.b.shape
    p = w.rows.shape[1]
    g, d = np.zeros((stages * n, stages * m)), np.zeros(stages * n)
    row, x = np.zeros((n, stages * m)), x0.copy()
    for k in range(stages):
        row = w.a[k] @ row
        row[:, k * m : (k + 1) * m] += w.b[k]
        x = w.a[k] @ x + w.c[k]
        g[k * n : (k + 1) * n], d[k * n : (k + 1) * n] = row, x
    q, c = np.zeros((stages * n, stages * n)), np.zeros((stages * p, stages * n))
    for k in range(stages):
        q[k * n : (k + 1) * n, k * n : (k + 1) * n] = w.q[k]
        c[k * p : (k + 1) * p, k * n : (k + 1) * n] = w.rows[k]
    h = g.T @ q @ g + np.kron(np.eye(stages), w.r)
    f = g.T @ (q @ d + w.lin.ravel())
    a = np.vstack([c @ g, np.eye(stages * m)])
    low = np.r_[w.low.ravel() - c @ d, w.u_low.ravel()]
    high = np.r_[w.high.ravel() - c @ d, w.u_high.ravel()]
    return h, f, a, low, high


def connected(points, used, cell=0.2, half=400, reach=0.3, growth=0.011, most=5):
    """Groups of used points as sets of row numbers, by flooding from cell to cell."""
    cells = {}
    for k in np.flatnonzero(used):
        i, j = math.floor(points[k, 0] / cell), math.floor(points[k, 1] / cell)
        if -half <= i < half and -half <= j < half:
            cells.setdefault((i, j), []).append(int(k))

    def near(a, b):
        def radius(c):
            return (reach + growth * math.hypot((c[0] + 0.5) * cell, (c[1] + 0.5) * cell)) / cell

        first = min(a, b)
        d = (a[0] - b[0], a[1] - b[1])
        limit = min(math.ceil(radius(first)), most)
        return d[0] ** 2 + d[1] ** 2 <= radius(first) ** 2 and max(abs(d[0]), abs(d[1])) <= limit

    groups, open_cells = [], set(cells)
    while open_cells:
        todo, group = [open_cells.pop()], []
        while todo:
            here = todo.pop()
            group += cells[here]
            found = {c for c in open_cells if near(here, c)}
            open_cells -= found
            todo += found
        groups.append(frozenset(group))
    return set(groups)


def closest_rectangle(points, directions=45, nearest=0.03):
    """(worth, heading, area) of the rectangle with most points near its edges."""
    best = (-math.inf, 0.0, 0.0)
    for d in range(directions):
        heading = 0.5 * math.pi * d / directions
        c, s = math.cos(heading), math.sin(heading)
        u, v = points[:, 0] * c + points[:, 1] * s, points[:, 1] * c - points[:, 0] * s
        near = np.minimum(np.minimum(u - u.min(), u.max() - u), np.minimum(v - v.min(), v.max() - v))
        worth = (1.0 / np.maximum(near, nearest)).sum()
        if worth > best[0]:
            best = (worth, heading, np.ptp(u) * np.ptp(v))
    return best


def ground_height(points, mount, grid):
    """Ground under each point by the slope rule, one sector after the other. grid: the module with the figures."""
    edges = [grid.FIRST_RING * (grid.RING_GROWTH**r - 1) / (grid.RING_GROWTH - 1) for r in range(grid.RINGS + 1)]
    sector = [
        min(int((math.atan2(p[1], p[0]) + math.pi) / (2 * math.pi) * grid.SECTORS), grid.SECTORS - 1) for p in points
    ]
    ring = [min(int(np.searchsorted(edges, math.hypot(p[0], p[1]), side="right")) - 1, grid.RINGS - 1) for p in points]
    level = {}
    for a in set(sector):
        ground, at = -mount, 0.0
        for r in range(grid.RINGS):
            rows = [points[k, 2] for k in range(len(points)) if sector[k] == a and ring[k] == r]
            middle = grid.FIRST_RING * (grid.RING_GROWTH ** (r + 0.5) - 1) / (grid.RING_GROWTH - 1)
            if rows:
                room = grid.SLOPE * (middle - at) + grid.STEP
                if ground - max(room, grid.MOST_BELOW) <= min(rows) <= ground + room:
                    ground, at = min(rows), middle
            level[a, r] = ground
    return np.array([p[2] - level[a, r] for p, a, r in zip(points, sector, ring, strict=True)])
