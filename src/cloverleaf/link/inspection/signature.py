"""How a message is secured, and whether its signature holds as far as its own bytes and earlier certificates tell."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from cloverleaf.link.schemas.reader import schema_file
from cloverleaf.types.errors import CloverleafError

if TYPE_CHECKING:
    from cloverleaf.link.security.chinese import ChineseCertificate

_FILE = "ieee1609dot2/ieee1609dot2"
VALID, INVALID, UNCHECKED = "holds", "does not hold", "not checked"


class Security(NamedTuple):
    """The security of one message."""

    form: str  # signed, encrypted, unsecured
    signer: str = ""  # digest, certificate, self
    algorithm: str = ""
    psid: int = -1
    generated: float | None = None  # s since 2004-01-01 TAI
    signer_id: str = ""  # HashedId8 as hex, if known
    verdict: str = ""  # of the signature: holds, does not hold, not checked

    def words(self) -> str:
        """In a few words."""
        if self.form != "signed":
            return self.form
        parts = [f"signed by {self.signer or 'an unknown signer'}"]
        parts += [self.algorithm] if self.algorithm else []
        parts += [f"PSID {self.psid}"] if self.psid >= 0 else []
        parts += [f"signature {self.verdict}"] if self.verdict else []
        return ", ".join(parts)


class Certificates:
    """Certificates seen so far, so that messages which name theirs by digest can be checked."""

    def __init__(self) -> None:
        self.known: dict[str, bytes] = {}
        self.chinese: dict[str, ChineseCertificate] = {}

    def security(self, value: Any) -> Security | None:
        """The security of a decoded `Ieee1609Dot2Data` or Chinese secured message; None if the value is something else."""
        if isinstance(value, dict) and set(value) == {"version", "payload"}:
            return self._chinese(*value["payload"])
        if not isinstance(value, dict) or not isinstance(value.get("content"), list):
            return None
        name, inner = value["content"]
        if name != "signedData":
            return Security({"unsecuredData": "unsigned", "encryptedData": "encrypted"}.get(name, name))
        header, (form, signer) = inner["tbsData"]["headerInfo"], inner["signer"]
        signer_id = ""
        if form == "digest":
            signer_id = signer["hex"]
        elif form == "certificate" and signer:
            signer_id = self._learn(signer[0])
        generated = header["generationTime"] * 1e-6 if "generationTime" in header else None
        algorithm = inner["signature"][0].removesuffix("Signature")
        return Security(
            "signed", form, algorithm, header["psid"], generated, signer_id, self._verdict(inner, signer_id)
        )

    def _chinese(self, name: str, inner: Any) -> Security:
        """The security of a Chinese secured message (YD/T 3957), after its signer's form and curve."""
        if name != "signedData":
            return Security("unsigned" if name == "unSecuredData" else "encrypted")
        form, signer = inner["signer"]
        header = inner["tbs"]["headerInfo"]
        generated = header["genTime"] * 1e-6 if "genTime" in header else None
        signer_id = signer["digest"]["hex"] if form == "certificateDigest" else ""
        verdict = UNCHECKED
        from cloverleaf.link.security import sm2
        from cloverleaf.link.security.chinese import read_certificate, signature_holds

        if sm2.available():
            try:
                if form == "certificate":
                    known = read_certificate(signer)
                    signer_id = known.hashed_id.hex()
                    self.chinese[signer_id] = known
                if signer_id in self.chinese:
                    verdict = VALID if signature_holds(inner, self.chinese[signer_id]) else INVALID
            except (CloverleafError, KeyError, TypeError, ValueError, IndexError):
                verdict = UNCHECKED  # a form or curve that is not ours to judge
        word = {"certificateDigest": "digest"}.get(form, form)
        return Security("signed", word, inner["sign"]["curve"], header["itsAid"], generated, signer_id, verdict)

    def _learn(self, certificate: Any) -> str:
        try:
            raw = _encoder("Certificate")(certificate)
        except (CloverleafError, KeyError, TypeError, ValueError):
            return ""
        from cloverleaf.link.security.algorithms import sha256

        digest = sha256(raw)[-8:].hex()
        self.known[digest] = raw
        return digest

    def _verdict(self, signed: Any, signer_id: str) -> str:
        """Whether the signature fits the signer's certificate; trust in that certificate is another matter."""
        raw = self.known.get(signer_id)
        if raw is None or signed["signature"][0] != "ecdsaNistP256Signature":
            return UNCHECKED
        from cloverleaf.link.security.algorithms import algorithm

        try:
            key = _decoder("Certificate")(raw)["toBeSigned"]["verifyKeyIndicator"]
            if key[0] != "verificationKey" or key[1][0] != "ecdsaNistP256":
                return UNCHECKED
            form, point = key[1][1]
            if not form.startswith("compressed"):
                return UNCHECKED
            compressed = bytes([2 + int(form.endswith("1"))]) + bytes.fromhex(point["hex"])
            r, s = signed["signature"][1]["rSig"], signed["signature"][1]["sSig"]
            if not isinstance(r[1], dict) or "hex" not in r[1]:
                return UNCHECKED
            signature = bytes.fromhex(r[1]["hex"]) + bytes.fromhex(s["hex"])
            good = algorithm("p256").verify(compressed, signature, _encoder("ToBeSignedData")(signed["tbsData"]), raw)
        except (CloverleafError, KeyError, TypeError, ValueError, IndexError):
            return UNCHECKED
        return VALID if good else INVALID


@cache
def _encoder(name: str) -> Any:
    from cloverleaf.link.codec.coer import encoder

    return encoder(schema_file(_FILE).lookup(name))


@cache
def _decoder(name: str) -> Any:
    from cloverleaf.link.codec.coer import decoder

    return decoder(schema_file(_FILE).lookup(name), False)
