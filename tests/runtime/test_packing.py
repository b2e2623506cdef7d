"""Values of topics survive as bytes, bit for bit; hostile bytes give DecodeError and nothing else."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cloverleaf.runtime.packing import TYPES, pack, same, unpack
from cloverleaf.types.errors import DecodeError
from cloverleaf.types.frames import EgoFrame, ObjectFrame, SensorFrames
from cloverleaf.types.messages import Received

columns = hnp.arrays(np.float64, st.integers(0, 9), elements=st.floats(allow_nan=True, allow_infinity=True, width=64))


@given(st.lists(columns, min_size=8, max_size=8))
def test_frames_come_back_bit_for_bit(parts):
    frame = EgoFrame(*parts)
    back = unpack(pack(frame))
    assert isinstance(back, EgoFrame)
    for a, b in zip(frame, back, strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    assert same(frame, back)


def test_nested_values_and_none():
    objects = ObjectFrame(
        np.array([0, 1]), *(np.zeros(1) for _ in range(8)), np.ones(1, np.int32), np.ones(1), np.ones(1)
    )
    value = SensorFrames(EgoFrame(*(np.arange(2.0) for _ in range(8))), objects, objects, None)
    back = unpack(pack(value))
    assert back.lights is None and isinstance(back.objects, ObjectFrame) and same(value, back)


def test_what_no_topic_holds_is_refused():
    with pytest.raises(TypeError):
        pack({"a": 1})
    with pytest.raises(TypeError):
        pack(np.array([object()]))


def test_a_changed_bit_is_a_difference():
    a = EgoFrame(*(np.zeros(1) for _ in range(8)))
    b = a._replace(x=np.array([-0.0]))
    assert not same(a, b)


@given(st.binary(max_size=400))
def test_any_bytes_give_a_value_or_a_decode_error(data):
    with contextlib.suppress(DecodeError):
        unpack(data)


@given(st.data())
def test_damaged_values_give_a_value_or_a_decode_error(data):
    good = bytearray(pack(EgoFrame(*(np.arange(3.0) for _ in range(8)))))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(good)))
    with contextlib.suppress(DecodeError):
        unpack(bytes(good[:cut]))


def test_the_types_of_all_topics_may_travel():
    assert {"EgoFrame", "Received", "VehicleCommands", "SignalState", "HmiBatch"} <= set(TYPES) and TYPES[
        "Received"
    ] is Received
