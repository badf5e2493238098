"""The contract: every message survives the way, nothing that comes breaks the decoder, and each thing that can be wrong
with a job folder is one sentence."""

from __future__ import annotations

import dataclasses
import json
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import job_folder, protocol
from engine.protocol import (
    Cancel,
    Cancelled,
    Decoder,
    Enough,
    Extrapolate,
    Failed,
    Finished,
    Inbetween,
    JobError,
    Preview,
    Progress,
    ProtocolError,
    Ready,
    Refused,
    Stylise,
    Submit,
    TrainStyle,
)

MESSAGES = [
    (Submit("a", "/tmp/Häuser und Ölfarben/é"), b""),
    (Submit("a", "/tmp/no-utf-8-\udcff"), b""),
    (Cancel("a"), b""),
    (Enough("a"), b""),
    (Ready(1, "0.1.0", "cuda (NVIDIA)", 42, {"stylise": ["anchor_gan"]}), b""),
    (Progress("a", 0.25, "Painting", None), b""),
    (Progress("a", 1.0, "Painting", 3.5), b""),
    (Preview("a", 12, 2, 3, 4), bytes(range(24))),
    (Finished("a", ["result/0001.png"], ["A note."], {"psnr": 30.5}), b""),
    (Failed("a", "Paint a frame first."), b""),
    (Cancelled("a"), b""),
    (Refused("No."), b""),
]
STREAM = b"".join(protocol.encode(*pair) for pair in MESSAGES)


def frame(header: bytes, payload: bytes = b"") -> bytes:
    """Any bytes as header, framed correctly."""
    crc = zlib.crc32(payload, zlib.crc32(header))
    return protocol.MAGIC + struct.pack("<III", len(header), len(payload), crc) + header + payload


# --- messages --------------------------------------------------------------------------------------------------------


def test_every_message_is_here() -> None:
    assert {type(message) for message, _ in MESSAGES} == set(protocol.MESSAGES.values())


@pytest.mark.parametrize("size", [1, 7, 1000, len(STREAM)])
def test_messages_survive_the_way_in_pieces_of_any_size(size: int) -> None:
    decoder = Decoder()
    out = [item for i in range(0, len(STREAM), size) for item in decoder.feed(STREAM[i : i + size])]
    assert out == MESSAGES
    assert decoder.close() == []


@pytest.mark.parametrize(
    "bad",
    [
        frame(b"no json"),
        frame(b"[" * 100_000),
        frame(b'"text"'),
        frame(b"{}"),
        frame(b'{"type": "Explode"}'),
        frame(b'{"type": ["Submit"]}'),
        frame(b'{"type": "Cancel"}'),
        frame(b'{"type": "Cancel", "job": 3}'),
        frame(b'{"type": "Cancel", "job": "a", "more": 1}'),
        frame(b'{"type": "Cancel", "job": "a"}', b"payload"),
        frame(b'{"type": "Preview", "job": "a", "frame": 1, "width": -2, "height": -2, "channels": 3}', bytes(11)),
        frame(b'{"type": "Progress", "job": "a", "done": NaN, "text": "", "seconds_left": null}'),
        frame(b'{"type": "Progress", "job": "a", "done": true, "text": "", "seconds_left": null}'),
        frame(b"\xff\xfe"),
        STREAM[:10],
        STREAM[:-1][-40:],
        STREAM[:30] + b"?" + STREAM[31:60],
        protocol.MAGIC + struct.pack("<III", protocol.MAX_HEADER + 1, 0, 0),
        protocol.MAGIC + struct.pack("<III", 2, protocol.MAX_PAYLOAD + 1, 0) + b"{}",
        b"a stray print\n",
        b"UN" * 50,
    ],
)
def test_one_bad_message_is_one_error_and_the_next_is_read(bad: bytes) -> None:
    out = (decoder := Decoder()).feed(bad + STREAM)
    assert isinstance(out[0], ProtocolError) and str(out[0]).count("\n") == 0 and len(str(out[0])) < 200
    assert out[1:] == MESSAGES
    assert decoder.close() == []


def test_no_bytes_break_the_decoder() -> None:
    """Mutations of a good stream: every item is a message or an error, and what was not touched arrives."""
    chance = random.Random(5)
    for _ in range(300):
        data = bytearray(STREAM)
        for _ in range(chance.randint(1, 20)):
            at = chance.randrange(len(data))
            data[at : at + chance.randint(0, 4)] = chance.randbytes(chance.randint(0, 4))
        decoder = Decoder()
        items = decoder.feed(bytes(data)) + decoder.feed(STREAM * 3)
        assert all(isinstance(item, (tuple, ProtocolError)) for item in items)


def test_the_limits_hold_when_sending_too() -> None:
    with pytest.raises(ProtocolError):
        protocol.encode(Failed("a", "x" * protocol.MAX_HEADER))
    with pytest.raises(ProtocolError):
        protocol.encode(Preview("a", 1, 1, 1, 1), bytes(protocol.MAX_PAYLOAD + 1))


