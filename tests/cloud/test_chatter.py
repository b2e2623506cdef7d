"""Where messages come in and go out: counts by kind and place are those of a plain loop, and reach a console that asks for them."""

from __future__ import annotations

import json
import time
from collections import Counter

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from test_engine import NOW, frame, toy
from toy import Traffic

from cloverleaf.cloud.api.app import create_app
from cloverleaf.cloud.api.live import Live
from cloverleaf.cloud.api.stream import HEAD, MESSAGES
from cloverleaf.cloud.live.chatter import CELL, HEARD, ROOM, Chatter
from cloverleaf.cloud.live.engine import Engine
from cloverleaf.cloud.live.snapshot import Snapshot
from cloverleaf.types.messages import MessageKind

places = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 1), st.floats(-900, 900), st.floats(-900, 900)), max_size=60
)


@given(places)
def test_counts_are_those_of_a_plain_loop(notes) -> None:
    chatter, plain = Chatter(), Counter()
    for kind, out, x, y in [*notes, (0, 0, float("nan"), 1.0)]:
        chatter.note(kind, out, np.array([x]), np.array([y]))
        if x == x:
            plain[kind, out, int(x // CELL), int(y // CELL)] += 1
    found = chatter.take()
    eps = 1e-3  # float32 of a mean on the very edge of a cell
    assert sorted(found["count"].tolist()) == sorted(plain.values()) and len(chatter.take()) == 0
    for r in found:
        near = [(k, o, i, j) for k, o, i, j in plain if (k, o) == (r["kind"], r["out"])
                and i * CELL - eps <= r["x"] <= (i + 1) * CELL + eps and j * CELL - eps <= r["y"] <= (j + 1) * CELL + eps]  # fmt: skip
        assert r["count"] in [plain[n] for n in near]


@pytest.mark.usefixtures("compiled")
def test_the_engine_notes_both_ways_and_a_console_gets_them(tmp_path) -> None:
    engine = Engine(toy(), epoch=1)
    engine.add("city.edge1", frame(Traffic([0, 1], [-60.0, -60.0], 15.0).awareness(NOW), 1, NOW))
    engine.cycle(NOW + 0.05)
    heard = engine.chatter.take()
    assert heard[heard["out"] == 0]["kind"].tolist() == [MessageKind.AWARENESS] * 2
    (warning,) = heard[heard["out"] == 1]
    assert warning["kind"] == MessageKind.EVENT and warning["count"] == 1

    live = Live(toy())
    with TestClient(create_app(live, tmp_path)) as client, client.websocket_connect("/ws") as socket:
        socket.send_text(json.dumps({"layers": ["messages"]}))
        got = b""
        for k in range(100):
            shot = engine.snapshot(NOW)
            live.heard.append((time.time() + 1.0 + k, heard))
            live.shots[0] = Snapshot(time.time() + 1e6 + k, 0, shot.rows, shot.heads)
            data = socket.receive().get("bytes") or b""
            if data and data[0] == MESSAGES:
                got = data
                break
        rows = np.frombuffer(got, HEARD, -1, HEAD.size)
        assert len(rows) == HEAD.unpack_from(got)[3] > 0 and set(rows["kind"].tolist()) == {0, 5}


def test_what_nobody_takes_is_forgotten() -> None:
    chatter, x = Chatter(), np.arange(1000.0)
    for _ in range(2 * ROOM // 1000):
        chatter.note(0, 0, 100.0 * x, x)
    chatter.note(1, 0, x[:1], x[:1])
    taken = chatter.take()
    assert ROOM - 1000 <= taken["count"].astype(int).sum() <= ROOM and (taken["kind"] == 1).sum() == 1
    chatter.note(0, 0, x[:5], x[:5])
    assert chatter.take()["count"].sum() == 5
