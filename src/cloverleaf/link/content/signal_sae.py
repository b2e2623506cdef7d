"""SignalBatch <-> SAE SPAT: the body of ISO/TS 19091 as in ETSI's SPATEM, inside the SAE frame; the region carries the roadside unit."""

from __future__ import annotations

from cloverleaf.link.content import signal_etsi
from cloverleaf.link.content.content import encoded
from cloverleaf.link.content.frame import Frame
from cloverleaf.link.content.sae_frame import unwrap, wrap
from cloverleaf.types.messages import MessageKind, SignalBatch
from cloverleaf.types.state import I64, U8


def encode(batch: SignalBatch, frame: Frame, standard: str) -> tuple[U8, I64]:
    """Bytes of a batch."""
    codec, records = signal_etsi.to_records(batch, frame, standard)
    return wrap(*encoded(codec, records, standard, MessageKind.SIGNAL), "spat")


def decode(buffer: U8, start: I64, frame: Frame, standard: str) -> tuple[SignalBatch, U8]:
    """(batch, error) of SAE SPAT messages."""
    bodies, offsets, error = unwrap(buffer, start, "spat")
    records = signal_etsi.codec_of(standard).decode(bodies, offsets)
    records.error[:] = records.error | error
    return signal_etsi.from_records(records, frame, standard), records.error
