"""The whole contract between Blender and the engine: messages, job folders, limits, version. Standard library only.

This is where both halves meet; `build.py sync` copies it byte for byte into the add-on, with settings.py (what a job can be
asked for) and job_folder.py, which reads and writes the files. It knows neither bpy nor torch nor numpy.

A job folder is complete: it can be run by hand (`python -m engine run JOB_FOLDER`), sent elsewhere, or attached to a
report.

    shot job (kinds train_style, stylise)          motion job (kinds inbetween, extrapolate)
      job.json                     Job               job.json          Job
      shot.json                    Shot              clip.json         Clip
      frames/0001.png              sRGB, 8 bit       clip.npz          CLIP_ARRAYS
      guides/0001.geometry.exr     GEOMETRY_PASSES   result/clip.npz   RESULT_ARRAYS
      guides/0001.albedo.exr       ALBEDO_PASSES
      guides/0001.edges.png        EDGES
      keys/0001.png                painted frames
      style/                       trained weights
      result/0001.png              finished frames

A message is framed as  magic (4) | header bytes (u32) | payload bytes (u32) | crc32 of both (u32) | header | payload,
numbers little-endian, the header a JSON object {"type": message name, field: value, …} in UTF-8.
"""

from __future__ import annotations

import dataclasses
import json
import math
import struct
import types
import typing
import zlib
from dataclasses import dataclass, field
from typing import Any

from .settings import SETTINGS as SETTINGS
from .settings import SHOT_KINDS as SHOT_KINDS
from .settings import Clean as Clean
from .settings import Combine as Combine
from .settings import Extrapolate as Extrapolate
from .settings import Generate as Generate
from .settings import Inbetween as Inbetween
from .settings import LearnMotion as LearnMotion
from .settings import LearnSequence as LearnSequence
from .settings import Loop as Loop
from .settings import Settings as Settings
from .settings import Stylise as Stylise
from .settings import SuggestKey as SuggestKey
from .settings import TrackFootage as TrackFootage
from .settings import TrainStyle as TrainStyle

PROTOCOL_VERSION = 2
MAGIC = b"UNDY"
MAX_HEADER = 1 << 20
MAX_PAYLOAD = 64 << 20
MAX_JSON_FILE = 16 << 20
MAX_FRAMES = 100_000
MAX_SIDE = 16_384
MAX_JOINTS = 4_096

_PREFIX = struct.Struct("<4sIII")


class ProtocolError(ValueError):
    """Bytes that are no message of this protocol; str() is one sentence."""


class JobError(ValueError):
    """A job folder that cannot be run; str() is one sentence that says what to do."""


# --- messages: Blender to engine -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Submit:
    """Run the job in `folder` (absolute path); `job` is the sender's name for it. Jobs run one after another."""

    job: str
    folder: str


@dataclass(frozen=True)
class Cancel:
    """Give the job up: answered by Cancelled within a second, finished frames stay."""

    job: str


@dataclass(frozen=True)
class Enough:
    """What is done of the job is good enough: it ends now, as one that is finished. A job that has nothing yet goes on
    until it has."""

    job: str


# --- messages: engine to Blender -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ready:
    """First message of an engine: what it is and can do. `models` maps a job kind to the models it offers."""

    protocol: int
    engine_version: str
    device: str
    pid: int
    models: dict[str, list[str]]


@dataclass(frozen=True)
class Progress:
    """At least once a second while a job runs: part done (0 to 1), what is being done, seconds left (None: unknown)."""

    job: str
    done: float
    text: str
    seconds_left: float | None


@dataclass(frozen=True)
class Preview:
    """A picture to look at while the job runs; the payload is (height, width, channels) uint8 sRGB, top row first."""

    job: str
    frame: int
    width: int
    height: int
    channels: int


@dataclass(frozen=True)
class Finished:
    """The job is done: result paths relative to the job folder, sentences for the artist, figures by name."""

    job: str
    results: list[str]
    notes: list[str]
    figures: dict[str, float]


@dataclass(frozen=True)
class Failed:
    """The job cannot be done: one sentence for the artist. The traceback is in the engine's log."""

    job: str
    sentence: str


@dataclass(frozen=True)
class Cancelled:
    """The job was given up on request."""

    job: str


@dataclass(frozen=True)
class Refused:
    """The answer to bytes or messages that make no sense; nothing else happens."""

    sentence: str


Message = Submit | Cancel | Enough | Ready | Progress | Preview | Finished | Failed | Cancelled | Refused
MESSAGES: dict[str, type] = {
    cls.__name__: cls
    for cls in (Submit, Cancel, Enough, Ready, Progress, Preview, Finished, Failed, Cancelled, Refused)
}

# --- job.json: settings.py -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Job:
    """job.json: the kind and its settings; `settings` is the dataclass SETTINGS[kind]."""

    kind: str
    settings: Any
    protocol: int = PROTOCOL_VERSION


