"""Packs a driver in C as FMU with the C compiler of this machine: `python build.py careful3 OUT.fmu` (or careful_osmp)."""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
PLATFORMS = {"careful3": "x86_64-linux", "careful_osmp": "linux64"}  # as FMI 3 and FMI 2 name them


def build(name: str, out: Path) -> Path:
    """Compile `name`.c and zip it with its model description."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise SystemExit("no C compiler found")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / f"{name}.so"
        subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-Wall", "-o", library, HERE / f"{name}.c"], check=True)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(HERE / f"{name}.xml", "modelDescription.xml")
            archive.write(library, f"binaries/{PLATFORMS[name]}/{name}.so")
    return out


if __name__ == "__main__":
    print(build(sys.argv[1], Path(sys.argv[2])))
