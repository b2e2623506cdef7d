"""JSON schemas of the topics in `log.mcap`: Foxglove's well-known ones by name and shape, and two of our own."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def _object(title: str = "", **properties: Schema) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    return {"title": title, **schema} if title else schema


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


NUMBER: Schema = {"type": "number"}
INTEGER: Schema = {"type": "integer"}
TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
TIME = _object(sec={"type": "integer", "minimum": 0}, nsec={"type": "integer", "minimum": 0, "maximum": 999999999})
DURATION = _object(sec=INTEGER, nsec={"type": "integer", "minimum": 0, "maximum": 999999999})
VECTOR = _object(x=NUMBER, y=NUMBER, z=NUMBER)
QUATERNION = _object(x=NUMBER, y=NUMBER, z=NUMBER, w=NUMBER)
POSE = _object(position=VECTOR, orientation=QUATERNION)
COLOR = _object(r=NUMBER, g=NUMBER, b=NUMBER, a=NUMBER)

_LINE = _object(
    type=INTEGER,
    pose=POSE,
    thickness=NUMBER,
    scale_invariant=FLAG,
    points=_array(VECTOR),
    color=COLOR,
    colors=_array(COLOR),
    indices=_array(INTEGER),
)
_ENTITY = _object(
    timestamp=TIME,
    frame_id=TEXT,
    id=TEXT,
    lifetime=DURATION,
    frame_locked=FLAG,
    metadata=_array(_object(key=TEXT, value=TEXT)),
    arrows=_array(_object(pose=POSE, color=COLOR)),
    cubes=_array(_object(pose=POSE, size=VECTOR, color=COLOR)),
    spheres=_array(_object(pose=POSE, size=VECTOR, color=COLOR)),
    cylinders=_array(_object(pose=POSE, size=VECTOR, color=COLOR)),
    lines=_array(_LINE),
    triangles=_array(_object(pose=POSE, points=_array(VECTOR), color=COLOR)),
    texts=_array(_object(pose=POSE, text=TEXT, color=COLOR)),
    models=_array(_object(pose=POSE, url=TEXT)),
)
SCENE_UPDATE = _object(
    "foxglove.SceneUpdate",
    deletions=_array(_object(timestamp=TIME, type=INTEGER, id=TEXT)),
    entities=_array(_ENTITY),
)
FRAME_TRANSFORM = _object(
    "foxglove.FrameTransform",
    timestamp=TIME,
    parent_frame_id=TEXT,
    child_frame_id=TEXT,
    translation=VECTOR,
    rotation=QUATERNION,
)
LOG = _object("foxglove.Log", timestamp=TIME, level=INTEGER, message=TEXT, name=TEXT, file=TEXT, line=INTEGER)
SIGNALS = {
    **_object("cloverleaf.Signals", time=NUMBER, groups={"type": "object", "additionalProperties": TEXT}),
    "description": "signal letters (r y g G u s o O) of each group, one per head",
}
COUNTERS = {**_object("cloverleaf.Counters", time=NUMBER, road_users=INTEGER), "additionalProperties": NUMBER}