# --- shot.json -------------------------------------------------------------------------------------------------------

GUIDES = ("depth", "normal", "albedo", "id", "position", "vector", "anchor", "edges")
# Guide name → (pass in 4.x files, pass in 5.x files, channels). Anchor: the render of the Generated coordinates.
GEOMETRY_PASSES = {
    "depth": ("Depth", "Depth", "Z"),
    "normal": ("Normal", "Normal", "XYZ"),
    "position": ("Position", "Position", "XYZ"),
    "vector": ("Vector", "Vector", "XYZW"),
    "id": ("IndexOB", "Object Index", "X"),
    "anchor": ("Combined", "Combined", "RGBA"),
}
ALBEDO_PASSES = {"albedo": ("DiffCol", "Diffuse Color", "RGB")}
# The guide "edges", 8 bit: how much of a pixel borders on another object (red), on a leap in depth of the same one (green),
# on a fold (blue), told from EDGE_SCALE times as many pixels a side, so that a line has its place within a pixel.
EDGE_SCALE = 2
EDGE_PASSES = {name: GEOMETRY_PASSES[name] for name in ("id", "depth", "normal")}


@dataclass(frozen=True)
class ShotObject:
    """One object that the shot may show. id: its value in the id guide (1 and up, 0 is background). The anchor guide runs
    from 0 to 1 over the object's rest-pose bounding box, whose edges are `size` long (object's own units times its scale when
    captured), and beyond where modifiers such as Mirror and Array put surface outside it."""

    id: int
    name: str
    size: list[float]


@dataclass(frozen=True)
class Shot:
    """What a capture holds. Frames are inclusive; frames and guides have the same width and height, square pixels."""

    frame_start: int
    frame_end: int
    width: int
    height: int
    fps: float
    guides: list[str]
    objects: list[ShotObject]
    source: str = "render"
    view_transform: str = ""
    blender: str = ""

    @property
    def frames(self) -> range:
        """The frame numbers, first to last."""
        return range(self.frame_start, self.frame_end + 1)


# --- clip.json and clip.npz ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Clip:
    """What clip.npz holds. Frames are inclusive: T = frame_end - frame_start + 1.

    joints: names, parents before children. parents: index, -1 for a root. channels: names of the scalar channels.
    up: the rig's up axis, "Y" or "Z".
    """

    frame_start: int
    frame_end: int
    fps: float
    joints: list[str]
    parents: list[int]
    channels: list[str] = field(default_factory=list)
    up: str = "Z"


# Letters: T frames, J joints, C channels. Rotations are quaternions, w first, of unit length, in the convention of BVH
# files: at rest every rotation is the identity and every axis is the armature's, so that
#   D[j] = D[parent] * rotation[j]        position[j] = position[parent] + D[parent] (offset[j] + location[j]).
# *_keys marks what is given (keyed by the artist, or not to be filled); between, the values are what the scene shows.
# *_wanted marks what the job may fill in; the rest is context.
CLIP_ARRAYS = {
    "offsets": ("float32", "J3"),
    "rotations": ("float32", "TJ4"),
    "locations": ("float32", "TJ3"),
    "values": ("float32", "TC"),
    "rotation_keys": ("bool", "TJ"),
    "location_keys": ("bool", "TJ"),
    "value_keys": ("bool", "TC"),
    "rotation_wanted": ("bool", "J"),
    "location_wanted": ("bool", "J"),
    "value_wanted": ("bool", "C"),
}
# result/clip.npz: `frame_start` is the frame number of the first row; *_filled marks what the engine made. plain_* is what
# one would have without it, to go from there (0) to what was made (1) and beyond: the curves through the keys, the motion
# coasting to rest, the cycle repeated as it is, the clip before it was cleaned.
RESULT_ARRAYS = {
    "frame_start": ("int64", ""),
    "rotations": ("float32", "TJ4"),
    "locations": ("float32", "TJ3"),
    "values": ("float32", "TC"),
    "rotation_filled": ("bool", "TJ"),
    "location_filled": ("bool", "TJ"),
    "value_filled": ("bool", "TC"),
    "plain_rotations": ("float32", "TJ4"),
    "plain_locations": ("float32", "TJ3"),
    "plain_values": ("float32", "TC"),
}


# --- dataclass ↔ JSON ------------------------------------------------------------------------------------------------


