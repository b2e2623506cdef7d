"""One captured frame or bare byte string: headers off, messages recognised, security named."""

from __future__ import annotations

from typing import NamedTuple

from cloverleaf.link.inspection.guess import (
    MIN_BITS,
    Guess,
    confidence,
    guess,
    guess_cut,
    prefix_lengths,
    search,
    shares,
)
from cloverleaf.link.inspection.signature import Certificates, Security
from cloverleaf.link.io import dsmp, geonetworking, wsmp
from cloverleaf.link.io.link_layer import unframe
from cloverleaf.types.errors import DecodeError

ANNOUNCED = 14.0
"""Bits of evidence that a port or application identifier gives to the message it is assigned to."""
CERTAIN = 8.0
"""Bits of evidence from which on no further headers are looked for."""
UNDISPUTED = 16.0
"""Bits of evidence from which on a message that fits whole is not weighed against others whose end is missing."""
CHOSEN, CHOSEN_NEXT = 8.0, 2.0
"""Bits that a message loses whose end was chosen to fit: the first of several, and those that follow one already found."""
SHORTEST = 8
FRAMES = (1, 127, 105, 113)
"""Link types that are tried on bytes without one: Ethernet, radiotap, 802.11, Linux cooked."""
_TYPE_OF_PORT = {port: name for name, port in geonetworking.PORT_OF_TYPE.items()}
_CSAE_OF_AID = {
    111: ("bsm",), 112: ("bsm",), 113: ("bsm",), 114: ("bsm",), 3618: ("map",), 3619: ("spat",), 3620: ("rsi",),
    3621: ("rsi",), 3622: ("rsi", "rsc"), 3623: ("rsm", "ssm"),
}  # fmt: skip


class Kind(NamedTuple):
    """All readings of one message type, whatever their edition."""

    sure: float  # share of the evidence
    readings: list[Guess]  # likeliest edition first


class Finding(NamedTuple):
    """What one message turned out to be."""

    layers: tuple[str, ...]  # headers in front of it, outermost first
    readings: list[Guess]  # of the message itself, likeliest first; empty if none fits
    security: Security
    size: int  # bytes of the message
    problem: str = ""  # why there is no reading, or what is wrong beside it
    data: bytes = b""  # the message as it stood there, its own signature included

    def kinds(self) -> list[Kind]:
        """The readings by message type, the likeliest type first."""
        groups: dict[tuple[str, str], list[Guess]] = {}
        for g in self.readings:
            groups.setdefault((g.standard.partition("_")[0], g.name), []).append(g)
        kinds = [Kind(sum(g.sure for g in group), group) for group in groups.values()]
        return sorted(kinds, key=lambda k: -k.sure)


UNSIGNED = Security("unsigned")


