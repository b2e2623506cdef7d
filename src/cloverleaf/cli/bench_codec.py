"""`cloverleaf bench codec`: messages a second beside asn1tools, pycrate and the C code of asn1c; `codec-fuzz`: noise by the million."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from cloverleaf.types.errors import CloverleafError, InputError

app = typer.Typer(help="Codec benchmarks.", no_args_is_help=True, add_completion=False)

WORKLOADS = {"bsm": ("csae_day1", "bsm"), "bsmfull": ("csae_day1", "bsm"), "cam": ("etsi", "cam"), "camlf": ("etsi", "cam"),
             "rsm": ("csae_day1", "rsm"), "ssm": ("csae_day2", "ssm"), "map": ("csae_day1", "map")}  # fmt: skip
REPEATS = 5
BARS = {
    "bsm": (15, 10),
    "bsmfull": (15, 10),
    "cam": (15, 10),
    "camlf": (15, 10),
    "rsm": (8, 8),
    "ssm": (8, 8),
    "map": (8, 8),
}
"""Times asn1c that batch decoding and encoding shall reach; one message at a time shall reach `SINGLE_BAR` times asn1tools."""
SINGLE_BAR = (5, 5)
_C_MAIN = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <TYPE.h>
static double now(void){struct timespec t;clock_gettime(CLOCK_PROCESS_CPUTIME_ID,&t);return t.tv_sec+1e-9*t.tv_nsec;}
int main(int argc,char**argv){
  FILE*f=fopen(argv[1],"rb");int repeats=atoi(argv[2]);static unsigned char buf[1<<26];size_t n=fread(buf,1,sizeof buf,f);
  static TYPE_t*made[100000];double best_d=1e9,best_e=1e9;long count=0;unsigned char out[65536];
  for(int k=0;k<repeats;k++){
    double t=now();long i=0;
    for(size_t p=0;p+2<=n;){size_t len=buf[p]|buf[p+1]<<8;TYPE_t*v=0;
      asn_dec_rval_t r=uper_decode_complete(0,&asn_DEF_TYPE,(void**)&v,buf+p+2,len);
      if(r.code!=RC_OK){fprintf(stderr,"message %ld refused\n",i);return 1;}
      ASN_STRUCT_FREE(asn_DEF_TYPE,v);p+=2+len;i++;}
    t=now()-t;if(t<best_d)best_d=t;count=i;i=0;
    for(size_t p=0;p+2<=n;){size_t len=buf[p]|buf[p+1]<<8;made[i]=0;
      uper_decode_complete(0,&asn_DEF_TYPE,(void**)&made[i],buf+p+2,len);p+=2+len;i++;}
    t=now();for(i=0;i<count;i++)uper_encode_to_buffer(&asn_DEF_TYPE,made[i],out,sizeof out);
    t=now()-t;if(t<best_e)best_e=t;
    for(i=0;i<count;i++)ASN_STRUCT_FREE(asn_DEF_TYPE,made[i]);
  }
  printf("%.1f %.1f\n",count/best_d,count/best_e);return 0;}
"""


@app.command()
def codec(
    only: Annotated[list[str] | None, typer.Option("--workload", help="one of " + ", ".join(WORKLOADS))] = None,
    data: Annotated[
        Path | None, typer.Option(help="folder with <workload>.bin files to use instead of made-up messages")
    ] = None,
) -> None:
    """Messages a second on one core (CPU time, best of 5), ours beside the others, and the ratios.

    Peers read a message that lies in an open type without the frame around it.
    """
    typer.echo(f"{'workload':9}{'bytes':>6}  {'codec':22}{'decode/s':>12}{'encode/s':>12}{'ratio':>14}{'bar':>10}")
    for name in only or list(WORKLOADS):
        if name not in WORKLOADS:
            raise InputError(f"unknown workload '{name}'", hint="one of " + ", ".join(WORKLOADS))
        standard, message = WORKLOADS[name]
        parts = _load(data / f"{name}.bin") if data and (data / f"{name}.bin").exists() else _make(name)
        _report(name, standard, message, parts)


