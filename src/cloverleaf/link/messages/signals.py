"""Signals: CSAE SPAT, ETSI SPATEM and SAE SPAT <-> `SignalPhaseAndTiming`.

Times are moments; on the wire they are tenths of a second in the hour, or in CSAE also counted down. Light states differ: a flashing green
goes out as permissive clearance, "stop then proceed" is a flashing red, pre-movement (red and yellow) reads as red.
"""

from __future__ import annotations

from typing import Any

from cloverleaf.link.messages import wire as w
from cloverleaf.link.messages.records import IntersectionSignals, Phase, PhaseState, SignalPhaseAndTiming
from cloverleaf.types.messages import LightState

_CSAE_LIGHT = ("unavailable", "dark", "flashing-red", "red", "flashing-green", "permissive-green", "protected-green", "yellow",
               "flashing-yellow")  # fmt: skip
_STATE_OF_LIGHT = ("unavailable", "dark", "stop-Then-Proceed", "stop-And-Remain", "permissive-clearance",
                   "permissive-Movement-Allowed", "protected-Movement-Allowed", "protected-clearance",
                   "caution-Conflicting-Traffic")  # fmt: skip
_LIGHT_OF_STATE = {name: LightState(i) for i, name in enumerate(_STATE_OF_LIGHT)} | {"pre-Movement": LightState.RED}
_UNKNOWN = 36_001
_MARK = 0.1
_LARGEST_COUNT = 36_000


def read_spat(value: Any, now: float, standard: str) -> SignalPhaseAndTiming:
    """A CSAE SPAT (frame value)."""
    body = value[1]
    time = w.nearest_time(body.get("timeStamp"), 1e-3, w.MINUTE_MS, now)
    rows = []
    for i in body["intersections"]:
        own = w.nearest_time(i.get("timeStamp"), 1e-3, w.MINUTE_MS, now)
        at = own if own is not None else time if time is not None else now
        phases = tuple(Phase(p["id"], tuple(_read_csae_state(s, at) for s in p["phaseStates"])) for p in i["phases"])
        node = i["intersectionId"]
        status = w.set_bits(i["status"]) or frozenset()
        rows.append(IntersectionSignals(node["id"], node.get("region"), phases, status, own))
    if time is None:
        time = rows[0].time
    return SignalPhaseAndTiming(time, tuple(rows), None, body.get("name"))


def _read_csae_state(state: Any, at: float) -> PhaseState:
    light = LightState(_CSAE_LIGHT.index(state["light"])) if state["light"] in _CSAE_LIGHT else LightState.UNAVAILABLE
    if "timing" not in state:
        return PhaseState(light)
    form, t = state["timing"]
    if form == "counting":

        def moment(key: str) -> float | None:
            mark = t.get(key)
            return None if mark is None or mark >= _LARGEST_COUNT else at + mark * _MARK

        start = None if t["startTime"] == 0 else moment("startTime")
        return PhaseState(light, start, moment("minEndTime"), moment("likelyEndTime"), moment("maxEndTime"))

    def clock(key: str) -> float | None:
        return w.nearest_time(t.get(key), _MARK, w.HOUR_MARKS, at, _UNKNOWN)

    return PhaseState(
        light, clock("startUTCTime"), clock("minEndUTCTime"), clock("likelyEndUTCTime"), clock("maxEndUTCTime")
    )


def write_spat(m: SignalPhaseAndTiming, standard: str) -> Any:
    """The frame value of a CSAE SPAT, timing in UTC; at most 16 phases of an intersection, 32 intersections."""
    rows = []
    for i in m.intersections[:32]:
        row: dict[str, Any] = {
            "intersectionId": _node(i.region, i.id),
            "status": w.bit_string(i.status, 16),
            "phases": [
                {"id": p.group & 255, "phaseStates": [_csae_state(s) for s in p.states[:16]]} for p in i.phases[:16]
            ],
        }
        if i.time is not None:
            row["timeStamp"] = w.count_of(i.time, 1e-3, w.MINUTE_MS, 65535)
        rows.append(row)
    body: dict[str, Any] = {"msgCnt": w.count_of(m.time, 0.1, 128, 0), "intersections": rows}
    if m.time is not None:
        body["timeStamp"] = w.count_of(m.time, 1e-3, w.MINUTE_MS, 65535)
    if m.name:
        body["name"] = m.name[:63]
    return ["spatFrame", body]