class Inspector:
    """Looks at messages one after the other; certificates seen earlier serve later ones."""

    def __init__(self) -> None:
        self.certificates = Certificates()

    def frame(self, link_type: int, data: bytes, missing: int = 0) -> list[Finding]:
        """Messages of a captured frame; `missing` bytes were on the air but not captured."""
        try:
            carried = unframe(link_type, data)
        except DecodeError as error:
            return [Finding((), [], UNSIGNED, len(data), error.message)]
        layers, payload = carried.layers, carried.payload
        try:
            if carried.ethertype == geonetworking.ETHERTYPE:
                return self._geo(layers, payload)
            if carried.ethertype == wsmp.ETHERTYPE:
                return self._wave(layers, payload)
        except DecodeError as error:
            found = self.bare(payload, layers, bool(missing))
            return [f._replace(problem=f.problem or error.message) for f in found]
        if carried.ethertype >= 0:
            return [Finding(layers, [], UNSIGNED, len(payload), f"EtherType 0x{carried.ethertype:04x} is no V2X")]
        return self.bare(payload, layers, bool(missing))

    def bare(self, data: bytes, layers: tuple[str, ...] = (), cut: bool = False) -> list[Finding]:
        """Messages of bytes with unknown or no headers in front."""
        if not data:
            return [Finding(layers, [], UNSIGNED, 0, "no bytes")]
        direct = self._messages(layers, data, {}, cut)
        found = [direct] if _evidence(direct) else []
        for headers in (self._geo, self._short, self._wave, self._linked):
            try:
                found.append(headers(layers, data))
            except DecodeError:
                continue
        best = max(found, key=_evidence, default=direct)
        short = guess_cut(data) if _evidence(best) < UNDISPUTED else []
        if _evidence(best) > CERTAIN:
            by_chance = best is direct and short and short[0].bits > _evidence(best)
            return [Finding(layers, short, UNSIGNED, len(data), "cut short")] if by_chance else best
        wide = search(data)
        if confidence(wide) > 0.5 and wide[0].offset and not (short and short[0].bits >= wide[0].bits):
            head = f"{wide[0].offset} bytes of unknown headers"
            return self._messages((*layers, head), data[wide[0].offset :], {}, cut)
        if direct and direct[0].readings:
            return direct
        if short:
            return [Finding(layers, short, UNSIGNED, len(data), "cut short")]
        return [Finding(layers, [], UNSIGNED, len(data), "no message of any known standard")]

    def _linked(self, layers: tuple[str, ...], data: bytes) -> list[Finding]:
        """Behind link-layer headers that announce one of the networks of V2X."""
        for link_type in FRAMES:
            try:
                carried = unframe(link_type, data)
            except DecodeError:
                continue
            if carried.ethertype in (geonetworking.ETHERTYPE, wsmp.ETHERTYPE):
                network = self._geo if carried.ethertype == geonetworking.ETHERTYPE else self._wave
                return network((*layers, *carried.layers), carried.payload)
        raise DecodeError("no link-layer header of V2X")

    def _geo(self, layers: tuple[str, ...], data: bytes) -> list[Finding]:
        packet = geonetworking.dissect(data)
        layers = (*layers, f"geonetworking {packet.form}")
        outer: Security | None = None
        if packet.secured:
            whole = guess(packet.secured)
            outer = self.certificates.security(whole[0].value) if whole else Security("signed")
            layers = (*layers, "ieee1609dot2 signed")
        elif packet.old_security:
            old = packet.old_security
            outer = Security("signed" if old.form.startswith("signed") else "unsigned", old.signer, "", old.aid or -1)
            layers = (*layers, f"ts103097 version {old.version}")
        if packet.transport:
            layers = (*layers, packet.transport + (f" {packet.port}" if packet.port else ""))
        if not packet.transport.startswith("btp"):
            return [Finding(layers, [], outer or UNSIGNED, 0, f"a {packet.form} packet without message")]
        name = _TYPE_OF_PORT.get(packet.port)
        return self._messages(layers, packet.payload, {("etsi", name): ANNOUNCED} if name else {}, packet.cut, outer)

    def _short(self, layers: tuple[str, ...], data: bytes) -> list[Finding]:
        aid, payload = dsmp.parse(data)
        prior = {("csae", name): ANNOUNCED for name in _CSAE_OF_AID.get(aid, ())}
        return self._messages((*layers, f"dsmp AID {aid}"), payload, prior, False)

    def _wave(self, layers: tuple[str, ...], data: bytes) -> list[Finding]:
        short = wsmp.parse(data)
        names = wsmp.PSID.get(short.psid, "").split()
        prior = {("sae", name): ANNOUNCED for name in names}
        prior |= {("csae", name): ANNOUNCED for name in _CSAE_OF_AID.get(short.psid, ())}
        layers = (*layers, f"wsmp version {short.version} PSID {short.psid}")
        return self._messages(layers, short.payload, prior, short.cut)

    def _messages(
        self,
        layers: tuple[str, ...],
        data: bytes,
        prior: dict[tuple[str, str], float],
        cut: bool,
        outer: Security | None = None,
    ) -> list[Finding]:
        """The message at the start of `data`, its payload if it is secured, and messages behind it."""
        out: list[Finding] = []
        while data:
            readings = guess(data, prior=prior)
            if confidence(readings) < 0.5:
                readings = _first(data, prior, CHOSEN_NEXT if out else CHOSEN) or readings
            if not readings:
                if not out:
                    out.append(self._unread(layers, data, prior, cut, outer))
                break
            length = readings[0].length
            out.append(self._finding(layers, readings, outer)._replace(data=data[:length]))
            data = data[length:]
        return out

    def _finding(self, layers: tuple[str, ...], readings: list[Guess], outer: Security | None) -> Finding:
        best = readings[0]
        security = self.certificates.security(best.value)
        if security is None:
            return Finding(layers, readings, outer or UNSIGNED, best.length)
        layers = (*layers, f"{best.standard.partition('_')[0]} {best.name}")
        if best.inside:
            return Finding(layers, list(best.inside), security, best.length)
        return Finding(layers[:-1], readings, security, best.length)

    def _unread(
        self,
        layers: tuple[str, ...],
        data: bytes,
        prior: dict[tuple[str, str], float],
        cut: bool,
        outer: Security | None,
    ) -> Finding:
        readings = guess_cut(data, prior)
        problem = "cut short" if cut or readings else "not a valid message"
        if not readings and prior:
            announced = " or ".join(sorted(f"{standard} {name}" for standard, name in prior))
            problem += f"; announced as {announced}"
        return Finding(layers, readings, outer or UNSIGNED, len(data), problem)


def _evidence(found: list[Finding]) -> float:
    """Bits that speak for the first message of some findings; 0 where it could not be read whole."""
    if not found or not found[0].readings or found[0].readings[0].cut:
        return 0.0
    return found[0].readings[0].bits if confidence(found[0].readings) > 0.5 else 0.0


def _first(data: bytes, prior: dict[tuple[str, str], float], cost: float) -> list[Guess]:
    """Readings of the message at the start of `data` where others follow it: its end was chosen to fit, which costs `cost` bits."""
    best: list[Guess] = []
    for end in prefix_lengths(data):
        if end >= SHORTEST:
            here = guess(data[:end], prior=prior)
            here = shares([g._replace(bits=g.bits - cost) for g in here if g.bits - cost >= MIN_BITS])
            if confidence(here) > 0.9 and (not best or here[0].bits > best[0].bits):
                best = here
    return best
