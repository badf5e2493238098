"""Five rigs that no network here has seen, each with motion of its own, in the format of the motion-capture files.

    python -m benchmarks.rigs --out FOLDER

A 22-joint biped facing -Z with other joints and another order than the captured one, and a quadruped, both on planted
feet; a tail that a simulated rope drags after itself; a hand that grasps, counts and drums; a six-axis arm that drives
from pose to pose as machines do. The networks learn from rigs by formula too (engine/motion/synthetic.py, creatures.py),
which are of the same kinds but of other make: proportions, hierarchies, gaits and timing drawn at random, feet brought to
their places otherwise, no rope. None of these five is among them. Knows no network.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

FPS, SECONDS, TAKES = 60, 8, 6
FRAMES = FPS * SECONDS
TIME = np.arange(FRAMES) / FPS


@dataclass(frozen=True)
class Rig:
    """joint → (parent, offset), parents first; the first is the root. Y up."""

    joints: dict[str, tuple[str, tuple[float, float, float]]]

    @property
    def names(self) -> list[str]:
        """In order."""
        return list(self.joints)

    def parents(self) -> list[int]:
        """By index, -1 for the root."""
        return [self.names.index(parent) if parent else -1 for parent, _ in self.joints.values()]

    def offsets(self) -> np.ndarray:
        """(J, 3)."""
        return np.array([offset for _, offset in self.joints.values()])


@dataclass
class Pose:
    """A take in the making: global rotations by joint, root (FRAMES, 3). What is not set turns with its parent."""

    rig: Rig
    root: np.ndarray
    turned: dict[str, Rotation]

    def of(self, joint: str) -> Rotation:
        """A joint's global rotation."""
        if joint not in self.turned:
            self.turned[joint] = self.of(self.rig.joints[joint][0])
        return self.turned[joint]

    def place(self, joint: str) -> np.ndarray:
        """A joint's position (FRAMES, 3)."""
        parent, offset = self.rig.joints[joint]
        return self.place(parent) + self.of(parent).apply(offset) if parent else self.root

    def bend(self, joint: str, turn: Rotation) -> None:
        """Turn a joint within its parent."""
        parent = self.rig.joints[joint][0]
        self.turned[joint] = self.of(parent) * turn if parent else turn

    def local(self) -> np.ndarray:
        """(FRAMES, J, 4), w first."""
        out = []
        for joint, (parent, _) in self.rig.joints.items():
            own = self.of(joint) if not parent else self.of(parent).inv() * self.of(joint)
            out.append(np.roll(own.as_quat(), 1, -1))
        return np.stack(out, 1)


# --- parts of motion -------------------------------------------------------------------------------------------------


def smooth(x: np.ndarray) -> np.ndarray:
    """0 to 1 with no jerk at the ends."""
    x = x.clip(0.0, 1.0)
    return x**3 * (10.0 - 15.0 * x + 6.0 * x**2)


def drift(rng: np.random.Generator, size: float, seconds: float, count: int = 1) -> np.ndarray:
    """A slow wandering (FRAMES, count): poses about `seconds` apart, eased from one to the next."""
    times = [0.0]
    while times[-1] < SECONDS:
        times.append(times[-1] + seconds * rng.uniform(0.5, 1.5))
    values, ends = rng.normal(0.0, size, (len(times), count)), np.array(times)
    i = np.searchsorted(ends, TIME, side="right") - 1
    u = smooth((TIME - ends[i]) / (ends[i + 1] - ends[i]))[:, None]
    return np.asarray(values[i] + u * (values[i + 1] - values[i]))


def turn(axes: str, angles: np.ndarray) -> Rotation:
    """Euler angles in radians, axes as scipy's."""
    return Rotation.from_euler(axes, angles if len(axes) > 1 else angles[:, None])


def frame(along: np.ndarray, pole: np.ndarray) -> np.ndarray:
    """Matrices (..., 3, 3) whose first column is `along` and whose second leans to `pole`."""
    first = along / np.linalg.norm(along, axis=-1, keepdims=True)
    third = np.cross(first, pole)
    third = third / np.linalg.norm(third, axis=-1, keepdims=True)
    return np.stack([first, np.cross(third, first), third], -1)


