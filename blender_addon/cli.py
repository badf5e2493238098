"""`blender FILE --command understudy …`: the operators from a terminal. Exit status 0 only when the result is there.

Knows the operators by name; they block, as in any script.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, NoReturn

import bpy

from .calls import Result, UnderstudyError, call, chosen
from .jobs import Running, manager
from .properties import DEPTHS, SOURCES
from .strip_calls import combine

LINE_SECONDS = 1.0  # progress lines come no faster than this
SCENE_SETTINGS = {
    "job_folder": "job_folder",
    "source": "source",
    "seconds": "training_seconds",
    "seed": "seed",
    "model": "motion_model",
    "count": "extrapolate_frames",
    "style": "style",
    "style_use": "style_use",
    "strength": "strength",
    "light": "light",
    "strokes": "texture",
    "objects": "painted_objects",
    "collection": "painted_collection",
    "keep_background": "keep_background",
    "keep_alpha": "keep_alpha",
    "depth": "depth",
    "still": "footage_still",
}
MOTION_SETTINGS = {
    "every_frame": "every_frame",
    "degrees": "degrees",
    "lengths": "lengths",
    "learned": "learned",
    "seconds": "learn_seconds",
    "repeats": "loop_repeats",
    "in_place": "loop_keep_root",
    "to_next_key": "towards_target",
}
GENERATE_SETTINGS = {"learned": "sequence", "collection": "collection"}
OPERATOR_SETTINGS = ("resume", "overwrite", "name", "filepath", "amount", "variation", "actions")
PICTURE_SETTINGS: tuple[str, ...] = ("how", "source", "strip", "path", "count", "slow", "variation")
PICTURE_SETTINGS += ("seconds", "steps", "resume", "name")
MACHINES = """With --json every line that is for a machine is an object {"understudy": {...}} on stdout, among lines of
Blender's own. While it runs: progress (0 to 1), seconds_left, job, text. At the end, either finished (the command), folder,
frames, keys, notes, figures, saved; or error, a sentence. The exit status is 0 for a result, 1 for none, 2 for a wrong
command line."""
PICTURES = ("generate", "learn-sequence")
MOTION = ("inbetween", "extrapolate", "loop", "clean", "reduce-keys", "delete-generated-keys", "learn-motion")


class Misuse(Exception):
    """A wrong command line: what is wrong with it, and how it should be."""

    def __init__(self, sentence: str, usage: str) -> None:
        super().__init__(sentence)
        self.usage = usage


class Parser(argparse.ArgumentParser):
    """Leaves it to its caller how to tell of a wrong command line."""

    def error(self, message: str) -> NoReturn:
        """Raises Misuse."""
        raise Misuse(message, self.format_usage())


def parser() -> Parser:
    """The whole command line."""
    root = Parser(
        prog="blender FILE --command understudy",
        description="Paint one frame, pose two keys; Understudy plays the rest.",
        epilog=MACHINES,
    )
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text, options in (
        ("capture", "render the frames and guides of the scene's range into the job folder", (_shot, _capture)),
        ("use-footage", "make footage the shot: read its frames and track what moves", (_footage, _save)),
        ("combine", "put two strips together, where they overlap in time", (_combine, _save)),
        ("suggest-key", "say which frame to paint next, and how much the painted ones cover", (_shot,)),
        ("train-style", "train the style on the painted frames in the job folder's keys/", (_shot, _train)),
        ("stylise", "paint every captured frame", (_shot, _stylise, _save)),
        ("save-style", "save the trained style under a name, for other shots", (_shot, _name)),
        ("learn-sequence", "learn a picture sequence, for generate", (_shot, _pictures, _learn_pictures)),
        ("generate", "make more of a picture sequence", (_shot, _pictures, _generate, _save)),
        ("inbetween", "make the keys between the artist's keys", (_motion, _network, _frames, _few, _keep)),
        ("extrapolate", "play the motion on after the last key", (_motion, _network, _extrapolate, _few, _keep)),
        ("loop", "make a range a cycle, in a new action", (_motion, _frames, _loop, _few, _keep)),
        ("clean", "take jitter out of captured motion, in a new action", (_motion, _frames, _few, _keep)),
        ("reduce-keys", "make many keys few, within a bound", (_motion, _frames, _few, _keep)),
        ("delete-generated-keys", "delete the keys that Understudy made", (_motion, _keep)),
        ("learn-motion", "learn a motion style from the file's actions of a rig", (_object, _learn, _keep)),
    ):
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", epilog=MACHINES)
        for add in options:
            add(command)
        command.add_argument("--json", action="store_true", help="lines for machines, see below")
    return root


def _shot(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--job-folder", metavar="DIR", type=os.path.abspath, help="the shot's job folder (default: as the file says)"
    )


def _capture(command: argparse.ArgumentParser) -> None:
    command.add_argument("--frames", metavar="A-B", type=frame_range, help="frames, inclusive (default: the scene's)")
    command.add_argument("--source", choices=[name for name, *_ in SOURCES], help="what the frames show")


def _footage(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "filepath",
        metavar="FILE",
        nargs="?",
        type=os.path.abspath,
        help="a movie or a picture (default: the active strip)",
    )
    command.add_argument("--still", action=argparse.BooleanOptionalAction, help="the camera stands still")
    command.add_argument("--overwrite", action="store_true", default=None, help="read the frames again")


def _combine(command: argparse.ArgumentParser) -> None:
    for name in ("first", "second"):
        command.add_argument(
            name, metavar=name.upper(), help="name of a movie or image strip, the second above the first"
        )
    command.add_argument("--how", choices=("cross-fade", "mask"), default="cross-fade")
    command.add_argument("--mask", metavar="DIR", type=os.path.abspath, help="pictures named by their frame")


def _train(command: argparse.ArgumentParser) -> None:
    command.add_argument("--seconds", type=float, help="how long to train")
    command.add_argument("--seed", type=int)
    start = command.add_mutually_exclusive_group()
    start.add_argument("--resume", action="store_true", help="go on from the style trained before")
    start.add_argument("--base", dest="style", metavar="NAME", help="start from a saved style")
    command.set_defaults(style_use="BASE")


def _name(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", help="a name that no saved style has yet")


def _stylise(command: argparse.ArgumentParser) -> None:
    command.add_argument("--seed", type=int)
    command.add_argument("--overwrite", action="store_true", help="paint finished frames again")
    command.add_argument("--style", metavar="NAME", help="paint with a saved style (default: the shot's own)")
    command.set_defaults(style_use="PAINT")
    for name, most, text in (
        ("--strength", 1, "0 the render to 1 the painting"),
        ("--light", 1, "how much of the scene's change of light is followed"),
        ("--strokes", 2, "how much of lines and strokes is laid on, 1 as painted"),
    ):
        command.add_argument(name, metavar=f"0-{most}", type=part(most), help=text)
    command.add_argument("--collection", metavar="NAME", help="paint the objects of this collection alone")
    yes_or_no = argparse.BooleanOptionalAction
    command.add_argument("--keep-background", action=yes_or_no, help="what is no object stays as rendered")
    command.add_argument("--keep-alpha", action=yes_or_no, help="the result is transparent where the render is")
    command.add_argument("--depth", choices=[name for name, *_ in DEPTHS], help="PNG of 8 or 16 bit, or linear OpenEXR")


def _pictures(command: argparse.ArgumentParser) -> None:
    where = command.add_mutually_exclusive_group()
    where.add_argument("--strip", metavar="NAME", help="a strip of the Video Sequencer")
    where.add_argument(
        "--frames-folder",
        metavar="DIR",
        dest="path",
        type=os.path.abspath,
        help="a folder of numbered pictures, or a picture or movie (default: the captured shot)",
    )
    command.add_argument("--collection", metavar="NAME", help="of the shot, the objects of this collection alone")
    command.add_argument("--seconds", type=float, help="how long to learn")
    command.add_argument("--seed", type=int)


def _learn_pictures(command: argparse.ArgumentParser) -> None:
    command.add_argument("--steps", type=int, help="stop after so many steps of training")
    command.add_argument("--resume", action="store_true", help="go on from what was learned before")
    command.add_argument("--name", help="save it under this name, to animate pictures elsewhere")


def _generate(command: argparse.ArgumentParser) -> None:
    hows = ("continue", "loop", "vary", "between", "animate")
    command.add_argument("--how", required=True, choices=hows, help="what to make of it")
    command.add_argument("--count", metavar="N", type=int, help="how many frames")
    command.add_argument("--slow", metavar="N", type=int, help="between: how many times slower")
    command.add_argument("--variation", metavar="0-1", type=part(1), help="how far a take may stray")
    command.add_argument("--learned", metavar="NAME", help="animate: the saved sequence whose motion is used")
    command.add_argument("--depth", choices=[name for name, *_ in DEPTHS], help="PNG of 8 or 16 bit, or linear OpenEXR")


def _object(command: argparse.ArgumentParser) -> None:
    command.add_argument("--object", metavar="NAME", help="the animated object (default: the active one)")


def _motion(command: argparse.ArgumentParser) -> None:
    _object(command)
    command.add_argument("--bones", metavar="A,B", help="its bones (default: all)")


def _network(command: argparse.ArgumentParser) -> None:
    command.add_argument("--model", help="auto, baseline, or a network that the engine offers")
    command.add_argument("--learned", metavar="DIR", type=os.path.abspath, help="a motion style that was learned")
    command.add_argument("--amount", type=float, help="0 plain to 1 acted, up to 1.5 (default: 1)")
    command.add_argument("--variation", type=float, help="how far another seed may stray, 0 to 1 (default: 0)")
    command.add_argument("--seed", type=int)


def _frames(command: argparse.ArgumentParser) -> None:
    command.add_argument("--frames", metavar="A-B", type=frame_range, help="which frames (default: the scene's range)")


def _few(command: argparse.ArgumentParser) -> None:
    command.add_argument("--every-frame", action="store_true", default=None, help="a key on every frame")
    command.add_argument("--degrees", type=float, help="how far few keys may be off in rotation")
    command.add_argument("--lengths", type=float, help="how far few keys may be off in place, in bone lengths")


def _extrapolate(command: argparse.ArgumentParser) -> None:
    command.add_argument("--count", metavar="N", type=int, help="how many frames to play on")
    command.add_argument("--to-next-key", action="store_true", default=None, help="arrive at the next key instead")


def _loop(command: argparse.ArgumentParser) -> None:
    command.add_argument("--in-place", action="store_false", default=None, help="the rig does not travel")
    command.add_argument("--repeats", metavar="N", type=int, help="cycles to play after the first")


def _learn(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--actions", metavar="A,B", help="names of actions, * for anything (default: as the file says)"
    )
    command.add_argument("--seconds", type=float, help="how long to learn")


def _save(command: argparse.ArgumentParser, required: bool = False) -> None:
    where = command.add_mutually_exclusive_group(required=required)
    where.add_argument("--save", action="store_true", help="save the result in FILE itself")
    where.add_argument(
        "--output", metavar="BLEND", type=os.path.abspath, help="save the result as another Blender file"
    )


def _keep(command: argparse.ArgumentParser) -> None:
    _save(command, required=True)  # keys are nowhere but in the Blender file


def part(most: float) -> Callable[[str], float]:
    """The reader of a number from 0 to `most`."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"'{text}' is no number") from error
        if not 0 <= value <= most:
            raise argparse.ArgumentTypeError(f"{text} is not between 0 and {most:g}")
        return value

    return read


