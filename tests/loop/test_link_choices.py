"""A study may choose any standard, radio and security: the loop runs with each pair of choices, and cars and units hear each other."""

import shutil
import subprocess
from itertools import pairwise

import pytest

from cloverleaf.link.io import pcap
from cloverleaf.link.security import sm2
from cloverleaf.study.build import Run
from cloverleaf.study.config import Arm, Fleet, Link, Study
from cloverleaf.study.reading import read_study
from cloverleaf.types.errors import StudyError
from cloverleaf.types.messages import MessageKind

STANDARDS = ("csae_day1", "csae_day2", "etsi", "sae")
RADIOS = ("ideal", "lte-v2x", "nr-v2x")
SECURITIES = ("none", "p256", "sm2")
COMBINATIONS = [
    (standard, RADIOS[k], SECURITIES[(i + k) % 3]) for i, standard in enumerate(STANDARDS) for k in range(3)
]
"""Every pair of two choices occurs; all 36 together would only take longer."""


@pytest.mark.parametrize(("standard", "radio", "security"), COMBINATIONS)
def test_loop_takes_every_combination(standard, radio, security):
    if security == "sm2" and not sm2.available():
        pytest.skip("needs SM2 in libcrypto")
    link = Link(standard=standard, radio=radio, security=security)
    run = Run(Study(duration_s=60.0, fleet=Fleet(penetration=0.8), link=link), Arm.CLOUD, seed=1)
    for _ in range(30):
        run.tick()
    statistics = run.rooms.link.statistics
    assert statistics.sent[MessageKind.SIGNAL] > 0 and statistics.sent[MessageKind.TOPOLOGY] > 0
    assert statistics.delivered.sum() > 0 and not statistics.refused, dict(statistics.refused)


def test_a_study_gives_the_percentiles_of_its_network(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text("duration_s: 60\nlink: {radio: ideal}\ncloud: {latency_percentiles_ms: {p0: 120, p50: 150, p100: 180}}\n")
    run = Run(read_study(file), Arm.CLOUD, seed=1)
    for _ in range(5):
        run.tick()
    network = run.rooms.link.network
    assert [network.quantile(p) for p in (0.0, 0.5)] == pytest.approx([0.12, 0.15]) and network.longest == pytest.approx(0.18)


def test_pseudonyms_revocation_and_power_are_a_studys_choice():
    link = Link(
        standard="etsi", radio="ideal", pseudonyms=True, revoked_share=0.5, congestion="adaptive", power_dbm=20.0
    )
    run = Run(Study(duration_s=60.0, fleet=Fleet(penetration=0.8), link=link), Arm.CLOUD, seed=1)
    for _ in range(100):
        run.tick()
    bus = run.rooms.link
    assert set(bus.statistics.refused) == {"revoked"} and bus.aliases is not None
    assert bus.generation.congestion.name == "adaptive" and bus.generation.objects is not None


@pytest.mark.parametrize(("standard", "security"), [("etsi", "p256"), ("csae_day2", "p256"), ("sae", "none")])
def test_what_the_loop_sends_comes_back_out_of_its_capture(tmp_path, standard, security):
    """Every message of ten ticks lies in the file and is recognised; Wireshark, where installed, finds nothing malformed in ETSI's."""
    file = tmp_path / "sent.pcap"
    link = Link(standard=standard, security=security, pcap=str(file))
    study = Study(duration_s=60.0, fleet=Fleet(penetration=0.8), link=link, arms=(Arm.ROAD,), seeds=(1,))
    run, sent = Run(study, Arm.ROAD, seed=1), []
    for _ in range(10):
        run.tick()
        wire = run.rooms.link.plain
        sent += [wire.buffer[a:b].tobytes() for a, b in pairwise(wire.start.tolist())]
    found = list(pcap.messages(file))
    if security == "none":
        assert [m.payload for m in found] == sent
    else:
        assert len(found) == len(sent) > 20
        assert all(part in message.payload for part, message in zip(sent, found))
    if standard == "etsi" and shutil.which("tshark"):
        show = ["tshark", "-r", str(file), "-Y", "_ws.malformed"]
        assert subprocess.run(show, capture_output=True, text=True, check=True).stdout == ""


def test_a_capture_needs_an_arm_that_sends(tmp_path):
    study = Study(link=Link(pcap=str(tmp_path / "x.pcap")), arms=(Arm.HUMAN,), seeds=(1,))
    with pytest.raises(StudyError, match="nothing is sent"):
        Run(study, Arm.HUMAN, seed=1)
