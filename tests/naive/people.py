"""A road so simple that what people should do on it is plain: views made by hand for the tests of `human/`."""

from __future__ import annotations

import numpy as np

from cloverleaf.types import traffic as T

TYPES = {"F64": np.float64, "I32": np.int32, "I64": np.int64, "U8": np.uint8, "U64": np.uint64}


def blank(table, **given):
    """A NamedTuple of columns with one row of zeros each, but for those given."""
    return table(
        **{
            name: given[name] if name in given else np.zeros(1, TYPES[getattr(kind, "__forward_arg__", kind)])
            for name, kind in table.__annotations__.items()
        }
    )


def one_lane_view(n, pairs=False, light=False, kind=1, lane_length=500.0):
    """A HumanView of n vehicles on one lane, far apart; with `pairs`, slot 2k leads slot 2k + 1 by 30 m at the same speed.

    The lane leads to link 0, which shows light head 0 if `light`.
    """
    f, i = np.zeros((n, T.F_COLUMNS)), np.full((n, T.I_COLUMNS), -1, np.int32)
    f[:, T.S], f[:, T.V], f[:, T.LENGTH], f[:, T.WIDTH] = 100.0, 10.0, 4.5, 1.8
    i[:, T.LANE], i[:, T.LINK], i[:, T.TRIP], i[:, T.CONTROL], i[:, T.KIND] = 0, 0, np.arange(n), 0, kind
    if pairs:
        i[1::2, T.AHEAD] = np.arange(0, n, 2)
        f[0::2, T.S] = 134.5
    vehicles = T.Vehicles(
        f, i, np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0xD1B54A32D192ED03), np.arange(n, dtype=np.int32),
        np.array([n, 0, 0, n], np.int64),
    )  # fmt: skip
    lists = blank(T.LaneLists)
    link_i = np.full((1, 16), -1, np.int32)
    if light:
        link_i[0, T.LINK_LIGHT] = 0
    roads = blank(
        T.Roads,
        lane_f=np.array([[lane_length, 14.0, 3.5, 0.0]]),
        lane_i=np.full((1, 8), -1, np.int32),
        link_f=np.zeros((1, 4)),
        link_i=link_i,
        foe_f=np.zeros((0, 4)),
        foe_i=np.zeros((0, 4), np.int32),
        light=np.full(1, ord("G"), np.uint8),
    )
    clock = T.Clock(np.array([0.0, 0.1]), np.zeros(1, np.int64))
    return blank(T.HumanView, vehicles=vehicles, lists=lists, roads=roads, paths=blank(T.Paths), clock=clock)