def frame_range(text: str) -> tuple[int, int]:
    """1-48 (or 12) as first and last frame."""
    first, _, last = text.partition("-")
    try:
        start, end = int(first), int(last or first)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"'{text}' is not like 1-48") from error
    if end < start:
        raise argparse.ArgumentTypeError(f"'{text}' ends before it starts")
    return start, end


def command(arguments: Sequence[str]) -> int:
    """Run one command on the loaded file; returns the exit status."""
    out: Lines = JsonLines() if "--json" in arguments else Lines()
    try:
        options = parser().parse_args(arguments)
    except SystemExit as error:
        return int(error.code or 0)
    except Misuse as error:
        out.fail(str(error), error.usage)
        return 2
    manager.watch = out.show
    try:
        result = _run(options)
        out.finish(options.command, result, _save_file(options))
    except UnderstudyError as error:
        out.fail(str(error))
        return 1
    finally:
        manager.watch = lambda running: None
        manager.close()
    return 0


class Lines:
    """What is told as it goes, as lines of plain text; of progress one a second at most."""

    def __init__(self) -> None:
        self._last, self._at = "", 0.0

    def show(self, running: Running) -> None:
        """Print, unless the same was printed or a line only just."""
        line = self.line(running)
        if line != self._last and (time.monotonic() - self._at > LINE_SECONDS or running.done == 1.0):
            print(line, flush=True)
            self._last, self._at = line, time.monotonic()

    def line(self, running: Running) -> str:
        """How far a job is."""
        left = "" if running.seconds_left is None else f", {running.seconds_left:.0f} s left"
        return f"{running.label}: {running.done:4.0%}{left}, {running.text}"

    def fail(self, sentence: str, usage: str = "") -> None:
        """Why there is no result."""
        print(f"{usage}understudy: {sentence}", file=sys.stderr, flush=True)

    def finish(self, command: str, result: Result, saved: str) -> None:
        """The result is there; the operators have said so."""