def reach(pose: Pose, upper: str, lower: str, end: str, target: np.ndarray, pole: np.ndarray) -> None:
    """Two-bone inverse kinematics: `end` at `target` as far as it goes, the middle bent towards `pole` (FRAMES, 3)."""
    rig, start = pose.rig, pose.place(upper)
    bones = [np.array(rig.joints[lower][1]), np.array(rig.joints[end][1])]
    a, b = (float(np.linalg.norm(x)) for x in bones)
    way = target - start
    distance = np.linalg.norm(way, axis=1).clip(abs(a - b) + 1e-3, (a + b) * 0.999)
    way = way / np.linalg.norm(way, axis=1, keepdims=True)
    angle = np.arccos((a * a + distance**2 - b * b) / (2 * a * distance))[:, None]
    side = pole - (pole * way).sum(1, keepdims=True) * way
    side = side / np.linalg.norm(side, axis=1, keepdims=True)
    knee = start + a * (np.cos(angle) * way + np.sin(angle) * side)
    foot = start + distance[:, None] * way
    rest_pole = rig_pole(rig, upper)
    for joint, bone, aim in ((upper, bones[0], knee - start), (lower, bones[1], foot - knee)):
        rest = frame(bone, rest_pole)
        pose.turned[joint] = Rotation.from_matrix(frame(aim, side) @ rest.T)


def rig_pole(rig: Rig, upper: str) -> np.ndarray:
    """Where the middle of a limb points at rest: a biped here faces -Z, a quadruped +X."""
    return (
        np.array([1.0, 0.0, 0.0]) if "fore_paw" in rig.joints or "paw.FL" in rig.joints else np.array([0.0, 0.0, -1.0])
    )


def steps(root: np.ndarray, yaw: np.ndarray, stance: np.ndarray, phase: np.ndarray, lift: float) -> np.ndarray:
    """A foot's way (FRAMES, 3): planted for the first 0.6 of each cycle where the body will be half-way through, then
    swung to the next place. stance: the foot's place in the body's own axes; phase counts cycles."""
    heading = turn("Y", yaw)
    under = root * [1, 0, 1] + heading.apply(stance * [1, 0, 1])
    cycle = np.floor(phase).astype(int)

    def planted(k: int) -> np.ndarray:
        return under[min(int(np.searchsorted(phase, k + 0.3)), FRAMES - 1)]

    out = np.zeros((FRAMES, 3))
    for i, k in enumerate(cycle):
        u = smooth(np.array((phase[i] - k - 0.6) / 0.4))
        out[i] = planted(k) + u * (planted(k + 1) - planted(k))
        out[i, 1] = lift * np.sin(np.pi * u) * (np.linalg.norm(planted(k + 1) - planted(k)) > 0.01)
    out[:, 1] += stance[1]
    return out


# --- the rigs --------------------------------------------------------------------------------------------------------


def biped() -> Rig:
    """22 joints as body models have them, arms hanging in an A."""
    joints: dict[str, tuple[str, tuple[float, float, float]]] = {"pelvis": ("", (0, 0, 0))}
    for side, x in (("l", -1.0), ("r", 1.0)):
        joints[f"{side}_hip"] = ("pelvis", (0.09 * x, -0.08, 0))
    joints |= {
        "spine1": ("pelvis", (0, 0.12, 0)),
        "spine2": ("spine1", (0, 0.13, 0)),
        "spine3": ("spine2", (0, 0.06, 0)),
    }
    for side in "lr":
        joints[f"{side}_knee"] = (f"{side}_hip", (0, -0.4, 0))
    for side in "lr":
        joints[f"{side}_ankle"] = (f"{side}_knee", (0, -0.41, 0.02))
    joints["neck"] = ("spine3", (0, 0.21, 0))
    for side, x in (("l", -1.0), ("r", 1.0)):
        joints[f"{side}_foot"] = (f"{side}_ankle", (0, -0.06, -0.13))
        joints[f"{side}_collar"] = ("spine3", (0.07 * x, 0.11, 0))
        joints[f"{side}_shoulder"] = (f"{side}_collar", (0.1 * x, 0.04, 0))
        joints[f"{side}_elbow"] = (f"{side}_shoulder", (0.18 * x, -0.19, 0))
        joints[f"{side}_wrist"] = (f"{side}_elbow", (0.17 * x, -0.18, 0))
    joints["head"] = ("neck", (0, 0.09, -0.02))
    return Rig(joints)


