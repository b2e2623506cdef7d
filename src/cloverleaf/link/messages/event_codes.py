"""Event types of GB/T 29100 as Chinese RSI messages use them, beside ETSI cause codes (TS 102 894-2).

The Chinese numbers are those of public descriptions of T/CSAE 53 deployments, from memory; the standard's own text was not available.
"""

from __future__ import annotations

CAUSE_OF_CODE: dict[int, tuple[int, int]] = {
    101: (2, 0),  # accident
    102: (91, 0),  # vehicle breakdown
    103: (94, 0),  # stationary vehicle
    201: (99, 0),  # disaster: dangerous situation
    301: (19, 1),  # heavy rain
    302: (19, 3),  # hail
    304: (17, 1),  # strong wind
    305: (18, 1),  # fog
    308: (19, 2),  # heavy snow
    401: (10, 0),  # things thrown on the road
    403: (9, 0),  # surface damaged
    404: (12, 0),  # people on the road
    405: (11, 0),  # animals on the road
    406: (7, 0),  # water on the road
    407: (6, 0),  # slippery
    408: (6, 5),  # ice
    501: (3, 0),  # road works
    601: (1, 0),  # event with many people: traffic condition
    707: (1, 2),  # congestion: traffic jam slowly increasing
    901: (14, 0),  # wrong-way driving
    902: (26, 0),  # slow vehicle
    904: (94, 0),  # stopped where it must not
}
"""GB/T 29100 event type -> (cause, sub-cause)."""

_CODE_OF_CAUSE = {cause: code for code, (cause, _) in sorted(CAUSE_OF_CODE.items(), reverse=True)}
_EXACT = {pair: code for code, pair in sorted(CAUSE_OF_CODE.items(), reverse=True)}


def cause_of(code: int | None, cause: tuple[int, int] | None) -> tuple[int, int]:
    """ETSI's (cause, sub-cause) of an event; dangerous situation (99) where no better one is known."""
    if cause is not None:
        return cause
    return CAUSE_OF_CODE.get(code if code is not None else -1, (99, 0))


def code_of(code: int | None, cause: tuple[int, int] | None) -> int:
    """The Chinese event type of an event; 0 where none is known."""
    if code is not None:
        return code
    if cause is None:
        return 0
    return _EXACT.get(cause, _CODE_OF_CAUSE.get(cause[0], 0))
