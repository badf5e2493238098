"""What job.json may ask for: one dataclass of settings for each kind of job. Standard library only.

`build.py sync` copies this file byte for byte into the add-on, beside protocol.py, which knows how it travels.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# --- a shot's pictures -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TrainStyle:
    """Train a network on this shot's painted keys; writes style/.

    keys: frames painted in keys/. seconds: time budget of the training. steps: stop after so many steps, 0 for the
    budget alone. resume: go on from the weights in style/ when they are there. base: the folder of a style asset to
    start from, empty for none. preview_frame: the frame that previews show, 0 for one after the other.
    adversarial: weight of the discriminator, 0 for none: by the ablation it pays on long trainings only, at about .1.
    """

    keys: list[int]
    model: str = "anchor_gan"
    seconds: float = 120.0
    steps: int = 0
    resume: bool = False
    base: str = ""
    preview_frame: int = 0
    adversarial: float = 0.0
    seed: int = 0
    device: str = "auto"


@dataclass(frozen=True)
class Stylise:
    """Paint frames with the weights in style/; writes result/. A finished frame is done again only if `overwrite`.

    style: the folder of a style asset to paint with, empty for the shot's own. strength: 0 the render to 1 the
    painting. light: how much of the scene's change of light is followed, 0 to 1. texture: how much of the strokes is
    laid on, 0 to 2, 1 as painted. objects: ids of the objects to paint, the rest stays as rendered; empty for all.
    keep_background: leave what is no object as rendered. keep_alpha: the render's transparency goes into the result.
    depth: "8", "16" (PNG) or "EXR" (half float, linear).
    """

    frame_start: int
    frame_end: int
    overwrite: bool = False
    style: str = ""
    strength: float = 1.0
    light: float = 1.0
    texture: float = 1.0
    objects: list[int] = field(default_factory=list)
    keep_background: bool = False
    keep_alpha: bool = True
    depth: str = "8"
    seed: int = 0
    device: str = "auto"


@dataclass(frozen=True)
class SuggestKey:
    """Find the frames whose visible surface the painted keys cover least; writes suggest.json and coverage/NNNN.png.

    count: how many frames to suggest, best first. keys: frames that count as painted, whether or not they are yet.
    """

    keys: list[int] = field(default_factory=list)
    count: int = 1


@dataclass(frozen=True)
class TrackFootage:
    """Give frames without guides the guides that can be made from the pictures alone, by optical flow; writes guides/
    and adds them to shot.json. still: footage from a camera that does not move, so that what rests is background."""

    still: bool = False


@dataclass(frozen=True)
class Combine:
    """Put two picture sequences together; writes result/.

    first, second: folders of NNNN.png or NNNN.exr, absolute or relative to the job folder. how: "CROSS_FADE" (over
    frame_start to frame_end), "MASK" (white in `mask`, a folder of pictures, shows the second), "OBJECTS" (the second
    where the ids of the shot in the folder `shot`, empty for the job folder, are in `objects`). feather: pixels over
    which an edge is softened.
    """

    first: str
    second: str
    frame_start: int
    frame_end: int
    how: str = "CROSS_FADE"
    mask: str = ""
    shot: str = ""
    objects: list[int] = field(default_factory=list)
    feather: float = 0.0
    overwrite: bool = False


# --- more of a picture sequence --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LearnSequence:
    """Learn the picture sequence in frames/, its looks and its motion; writes sequence/, a folder that Generate.learned
    takes. seconds: time budget of the training. steps: stop after so many steps, 0 for the budget alone. resume: go on
    from what is in sequence/. objects: ids of the objects that are learned, where the shot has guides; empty for all.
    """

    seconds: float = 240.0
    steps: int = 0
    resume: bool = False
    objects: list[int] = field(default_factory=list)
    seed: int = 0
    device: str = "auto"


@dataclass(frozen=True)
class Generate:
    """Make more of the sequence in frames/; writes result/. A finished frame is made again only if `overwrite`.

    how: "CONTINUE" (`count` frames after the last one), "LOOP" (a cycle of `count` frames, from the first frame's number),
    "VARY" (another take of `count` frames, from the first frame's number), "BETWEEN" (all frames of the range, missing ones
    too, and `slow` times as many; 1 only fills in), "ANIMATE" (the one picture in frames/ moves for `count` frames as the
    sequence in `learned` does). learned: the folder of a learned sequence (absolute, or relative to the job folder), empty
    for the job's own sequence/, which is learned first, for `seconds`, where it is missing or of other frames. objects: ids
    of the objects that are generated, the rest stays as in the frames; empty for all. variation: how far a take may stray, 0
    to 1. depth: "8", "16" (PNG) or "EXR" (half float, linear).
    """

    how: str = "CONTINUE"
    count: int = 24
    slow: int = 2
    learned: str = ""
    seconds: float = 240.0
    objects: list[int] = field(default_factory=list)
    variation: float = 0.5
    overwrite: bool = False
    depth: str = "8"
    seed: int = 0
    device: str = "auto"


# --- a rig's motion --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Inbetween:
    """Fill the frames between keys in clip.npz; writes result/clip.npz. model: auto, baseline or a name from Ready.

    learned: the folder of a motion style learned from the artist's own clips (absolute, or relative to the job folder),
    empty for none. variation: how far another take (by seed) may stray, 0 to 1; a hold then breathes a little. lock_feet:
    what comes to stand on the ground in the acted motion stays where it stands.
    """

    model: str = "auto"
    learned: str = ""
    variation: float = 0.0
    lock_feet: bool = True
    seed: int = 0
    device: str = "auto"


@dataclass(frozen=True)
class Extrapolate:
    """Play `frames` frames on after the last frame of clip.npz; writes result/clip.npz. model as in Inbetween.

    towards_target: the clip's last frame is a pose to arrive at, `frames` after the one before it; the result begins one
    frame after that one and ends with the target itself. path: the clip's last `path` frames are a way to go: what is keyed in
    all of them, of a root, is given, nothing else of them counts, and the result begins with the first of them. Otherwise as in
    Inbetween.
    """

    frames: int
    model: str = "auto"
    learned: str = ""
    variation: float = 0.0
    towards_target: bool = False
    path: int = 0
    seed: int = 0
    device: str = "auto"


@dataclass(frozen=True)
class Loop:
    """Make what is wanted of the clip a cycle, keyed or not: the last frame meets the first in pose and velocity; writes
    result/clip.npz, the clip's own frames and those of the repeats after them.

    blend: frames on either side of the joint that may change. keep_root: the rig goes on travelling and turning, else it
    stays in place. repeats: cycles to play after the first, each a little different by `variation`, 0 to 1.
    """

    blend: int = 8
    keep_root: bool = True
    repeats: int = 0
    variation: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Clean:
    """Take jitter out of what is wanted of the clip, keyed or not, and lock the feet where they stand; writes
    result/clip.npz. The first and the last frame stay.

    smooth: seconds below which a wobble counts as jitter, 0 for none. contacts: lock contacts. feet: joints that touch the
    ground, empty to find them.
    """

    smooth: float = 0.1
    contacts: bool = True
    feet: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class LearnMotion:
    """Learn from the clips in clips/ (NAME.json and NAME.npz each, as clip.json and clip.npz, all of one rig); writes
    learned/, the folder that Inbetween.learned takes, if that beats the shipped network and the curves on motion held
    back; else no result, and a note why. seconds: time budget. kind: "inbetween"."""

    seconds: float = 120.0
    kind: str = "inbetween"
    seed: int = 0
    device: str = "auto"


Settings = (
    TrainStyle
    | Stylise
    | SuggestKey
    | TrackFootage
    | Combine
    | LearnSequence
    | Generate
    | Inbetween
    | Extrapolate
    | Loop
    | Clean
    | LearnMotion
)
# A kind is listed here as soon as the engine can do it.
SETTINGS: dict[str, type] = {
    "train_style": TrainStyle,
    "stylise": Stylise,
    "suggest_key": SuggestKey,
    "track_footage": TrackFootage,
    "combine": Combine,
    "learn_sequence": LearnSequence,
    "generate": Generate,
    "inbetween": Inbetween,
    "extrapolate": Extrapolate,
    "loop": Loop,
    "clean": Clean,
    "learn_motion": LearnMotion,
}
SHOT_KINDS = ("train_style", "stylise", "suggest_key", "track_footage", "combine")
