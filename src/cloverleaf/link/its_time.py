"""The clock of ETSI and IEEE 1609.2: seconds of TAI since 2004-01-01, beside the UTC that everything else uses."""

ITS_EPOCH = 1_072_915_195.0
"""Subtract from s since 1970-01-01 UTC to get s since 2004-01-01 TAI; the five leap seconds since then are included."""