def _csae_state(s: PhaseState) -> dict[str, Any]:
    state: dict[str, Any] = {"light": _CSAE_LIGHT[s.light]}
    if all(t is None for t in (s.start, s.min_end, s.likely_end, s.max_end)):
        return state
    timing = {"startUTCTime": _mark(s.start), "likelyEndUTCTime": _mark(s.likely_end)}
    if s.min_end is not None:
        timing["minEndUTCTime"] = _mark(s.min_end)
    if s.max_end is not None:
        timing["maxEndUTCTime"] = _mark(s.max_end)
    return state | {"timing": ["utcTiming", timing]}


def read_spatem(value: Any, now: float) -> SignalPhaseAndTiming:
    """An ETSI SPATEM."""
    return _read_iso(value["spat"], now, value["header"]["stationID"])


def read_sae_spat(value: Any, now: float) -> SignalPhaseAndTiming:
    """An SAE SPAT (frame value)."""
    return _read_iso(value["value"][1], now, None)


def write_spatem(m: SignalPhaseAndTiming) -> Any:
    """The value of an ETSI SPATEM."""
    header = {"protocolVersion": 2, "messageID": 4, "stationID": (m.station or 0) & 0xFFFFFFFF}
    return {"header": header, "spat": _iso(m)}


def write_sae_spat(m: SignalPhaseAndTiming) -> Any:
    """The frame value of an SAE SPAT."""
    return {"messageId": 19, "value": ["SPAT", _iso(m)]}


def _read_iso(body: Any, now: float, station: int | None) -> SignalPhaseAndTiming:
    """SPAT of ISO/TS 19091, which ETSI and SAE share."""
    rows = []
    for i in body["intersections"]:
        own = w.nearest_time(i.get("timeStamp"), 1e-3, w.MINUTE_MS, now)
        at = own if own is not None else now
        phases = tuple(
            Phase(s["signalGroup"], tuple(_read_event(e, at) for e in s["state-time-speed"])) for s in i["states"]
        )
        status = w.set_bits(i["status"]) or frozenset()
        rows.append(IntersectionSignals(i["id"]["id"], i["id"].get("region"), phases, status, own))
    return SignalPhaseAndTiming(rows[0].time, tuple(rows), station, body.get("name"))


def _read_event(event: Any, at: float) -> PhaseState:
    t = event.get("timing", {})

    def clock(key: str) -> float | None:
        return w.nearest_time(t.get(key), _MARK, w.HOUR_MARKS, at, _UNKNOWN)

    light = _LIGHT_OF_STATE[event["eventState"]]
    return PhaseState(light, clock("startTime"), clock("minEndTime"), clock("likelyTime"), clock("maxEndTime"))


def _iso(m: SignalPhaseAndTiming) -> dict[str, Any]:
    rows = []
    for i in m.intersections[:32]:
        row: dict[str, Any] = {
            "id": _node(i.region, i.id),
            "revision": 0,
            "status": w.bit_string(i.status, 16),
            "states": [
                {"signalGroup": p.group & 255, "state-time-speed": [_event(s) for s in p.states[:16]]} for p in i.phases
            ],
        }
        at = i.time if i.time is not None else m.time
        if at is not None:
            row["timeStamp"] = w.count_of(at, 1e-3, w.MINUTE_MS, 65535)
        rows.append(row)
    return ({"name": m.name[:63]} if m.name else {}) | {"intersections": rows}


def _event(s: PhaseState) -> dict[str, Any]:
    event: dict[str, Any] = {"eventState": _STATE_OF_LIGHT[s.light]}
    given = {"startTime": s.start, "minEndTime": s.min_end, "maxEndTime": s.max_end, "likelyTime": s.likely_end}
    timing = {key: _mark(t) for key, t in given.items() if t is not None}
    if timing:
        event["timing"] = {"minEndTime": _UNKNOWN} | timing
    return event


def _mark(time: float | None) -> int:
    return w.count_of(time, _MARK, w.HOUR_MARKS, _UNKNOWN)


def _node(region: int | None, number: int) -> dict[str, int]:
    return ({} if region is None else {"region": region}) | {"id": number}
