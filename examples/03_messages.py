"""One vehicle in three standards: a typed record in SI, its bytes in each, what is lost between them, and a capture for Wireshark."""

from cloverleaf.link.io.framing import framed, link_type_of
from cloverleaf.link.io.geonetworking import Position
from cloverleaf.link.io.pcap import Recorder
from cloverleaf.link.messages import BasicSafetyMessage, Place, decode, encode
from cloverleaf.link.translate.translate import translate
from cloverleaf.types.state import Kind

NOW = 1_770_000_000.0  # s since 1970
car = BasicSafetyMessage(
    station=4711, time=NOW, place=Place(31.2304, 121.4737, 4.2), speed=13.9, heading=0.5, accel=-2.0, yaw_rate=0.0, length=4.7,
    width=1.85, kind=Kind.CAR, events=frozenset({"hard_braking"}),
)  # fmt: skip

for standard in ("csae_day2", "etsi", "sae"):
    ((name, data),) = encode(car, standard)
    again = decode(standard, name, data, NOW)
    print(
        f"{standard:10} {name:4} {len(data):3} bytes  speed {again.speed:.2f} m/s  heading {again.heading:.4f} rad  {again.kind}"
    )

name, data = encode(car, "csae_day2")[0]
found = translate("csae_day2", name, data, "etsi", now=NOW)
print("from CSAE to ETSI is lost:", ", ".join(found.lost))

with Recorder("example.pcap", link_type_of("etsi")) as capture:
    for kind, raw in found.messages:
        capture.add(NOW, framed(raw, "etsi", kind, Position(4711, 0, 312_304_000, 1_214_737_000)))
print("example.pcap: open it in Wireshark, or `cloverleaf link inspect example.pcap`")
