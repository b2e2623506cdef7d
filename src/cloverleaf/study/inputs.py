"""From the files a study names to a base map and a demand: read once per process, drawn anew for every seed."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from cloverleaf.algo import rng
from cloverleaf.algo.jit import kernel
from cloverleaf.map.census import require_supported
from cloverleaf.map.graph import BaseMap
from cloverleaf.map.io.opendrive import read_opendrive_map
from cloverleaf.map.io.sumo_net import read_sumo_net
from cloverleaf.scenario.demand.flow_table import read_flow_table
from cloverleaf.scenario.demand.plan import DemandPlan
from cloverleaf.scenario.demand.sample import sample_demand
from cloverleaf.scenario.demand.sumo_config import SumoConfig, read_sumocfg
from cloverleaf.scenario.demand.sumo_routes import read_sumo_routes
from cloverleaf.study.config import Arm, Study
from cloverleaf.types.demand import Demand
from cloverleaf.types.errors import DemandError, MapError, StudyError
from cloverleaf.types.state import Kind

DISTRICT = "builtin:district"
_CAR = int(Kind.CAR)


class Inputs(NamedTuple):
    """What a study reads: the map, and the demand before its random part."""

    base_map: BaseMap
    plan: DemandPlan


def _net(path: Path, additional: tuple[Path, ...]) -> BaseMap:
    name = path.name.lower()
    if name.endswith((".net.xml", ".net.xml.gz")):
        return read_sumo_net(path, additional)
    if name.endswith(".xodr"):
        return read_opendrive_map(path)
    raise MapError("not a map that can be read", file=path, hint="builtin:district, .net.xml, .net.xml.gz or .xodr")


def _demand(base_map: BaseMap, files: tuple[Path, ...], additional: tuple[Path, ...]) -> DemandPlan:
    tables = [f for f in files if f.suffix.lower() in (".csv", ".yaml", ".yml")]
    if tables and len(files) > 1:
        raise DemandError("a flow table stands alone", file=tables[0], hint="give one flow table, or SUMO route files")
    return read_flow_table(base_map, tables[0]) if tables else read_sumo_routes(base_map, files, additional)


@lru_cache(maxsize=2)
def _read(study: Study) -> Inputs:
    additional: tuple[Path, ...] = ()
    files: tuple[Path, ...] = ()
    config: SumoConfig | None = read_sumocfg(study.sumo) if study.sumo else None
    if config is not None:
        additional = config.additional
    if study.map == DISTRICT:
        from cloverleaf.map.district import load_district

        base_map, table = load_district()
        files = (table,)
    elif study.map:
        base_map = _net(Path(study.map), additional)
    else:
        assert config is not None  # a study names one of the two
        base_map, files = _net(config.net, additional), config.routes
    if study.demand == "builtin" and not files:
        raise StudyError(
            "only the built-in district has a built-in demand",
            element="demand",
            hint="name route files or a flow table",
        )
    if study.demand and study.demand != "builtin":
        files = tuple(Path(f) for f in ((study.demand,) if isinstance(study.demand, str) else study.demand))
    plan = _demand(base_map, files, additional)
    census = (*base_map.census, *plan.census, *(config.census if config else ()))
    require_supported(census, study.allow)
    return Inputs(base_map._replace(census=census), plan)


def read_inputs(study: Study) -> Inputs:
    """Map and demand plan of a study; cached, so that arms and seeds of one process share them.

    Raises MapError, DemandError or StudyError naming file, line and element.
    """
    return _read(study)


@kernel
def draw_smart(seed, kind, share, smart):
    """Mark each car smart with probability `share`: kind (trips,) state.Kind, smart (trips,) uint8 written."""
    for trip in range(kind.shape[0]):
        if kind[trip] == _CAR and rng.uniform(rng.stream(seed, 0, trip, rng.SMART_SHARE), 0) < share:
            smart[trip] = 1


def draw_demand(study: Study, arm: Arm, seed: int) -> Demand:
    """The demand of one seed. Cars are smart by a draw per trip, the same in every arm that has smart cars."""
    inputs = read_inputs(study)
    demand = sample_demand(
        inputs.base_map, inputs.plan, seed=seed, begin=study.begin_s, end=study.end_s, step=study.step_s
    )  # fmt: skip
    smart = demand.trips.smart
    smart[:] = 0
    if "car" in arm.leaves:
        draw_smart(seed, demand.types.kind[demand.trips.vtype], float(study.fleet.penetration), smart)
    return demand
