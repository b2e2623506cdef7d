"""Slow twin of the rows of paths without halts: how far each lane leads, asked lane by lane from the front."""

from __future__ import annotations

STUB, FAR = 30.0, 3000.0  # m


def edge_rows(graph, edges, vclass):
    """For each edge of a route its lanes' (link or -1, m that they lead on, lanes to the nearest best one)."""
    if not edges:
        return []
    later = edge_rows(graph, edges[1:], vclass)
    first, end = graph.edge_lane_start[edges[0]], graph.edge_lane_start[edges[0] + 1]
    ways = []
    for lane in range(first, end):
        own = float(graph.lane_length[lane])
        if not int(graph.lane_allow[lane]) & vclass:
            ways.append((-1, -1.0, own))
        elif not later:
            ways.append((-1, own, own))
        else:
            options = []
            for link in range(graph.lane_link_start[lane], graph.lane_link_start[lane + 1]):
                to = graph.link_to[link]
                if graph.lane_edge[to] == edges[1] and int(graph.lane_allow[to]) & vclass:
                    _, beyond, off = later[0][to - graph.edge_lane_start[edges[1]]]
                    options.append((-round(beyond, 3), abs(off), link, beyond))
            if options and min(options)[3] >= 0.0:
                ways.append((min(options)[2], min(own + min(options)[3], FAR + own), own))
            else:
                ways.append((-1, own, own))
    best = max(way for _, way, _ in ways)
    rows = []
    priority = any(link >= 0 and way > best - 0.01 and not yields(graph, link) for link, way, _ in ways)
    for link, way, own in ways:
        if later and link >= 0 and way < best - 0.01 and way - own < STUB:
            link, way = -1, own
        if later and link >= 0 and priority and yields(graph, link):
            way = min(way, own)
        rows.append((link, way))
    good = [j for j, (_, way) in enumerate(rows) if way > best - 0.01]
    nearest = [0 if j in good else min((k - j for k in good), key=lambda d: (abs(d), d)) for j in range(len(rows))]
    return [[(link, way, off) for (link, way), off in zip(rows, nearest)], *later]


def yields(graph, link):
    """True where the link has no light and its state says to give way."""
    return graph.link_signal[link] < 0 and chr(graph.link_state[link]).islower()
