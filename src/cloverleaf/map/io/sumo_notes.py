"""What becomes of each element and attribute of SUMO nets and additional files (the census table)."""

from __future__ import annotations

from cloverleaf.map.census import APPROXIMATED, IGNORED, SUPPORTED, UNSUPPORTED


def tags(status: str, names: str, note: str = "") -> dict[str, tuple[str, str]]:
    """One row per element named in `names`."""
    return {name: (status, note) for name in names.split()}


def attributes(tag_names: str, status: str, names: str, note: str = "") -> dict[str, tuple[str, str]]:
    """One row per attribute in `names` of each element in `tag_names`."""
    return {f"{tag}@{name}": (status, note) for tag in tag_names.split() for name in names.split()}


def table(*parts: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """The parts as one table; later rows win."""
    return {key: value for part in parts for key, value in part.items()}


NET_NOTES = table(
    tags(SUPPORTED, "net location edge lane junction request connection tlLogic phase roundabout"),
    tags(IGNORED, "type", "lanes carry their own values"),
    tags(IGNORED, "param", "free text"),
    tags(UNSUPPORTED, "neigh", "overtaking on the lane of oncoming traffic"),
    tags(APPROXIMATED, "stopOffset", "vehicles stop at the end of the lane"),
    tags(IGNORED, "prohibition", "already in the requests"),
    attributes(
        "net", IGNORED, "version junctionCornerDetail junctionLinkDetail limitTurnSpeed walkingareas avoidOverlap"
    ),
    attributes(
        "net", IGNORED, "checkLaneFoesAll checkLaneFoesRoundabout tlsIgnoreInternalJunctionJam", "requests say it"
    ),
    attributes("net", IGNORED, "rectangularLaneCut higherSpeed spreadType levelsOfDetail"),
    attributes("net", UNSUPPORTED, "lefthand", "left-hand traffic"),
    attributes("location", SUPPORTED, "netOffset projParameter origBoundary"),
    attributes("location", IGNORED, "convBoundary"),
    attributes("edge", SUPPORTED, "id from to function priority"),
    attributes("edge", IGNORED, "type name shape spreadType length crossingEdges distance bidi"),
    attributes("lane", SUPPORTED, "id index speed length width shape allow disallow"),
    attributes("lane", IGNORED, "outlineShape customShape acceleration type endOffset"),
    attributes("lane", APPROXIMATED, "changeLeft changeRight", "lane changes are open to all classes"),
    attributes("junction", SUPPORTED, "id type x y incLanes intLanes"),
    attributes("junction", IGNORED, "shape customShape z radius name fringe"),
    attributes("junction", APPROXIMATED, "rightOfWay roundabout", "as the requests say"),
    attributes("request", SUPPORTED, "index response foes cont"),
    attributes("connection", SUPPORTED, "from to fromLane toLane via tl linkIndex dir state keepClear"),
    attributes("connection", IGNORED, "uncontrolled shape allow disallow speed length pass", "lanes and states say it"),
    attributes("connection", APPROXIMATED, "contPos visibility changeLeft changeRight linkIndex2", "defaults are used"),
    attributes("connection", APPROXIMATED, "indirect", "taken as a direct turn"),
    attributes("tlLogic", SUPPORTED, "id type programID offset"),
    attributes("phase", SUPPORTED, "duration state minDur maxDur next"),
    attributes("phase", IGNORED, "name"),
    attributes("phase", APPROXIMATED, "earliestEnd latestEnd earlyTarget finalTarget vehext yellow red", "not used"),
    attributes("roundabout", SUPPORTED, "nodes edges"),
)

PLACES = "busStop trainStop containerStop chargingStation parkingArea"

ADDITIONAL_NOTES = table(
    NET_NOTES,
    tags(SUPPORTED, "additional add routes busStop chargingStation parkingArea param"),
    tags(
        IGNORED,
        "e1Detector inductionLoop e2Detector laneAreaDetector e3Detector entryExitDetector detEntry detExit "
        "instantInductionLoop edgeData laneData timedEvent vTypeProbe routeProbe poly poi",
        "detectors and outputs measure, they do not act",
    ),
    tags(APPROXIMATED, "trainStop containerStop", "as a bus stop"),
    tags(IGNORED, "access", "nobody transfers"),
    tags(IGNORED, "parkingSpace", "vehicles stand beside the lane"),
    tags(UNSUPPORTED, "rerouter", "changes routes"),
    tags(UNSUPPORTED, "variableSpeedSign", "changes speed limits"),
    tags(UNSUPPORTED, "WAUT wautJunction", "switches signal programs"),
    tags(UNSUPPORTED, "calibrator", "inserts and removes vehicles"),
    tags(UNSUPPORTED, "taz", "districts"),
    attributes(PLACES, SUPPORTED, "id lane startPos endPos friendlyPos"),
    attributes(
        PLACES, IGNORED, "name lines color personCapacity parkingLength angle width length onRoad roadsideCapacity"
    ),
    attributes(
        "chargingStation", IGNORED, "power efficiency chargeDelay chargeInTransit totalPower", "nothing is charged"
    ),
)

DEMAND_TAGS = frozenset(
    [
        "vType",
        "vTypeDistribution",
        "route",
        "routeDistribution",
        "vehicle",
        "trip",
        "flow",
        "person",
        "personFlow",
        "container",
        "containerFlow",
        "interval",
    ]
)
"""Elements of additional files that the demand reader reads and lists."""

CHECKED_VALUES = {
    ("tlLogic", "type"): {
        "actuated": (SUPPORTED, "with SUMO's default detectors"),
        "delay_based": (APPROXIMATED, "as actuated"),
        "NEMA": (UNSUPPORTED, "dual-ring controller"),
        "rail_signal": (UNSUPPORTED, "rail"),
        "rail_crossing": (UNSUPPORTED, "rail"),
        "off": (APPROXIMATED, "as static"),
    },
    ("junction", "type"): {
        "left_before_right": (APPROXIMATED, "as the requests say"),
        "traffic_light_right_on_red": (APPROXIMATED, "stop and go on red as its letters say"),
        "rail_crossing": (UNSUPPORTED, "rail"),
        "rail_signal": (UNSUPPORTED, "rail"),
    },
}
"""Attribute values that get a census row of their own."""