def body(rng: np.random.Generator, pace: float, height: float, sway: float) -> tuple[np.ndarray, ...]:
    """A way over the ground: root, yaw, phase, speed."""
    yaw = np.cumsum(drift(rng, 0.5, 1.5)[:, 0]) / FPS + rng.uniform(-3, 3)
    speed = pace * (1.0 + 0.4 * drift(rng, 1.0, 2.0)[:, 0]).clip(0.0, 1.8)
    phase = np.cumsum(0.35 + 0.6 * speed / pace) / FPS + rng.uniform()
    ahead = turn("Y", yaw).apply([0.0, 0.0, -1.0])
    root = np.cumsum(ahead * speed[:, None], 0) / FPS
    root[:, 1] = height * (1.0 - 0.012 * np.cos(4 * np.pi * phase)) + sway * np.sin(2 * np.pi * phase) * 0.1
    return root, yaw, phase, speed


def walk_biped(rig: Rig, rng: np.random.Generator) -> Pose:
    """Walking, stooping, looking about, arms swinging or busy."""
    root, yaw, phase, _ = body(rng, float(rng.uniform(0.4, 1.3)), 0.93, 0.0)
    root[:, 1] -= 0.25 * smooth(drift(rng, 0.7, 1.2)[:, 0] - 0.3)
    swing = np.sin(2 * np.pi * phase)
    pelvis = turn("YXZ", np.stack([yaw + 0.12 * swing, 0.05 * drift(rng, 1, 1)[:, 0], 0.05 * swing], 1))
    pose = Pose(rig, root, {"pelvis": pelvis})
    lean = drift(rng, 0.12, 1.0, 3)
    for joint in ("spine1", "spine2", "spine3"):
        pose.bend(joint, turn("YXZ", lean * [1.5, 1.0, 0.6] - np.stack([0.07 * swing, 0 * swing, 0.02 * swing], 1)))
    pose.bend("neck", turn("YXZ", drift(rng, 0.3, 0.7, 3) * [1.0, 0.5, 0.3]))
    busy = smooth(drift(rng, 1.0, 1.5)[:, 0])[:, None]
    for side, sign in (("l", 1.0), ("r", -1.0)):
        hang = np.stack([0.5 * sign * swing, 0 * swing, sign * (0.6 + 0 * swing)], 1)
        work = np.stack(
            [1.2 + 0.5 * np.sin(6 * TIME + sign), 0.5 * drift(rng, 1, 0.6)[:, 0], 0.3 * drift(rng, 1, 0.5)[:, 0]], 1
        )
        pose.bend(f"{side}_shoulder", turn("XYZ", hang + busy * (work - hang)))
        pose.bend(f"{side}_elbow", turn("X", 0.3 + 0.2 * sign * swing + busy[:, 0] * (0.8 + 0.5 * np.sin(9 * TIME))))
        pose.bend(f"{side}_wrist", turn("XYZ", drift(rng, 0.25, 0.5, 3)))
    for side, x, at in (("l", -0.09, 0.0), ("r", 0.09, 0.5)):
        foot = steps(root, yaw, np.array([x, 0.07, 0.0]), phase + at, 0.12)
        reach(pose, f"{side}_hip", f"{side}_knee", f"{side}_ankle", foot, pelvis.apply([0.0, 0.0, -1.0]))
        lifted = (foot[:, 1] - 0.07) / 0.12
        pose.turned[f"{side}_ankle"] = turn("YX", np.stack([yaw, -0.6 * lifted], 1))
    return pose