class JsonLines(Lines):
    """The same for machines: an object a line on stdout, each {"understudy": …}, which no line of Blender's own is."""

    def line(self, running: Running) -> str:
        """progress, 0 to 1; seconds_left, or null; job; text."""
        left = None if running.seconds_left is None else round(running.seconds_left, 1)
        told = {"progress": round(running.done, 4), "seconds_left": left, "job": running.label, "text": running.text}
        return json.dumps({"understudy": told})

    def fail(self, sentence: str, usage: str = "") -> None:
        """error."""
        print(json.dumps({"understudy": {"error": sentence}}), flush=True)

    def finish(self, command: str, result: Result, saved: str) -> None:
        """finished: the command; saved: the Blender file, or null; and the fields of Result."""
        told = {"finished": command, "saved": saved or None, **asdict(result)}
        told["folder"] = None if result.folder is None else str(result.folder)
        print(json.dumps({"understudy": told}), flush=True)


def _run(options: argparse.Namespace) -> Result:
    """Call the operator with what the command line gives, for this run alone. Raises UnderstudyError."""
    line = vars(options)
    if options.command in PICTURES:
        return _run_on_pictures(options.command.replace("-", "_"), line)
    if options.command == "combine":
        how = line["how"].upper().replace("-", "_")
        return combine(line["first"], line["second"], how=how, mask=line["mask"])
    if line.get("style") is None:
        line.pop("style_use", None)
    if line.get("collection"):
        line["collection"], line["objects"] = _collection(line["collection"]), "COLLECTION"
    operator = options.command.replace("-", "_")
    shot = {name: line.get(option) for option, name in SCENE_SETTINGS.items()}
    motion = {name: line.get(option) for option, name in MOTION_SETTINGS.items()}
    settings: dict[str, Any] = {name: line.get(name) for name in OPERATOR_SETTINGS}
    frames = line.get("frames")
    if options.command not in MOTION:
        return call(operator, settings=settings, shot=shot, frames=frames)
    bones = line["bones"].split(",") if line.get("bones") else None
    with chosen(_object_named(line["object"]), bones) as meant:
        if options.command != "learn-motion":
            settings |= meant
        if options.command in ("inbetween", "extrapolate"):
            settings["use_selected_keys"] = False
        return call(operator, settings=settings, shot=shot, motion=motion, frames=frames)