# --- job folders -----------------------------------------------------------------------------------------------------

SHOT = protocol.Shot(1, 10, 64, 32, 24.0, ["depth", "anchor"], [protocol.ShotObject(1, "Hare", [1.0, 1.0, 2.0])])
CLIP = protocol.Clip(1, 10, 24.0, ["root", "arm"], [-1, 0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with everything a job of any kind needs."""
    job_folder.write_json(tmp_path / "shot.json", SHOT)
    job_folder.write_json(tmp_path / "clip.json", CLIP)
    job_folder.key_path(tmp_path, 3).parent.mkdir()
    job_folder.key_path(tmp_path, 3).write_bytes(b"a picture")
    return tmp_path


@pytest.mark.parametrize("settings", [TrainStyle([3]), Stylise(2, 9), Inbetween(seed=4), Extrapolate(12)])
def test_a_job_is_read_as_it_was_written(folder: Path, settings: protocol.Settings) -> None:
    job_folder.write_job(folder, settings)
    assert job_folder.read_job(folder).settings == settings
    assert job_folder.read_shot(folder) == SHOT and job_folder.read_clip(folder) == CLIP
    assert not list(folder.glob("*.partial"))


def edit(name: str, **fields: Any) -> Callable[[Path], None]:
    """A change to a JSON file of the folder."""

    def change(folder: Path) -> None:
        data = json.loads((folder / name).read_text())
        job_folder.write_json(folder / name, data | fields)

    return change


def settings(new: protocol.Settings) -> Callable[[Path], None]:
    return lambda folder: job_folder.write_job(folder, new)


def shot(**fields: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        job_folder.write_job(folder, TrainStyle([3]))
        job_folder.write_json(folder / "shot.json", dataclasses.replace(SHOT, **fields))

    return change


def clip(**fields: Any) -> Callable[[Path], None]:
    return lambda folder: job_folder.write_json(folder / "clip.json", dataclasses.replace(CLIP, **fields))


def text(name: str, content: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(content) and None


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "job.json").unlink(), "job.json is missing"),
        (text("job.json", "{"), "it is no JSON"),
        (text("job.json", "[" * 100_000), "it is no JSON"),
        (text("job.json", " " * (protocol.MAX_JSON_FILE + 1)), "larger than any"),
        (edit("job.json", kind="explode"), "kind 'explode' is unknown"),
        (edit("job.json", protocol=1), "protocol 1 and this engine speaks 2"),
        (edit("job.json", colour="red"), "no field 'colour'"),
        (edit("job.json", settings={"seed": "x"}), "'seed' should be a whole number"),
        (edit("job.json", settings=[]), "should be an object"),
        (settings(TrainStyle([])), "No frame is painted yet"),
        (settings(TrainStyle([3], seconds=0)), "neither time nor steps"),
        (settings(TrainStyle([11])), "frame 11 is not in the captured range 1 to 10"),
        (settings(TrainStyle([4])), "0004.png is missing"),
        (settings(Stylise(0, 5)), "Frames 0 to 5 are not all in the captured range"),
        (settings(Stylise(5, 4)), "Frames 5 to 4"),
        (settings(Extrapolate(0)), "must be 1 to"),
        (shot(frame_end=0), "is empty or too long"),
        (shot(frame_end=10**9), "is empty or too long"),
        (shot(width=0), "size 0 x 32"),
        (shot(height=10**9), "out of bounds"),
        (shot(guides=["smell"]), "guide 'smell'"),
        (shot(fps=float("nan")), "'fps' should be a finite number"),
        (lambda folder: (folder / "clip.json").unlink(), "clip.json is missing"),
        (clip(parents=[-1]), "does not fit"),
        (clip(parents=[1, -1]), "not in order"),
        (clip(parents=[-1, -2]), "not in order"),
        (clip(joints=[], parents=[]), "no joint and no channel"),
        (clip(fps=0.0), "makes no sense"),
        (clip(up="X"), "makes no sense"),
        (clip(frame_end=10**9), "empty or too long"),
    ],
)
def test_each_thing_that_is_wrong_is_one_sentence(folder: Path, spoil: Callable[[Path], None], words: str) -> None:
    job_folder.write_job(folder, Inbetween())
    job_folder.read_job(folder)
    spoil(folder)
    with pytest.raises(JobError) as caught:
        job_folder.read_job(folder)
    sentence = str(caught.value)
    assert words in sentence and sentence.endswith(".") and "\n" not in sentence


def test_a_write_that_fails_leaves_the_old_file(folder: Path) -> None:
    """A value that is no JSON stands in for whatever may stop a write half-way."""
    before = (folder / "shot.json").read_bytes()
    with pytest.raises(TypeError):
        job_folder.write_json(folder / "shot.json", {"frames": object()})
    assert (folder / "shot.json").read_bytes() == before