def quadruped() -> Rig:
    """20 joints, facing +X."""
    joints: dict[str, tuple[str, tuple[float, float, float]]] = {"hips": ("", (0, 0, 0))}
    joints |= {"back": ("hips", (0.25, 0.02, 0)), "chest": ("back", (0.25, 0, 0)), "neck": ("chest", (0.15, 0.1, 0))}
    joints |= {
        "head": ("neck", (0.15, 0.15, 0)),
        "tail.1": ("hips", (-0.1, 0.03, 0)),
        "tail.2": ("tail.1", (-0.12, 0, 0)),
    }
    joints["tail.3"] = ("tail.2", (-0.12, 0, 0))
    for name, top, x in (("F", "chest", 0.05), ("H", "hips", -0.05)):
        for side, z in (("L", -0.1), ("R", 0.1)):
            joints[f"upper.{name}{side}"] = (top, (x, -0.05, z))
            joints[f"lower.{name}{side}"] = (f"upper.{name}{side}", (0.02, -0.27, 0))
            joints[f"paw.{name}{side}"] = (f"lower.{name}{side}", (-0.02, -0.27, 0))
    return Rig(joints)


def trot(rig: Rig, rng: np.random.Generator) -> Pose:
    """Walk, trot or pace on planted paws."""
    root, yaw, phase, _ = body(rng, float(rng.uniform(0.5, 1.6)), 0.57, 0.0)
    phase = phase * 1.5
    swing = np.sin(2 * np.pi * phase)
    facing = yaw + np.pi / 2  # the way goes along -Z, the rig faces +X
    pose = Pose(rig, root, {"hips": turn("YXZ", np.stack([facing, 0.04 * swing, 0.03 * np.sin(4 * np.pi * phase)], 1))})
    bow = drift(rng, 0.1, 1.0, 3)
    for joint in ("back", "chest"):
        pose.bend(
            joint, turn("YXZ", bow + np.stack([0.06 * swing, -0.03 * swing, 0.04 * np.cos(4 * np.pi * phase)], 1))
        )
    pose.bend("neck", turn("YXZ", drift(rng, 0.3, 0.8, 3)))
    pose.bend("head", turn("YXZ", drift(rng, 0.25, 0.6, 3)))
    for i in (1, 2, 3):
        wag = 0.35 * np.sin(2 * np.pi * (1.3 * TIME - 0.12 * i))
        pose.bend(f"tail.{i}", turn("YZ", np.stack([wag, drift(rng, 0.15, 1.0)[:, 0]], 1)))
    late = (
        {"HL": 0.0, "FL": 0.25, "HR": 0.5, "FR": 0.75}
        if rng.random() < 0.4
        else {"HL": 0.0, "FR": 0.0, "HR": 0.5, "FL": 0.5}
    )
    for leg, at in late.items():
        hip = np.array(rig.joints[f"upper.{leg}"][1]) + (np.array([0.5, 0, 0]) if leg[0] == "F" else 0.0)
        paw = steps(root, facing, np.array([hip[0], 0.02, hip[2]]), phase + at, 0.09)
        pole = pose.of("hips").apply([1.0, 0.0, 0.0]) * (-1.0 if leg[0] == "F" else 1.0)
        reach(pose, f"upper.{leg}", f"lower.{leg}", f"paw.{leg}", paw, pole)
        pose.turned[f"paw.{leg}"] = turn("YZ", np.stack([facing, -5.0 * (paw[:, 1] - 0.02)], 1))
    return pose


def tail() -> Rig:
    """A chain of ten."""
    joints = {"tail.00": ("", (0.0, 0.0, 0.0))}
    for i in range(1, 10):
        joints[f"tail.{i:02d}"] = (f"tail.{i - 1:02d}", (0.0, -0.02, -0.2))
    return Rig(joints)