def _convert(value: Any, hint: Any, where: str) -> Any:
    """`value` from JSON as `hint`; ProtocolError names the field that does not fit."""
    origin = typing.get_origin(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        return _convert(value, next(a for a in typing.get_args(hint) if a is not type(None)), where)
    if dataclasses.is_dataclass(hint):
        return from_dict(typing.cast(type, hint), value, where)
    if origin is list and isinstance(value, list):
        return [_convert(v, typing.get_args(hint)[0], f"{where}[{i}]") for i, v in enumerate(value)]
    if origin is dict and isinstance(value, dict):
        return {str(k): _convert(v, typing.get_args(hint)[1], f"{where}.{k}") for k, v in value.items()}
    if hint is float and isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    if hint in (int, str, bool) and type(value) is hint:
        return value
    raise ProtocolError(f"'{where}' should be {_name(hint)}, not {str(value)[:40]!r}.")


def _name(hint: Any) -> str:
    words = {int: "a whole number", float: "a finite number", str: "text", bool: "true or false"}
    return words.get(hint, "a list" if typing.get_origin(hint) is list else "an object")


def from_dict(cls: type, data: Any, where: str = "") -> Any:
    """A `cls` dataclass from decoded JSON, strictly: every field known, present (or defaulted) and of its type."""
    if not isinstance(data, dict):
        raise ProtocolError(f"'{where or cls.__name__}' should be an object.")
    hints = typing.get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls)}
    if unknown := sorted(set(data) - set(fields)):
        raise ProtocolError(f"{cls.__name__} has no field '{str(unknown[0])[:40]}'.")
    for name, f in fields.items():
        if name not in data and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise ProtocolError(f"{cls.__name__} lacks the field '{name}'.")
    prefix = f"{where}." if where else ""
    return cls(**{name: _convert(value, hints[name], prefix + name) for name, value in data.items()})


# --- messages ↔ bytes ------------------------------------------------------------------------------------------------


def encode(message: Message, payload: bytes = b"") -> bytes:
    """The bytes of a message. Raises ProtocolError where a limit is passed."""
    header = json.dumps({"type": type(message).__name__} | dataclasses.asdict(message)).encode()
    if len(header) > MAX_HEADER or len(payload) > MAX_PAYLOAD:
        raise ProtocolError("The message is larger than the protocol allows.")
    return _PREFIX.pack(MAGIC, len(header), len(payload), zlib.crc32(payload, zlib.crc32(header))) + header + payload


def _decode_header(header: bytes, payload_size: int) -> Message:
    try:
        data = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("A message's header is no JSON.") from error
    cls = MESSAGES.get(str(data.pop("type", None))) if isinstance(data, dict) else None
    if cls is None:
        raise ProtocolError("A message of unknown type was received.")
    message: Message = from_dict(cls, data)
    expected = message.width * message.height * message.channels if isinstance(message, Preview) else 0
    if payload_size != expected:
        raise ProtocolError(f"A {cls.__name__} message came with {payload_size} payload bytes instead of {expected}.")
    return message


class Decoder:
    """Bytes in, messages out. What does not decode comes out as a ProtocolError (returned, not raised), and reading
    goes on at the next magic, so that one bad message never costs the stream."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._lost = False

    def feed(self, data: bytes) -> list[tuple[Message, bytes] | ProtocolError]:
        """Everything that `data` completes, in order."""
        self._buffer += data
        out: list[tuple[Message, bytes] | ProtocolError] = []
        while (item := self._next()) is not None:
            # One run of garbage is one error, however many false starts it holds.
            if not (isinstance(item, ProtocolError) and self._lost):
                out.append(item)
            self._lost = isinstance(item, ProtocolError)
        return out

    def close(self) -> list[ProtocolError]:
        """The stream has ended: an error if it ended inside a message."""
        left, self._buffer = bool(self._buffer) and not self._lost, bytearray()
        return [ProtocolError("The stream ended in the middle of a message.")] if left else []

    def _next(self) -> tuple[Message, bytes] | ProtocolError | None:
        start = self._buffer.find(MAGIC)
        if start:  # garbage before the magic, or no magic at all: keep a tail that may be the magic's beginning
            keep = len(self._buffer) - _overlap(self._buffer) if start < 0 else start
            garbage = keep > 0
            del self._buffer[:keep]
            return ProtocolError("Bytes that are no message were received.") if garbage else None
        if len(self._buffer) < _PREFIX.size:
            return None
        _, header_size, payload_size, crc = _PREFIX.unpack_from(self._buffer)
        if header_size > MAX_HEADER or payload_size > MAX_PAYLOAD:
            return self._skip(ProtocolError("A message larger than the protocol allows was refused."))
        end = _PREFIX.size + header_size + payload_size
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[_PREFIX.size : end])
        if zlib.crc32(body) != crc:
            return self._skip(ProtocolError("A damaged message was refused."))
        try:
            message = _decode_header(body[:header_size], payload_size)
        except ProtocolError as error:
            del self._buffer[:end]
            return error
        del self._buffer[:end]
        return message, body[header_size:]

    def _skip(self, error: ProtocolError) -> ProtocolError:
        del self._buffer[: len(MAGIC)]
        return error


def _overlap(buffer: bytearray) -> int:
    """How many of the last bytes may be the beginning of MAGIC."""
    return next((n for n in range(len(MAGIC) - 1, 0, -1) if buffer.endswith(MAGIC[:n])), 0)
