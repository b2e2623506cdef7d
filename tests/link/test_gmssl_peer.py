"""SM2 beside gmssl, in whatever Python has it."""

import pytest

from cloverleaf.cli import bench_link
from cloverleaf.cli.peers import find_peer
from cloverleaf.link.security import sm2

PYTHON = find_peer(bench_link.GMSSL, bench_link.GMSSL_VARIABLE)
needs_libcrypto = pytest.mark.skipif(not sm2.available(), reason="needs OpenSSL's libcrypto with SM2")


@needs_libcrypto
@pytest.mark.skipif(
    PYTHON is None, reason=f"gmssl is not installed here ({bench_link.GMSSL_VARIABLE} names its Python)"
)
def test_gmssl_judges_our_signature_as_we_do_and_is_timed():
    row = bench_link.sm2_row(4)
    assert row["ratio"] == pytest.approx(row["sm2_verified_per_s"] / row["gmssl_per_s"])
    assert row["ratio"] > 1.0


@needs_libcrypto
def test_a_peer_that_judges_otherwise_is_an_error(monkeypatch):
    monkeypatch.setattr(bench_link, "find_peer", lambda module, variable: "python")
    monkeypatch.setattr(
        bench_link, "ask_peer", lambda python, script, given: {"accepted": True, "refused": False, "seconds": 1.0}
    )
    with pytest.raises(bench_link.CloverleafError, match="gmssl"):
        bench_link.sm2_row(1)


@needs_libcrypto
def test_without_gmssl_the_row_says_how_to_name_it(monkeypatch):
    monkeypatch.setattr(bench_link, "find_peer", lambda module, variable: None)
    assert bench_link.GMSSL_VARIABLE in bench_link.sm2_row(1)["gmssl"]