def dragged(rig: Rig, rng: np.random.Generator) -> Pose:
    """The base swings and travels; a rope of ten stiff pieces, integrated, follows."""
    base = drift(rng, 0.5, 0.6, 3) * [1.0, 0.6, 0.4]
    root = drift(rng, 0.5, 1.0, 3)
    lead = turn("YXZ", base)
    rest = [lead.apply(rig.offsets()[1])] * 9
    length = np.linalg.norm(rig.offsets()[1])
    points = root[0] + np.cumsum([np.zeros(3), *[r[0] for r in rest]], 0)
    before, ways = points.copy(), np.zeros((FRAMES, 9, 3))
    gravity, drag = np.array([0, -1.5, 0]) / FPS**2, float(rng.uniform(0.02, 0.06))
    for i in range(FRAMES):
        points, before = points + (points - before) * (1.0 - drag) + gravity, points
        for _ in range(12):
            points[0], points[1] = root[i], root[i] + rest[0][i]
            for j in range(1, 10):
                if j > 1:  # stiffness: a piece would go on as the one before it
                    points[j] += 0.12 * (2 * points[j - 1] - points[j - 2] - points[j])
                way = points[j] - points[j - 1]
                points[j] = points[j - 1] + way * (length / np.linalg.norm(way))
        ways[i] = np.diff(points, axis=0)
    pose = Pose(rig, root, {"tail.00": lead})
    for j in range(1, 9):
        pose.turned[f"tail.{j:02d}"] = swung(pose.of(f"tail.{j - 1:02d}"), rig.offsets()[1], ways[:, j])
    return pose


def swung(parent: Rotation, bone: np.ndarray, aim: np.ndarray) -> Rotation:
    """The parent's rotation and the least that brings `bone` to `aim` (FRAMES, 3)."""
    now = parent.apply(bone)
    now, aim = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (now, aim))
    axis = np.cross(now, aim)
    sine = np.linalg.norm(axis, axis=1, keepdims=True)
    angle = np.arctan2(sine, (now * aim).sum(1, keepdims=True))
    return Rotation.from_rotvec(axis / sine.clip(1e-9) * angle) * parent


def hand() -> Rig:
    """Forearm, wrist, five fingers of three joints; it lies along +X."""
    joints: dict[str, tuple[str, tuple[float, float, float]]] = {
        "forearm": ("", (0, 0, 0)),
        "wrist": ("forearm", (2.5, 0, 0)),
    }
    for i, finger in enumerate(("thumb", "index", "middle", "ring", "little")):
        start, bone = (
            ((0.3, -0.2, 0.35), (0.3, 0.0, 0.25))
            if i == 0
            else ((0.9, 0.0, 0.5 - 0.22 * i), (0.42 - 0.03 * i, 0.0, 0.0))
        )
        joints[f"{finger}.1"] = ("wrist", start)
        joints[f"{finger}.2"] = (f"{finger}.1", bone)
        joints[f"{finger}.3"] = (f"{finger}.2", (bone[0] * 0.7, 0.0, bone[2] * 0.7))
    return Rig(joints)


def handle(rig: Rig, rng: np.random.Generator) -> Pose:
    """Grasping, counting, drumming."""
    pose = Pose(rig, drift(rng, 0.8, 1.0, 3), {"forearm": turn("YXZ", drift(rng, 0.5, 1.0, 3))})
    pose.bend("wrist", turn("YXZ", drift(rng, 0.35, 0.7, 3)))
    grasp = smooth(0.5 + drift(rng, 0.8, 0.8)[:, 0])
    drum = smooth(drift(rng, 1.0, 1.5)[:, 0])
    for i, finger in enumerate(("thumb", "index", "middle", "ring", "little")):
        late = np.interp(TIME - 0.05 * i, TIME, grasp)
        beat = drum * 0.4 * np.maximum(0.0, np.sin(2 * np.pi * (2.2 * TIME - 0.13 * i))) ** 2
        counted = smooth(drift(rng, 0.8, 1.0)[:, 0])
        curl = (0.15 + 1.1 * np.maximum(late, 0.7 * counted) - beat) * (0.6 if i == 0 else 1.0)
        axis = np.array([0.3, 0.6, -0.7]) if i == 0 else np.array([0.0, 0.0, -1.0])
        spread = drift(rng, 0.08, 0.9)[:, 0]
        for k, share in ((1, 0.8), (2, 1.0), (3, 0.65)):
            bent = Rotation.from_rotvec(curl[:, None] * share * axis)
            pose.bend(f"{finger}.{k}", turn("Y", spread) * bent if k == 1 else bent)
    return pose