def _run_on_pictures(operator: str, line: dict[str, Any]) -> Result:
    """The same, of verbs on a picture sequence. Raises UnderstudyError."""
    line["source"] = "FILES" if line["path"] else "STRIP" if line["strip"] else "SHOT"
    line["how"] = line["how"].upper() if line.get("how") else None
    line["collection"] = _collection(line["collection"]) if line["collection"] else None
    return call(
        operator,
        settings={name: line.get(name) for name in PICTURE_SETTINGS},
        shot={name: line.get(name) for name in ("job_folder", "seed", "depth")},
        generate={name: line.get(option) for option, name in GENERATE_SETTINGS.items()},
    )


def _collection(name: str) -> bpy.types.Collection:
    """A collection of the file. Raises UnderstudyError."""
    found = bpy.data.collections.get(name)
    if found is None:
        raise UnderstudyError(f"There is no collection '{name}' in the file.")
    return found


def _object_named(name: str | None) -> bpy.types.Object:
    """An object of the scene, the active one without a name. Raises UnderstudyError."""
    objects = bpy.context.view_layer.objects
    ob = objects.get(name) if name else objects.active
    if ob is None:
        raise UnderstudyError(f"There is no object '{name}' in the scene." if name else "Name an object with --object.")
    return ob


def _save_file(options: argparse.Namespace) -> str:
    """Save where the command line says, and give the path, empty for none. Raises UnderstudyError."""
    try:
        if getattr(options, "save", False):
            bpy.ops.wm.save_mainfile()
            return bpy.data.filepath
        if getattr(options, "output", None):
            bpy.ops.wm.save_as_mainfile(filepath=options.output, copy=True)
            return str(options.output)
    except RuntimeError as error:
        raise UnderstudyError(f"The result could not be saved: {str(error).strip()}") from error
    return ""


_handle: object = None


def register() -> None:
    global _handle
    _handle = bpy.utils.register_cli_command("understudy", command)


def unregister() -> None:
    bpy.utils.unregister_cli_command(_handle)
