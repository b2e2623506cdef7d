"""The emission coefficients, fitted again to what SUMO emits, wherever SUMO's tools are installed."""

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from cloverleaf.measure import energy
from cloverleaf.types.demand import EmissionClass

CLASSES = {
    EmissionClass.PETROL_CAR: "PC_petrol_Euro-4",
    EmissionClass.DIESEL_VAN: "LCV_diesel_N1-III_Euro-6ab",
    EmissionClass.TRUCK: "RT_le7.5t_Euro-VI_A-C",
    EmissionClass.BUS: "UBus_Std_gt15-18t_Euro-VI_A-C",
    EmissionClass.MOTORCYCLE: "MC_4S_gt250cc_preEuro",
    EmissionClass.COACH: "Coach_3-Axes_gt18t_Euro-VI_A-C",
    EmissionClass.ARTICULATED_TRUCK: "TT_AT_gt34-40t_Euro-VI_A-C",
    EmissionClass.MOPED: "Moped_le50cc_Euro-2",
}


def emissions_map() -> str | None:
    """The tool, from PATH, SUMO_HOME or the installed wheel."""
    places = [os.environ.get("PATH", "")]
    if home := os.environ.get("SUMO_HOME"):
        places.append(str(Path(home) / "bin"))
    if spec := find_spec("sumo"):
        places += [str(Path(p) / "bin") for p in spec.submodule_search_locations or ()]
    return shutil.which("emissionsMap", path=os.pathsep.join(places))


TOOL = emissions_map()
pytestmark = pytest.mark.skipif(TOOL is None, reason="SUMO's emissionsMap is not installed (extra: sumo)")


def measured(name, folder, low, high):
    """Rows (v, a, slope in degrees, CO2 mg/s) of one class."""
    out = folder / "map.csv"
    grid = [
        "--v-min",
        "0",
        "--v-max",
        "36",
        "--v-step",
        "1.5",
        "--a-min",
        str(low),
        "--a-max",
        str(high),
        "--a-step",
        "0.25",
    ]
    slopes = ["--s-min", "-2", "--s-max", "2", "--s-step", "2"]
    command = [str(TOOL), "-e", f"HBEFA4/{name}", *grid, *slopes, "-o", str(out), "--precision", "9"]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    rows = (line.strip().split(";") for line in out.read_text().splitlines())
    return np.array([[float(r[i]) for i in (0, 1, 2, 4)] for r in rows if r[3] == "CO2"])


@pytest.mark.parametrize("emission", CLASSES, ids=lambda e: e.name)
def test_fit_is_reproduced(emission, tmp_path):
    rows = measured(CLASSES[emission], tmp_path, 0, 3)
    v, a, _, rate = rows[rows[:, 2] == 0].T
    basis = np.stack([v**0, v, v**2, v**3, a, a * v, a * v**2], axis=1)
    fitted = np.linalg.lstsq(basis, rate, rcond=None)[0]
    shipped = energy.COMBUSTION[emission]
    assert np.abs(basis @ (fitted - shipped)).max() < 2.0, (fitted, shipped)
    assert np.abs(basis @ shipped - rate).max() < 2.0  # mg/s


@pytest.mark.parametrize("emission", CLASSES, ids=lambda e: e.name)
def test_whole_map_with_braking_and_slopes(emission, tmp_path):
    rows = measured(CLASSES[emission], tmp_path, -3, 3)
    ours = np.array([energy.co2_g(np.int32(emission), v, a, np.radians(s), 1.0) * 1e3 for v, a, s, _ in rows])
    assert np.abs(ours - rows[:, 3]).max() <= 3.0  # mg/s, of rates up to 400,000
