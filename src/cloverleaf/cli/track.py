"""`cloverleaf track`: the multi-object tracker on recorded detections."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def track() -> None:
    """Track recorded detections."""


@app.command()
def kitti(
    folder: Annotated[Path, typer.Argument(help="detections in KITTI's camera frame: <class>/<seq>.txt or .txt.gz, at any depth; a "
                                                "seqmap.txt says how many frames a sequence has", metavar="DIR")],
    out: Annotated[Path, typer.Option(help="folder for <seq>.txt, KITTI tracking result files")],
    min_score: Annotated[float | None, typer.Option(help="leave out tracks whose mean score over the whole recording is lower "
                                                         "(needs the end of the recording, so it is not causal)")] = None,
) -> None:  # fmt: skip
    """Run the tracker over every sequence of DIR and write what it tells in each frame (causal, no ego poses)."""
    import time

    from cloverleaf.car.perceive.kitti import find_recordings, frames_of, read_detections, read_seqmap, write_results
    from cloverleaf.types.errors import StudyError

    if not folder.is_dir():
        raise StudyError("no such folder", file=folder, element="DIR")
    found = find_recordings(folder)
    seqmap = next(iter(sorted(folder.rglob("seqmap.txt"))), None)
    known = read_seqmap(seqmap) if seqmap else {}
    sequences = sorted({name for files in found.values() for name in files})
    out.mkdir(parents=True, exist_ok=True)
    frames = objects = dropped = 0
    spent = 0.0
    for name in sequences:
        recordings = {kind: read_detections(files[name], kind) for kind, files in found.items() if name in files}
        count = frames_of(recordings.values(), known.get(name, 0))
        began = time.process_time()
        lines = write_results(out / f"{name}.txt", recordings, count, min_score)
        spent += time.process_time() - began
        frames, objects = frames + count, objects + lines
        bad = sum(r.dropped for r in recordings.values())
        dropped += bad
        note = f", {bad} detections dropped (not finite)" if bad else ""
        typer.echo(f"{name}: {count} frames, {', '.join(recordings)}: {lines} objects told{note}", err=True)
    typer.echo(
        f"{len(sequences)} sequences, {frames} frames, {objects} objects in {out} "
        f"({frames / max(spent, 1e-9):,.0f} frames per CPU second, all classes and writing included)"
    )