def _report(name: str, standard: str, message: str, parts: list[bytes]) -> None:
    from cloverleaf.link.codec.batch import batch_codec
    from cloverleaf.link.codec.single import codec as single_codec

    mean = sum(map(len, parts)) / len(parts)

    def row(
        label: str,
        rates: tuple[float, float],
        against: tuple[float, float] | None = None,
        bar: tuple[int, int] | None = None,
    ) -> None:
        ratio = f"{rates[0] / against[0]:.1f}x {rates[1] / against[1]:.1f}x" if against else ""
        asked = f"{bar[0]}x {bar[1]}x" if bar else ""
        typer.echo(f"{name:9}{mean:6.0f}  {label:22}{rates[0]:12,.0f}{rates[1]:12,.0f}{ratio:>14}{asked:>10}")

    batch, single = batch_codec(standard, message), single_codec(standard, message)
    start = np.concatenate(([0], np.cumsum([len(p) for p in parts]))).astype(np.int64)
    buffer = np.frombuffer(b"".join(parts), np.uint8)
    records = batch.decode(buffer, start)
    again, _, error = batch.encode(records)
    if records.error.any() or error.any() or not np.array_equal(again, buffer):
        raise CloverleafError(f"{name}: the workload does not come back as it was")

    def together() -> tuple[float, float]:
        return _rate(lambda: batch.decode(buffer, start), len(parts)), _rate(lambda: batch.encode(records), len(parts))

    ours = together()
    few = parts[: max(200, min(len(parts), 1000))]
    values = [single.decode(p) for p in few]

    def one_by_one() -> tuple[float, float]:
        return _rate(lambda: _each(single.decode, few), len(few)), _rate(lambda: _each(single.encode, values), len(few))

    alone = one_by_one()
    row("cloverleaf batch", ours)
    row("cloverleaf single", alone)
    contents = _contents(standard, message, parts)
    for label, peer, mine, measure, bar in (
        ("asn1c, decode + free", _asn1c, ours, together, BARS[name]),
        ("asn1tools", _asn1tools, alone, one_by_one, SINGLE_BAR),
        ("pycrate", _pycrate, alone, one_by_one, None),
    ):
        found = peer(standard, message, contents if peer is _asn1c else contents[: len(few)])
        if isinstance(found, str):
            typer.echo(f"{name:9}{'':6}  {label:22}{found}")
        else:
            after = measure()  # the best of before and after: other work on the machine comes and goes
            mine = max(mine[0], after[0]), max(mine[1], after[1])
            row(label, found)
            row(f"  cloverleaf / {label.split(',')[0]}", mine, found, bar)


def _each(action: Callable[[Any], Any], items: list[Any]) -> None:
    """Call `action` on every item and keep nothing: no garbage collector that walks all results."""
    deque(map(action, items), maxlen=0)


def _rate(run: Callable[[], Any], count: int) -> float:
    """Items a second of CPU time, best of some runs."""
    best = float("inf")
    for _ in range(REPEATS):
        begin = time.process_time()
        run()
        best = min(best, time.process_time() - begin)
    return count / max(best, 1e-9)


def _load(file: Path) -> list[bytes]:
    """Messages of a file of [u16 little-endian length][bytes]."""
    raw, at, parts = file.read_bytes(), 0, []
    while at < len(raw):
        size = int.from_bytes(raw[at : at + 2], "little")
        parts.append(raw[at + 2 : at + 2 + size])
        at += 2 + size
    return parts


def _make(name: str, count: int = 2000) -> list[bytes]:
    """Random valid messages of a workload, the same on every run."""
    from cloverleaf.link.codec.sample import Sampler
    from cloverleaf.link.codec.single import codec as single_codec

    standard, message = WORKLOADS[name]
    sampler = Sampler(7, long_lists=name in ("bsmfull", "camlf"))
    made = single_codec(standard, message)
    return [made.encode(sampler.message(made.message)) for _ in range(count)]


def _contents(standard: str, message: str, parts: list[bytes]) -> list[bytes]:
    """The messages as the peers get them: without the frame whose open type they lie in."""
    from cloverleaf.link.codec.single import codec as single_codec
    from cloverleaf.link.codec.uper_encode import EncoderSource
    from cloverleaf.link.schemas.asn1_text import content_type

    single = single_codec(standard, message)
    inside = content_type(single.message)
    if inside is None:
        return parts
    write = EncoderSource().build(inside[1])
    return [write(single.branch(single.decode(part))) for part in parts]