def arm() -> Rig:
    """A six-axis machine."""
    joints = {
        "base": ("", (0.0, 0.0, 0.0)),
        "shoulder": ("base", (0.0, 0.4, 0.1)),
        "elbow": ("shoulder", (0.0, 0.9, 0.0)),
    }
    joints |= {
        "forearm": ("elbow", (0.0, 0.1, 0.3)),
        "wrist": ("forearm", (0.0, 0.0, 0.6)),
        "flange": ("wrist", (0.0, 0.0, 0.15)),
    }
    return Rig(joints)


def drive(rig: Rig, rng: np.random.Generator) -> Pose:
    """From pose to pose, every axis at a steady speed between equal ramps, with waits."""
    axes = np.array([[0, 1, 0], [1, 0, 0], [1, 0, 0], [0, 0, 1], [1, 0, 0], [0, 0, 1]], float)
    angles, now, at = np.zeros((FRAMES, 6)), rng.normal(0, 0.5, 6), 0
    while at < FRAMES:
        goal = rng.normal(0, [1.0, 0.5, 0.6, 0.8, 0.7, 1.2])
        count = int(FPS * max(0.4, float(np.abs(goal - now).max()) / 1.8))
        wait = int(FPS * rng.uniform(0.0, 0.5))
        u, ramp = np.arange(count) / count, 0.25
        share = np.where(
            u < ramp, u**2 / (2 * ramp), np.where(u < 1 - ramp, u - ramp / 2, 1 - ramp - (1 - u) ** 2 / (2 * ramp))
        )
        way = np.concatenate([now + (share / (1 - ramp))[:, None] * (goal - now), np.tile(goal, (wait, 1))])
        way = way[: FRAMES - at]
        angles[at : at + len(way)] = way
        at, now = at + len(way), goal
    pose = Pose(rig, np.zeros((FRAMES, 3)), {})
    for i, joint in enumerate(rig.names):
        pose.bend(joint, Rotation.from_rotvec(angles[:, i, None] * axes[i]))
    return pose


Maker = Callable[[Rig, np.random.Generator], Pose]
RIGS: dict[str, tuple[Callable[[], Rig], Maker]] = {
    "biped": (biped, walk_biped),
    "quadruped": (quadruped, trot),
    "tail": (tail, dragged),
    "hand": (hand, handle),
    "arm": (arm, drive),
}


def write(path: Path, rig: Rig, takes: list[Pose]) -> None:
    """The takes in the format of the motion-capture files; the tail's last joint, which has no child, is left at rest."""
    joints = len(rig.names)
    arrays: dict[str, np.ndarray] = {
        "joint_names": np.array(rig.names), "parents": np.array(rig.parents(), np.int16),
        "animated": np.arange(joints), "fps": np.array(FPS),
        "clip_names": np.array([f"take_{i}" for i in range(len(takes))]),
    }  # fmt: skip
    for i, take in enumerate(takes):
        q = take.local()
        sign = np.cumprod(np.where((q[1:] * q[:-1]).sum(-1) < 0, -1.0, 1.0), 0)
        q = np.concatenate([q[:1], q[1:] * sign[..., None]])
        arrays[f"take_{i}/rotations"] = np.round(q * 32767).astype(np.int16)
        arrays[f"take_{i}/root"] = take.root.astype(np.float32)
        arrays[f"take_{i}/offsets"] = rig.offsets().astype(np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, allow_pickle=False, **arrays)


def make(folder: Path, takes: int = TAKES) -> list[Path]:
    """All five files."""
    out = []
    for name, (build, play) in RIGS.items():
        rig, rng = build(), np.random.default_rng(sum(map(ord, name)))
        out.append(folder / f"{name}.npz")
        write(out[-1], rig, [play(rig, rng) for _ in range(takes)])
    return out


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    for path in make(parser.parse_args().out):
        print(path)


if __name__ == "__main__":
    main()
