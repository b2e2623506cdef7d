"""What becomes of each element and attribute of SUMO route files and configurations (the census table)."""

from __future__ import annotations

from cloverleaf.map.census import APPROXIMATED, IGNORED, SUPPORTED, UNSUPPORTED
from cloverleaf.map.io.sumo_notes import attributes, table, tags

_RIDERS = "vehicle trip flow"
_ALL = "vehicle trip flow person personFlow"

DEMAND_NOTES = table(
    tags(SUPPORTED, "routes additional add vType vTypeDistribution route routeDistribution vehicle trip flow stop"),
    tags(SUPPORTED, "person personFlow walk interval"),
    tags(IGNORED, "param", "free text"),
    tags(UNSUPPORTED, "ride personTrip", "people travel on foot only"),
    tags(UNSUPPORTED, "container containerFlow transport tranship", "containers"),
    tags(UNSUPPORTED, "carFollowing-Krauss carFollowing-IDM", "old form of vType"),
    attributes(
        "vType", SUPPORTED, "id vClass length width minGap accel decel emergencyDecel maxSpeed desiredMaxSpeed tau"
    ),
    attributes("vType", SUPPORTED, "sigma speedFactor speedDev carFollowModel probability lcCooperative lcAssertive"),
    attributes("vType", SUPPORTED, "lcStrategic lcSpeedGain lcKeepRight"),
    attributes("vType", APPROXIMATED, "emissionClass", "nearest of our emission classes"),
    attributes(
        "vType",
        APPROXIMATED,
        "apparentDecel laneChangeModel actionStepLength impatience startupDelay",
        "defaults are used",
    ),
    attributes("vType", APPROXIMATED, "latAlignment minGapLat maxSpeedLat", "sub-lane model"),
    attributes(
        "vType", IGNORED, "color guiShape imgFile osgFile height guiWidth personNumber personCapacity containerCapacity"
    ),
    attributes("vType", IGNORED, "boardingDuration loadingDuration mass carriageLength locomotiveLength carriageGap"),
    attributes("vType", IGNORED, "hasDriverState insertionChecks parkingBadges maxVehicleAccel"),
    attributes("vTypeDistribution", SUPPORTED, "id vTypes probabilities"),
    attributes("vTypeDistribution", UNSUPPORTED, "deterministic"),
    attributes("route", SUPPORTED, "id edges probability"),
    attributes("route", APPROXIMATED, "cycleTime repeat", "the route is driven once"),
    attributes("route", IGNORED, "color cost costs savings exitTimes type"),
    attributes("routeDistribution", SUPPORTED, "id routes probabilities"),
    attributes("routeDistribution", IGNORED, "last"),
    attributes(_RIDERS, SUPPORTED, "id type route departLane departPos departSpeed from to via"),
    attributes(_RIDERS, APPROXIMATED, "arrivalPos", "numbers exactly; random and center as the end of the edge"),
    attributes(
        _RIDERS,
        IGNORED,
        "line personNumber containerNumber arrivalLane arrivalSpeed reroute insertionChecks speedFactor",
    ),
    attributes(_RIDERS, APPROXIMATED, "departPosLat arrivalPosLat departEdge arrivalEdge", "defaults are used"),
    attributes(
        _RIDERS, UNSUPPORTED, "fromTaz toTaz fromJunction toJunction viaJunctions", "trips go from edge to edge"
    ),
    attributes("vehicle trip person", SUPPORTED, "depart"),
    attributes("flow personFlow", SUPPORTED, "begin end period vehsPerHour perHour personsPerHour number probability"),
    attributes("vehicle trip flow person personFlow", IGNORED, "color"),
    attributes("person personFlow", SUPPORTED, "id type departPos"),
    attributes("person personFlow", IGNORED, "modes speedFactor"),
    attributes("walk", SUPPORTED, "from to edges departPos arrivalPos busStop"),
    attributes("walk", APPROXIMATED, "speed duration route departPosLat", "people walk at their own speed"),
    attributes("interval", SUPPORTED, "begin end"),
    attributes(
        "stop",
        SUPPORTED,
        "busStop trainStop containerStop chargingStation parkingArea lane startPos endPos duration until",
    ),
    attributes("stop", SUPPORTED, "friendlyPos"),
    attributes("stop", SUPPORTED, "parking"),
    attributes("stop", IGNORED, "index actType tripId line arrival depart started ended"),
    attributes("stop", UNSUPPORTED, "triggered expected join split onDemand jump speed permitted", "waits for others"),
)

CONFIG_OPTIONS = table(
    tags(SUPPORTED, "net-file route-files additional-files begin end step-length"),
    tags(IGNORED, "seed", "seeds come from the study"),
    tags(
        IGNORED,
        "input time processing output report gui_only random_number routing traci_server topology_output",
        "section",
    ),
    tags(
        IGNORED,
        "verbose print-options no-step-log no-warnings log error-log message-log duration-log.statistics xml-validation "
        "gui-settings-file start delay quit-on-end summary-output tripinfo-output statistic-output fcd-output emission-output "
        "queue-output vehroute-output netstate-dump full-output save-configuration precision human-readable-time no-duration-log "
        "tripinfo-output.write-unfinished device.emissions.probability duration-log.disable xml-validation.net "
        "xml-validation.routes no-internal-links.warn route-steps random threads remote-port num-clients output-prefix",
        "output and display",
    ),
    tags(APPROXIMATED, "time-to-teleport time-to-teleport.highways max-depart-delay", "nobody teleports or gives up"),
    tags(APPROXIMATED, "default.action-step-length lanechange.duration default.speeddev", "our own models"),
    tags(APPROXIMATED, "collision.action collision.check-junctions collision.mingap-factor", "collisions are counted"),
    tags(IGNORED, "ignore-route-errors", "a broken route is an error"),
    tags(IGNORED, "pedestrian.model processing-threads routing-algorithm", "our own"),
    tags(UNSUPPORTED, "lateral-resolution", "sub-lane model"),
    tags(UNSUPPORTED, "scale", "multiplies the demand"),
    tags(UNSUPPORTED, "mesosim", "mesoscopic model"),
    tags(UNSUPPORTED, "lefthand", "left-hand traffic"),
    tags(UNSUPPORTED, "load-state", "saved states"),
    tags(UNSUPPORTED, "step-method.ballistic", "another integration"),
    tags(UNSUPPORTED, "no-internal-links", "junctions without length"),
    tags(UNSUPPORTED, "device.rerouting.probability device.rerouting.period", "rerouting while under way"),
    tags(UNSUPPORTED, "tls.all-off tls.actuated.jam-threshold tls.delay_based.detector-range", "signals"),
)
