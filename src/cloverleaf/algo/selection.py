"""The k-th smallest of some numbers, in place (quickselect; Hoare 1961, "Algorithm 65: find")."""

from __future__ import annotations

from cloverleaf.algo.jit import kernel


@kernel
def kth_smallest(values, n, k):
    """The k-th smallest (from 0) of `values[:n]`, which it reorders; 0 <= k < n, no NaN."""
    low, high = 0, n - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                swap = values[i]
                values[i] = values[j]
                values[j] = swap
                i += 1
                j -= 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            break
    return values[k]