def _asn1c(standard: str, message: str, parts: list[bytes]) -> tuple[float, float] | str:
    """Rates of the C code that asn1c generates from our schema, with gcc -O2."""
    if not shutil.which("asn1c") or not shutil.which("gcc"):
        return "not installed (Debian packages asn1c and gcc)"
    from cloverleaf.link.schemas.asn1_text import asn1_text, content_type
    from cloverleaf.link.schemas.catalog import message as find

    kind = find(standard, message)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        only = kind.select[:1] if kind.edition == "day1" else ()
        inside = content_type(kind)
        (folder / "m.asn1").write_text(asn1_text(kind, only=only))
        built = subprocess.run(
            ["asn1c", "-gen-PER", "-fcompound-names", "m.asn1"], cwd=folder, capture_output=True, text=True
        )
        if built.returncode:
            return "asn1c cannot compile this schema: " + (built.stderr.strip().splitlines() or ["?"])[-1][:60]
        for example in folder.glob("converter-sample.c"):
            example.unlink()
        (folder / "main.c").write_text(_C_MAIN.replace("TYPE", inside[0] if inside else kind.top))
        sources = [str(p.name) for p in folder.glob("*.c")]
        made = subprocess.run(
            ["gcc", "-O2", "-w", "-I.", "-o", "run", *sources], cwd=folder, capture_output=True, text=True
        )
        if made.returncode:
            return "gcc failed: " + made.stderr.strip()[:60]
        with open(folder / "data.bin", "wb") as out:
            for part in parts:
                out.write(len(part).to_bytes(2, "little") + part)
        ran = subprocess.run(["./run", "data.bin", str(REPEATS)], cwd=folder, capture_output=True, text=True)
        if ran.returncode:
            return "failed: " + ran.stderr.strip()[:60]
        decode, encode = ran.stdout.split()
        return float(decode), float(encode)


def _asn1tools(standard: str, message: str, parts: list[bytes]) -> tuple[float, float] | str:
    """Rates of asn1tools on the same schema."""
    if find_spec("asn1tools") is None:
        return "not installed"
    import asn1tools

    from cloverleaf.link.schemas.asn1_text import asn1_text, content_type
    from cloverleaf.link.schemas.catalog import message as find

    kind = find(standard, message)
    try:
        inside = content_type(kind)
        top = inside[0] if inside else kind.top
        peer = asn1tools.compile_string(asn1_text(kind), "uper")
        values = [peer.decode(top, p) for p in parts]
    except Exception as error:
        return f"cannot: {str(error)[:60]}"
    return (
        _rate(lambda: _each(partial(peer.decode, top), parts), len(parts)),
        _rate(lambda: _each(partial(peer.encode, top), values), len(parts)),
    )


def _pycrate(standard: str, message: str, parts: list[bytes]) -> tuple[float, float] | str:
    """Rates of pycrate on the same schema."""
    if find_spec("pycrate_asn1c") is None:
        return "not installed"
    import contextlib
    import io
    import warnings

    from cloverleaf.link.schemas.asn1_text import asn1_text, content_type
    from cloverleaf.link.schemas.catalog import message as find

    kind = find(standard, message)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            tempfile.TemporaryDirectory() as folder,
        ):
            warnings.simplefilter("ignore")
            from pycrate_asn1c.asnproc import compile_text
            from pycrate_asn1c.generator import PycrateGenerator

            compile_text(asn1_text(kind))
            PycrateGenerator(f"{folder}/cloverleaf_peer.py")
            space: dict[str, Any] = {}
            exec(Path(f"{folder}/cloverleaf_peer.py").read_text(), space)
            inside = content_type(kind)
            peer = getattr(space["Cloverleaf"], (inside[0] if inside else kind.top).replace("-", "_"))
            peer.from_uper(parts[0])
    except Exception as error:
        return f"cannot: {str(error)[:60]}"
    few = parts[:200]
    values = []
    for part in few:
        peer.from_uper(part)
        values.append(peer.get_val())

    def encode() -> None:
        for value in values:
            peer.set_val(value)
            peer.to_uper()

    return _rate(lambda: _each(peer.from_uper, few), len(few)), _rate(encode, len(few))


@app.command("codec-fuzz")
def codec_fuzz(
    count: Annotated[int, typer.Option(help="inputs for each decoder")] = 10_000_000,
    standard: Annotated[str, typer.Option(help="one standard, or all")] = "all",
    kind: Annotated[str, typer.Option("--type", help="one message, or all")] = "all",
    seed: Annotated[int, typer.Option()] = 1,
) -> None:
    """Random, truncated and bit-flipped inputs through every decoder: counts verdicts; anything else than a verdict is a bug.

    Two names of one message have one decoder, which runs once.
    """
    from cloverleaf.link.codec.fuzz import fuzz
    from cloverleaf.link.schemas.catalog import MESSAGES, message

    done: set[object] = set()
    for name in MESSAGES if standard == "all" else [standard]:
        for each in MESSAGES[name] if kind == "all" else [kind]:
            found = message(name, each)
            if found[2:] in done:
                continue
            done.add(found[2:])
            begin = time.process_time()
            accepted = fuzz(name, each, count, seed)
            used = time.process_time() - begin
            typer.echo(
                f"{name:13}{each:12}{count:12,} inputs {accepted:12,} accepted {used:8.1f} s {used / count * 1e6:6.1f} us each"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    app()
