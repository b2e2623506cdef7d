"""The k-th smallest beside a sorted copy."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cloverleaf.algo.selection import kth_smallest


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.data())
def test_kth_smallest_is_that_of_a_sorted_copy(numbers, data):
    k = data.draw(st.integers(0, len(numbers) - 1))
    values = np.array([*numbers, -1e9])  # what lies behind the first n is not looked at
    assert kth_smallest(values, np.int64(len(numbers)), np.int64(k)) == sorted(numbers)[k]
    assert sorted(values[:-1]) == sorted(numbers) and values[-1] == -1e9
